"""Sounds that a backbone tells apart: drums, flutes and buzzes, each a little different."""

from __future__ import annotations

import numpy as np

from mirdemo.sound.audio import Clip

RATE = 22_050


def sound(kind: str, seed: int, seconds: float = 1.5) -> Clip:
    """A drum roll, a flute or a buzz, a little different for each seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    if kind == "drum":
        beat = t % (0.2 + 0.02 * rng.random())
        wave = np.sin(2 * np.pi * (70 + 20 * rng.random()) * beat) * np.exp(-14 * beat)
    elif kind == "flute":
        wave = np.sin(2 * np.pi * (500 + 60 * rng.random()) * t + 0.4 * np.sin(2 * np.pi * 5 * t))
    else:
        wave = np.sign(np.sin(2 * np.pi * (150 + 30 * rng.random()) * t))
    return Clip.of(
        (0.3 * wave + 0.004 * rng.normal(size=len(t))).astype(np.float32), RATE, f"{kind} {seed}.wav"
    )


def between() -> Clip:
    """A drum and a flute at once."""
    both = sound("drum", 7).samples + sound("flute", 8).samples
    return Clip.of(0.5 * both, RATE, "both.wav")
