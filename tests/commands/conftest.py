"""Tiny backbones with a tail to train; a tagger that was taken home, of low tones and high ones."""

from __future__ import annotations

import numpy as np
import pytest
from backbones.conftest import KINDS, checkpoint, loaded

from mirdemo.backbones import load_backbone
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import LCPrototypes
from mirdemo.tagger import Tagger

__all__ = ["KINDS", "checkpoint", "loaded"]

RATE = 8_000
HERTZ = {"low": 150.0, "high": 2_500.0}


def tone(hertz: float, seconds: float, seed: int) -> np.ndarray:
    time = np.arange(round(RATE * seconds)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.3 * np.sin(2 * np.pi * (hertz + seed) * time) + 0.01 * noise).astype(np.float32)


def low_and_high(title: str = "Tagger") -> Tagger:
    """Made from four tones of each."""
    clips = [Clip.of(tone(HERTZ[tag], 2, i), RATE, f"{tag}{i}") for tag in HERTZ for i in range(4)]
    return Tagger.make(
        embed(clips, load_backbone("spectral")),
        np.repeat(np.eye(2, dtype=np.uint8), 4, axis=0),
        [clip.name for clip in clips],
        tuple(HERTZ),
        layer="timbre",
        method=LCPrototypes(unknown=False),
        title=title,
    )


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(low_and_high().save(tmp_path_factory.mktemp("home") / "tagger.zip"))
