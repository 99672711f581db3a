"""Controlled corpora: many performances of one tradition, split by split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mirdemo.synth.performance import Performance, plan
from mirdemo.synth.render import RATE, View, render


class ControlledClip(NamedTuple):
    """samples: float32 (n,) mono; tags: ``family--Name``; recording: its name, unique to the performance."""

    samples: np.ndarray
    tags: tuple[str, ...]
    recording: str


def generate(
    tradition: str,
    seed: int,
    *,
    mode: str = "full",
    split: str = "train",
    seconds: float = 10.0,
    rate: int = RATE,
    view: View | int | None = None,
) -> tuple[np.ndarray, Performance]:
    """Plan and render in one go: (float32 samples, the performance with its tags)."""
    performance = plan(tradition, seed, mode=mode, split=split, seconds=seconds)
    return render(performance, rate, view=view), performance


def corpus(
    tradition: str,
    split: str,
    n: int,
    seed: int = 0,
    mode: str = "full",
    *,
    seconds: float = 10.0,
    rate: int = RATE,
) -> Iterator[ControlledClip]:
    """n clips of one tradition, each a recording of its own.

    seed: of the whole corpus; clip i of it depends on seed and i alone, so a longer corpus begins with a shorter
    """
    for number in range(n):
        samples, performance = generate(
            tradition, seed * 1_000_003 + number, mode=mode, split=split, seconds=seconds, rate=rate
        )
        yield ControlledClip(samples, performance.tags, performance.recording)
