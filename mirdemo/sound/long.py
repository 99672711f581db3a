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
from os import PathLike
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


@dataclass(eq=False)
class LongRecording:
    """A recording that lies on the disk, decoded, or as far as it is decoded yet: it may be read and drawn while it grows.
    Gone when nobody holds it any more, or with ``close``.

    name, sample_rate: as a ``Clip``'s
    peaks: its drawing; loudness: how loud it is over time
    expected_seconds: how long it will be, as far as its file says; only meant while it grows
    whole: whether all of it is there; warnings: as a ``Clip``'s, known when all of it is there
    """

    name: str
    sample_rate: int
    spool: Spool
    peaks: Peaks
    loudness: Levels
    expected_seconds: float | None = None
    whole: bool = False
    warnings: tuple[Sentence, ...] = ()

    @property
    def frames(self) -> int:
        return len(self.spool)

    @property
    def seconds(self) -> float:
        """Length in seconds of what is there."""
        return self.frames / self.sample_rate

    @property
    def seconds_in_all(self) -> float:
        """Its length in seconds; while it grows, what is expected, and at least what is there."""
        return self.seconds if self.whole else max(self.seconds, self.expected_seconds or 0.0)

    @property
    def levels(self) -> np.ndarray:
        """uint8 (n,), see ``waveform.Levels``."""
        return self.loudness.so_far()

    @property
    def level_seconds(self) -> float:
        """Seconds of one level."""
        return self.loudness.hop / self.sample_rate

    def complete(self, warnings: tuple[Sentence, ...]) -> LongRecording:
        """Say that all of it is there."""
        self.warnings, self.whole = warnings, True
        return self

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

    recording: LongRecording | None

    @property
    def frames(self) -> int:
        return self.recording.frames if self.recording else 0

    @property
    def peak(self) -> float:
        return self.recording.peaks.top if self.recording else 0.0


class _Spooling(MonoCollector):
    """Writes what it gets to a spool and draws it."""

    def __init__(
        self,
        *told: Any,
        spool: Callable[[], Spool],
        report: Callable[[], None],
        growing: Callable[[LongRecording], None],
    ) -> None:
        super().__init__(*told)
        self._report = report
        self._growing = growing
        self._spool = spool()
        self._recording: LongRecording | None = None
        self._expected: float | None = None
        self._waiting = np.zeros(0, np.float32)  # of a part at another rate, at its own
        self._before = 0  # samples at the head of ``_waiting`` that are written already

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        first = not self._rate
        super().begin(rate, channels, frames, exact=exact)
        seconds = (frames or 0) / rate
        if first and 0 < seconds <= self._believable_seconds:
            self._expected = seconds

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
        if self._recording is None:
            self._recording = LongRecording(
                self.name, self._rate, self._spool, Peaks(), Levels(self._rate), self._expected
            )
        self._spool.append(samples)
        self._recording.peaks.add(samples)
        self._recording.loudness.add(samples)
        if not self.silent:  # a track without sound is given up for the next
            self._growing(self._recording)

    def _close_part(self) -> None:
        if len(self._waiting) > self._before:
            self._bring_over(len(self._waiting) - self._before)
        self._waiting, self._before = self._waiting[:0], 0
        self._frames, self._part_frames = len(self._spool), 0

    def _decoded(self, **facts: Any) -> Decoded:
        return _Spooled(samples=np.zeros(0, np.float32), recording=self._recording, **facts)


def no_matter(recording: LongRecording) -> None:
    """Nobody looks at it before all of it is there."""


def open_long(
    path_or_bytes: str | PathLike[str] | bytes | bytearray | memoryview,
    name: str | None = None,
    *,
    limits: AudioLimits = LONG_LIMITS,
    spool: Callable[[str], Spool] = new_spool,
    growing: Callable[[LongRecording], None] = no_matter,
    progress: Progress = silent,
) -> LongRecording:
    """Decode a sound file of any kind that ``load_clip`` reads, and keep it on the disk.

    name: shown to people; the path's last part if not given
    spool: makes an empty one for a name; progress: of the file's bytes, phase "opening"
    growing: called with each block once it sounds, with what will be returned; with another recording where a reader or
        a track of the file was given up for the next, and the one before is closed

    Raises ``AudioError`` as ``load_clip`` does, where the disk is full, and what ``spool``, ``growing`` and ``progress``
    raise.
    """
    data: bytes | Path
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        data = bytes(path_or_bytes)
    else:
        data = Path(path_or_bytes)
    shown = display_name(name or (data.name if isinstance(data, Path) else "recording"))
    try:
        source = Source.of(data)
    except FileNotFoundError:
        raise AudioError(
            "{name} cannot be found. Choose a file that exists.", code="audio.missing", name=shown
        ) from None
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
            collecting = partial(_Spooling, spool=one_more, report=report, growing=growing)
            decoded = decode(source, shown, limits, collecting=collecting)
        assert isinstance(decoded, _Spooled)  # as ``collecting`` makes them
        assert decoded.recording is not None  # ``decode`` refuses what has no sound
        recording = decoded.recording.complete(warnings_of(decoded, limits))
        kept = recording.spool
        return recording
    finally:
        for one in made:  # other readers' and other tracks' attempts
            if one is not kept:
                one.close()


def long_of(clip: Clip, spool: Callable[[str], Spool] = new_spool) -> LongRecording:
    """A clip as a recording to mark spans in. Raises ``AudioError`` where the disk is full, and what ``spool`` raises."""
    made = LongRecording(clip.name, clip.sample_rate, spool(clip.name), Peaks(), Levels(clip.sample_rate))
    made.spool.append(clip.samples)
    made.peaks.add(clip.samples)
    made.loudness.add(clip.samples)
    return made.complete(clip.warnings)
