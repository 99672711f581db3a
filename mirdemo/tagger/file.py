"""A tagger as files: readable JSON, safetensors, a card. What is read is checked; nothing in it is ever executed.

A folder, or a zip, with three files::

    tagger.json          everything but the arrays, and the checksums
    tagger.safetensors   the arrays
    README.md            the card, for people; may be edited freely
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mirdemo.base import manifests
from mirdemo.base.files import called, whole, whole_folder
from mirdemo.base.sentences import MirdemoError, Sentence

FORMAT = "mirdemo-tagger"
FORMAT_VERSION = 3
#: 1: a whitening without parts; 2: one that cuts nothing.
_READABLE = (1, 2, FORMAT_VERSION)
MANIFEST, ARRAYS, CARD = "tagger.json", "tagger.safetensors", "README.md"
#: Largest size of each file that is read, bytes.
LIMITS = {MANIFEST: 5_000_000, ARRAYS: 500_000_000, CARD: 1_000_000}
_DTYPES = {"float32", "float64", "uint8", "int64"}


class TaggerError(MirdemoError):
    """A tagger cannot be made, saved, read or used. One sentence: what happened, what to do."""


def unreadable(name: str, what: Sentence) -> TaggerError:
    """The one refusal of what is no tagger, or no whole one. what: is wrong with it, as a part of a sentence"""
    return TaggerError(
        "{name} is not a tagger that can be used: {what}. Download or make it again.",
        code="tagger.unreadable",
        name=name,
        what=what,
    )


def pack(manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray], card: str) -> dict[str, bytes]:
    """File name -> content. manifest: JSON-ready; arrays: of the dtypes in ``_DTYPES``."""
    from safetensors.numpy import save

    packed = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    described = {name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in arrays.items()}
    whole = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **manifest,
        "arrays": described,
        "sha256": {ARRAYS: hashlib.sha256(packed).hexdigest()},
    }
    whole["checksum"] = manifests.checksum(whole)
    text = json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return {MANIFEST: text.encode(), ARRAYS: packed, CARD: card.encode()}


def unpack(contents: Mapping[str, bytes], name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The manifest and the arrays, checked against each other. Raises TaggerError, naming ``name``."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    for file in (MANIFEST, ARRAYS):
        if file not in contents:
            raise unreadable(name, Sentence("{file} is missing", "tagger.what.missing", {"file": file}))
    try:
        manifest = manifests.parsed(contents[MANIFEST])
    except ValueError:
        raise unreadable(
            name, Sentence("{file} cannot be read", "tagger.what.file", {"file": MANIFEST})
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise unreadable(
            name, Sentence("{file} describes something else", "tagger.what.other", {"file": MANIFEST})
        )
    version = manifest.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise TaggerError(
            "{name} was made by a newer mirdemo (format {version}; this one reads {ours}). Update mirdemo.",
            code="tagger.newer",
            name=name,
            version=version,
            ours=FORMAT_VERSION,
        )
    if version not in _READABLE or isinstance(version, bool):
        raise unreadable(
            name,
            Sentence(
                "its format {version} is not known", "tagger.what.format", {"version": repr(version)[:40]}
            ),
        )
    digests = manifest.get("sha256")
    known = isinstance(digests, dict) and manifests.is_of(contents[ARRAYS], digests.get(ARRAYS))
    if not (known and manifests.unchanged(manifest)):
        raise TaggerError(
            "{name} was changed after it was saved: its checksums do not match. Get the original.",
            code="tagger.tampered",
            name=name,
        )
    try:
        arrays = load(contents[ARRAYS])
    except (SafetensorError, ValueError, KeyError, TypeError):  # KeyError, TypeError: dtypes NumPy lacks
        raise unreadable(
            name, Sentence("{file} cannot be read", "tagger.what.file", {"file": ARRAYS})
        ) from None
    found = {key: {"dtype": str(a.dtype), "shape": list(a.shape)} for key, a in arrays.items()}
    if found != manifest.get("arrays") or not {entry["dtype"] for entry in found.values()} <= _DTYPES:
        raise unreadable(name, Sentence("its arrays are not the ones it describes", "tagger.what.arrays"))
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise unreadable(name, Sentence("its arrays hold values that are not numbers", "tagger.what.numbers"))
    return manifest, arrays


def write(contents: Mapping[str, bytes], path: Path) -> None:
    """Write a zip (``.zip``) or a folder, whole or not at all.

    A zip or a folder that holds a tagger is replaced; a folder with anything else in it is refused.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(contents, path)
    except OSError as error:
        raise TaggerError(
            "{name} cannot be written ({reason}). Choose another place.",
            code="tagger.cannot_write",
            name=called(path),
            reason=os.strerror(error.errno) if error.errno else type(error).__name__,
        ) from error


def _replace(contents: Mapping[str, bytes], path: Path) -> None:
    """Written beside its place and moved there. Raises TaggerError for a folder with other files, OSError."""
    if path.suffix.lower() == ".zip":
        with whole(path) as beside:
            beside.write_bytes(zipped(contents))
        return
    if path.is_dir() and not {entry.name for entry in path.iterdir()} <= set(LIMITS):
        raise TaggerError(
            "{name} holds other files. Choose an empty or new folder.",
            code="tagger.folder_taken",
            name=called(path),
        )
    with whole_folder(path) as folder:
        for name, content in contents.items():
            (folder / name).write_bytes(content)


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def read(path: Path) -> dict[str, bytes]:
    """The known files of a folder or a zip; anything else in it is left alone. Raises TaggerError."""
    try:
        if path.is_dir():
            return {
                name: _bounded((path / name).open("rb"), limit, called(path), name)
                for name, limit in LIMITS.items()
                if (path / name).is_file()
            }
        if path.is_file():
            return read_zip(path, called(path))
    except OSError:
        raise unreadable(called(path), Sentence("it cannot be opened", "tagger.what.closed")) from None
    raise TaggerError(
        "There is no tagger at {name}. Give a folder, a zip, or OWNER/NAME on the Hub.",
        code="tagger.missing",
        name=called(path),
    )


def is_tagger(data: bytes | Path) -> bool:
    """Whether this is a zip that calls itself a tagger, whatever is wrong with it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            return any(_place(name) == MANIFEST for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, OverflowError):
        return False


def read_zip(data: bytes | Path, name: str, limits: Mapping[str, int] = LIMITS) -> dict[str, bytes]:
    """Files of a zip, at its top or all in one folder. Nothing is unpacked onto the disk.

    name: what refusals call it; limits: file -> bytes, as ``LIMITS``
    Raises TaggerError, OSError.
    """
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            infos = archive.infolist()
            if len(infos) > 100:
                raise unreadable(name, Sentence("it holds too many files", "tagger.what.files"))
            for info in infos:
                file = _place(info.filename)
                if file is None:
                    continue
                if file in contents:
                    raise unreadable(
                        name, Sentence("it holds {file} twice", "tagger.what.twice", {"file": file})
                    )
                if info.file_size > limits[file]:
                    raise unreadable(name, too_large(file))
                contents[file] = _bounded(archive.open(info), limits[file], name, file)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError):
        raise unreadable(
            name,
            Sentence("it is not a zip file, is damaged, or is locked with a password", "tagger.what.zip"),
        ) from None
    return contents


def _place(name: str) -> str | None:
    """Which of a tagger's files this name in a zip means; None for anything else."""
    place = PurePosixPath(name)
    if place.name not in LIMITS or len(place.parts) > 2 or ".." in place.parts or place.is_absolute():
        return None
    return place.name


def _bounded(file: Any, limit: int, name: str, entry: str) -> bytes:
    """All of a file, or a refusal if it is more than ``limit`` bytes. Closes it."""
    with file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise unreadable(name, too_large(entry))
    return content


def too_large(file: str) -> Sentence:
    return Sentence("{file} is too large", "tagger.what.large", {"file": file})
