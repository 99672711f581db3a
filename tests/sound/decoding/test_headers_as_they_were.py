"""What the house's own readers make of the first and last bytes of files stays what it was on 1 December 2026.

The files are written out here byte by byte after their formats, so that no version of a library has a say; each also joined to another of
its kind, behind tags, before zeros, cut, and with bytes changed. ``PYTHONPATH=.:tests python tests/sound/decoding/test_headers_as_they_were.py``
writes ``headers_as_they_were.json`` anew.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered

from mirdemo.base.sentences import MirdemoError
from mirdemo.sound.decoding import asf, chains, claims, containers, dolby, matroska, mpeg, ogg, parts
from mirdemo.sound.decoding.source import Source

FILE = Path(__file__).with_name("headers_as_they_were.json")
SOUND = bytes(random.Random(0).randrange(1, 128) for _ in range(600))
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x14" + b"TIT2" + bytes(16)
EDITED = 40


def chunk(name: bytes, data: bytes, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) % 2)


def wav(data: bytes = SOUND, size: int | None = None) -> bytes:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    body = b"WAVE" + form + chunk(b"LIST", b"INFOx") + chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def rf64() -> bytes:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    told = struct.pack("<QQQI", 8 + 4 + 36 + len(form) + len(SOUND), len(SOUND), len(SOUND) // 2, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", told) + form + b"data\xff\xff\xff\xff" + SOUND


def aiff() -> bytes:
    common = struct.pack(">hIh", 1, 300, 16) + bytes.fromhex("400bfa00000000000000")
    body = b"AIFF" + chunk(b"COMM", common, ">") + chunk(b"SSND", bytes(8) + SOUND, ">")
    return chunk(b"FORM", body, ">")


def w64() -> bytes:
    form = (
        b"fmt "
        + bytes.fromhex("f3acd3118cd100c04f8edb8a")
        + struct.pack("<QHHIIHH", 40, 1, 1, 8000, 16000, 2, 16)
    )
    data = containers.W64_DATA + struct.pack("<Q", 24 + len(SOUND)) + SOUND
    wave = b"wave" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
    head = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
    return head + struct.pack("<Q", 24 + 16 + len(form) + len(data)) + wave + form + data


def caf() -> bytes:
    described = struct.pack(">d4sIIIII", 8000.0, b"lpcm", 0, 2, 1, 1, 16)
    packed = [
        b"desc" + struct.pack(">q", len(described)) + described,
        b"data" + struct.pack(">q", 4 + len(SOUND)) + bytes(4) + SOUND,
    ]
    return b"caff\x00\x01\x00\x00" + b"".join(packed)


def flac() -> bytes:
    rate = (8000 << 44 | 0 << 41 | 15 << 36 | 300).to_bytes(8, "big")
    return (
        b"fLaC\x80\x00\x00\x22"
        + struct.pack(">HH", 4096, 4096)
        + bytes(6)
        + rate
        + bytes(16)
        + b"\xff\xf8\x64\x08"
        + SOUND
    )


def page(number: int, flags: int, data: bytes, granule: int, serial: int = 7) -> bytes:
    lacing = bytes([255] * (len(data) // 255) + [len(data) % 255])
    made = bytearray(
        b"OggS\x00" + struct.pack("<BqIIIB", flags, granule, serial, number, 0, len(lacing)) + lacing + data
    )
    total = 0
    for byte in made:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C11DB7 if total & 0x80000000 else 0)) & 0xFFFFFFFF
    made[22:26] = struct.pack("<I", total)
    return bytes(made)


def vorbis(serial: int = 7, skip: int | None = None) -> bytes:
    flags = [2, 0, 0, 0, 4]
    return b"".join(
        page(i, flag, SOUND[: 80 + 300 * (i > 1)], 960 * i, serial)
        for i, flag in enumerate(flags)
        if i != skip
    )


def mp3(frames: int = 6, xing: bool = False) -> bytes:
    """Of 64 kbit/s and 44.1 kHz: 208 bytes a frame."""
    one = b"\xff\xfb\x50\x44" + bytes(32) + SOUND[:172]
    head = bytearray(b"\xff\xfb\x50\x44" + bytes(204))
    head[36:48] = b"Xing" + struct.pack(">II", 1, frames)
    head[156:160] = b"LAME"
    return (bytes(head) if xing else b"") + one * frames


def adts(frames: int = 5) -> bytes:
    length = 7 + 120
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC])
    return (head + SOUND[:120]) * frames


def ac3(frames: int = 4) -> bytes:
    return (b"\x0b\x77\x12\x34\x00\x40" + SOUND[:122]) * frames  # 32 kbit/s at 48 kHz: 128 bytes


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def mp4() -> bytes:
    return box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", SOUND)


def matroska_file() -> bytes:
    def element(identity: bytes, data: bytes) -> bytes:
        return identity + struct.pack(">I", 0x10000000 | len(data)) + data

    cluster = element(b"\x1f\x43\xb6\x75", element(b"\xe7", b"\0") + element(b"\xa3", SOUND[:200]) * 2)
    return element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm") + element(
        b"\x18\x53\x80\x67", element(b"\x15\x49\xa9\x66", bytes(8)) + cluster * 2
    )


def flv(tags: int = 4) -> bytes:
    one = b"\x08" + (100).to_bytes(3, "big") + bytes(7) + SOUND[:100] + struct.pack(">I", 111)
    return b"FLV\x01\x04\0\0\0\x09" + bytes(4) + one * tags


def avi() -> bytes:
    listed = b"LIST" + struct.pack("<I", 4 + 3 * 108) + b"movi" + chunk(b"01wb", SOUND[:100]) * 3
    body = b"AVI " + chunk(b"JUNK", bytes(20)) + listed
    return chunk(b"RIFF", body)


def transport(packets: int = 14, length: int = 188) -> bytes:
    return b"".join(
        bytes(length - 188) + b"\x47\x01\x00" + bytes([0x10 | i % 16]) + SOUND[:184] for i in range(packets)
    )


def asf_file(packets: int = 4, skip: int | None = None) -> bytes:
    length = 160
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + struct.pack("<Q", 104) + bytes(68)
    properties += struct.pack("<III", length, length, 0)
    head = containers._ASF + struct.pack("<QIBB", 30 + 104, 1, 1, 2) + properties
    told = [
        (b"\x82\x00\x00\x00\x5d" + bytes(6) + bytes([1, i]) + bytes(4) + b"\x08" + bytes(8) + SOUND)[:length]
        for i in range(packets)
        if i != skip
    ]
    data = (
        asf._DATA
        + struct.pack("<Q", 50 + length * len(told))
        + bytes(16)
        + struct.pack("<QH", len(told), 0x101)
    )
    return head + data + b"".join(told)


def au() -> bytes:
    return b".snd" + struct.pack(">IIIII", 24, len(SOUND), 3, 8000, 1) + SOUND


def tta() -> bytes:
    return (
        b"TTA1" + struct.pack("<HHHIII", 1, 1, 16, 8000, 9000, 0) + struct.pack("<III", 300, 300, 0) + SOUND
    )


def wavpack_of_one() -> bytes:
    """A file of one sample: one block."""
    return b"wvpk" + struct.pack("<IHBBIIIII", 24 + 30, 0x410, 0, 0, 1, 0, 1, 0x1804, 0) + SOUND[:30]


def wavpack() -> bytes:
    blocks = [
        b"wvpk" + struct.pack("<IHBBIIIII", 24 + 100, 0x410, 0, 0, 300, 100 * i, 100, 0x1804, 0) + SOUND[:100]
        for i in range(3)
    ]
    return b"".join(blocks)


MADE: dict[str, Callable[[], bytes]] = {
    **{
        "wav": wav,
        "rf64": rf64,
        "aiff": aiff,
        "w64": w64,
        "caf": caf,
        "flac": flac,
        "au": au,
        "tta": tta,
        "wavpack": wavpack,
        "wavpack of one sample": wavpack_of_one,
    },
    **{
        "ogg": vorbis,
        "ogg with a hole": lambda: vorbis(skip=3),
        "ogg without an end": lambda: vorbis(skip=4),
    },
    **{
        "mp3": mp3,
        "mp3 with its length": lambda: mp3(xing=True),
        "aac": adts,
        "ac3": ac3,
        "mp4": mp4,
        "matroska": matroska_file,
    },
    **{
        "flv": flv,
        "avi": avi,
        "transport": transport,
        "transport with clocks": lambda: transport(length=192),
    },
    **{
        "asf": asf_file,
        "asf with a hole": lambda: asf_file(skip=2),
        "piped wav": lambda: wav(size=0xFFFFFFFF),
        "noise": lambda: SOUND,
    },
}


def variants(data: bytes) -> list[bytes]:
    """Whole; joined to itself; behind tags, zeros and anything; before those; cut; with bytes changed, left out and put in."""
    made = [
        data,
        data + data,
        data + bytes(9) + data,
        data + ID3 + data,
        ID3 + data,
        bytes(100) + data,
        SOUND[:50] + data,
    ]
    made += [
        data + bytes(40),
        data + b"TAG" + bytes(125),
        data + SOUND[:64],
        data[: len(data) * 2 // 3],
        data[:-1],
        data[:20],
        data[:3],
    ]
    draw = random.Random(len(data))
    for number in range(EDITED):
        changed = bytearray(data)
        at = draw.randrange(min(len(data), 120 if number % 2 else len(data)))
        match number % 4:
            case 0:
                changed[at : at + 4] = draw.choice(
                    [b"\xff\xff\xff\xff", bytes(4), b"\x01\0\0\0", b"\0\0\x01\0"]
                )
            case 1:
                changed[at] ^= 1 << draw.randrange(8)
            case 2:
                del changed[at : at + draw.randrange(1, 40)]
            case 3:
                changed[at:at] = changed[at : at + draw.randrange(1, 40)]
        made.append(bytes(changed))
    return made


def told(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except MirdemoError as refusal:
        return refusal.sentence.code


def looked_at(data: bytes) -> list[Any]:
    source = Source.of(data)
    container, start = containers.sniff(source)
    rest = source.part(start) if start else source
    claim = told(lambda: claims.claim_of_header(rest, container))
    sizes = [part.size for part in parts.parts_of(rest, container)]
    found = [
        container.ffmpeg,
        start,
        sizes,
        claim if claim is None or isinstance(claim, str) else remembered.plain(claim),
        claims.lacks_end(rest, container),
        claims.behind_end(rest, container),
        told(lambda: containers.check_is_sound(source, container, "a")),
        told(lambda: claims.check_has_index(rest, container, "a")),
        chains.is_broken(rest, container),
        containers.past_tags(source),
        mpeg.first_frame(source, 0),
        dolby.first_frame(data),
    ]
    if container is containers.OGG:
        found.append([[link.start, link.hole, link.goes_on] for link in ogg.links(rest, 8)])
    if container is containers.MP3:
        found += [mpeg.xing_frames(rest), mpeg.lacks_end(rest)]
    if container is containers.ASF:
        found.append(asf.end_of_packets(rest))
    if container is containers.MATROSKA:
        found.append(matroska.after(lambda at_most, at: rest.head(at_most, at), 0))
    mended = claims.mended(rest, container)
    return [*found, "mended" if mended.head(64) != rest.head(64) or mended is not rest else ""]


def seen(name: str) -> list[Any]:
    """Of a whole file all; of what was changed in it what differs from that."""
    whole, *others = [looked_at(data) for data in variants(MADE[name]())]
    return [
        whole,
        *(
            [[i, value] for i, value in enumerate(other) if i >= len(whole) or value != whole[i]]
            for other in others
        ),
    ]


def frames() -> dict[str, Any]:
    """Of every header that a byte or two can make."""
    layers = [
        bytes([0xFF, second, third, 0x44, 0, 0])
        for second in range(0xE0, 0x100)
        for third in range(0, 256, 2)
    ]
    coded = [
        bytes([0x0B, 0x77, 1, 2, code, version << 3])
        for code in range(256)
        for version in (6, 8, 10, 11, 16, 17)
    ]
    return {
        "frames": np.array([mpeg.is_frame(head) for head in layers]),
        "adts": np.array([mpeg.is_adts(head) for head in layers]),
        "samples": np.array([mpeg.frame_samples(head) for head in layers]),
        "lengths": np.array([mpeg._frame_length(head) for head in layers]),
        "alone": np.array([mpeg.begins_file(head) for head in layers]),
        "dolby": np.array([dolby.frame_length(head) for head in coded]),
        "not sound": [
            told(
                lambda head=head, at=at: containers.check_is_sound(
                    Source.of(bytes(at) + head + SOUND), containers.UNKNOWN, "a"
                )
            )
            for at, head, _ in containers._NOT_READ
        ],
    }


CASES: dict[str, Callable[[], Any]] = {
    **{name: (lambda name=name: seen(name)) for name in MADE},
    "frames": frames,
}


@pytest.mark.parametrize("name", CASES)
def test_the_bytes_of_a_file_are_taken_for_what_they_were(name: str):
    remembered.hold(CASES[name](), remembered.kept(FILE)[name])


if __name__ == "__main__":
    remembered.write(FILE, {name: make() for name, make in CASES.items()})
