"""A spectrogram of any stretch of a long recording, for looking at: its cost is that of its columns, not of its length."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

#: Rows of a picture, the lowest band first; each octave takes as many.
BANDS = 128
#: Hz of the lowest and the highest band; at low rates the highest is half the rate.
LOWEST, HIGHEST = 40.0, 12_000.0
#: From black to white, in dB.
RANGE = 75.0
#: Seconds of a frame, about; frames averaged in a column that is wider.
_FRAME_SECONDS = 0.064
_FRAMES = 3


def picture(recording: LongRecording, start_s: float, end_s: float, columns: int) -> np.ndarray:
    """The power in each band and column, uint8 (BANDS, columns), 255 the strongest of the picture and 0 ``RANGE`` dB below.

    A column is the mean of up to three Hann-windowed frames of about 64 ms spread over it; what lies behind the
    recording's ends is 0.
    """
    rate = recording.sample_rate
    size = 1 << max(round(np.log2(_FRAME_SECONDS * rate)), 4)
    width = (end_s - start_s) / columns * rate
    each = min(_FRAMES, max(1, round(width / size)))
    window = np.hanning(size).astype(np.float32)
    filters = _filters(rate, size)
    power = np.zeros((columns, BANDS), np.float32)
    centres = start_s * rate + (np.arange(columns)[:, None] + (np.arange(each) + 0.5) / each) * width
    firsts = np.round(centres - size / 2).astype(int)
    for at in range(0, columns, 128):
        frames = np.stack([_frame(recording, first, size) for first in firsts[at : at + 128].ravel()])
        spectrum = np.square(np.abs(np.fft.rfft(frames * window, axis=1))).astype(np.float32)
        power[at : at + 128] = (spectrum @ filters.T).reshape(-1, each, BANDS).mean(axis=1)
    top = float(power.max())
    if top <= 1e-9:
        return np.zeros((BANDS, columns), np.uint8)
    decibels = 10 * np.log10(np.maximum(power / top, 1e-12))
    return np.clip(np.round(255 * (1 + decibels / RANGE)), 0, 255).astype(np.uint8).T.copy()


def highest(rate: int) -> float:
    """Hz at the upper edge of a picture of a recording of this rate."""
    return min(HIGHEST, rate / 2)


def _frame(recording: LongRecording, first: int, size: int) -> np.ndarray:
    read = recording.spool.read(first, first + size)
    if len(read) == size:
        return read
    frame = np.zeros(size, np.float32)
    before = max(-first, 0)
    frame[before : before + len(read)] = read
    return frame


@lru_cache(maxsize=8)
def _filters(rate: int, size: int) -> np.ndarray:
    """What each band takes of each bin of a spectrum, float32 (BANDS, size // 2 + 1): boxes, at least a bin wide."""
    edges = np.geomspace(LOWEST, highest(rate), BANDS + 1) * size / rate
    middle, half = (edges[:-1] + edges[1:]) / 2, np.maximum(np.diff(edges), 1.0) / 2
    bins = np.arange(size // 2 + 1)
    low = np.maximum((middle - half)[:, None], bins - 0.5)
    high = np.minimum((middle + half)[:, None], bins + 0.5)
    share = np.maximum(high - low, 0.0)
    return (share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)
