"""A recording of any length as a drawing and as a level, made in passing and of bounded size."""

from __future__ import annotations

import threading

import numpy as np

#: Bins of a drawing: a power of two. When all are full two become one, so that a finished one has at least half of them.
BINS = 1 << 18
_FIRST_BIN = 64  # samples
#: Seconds of one level.
LEVEL_SECONDS = 0.05
#: Level 0, in dB of full scale; each step above it is half a dB.
_LOWEST, _STEP = -120.0, 0.5


class Peaks:
    """The smallest and the largest sample of each of at most ``bins`` stretches of equal length. Safe to look at from other
    threads while it is added to.

    frames_per_bin: samples in one; doubles whenever there would be more bins
    """

    def __init__(self, bins: int = BINS) -> None:
        self.frames_per_bin = _FIRST_BIN
        self._low, self._high = np.zeros(bins, np.float32), np.zeros(bins, np.float32)
        self._full = 0
        self._rest = np.zeros(0, np.float32)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Bins in use, the last one perhaps not full."""
        return self._full + bool(len(self._rest))

    def add(self, samples: np.ndarray) -> None:
        """Take the next samples, float32 (n,)."""
        with self._lock:
            wave = np.concatenate([self._rest, samples]) if len(self._rest) else samples
            while len(wave) >= self.frames_per_bin:
                if self._full == len(self._low):
                    self._halve()
                    continue
                count = min(len(wave) // self.frames_per_bin, len(self._low) - self._full)
                cut = wave[: count * self.frames_per_bin].reshape(count, -1)
                self._low[self._full : self._full + count] = cut.min(axis=1)
                self._high[self._full : self._full + count] = cut.max(axis=1)
                self._full += count
                wave = wave[cut.size :]
            self._rest = wave.copy()

    def _halve(self) -> None:
        half = len(self._low) // 2
        self._low[:half] = self._low.reshape(-1, 2).min(axis=1)
        self._high[:half] = self._high.reshape(-1, 2).max(axis=1)
        self._full = half
        self.frames_per_bin *= 2

    def outline(self, start: int, stop: int, bins: int) -> np.ndarray:
        """What a drawing of samples ``start`` to ``stop`` in ``bins`` columns shows: float32 (bins, 2), lowest and highest.

        Columns beyond an end are 0. A column takes every bin that it touches.
        """
        with self._lock:
            low, high, each = (
                self._low[: self._full].copy(),
                self._high[: self._full].copy(),
                self.frames_per_bin,
            )
            if len(self._rest):
                low, high = np.append(low, self._rest.min()), np.append(high, self._rest.max())
        edges = np.linspace(start, stop, bins + 1) / each
        first = np.floor(edges[:-1]).astype(int)
        last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
        return columns(low, high, first, last)

    @property
    def top(self) -> float:
        """The largest magnitude of all."""
        with self._lock:
            rest = np.abs(self._rest).max(initial=0.0)
            full = slice(0, self._full)
            return float(max(-self._low[full].min(initial=0.0), self._high[full].max(initial=0.0), rest))


def columns(low: np.ndarray, high: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The lowest and highest of ``low`` and ``high`` from ``first`` to ``last`` (not included), float32 (n, 2); 0 where nothing is."""
    out = np.zeros((len(first), 2), np.float32)
    begins, ends = np.maximum(first, 0), np.minimum(last, len(low))
    for column, (a, b) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        if a < b:
            out[column] = low[a:b].min(), high[a:b].max()
    return out


def outline_of(samples: np.ndarray, bins: int) -> np.ndarray:
    """``Peaks.outline`` of samples in memory, float32 (n,): (bins, 2). With fewer samples than columns each stands for several."""
    edges = np.linspace(0, len(samples), bins + 1)
    first = np.floor(edges[:-1]).astype(int)
    last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    return columns(samples, samples, first, last)


class Levels:
    """How loud each twentieth of a second is: the root of the mean square, in half dB above -120 dB of full scale.
    Safe to look at from other threads while it is added to.

    hop: samples of one
    """

    def __init__(self, rate: int) -> None:
        self.hop = max(round(LEVEL_SECONDS * rate), 1)
        self._made = bytearray()
        self._rest = np.zeros(0, np.float32)
        self._lock = threading.Lock()

    def add(self, samples: np.ndarray) -> None:
        """Take the next samples, float32 (n,)."""
        with self._lock:
            wave = np.concatenate([self._rest, samples]) if len(self._rest) else samples
            count = len(wave) // self.hop
            if count:
                self._made += _level(wave[: count * self.hop].reshape(count, self.hop)).tobytes()
            self._rest = wave[count * self.hop :].copy()

    def so_far(self) -> np.ndarray:
        """All of them, uint8 (n,); the last one of what is left over."""
        with self._lock:
            rest = _level(self._rest[None]).tobytes() if len(self._rest) else b""
            return np.frombuffer(bytes(self._made) + rest, np.uint8)


def _level(frames: np.ndarray) -> np.ndarray:
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    return np.clip(np.round((decibels - _LOWEST) / _STEP), 0, 255).astype(np.uint8)


def decibels(levels: np.ndarray | float) -> np.ndarray | float:
    """What levels stand for, in dB of full scale."""
    return _LOWEST + _STEP * levels
