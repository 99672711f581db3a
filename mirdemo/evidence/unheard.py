"""A tradition that no backbone here was raised on, on real recordings, beside Western genres: the difference of differences.

How much better one backbone does than another depends on the task. What says something of the music is how much larger that
difference is on Western recordings than on recordings of the other tradition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.evidence.charting import FAINT, GROUND, INK, Chart, bare_figure, drawn, error_bars
from mirdemo.evidence.figure import Trace, number, scatter
from mirdemo.evidence.palette import colour, tradition_of
from mirdemo.evidence.wording import corpus_title
from mirdemo.results import records as results
from mirdemo.results.bias import Figure
from mirdemo.results.records import Result, Results
from mirdemo.scoring.intervals import MINUS, trained_apart
from mirdemo.scoring.variances import PairedDifference, contrast
from mirdemo.words.language import Speaker

WESTERN = "gtzan-mini"
#: The other tradition's corpus, by what its folds keep together -> Plotly's name of the mark.
FOLDS = {"kdc": "circle", "kdc-artists": "circle-open"}
UNTRAINED = "musicnn, untrained"
#: (first, second) titles: the same network untrained; one raised on synthetic music of six traditions; one architecture, two
#: upbringings.
PAIRS = (("musicnn-MSD", UNTRAINED), ("musicnn-MSD", "Mini-World"), ("Mini-West", "Mini-World"))
#: A panel each, from the top. Few-shot's clips have one tag and are given one, so its micro-F1 is the share of right ones.
METHODS = ("probe", "fewshot")
ACCURACY = "micro_f1"

#: (method, model, corpus) -> the figure over all tags.
Measured = Mapping[tuple[str, str, str], Result]
#: The same -> few-shot's figures of single draws of the support sets, by their seed.
Draws = Mapping[tuple[str, str, str], Mapping[int, float]]


@dataclass(frozen=True)
class Row:
    """One pair on the Western corpus and one of the other's: first minus second here, minus the same there.

    method: of ``METHODS``
    figure: the difference of differences; western, other: the two differences; n: recordings, and what the folds of the
        other kept together (artists of it, where those)
    """

    method: str
    first: str
    second: str
    corpus: str
    figure: Figure
    western: float
    other: float
    n: tuple[int, int]


def rows(measured: Results, untrained: Results, metric: str) -> list[Row]:
    """Every pair that was measured on both sides with the influences of the same recordings, method after method.

    measured, untrained: with few-shot's figures of single draws, of which the interval needs to know
    metric: the probe's
    """
    found: dict[tuple[str, str, str], Result] = {}
    draws: dict[tuple[str, str, str], dict[int, float]] = {}
    for record in sorted((*measured, *untrained), key=lambda r: r.date or ""):
        asked = {"probe": metric, "fewshot": ACCURACY}.get(record.method) == record.metric
        if not asked or record.tag is not None or record.protocol != "live" or record.whitening is not None:
            continue
        key = record.method, record.model, record.corpus
        if record.seed is None:
            found[key] = record
        else:
            draws.setdefault(key, {})[record.seed] = record.value
    made = [
        _row(method, found, draws, pair, corpus) for method in METHODS for pair in PAIRS for corpus in FOLDS
    ]
    return [row for row in made if row is not None]


def _row(method: str, found: Measured, draws: Draws, pair: tuple[str, str], corpus: str) -> Row | None:
    parts = []
    # Where musicians are the unit their recordings are not counted: as many as on the larger side.
    n = max(
        (
            len(found[key].influences or ())
            for key in found
            if key[0] == method and key[2] in (WESTERN, corpus)
        ),
        default=0,
    )
    for weight, where in ((1.0, WESTERN), (-1.0, corpus)):
        keys = [(method, model, where) for model in pair]
        if not all(key in found for key in keys):
            return None
        one, other = (found[key] for key in keys)
        drawn_alike = [draws.get(key, {}) for key in keys]
        if not _same_recordings(one, other) or drawn_alike[0].keys() != drawn_alike[1].keys():
            return None
        if method == "fewshot" and len(drawn_alike[0]) < 2:
            return None
        gaps = [value - drawn_alike[1][seed] for seed, value in sorted(drawn_alike[0].items())]
        parts.append(
            PairedDifference(
                weight,
                one.value - other.value,
                np.array(one.influences) - np.array(other.influences),
                np.array(gaps) if method == "fewshot" else None,
                _trained(one, other, n),
            )
        )
    interval = contrast(parts)
    figure = Figure(interval.known, *interval.ends, interval.level)
    sizes = len(parts[0].influences), len(parts[1].influences)
    return Row(method, *pair, corpus, figure, parts[0].difference, parts[1].difference, sizes)


def _same_recordings(one: Result, other: Result) -> bool:
    """Whether both figures are of the same recordings, as far as records tell."""
    if not (one.influences and other.influences):
        return False
    both = [
        (r.corpus_revision, r.setting.get("limit"), r.setting.get("left_out"), len(r.influences or ()))
        for r in (one, other)
    ]
    return both[0] == both[1]


def _trained(one: Result, other: Result, n: int) -> float:
    if one.method == "fewshot":
        return 1.0
    return float(trained_apart((one.value + other.value) / 2, one.metric == "roc_auc", n))


def unheard(
    metric: str, t: Speaker, *, measured: Results | None = None, untrained: Results | None = None
) -> Chart:
    """A panel a method, a row a pair, a mark a way to fold, with intervals; zero: as good on the one music as on the other.

    metric: the probe's
    measured, untrained: None: what ships (``results.on_real_traditions``, ``results.untrained``)
    """
    measured = results.on_real_traditions() if measured is None else measured
    found = rows(measured, results.untrained() if untrained is None else untrained, metric)
    how = str(t("evidence.unheard.how"))
    if not found:
        return Chart(str(t("evidence.unheard.title")), None, how, empty=str(t("evidence.unheard.empty")))
    parted = {method: [row for row in found if row.method == method] for method in METHODS}
    parted = {method: of for method, of in parted.items() if of}
    pairs = {
        method: [p for p in PAIRS if p in {(r.first, r.second) for r in of}] for method, of in parted.items()
    }
    height = 64 + sum(86 + 56 * len(of) for of in pairs.values())
    figure = bare_figure(height=height, left=230, top=34, bottom=52)
    figure.stack([len(of) for of in pairs.values()], 86 / height)
    shown = [corpus for corpus in FOLDS if any(row.corpus == corpus for row in found)]
    narrow: dict[str, Any] = {"margin": {"l": 120, "r": 12, "t": 70, "b": 76}, "height": height + 110}
    for at, (method, of) in enumerate(parted.items(), 1):
        for trace in _marks(of, pairs[method], shown, metric, t, named=at == 1):
            figure.add_trace(trace, panel=at)
        figure.update_layout(**_axes(method, pairs[method], at, metric, t))
        narrow |= _narrow_axes(method, pairs[method], at, t)
    figure.update_layout(showlegend=len(shown) > 1)
    return drawn(
        _title(found, t),
        figure,
        "\n".join([how, *(_line(row, metric, t) for row in found)]),
        height=height,
        narrow=narrow,
        sources=tuple(corpus_title(corpus, t) for corpus in (WESTERN, shown[0])),
    )


def _marks(
    of: list[Row], pairs: list[tuple[str, str]], shown: list[str], metric: str, t: Speaker, *, named: bool
) -> Iterable[Trace]:
    """A panel's marks, a trace a way to fold. named: in the legend"""
    for at, corpus in enumerate(shown):
        rows = [row for row in of if row.corpus == corpus]
        lift = 0.14 * (2 * at - 1) if len(shown) > 1 else 0.0
        shade = colour(tradition_of(corpus))
        yield scatter(
            x=[100 * row.figure.value for row in rows],
            y=[pairs.index((row.first, row.second)) + lift for row in rows],
            mode="markers",
            name=str(t("evidence.unheard.folds." + corpus)),
            showlegend=named and len(shown) > 1,
            marker={
                "symbol": FOLDS[corpus],
                "size": 12,
                "color": shade,
                "line": {"color": GROUND if FOLDS[corpus] == "circle" else shade, "width": 2},
            },
            text=[_told(row, metric, t) for row in rows],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
            **error_bars([row.figure for row in rows], "x", scale=100),
        )


def _labels(pairs: list[tuple[str, str]], t: Speaker, untrained: str = "untrained") -> list[str]:
    """untrained: the key of what the untrained network is called"""
    named = [(first, _named(second, t, untrained)) for first, second in pairs]
    return [str(t("evidence.unheard.pair", first=first, second=second)) for first, second in named]


def _axes(method: str, pairs: list[tuple[str, str]], panel: int, metric: str, t: Speaker) -> dict[str, Any]:
    axis = t("evidence.unheard.axis." + method, metric=_metric(method, metric, t))
    shared = {"fixedrange": True, "automargin": True, "ticks": ""}
    zero = {"zeroline": True, "zerolinecolor": INK, "zerolinewidth": 1}
    return {
        f"yaxis{number(panel)}": {
            **shared,
            "tickvals": list(range(len(pairs))),
            "ticktext": _labels(pairs, t),
            "range": [len(pairs) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
        f"xaxis{number(panel)}": {
            **shared,
            **zero,
            "gridcolor": FAINT,
            "tickformat": "+.0f",
            "rangemode": "tozero",
            "tickangle": 0,
            "title": {"text": str(axis), "standoff": 8},
        },
    }


def _narrow_axes(method: str, pairs: list[tuple[str, str]], panel: int, t: Speaker) -> dict[str, Any]:
    y, x = f"yaxis{number(panel)}", f"xaxis{number(panel)}"
    return {
        f"{y}.ticktext": [
            label.replace(f" {MINUS} ", f"<br>{MINUS} ") for label in _labels(pairs, t, "untrained_narrow")
        ],
        f"{y}.tickfont": {"size": 13},
        f"{x}.title.text": str(t("evidence.unheard.axis_narrow." + method)),
        f"{x}.title.font": {"size": 13},
        f"{x}.nticks": 4,
    }


def _metric(method: str, metric: str, t: Speaker) -> str:
    return str(t("evidence.metric." + ("accuracy" if method == "fewshot" else metric)))


def _named(model: str, t: Speaker, untrained: str = "untrained") -> str:
    return str(t("evidence.unheard." + untrained)) if model == UNTRAINED else model


def _points(value: float) -> str:
    text = f"{100 * value:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", MINUS)


def _ends(row: Row) -> dict[str, str]:
    low, high = row.figure.ends
    return {"points": _points(row.figure.value), "low": _points(low), "high": _points(high)}


def _title(found: list[Row], t: Speaker) -> str:
    """Of the first pair's row there is: surely more on Western music, surely less, or not to be told."""
    row = found[0]
    low, high = row.figure.ends
    told = "more" if low > 0 else "less" if high < 0 else "cannot_tell"
    names = {"first": row.first, "second": _named(row.second, t)}
    return str(t("evidence.unheard.finding." + told, **names, **_ends(row)))


def _told(row: Row, metric: str, t: Speaker) -> str:
    name = _metric(row.method, metric, t)
    said = "evidence.unheard.hover."
    return "<br>".join(
        (
            str(t(said + "pair", first=row.first, second=_named(row.second, t))),
            str(t(said + "western", metric=name, points=_points(row.western))),
            str(t(said + "other", metric=name, points=_points(row.other))),
            str(t(said + "between", **_ends(row))),
            str(t(f"{said}n.{row.corpus}", western=row.n[0], other=row.n[1])),
        )
    )


def _line(row: Row, metric: str, t: Speaker) -> str:
    return str(
        t(
            f"evidence.unheard.row.{row.corpus}",
            method=str(t("evidence.unheard.method." + row.method, metric=_metric(row.method, metric, t))),
            first=row.first,
            second=_named(row.second, t),
            western=_points(row.western),
            other=_points(row.other),
            n_western=row.n[0],
            n_other=row.n[1],
            **_ends(row),
        )
    )
