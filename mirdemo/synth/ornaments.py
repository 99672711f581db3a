"""Ornaments as pitch contours: cents to add to a note over its time.

Each is a function of time since the note began, its length, and ``reach``, the signed distance in cents
to the pitch it touches: the note before for a slide or meend, the scale's neighbour for trill, turn and
gamaka. What they imitate: vibrato; the slide into a note; the meend, a slow glide over half the note
(N. A. Jairazbhoy 1971); the Carnatic gamaka, an oscillation that leaves the note's own pitch only
touched (T. Viswanathan, "The analysis of raga alapana in South Indian music", Asian Music 9(1), 1977);
the andolan, its slow and narrow cousin on Hindustani komal notes; trill, mordent, turn and grace note;
the fall at the end of a festival flute's or caller's note.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Contour = Callable[[np.ndarray, float, float], np.ndarray]


def _ease(x: np.ndarray) -> np.ndarray:
    """0 to 1 with no corner at either end; x is clipped to [0, 1]."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0))


def _plain(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return np.zeros_like(t)


def _vibrato(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return 28.0 * _ease((t - 0.12) / 0.25) * np.sin(2 * np.pi * 5.6 * t)


def _slide(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return reach * (1.0 - _ease(t / min(0.12, 0.5 * seconds)))


def _meend(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return reach * (1.0 - _ease(t / min(0.7, 0.65 * seconds)))


def _gamaka(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    swings = max(1.0, round(4.6 * seconds))
    return 0.5 * reach * (1.0 - np.cos(2 * np.pi * swings * np.clip(t / seconds, 0.0, 1.0)))


def _andolan(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    depth = np.clip(0.45 * abs(reach), 20.0, 55.0)
    return depth * _ease(t / 0.3) * np.sin(2 * np.pi * 2.4 * t)


def _trill(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    square = 0.5 + 0.5 * np.tanh(4.0 * np.sin(2 * np.pi * (7.5 * t - 0.25)))
    return reach * square * (t < 0.8 * seconds)


def _mordent(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    touch = min(0.07, 0.2 * seconds)
    return reach * (_ease((t - touch) / 0.015) - _ease((t - 2.0 * touch) / 0.015))


def _turn(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    part = min(0.09, 0.18 * seconds)
    up = 1.0 - _ease((t - part) / 0.02)
    down = _ease((t - 2.0 * part) / 0.02) - _ease((t - 3.0 * part) / 0.02)
    return reach * up - reach * down


def _grace(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return reach * (1.0 - _ease((t - min(0.05, 0.15 * seconds)) / 0.02))


def _fall(t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    return -abs(reach) * _ease((t - 0.7 * seconds) / (0.3 * seconds))


CONTOURS: dict[str, Contour] = {
    "plain": _plain,
    "vibrato": _vibrato,
    "slide": _slide,
    "meend": _meend,
    "gamaka": _gamaka,
    "andolan": _andolan,
    "trill": _trill,
    "mordent": _mordent,
    "turn": _turn,
    "grace": _grace,
    "fall": _fall,
}

#: Ornaments whose reach is the way back to the note before; the others reach for a neighbour in the scale.
FROM_BEFORE = ("slide", "meend")

_UNBENT = {"slide": "grace", "meend": "grace", "gamaka": "trill"}
_STEPPED = ("plain", "trill", "mordent", "turn", "grace")


def stepped(name: str) -> str:
    """The ornament that a player of fixed pitches puts in this one's place: the same touch without the bend."""
    return name if name in _STEPPED else _UNBENT.get(name, "plain")


def contour(name: str, t: np.ndarray, seconds: float, reach: float) -> np.ndarray:
    """Cents to add to a note's pitch.

    name: a key of ``CONTOURS``
    t: (n,) seconds since the note began
    seconds: the note's length, > 0
    reach: signed cents to the pitch that the ornament touches
    """
    return CONTOURS[name](t, seconds, reach)
