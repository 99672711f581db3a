"""Writing a visit."""

from __future__ import annotations

import hashlib
import json
import re
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from mirdemo.base.manifests import checksum
from mirdemo.base.progress import Progress, silent
from mirdemo.clips.labelled import LabelledClips
from mirdemo.clips.sheets import Row, write_sheet
from mirdemo.clips.tags import written_tags
from mirdemo.clips.visit.entries import (
    ARRAYS,
    AUDIO,
    FORMAT,
    FORMAT_VERSION,
    LABELS,
    MANIFEST,
    QUERIES,
    RESULTS,
    Entry,
    described,
)
from mirdemo.sound.audio import Clip
from mirdemo.sound.lossless import lossless

_LONGEST_STEM = 80


def write_visit(
    out: BinaryIO,
    clips: LabelledClips,
    parts: Mapping[str, Any] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
    queries: Sequence[Clip] = (),
    *,
    with_sound: bool = True,
    progress: Progress = silent,
) -> None:
    """Write a visit as a zip.

    parts: name -> JSON-ready data; arrays: what they refer to; queries: sounds asked about that are no labelled clips
    with_sound: False to keep only the sounds' hashes: whoever opens it adds the files again
    ``progress`` is told each sound; it may raise Cancelled, and then ``out`` is no visit.
    """
    from safetensors.numpy import save

    from mirdemo import __version__

    held = {clip.sha256 for clip in clips.clips}
    queries = [clip for clip in {clip.sha256: clip for clip in queries}.values() if clip.sha256 not in held]
    total = len(clips) + len(queries)
    names = _Names()
    entries: list[Entry] = []
    with zipfile.ZipFile(out, "w") as archive:
        for done, (folder, clip, labels) in enumerate(_sounds(clips, queries)):
            progress(done, total, "saving")
            file = None
            if with_sound:
                suffix, content = lossless(clip)
                file = names.new(folder, clip.name, suffix)
                archive.writestr(_info(file, zipfile.ZIP_STORED), content)
            entries.append(described(clip, file, **labels))
        files = {LABELS: _sheet(entries)}
        for name, part in (parts or {}).items():
            files[f"{RESULTS}/{name}.json"] = _json(part)
        if arrays:
            files[ARRAYS] = save(dict(arrays))
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "mirdemo": __version__,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "with_sound": with_sound,
            "sounds": [_told(entry) for entry in entries],
            "files": {
                name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in files.items()
            },
        }
        manifest["checksum"] = checksum(manifest)
        for name, data in {**files, MANIFEST: _json(manifest)}.items():
            archive.writestr(_info(name, zipfile.ZIP_DEFLATED), data)
    progress(total, total, "saving")


def _sounds(clips: LabelledClips, queries: Sequence[Clip]) -> Iterator[tuple[str, Clip, dict[str, Any]]]:
    for row, clip in enumerate(clips.clips):
        labels = {
            "tags": clips.tags_of(row),
            "recording": clips.recordings[row],
            "session": clips.session_of(row),
            "given": not clips.given or clips.given[row],
        }
        yield AUDIO, clip, labels
    for clip in queries:
        yield QUERIES, clip, {"labelled": False}


class _Names:
    """Places in the zip: each a name once, in a folder of its own where two clips are called alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, folder: str, name: str, suffix: str) -> str:
        stem = re.sub(r'[\\/:*?"<>|]', "_", PurePosixPath(name).stem[:_LONGEST_STEM]).strip(". ") or "clip"
        number, place = 1, f"{folder}/{stem}{suffix}"
        while place.casefold() in self._taken:
            number += 1
            place = f"{folder}/{number}/{stem}{suffix}"
        self._taken.add(place.casefold())
        return place


def _sheet(entries: Sequence[Entry]) -> bytes:
    """The labelled clips' sheet; without their sound, rows name the files that they came from and the part of them."""
    rows = []
    for one in entries:
        if one.labelled:
            place: tuple[float, float] | tuple[None, None] = (None, None)
            if one.file is None and one.start_seconds:
                place = (round(one.start_seconds, 6), round(one.start_seconds + one.seconds, 6))
            rows.append(Row(one.file or one.name, written_tags(one.tags), one.recording, one.session, *place))
    return write_sheet(rows)


def _told(entry: Entry) -> dict[str, Any]:
    """An entry for the manifest; its labels stand in the sheet."""
    told = {key: value for key, value in asdict(entry).items() if key not in ("tags", "recording", "session")}
    told["warnings"] = [
        {"template": one.template, "code": one.code, "values": dict(one.values)} for one in entry.warnings
    ]
    return told


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _info(name: str, packing: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.gmtime()[:6])
    info.compress_type = packing
    info.external_attr = 0o644 << 16
    return info
