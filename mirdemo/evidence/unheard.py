"""A tradition that no backbone here was raised on, on real recordings, beside Western genres: the difference of differences.

How much better one backbone does than another depends on the task. What says something of the music is how much larger that
difference is on Western recordings than on recordings of the other tradition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mirdemo.evidence.charting import GROUND, INK, Chart, bare_figure, drawn, error_bars
from mirdemo.evidence.palette import colour, tradition_of
from mirdemo.evidence.wording import corpus_title
from mirdemo.results import records as results
from mirdemo.results.bias import Figure
from mirdemo.results.records import Result, Results
from mirdemo.scoring.intervals import MINUS
from mirdemo.scoring.variances import contrast
from mirdemo.words.language import Speaker

WESTERN = "gtzan-mini"
#: The other tradition's corpus, by what its folds keep together -> Plotly's name of the mark.
FOLDS = {"kdc": "circle", "kdc-artists": "circle-open"}
UNTRAINED = "musicnn, untrained"
#: (first, second) titles: the same network untrained; one raised on synthetic music of six traditions; one architecture, two
#: upbringings.
PAIRS = (("musicnn-MSD", UNTRAINED), ("musicnn-MSD", "Mini-World"), ("Mini-West", "Mini-World"))

Measured = Mapping[tuple[str, str], Result]


@dataclass(frozen=True)
class Row:
    """One pair on the Western corpus and one of the other's: first minus second here, minus the same there.

    figure: the difference of differences; western, other: the two differences; n: recordings, and what the folds of the
        other kept together (artists of it, where those)
    """

    first: str
    second: str
    corpus: str
    figure: Figure
    western: float
    other: float
    n: tuple[int, int]


def rows(measured: Results, untrained: Results, metric: str) -> list[Row]:
    """Every pair that was measured on both sides with the influences of the same recordings."""
    found: dict[tuple[str, str], Result] = {}
    for record in sorted((*measured, *untrained), key=lambda r: r.date or ""):
        plain = record.method == "probe" and record.tag is None and record.seed is None
        if plain and record.metric == metric and record.protocol == "live" and record.whitening is None:
            found[record.model, record.corpus] = record
    made = [_row(found, first, second, corpus) for first, second in PAIRS for corpus in FOLDS]
    return [row for row in made if row is not None]


def _row(found: Measured, first: str, second: str, corpus: str) -> Row | None:
    parts, n = [], []
    for weight, where in ((1.0, WESTERN), (-1.0, corpus)):
        one, other = found.get((first, where)), found.get((second, where))
        if one is None or other is None or not (one.influences and other.influences):
            return None
        if one.corpus_revision != other.corpus_revision or len(one.influences) != len(other.influences):
            return None
        influences = np.array(one.influences) - np.array(other.influences)
        parts.append((weight, one.value - other.value, influences))
        n.append(len(influences))
    interval = contrast(parts)
    figure = Figure(interval.known, *interval.ends, interval.level)
    return Row(first, second, corpus, figure, parts[0][1], parts[1][1], (n[0], n[1]))


def unheard(
    metric: str, t: Speaker, *, measured: Results | None = None, untrained: Results | None = None
) -> Chart:
    """A row a pair, a mark a way to fold, with intervals; zero: as good on the one music as on the other.

    measured, untrained: None: what ships (``results.on_real_traditions``, ``results.untrained``)
    """
    measured = results.on_real_traditions() if measured is None else measured
    found = rows(measured, results.untrained() if untrained is None else untrained, metric)
    how = str(t("evidence.unheard.how"))
    if not found:
        return Chart(str(t("evidence.unheard.title")), None, how, empty=str(t("evidence.unheard.empty")))
    pairs = [pair for pair in PAIRS if any((row.first, row.second) == pair for row in found)]
    height = 110 + 64 * len(pairs)
    figure = bare_figure(height=height, left=230, top=34, bottom=52)
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    shown = [corpus for corpus in FOLDS if any(row.corpus == corpus for row in found)]
    for at, corpus in enumerate(shown):
        of = [row for row in found if row.corpus == corpus]
        lift = 0.14 * (2 * at - 1) if len(shown) > 1 else 0.0
        figure.add_scatter(
            x=[100 * row.figure.value for row in of],
            y=[pairs.index((row.first, row.second)) + lift for row in of],
            mode="markers",
            name=str(t("evidence.unheard.folds." + corpus)),
            showlegend=len(shown) > 1,
            marker={
                "symbol": FOLDS[corpus],
                "size": 12,
                "color": colour(tradition_of(corpus)),
                "line": {
                    "color": GROUND if FOLDS[corpus] == "circle" else colour(tradition_of(corpus)),
                    "width": 2,
                },
            },
            text=[_told(row, metric, t) for row in of],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
            **error_bars([row.figure for row in of], "x", scale=100),
        )
    labels = [
        str(t("evidence.unheard.pair", first=first, second=_named(second, t))) for first, second in pairs
    ]
    figure.update_yaxes(
        tickvals=list(range(len(pairs))), ticktext=labels, range=[len(pairs) - 0.5, -0.5], showgrid=False
    )
    axis = t("evidence.unheard.axis", metric=t("evidence.metric." + metric))
    figure.update_xaxes(title={"text": str(axis)}, tickformat="+.0f")
    figure.update_layout(showlegend=len(shown) > 1)
    return drawn(
        _title(found, t),
        figure,
        "\n".join([how, *(_line(row, t) for row in found)]),
        height=height,
        narrow={
            "margin": {"l": 120, "r": 12, "t": 70, "b": 70},
            "height": height + 60,
            "yaxis.ticktext": [label.replace(f" {MINUS} ", f"<br>{MINUS} ") for label in labels],
            "yaxis.tickfont": {"size": 13},
            "xaxis.title.text": str(t("evidence.unheard.axis_narrow")),
            "xaxis.title.font": {"size": 13},
        },
        sources=tuple(corpus_title(corpus) for corpus in (WESTERN, shown[0])),
    )


def _named(model: str, t: Speaker) -> str:
    return str(t("evidence.unheard.untrained")) if model == UNTRAINED else model


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
    return "<br>".join(
        (
            str(t("evidence.unheard.hover.pair", first=row.first, second=_named(row.second, t))),
            str(
                t(
                    "evidence.unheard.hover.western",
                    metric=t("evidence.metric." + metric),
                    points=_points(row.western),
                )
            ),
            str(
                t(
                    "evidence.unheard.hover.other",
                    metric=t("evidence.metric." + metric),
                    points=_points(row.other),
                )
            ),
            str(t("evidence.unheard.hover.between", **_ends(row))),
            str(t(f"evidence.unheard.hover.n.{row.corpus}", western=row.n[0], other=row.n[1])),
        )
    )


def _line(row: Row, t: Speaker) -> str:
    return str(
        t(
            f"evidence.unheard.row.{row.corpus}",
            first=row.first,
            second=_named(row.second, t),
            western=_points(row.western),
            other=_points(row.other),
            n_western=row.n[0],
            n_other=row.n[1],
            **_ends(row),
        )
    )
