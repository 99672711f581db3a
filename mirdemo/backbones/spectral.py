"""The spectral backbone: statistics of timbre, pitch and rhythm, measured by formula, no weights.

Each group of statistics is a layer, already one row a window. Pitch is read at 36 bins an octave (a third of a
semitone) from interpolated spectral peaks, so that quarter tones (50 cents) and koma steps (22.6 cents) stay
apart, both as it sounds (``chroma``) and relative to the piece's own strongest pitch (``mode``), because the
tonic differs between recordings of one mode. Rhythm likewise: in seconds, and in beats (``tempo``).
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
import torchaudio.functional as AF

from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity
from mirdemo.backbones.spectral_facts import GROUPS, UNIONS, VERSION
from mirdemo.backbones.spectral_scale import CENTRES, SCALES

_RATE = 22_050
_FFT, _HOP = 2_048, 512  # 93 ms, 43 frames a second: timbre, contrast, onsets
_FRAMES_PER_SECOND = _RATE / _HOP
_LONG_FFT, _LONG_HOP = 8_192, 2_048  # 372 ms, 2.7 Hz a line: pitch
_MELS, _COEFFICIENTS = 64, 20
_LOWEST_PITCH, _HIGHEST_PITCH = 80.0, 2_500.0
_BINS = 36
_FINE = 10  # pitch is histogrammed ten times finer (3.3 cents) before it is turned to the tonic
_SMALL = 1e-10


def statistics(waves: torch.Tensor) -> dict[str, torch.Tensor]:
    """The groups of statistics in their natural units.

    waves: float32 (batch, samples) at 22.05 kHz, samples >= 2205
    Returns group name -> float32 (batch, size), sizes as in ``spectral_facts.GROUPS``. Level does not matter except
    in relation to itself: every wave is first brought to a root mean square of 0.1.
    """
    waves = waves - waves.mean(dim=1, keepdim=True)
    rms = waves.square().mean(dim=1, keepdim=True).sqrt()
    waves = torch.where(rms > 1e-6, waves * (0.1 / rms.clamp_min(1e-6)), torch.zeros_like(waves))

    power = _power(waves, _FFT, _HOP)
    mel = torch.einsum("bft,fm->bmt", power, _mel_filters(waves.device))
    log_mel = 10.0 * (mel + _SMALL).log10()
    log_mel = torch.maximum(log_mel, log_mel.amax(dim=(1, 2), keepdim=True) - 80.0)
    flux = _flux(log_mel)
    fine = _fine_pitches(waves)
    return {
        "timbre": _timbre(log_mel),
        "contrast": _contrast(power),
        "chroma": _chroma(fine),
        "mode": _mode(fine),
        "onset": _onset(flux),
        "tempo": _tempo(flux.mean(dim=1)),
        "dynamics": _dynamics(power),
    }


def _power(waves: torch.Tensor, n_fft: int, hop: int, *, centred: bool = True) -> torch.Tensor:
    """(batch, samples) -> power (batch, n_fft/2+1, frames); centred frames see silence beyond the ends."""
    window = torch.hann_window(n_fft, device=waves.device)
    spectrum = torch.stft(
        waves, n_fft, hop, window=window, center=centred, pad_mode="constant", return_complex=True
    )
    return spectrum.real.square() + spectrum.imag.square()


@lru_cache(maxsize=4)
def _mel_filters(device: torch.device) -> torch.Tensor:
    filters = AF.melscale_fbanks(
        _FFT // 2 + 1, 30.0, _RATE / 2, _MELS, _RATE, norm="slaney", mel_scale="slaney"
    )
    return filters.to(device)


def _timbre(log_mel: torch.Tensor) -> torch.Tensor:
    """Means and deviations of 20 MFCC, deviations of their first and second deltas: (batch, 80)."""
    dct = AF.create_dct(_COEFFICIENTS, _MELS, norm="ortho").to(log_mel.device)
    mfcc = torch.einsum("bmt,mc->bct", log_mel, dct)
    deltas = AF.compute_deltas(mfcc, win_length=9)
    accelerations = AF.compute_deltas(deltas, win_length=9)
    return torch.cat([mfcc.mean(-1), _deviation(mfcc), _deviation(deltas), _deviation(accelerations)], dim=1)


def _contrast(power: torch.Tensor) -> torch.Tensor:
    """Peaks over valleys in seven bands, in dB (Jiang et al. 2002), and the valleys: (batch, 28).

    Peaks and valleys are the mean of the strongest and weakest fifth of a band's lines.
    """
    edges = [0.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0, 6_400.0, _RATE / 2]
    contrasts, valleys = [], []
    for low, high in pairwise(edges):
        first, last = math.ceil(low * _FFT / _RATE), math.ceil(high * _FFT / _RATE)
        band, _ = power[:, first:last].transpose(1, 2).contiguous().sort(dim=2)
        count = max(1, round(0.2 * band.shape[2]))
        valley = 10.0 * (band[..., :count].mean(dim=2) + _SMALL).log10()
        peak = 10.0 * (band[..., -count:].mean(dim=2) + _SMALL).log10()
        contrasts.append(peak - valley)
        valleys.append(valley)
    contrast, valley = torch.stack(contrasts, dim=1), torch.stack(valleys, dim=1)
    return torch.cat([contrast.mean(-1), _deviation(contrast), valley.mean(-1), _deviation(valley)], dim=1)


def _fine_pitches(waves: torch.Tensor) -> torch.Tensor:
    """How strong each pitch class is over time: (batch, 360, frames), 3.3 cents a class, classes from A at 440 Hz.

    Spectral peaks (Gómez 2006) rather than filters: the frequency of a peak, interpolated on the logarithm of its
    magnitude, is known to a few cents, where a filter of that width would need seconds of sound.
    """
    width = _RATE / _LONG_FFT
    first, last = math.floor(_LOWEST_PITCH / width), math.ceil(_HIGHEST_PITCH / width)
    # An edge in the middle of a frame smears every peak, so frames reach over the ends only where none would fit.
    power = _power(waves, _LONG_FFT, _LONG_HOP, centred=waves.shape[1] < _LONG_FFT)
    level = 0.5 * (power[:, first - 1 : last + 1] + _SMALL).log()
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


def _chroma(fine: torch.Tensor) -> torch.Tensor:
    """The share of each of 36 pitch classes, and its deviation over time: (batch, 72)."""
    chroma = _to_bins(fine)
    shares = chroma / chroma.sum(dim=1, keepdim=True).clamp_min(_SMALL)
    return torch.cat([_unit_sum(chroma.sum(-1)), _deviation(shares)], dim=1)


def _mode(fine: torch.Tensor) -> torch.Tensor:
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
    profile = _unit_sum(_to_bins(total.gather(1, index)))
    magnitudes = torch.fft.rfft(_unit_sum(total), dim=1)[:, 1 : _BINS // 2 + 1].abs()
    return torch.cat([profile, magnitudes], dim=1)


def _flux(log_mel: torch.Tensor) -> torch.Tensor:
    """Onset strength in four bands, from low to high: the mean rise in dB, (batch, 4, frames)."""
    rise = (log_mel[..., 1:] - log_mel[..., :-1]).clamp_min(0.0)
    rise = torch.nn.functional.pad(rise, (1, 0))
    return torch.stack([band.mean(dim=1) for band in rise.split(_MELS // 4, dim=1)], dim=1)


def _onset(flux: torch.Tensor) -> torch.Tensor:
    """Of each band's onset strength: mean, deviation, skewness, three quantiles: (batch, 24)."""
    mean, deviation = flux.mean(-1), _deviation(flux)
    skew = ((flux - mean[..., None]) ** 3).mean(-1) / deviation.clamp_min(1e-3) ** 3
    quantiles = torch.quantile(flux, torch.tensor([0.5, 0.9, 0.98], device=flux.device), dim=-1)
    return torch.cat([mean, deviation, skew, *quantiles], dim=1)


_LAGS = 48
_SHORTEST_LAG, _LONGEST_LAG = 0.15, 2.4  # seconds: 400 down to 25 beats a minute, four octaves
#: Lags in beats at which repetition tells metres apart: halves and thirds within the beat, then groups of beats.
_BEATS = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 5 / 8, 2 / 3, 3 / 4, 1, 5 / 4, 4 / 3, 3 / 2, 7 / 4, 2, 5 / 2, 3, 4)
_SHORTEST_BEAT, _LONGEST_BEAT = 0.25, 1.0  # seconds


def _tempo(strength: torch.Tensor) -> torch.Tensor:
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
    longest = math.ceil(max(_BEATS) * _LONGEST_BEAT * _FRAMES_PER_SECOND) + 2
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
        return torch.logspace(*ends, count, device=strength.device)[None] * _FRAMES_PER_SECOND

    candidates = log_lags(_SHORTEST_BEAT, _LONGEST_BEAT, 385)
    repeats = sum(read(times * candidates) for times in (1, 2, 3, 4)) / 4
    preference = torch.exp(-0.5 * (candidates / (0.5 * _FRAMES_PER_SECOND)).log2().square())
    best = (repeats.clamp_min(0.0) * preference).argmax(dim=1)
    beats = candidates[0, best][:, None] * torch.tensor([_BEATS], device=strength.device)
    return torch.cat([read(log_lags(_SHORTEST_LAG, _LONGEST_LAG, _LAGS)), read(beats)], dim=1)


def _dynamics(power: torch.Tensor) -> torch.Tensor:
    """Frame level in dB below the loudest: mean, deviation, three quantiles; share of quiet frames; mean and
    deviation of the change from frame to frame: (batch, 8)."""
    level = 10.0 * (power.sum(dim=1) + _SMALL).log10()
    level = (level - level.amax(dim=1, keepdim=True)).clamp_min(-80.0)
    change = (level[:, 1:] - level[:, :-1]).abs()
    quantiles = torch.quantile(level, torch.tensor([0.1, 0.5, 0.9], device=level.device), dim=1)
    quiet = (level < level.mean(dim=1, keepdim=True)).float().mean(dim=1)
    return torch.stack(
        [level.mean(1), _deviation(level), *quantiles, quiet, change.mean(1), _deviation(change)], dim=1
    )


def _deviation(values: torch.Tensor) -> torch.Tensor:
    return values.std(dim=-1, correction=0)


def _unit_sum(values: torch.Tensor) -> torch.Tensor:
    return values / values.sum(dim=1, keepdim=True).clamp_min(_SMALL)


#: How much each group counts where several stand side by side. Timbre twice: from equal shares to these,
#: nearest-prototype accuracy of ``all`` on real recordings (ten genres, 3-shot) rises by some two points, and is flat
#: around them.
SHARES = dict.fromkeys(GROUPS, 1.0) | {"timbre": 2.0, "contrast": 2.0}
#: Statistics beyond this many deviations say no more than "extreme" (digital silence, a single click).
_LIMIT = 5.0


class Spectral(Backbone):
    """The loaded backbone.

    A layer's row is its group's statistics, each brought to mean 0 and deviation 1 by constants fitted once on
    synthetic sound (``training/fit_spectral_scale.py``), cut off at five deviations. ``sound`` and ``all`` are groups
    side by side (``spectral_facts.UNIONS``), each divided by the square root of its size and times its entry in
    ``SHARES``, so that in a cosine a group counts by its share, not by how many statistics it happens to have.
    """

    def __init__(self, spec: BackboneSpec, device: torch.device) -> None:
        self.spec = spec
        self.device = device
        self.identity = Identity(
            name=spec.name,
            revision=VERSION,
            fingerprint=hashlib.sha256(repr((VERSION, CENTRES, SCALES, SHARES, UNIONS)).encode()).hexdigest(),
            dtype="float32",
            sample_rate=spec.sample_rate,
            window_seconds=spec.window_seconds,
            pooling=spec.pooling,
        )
        self._centres = {name: torch.tensor(CENTRES[name], device=device) for name in GROUPS}
        self._scales = {name: torch.tensor(SCALES[name], device=device) for name in GROUPS}

    def hidden_states(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """One (batch, 1, size) tensor a layer: the statistics are already those of the whole window."""
        with torch.no_grad():
            waves = waves.to(self.device, torch.float32)
            # One wave at a time: a transform of several rounds otherwise than one alone, and a logarithm near
            # silence shows it.
            each = [statistics(wave[None]) for wave in waves]
            raw = {name: torch.cat([one[name] for one in each]) for name in GROUPS}
            groups = {
                name: ((raw[name] - self._centres[name]) / self._scales[name]).clamp(-_LIMIT, _LIMIT)
                for name in GROUPS
            }
            weighted = {name: SHARES[name] / math.sqrt(size) * groups[name] for name, size in GROUPS.items()}
            unions = [torch.cat([weighted[name] for name in names], dim=1) for names in UNIONS.values()]
        return [layer[:, None] for layer in (*groups.values(), *unions)]


def load(spec: BackboneSpec, *, checkpoint: Path | None, device: str, dtype: str) -> Spectral:
    """The spectral backbone. Raises BackboneError for a checkpoint (it has no weights) or a dtype but float32."""
    if checkpoint is not None:
        raise BackboneError(
            "{backbone} has no weights to load. Leave the checkpoint out.",
            code="spectral.checkpoint",
            backbone=spec.title,
        )
    if dtype not in ("auto", "float32"):
        raise BackboneError(
            "{backbone} computes in float32 only, not in {dtype}. Choose float32 or auto.",
            code="spectral.dtype",
            backbone=spec.title,
            dtype=dtype,
        )
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Spectral(spec, torch.device(device))
