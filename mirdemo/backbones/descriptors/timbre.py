"""What a window sounds like, whatever its notes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
import torchaudio.functional as AF

from mirdemo.backbones.descriptors.frames import FFT, FRAMES_PER_SECOND, HOP, RATE, SMALL, deviation

_COEFFICIENTS = 20
_CORRELATED = 12
_BANDS = 16
#: Hz between which a band's level goes up and down: octaves from slow phrases to a roughness of 20 strokes a second.
_MODULATIONS = (0.35, 0.7, 1.4, 2.8, 5.6, 11.2, 22.4)
_ROLL_OFFS = (0.5, 0.85, 0.95)


def mfcc(log_mel: torch.Tensor) -> torch.Tensor:
    """(batch, bands, frames) in dB -> (batch, 20, frames)."""
    dct = AF.create_dct(_COEFFICIENTS, log_mel.shape[1], norm="ortho").to(log_mel.device)
    return torch.einsum("bmt,mc->bct", log_mel, dct)


def timbre(mfcc: torch.Tensor) -> torch.Tensor:
    """Means and deviations of 20 MFCC, deviations of their first and second deltas: (batch, 80)."""
    deltas = AF.compute_deltas(mfcc, win_length=9)
    accelerations = AF.compute_deltas(deltas, win_length=9)
    return torch.cat([mfcc.mean(-1), deviation(mfcc), deviation(deltas), deviation(accelerations)], dim=1)


def correlation(mfcc: torch.Tensor) -> torch.Tensor:
    """How the first 12 MFCC move together over time, each pair's correlation: (batch, 66).

    From -1 to 1; 0 with one that does not move. With means and deviations this is the single Gaussian of Mandel and
    Ellis (2005). A fixed filter adds a constant to each coefficient and so changes none of it.
    """
    first = mfcc[:, :_CORRELATED]
    centred = first - first.mean(dim=-1, keepdim=True)
    unit = centred / centred.square().sum(dim=-1, keepdim=True).sqrt().clamp_min(SMALL**0.5)
    one, other = torch.triu_indices(_CORRELATED, _CORRELATED, offset=1, device=mfcc.device)
    return (unit @ unit.transpose(1, 2))[:, one, other]


def modulation(log_mel: torch.Tensor, frames_per_second: float = FRAMES_PER_SECOND) -> torch.Tensor:
    """How strongly the level of each of 16 bands goes up and down, octave by octave of the speed at which it does so
    (McKinney and Breebaart 2003): (batch, 16 n, frames) in dB -> (batch, 96), band by band; the variance in dB squared,
    itself in decibels, -20 for none.

    A fixed filter shifts a band's level and changes none of it. In a window too short for a full turn of a speed there is
    none of it: below 1.4 s none of the slowest octave.
    """
    # In double precision: an octave may hold a millionth of its band's variance, and its logarithm shows how a transform
    # was rounded, which differs from process to process.
    level = log_mel.double().unflatten(1, (_BANDS, -1)).mean(dim=2)
    frames = level.shape[-1]
    window = torch.hann_window(frames, dtype=level.dtype, device=level.device)
    spectrum = torch.fft.rfft((level - level.mean(dim=-1, keepdim=True)) * window)
    power = spectrum.abs().square() * 2.0 / (frames * window.square().sum().clamp_min(SMALL))
    if frames % 2 == 0:
        power[..., -1] /= 2  # the one line but the first that has no twin among the negative frequencies
    hz = torch.arange(power.shape[-1], device=level.device) * frames_per_second / frames
    octaves = [power[..., (hz >= low) & (hz < high)].sum(dim=-1) for low, high in pairwise(_MODULATIONS)]
    return 10.0 * (torch.stack(octaves, dim=-1) + 0.01).log10().flatten(1).float()


def shape(power: torch.Tensor, waves: torch.Tensor) -> torch.Tensor:
    """The outline of the spectrum (Peeters 2004): (batch, 14).

    Means over time and then deviations of its centroid, three roll-offs and spread, in octaves above 1 Hz, and of its
    flatness, the logarithm of the geometric over the arithmetic mean of the lines' power, 0 at most. Frames 80 dB below
    the loudest have no outline and are passed over. Last, of the share of neighbouring samples between which the wave
    changes its sign, the logarithm of the mean, and the deviation.
    """
    hz = torch.arange(power.shape[1], device=power.device)[None, :, None] * (RATE / FFT)
    energy = power.sum(dim=1, keepdim=True)
    total = energy + SMALL
    centroid = (power * hz).sum(dim=1, keepdim=True) / total
    spread = (((hz - centroid).square() * power).sum(dim=1, keepdim=True) / total).sqrt()
    below = (power.cumsum(dim=1) / total).masked_fill(energy == 0, 1.0)  # silence rolls off at the bottom
    roll_offs = [(below < share).sum(dim=1, keepdim=True) * (RATE / FFT) for share in _ROLL_OFFS]
    lines = power[:, 1:] + SMALL
    flatness = lines.log().mean(dim=1, keepdim=True) - lines.mean(dim=1, keepdim=True).log()
    in_octaves = [(1.0 + frequency).log2() for frequency in (centroid, *roll_offs, spread)]
    outline = torch.cat([*in_octaves, flatness], dim=1)
    audible = energy[:, 0] >= 1e-8 * energy.amax(dim=2)
    heard = [frames[:, there] for frames, there in zip(outline, audible, strict=True)]
    moments = torch.stack([torch.cat([frames.mean(-1), deviation(frames)]) for frames in heard])
    crossings = ((waves[:, 1:] < 0) != (waves[:, :-1] < 0)).float()
    rate = crossings.unfold(1, FFT, HOP).mean(dim=-1)
    return torch.cat(
        [
            moments,
            (rate.mean(dim=-1, keepdim=True) + 1e-4).log(),
            rate.std(dim=-1, keepdim=True, correction=0),
        ],
        dim=1,
    )


def contrast(power: torch.Tensor) -> torch.Tensor:
    """Peaks over valleys in seven bands, in dB (Jiang et al. 2002), and the valleys: (batch, 28).

    Peaks and valleys are the mean of the strongest and weakest fifth of a band's lines.
    """
    edges = [0.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0, 6_400.0, RATE / 2]
    contrasts, valleys = [], []
    for low, high in pairwise(edges):
        first, last = math.ceil(low * FFT / RATE), math.ceil(high * FFT / RATE)
        band = _sorted(power[:, first:last].transpose(1, 2).contiguous())
        count = max(1, round(0.2 * band.shape[2]))
        valley = 10.0 * (band[..., :count].mean(dim=2) + SMALL).log10()
        peak = 10.0 * (band[..., -count:].mean(dim=2) + SMALL).log10()
        contrasts.append(peak - valley)
        valleys.append(valley)
    contrast, valley = torch.stack(contrasts, dim=1), torch.stack(valleys, dim=1)
    return torch.cat([contrast.mean(-1), deviation(contrast), valley.mean(-1), deviation(valley)], dim=1)


def _sorted(rows: torch.Tensor) -> torch.Tensor:
    """In rising order along the last axis. On the processor by NumPy, whose sort of float32 is many times torch's."""
    if rows.device.type == "cpu":
        return torch.from_numpy(np.sort(rows.numpy(), axis=-1))
    return rows.sort(dim=-1).values


def dynamics(power: torch.Tensor) -> torch.Tensor:
    """Frame level in dB below the loudest: mean, deviation, three quantiles; share of quiet frames; mean and
    deviation of the change from frame to frame: (batch, 8)."""
    level = 10.0 * (power.sum(dim=1) + SMALL).log10()
    level = (level - level.amax(dim=1, keepdim=True)).clamp_min(-80.0)
    change = (level[:, 1:] - level[:, :-1]).abs()
    quantiles = torch.quantile(level, torch.tensor([0.1, 0.5, 0.9], device=level.device), dim=1)
    quiet = (level < level.mean(dim=1, keepdim=True)).float().mean(dim=1)
    return torch.stack(
        [level.mean(1), deviation(level), *quantiles, quiet, change.mean(1), deviation(change)], dim=1
    )
