"""Where a long recording is cut: into even pieces, or where it pauses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from mirdemo.sound.waveform import decibels

#: The level that a twentieth of the time exceeds stands for how loud a recording is.
LOUD_SHARE = 0.95
#: Seconds that a piece keeps of the pause on each side: attacks and decays begin and end softly.
MARGIN = 0.1

Span = tuple[float, float]


def even_pieces(start: float, end: float, length: float) -> list[Span]:
    """Equal pieces of about ``length`` seconds that fill ``start`` to ``end``: as many as come nearest to it, at least one."""
    count = max(1, round((end - start) / length))
    edges = np.linspace(start, end, count + 1).tolist()
    return list(pairwise(edges))


def between_pauses(
    levels: np.ndarray,
    level_seconds: float,
    start: float,
    end: float,
    *,
    below: float = 25.0,
    pause: float = 1.0,
    shortest: float = 1.0,
    longest: float = 60.0,
) -> list[Span]:
    """What lies between the pauses from ``start`` to ``end`` (seconds); empty where there is no pause.

    levels, level_seconds: of the recording (``waveform.Levels``)
    below: what is so many dB softer than the loud parts is quiet; the loud parts are what a twentieth of the time exceeds,
        so that a soft recording is cut as a loud one is
    pause: quiet for so many seconds is a pause
    shortest: pieces of fewer seconds, a cough, a knock, are left out; longest: longer ones are cut evenly

    Each piece keeps ``MARGIN`` seconds of the pauses around it.
    """
    first, last = math.floor(start / level_seconds), min(math.ceil(end / level_seconds), len(levels))
    own = levels[first:last]
    if not len(own):
        return []
    quiet = np.asarray(decibels(own.astype(float)) < loudness(own) - below)
    fewest = max(round(pause / level_seconds), 1)
    pauses = [(a, b) for a, b in _runs(quiet) if b - a >= fewest]
    if not pauses:
        return []
    edges = [0, *(edge for one in pauses for edge in one), len(own)]
    found: list[Span] = []
    for begin, stop in zip(edges[::2], edges[1::2], strict=True):
        if (stop - begin) * level_seconds < shortest:
            continue
        span = (
            max(start, (first + begin) * level_seconds - MARGIN),
            min(end, (first + stop) * level_seconds + MARGIN),
        )
        parts = math.ceil((span[1] - span[0]) / longest - 1e-9)
        found += even_pieces(*span, (span[1] - span[0]) / parts)
    return found


def loudness(levels: np.ndarray) -> float:
    """How loud the loud parts are, in dB of full scale. levels: uint8 (n,), n >= 1"""
    exceeded = np.cumsum(np.bincount(levels, minlength=256)) / len(levels)
    return float(decibels(float(np.searchsorted(exceeded, LOUD_SHARE))))


def _runs(chosen: np.ndarray) -> Iterable[tuple[int, int]]:
    """Where True begins and ends, as (first, behind the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
