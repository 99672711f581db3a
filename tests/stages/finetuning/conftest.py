"""Tiny backbones of every family, and clips to train on."""

from __future__ import annotations

import numpy as np
import pytest
from backbones.conftest import KINDS, checkpoint, loaded

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip

RATE = 24_000


def tone(hertz: float, seconds: float, seed: int, rate: int = RATE) -> Clip:
    """A tone in noise."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return Clip.of(
        (0.3 * np.sin(2 * np.pi * hertz * time) + 0.03 * noise).astype(np.float32), rate, f"{seed}"
    )


def tones(n_recordings: int = 12, clips: int = 1, seconds: float = 0.3, rate: int = RATE) -> LabelledClips:
    """Low and high tones, every second recording high; clips of a recording sound alike."""
    made, tags, recordings = [], [], []
    for recording in range(n_recordings):
        high = recording % 2
        for number in range(clips):
            made.append(tone(300 + 1500 * high + 7 * recording, seconds, recording * clips + number, rate))
            tags.append(["high"] * high + ["third"] * (recording % 3 == 0))
            recordings.append(f"recording {recording}")
    return LabelledClips.from_clips(made, tags, recordings)


@pytest.fixture(scope="session")
def labelled() -> LabelledClips:
    return tones()


@pytest.fixture
def mert(loaded):
    return loaded("mert-95m")


__all__ = ["KINDS", "checkpoint", "labelled", "loaded", "mert"]
