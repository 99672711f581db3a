"""Seeded draws, and which part of every range belongs to which split.

Every continuous quantity that a network could learn by heart (tonic, tempo, each parameter of an
instrument or a room) is brought to the unit interval, which is cut into twelve equal bins; each bin is
owned by one split. So a tonic, a tempo or a string's damping of the test split never occurs in
training, yet lies sometimes between and sometimes beyond what training saw. Phrases are owned by their
checksum in the same way.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

SPLITS: tuple[str, ...] = ("train", "valid", "test")
_OWNERS: tuple[str, ...] = ("train", "train", "train", "valid", "train", "test") * 2
_BINS: dict[str, tuple[int, ...]] = {
    split: tuple(i for i, owner in enumerate(_OWNERS) if owner == split) for split in SPLITS
}
# Draws keep clear of a bin's edges, so that rounding never carries a value over to its neighbour.
_MARGIN = 0.01


def generator(*key: Any) -> np.random.Generator:
    """A random generator that depends on the key's text alone, the same in every process."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def owner(unit_value: float) -> str:
    """The split that owns this place in the unit interval (values outside are wrapped)."""
    return _OWNERS[math.floor((unit_value % 1.0) * len(_OWNERS)) % len(_OWNERS)]


def unit(rng: np.random.Generator, split: str) -> float:
    """A number in (0, 1) from the bins that the split owns."""
    bins = _BINS[split]
    place = bins[int(rng.integers(len(bins)))]
    return (place + float(rng.uniform(_MARGIN, 1.0 - _MARGIN))) / len(_OWNERS)


def between(rng: np.random.Generator, split: str, low: float, high: float) -> float:
    """A number between low and high, from the part of that range which the split owns."""
    return low + (high - low) * unit(rng, split)


def tonic_ratio(rng: np.random.Generator, split: str) -> float:
    """A frequency ratio in (1, 2): the split owns whole semitones of the octave."""
    return 2.0 ** unit(rng, split)


def tempo(rng: np.random.Generator, split: str, low: float, high: float) -> float:
    """A tempo between low and high per minute; owned in twelfths of a doubling (6 % steps).

    The range must span at least a factor of 1.5, so that every split owns some of it.
    """
    while True:
        value = low * (high / low) ** float(rng.random())
        place = math.log2(value) * len(_OWNERS)
        if _MARGIN < place % 1.0 < 1.0 - _MARGIN and owner(math.log2(value)) == split:
            return value


def phrase_owner(phrase: Sequence[tuple[int, float]]) -> str:
    """The split that owns a phrase, given as (scale degree, length in pulses) pairs."""
    text = " ".join(f"{degree}:{length:.2f}" for degree, length in phrase)
    return _OWNERS[zlib.crc32(text.encode()) % len(_OWNERS)]


def pick(rng: np.random.Generator, options: Sequence[Any], weights: Sequence[float] | None = None) -> Any:
    """One of the options, uniformly or by weight."""
    if weights is None:
        return options[int(rng.integers(len(options)))]
    total = np.cumsum(np.asarray(weights, dtype=np.float64))
    return options[int(np.searchsorted(total, float(rng.random()) * total[-1], side="right"))]
