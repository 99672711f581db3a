"""Short-time power and mel bands at 22.05 kHz, and the small sums that every group of statistics uses."""

from __future__ import annotations

from functools import lru_cache

import torch
import torchaudio.functional as AF

RATE = 22_050
FFT, HOP = 2_048, 512  # 93 ms, 43 frames a second: timbre, contrast, onsets
FRAMES_PER_SECOND = RATE / HOP
MELS = 64
SMALL = 1e-10


def short_time_power(waves: torch.Tensor, n_fft: int, hop: int, *, centred: bool = True) -> torch.Tensor:
    """(batch, samples) -> power (batch, n_fft/2+1, frames); centred frames see silence beyond the ends."""
    window = torch.hann_window(n_fft, device=waves.device)
    spectrum = torch.stft(
        waves, n_fft, hop, window=window, center=centred, pad_mode="constant", return_complex=True
    )
    return spectrum.real.square() + spectrum.imag.square()


@lru_cache(maxsize=4)
def mel_filters(device: torch.device) -> torch.Tensor:
    """(1025, 64): what each line of the spectrum adds to each mel band, 30 Hz to half the rate, of equal area."""
    filters = AF.melscale_fbanks(FFT // 2 + 1, 30.0, RATE / 2, MELS, RATE, norm="slaney", mel_scale="slaney")
    return filters.to(device)


def deviation(values: torch.Tensor) -> torch.Tensor:
    """Of the whole population, over the last axis: (..., frames) -> (...)."""
    return values.std(dim=-1, correction=0)


def unit_sum(values: torch.Tensor) -> torch.Tensor:
    """Shares that add up to 1 over the second axis, or 0 throughout: (batch, n, ...) -> (batch, n, ...)."""
    return values / values.sum(dim=1, keepdim=True).clamp_min(SMALL)
