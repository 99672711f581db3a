"""Where the names of points stand on a chart, so that they do not cover one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

#: Plotly's ``textposition`` and the direction it moves a name in: right and down are positive.
PLACES = {
    "top center": (0, -1),
    "bottom center": (0, 1),
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top right": (1, -1),
    "top left": (-1, -1),
    "bottom right": (1, 1),
    "bottom left": (-1, 1),
}
#: Pixels: a line of text, a letter (an East Asian one is twice as wide), from a point to its name, half a mark.
LINE, LETTER, GAP, MARK = 17.0, 7.2, 10.0, 7.0

Box = tuple[float, float, float, float]


def name_places(
    names: Sequence[str], points: ArrayLike, marks: ArrayLike, size: tuple[float, float]
) -> list[str]:
    """A ``textposition`` for each name, one after the other: where it covers least of what stands already.

    points: (n_names, 2), where each name belongs; marks: (n, 2), what else is drawn; both in pixels from the top left
        of a plot of ``size``, width and height. What lies outside the plot counts as covered, and another name double.
    """
    places = list(PLACES)
    points = np.asarray(points, float).reshape(-1, 2)
    drawn = np.vstack([np.asarray(marks, float).reshape(-1, 2), points])
    taken = np.hstack([drawn - MARK, drawn + MARK])
    found = []
    for name, (x, y) in zip(names, points.tolist(), strict=True):
        boxes = np.array([box_of(name, x, y, place) for place in places])
        outside = overlap(boxes, boxes) - overlap(boxes, (0.0, 0.0, *size))
        best = int(np.argmin(outside + overlap(boxes[:, None], taken).sum(axis=1)))
        found.append(places[best])
        taken = np.vstack([taken, boxes[best], boxes[best]])
    return found


def box_of(name: str, x: float, y: float, place: str) -> Box:
    """Left, top, right, bottom of a name at a point, in pixels."""
    wide = LETTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
    across, down = PLACES[place]
    centre_x, centre_y = x + across * (GAP + wide / 2), y + down * (GAP + LINE / 2)
    return centre_x - wide / 2, centre_y - LINE / 2, centre_x + wide / 2, centre_y + LINE / 2


def overlap(one: ArrayLike, other: ArrayLike) -> np.ndarray:
    """Square pixels that boxes share: (..., 4) and (..., 4), broadcast -> (...)."""
    one, other = np.asarray(one), np.asarray(other)
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:], other[..., 2:])
    return np.clip(high - low, 0.0, None).prod(axis=-1)
