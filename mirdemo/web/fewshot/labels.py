"""Where the names of points stand on a chart, so that they do not cover one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

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
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    marks: Sequence[tuple[float, float]],
    size: tuple[float, float],
) -> list[str]:
    """A ``textposition`` for each name, one after the other: where it covers least of what stands already.

    points: where each name belongs, marks: what else is drawn, in pixels from the top left of a plot of ``size``,
    width and height. What lies outside the plot counts as covered, and another name counts double.
    """
    drawn = [(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in (*marks, *points)]
    found: list[str] = []
    written: list[Box] = []
    for name, (x, y) in zip(names, points, strict=True):
        boxes = {place: box_of(name, x, y, place) for place in PLACES}
        best = min(boxes, key=lambda place: _cost(boxes[place], [*drawn, *written, *written], size))
        found.append(best)
        written.append(boxes[best])
    return found


def box_of(name: str, x: float, y: float, place: str) -> Box:
    """Left, top, right, bottom of a name at a point, in pixels."""
    wide = LETTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
    across, down = PLACES[place]
    centre_x, centre_y = x + across * (GAP + wide / 2), y + down * (GAP + LINE / 2)
    return centre_x - wide / 2, centre_y - LINE / 2, centre_x + wide / 2, centre_y + LINE / 2


def overlap(one: Box, other: Box) -> float:
    """Square pixels that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _cost(box: Box, taken: Sequence[Box], size: tuple[float, float]) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - overlap(box, (0.0, 0.0, *size)) + sum(overlap(box, other) for other in taken)
