"""What the embedded neural backbones see: log-mel, and log constant-Q with 36 bins an octave.

Everything is computed per row and after bringing the row to unit power, so neither level nor the other
rows of a batch matter. Frames are centred; the half frame that hangs over an edge sees silence there.

Constant-Q: the wave is halved in rate once an octave, and in each octave a Hann-windowed Fourier transform
is summed under triangles on a logarithmic frequency axis (the multi-rate idea of Brown 1991, "Calculation
of a constant Q spectral transform", with power instead of complex kernels, because only power is used).
Mel: the scale of O'Shaughnessy 1987, 2595 log10(1 + f / 700).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SAMPLE_RATE = 24_000
FRAME_SAMPLES = 960  # one constant-Q frame and two mel frames: 25 and 50 a second
BINS_PER_OCTAVE = 36
N_OCTAVES = 6
LOWEST_HZ = 440.0 * 2 ** (-31 / 12)  # D2, 73.4 Hz; the highest bin lies just under 4.7 kHz
N_CONSTANT_Q = BINS_PER_OCTAVE * N_OCTAVES
N_MELS = 80
MEL_RANGE_HZ = (40.0, 11_500.0)
FLOOR_DB = -50.0  # below the row's own power spread evenly over all frequencies

_MEL_FFT = 1024
_OCTAVE_FFT = (1024, 1024, 1024, 1024, 1024, 512)  # from the highest octave down


class Frontend(nn.Module):
    """Waves to spectrograms in decibels above the floor, scaled to about 0..2 (50 dB a unit).

    Has no parameters; its buffers are made from the constants above and are not saved.
    """

    mel_window: Tensor
    mel_bank: Tensor
    halver: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mel_window", torch.hann_window(_MEL_FFT), persistent=False)
        self.register_buffer("mel_bank", mel_filterbank(SAMPLE_RATE, _MEL_FFT, N_MELS, *MEL_RANGE_HZ), False)
        self.register_buffer("halver", _halving_filter()[None, None], persistent=False)
        for octave, n_fft in enumerate(_OCTAVE_FFT):
            rate = SAMPLE_RATE / 2**octave
            lowest = LOWEST_HZ * 2 ** (N_OCTAVES - 1 - octave)
            centres = [lowest * 2 ** (k / BINS_PER_OCTAVE) for k in range(BINS_PER_OCTAVE)]
            self.register_buffer(f"bank_{octave}", log_filterbank(rate, n_fft, centres), persistent=False)
            self.register_buffer(f"window_{octave}", torch.hann_window(n_fft), persistent=False)

    def forward(self, waves: Tensor) -> tuple[Tensor, Tensor]:
        """waves float32 (batch, samples) at 24 kHz, ``samples >= 960`` -> mel (batch, 80, 2 t) and
        constant-Q (batch, 216, t), lowest first, ``t = samples // 960``."""
        frames = waves.shape[1] // FRAME_SAMPLES
        waves = waves - waves.mean(dim=1, keepdim=True)
        waves = waves / waves.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-5)
        power = _power(waves, self.mel_window, FRAME_SAMPLES // 2, 2 * frames)
        mel = _decibels(self.mel_bank @ power)
        octaves: list[Tensor] = []
        wave = waves
        for octave in range(N_OCTAVES):
            if octave:
                wave = nn.functional.conv1d(
                    wave[:, None], self.halver, stride=2, padding=self.halver.shape[-1] // 2
                )[:, 0]
            window = getattr(self, f"window_{octave}")
            power = _power(wave, window, FRAME_SAMPLES // 2**octave, frames)
            octaves.insert(0, getattr(self, f"bank_{octave}") @ power)
        return mel, _decibels(torch.cat(octaves, dim=1))


def mel_filterbank(rate: float, n_fft: int, n_mels: int, lowest: float, highest: float) -> Tensor:
    """Triangles of unit sum on the mel scale, (n_mels, n_fft // 2 + 1)."""

    def to_mel(hz: float) -> float:
        return 2595.0 * math.log10(1.0 + hz / 700.0)

    mels = torch.linspace(to_mel(lowest), to_mel(highest), n_mels + 2)
    edges = 700.0 * (10 ** (mels / 2595.0) - 1.0)
    bins = torch.arange(n_fft // 2 + 1) * rate / n_fft
    # a triangle narrower than the transform's own resolution would fall between two bins
    width = torch.clamp(torch.minimum(edges[1:-1] - edges[:-2], edges[2:] - edges[1:-1]), min=rate / n_fft)
    left = torch.minimum(edges[:-2], edges[1:-1] - width)[:, None]
    right = torch.maximum(edges[2:], edges[1:-1] + width)[:, None]
    centre = edges[1:-1, None]
    bank = torch.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)).clamp_min(0.0)
    return bank / bank.sum(dim=1, keepdim=True)


def log_filterbank(rate: float, n_fft: int, centres: list[float]) -> Tensor:
    """Triangles of unit sum around ``centres`` (Hz), one bin of 1/36 octave or one transform bin to each
    side, whichever is wider: (len(centres), n_fft // 2 + 1)."""
    bins = torch.arange(n_fft // 2 + 1) * rate / n_fft
    centre = torch.tensor(centres)[:, None]
    side = torch.clamp(centre * (2 ** (1 / BINS_PER_OCTAVE) - 1), min=rate / n_fft)
    bank = (1.0 - (bins - centre).abs() / side).clamp_min(0.0)
    return bank / bank.sum(dim=1, keepdim=True)


def _power(waves: Tensor, window: Tensor, hop: int, frames: int) -> Tensor:
    """Centred power spectra (batch, bins, frames), 1 for white noise of unit power."""
    half = len(window) // 2
    waves = nn.functional.pad(waves, (half, half + hop))
    spectrum = torch.fft.rfft(waves.unfold(1, len(window), hop)[:, :frames] * window)
    return (spectrum.real**2 + spectrum.imag**2).transpose(1, 2) / window.square().sum()


def _decibels(power: Tensor) -> Tensor:
    floor = 10 ** (FLOOR_DB / 10)
    return 10.0 * torch.log10((power + floor) / floor) / -FLOOR_DB


def _halving_filter(taps: int = 31) -> Tensor:
    """Low-pass at a quarter of the rate (Hamming-windowed sinc)."""
    n = torch.arange(taps) - taps // 2
    kernel = torch.sinc(n / 2) * torch.hamming_window(taps, periodic=False)
    return kernel / kernel.sum()
