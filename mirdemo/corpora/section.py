"""A section of a long file, with no more of it in memory than the section.

Lyra's pieces lie inside broadcasts of two hours, and Dunya's concerts run beyond what a visitor may upload, so the
whole file is decoded in passing and thrown away up to the section; decoding ends with it. Not by seeking: compressed
formats seek to where a packet happens to begin, and a piece must have the same samples on every machine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mirdemo.sound.audio import LIMITS, AudioError, Clip
from mirdemo.sound.decoding import Source, with_pyav, with_soundfile
from mirdemo.sound.decoding.containers import check_is_sound, sniff
from mirdemo.sound.decoding.limits import AudioLimits
from mirdemo.sound.decoding.mono import MonoCollector

#: A researcher's own files: only the section is bounded, at what an hour and a half takes, and the file generously.
_LIMITS = replace(LIMITS, max_bytes=16_000_000_000, max_seconds=5_400.0, max_frames=300_000_000)
_READERS = {"soundfile": with_soundfile.read, "ffmpeg": with_pyav.read}


class _Complete(Exception):
    """The section is complete."""


class _Section(MonoCollector):
    """Keeps the frames between two times, counted from the start of the file, and stops after them."""

    def __init__(self, name: str, limits: AudioLimits, start_s: float, end_s: float | None) -> None:
        super().__init__(name, limits, 0.0, None)  # what the header says of the whole file binds nothing here
        self._seconds = (start_s, end_s)
        self._first, self._last = 0, None
        self._at = 0

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        super().begin(rate, channels, None, exact=False)
        start, end = self._seconds
        self._first, self._last = round(start * rate), None if end is None else round(end * rate)

    def add(self, block: np.ndarray) -> None:
        at, self._at = self._at, self._at + len(block)
        last = len(block) if self._last is None else max(self._last - at, 0)
        super().add(block[max(self._first - at, 0) : last])
        if self._last is not None and self._at >= self._last:
            raise _Complete


def load_section(
    path: Path, start_s: float = 0.0, end_s: float | None = None, name: str | None = None
) -> Clip:
    """The sound of a file from ``start_s`` to ``end_s`` (seconds; None or beyond the end: to its end) as a clip.

    Its samples are exactly those of the whole file's. Raises ``AudioError`` if the file cannot be read or ends
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
        if source.size == 0:
            raise AudioError("{name} is empty. Choose another file.", code="audio.empty", name=name)
        container = sniff(source)
        check_is_sound(source, container, name)
        for reader in container.readers:
            source.seek(0)
            collector = _Section(name, _LIMITS, start_s, end_s)
            try:
                _READERS[reader](source, container, collector)
            except (_Complete, AudioError) as ended:
                if isinstance(ended, AudioError):
                    raise
            except Exception:  # what decoders raise on damaged bytes has no common base class
                collector.damaged = True
            decoded = collector.finish()
            if decoded is not None and len(decoded.samples):
                return Clip.of(
                    decoded.samples, decoded.sample_rate, name, start_seconds=start_s, limits=_LIMITS
                )
    raise AudioError(
        "{name} holds no sound after {start:g} s that could be read. Get the file again.",
        code="corpora.no_section",
        name=name,
        start=start_s,
    )
