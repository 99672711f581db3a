"""What every chart shares: its shape, its colours, its manners. No gradio here.

A chart is a finding in words, a Plotly figure, and how it was computed. The words stand outside the figure, so
that they wrap on a phone, can be selected and are read out; the figure itself has no title.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mirdemo.evidence.figure import Figure

#: Stand-ins that static/plotly.js replaces by the theme's colours when it draws.
INK, FAINT, GROUND = "#010101", "#020202", "#030303"
LIGHT = {INK: "#1a1a1a", FAINT: "#d9d9d9", GROUND: "#ffffff"}
#: A mark that leads and one that does not: each stands out from both grounds by 3 to 1 and more (WCAG 2.2, 1.4.11).
ACCENT, GREY = "#6a67d8", "#8a8a8a"
#: The accent behind a mark of its own, still as far from both grounds.
BEHIND = 0.85
FONT = 'system-ui, "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", sans-serif'
#: White to blue, even steps in lightness: reads in grey print too, and black figures can be read on all of it.
SEQUENTIAL: list[tuple[float, str]] = [
    (0, "#f3f7fb"),
    (0.25, "#d3e4f1"),
    (0.5, "#aecde5"),
    (0.75, "#7fb1d8"),
    (1, "#4b92c8"),
]
#: Of a figure on a cell of the scale: of the two the one that stands out more, which is 4.5 to 1 at the least.
LIGHT_CELL_INK, DARK_CELL_INK = "#000000", "#ffffff"


@dataclass(frozen=True)
class Cell:
    """One figure of a heat map. says: all there is to say of it, a line a line break; link: to its source, or empty"""

    value: float
    says: str = ""
    link: str = ""

    def __post_init__(self) -> None:
        from markupsafe import Markup

        object.__setattr__(self, "says", Markup(self.says))


@dataclass(frozen=True)
class HeatTable:
    """A heat map as a table, which is what the page shows: it needs no script to be seen, and every cell is a button.

    columns, short: headings, and what they shrink to on a phone
    rows: (label, one cell a column, None for a blank)
    low: the value that gets the lightest colour; 1 gets the darkest
    own: the visitor's rows, which belong to no column: (label, value with its interval and whose it is, all of it)
    """

    columns: tuple[str, ...]
    short: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    low: float
    own: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        # As in Chart: names are escaped where they were put together.
        from markupsafe import Markup

        object.__setattr__(self, "columns", tuple(map(Markup, self.columns)))
        object.__setattr__(self, "short", tuple(map(Markup, self.short)))
        object.__setattr__(self, "rows", tuple((Markup(label), cells) for label, cells in self.rows))
        object.__setattr__(self, "own", tuple(tuple(map(Markup, row)) for row in self.own))

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> HeatTable:
        """From what ``dataclasses.asdict`` made of one, once through JSON."""
        rows = tuple(
            (label, tuple(cell and Cell(**cell) for cell in cells)) for label, cells in plain["rows"]
        )
        own = tuple(tuple(row) for row in plain["own"])
        return cls(tuple(plain["columns"]), tuple(plain["short"]), rows, plain["low"], own)

    def colour(self, value: float) -> str:
        """Of a cell, as ``SEQUENTIAL`` has it."""
        share = self.share(value)
        above = next(i for i in range(1, len(SEQUENTIAL)) if share <= SEQUENTIAL[i][0])
        (start, light), (end, dark) = SEQUENTIAL[above - 1 : above + 1]
        part = (share - start) / (end - start)
        ends = zip(_channels(light), _channels(dark), strict=True)
        return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in ends)

    def ink(self, value: float) -> str:
        """Of the figure in the cell: the one that can be read on its colour."""
        ground = self.colour(value)
        return max((LIGHT_CELL_INK, DARK_CELL_INK), key=lambda ink: contrast(ink, ground))

    def share(self, value: float) -> float:
        """How far up the scale a value is: 0 to 1."""
        return min(max((value - self.low) / (1 - self.low), 0.0), 1.0)


@dataclass(frozen=True)
class Chart:
    """One chart, ready for the page, a report or a download.

    title: the finding, a sentence computed from the data
    json: the figure for ``static/plotly.js``: Plotly's data and layout, and ``narrow``, what changes below 560
        pixels; None where there is nothing to draw, and then ``empty`` says why
    how: how it is computed, in plain words
    height: pixels at desktop width
    sources: short citations of everything drawn
    table: the same figures as a table, where the chart is a heat map; the page shows it instead
    detail: the same finding as a specialist would say it, with the metric's name
    missing: one line about what has no figure at all, and filling: how it would get one
    """

    title: str
    json: str | None
    how: str
    height: int = 360
    empty: str = ""
    sources: tuple[str, ...] = ()
    table: HeatTable | None = None
    detail: str = ""
    missing: str = ""
    filling: str = ""

    def __post_init__(self) -> None:
        # The words come from a Speaker, which has escaped what it filled in.
        from markupsafe import Markup

        for name in ("title", "how", "empty", "detail", "missing", "filling"):
            object.__setattr__(self, name, Markup(getattr(self, name)))


def drawn(
    title: str,
    figure: Figure,
    how: str,
    *,
    height: int,
    narrow: dict[str, Any] | None = None,
    sources: tuple[str, ...] = (),
    table: HeatTable | None = None,
    **words: str,
) -> Chart:
    """A chart of a Plotly figure.

    narrow: overrides below 560 pixels: of the layout, e.g. ``{"height": 460, "xaxis.tickangle": -60}``, and
        under ``"traces.<index>"`` of a trace
    words: further words of the chart: ``detail``, ``missing``, ``filling``
    """
    text = json.dumps({**figure.plain(), "narrow": _nested(narrow or {})}, ensure_ascii=False)
    return Chart(title, text, how, height, sources=sources, table=table, **words)


def _nested(dotted: dict[str, Any]) -> dict[str, Any]:
    """``{"xaxis.tickangle": 1}`` -> ``{"xaxis": {"tickangle": 1}}``"""
    nested: dict[str, Any] = {}
    for path, value in dotted.items():
        *parents, last = path.split(".")
        place = nested
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = value
    return nested


def bare_figure(*, height: int, left: int = 60, right: int = 16, top: int = 8, bottom: int = 44) -> Figure:
    """An empty figure in the house style: no box, faint grid, system fonts, nothing that zooms by accident."""
    axis = {
        "showgrid": True,
        "gridcolor": FAINT,
        "gridwidth": 1,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
        "automargin": True,
        "title": {"standoff": 10},
    }
    layout = {
        "height": height,
        "margin": {"l": left, "r": right, "t": top, "b": bottom},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 14, "color": INK},
        "hoverlabel": {
            "font": {"family": FONT, "size": 14, "color": INK},
            "bgcolor": GROUND,
            "bordercolor": INK,
            "align": "left",
        },
        "xaxis": axis,
        "yaxis": axis,
        "dragmode": False,
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "title": {"text": ""}},
    }
    return Figure(layout)


class Ranged(Protocol):
    """Anything with a value and, perhaps, an interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def error_bars(
    figures: Sequence[Ranged], along: str, *, colour: str = INK, scale: float = 1
) -> dict[str, Any]:
    """Plotly's error bars, none at a figure without an interval; empty where no figure has one.

    along: ``"x"`` or ``"y"``; scale: of the axis, 100 for points. The one place where intervals become bars.
    """
    ends = [(f.value, f.value) if f.low is None or f.high is None else (f.low, f.high) for f in figures]
    if all(f.low is None for f in figures):
        return {}
    return {
        f"error_{along}": {
            "type": "data",
            "symmetric": False,
            "array": [scale * (high - f.value) for f, (_, high) in zip(figures, ends, strict=True)],
            "arrayminus": [scale * (f.value - low) for f, (low, _) in zip(figures, ends, strict=True)],
            "color": colour,
            "thickness": 1,
            "width": 3,
        }
    }


def with_interval(value: float, low: float | None, high: float | None, none: str) -> str:
    """``0.84 (0.76-0.90)``, or the value and the words for "no interval"."""
    if low is None or high is None:
        return f"{value:.2f} ({none})"
    return f"{value:.2f} ({low:.2f}\N{EN DASH}{high:.2f})"


def faded(colour: str, alpha: float) -> str:
    """A colour of the palette as rgba."""
    red, green, blue = _channels(colour)
    return f"rgba({red},{green},{blue},{alpha})"


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, 1 to 21 (WCAG 2.2: 4.5 for text, 3 for marks)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.2)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` -> red, green, blue."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
