"""A recording too long to be held in memory: decoded once from front to back, drawn in passing, read anywhere afterwards.

Not by seeking in the file: compressed formats seek to where a packet happens to begin, and a span must have the samples
that a whole decode gives. So what was decoded lies in a nameless file (``spool``), float32 at the file's own rate: 2 GB
for three hours at 48 kHz. In memory are a block of the decoder, ``waveform.BINS`` pairs of the drawing (2 MB) and 20
bytes of level a second (0.3 MB for four hours), however long the recording is.

>>> recording = open_long(Path("procession.mp4"))
>>> clip = recording.cut(3_600.0, 3_630.0)  # the samples of ``load_clip("procession.mp4").cut(3_600, 3_630)``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.sound.audio import AudioError, Clip, display_name, part_of, warnings_of
from mirdemo.sound.decoding import LONG_LIMITS, AudioLimits, Decoded, MonoCollector, Source, decode
from mirdemo.sound.resampling import resample
from mirdemo.sound.spool import Spool
from mirdemo.sound.waveform import Levels, Peaks, outline_of

#: Seconds that are brought to another rate at once, and what is looked at on each side: whole seconds are whole samples
#: at both rates.
_RESAMPLED, _AROUND = 20, 1


def new_spool(name: str) -> Spool:
    """On the system's disk for temporary files."""
    return Spool(None, name)


@dataclass(frozen=True, eq=False)
class LongRecording:
    """A recording that lies on the disk, decoded. Gone when nobody holds it any more, or with ``close``.

    name, sample_rate, warnings: as a ``Clip``'s
    peaks: its drawing; levels: uint8 (n,), see ``waveform.Levels``; level_seconds: of one
    """

    name: str
    sample_rate: int
    warnings: tuple[Sentence, ...]
    peaks: Peaks
    levels: np.ndarray
    level_seconds: float
    spool: Spool

    @property
    def frames(self) -> int:
        return len(self.spool)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def read(self, start_s: float, end_s: float) -> np.ndarray:
        """The samples from ``start_s`` to ``end_s``, float32; fewer where it ends before."""
        return self.spool.read(round(start_s * self.sample_rate), round(end_s * self.sample_rate))

    def cut(self, start_s: float, end_s: float) -> Clip:
        """The span from ``start_s`` to ``end_s`` (seconds, the end clamped) as a clip, as ``Clip.cut`` has it.

        Raises ``AudioError`` if nothing is left, or if it is longer than a clip may be.
        """
        start, end = part_of(self.name, self.frames, self.sample_rate, start_s, end_s)
        return Clip.of(
            self.spool.read(start, end),
            self.sample_rate,
            self.name,
            warnings=self.warnings,
            start_seconds=start / self.sample_rate,
        )

    def outline(self, start_s: float, end_s: float, bins: int) -> np.ndarray:
        """The lowest and highest sample in each of ``bins`` columns from ``start_s`` to ``end_s``: float32 (bins, 2).

        Of the samples themselves where the drawing is too coarse for it.
        """
        start, end = start_s * self.sample_rate, end_s * self.sample_rate
        if end - start >= bins * self.peaks.frames_per_bin:
            return self.peaks.outline(round(start), round(end), bins)
        first, last = max(round(start), 0), min(round(end), self.frames)
        wanted = max(round(end) - round(start), 1)
        samples = np.zeros(wanted, np.float32)
        read = self.spool.read(first, last)
        samples[first - round(start) : first - round(start) + len(read)] = read
        return outline_of(samples, bins)

    def blocks(self, start: int, stop: int, size: int = 1 << 16) -> Iterator[np.ndarray]:
        """The samples from ``start`` to ``stop`` in blocks of at most ``size``."""
        for at in range(start, min(stop, self.frames), size):
            yield self.spool.read(at, min(at + size, stop))

    def close(self) -> None:
        """Free the disk. It cannot be read any more."""
        self.spool.close()


@dataclass(frozen=True, eq=False, kw_only=True)
class _Spooled(Decoded):
    """What was read, on the disk; ``samples`` are empty."""

    spool: Spool
    peaks: Peaks
    levels: Levels

    @property
    def frames(self) -> int:
        return len(self.spool)

    @property
    def peak(self) -> float:
        return self.peaks.top


class _Spooling(MonoCollector):
    """Writes what it gets to a spool and draws it."""

    def __init__(
        self,
        *told: Any,
        spool: Callable[[], Spool],
        report: Callable[[], None],
    ) -> None:
        super().__init__(*told)
        self._report = report
        self._spool = spool()
        self._peaks = Peaks()
        self._levels: Levels | None = None
        self._waiting = np.zeros(0, np.float32)  # of a part at another rate, at its own
        self._before = 0  # samples at the head of ``_waiting`` that are written already

    def _keep(self, mono: np.ndarray) -> None:
        self._report()
        if self._part_rate == self._rate:
            self._write(mono)
            return
        self._waiting = np.concatenate([self._waiting, mono])
        while len(self._waiting) - self._before >= (_RESAMPLED + _AROUND) * self._part_rate:
            self._bring_over(_RESAMPLED * self._part_rate)

    def _bring_over(self, count: int) -> None:
        """Bring the next ``count`` samples of ``_waiting`` to the first part's rate."""
        stop = self._before + count
        around = _AROUND * self._part_rate
        made = resample(self._waiting[: stop + around], self._part_rate, self._rate)
        first = self._before * self._rate // self._part_rate  # whole seconds: exact
        self._write(made[first : first + -(-count * self._rate // self._part_rate)])
        kept = min(around, stop)
        self._waiting, self._before = self._waiting[stop - kept :], kept

    def _write(self, samples: np.ndarray) -> None:
        if self._levels is None:
            self._levels = Levels(self._rate)
        self._spool.append(samples)
        self._peaks.add(samples)
        self._levels.add(samples)

    def _close_part(self) -> None:
        if len(self._waiting) > self._before:
            self._bring_over(len(self._waiting) - self._before)
        self._waiting, self._before = self._waiting[:0], 0
        self._frames, self._part_frames = len(self._spool), 0

    def _decoded(self, **facts: Any) -> Decoded:
        nothing = np.zeros(0, np.float32)
        levels = self._levels or Levels(self._rate)
        return _Spooled(samples=nothing, spool=self._spool, peaks=self._peaks, levels=levels, **facts)


def open_long(
    path_or_bytes: Path | bytes | bytearray | memoryview,
    name: str | None = None,
    *,
    limits: AudioLimits = LONG_LIMITS,
    spool: Callable[[str], Spool] = new_spool,
    progress: Progress = silent,
) -> LongRecording:
    """Decode a sound file of any kind that ``load_clip`` reads, and keep it on the disk.

    name: shown to people; the path's last part if not given
    spool: makes an empty one for a name; progress: of the file's bytes, phase "opening"

    Raises ``AudioError`` as ``load_clip`` does, where the disk is full, and what ``spool`` and ``progress`` raise.
    """
    data = bytes(path_or_bytes) if isinstance(path_or_bytes, bytearray | memoryview) else path_or_bytes
    shown = display_name(name or (data.name if isinstance(data, Path) else "recording"))
    try:
        source = Source.of(data)
    except (OSError, ValueError):
        raise AudioError(
            "{name} cannot be opened. Choose a file that you may read.", code="audio.unreadable", name=shown
        ) from None
    made: list[Spool] = []

    def one_more() -> Spool:
        made.append(spool(shown))
        return made[-1]

    def report() -> None:
        progress(min(source.tell(), source.size), source.size, "opening")

    kept: Spool | None = None
    try:
        with source:
            collecting = partial(_Spooling, spool=one_more, report=report)
            decoded = decode(source, shown, limits, collecting=collecting)
        assert isinstance(decoded, _Spooled)  # as ``collecting`` makes them
        kept = decoded.spool
        return LongRecording(
            shown,
            decoded.sample_rate,
            warnings_of(decoded, limits),
            decoded.peaks,
            decoded.levels.finish(),
            decoded.levels.hop / decoded.sample_rate,
            kept,
        )
    finally:
        for one in made:  # other readers' and other tracks' attempts
            if one is not kept:
                one.close()


def long_of(clip: Clip, spool: Callable[[str], Spool] = new_spool) -> LongRecording:
    """A clip as a recording to mark spans in. Raises ``AudioError`` where the disk is full, and what ``spool`` raises."""
    kept, peaks, levels = spool(clip.name), Peaks(), Levels(clip.sample_rate)
    kept.append(clip.samples)
    peaks.add(clip.samples)
    levels.add(clip.samples)
    seconds = levels.hop / clip.sample_rate
    return LongRecording(clip.name, clip.sample_rate, clip.warnings, peaks, levels.finish(), seconds, kept)
