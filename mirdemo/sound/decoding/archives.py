"""Archives and images of disks, told apart by their bytes: they may hold sound, and are no sound themselves."""

from __future__ import annotations

import re

from mirdemo.sound.decoding.source import Source

#: First bytes, and what people call the kind.
_BEGIN = {
    b"PK\x03\x04": "ZIP",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"MSCF": "cab",
    b"SIT!": "StuffIt",
    b"StuffIt": "StuffIt",
    b"LZIP": "lzip",
    b"\x5d\x00\x00": "lzma",
    b"\x1f\x9d": "compress",
    b"\x60\xea": "arj",
    b"ALZ\x01": "alz",
    b"EGGA": "egg",
    b"xar!": "xar",
    b"MSWIM": "wim",
    b"!<arch>": "ar",
    b"070701": "cpio",
    b"conectix": "VHD",
    b"vhdxfile": "VHDX",
    b"KDMV": "VMDK",
    b"QFI\xfb": "QCOW",
    b"hsqs": "SquashFS",
}
#: Marks elsewhere: of a disc (ISO 9660, UDF), of an Apple disk image at its end, of the older ones of sparse bundles.
_ELSEWHERE = (
    (32_769, b"CD001", "ISO"),
    (32_769, b"BEA01", "ISO"),
    (-512, b"koly", "DMG"),
    (-512, b"conectix", "VHD"),
    (0, b"sprs", "DMG"),
    (0, b"encrcdsa", "DMG"),
    (257, b"ustar", "tar"),
    (7, b"**ACE**", "ace"),
)


def archive_of(source: Source) -> str | None:
    """What kind of archive or image this is, "ZIP" among them; None if it is none."""
    head = source.head(300)
    for magic, kind in _BEGIN.items():
        if head.startswith(magic):
            return kind
    if re.match(rb"-l[hz][0-9a-z]-", head[2:7]):
        return "lzh"
    for at, magic, kind in _ELSEWHERE:
        place = at if at >= 0 else source.size + at
        if place >= 0 and source.head(len(magic), place) == magic:
            return kind
    return None
