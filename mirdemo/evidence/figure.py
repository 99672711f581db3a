"""A Plotly figure as what it is sent as: traces and a layout in plain dictionaries, by Plotly's own names.

``plotly.graph_objects`` checks and copies every value as it is set, which is most of the time of drawing a page of charts,
and visitors wait for it at every filter. Here nothing is checked: ``tests/evidence/test_figure.py`` passes every chart through
``plotly.graph_objects.Figure`` instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: One set of points, lines, bars or cells.
Trace = dict[str, Any]
_AXIS = {letter: re.compile(rf"{letter}axis\d*") for letter in "xy"}


class Figure:
    """data: the traces in the order of drawing; layout: the rest. Methods are those of ``plotly.graph_objects.Figure``, as far
    as our charts need them; they change the figure and return nothing."""

    def __init__(self, layout: Mapping[str, Any]) -> None:
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.update_layout(**layout)

    @property
    def annotations(self) -> list[dict[str, Any]]:
        return self.layout.setdefault("annotations", [])

    def add_trace(self, trace: Trace, panel: int | None = None) -> None:
        """panel: the number of the one it is drawn in, from 1, where there are several"""
        axes = {f"{letter}axis": f"{letter}{number(panel)}" for letter in "xy"} if panel else {}
        self.data.append({**trace, **axes})

    def add_scatter(self, **trace: Any) -> None:
        self.add_trace(scatter(**trace))

    def add_bar(self, **trace: Any) -> None:
        self.add_trace({"type": "bar", **trace})

    def add_heatmap(self, **trace: Any) -> None:
        self.add_trace({"type": "heatmap", **trace})

    def stack(self, heights: Sequence[float], gap: float) -> None:
        """Panels one above the other, the first on top, each with axes of its own (``number``).

        heights: in any unit; gap: between two, as a share of the figure's height
        """
        for n, (low, high) in enumerate(_parts(heights, gap), 1):
            self.update_layout(
                **{
                    f"xaxis{number(n)}": {"anchor": f"y{number(n)}", "domain": [0, 1]},
                    f"yaxis{number(n)}": {"anchor": f"x{number(n)}", "domain": [1 - high, 1 - low]},
                }
            )

    def side_by_side(self, count: int, gap: float) -> None:
        """Panels from left to right with one scale upwards, which stands at the first."""
        for n, (low, high) in enumerate(_parts([1] * count, gap), 1):
            shared = {"matches": "y", "showticklabels": False} if n > 1 else {}
            self.update_layout(
                **{
                    f"xaxis{number(n)}": {"anchor": f"y{number(n)}", "domain": [low, high]},
                    f"yaxis{number(n)}": {"anchor": f"x{number(n)}", "domain": [0, 1], **shared},
                }
            )

    def add_annotation(self, **annotation: Any) -> None:
        self.annotations.append(annotation)

    def add_shape(self, **shape: Any) -> None:
        self.layout.setdefault("shapes", []).append(shape)

    def add_vline(self, *, x: float, **shape: Any) -> None:
        """A line from the lower to the upper end of the panel."""
        self.add_shape(type="line", x0=x, x1=x, xref="x", y0=0, y1=1, yref="y domain", **shape)

    def update_layout(self, **layout: Any) -> None:
        """Dictionaries go into those that are there; anything else takes the place of what is there."""
        _merge(self.layout, layout)

    def update_xaxes(self, **axis: Any) -> None:
        """The same for every x axis."""
        self._update_axes("x", axis)

    def update_yaxes(self, **axis: Any) -> None:
        """The same for every y axis."""
        self._update_axes("y", axis)

    def _update_axes(self, letter: str, axis: Mapping[str, Any]) -> None:
        for name in [name for name in self.layout if _AXIS[letter].fullmatch(name)]:
            _merge(self.layout[name], axis)

    def plain(self) -> dict[str, Any]:
        """``data`` and ``layout`` for JSON: no arrays and no numbers of NumPy's, no name that is set to None, and None in a list
        for what is no finite number."""
        return {"data": _plain(self.data), "layout": _plain(self.layout)}


def scatter(**trace: Any) -> Trace:
    """Points, lines or both, to be added later."""
    return {"type": "scatter", **trace}


def number(n: int) -> str:
    """What Plotly puts behind ``x``, ``y``, ``xaxis`` and ``yaxis`` for the n-th panel: nothing for the first."""
    return "" if n == 1 else str(n)


def _parts(sizes: Sequence[float], gap: float) -> list[tuple[float, float]]:
    """Start and end of parts of these sizes along 0 to 1, in order, with gaps between them."""
    room, start, found = 1 - gap * (len(sizes) - 1), 0.0, []
    for size in sizes:
        end = start + room * size / sum(sizes)
        found.append((start, end))
        start = end + gap
    return found


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no place in a figure")
