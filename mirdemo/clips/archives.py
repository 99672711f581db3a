"""Files in a folder or a zip, listed and opened safely: no path in it ever becomes one on the disk.

A link, a path that leaves its folder, an encrypted entry or an archive within the archive is left out with a
sentence; a zip that would unpack to far more than its size is refused as a whole.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from mirdemo.base.files import called
from mirdemo.base.sentences import Sentence
from mirdemo.clips.encodings import Decoded, decode, shown
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.unread import unread
from mirdemo.sound.decoding.archives import archive_of
from mirdemo.sound.decoding.source import Source
from mirdemo.sound.spool import disk_full

_LEFT_BY_SYSTEMS = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini", "$recycle.bin"}
_ENCRYPTED = 0x1 | 0x40  # with a password, or by "strong encryption"
_PATCHED = 0x20  # holds only what differs from another file
_UTF8_NAME = 0x800
_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Entry:
    """One file: its path below the top (for its name and tags only), its size, and how to get at it. Equal to itself alone.

    open: gives its bytes, or its path where it lies on the disk; raises ``ClipsError`` if it cannot
    save: of a zip's entry, writes its bytes, however many, to an open file a part at a time; raises as ``open`` does, and
        ``AudioError`` where the disk is full
    head: of a zip's entry, gives so many of its first bytes; raises as ``open`` does
    """

    path: PurePosixPath
    size: int
    open: Callable[[], bytes | Path]
    save: Callable[[IO[bytes]], None] | None = None
    head: Callable[[int], bytes] | None = None


@dataclass
class Listing:
    """The files found, in the order of their paths, and sentences about what was left out."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Sentence] = field(default_factory=list)


def list_folder(folder: Path, limits: ClipLimits = CLIP_LIMITS) -> Listing:
    """All files below a folder. Links are never followed. Raises ``ClipsError``."""
    if not folder.is_dir():
        raise ClipsError(
            "{name} is not a folder. Choose a folder of sound files.",
            code="clips.not_a_folder",
            name=called(folder),
        )
    listing = Listing()
    for where, folders, files in os.walk(folder, followlinks=False):
        here = Path(where)
        depth = len(here.relative_to(folder).parts)
        for name in [*folders, *files]:
            if (here / name).is_symlink():
                listing.problems.append(_link(name))
        folders[:] = sorted(f for f in folders if not _is_clutter(f) and depth < limits.max_depth)
        for name in files:
            path = here / name
            if _is_clutter(name) or path.is_symlink() or not path.is_file():
                continue
            relative = PurePosixPath(unicodedata.normalize("NFC", path.relative_to(folder).as_posix()))
            listing.entries.append(Entry(relative, path.stat().st_size, partial(Path, path)))
            limits.check_entries(called(folder), len(listing.entries))
    listing.entries.sort(key=lambda entry: entry.path)
    return listing


@contextmanager
def list_zip(
    zip_file: Path | bytes, name: str, max_entry_bytes: int, limits: ClipLimits = CLIP_LIMITS
) -> Iterator[Listing]:
    """The files of a zip, readable inside the ``with`` block. Raises ``ClipsError``.

    max_entry_bytes: entries beyond this are listed with their size, but not opened
    """
    size = len(zip_file) if isinstance(zip_file, bytes) else _file_size(zip_file, name)
    if size > limits.max_archive_bytes:
        raise ClipsError(
            "{name} has {size_mb} MB; zip files up to {max_mb} MB are read. Split it.",
            code="clips.zip_too_big",
            name=name,
            size_mb=-(-size // 1_000_000),
            max_mb=limits.max_archive_bytes // 1_000_000,
        )
    kind = other_archive(zip_file)
    if kind is not None:
        said = not_a_zip_but(name, kind)
        raise ClipsError(said.template, code=said.code, **said.values)
    try:
        archive = zipfile.ZipFile(io.BytesIO(zip_file) if isinstance(zip_file, bytes) else zip_file)
    except RuntimeError:  # of a later version of the format than zipfile reads
        raise ClipsError(
            "{name} is packed in a newer way than we read. Pack it again as a plain zip file.",
            code="clips.newer_zip",
            name=name,
        ) from None
    except (zipfile.BadZipFile, OSError, ValueError, OverflowError):
        raise ClipsError(
            "{name} is not a zip file, or it is damaged. Make it again.", code="clips.not_a_zip", name=name
        ) from None
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        limits.check_entries(name, len(infos))
        unpacked = sum(info.file_size for info in infos)
        if unpacked > limits.max_unpacked_bytes or (
            unpacked > limits.free_unpacked_bytes and unpacked > limits.max_ratio * size
        ):
            raise ClipsError(
                "{name} would unpack to {unpacked_mb} MB from {size_mb} MB, which is not safe to open. "
                "Send the sound files in smaller zip files.",
                code="clips.zip_bomb",
                name=name,
                unpacked_mb=unpacked // 1_000_000,
                size_mb=round(size / 1_000_000, 1),
            )
        listing = Listing()
        names, guess = _entry_names(infos)
        if lost := letters_lost(name, names.values()):
            listing.problems.append(lost)
        elif guess is not None:
            listing.problems.append(_names_guessed(name, guess, names.values()))
        for at, info in enumerate(infos):
            _list_info(archive, info, names[at], listing, max_entry_bytes, limits)
        listing.entries.sort(key=lambda entry: entry.path)
        yield listing


def _list_info(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    listing: Listing,
    max_entry_bytes: int,
    limits: ClipLimits,
) -> None:
    """Add one entry of a zip to the listing, or the reason why not."""
    text = name.replace("\\", "/")
    parts = text.split("/")
    shown = parts[-1] or text
    if any(_is_clutter(part) for part in parts if part not in (".", "..")):
        return
    drive = re.fullmatch("[A-Za-z]:", parts[0]) and len(parts) > 1
    unsafe = text.startswith("/") or ".." in parts or bool(drive) or "\0" in text
    if unsafe or len(parts) > limits.max_depth + 1:
        listing.problems.append(
            Sentence(
                "{name} was left out: its path leaves the folder or is too deep.",
                "clips.unsafe_path",
                {"name": shown},
            )
        )
    elif stat.S_ISLNK(info.external_attr >> 16):
        listing.problems.append(_link(shown))
    elif info.flag_bits & _ENCRYPTED:
        listing.problems.append(
            Sentence("{name} was left out: it is locked with a password.", "clips.encrypted", {"name": shown})
        )
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & _PATCHED:
        listing.problems.append(
            Sentence(
                "{name} was left out: it is packed in an unusual way. Make a plain zip file.",
                "clips.packing",
                {"name": shown},
            )
        )
    else:
        path = PurePosixPath(*[part for part in parts if part not in ("", ".")])
        listing.entries.append(
            Entry(
                path,
                info.file_size,
                lambda: _read_info(archive, info, shown, max_entry_bytes),
                lambda out: _save_info(archive, info, shown, out),
                lambda count: _read_info(archive, info, shown, count - 1),
            )
        )


@contextmanager
def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str) -> Iterator[IO[bytes]]:
    """One entry to be read from. Raises ``ClipsError`` where its bytes are damaged."""
    try:
        with archive.open(info) as stream:
            yield stream
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        raise ClipsError(
            "{name} is damaged inside the zip file. Make the zip file again.",
            code="clips.entry_damaged",
            name=shown,
        ) from None


def _read_info(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, max_bytes: int) -> bytes:
    """The bytes of one entry, never more than ``max_bytes``. Raises ``ClipsError``."""
    with _opened(archive, info, shown) as stream:
        return stream.read(max_bytes + 1)


def _save_info(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, out: IO[bytes]) -> None:
    """Never more bytes than the zip says. Raises ``ClipsError``, and AudioError where the disk is full."""
    left = info.file_size
    with _opened(archive, info, shown) as stream:
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            left -= len(block)
            try:
                out.write(block)
                out.flush()
            except OSError:
                raise disk_full(shown) from None


def _entry_names(infos: Iterable[zipfile.ZipInfo]) -> tuple[dict[int, str], Decoded | None]:
    """Place of an entry -> its name: marked as UTF-8, in the Unicode field, or in the encoding that suits them all; and that
    guess, where other encodings would suit them as well."""
    found: dict[int, str] = {}
    unmarked: dict[int, bytes] = {}
    for at, info in enumerate(infos):
        name = info.orig_filename
        if info.flag_bits & _UTF8_NAME:
            found[at] = name
            continue
        raw = name.encode("cp437", "replace")
        told = _unicode_field(info.extra, raw)  # also beside an ASCII name, which then stands in for another
        if told is not None or name.isascii():
            found[at] = name if told is None else told
        else:
            unmarked[at] = raw
    decoded = decode(b"\n".join(unmarked.values()), sheet=False) if unmarked else None
    if unmarked:
        encoding = decoded.encoding if decoded is not None else "cp437"
        found |= {at: raw.decode(encoding, "replace") for at, raw in unmarked.items()}
    names = {at: unicodedata.normalize("NFC", name) for at, name in found.items()}
    return names, decoded if decoded is not None and decoded.others else None


def _names_guessed(name: str, guess: Decoded, names: Iterable[str]) -> Sentence:
    parts = [part for one in names for part in re.split(r"[/\\]", one) if not part.isascii()]
    return Sentence(
        "{name} does not say how the names in it are written; they were read as {encoding}: {words}. If that is wrong, choose "
        "another reading, or pack it anew.",
        "clips.names_guessed",
        {
            "name": name,
            "encoding": shown(guess.encoding),
            "codec": guess.encoding,
            "others": " ".join(guess.others),
            "words": ", ".join(list(dict.fromkeys(parts))[:3]),
        },
    )


def letters_lost(name: str, words: Iterable[str]) -> Sentence | None:
    """What is said where words of a sheet or a zip hold letters that are broken, which stand as U+FFFD; None where none does."""
    lost = [word for word in dict.fromkeys(words) if "\ufffd" in word]
    if not lost:
        return None
    return Sentence(
        "{name} holds letters that are broken; they stand as \ufffd: {words}. Write them anew there, or here.",
        "clips.letters_lost",
        {"name": name, "words": ", ".join(lost[:3])},
    )


def _unicode_field(extra: bytes, raw: bytes) -> str | None:
    """The name in Info-ZIP's Unicode path field (0x7075), if it is there and belongs to this very name."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field_of = extra[at + 4 : at + 4 + size]
        if (
            kind == 0x7075
            and len(field_of) > 5
            and struct.unpack_from("<I", field_of, 1)[0] == zlib.crc32(raw)
        ):
            try:
                return field_of[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
        at += 4 + size
    return None


def other_archive(content: Path | bytes) -> str | None:
    """What kind of archive this is, if it is one that we do not open."""
    try:
        with Source.of(content) as source:
            kind = archive_of(source)
    except (OSError, ValueError):
        return None
    return None if kind == "ZIP" else kind


def not_a_zip_but(name: str, kind: str) -> Sentence:
    return Sentence(
        "{name} is an archive of a kind that we do not open ({kind}). Unpack it and make a zip file, or add the files in it.",
        "clips.other_archive",
        {"name": name, "kind": kind},
    )


def _is_clutter(name: str) -> bool:
    """Whether an operating system left this file or folder behind; hidden ones count."""
    return name.lower() in _LEFT_BY_SYSTEMS or name.startswith(".")


def _file_size(path: Path, name: str) -> int:
    if not path.is_file():
        raise unread(path, name)
    return path.stat().st_size


def _link(name: str) -> Sentence:
    return Sentence(
        "{name} was left out: it is a link. Put the file itself there.", "clips.link", {"name": name}
    )
