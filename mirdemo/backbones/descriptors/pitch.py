"""Pitch read at 36 bins an octave (a third of a semitone) from interpolated spectral peaks, so that quarter tones (50
cents) and koma steps (22.6 cents) stay apart: as it sounds, and relative to the piece's own strongest pitch, because the
tonic differs between recordings of one mode."""

from __future__ import annotations

import math

import torch

from mirdemo.backbones.descriptors.frames import RATE, SMALL, deviation, short_time_power, unit_sum

_LONG_FFT, _LONG_HOP = 8_192, 2_048  # 372 ms, 2.7 Hz a line
_LOWEST_PITCH, _HIGHEST_PITCH = 80.0, 2_500.0
_BINS = 36
_FINE = 10  # pitch is histogrammed ten times finer (3.3 cents) before it is turned to the tonic


def fine_pitches(waves: torch.Tensor) -> torch.Tensor:
    """How strong each pitch class is over time: (batch, 360, frames), 3.3 cents a class, classes from A at 440 Hz.

    Spectral peaks (Gómez 2006) rather than filters: the frequency of a peak, interpolated on the logarithm of its
    magnitude, is known to a few cents, where a filter of that width would need seconds of sound.
    """
    width = RATE / _LONG_FFT
    first, last = math.floor(_LOWEST_PITCH / width), math.ceil(_HIGHEST_PITCH / width)
    # An edge in the middle of a frame smears every peak, so frames reach over the ends only where none would fit.
    power = short_time_power(waves, _LONG_FFT, _LONG_HOP, centred=waves.shape[1] < _LONG_FFT)
    level = 0.5 * (power[:, first - 1 : last + 1] + SMALL).log()
    before, here, after = level[:, :-2], level[:, 1:-1], level[:, 2:]
    is_peak = (here > before) & (here >= after)
    offset = 0.5 * (before - after) / (before - 2 * here + after).clamp(max=-1e-6)
    frequency = (
        torch.arange(first, last, device=waves.device)[None, :, None] + offset.clamp(-0.5, 0.5)
    ) * width
    # Peaks 40 dB below the strongest of the whole window are leakage and noise.
    heard = is_peak & (here > here.amax(dim=(1, 2), keepdim=True) - math.log(100.0))
    weight = torch.where(heard, here.exp(), torch.zeros_like(here))

    classes = _BINS * _FINE
    position = (classes * (frequency / 440.0).log2()) % classes
    lower = position.floor()
    share = position - lower
    index = lower.long() % classes
    fine = torch.zeros(waves.shape[0], classes, weight.shape[2], device=waves.device)
    fine.scatter_add_(1, index, weight * (1 - share))
    fine.scatter_add_(1, (index + 1) % classes, weight * share)
    return fine


def _to_bins(fine: torch.Tensor) -> torch.Tensor:
    """(batch, 360, ...) -> (batch, 36, ...): overlapping triangles, so that a small step moves the row smoothly."""
    classes = _BINS * _FINE
    positions = torch.arange(classes, device=fine.device)[None, :]
    centres = _FINE * torch.arange(_BINS, device=fine.device)[:, None]
    distance = (positions - centres + classes // 2) % classes - classes // 2
    triangles = (1.0 - distance.abs() / _FINE).clamp_min(0.0)
    return torch.einsum("kp,bp...->bk...", triangles, fine)


def chroma(fine: torch.Tensor) -> torch.Tensor:
    """The share of each of 36 pitch classes, and its deviation over time: (batch, 72)."""
    chroma = _to_bins(fine)
    return torch.cat([unit_sum(chroma.sum(-1)), deviation(unit_sum(chroma))], dim=1)


def mode(fine: torch.Tensor) -> torch.Tensor:
    """The pitch profile whatever its tonic: (batch, 54).

    36 shares counted from the strongest pitch class (found to 3.3 cents, so that no tuning falls between bins), and
    the 18 Fourier magnitudes of the profile, which no turn of it changes: the 12th says how well it fits twelve
    equal steps, others how well scales of other divisions.
    """
    total = fine.sum(-1)
    classes = total.shape[1]
    # Tune to the strongest class after smoothing over a quarter of a semitone.
    reach = torch.arange(-8, 9, device=fine.device)
    kernel = torch.exp(-0.5 * (reach / 4.0) ** 2)
    smooth = sum(
        weight * total.roll(int(step), dims=1) for weight, step in zip(kernel, reach.tolist(), strict=True)
    )
    tonic = smooth.argmax(dim=1)
    index = (torch.arange(classes, device=fine.device)[None, :] + tonic[:, None]) % classes
    profile = unit_sum(_to_bins(total.gather(1, index)))
    magnitudes = torch.fft.rfft(unit_sum(total), dim=1)[:, 1 : _BINS // 2 + 1].abs()
    return torch.cat([profile, magnitudes], dim=1)
