"""Reading a visit: all of it or, with a sentence, nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mirdemo.base import manifests
from mirdemo.base.plain import DTYPES, Plain
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.clips.archives import Entry as Listed
from mirdemo.clips.archives import Listing, list_zip
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.sheets import read_sheet
from mirdemo.clips.tags import clean_recording, clean_text, typed_tags
from mirdemo.clips.visit.entries import (
    ARRAYS,
    FORMAT,
    FORMAT_VERSION,
    LABELS,
    MANIFEST,
    RESULTS,
    Entry,
    Visit,
)
from mirdemo.sound.audio import LIMITS, AudioError, Clip, display_name, load_clip

#: Largest size of a file of the zip that is no sound, bytes.
_LARGEST = 200_000_000
_ENTRIES = Plain([Entry])
#: Labels that are read back were within the limits when they were saved.
_WIDE = replace(CLIP_LIMITS, max_sheet_bytes=_LARGEST, max_entries=100_000)


def is_visit(data: bytes | Path) -> bool:
    """Whether this is a zip that calls itself a saved visit, whatever is wrong with it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            return any(_is_manifest(name) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, OverflowError):
        return False


def read_visit(
    data: bytes | Path,
    name: str | None = None,
    *,
    limits: ClipLimits = CLIP_LIMITS,
    progress: Progress = silent,
) -> Visit:
    """Read a saved visit, given as path or bytes; nothing is unpacked onto the disk.

    Raises ``ClipsError`` for what is no visit, of a newer format, changed since it was saved, not whole, unsafe to open or
    larger than the limits. A visit without sound is read with all its clips ``missing``.
    """
    shown = display_name(name or (data.name if isinstance(data, Path) else "visit.zip"))
    with list_zip(data, shown, LIMITS.max_bytes, limits) as listing:
        contents = _contents(listing, shown)
        manifest = _manifest(contents, shown)
        files = _files(contents, manifest, shown)
        entries = _entries(manifest, files[LABELS], shown, limits)
        sounds = {}
        for done, entry in enumerate(entries):
            progress(done, len(entries), "reading")
            if entry.file is not None:
                sounds[entry.sha256] = _sound(contents, entry, shown)
        progress(len(entries), len(entries), "reading")
    parts = {}
    for place, content in files.items():
        path = PurePosixPath(place)
        if path.suffix == ".json" and str(path.parent) == RESULTS:
            parts[path.stem] = _parsed(content, place, shown)
    visit = Visit(
        shown,
        str(manifest.get("created", ""))[:40],
        str(manifest.get("mirdemo", ""))[:40],
        tuple(entries),
        sounds,
        parts,
        _arrays(files.get(ARRAYS), shown),
    )
    if not visit.missing:
        visit.labelled(limits)  # refuses what is more than may be held
    return visit


def _is_manifest(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return parts[-1:] == (MANIFEST,) and len(parts) <= 2  # packed again, all of it may lie in one folder


def _contents(listing: Listing, name: str) -> dict[str, Listed]:
    """Place in the visit -> file of the zip. Raises ``ClipsError``."""
    tops = [one.path.parent for one in listing.entries if _is_manifest(str(one.path))]
    if len(tops) != 1:
        raise _lacks(name, MANIFEST)
    found: dict[str, Listed] = {}
    for one in listing.entries:
        if one.path.is_relative_to(tops[0]):
            place = str(one.path.relative_to(tops[0]))
            if place in found:
                raise _unreadable(name, place)
            found[place] = one
    return found


def _manifest(contents: Mapping[str, Listed], name: str) -> dict[str, Any]:
    manifest = _parsed(_bytes(contents[MANIFEST], MANIFEST, name), MANIFEST, name)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _unreadable(name, MANIFEST)
    version = manifest.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ClipsError(
            "{name} was saved by a newer mirdemo (format {version}; this one opens {ours}). Open it there.",
            code="clips.visit_newer",
            name=name,
            version=version,
            ours=FORMAT_VERSION,
        )
    if isinstance(version, bool) or version != FORMAT_VERSION:
        raise _unreadable(name, MANIFEST)
    if not manifests.unchanged(manifest):
        raise _changed(name, MANIFEST)
    return manifest


def _files(contents: Mapping[str, Listed], manifest: Mapping[str, Any], name: str) -> dict[str, bytes]:
    """The files that are no sound, as they were saved."""
    listed = manifest.get("files")
    if not isinstance(listed, dict) or LABELS not in listed:
        raise _unreadable(name, MANIFEST)
    files = {}
    for place, told in listed.items():
        if place not in contents:
            raise _lacks(name, place)
        content = _bytes(contents[place], place, name)
        if not isinstance(told, dict) or not manifests.is_of(content, told.get("sha256")):
            raise _changed(name, place)
        files[place] = content
    return files


def _entries(manifest: Mapping[str, Any], labels: bytes, name: str, limits: ClipLimits) -> list[Entry]:
    try:
        found = [_entry(told) for told in manifest["sounds"]]
        rows = read_sheet(labels, LABELS, _WIDE).rows
        labelled = [one for one in found if one.labelled]
        if len(rows) != len(labelled) or found[: len(labelled)] != labelled:
            raise ValueError
        entries = [
            replace(
                one,
                tags=typed_tags(row.tags, limits),
                recording=clean_recording(row.recording, limits),
                session=clean_text(row.session)[: limits.max_recording_length],
            )
            for one, row in zip(labelled, rows, strict=True)
        ]
    except (ClipsError, ValueError, KeyError, TypeError, AttributeError):
        raise _unreadable(name, MANIFEST) from None
    return entries + found[len(labelled) :]


def _entry(told: Mapping[str, Any]) -> Entry:
    warnings = [{"$": Sentence.__name__, **one} for one in told["warnings"]]
    plain = {"$": Entry.__name__, **told, "warnings": {"$": "tuple", "of": warnings}}
    entry = _ENTRIES.make(plain | {"outline": {"$": "tuple", "of": told["outline"]}}, {})
    if (
        not LIMITS.min_rate <= entry.sample_rate <= LIMITS.max_rate
        or not 0 < entry.frames <= LIMITS.max_frames
    ):
        raise ValueError
    if not 0 <= entry.start_seconds < 1e7 or len(entry.outline) > 1_000:
        raise ValueError
    return replace(entry, name=display_name(entry.name))


def _sound(contents: Mapping[str, Listed], entry: Entry, name: str) -> Clip:
    place = entry.file or ""
    if place not in contents:
        raise _lacks(name, place)
    content = contents[place].open()
    try:
        clip = load_clip(content, entry.name)
    except AudioError:
        raise _unreadable(name, place) from None
    if clip.sha256 != entry.sha256:
        raise _changed(name, place)
    return replace(clip, warnings=entry.warnings, start_seconds=entry.start_seconds)


def _arrays(content: bytes | None, name: str) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if content is None:
        return {}
    try:
        arrays = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise _unreadable(name, ARRAYS) from None
    if not {array.dtype.name for array in arrays.values()} <= DTYPES:
        raise _unreadable(name, ARRAYS)
    return arrays


def _bytes(entry: Listed, place: str, name: str) -> bytes:
    if entry.size > _LARGEST:
        raise _unreadable(name, place)
    content = entry.open()
    return content if isinstance(content, bytes) else content.read_bytes()


def _parsed(content: bytes, place: str, name: str) -> Any:
    try:
        return manifests.parsed(content)
    except ValueError:
        raise _unreadable(name, place) from None


def _unreadable(name: str, file: str) -> ClipsError:
    return ClipsError(
        "{name} is a saved visit, but {file} in it cannot be read. Nothing was opened. Get the file as it was saved.",
        code="clips.visit_unreadable",
        name=name,
        file=file[:120],
    )


def _changed(name: str, file: str) -> ClipsError:
    return ClipsError(
        "{file} in {name} was changed after the visit was saved. Nothing was opened. To add its clips with the labels "
        "that it has now, take visit.json out of the zip first.",
        code="clips.visit_changed",
        name=name,
        file=file[:120],
    )


def _lacks(name: str, file: str) -> ClipsError:
    return ClipsError(
        "{name} is a saved visit, but {file} is missing in it. Nothing was opened. Get the file as it was saved.",
        code="clips.visit_lacks",
        name=name,
        file=file[:120],
    )
