"""Statistics of timbre, pitch and rhythm of a window of sound, measured by formula: what ``spectral`` is made of."""

from __future__ import annotations

import torch

from mirdemo.backbones.descriptors import pitch, rhythm, timbre
from mirdemo.backbones.descriptors.frames import FFT, HOP, SMALL, mel_filters, short_time_power


def statistics(waves: torch.Tensor) -> dict[str, torch.Tensor]:
    """The groups of statistics in their natural units.

    waves: float32 (batch, samples) at 22.05 kHz, samples >= 2205
    Returns group name -> float32 (batch, size), sizes as in ``spectral_facts.GROUPS``. Level does not matter except
    in relation to itself: every wave is first brought to a root mean square of 0.1.
    """
    waves = waves - waves.mean(dim=1, keepdim=True)
    rms = waves.square().mean(dim=1, keepdim=True).sqrt()
    waves = torch.where(rms > 1e-6, waves * (0.1 / rms.clamp_min(1e-6)), torch.zeros_like(waves))

    power = short_time_power(waves, FFT, HOP)
    mel = torch.einsum("bft,fm->bmt", power, mel_filters(waves.device))
    log_mel = 10.0 * (mel + SMALL).log10()
    log_mel = torch.maximum(log_mel, log_mel.amax(dim=(1, 2), keepdim=True) - 80.0)
    mfcc = timbre.mfcc(log_mel)
    flux = rhythm.flux(log_mel)
    fine = pitch.fine_pitches(waves)
    return {
        "timbre": timbre.timbre(mfcc),
        "correlation": timbre.correlation(mfcc),
        "contrast": timbre.contrast(power),
        "modulation": timbre.modulation(log_mel),
        "shape": timbre.shape(power, waves),
        "chroma": pitch.chroma(fine),
        "mode": pitch.mode(fine),
        "onset": rhythm.onset(flux),
        "tempo": rhythm.tempo(flux.mean(dim=1)),
        "dynamics": timbre.dynamics(power),
    }
