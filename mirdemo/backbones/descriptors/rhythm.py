"""Onsets, and after which lags they repeat."""

from __future__ import annotations

import math

import torch

from mirdemo.backbones.descriptors.frames import FRAMES_PER_SECOND, MELS, deviation

_LAGS = 48
_SHORTEST_LAG, _LONGEST_LAG = 0.15, 2.4  # seconds: 400 down to 25 beats a minute, four octaves
#: Lags in beats at which repetition tells metres apart: halves and thirds within the beat, then groups of beats.
_BEATS = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 5 / 8, 2 / 3, 3 / 4, 1, 5 / 4, 4 / 3, 3 / 2, 7 / 4, 2, 5 / 2, 3, 4)
_SHORTEST_BEAT, _LONGEST_BEAT = 0.25, 1.0  # seconds


def flux(log_mel: torch.Tensor) -> torch.Tensor:
    """Onset strength in four bands, from low to high: the mean rise in dB, (batch, 4, frames)."""
    rise = (log_mel[..., 1:] - log_mel[..., :-1]).clamp_min(0.0)
    rise = torch.nn.functional.pad(rise, (1, 0))
    return torch.stack([band.mean(dim=1) for band in rise.split(MELS // 4, dim=1)], dim=1)


def onset(flux: torch.Tensor) -> torch.Tensor:
    """Of each band's onset strength: mean, deviation, skewness, three quantiles: (batch, 24)."""
    mean, spread = flux.mean(-1), deviation(flux)
    skew = ((flux - mean[..., None]) ** 3).mean(-1) / spread.clamp_min(1e-3) ** 3
    quantiles = torch.quantile(flux, torch.tensor([0.5, 0.9, 0.98], device=flux.device), dim=-1)
    return torch.cat([mean, spread, skew, *quantiles], dim=1)


def tempo(strength: torch.Tensor) -> torch.Tensor:
    """How strongly the onsets repeat after each lag: 48 lags in seconds, 16 in beats: (batch, 64).

    The autocorrelation of the onset strength (Grosche et al. 2010), at 12 log-spaced lags an octave from 0.15 to
    2.4 s, and, whatever the tempo, at the multiples of the beat that tell metres apart. The beat is the lag between
    0.25 and 1 s at whose first four multiples the onsets repeat best, those near half a second preferred (Parncutt
    1994); the multiples also fix it to a fraction of a frame.
    """
    # Strokes rarely fall a whole number of frames apart: blur them by about one frame (23 ms).
    blur = torch.tensor([[[1.0, 4.0, 6.0, 4.0, 1.0]]], device=strength.device) / 16
    strength = torch.nn.functional.conv1d(strength[:, None], blur, padding=2)[:, 0]
    frames = strength.shape[1]
    centred = strength - strength.mean(dim=1, keepdim=True)
    longest = math.ceil(max(_BEATS) * _LONGEST_BEAT * FRAMES_PER_SECOND) + 2
    spectrum = torch.fft.rfft(centred, n=2 * max(frames, longest))
    correlation = torch.fft.irfft(spectrum.abs().square())[:, :longest]
    correlation = correlation / correlation[:, :1].clamp_min(1e-3)

    def read(lags: torch.Tensor) -> torch.Tensor:
        """lags in frames (batch or 1, k) -> (batch, k), interpolated."""
        lags = lags.expand(len(correlation), -1)
        lower = lags.floor().long()
        share = lags - lower
        return correlation.gather(1, lower) * (1 - share) + correlation.gather(1, lower + 1) * share

    def log_lags(shortest: float, longest: float, count: int) -> torch.Tensor:
        ends = math.log10(shortest), math.log10(longest)
        return torch.logspace(*ends, count, device=strength.device)[None] * FRAMES_PER_SECOND

    candidates = log_lags(_SHORTEST_BEAT, _LONGEST_BEAT, 385)
    repeats = sum(read(times * candidates) for times in (1, 2, 3, 4)) / 4
    preference = torch.exp(-0.5 * (candidates / (0.5 * FRAMES_PER_SECOND)).log2().square())
    best = (repeats.clamp_min(0.0) * preference).argmax(dim=1)
    beats = candidates[0, best][:, None] * torch.tensor([_BEATS], device=strength.device)
    return torch.cat([read(log_lags(_SHORTEST_LAG, _LONGEST_LAG, _LAGS)), read(beats)], dim=1)
