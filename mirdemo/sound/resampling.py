"""Changing the sampling rate, with a stated quality.

A windowed sinc (Kaiser) that passes 89 % of the smaller Nyquist frequency and stops everything above it:
a 10 kHz tone keeps its level to 0.1 dB at 24 kHz and above, and what would alias falls below -80 dB.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

ZERO_CROSSINGS = 64
ROLLOFF = 0.945  # the filter's -6 dB point, as a share of the smaller Nyquist frequency
KAISER_BETA = 10.0

_LARGEST_BANK_TERM = 1_000  # of the rates' ratio: torchaudio's filter bank has term x term entries
_LARGEST_TERM = (
    50_000  # SciPy's filter has 135 taps for each; beyond it the ratio is rounded, by 1e-5 at most
)
_BLOCK_FRAMES = 1 << 20
_CHANNELS = 16  # filters side by side, at least about so many


def resample(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Resample float32 (n,) from ``rate`` to ``new_rate`` (Hz): float32 (ceil(n * new_rate / rate),).

    torchaudio's polyphase filter bank in blocks, so that memory does not grow with the length; for ratios with
    large terms, such as 44101 to 24000, where that bank would take gigabytes, SciPy's with the same filter.
    """
    if rate == new_rate or not len(samples):
        return samples
    up, down = _ratio(rate, new_rate)
    with_library = _with_scipy if max(up, down) > _LARGEST_BANK_TERM else _with_torchaudio
    return with_library(samples, up, down)


def _ratio(rate: int, new_rate: int) -> tuple[int, int]:
    """(up, down) with ``up / down = new_rate / rate``, neither above ``_LARGEST_TERM``.

    Only odd rates beyond that are rounded: a pitch moves by less than 0.02 cents.
    """
    small, large = (
        Fraction(min(rate, new_rate), max(rate, new_rate)).limit_denominator(_LARGEST_TERM).as_integer_ratio()
    )
    return (small, large) if new_rate < rate else (large, small)


def _with_torchaudio(samples: np.ndarray, up: int, down: int) -> np.ndarray:
    import torch

    bank = _filter_bank(up, down)
    periods = -(-bank.width // down)  # context on each side, in whole periods of the filter bank
    step = max(_BLOCK_FRAMES // down, 1)
    total = -(-len(samples) * up // down)
    out = np.empty(total, np.float32)
    with torch.inference_mode():
        for first in range(0, -(-len(samples) // down), step):
            left = max(first - periods, 0)
            block = torch.from_numpy(np.array(samples[left * down : (first + step + periods) * down]))
            kept = bank(block).numpy()[(first - left) * up :][: step * up]
            kept = kept[: total - first * up]
            out[first * up : first * up + len(kept)] = kept
    return out


class _Bank:
    """torchaudio's filters for a ratio, several periods of them side by side.

    With few filters, one for 44.1 to 22.05 kHz and three for 16 to 48, its convolution has few channels and is ten
    times slower than with sixteen or more; the sums are the same.
    """

    def __init__(self, up: int, down: int) -> None:
        import torch
        from torchaudio.transforms import Resample

        library = Resample(
            down,
            up,
            resampling_method="sinc_interp_kaiser",
            lowpass_filter_width=ZERO_CROSSINGS,
            rolloff=ROLLOFF,
            beta=KAISER_BETA,
            dtype=torch.float64,  # phases computed in float32 cost 20 dB of stop band
        )
        filters = library.kernel.float()  # (up, 1, taps)
        periods, taps = max(1, _CHANNELS // up), filters.shape[2]
        self.width = library.width
        self._stride = periods * down
        self._filters = torch.zeros(periods * up, 1, taps + (periods - 1) * down)
        for period in range(periods):
            start = period * down
            self._filters[period * up : (period + 1) * up, :, start : start + taps] = filters

    def __call__(self, block: torch.Tensor) -> torch.Tensor:
        """(n,) -> at least (ceil(n * up / down),)."""
        from torch.nn.functional import conv1d, pad

        padded = pad(block, (self.width, self.width + self._stride))
        return conv1d(padded[None, None], self._filters, stride=self._stride)[0].T.reshape(-1)


@lru_cache(maxsize=32)
def _filter_bank(up: int, down: int) -> _Bank:
    return _Bank(up, down)


def _with_scipy(samples: np.ndarray, up: int, down: int) -> np.ndarray:
    from scipy.signal import resample_poly

    return resample_poly(samples, up, down, window=_long_filter(max(up, down)))


@lru_cache(maxsize=2)
def _long_filter(term: int) -> np.ndarray:
    from scipy.signal import firwin

    half = math.ceil(ZERO_CROSSINGS / ROLLOFF * term)
    return firwin(2 * half + 1, ROLLOFF / term, window=("kaiser", KAISER_BETA)).astype(np.float32)
