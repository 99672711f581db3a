"""What a saved visit holds, and how sounds that it names only by their hash are found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.clips.labelled import LabelledClips
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.sound.audio import AudioError, Clip

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

FORMAT, FORMAT_VERSION = "mirdemo-visit", 1
MANIFEST, LABELS, ARRAYS = "visit.json", "labels.csv", "results/arrays.safetensors"
#: Folders of the zip.
AUDIO, QUERIES, RESULTS = "audio", "queries", "results"
#: Peaks that an outline holds.
_PEAKS = 64
#: How far two decoders' outlines of one sound may lie apart (of 255), and their lengths (seconds).
_NEAR_PEAK, _NEAR_SECONDS = 3, 0.06
#: Parts of files of other names that are compared at the most, some milliseconds each.
_MOST_TRIES = 2_000


@dataclass(frozen=True)
class Entry:
    """One sound of a visit.

    file: its place in the zip, None where only its hash was kept; name, sha256, sample_rate, frames, start_seconds,
        warnings: as of the ``Clip``; outline: its peaks in equal parts, 0 to 255 of the loudest
    labelled: whether it is one of the labelled clips, with ``tags``, ``recording``, ``session`` and ``given``; else it was
        asked about
    """

    file: str | None
    name: str
    sha256: str
    sample_rate: int
    frames: int
    start_seconds: float
    outline: tuple[int, ...]
    warnings: tuple[Sentence, ...] = ()
    labelled: bool = True
    given: bool = True
    tags: tuple[str, ...] = ()
    recording: str = ""
    session: str = ""

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


@dataclass(frozen=True, eq=False)
class Visit:
    """A visit as it was read.

    entries: its sounds, the labelled clips first in their order; sounds: SHA-256 as saved -> clip, those that are here
    parts: name -> plain data (``base.plain``), arrays: name -> what it refers to
    name: of the file; created: when it was saved (ISO 8601, UTC); version: of mirdemo
    """

    name: str
    created: str
    version: str
    entries: tuple[Entry, ...]
    sounds: Mapping[str, Clip]
    parts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[Entry, ...]:
        """Labelled clips whose sound is not here yet."""
        return tuple(one for one in self.entries if one.labelled and one.sha256 not in self.sounds)

    def found_among(self, clips: Iterable[Clip], longs: Iterable[LongRecording] = ()) -> Visit:
        """With the sounds that these clips and long recordings hold: by their hash, whole or the part that was labelled.

        Another decoder may give values that differ in their last bits and so another hash: a clip of the same name,
        length and outline is taken too.
        """
        sounds = dict(self.sounds)
        clips, longs = list(clips), list(longs)
        whole = {clip.sha256: clip for clip in clips}
        known = {entry.sha256 for entry in self.entries}
        others = [clip for clip in clips if clip.sha256 not in known]
        tries = iter(range(_MOST_TRIES))
        for entry in self.entries:
            if entry.sha256 not in sounds:
                clip = whole.get(entry.sha256) or _cut_out(entry, clips) or _cut_of_long(entry, longs)
                clip = clip or _cut_of_any(entry, others, tries)
                if clip is not None:
                    sounds[entry.sha256] = _dressed(clip, entry)
        return replace(self, sounds=sounds)

    def without_missing(self) -> Visit:
        """As if the clips that are not here had never been in it."""
        gone = {one.sha256 for one in self.missing}
        return replace(self, entries=tuple(one for one in self.entries if one.sha256 not in gone))

    def labelled(self, limits: ClipLimits = CLIP_LIMITS) -> LabelledClips:
        """The labelled clips. Raises ``ClipsError`` if sounds are missing or they are more than may be held."""
        entries = [one for one in self.entries if one.labelled]
        if self.missing:
            raise ClipsError(
                "Clips of {name} that are not here yet: {count} ({names}). Add their files.",
                code="clips.visit_waits",
                name=self.name,
                count=len(self.missing),
                names=", ".join(one.name for one in self.missing[:3]),
            )
        clips = LabelledClips.from_clips(
            [self.sounds[one.sha256] for one in entries],
            [one.tags for one in entries],
            [one.recording for one in entries],
            [one.session for one in entries],
            limits=limits,
        )
        if len(clips) < len(entries):
            raise ClipsError(
                "{name} holds {clips} clips and {minutes:.1f} minutes of sound; here at most {max_clips} clips and "
                "{max_minutes:g} minutes are held. Nothing was opened.",
                code="clips.visit_too_large",
                name=self.name,
                clips=len(entries),
                minutes=sum(one.seconds for one in entries) / 60,
                max_clips=limits.max_clips,
                max_minutes=round(limits.max_seconds / 60, 1),
            )
        given = tuple(one.given for one in entries)
        return replace(clips, given=() if all(given) else given, problems=())

    def new_ids(self) -> dict[str, str]:
        """SHA-256 as saved -> as it is now, where another decoder gave another one."""
        return {was: clip.sha256 for was, clip in self.sounds.items() if clip.sha256 != was}


def outline(samples: np.ndarray) -> tuple[int, ...]:
    """Peaks of (n,) samples in equal parts, 0 to 255 of the loudest; fewer than ``_PEAKS`` for fewer samples."""
    edges = np.linspace(0, len(samples), min(_PEAKS, len(samples)) + 1).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges[:-1])
    return tuple(np.rint(255 * peaks / max(float(peaks.max()), 1e-12)).astype(int).tolist())


def described(clip: Clip, file: str | None, **labels: Any) -> Entry:
    """A clip as an entry. labels: ``tags``, ``recording``, ``session``, ``given``; or ``labelled=False``"""
    return Entry(
        file,
        clip.name,
        clip.sha256,
        clip.sample_rate,
        len(clip.samples),
        clip.start_seconds,
        outline(clip.samples),
        clip.warnings,
        **labels,
    )


def _dressed(clip: Clip, entry: Entry) -> Clip:
    """The same sound, called and warned about as it was."""
    return replace(clip, name=entry.name, warnings=entry.warnings, start_seconds=entry.start_seconds)


def _cut_out(entry: Entry, clips: list[Clip]) -> Clip | None:
    """The part of one of these files that was labelled, or a file of the same name that sounds the same; else None."""
    for clip in clips:
        if _stem(clip.name) != _stem(entry.name) or clip.sample_rate != entry.sample_rate:
            continue
        start = entry.start_seconds - clip.start_seconds
        try:
            part = clip.cut(start, start + entry.seconds) if len(clip.samples) > entry.frames else clip
        except AudioError:
            continue
        if part.sha256 == entry.sha256 or _alike(part, entry):
            return part
    return None


def _cut_of_any(entry: Entry, clips: list[Clip], tries: Iterator[int]) -> Clip | None:
    """The part of one of these files, whatever its name, that is the very sound; else None. tries: how often it is looked"""
    for clip in clips:
        start = entry.start_seconds - clip.start_seconds
        if (
            clip.sample_rate != entry.sample_rate
            or not 0 <= start <= clip.seconds - entry.seconds + 0.5 / clip.sample_rate
        ):
            continue
        if next(tries, None) is None:
            return None
        part = clip.cut(start, start + entry.seconds)
        if part.sha256 == entry.sha256:
            return part
    return None


def _cut_of_long(entry: Entry, longs: list[LongRecording]) -> Clip | None:
    """The part of one of these long recordings that was labelled, under whatever name; else None."""
    for long in longs:
        if long.sample_rate != entry.sample_rate:
            continue
        try:
            part = long.cut(entry.start_seconds, entry.start_seconds + entry.seconds)
        except AudioError:
            continue
        if part.sha256 == entry.sha256 or (_stem(long.name) == _stem(entry.name) and _alike(part, entry)):
            return part
    return None


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.casefold()


def _alike(clip: Clip, entry: Entry) -> bool:
    if abs(clip.seconds - entry.seconds) > _NEAR_SECONDS:
        return False
    mine = outline(clip.samples)
    return len(mine) == len(entry.outline) and all(
        abs(a - b) <= _NEAR_PEAK for a, b in zip(mine, entry.outline, strict=True)
    )
