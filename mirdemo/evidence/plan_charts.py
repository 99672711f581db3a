"""The charts of a plan: futures as dots, the learning curve, what labels are worth, where the advice turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from mirdemo.evidence.charting import ACCENT, BEHIND, GROUND, INK, Chart, bare_figure, drawn, faded
from mirdemo.evidence.figure import Figure
from mirdemo.planning import NAMES, Plan
from mirdemo.planning.labels import labels_for_target, mended, reached
from mirdemo.planning.say import FUTURES, name_of, range_of
from mirdemo.planning.switching import SPAN
from mirdemo.words.durations import time_of
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.planning.ways import Growth

#: Minutes are drawn on steps this share of the axis wide, so that dots of one place stand on each other.
STEP = 1 / 44
#: Sizes of a row, in pixels; one of switching values has room for two lines above its bar.
ROW, BASE, SWITCH = 84, 66, 64
#: Characters of an action's name on a phone; Japanese ones are twice as wide.
LONGEST = {"en": 30, "ja": 17}

Title = Callable[[str], str]


def charts(plan: Plan, t: Speaker, title: Title = str) -> tuple[tuple[str, Chart], ...]:
    """All charts that have something to say, named, in the order of the page. title: what a backbone is called."""
    if plan.futures is None:
        return ()
    found = [("futures", futures(plan, t, title))]
    if plan.evidence.growth is not None:
        found.append(("curve", curve(plan, t)))
    if plan.advice.labels is not None and len(plan.advice.labels.more):
        found.append(("labels", labels(plan, t)))
    found.append(("switches", switches(plan, t)))
    return tuple(found)


def futures(plan: Plan, t: Speaker, title: Title = str) -> Chart:
    """Twenty dots an action on one axis of minutes saved on 100 recordings: filled where time is saved."""
    advice = plan.advice
    rows = sorted((a for a in advice.actions if a.way is not None), key=lambda action: -action.expected)
    dots = [action.dots for action in rows]
    low, high = min(0.0, *(d.min() for d in dots)), max(0.0, *(d.max() for d in dots))
    span = max(high - low, 1e-6)
    height = BASE + ROW * len(rows)
    figure = bare_figure(height=height, left=10, top=6, bottom=50)
    for y, values in enumerate(dots):
        places, levels = _stacked(values, span * STEP)
        for saves, symbol in ((True, "circle"), (False, "circle-open")):
            chosen = (values > 0) == saves
            figure.add_scatter(
                x=places[chosen],
                y=y - 0.04 - 0.085 * levels[chosen],
                mode="markers",
                marker={
                    "size": 9,
                    "symbol": symbol,
                    "color": ACCENT if saves else INK,
                    "line": {"width": 1.5},
                },
                hovertemplate="%{x:.0f}<extra></extra>",
            )
    wide, slim = [], []
    for y, action in enumerate(rows):
        # Beside the dots alone: a row's words stand under them, and no line goes through words.
        figure.add_shape(type="line", x0=0, x1=0, y0=y - 0.58, y1=y + 0.04, line={"color": INK, "width": 1.5})
        way = str(t.say(name_of(plan, action, title)))
        says = {"k": round(FUTURES * action.saves), "of": FUTURES}
        place = {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": y + 0.22,
            "showarrow": False,
            "align": "left",
        }
        place |= {"yanchor": "middle", "bgcolor": GROUND, "borderpad": 2}
        wide.append({**place, "text": str(t("plan.chart.futures.row", way=Markup(way), **says))})
        most = LONGEST[t.language]
        short = Markup(way if len(way) <= most else way[: most - 1] + "…")
        slim.append(
            {**place, "text": str(t("plan.chart.futures.slim", way=short, **says)), "font": {"size": 13}}
        )
    for words in wide:
        figure.add_annotation(**words)
    figure.update_xaxes(
        range=[low - 0.04 * span, high + 0.04 * span],
        title={"text": str(t("plan.chart.futures.axis"))},
        nticks=7,
    )
    figure.update_yaxes(range=[len(rows) - 0.45, -0.6], visible=False)
    assert advice.using is not None
    best = advice.actions[advice.using]
    finding = t(
        "plan.chart.futures.title",
        way=t.say(name_of(plan, best, title)),
        k=round(FUTURES * best.saves),
        of=FUTURES,
    )
    how = t(
        "plan.chart.futures.how.sessions" if plan.evidence.sessions else "plan.chart.futures.how",
        sessions=plan.evidence.n_units,
        n=plan.evidence.n_recordings,
        certainty=t.say(time_of(advice.certainty)),
    )
    narrow = {
        "annotations": slim,
        "xaxis.title.text": str(t("plan.chart.futures.axis.slim")),
        "xaxis.nticks": 4,
    }
    return drawn(finding, figure, how, height=height, narrow=narrow)


def _stacked(values: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Places on the axis, and how many dots already stand there: for values in order."""
    places, levels = np.round(values / step) * step, np.zeros(len(values))
    seen: dict[int, int] = {}
    for i, place in enumerate(np.round(values / step).astype(int).tolist()):
        levels[i] = seen.get(place, 0)
        seen[place] = seen.get(place, 0) + 1
    return places, levels


def curve(plan: Plan, t: Speaker) -> Chart:
    """The learning curve: measured solid, carried on hatched, with today, the labels advised, the target and the cost."""
    growth, n, found = plan.evidence.growth, plan.evidence.n_recordings, plan.advice.labels
    assert growth is not None  # the page and the report ask only then
    target = plan.assumptions.target
    figure = bare_figure(height=340, left=52, top=30, bottom=50)
    x = list(growth.recordings)
    _measured(figure, growth)
    last = x[-1] if x else 0.0
    right = max(growth.reach if growth.goes_on else 2 * n, n + 1, last + 1)
    if growth.goes_on:
        _carried_on(figure, growth, right)
    else:
        _hatched(figure, [last, right, right, last], [0, 0, 1, 1])
        figure.add_annotation(
            x=(last + right) / 2,
            y=0.5,
            text=str(t("plan.chart.curve.unknown")),
            showarrow=False,
            bgcolor=GROUND,
        )
    _upright(figure, n, str(t("plan.chart.curve.today", n=n)))
    if found is not None and found.best and growth.goes_on:
        _upright(figure, n + found.best, str(t("plan.chart.curve.label", more=found.best)), dash="dot")
    figure.add_shape(
        type="line", x0=0, x1=right, y0=target, y1=target, line={"color": INK, "width": 1, "dash": "dash"}
    )
    figure.add_annotation(
        x=0, y=target, text=str(t("plan.chart.curve.target", target=f"{target:.2f}")), showarrow=False,
        xanchor="left", yanchor="bottom",
    )  # fmt: skip
    figure.update_xaxes(range=[0, right * 1.04], title={"text": str(t("plan.chart.curve.axis"))}, nticks=7)
    figure.update_yaxes(
        range=[0, 1.05], tickvals=[0, 0.25, 0.5, 0.75, 1], title={"text": str(t("plan.chart.curve.f1"))}
    )
    # What the labels to the right of today cost, on an axis of its own.
    most = right - n
    figure.add_scatter(
        x=[n, right],
        y=[0, most * plan.assumptions.hand_minutes],
        yaxis="y2",
        mode="lines",
        line={"color": INK, "width": 1},
        opacity=0.6,
        hovertemplate="%{y:.0f}<extra></extra>",
    )
    figure.update_layout(
        margin={"r": 56},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "fixedrange": True,
            "range": [0, 2.1 * most * plan.assumptions.hand_minutes],
            "nticks": 5,
            "title": {"text": str(t("plan.chart.curve.cost")), "standoff": 8},
        },
    )
    return drawn(_curve_finding(plan, t), figure, t("plan.chart.curve.how"), height=340)


def _measured(figure: Figure, growth: Growth) -> None:
    x, y = list(growth.recordings), list(growth.f1)
    # A point without an interval has no bar.
    above = [0.0 if high is None else high - at for high, at in zip(growth.high, y, strict=True)]
    below = [0.0 if low is None else at - low for low, at in zip(growth.low, y, strict=True)]
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": ACCENT, "width": 2.5},
        marker={"size": 7},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "color": faded(ACCENT, BEHIND),
            "thickness": 1.5,
            "width": 4,
        },
        hovertemplate="%{x:.0f}: %{y:.2f}<extra></extra>",
    )


def _carried_on(figure: Figure, growth: Growth, right: float) -> None:
    """From the last measured mean to the right end, and its doubt."""
    far = np.linspace(growth.recordings[-1], right, 40)
    rise = growth.at(far) - growth.at(far)[0]
    spread = 1.645 * growth.spread * rise
    # From the last measured mean on, so that the line has no step; its doubt grows with what is added.
    value = growth.f1[-1] + rise
    figure.add_scatter(x=far, y=value, mode="lines", line={"color": ACCENT, "width": 2, "dash": "dot"})
    _hatched(
        figure, [*far, *far[::-1]], [*np.minimum(value + spread, 1), *np.maximum(value - spread, 0)[::-1]]
    )


def _curve_finding(plan: Plan, t: Speaker) -> str:
    growth, n = plan.evidence.growth, plan.evidence.n_recordings
    assert growth is not None
    if not growth.goes_on:
        why = t.say(growth.refusal) if growth.refusal is not None else t("plan.chart.curve.unknown")
        return t("plan.chart.curve.title.refused", n=n, why=why)
    most = max(int(growth.reach - n), 0)
    more = plan.advice.labels.best if plan.advice.labels is not None else 0
    share = float(mended(growth, n, more or most))
    chance = reached(growth, n, most, plan.assumptions.target)
    lost = plan.assumptions.recordings * plan.assumptions.hand_minutes * (1 - share)
    wanted = labels_for_target(chance, plan.assumptions.hand_minutes, lost)
    return t(
        "plan.chart.curve.title.goes_on",
        more=more or most,
        share=round(100 * share),
        target=f"{plan.assumptions.target:.2f}",
        wanted=wanted,
        chance=round(100 * float(chance[wanted])),
    )


def _hatched(figure, x, y) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(0,0,0,0)",
        fillpattern={"shape": "/", "fgcolor": faded(ACCENT, 0.55), "bgcolor": "rgba(0,0,0,0)", "size": 7},
        hoverinfo="skip",
    )


def _upright(figure, x: float, text: str, dash: str = "solid") -> None:
    figure.add_shape(
        type="line", x0=x, x1=x, yref="paper", y0=0, y1=1, line={"color": INK, "width": 1, "dash": dash}
    )
    figure.add_annotation(
        x=x, yref="paper", y=1, yanchor="bottom", xanchor="center", text=text, showarrow=False, font={"size": 13}
    )  # fmt: skip


def labels(plan: Plan, t: Speaker) -> Chart:
    """What more labels are worth, minus their cost, against their number."""
    found = plan.advice.labels
    assert found is not None  # the page and the report ask only then
    figure = bare_figure(height=280, left=56, top=26, bottom=50)
    figure.add_scatter(
        x=found.more,
        y=found.net,
        mode="lines",
        line={"color": ACCENT, "width": 2.5},
        hovertemplate="%{x}: %{y:.0f}<extra></extra>",
    )
    figure.add_scatter(
        x=found.more,
        y=found.worth,
        mode="lines",
        line={"color": INK, "width": 1, "dash": "dot"},
        hovertemplate="%{x}: %{y:.0f}<extra></extra>",
    )
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, line={"color": INK, "width": 1.5})
    if found.best:
        top = float(found.net[found.best - 1])
        figure.add_scatter(
            x=[found.best], y=[top], mode="markers", marker={"size": 13, "symbol": "diamond", "color": ACCENT}
        )
        title = t(
            "plan.chart.labels.title.worth",
            more=found.best,
            time=t.say(time_of(top)),
            cost=t.say(time_of(found.cost[found.best - 1])),
        )
    else:
        title = t("plan.chart.labels.title.not_worth", reach=found.reach)
    figure.update_xaxes(
        title={"text": str(t("plan.chart.labels.axis"))}, rangemode="tozero", nticks=7, tickformat="d"
    )
    figure.update_yaxes(title={"text": str(t("plan.chart.labels.minutes"))}, nticks=5)
    model = t("plan.chart.labels.by_law") if found.by_law else ""
    return drawn(title, figure, t("plan.chart.labels.how", model=model), height=280)


def switches(plan: Plan, t: Speaker) -> Chart:
    """How far each assumption may be wrong before the advice turns, on one axis of times its value."""
    rows = plan.switches
    height = BASE + SWITCH * len(rows)
    figure = bare_figure(height=height, left=10, top=6, bottom=50)
    wide, slim = [], []
    for y, row in enumerate(rows):
        low = 1 / SPAN if row.low is None else row.low / row.scale
        high = SPAN if row.high is None else row.high / row.scale
        figure.add_scatter(
            x=[low, high],
            y=[y, y],
            mode="lines",
            line={"color": faded(ACCENT, BEHIND), "width": 9},
            hoverinfo="skip",
        )
        ends = [(low, row.low), (high, row.high)]
        figure.add_scatter(
            x=[at for at, turn in ends if turn is not None],
            y=[y for _, turn in ends if turn is not None],
            mode="markers",
            marker={"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": INK}},
            hoverinfo="skip",
        )
        held = t("plan.chart.switches.anything")
        if row.low is not None or row.high is not None:
            held = t.say(range_of(row))
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": y - 0.15, "yanchor": "bottom"}
        place |= {"bgcolor": GROUND, "borderpad": 1, "showarrow": False, "align": "left"}
        values = {"what": t.say(NAMES[row.name]), "value": f"{row.value:,g}", "range": held}
        wide.append({**place, "text": str(t("plan.chart.switches.row", **values))})
        slim.append({**place, "text": str(t("plan.chart.switches.slim", **values)), "font": {"size": 13}})
    for words in wide:
        figure.add_annotation(**words)
    figure.add_shape(type="line", x0=1, x1=1, yref="paper", y0=0, y1=1, line={"color": INK, "width": 1})
    ticks = [1 / SPAN, 0.2, 1, 5, SPAN]
    figure.update_xaxes(
        type="log",
        range=[float(np.log10(0.9 / SPAN)), float(np.log10(1.1 * SPAN))],
        tickvals=ticks,
        ticktext=["1/20", "1/5", "1", "5", "20"],
        title={"text": str(t("plan.chart.switches.axis"))},
    )
    figure.update_yaxes(range=[len(rows) - 0.5, -0.75], visible=False)
    turning = [row for row in rows if row.low is not None or row.high is not None]
    title = (
        t("plan.chart.switches.title", what=t.say(NAMES[turning[0].name]))
        if turning
        else t("plan.chart.switches.title.none")
    )
    return drawn(title, figure, t("plan.chart.switches.how"), height=height, narrow={"annotations": slim})
