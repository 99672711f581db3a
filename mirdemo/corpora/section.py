"""A section of a long file, with no more of it in memory than the section.

Lyra's pieces lie inside broadcasts of two hours, and Dunya's concerts run beyond what a visitor may upload, so the
whole file is decoded in passing and thrown away up to the section; decoding ends with it. Not by seeking: compressed
formats seek to where a packet happens to begin, and a piece must have the same samples on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mirdemo.sound.audio import LIMITS, AudioError, Clip, warnings_of
from mirdemo.sound.decoding import Decoded, Enough, MonoCollector, Source, decode

#: A researcher's own files: only the section is bounded, at what an hour and a half takes, and the file generously.
_LIMITS = replace(LIMITS, max_bytes=16_000_000_000, max_seconds=5_400.0, max_frames=300_000_000)


class _Section(MonoCollector):
    """Keeps the frames between two times, counted from the start of the file, and stops after them."""

    def __init__(
        self,
        *told: Any,
        start_s: float,
        end_s: float | None,
    ) -> None:
        super().__init__(*told)
        self._seconds = (start_s, end_s)
        self._first = 0
        self._last: int | None = None
        self._at = 0

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        first = not self._rate
        super().begin(rate, channels, None)  # the whole file may be as long as it likes
        if first:
            self._expect((frames or 0) if exact else 0)
        start, end = self._seconds
        self._first, self._last = round(start * rate), None if end is None else round(end * rate)

    def add(self, block: np.ndarray) -> None:
        at, self._at = self._at, self._at + len(block)
        last = len(block) if self._last is None else max(self._last - at, 0)
        super().add(block[max(self._first - at, 0) : last])
        if self._last is not None and self._at >= self._last:
            raise Enough

    def reaches(self, frames: int) -> bool:
        """Whether any of the next ``frames`` lies in the section; if not, they are passed over here."""
        if self._at + frames > self._first:
            return True
        self._at += frames
        return False

    def _lacks_sound(self) -> bool:
        return (self._last is None or self._at < self._last) and self._states_more(self._at / self._rate)

    def _claimed_seconds(self) -> float | None:
        """The section's length if the file were whole, where the file ends before the section does."""
        if self._last is not None and self._at >= self._last:
            return None
        claimed = self._claim_beyond(self._at / self._rate)
        start, end = self._seconds
        return None if claimed is None else min(claimed, end or claimed) - start


def load_section(
    path: Path, start_s: float = 0.0, end_s: float | None = None, name: str | None = None
) -> Clip:
    """The sound of a file from ``start_s`` to ``end_s`` (seconds; None or beyond the end: to its end) as a clip.

    Its samples are exactly those of the whole file's; it warns, as ``load_clip`` does, where the file ends before the
    section although it says that it goes on. Raises ``AudioError`` if the file cannot be read or ends
    before ``start_s``.
    """
    name = name or path.name
    try:
        source = Source.of(path)
    except (OSError, ValueError):
        raise AudioError(
            "{name} cannot be opened. Choose a file that you may read.", code="audio.unreadable", name=name
        ) from None
    with source:
        try:
            decoded = decode(
                source, name, _LIMITS, collecting=partial(_Section, start_s=start_s, end_s=end_s)
            )
        except AudioError as refusal:
            if refusal.sentence.code not in ("audio.no_sound", "audio.damaged"):
                raise
            raise AudioError(
                "{name} holds no sound after {start:g} s that could be read. Get the file again.",
                code="corpora.no_section",
                name=name,
                start=start_s,
            ) from None
    if end_s is not None and len(decoded.samples) >= (end_s - start_s) * decoded.sample_rate - 1:
        decoded = replace(decoded, lacks_end=False)  # the file may lack its end, the section does not
    return _clip(decoded, name, start_s)


def _clip(decoded: Decoded, name: str, start_s: float) -> Clip:
    return Clip.of(
        decoded.samples,
        decoded.sample_rate,
        name,
        warnings=warnings_of(decoded, _LIMITS),
        start_seconds=start_s,
        limits=_LIMITS,
    )


def load_sections(
    path: Path, times: Sequence[tuple[float, float]], take: Callable[[int, Clip | AudioError], None]
) -> None:
    """Several sections of one file in one pass: each is handed to ``take`` with its place in ``times``, as soon as it ends.

    The clips are those that ``load_section`` gives, sample by sample, and so are the refusals; a broadcast with forty
    pieces is decoded once and not forty times. Sections may overlap. In memory are the sections that are open.
    """
    done: set[int] = set()

    def taken(place: int, clip: Clip) -> None:
        done.add(place)
        take(place, clip)

    with suppress(_OneByOne, AudioError, OSError, ValueError), Source.of(path) as source:
        decode(
            source,
            path.name,
            _LIMITS,
            collecting=partial(_Sections, times=times, done=done, take=taken),
        )
    for place, (start, end) in enumerate(times):
        if place not in done:  # beyond the end of the file, or of a file that changes on its way
            try:
                found: Clip | AudioError = load_section(path, start, end)
            except AudioError as refusal:
                found = refusal
            take(place, found)


class _OneByOne(Exception):
    """This file cannot be read in one pass: it has parts of several rates, or several tracks."""


class _Sections(MonoCollector):
    """Several ``_Section``, fed from one reading. Keeps nothing itself."""

    def __init__(
        self,
        *told: Any,
        times: Sequence[tuple[float, float]],
        done: set[int],
        take: Callable[[int, Clip], None],
    ) -> None:
        super().__init__(*told)
        self._take = take
        self._start_of = {place: start for place, (start, _) in enumerate(times)}
        self._open = {
            place: _Section(*told, start_s=start, end_s=end)
            for place, (start, end) in enumerate(times)
            if place not in done
        }

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        if self._rate and rate != self._rate:
            raise _OneByOne
        super().begin(rate, channels, None)
        for section in self._open.values():
            section.begin(rate, channels, frames, exact=exact)

    def add(self, block: np.ndarray) -> None:
        if self.n_tracks > 1:
            raise _OneByOne
        for place, section in [*self._open.items()]:
            if not section.reaches(len(block)):
                continue
            try:
                section.add(block)
            except Enough:
                section.damaged, section.track, section.n_tracks = self.damaged, self.track, self.n_tracks
                self._close(place, section)
        if not self._open:
            raise Enough

    def _close(self, place: int, section: _Section) -> None:
        del self._open[place]
        decoded = section.finish()
        if decoded is not None and len(decoded.samples):
            self._take(place, _clip(decoded, self.name, self._start_of[place]))
