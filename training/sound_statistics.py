"""What a crop sounds like before anything is done to it, in numbers that a network is to read off what is left.

The groups of ``mirdemo.backbones.descriptors.timbre`` that a cached spectrogram still holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mirdemo.backbones.descriptors.frames import deviation
from mirdemo.backbones.descriptors.timbre import correlation, mfcc, modulation, timbre
from mirdemo.backbones.frontend import BINS_PER_OCTAVE, FLOOR_DB
from mirdemo.backbones.mini_network import MEL_FRAMES_PER_SECOND

GROUPS = ("timbre", "correlation", "modulation", "contrast")
#: Statistics beyond this many deviations say no more than "extreme".
LIMIT = 5.0


def sound_statistics(mel: Tensor, cq: Tensor) -> list[Tensor]:
    """mel (batch, 80, 2 t), cq (batch, 216, t) of ``Frontend`` -> a row of each clip for each of ``GROUPS``."""
    log_mel, log_cq = -FLOOR_DB * mel, -FLOOR_DB * cq
    coefficients = mfcc(log_mel)
    return [
        timbre(coefficients),
        correlation(coefficients),
        modulation(log_mel, MEL_FRAMES_PER_SECOND),
        _contrast(log_cq),
    ]


class Standard:
    """Brings each statistic to mean 0 and deviation 1 over some clips, cut off at ``LIMIT`` deviations."""

    def __init__(self, rows: Sequence[Tensor]) -> None:
        self.sizes = [group.shape[1] for group in rows]
        self._of = [(group.mean(0), group.std(0).clamp_min(1e-3)) for group in rows]

    def __call__(self, rows: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(rows, self._of, strict=True)
        return [((group - centre) / scale).clamp(-LIMIT, LIMIT) for group, (centre, scale) in pairs]


def _contrast(log_cq: Tensor) -> Tensor:
    """Of the strongest over the weakest fifth of each octave's bins, and of the weakest: mean and deviation over time,
    (batch, 24)."""
    octaves = log_cq.unflatten(1, (-1, BINS_PER_OCTAVE)).transpose(2, 3).sort(dim=-1).values
    fifth = BINS_PER_OCTAVE // 5
    valley, peak = octaves[..., :fifth].mean(-1), octaves[..., -fifth:].mean(-1)
    both = torch.cat([peak - valley, valley], dim=1)
    return torch.cat([both.mean(-1), deviation(both)], dim=1)
