"""Two live curves while it trains; one paired chart of what it bought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import escape

from mirdemo.evidence.charting import ACCENT, FAINT, INK, Chart, bare_figure, drawn
from mirdemo.evidence.figure import Figure
from mirdemo.scoring.intervals import MINUS, Interval, signed
from mirdemo.stages.finetuning import Epoch, FineTuneReport, TagGain
from mirdemo.stages.probing import Figures
from mirdemo.web.tabs.probe.shown import difference_words, figure_words
from mirdemo.words.language import Speaker

LIVE_HEIGHT = 200
#: Characters of a tag beside a chart.
LONGEST = 22
#: What is compared, and its mark; the two differences, their marks and their places in a row.
_SIDES = (("probed", "circle-open"), ("untrained", "triangle-up-open"), ("tuned", "circle"))
_DIFFERENCES = (("added", "diamond", -0.16), ("gain", "diamond-open", 0.16))


def live(epochs: Sequence[Epoch], t: Speaker) -> tuple[Chart, ...]:
    """Loss in training and ROC-AUC on held-out recordings, a line a fold, the latest one in the accent.

    The second is left out where no recordings are held out. What a fold is trained once more adds no line.
    """
    epochs = [one for one in epochs if not one.again]
    if not epochs:
        return ()
    now = epochs[-1]
    fold = (
        t("fine-tune.live.final")
        if now.run == now.runs - 1
        else t("fine-tune.live.fold", fold=now.run + 1, folds=now.runs - 1)
    )
    at = {"epoch": now.epoch, "fold": fold}
    charts = [_curve(epochs, "loss", t("fine-tune.live.loss", value=f"{now.loss:.2f}", **at), t)]
    judged = [one for one in epochs if one.held_out_auc is not None]
    if judged:
        last = judged[-1]
        charts.append(
            _curve(judged, "held_out_auc", t("fine-tune.live.auc", value=f"{last.held_out_auc:.2f}"), t)
        )
    return tuple(charts)


def _curve(epochs: Sequence[Epoch], what: str, title: str, t: Speaker) -> Chart:
    figure = bare_figure(height=LIVE_HEIGHT, left=44, bottom=40)
    latest = epochs[-1].run
    for run in sorted({one.run for one in epochs}):
        mine = [one for one in epochs if one.run == run]
        is_latest = run == latest
        figure.add_scatter(
            x=[one.epoch for one in mine],
            y=[getattr(one, what) for one in mine],
            mode="lines+markers" if is_latest else "lines",
            line={"color": ACCENT if is_latest else INK, "width": 2.5 if is_latest else 1},
            marker={"size": 6},
            opacity=1 if is_latest else 0.55,
            hovertemplate="%{x}: %{y:.2f}<extra></extra>",
        )
    figure.update_xaxes(
        title={"text": str(t("fine-tune.live.epoch"))}, range=[0.5, epochs[-1].epochs + 0.5], tickformat="d"
    )
    if what == "held_out_auc":
        figure.update_yaxes(range=[0, 1.05], tickvals=[0, 0.5, 1])
    else:
        figure.update_yaxes(rangemode="tozero", nticks=4)
    return drawn(title, figure, t("fine-tune.live.how"), height=LIVE_HEIGHT)


def paired(report: FineTuneReport, t: Speaker) -> Chart:
    """A row a tag and one for their mean: the figures on the left; on the right what training adds, and under it what
    is gained over the best probe."""
    rows = [report.macro, *report.tags]
    height = 108 + 52 * len(rows)
    figure = bare_figure(height=height, left=120, top=50, bottom=46)
    sides = [[_of(row, name).roc_auc for name, _ in _SIDES] for row in rows]
    gains = [(row.added.roc_auc, row.gain.roc_auc) for row in rows]
    _add_sides(figure, rows, sides, t)
    for index, (name, symbol, shift) in enumerate(_DIFFERENCES):
        _add_differences(figure, rows, [pair[index] for pair in gains], name, symbol, shift, t)
    for at, dash in ((0.0, "solid"), (report.smallest_gain, "dot")):
        figure.add_shape(
            type="line",
            xref="x2",
            yref="paper",
            x0=at,
            x1=at,
            y0=0,
            y1=1,
            line={"color": INK, "width": 1, "dash": dash},
        )
    left, *right = _headings(report, t)
    for words in (left, *right):
        figure.add_annotation(**words)
    names = [_heading(row, t) for row in rows]
    low = min([0.5, *(one.value for side in sides for one in side if one.value is not None)])
    figure.update_layout(
        **_two_axes(low, _reach_of(gains), t),
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
        },
    )
    with_values = [
        f"{name}<br>{_number(side[0].value)} → {_number(side[2].value)}"
        for name, side in zip(names, sides, strict=True)
    ]
    narrow = {
        "xaxis.visible": False,
        "xaxis.domain": [0, 0.001],
        "xaxis2.domain": [0, 1],
        "yaxis.ticktext": with_values,
        "annotations": [  # there is less room: both end at the right
            {**right[0], "xref": "paper", "x": 1, "xanchor": "right"},
            {**right[1], "xanchor": "right"},
        ],
        **{f"traces.{index}": {"visible": False} for index in range(4)},
    }
    return drawn(_finding(report, t), figure, t("fine-tune.chart.how"), height=height, narrow=narrow)


def _add_sides(
    figure: Figure, rows: Sequence[TagGain], sides: Sequence[Sequence[Interval]], t: Speaker
) -> None:
    """The three figures of each row, and a line from the lowest to the highest."""
    y = list(range(len(rows)))
    both = [place for place, side in zip(y, sides, strict=True) if None not in [one.value for one in side]]
    figure.add_scatter(
        x=[value for place in both for value in (*_ends(sides[place]), None)],
        y=[value for place in both for value in (place, place, None)],
        mode="lines",
        line={"color": INK, "width": 1.5},
        hoverinfo="skip",
    )
    for index, (name, symbol) in enumerate(_SIDES):
        figure.add_scatter(
            x=[side[index].value for side in sides],
            y=y,
            mode="markers",
            marker={
                "symbol": symbol,
                "size": 11,
                "color": ACCENT if name == "tuned" else INK,
                "line": {"width": 2},
            },
            hovertext=[
                f"{row_name(row, t)}<br>{t('fine-tune.chart.' + name)}: {figure_words(t, side[index])}"
                for row, side in zip(rows, sides, strict=True)
            ],
            hoverinfo="text",
        )


def _add_differences(
    figure: Figure,
    rows: Sequence[TagGain],
    own: Sequence[Interval],
    name: str,
    symbol: str,
    shift: float,
    t: Speaker,
) -> None:
    """One of ``_DIFFERENCES``, with its intervals, on the right axis."""
    figure.add_scatter(
        x=[one.value for one in own],
        y=[place + shift for place in range(len(rows))],
        xaxis="x2",
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": ACCENT, "line": {"width": 2, "color": ACCENT}},
        error_x={
            "type": "data",
            "array": [_reach(one.high, one.value) for one in own],
            "arrayminus": [_reach(one.value, one.low) for one in own],
            "color": INK,
            "thickness": 1.5,
            "width": 4,
        },
        hovertext=[
            f"{row_name(row, t)}<br>{t('fine-tune.chart.' + name)}: {_gain_words(one, t)}"
            for row, one in zip(rows, own, strict=True)
        ],
        hoverinfo="text",
    )


def _headings(report: FineTuneReport, t: Speaker) -> tuple[dict[str, Any], ...]:
    """Over the left axis, over the right one, and at the upper end of the dotted line."""
    head = {"showarrow": False, "yref": "paper", "y": 1, "yanchor": "bottom", "xanchor": "left", "x": 0}
    return (
        {**head, "yshift": 20, "text": str(t("fine-tune.chart.both")), "xref": "x domain"},
        {**head, "yshift": 20, "text": str(t("fine-tune.chart.differences")), "xref": "x2 domain"},
        {
            **head,
            "text": str(t("fine-tune.chart.smallest", gain=signed(report.smallest_gain))),
            "xref": "x2",
            "x": report.smallest_gain,
            "font": {"size": 13},
        },
    )


def _reach_of(gains: Sequence[Sequence[Interval]]) -> float:
    """How far the differences and their intervals go from 0, at least 0.05."""
    every = [v for pair in gains for one in pair for v in (one.value, one.low, one.high)]
    return max([0.05, *(abs(v) for v in every if v is not None)])


def _two_axes(low: float, span: float, t: Speaker) -> dict[str, Any]:
    """Figures on the left, from a little below ``low``; differences on the right, as far as ``span`` to both sides."""
    ticks = _ticks(1.1 * span)
    axis = {"fixedrange": True, "showgrid": True, "gridcolor": FAINT, "ticks": "", "automargin": True}
    return {
        "xaxis": {
            **axis,
            "domain": [0, 0.46],
            "range": [max(-0.03, low - 0.05), 1.03],
            "title": {"text": "ROC-AUC"},
        },
        "xaxis2": {
            **axis,
            "domain": [0.54, 1],
            "anchor": "y",
            "range": [-1.1 * span, 1.1 * span],
            "tickvals": ticks,
            "ticktext": [_tick(tick) for tick in ticks],
            "zeroline": False,
            "title": {"text": str(t("fine-tune.chart.axis"))},
        },
    }


def _finding(report: FineTuneReport, t: Speaker) -> str:
    """How many tags the training raised, and of how many one can be sure that it raised or lowered them."""
    gains = [tag.added.roc_auc for tag in report.tags if tag.added.roc_auc.value is not None]
    return t(
        "fine-tune.chart.finding",
        up=sum(gain.value > 0 for gain in gains),
        n=len(gains),
        better=sum(gain.low is not None and gain.low > 0 for gain in gains),
        worse=sum(gain.high is not None and gain.high < 0 for gain in gains),
    )


def _of(row: TagGain, side: str) -> Figures:
    return {"probed": row.probed, "untrained": row.untrained, "tuned": row.figures}[side]


def _ends(side: Sequence[Interval]) -> tuple[float, float]:
    """The lowest and the highest of figures that are all there."""
    values = [one.value for one in side if one.value is not None]
    return min(values), max(values)


def row_name(row: TagGain, t: Speaker) -> str:
    """A tag, escaped and not too long; or the words for the mean."""
    if row.tag is None:
        return str(t("fine-tune.chart.mean"))
    return str(escape(row.tag if len(row.tag) <= LONGEST else row.tag[: LONGEST - 1] + "…"))


def _heading(row: TagGain, t: Speaker) -> str:
    name = row_name(row, t)
    return f"<b>{name}</b>" if row.tag is None else name


def _gain_words(gain: Interval, t: Speaker) -> str:
    found = difference_words(t, gain)
    return str(t("probe.no_figure")) if found is None else " ".join(map(str, found))


def _ticks(reach: float) -> list[float]:
    """At most five round differences within ``reach``, as many below zero as above."""
    step = next((step for step in (0.025, 0.05, 0.1, 0.25, 0.5) if reach < 3 * step), 1.0)
    return [step * count for count in range(-2, 3) if abs(step * count) <= reach]


def _tick(difference: float) -> str:
    """``+0.1``, ``−0.025``, and zero without a sign."""
    sign = "" if difference == 0 else "+" if difference > 0 else MINUS
    return f"{sign}{abs(difference):g}"


def _reach(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else high - low


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
