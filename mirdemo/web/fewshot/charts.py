"""The tab's charts: the map, the learning curve, the layers. Each title states what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import escape

from mirdemo.web.charting import FAINT, INK, Chart, bare_figure, drawn, faded, with_interval
from mirdemo.web.fewshot.placing import Plane, stars
from mirdemo.web.fewshot.studies import Curve, Layers, Setting
from mirdemo.web.language import Speaker

if TYPE_CHECKING:
    from mirdemo.intervals import Interval
    from mirdemo.web.player import Sounds
    from mirdemo.web.tagging import Answer, Built

ACCENT = "#4340b8"
#: Colours (Okabe and Ito 2008) and shapes of tags in turn; both differ, so that neither is needed alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#7A4E9E", "#8C6D46")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon", "hexagon2", "x")
#: Bars of the chart of layers; the rest is in the list of layers.
MOST_LAYERS = 10


def heading(t: Speaker, tags: Sequence[str]) -> str:
    """Tags as one line, escaped."""
    return t("few-shot.joint").join(tags) or t("few-shot.none")


def map_chart(built: Built, plane: Plane, answers: Sequence[Answer], sounds: Sounds, t: Speaker) -> Chart:
    """Clips by the colour and shape of their first tag, prototypes as stars, queries as ringed crosses.

    Every point plays when clicked: a prototype plays the clip nearest to it.
    """
    figure = bare_figure(height=480, left=16, bottom=36, top=8)
    clips, places = built.clips, plane.place(built.rows)
    first = [tags[0] if (tags := clips.tags_of(row)) else "" for row in range(len(clips))]
    looks = {tag: (COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]) for i, tag in enumerate(clips.tags)}
    inside = {clip.sha256 for clip in clips.clips}
    for tag in sorted(set(first), key=lambda tag: (not tag, tag)):
        rows = [row for row in range(len(clips)) if first[row] == tag]
        colour, shape = looks.get(tag, (INK, "circle-open"))
        figure.add_scatter(
            x=places[rows, 0],
            y=places[rows, 1],
            mode="markers",
            marker={"color": colour, "symbol": shape, "size": 13, "line": {"width": 1, "color": INK}},
            name=_plain(tag) or str(t("few-shot.none")),
            hovertext=[
                f"{_plain(clips.clips[row].name)}<br>{_plain(heading(t, clips.tags_of(row)))}" for row in rows
            ],
            hoverinfo="text",
            customdata=[{"play": sounds.track(clips.clips[row], bars=40).url} for row in rows],
        )
    for named in (False, True):
        some = [star for star in stars(built, plane) if bool(star.named) is named]
        figure.add_scatter(
            x=[star.x for star in some],
            y=[star.y for star in some],
            mode="markers+text" if named else "markers",
            text=[_plain(t("few-shot.joint").join(star.named)) for star in some] if named else None,
            textposition="top center",
            cliponaxis=False,
            textfont={"size": 13},
            marker={
                "symbol": "star" if named else "star-open",
                "size": 13 if named else 8,
                "color": [looks[star.named[0]][0] for star in some] if named else FAINT,
                "line": {"width": 1, "color": INK if named else "#8a867d"},
            },
            name=str(t("few-shot.map.prototype")),
            showlegend=named,
            hovertext=[
                f"{_plain(t('few-shot.map.prototype'))}<br>{_plain(heading(t, star.tags))}" for star in some
            ],
            hoverinfo="text",
            customdata=[{"play": sounds.track(clips.clips[star.clip], bars=40).url} for star in some],
        )
    asked = [one for one in answers if one.built is built and one.clip.sha256 not in inside]
    if asked:
        at = plane.place(np.stack([one.row for one in asked]))
        figure.add_scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers+text",
            text=[_plain(_short(one.clip.name)) for one in asked],
            textposition="bottom center",
            cliponaxis=False,
            textfont={"size": 13, "weight": 600},
            marker={"symbol": "circle-x-open", "size": 17, "color": INK, "line": {"width": 2.5}},
            name=str(t("few-shot.map.query")),
            hovertext=[f"{_plain(one.clip.name)}<br>{_plain(said(t, one))}" for one in asked],
            hoverinfo="text",
            customdata=[{"play": sounds.track(one.clip, bars=160).url} for one in asked],
        )
    blank = {"showticklabels": False, "zeroline": False, "showgrid": False}
    shares = [f"{100 * share:.0f}" for share in plane.share]
    figure.update_layout(
        showlegend=True, legend={"font": {"size": 13}, "itemclick": False, "itemdoubleclick": False}
    )
    figure.update_xaxes(title_text=str(t("few-shot.map.axis", n=1, percent=shares[0])), **blank)
    figure.update_yaxes(title_text=str(t("few-shot.map.axis", n=2, percent=shares[1])), **blank)
    return drawn(
        t("few-shot.map.share", percent=f"{100 * plane.share.sum():.0f}"),
        figure,
        t("few-shot.map.how"),
        height=480,
        narrow={"showlegend": False, "height": 400},
    )


def said(t: Speaker, one: Answer) -> str:
    """An answer in short."""
    return t("few-shot.unknown") if one.unknown else heading(t, one.tags)


def curve_chart(curve: Curve, t: Speaker) -> Chart:
    """Macro-F1 against recordings a tag: measured with intervals, and the extrapolation dashed and hollow."""
    from mirdemo.fewshot import Extrapolation

    report, none = curve.report, t("few-shot.no_interval")
    figure = bare_figure(height=320, left=48)
    x = [point.shots for point in report.points]
    y = [point.macro_f1.value for point in report.points]
    _ribbon(
        figure, x, [p.macro_f1.low for p in report.points], [p.macro_f1.high for p in report.points], 0.16
    )
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers+text",
        line={"color": ACCENT, "width": 2},
        marker={"size": 9, "color": ACCENT},
        text=[f"{value:.2f}" for value in y],
        textposition="top center",
        cliponaxis=False,
        hovertext=[
            str(
                t(
                    "few-shot.curve.point",
                    n=p.shots,
                    figure=figure_words(p.macro_f1, none),
                    clips=f"{p.clips:.0f}",
                )
            )
            for p in report.points
        ],
        hoverinfo="text",
    )
    beyond = report.extrapolation
    if isinstance(beyond, Extrapolation):
        x2, y2 = [x[-1], *beyond.shots.tolist()], [y[-1], *beyond.value.tolist()]
        _ribbon(figure, x2, [y[-1], *beyond.low.tolist()], [y[-1], *beyond.high.tolist()], 0.07)
        figure.add_scatter(
            x=x2,
            y=y2,
            mode="lines+markers",
            line={"color": ACCENT, "width": 2, "dash": "dot"},
            marker={"size": [0, *[8] * len(beyond.shots)], "color": ACCENT, "symbol": "circle-open"},
            hovertext=[
                "",
                *(
                    str(t("few-shot.curve.guess", n=int(k), figure=with_interval(v, lo, hi, none)))
                    for k, v, lo, hi in zip(beyond.shots, beyond.value, beyond.low, beyond.high, strict=True)
                ),
            ],
            hoverinfo="text",
        )
        x = x2
    ticks = sorted({k for k in (1, 2, 3, 5, 8, 13, 20, 30, 50, 100, 200) if k <= max(x)})
    figure.update_xaxes(
        title_text=str(t("few-shot.curve.x")),
        type="log",
        tickvals=ticks,
        ticktext=list(map(str, ticks)),
        showgrid=False,
    )
    figure.update_yaxes(title_text="Macro-F1", range=[0, 1.05], tickvals=[0, 0.25, 0.5, 0.75, 1])
    first, last = report.points[0], report.points[-1]
    title = t(
        "few-shot.curve.title",
        first=first.shots,
        last=last.shots,
        low=f"{first.macro_f1.value:.2f}",
        high=f"{last.macro_f1.value:.2f}",
    )
    if first is last:
        title = t("few-shot.curve.title.single", n=first.shots, value=f"{first.macro_f1.value:.2f}")
    how = t("few-shot.curve.how", repeats=report.repeats, recordings=report.n_recordings)
    return drawn(title, figure, how, height=320, narrow={"height": 280})


def _ribbon(figure: Any, x: list, low: list, high: list, alpha: float) -> None:
    known = [i for i in range(len(x)) if low[i] is not None and high[i] is not None]
    if not known:
        return
    if len(known) == 1:  # a band of one point is a whisker
        i = known[0]
        figure.add_scatter(
            x=[x[i]] * 2,
            y=[low[i], high[i]],
            mode="lines",
            line={"color": faded(ACCENT, 0.5), "width": 2},
            hoverinfo="skip",
        )
        return
    figure.add_scatter(
        x=[x[i] for i in known] + [x[i] for i in reversed(known)],
        y=[high[i] for i in known] + [low[i] for i in reversed(known)],
        fill="toself",
        fillcolor=faded(ACCENT, alpha),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def layer_chart(
    found: Layers, now: Setting, names: Callable[[Setting], tuple[str, str]], t: Speaker
) -> Chart:
    """The best settings by macro-F1, the one in use always among them. A click on a point applies it.

    names: Setting -> what its backbone and its layer are called, in this language
    """
    ranked = sorted(found.choice.candidates, key=lambda one: -(one.score.macro_f1.value or 0.0))
    shown = ranked[:MOST_LAYERS]
    shown += [one for one in ranked[MOST_LAYERS:] if one.name == now]
    shown = shown[::-1]
    none = t("few-shot.no_interval")
    height = 76 + 44 * len(shown)
    figure = bare_figure(height=height, left=8)
    for y, one in enumerate(shown):
        f1 = one.score.macro_f1
        if f1.low is not None:
            figure.add_scatter(
                x=[f1.low, f1.high],
                y=[y, y],
                mode="lines",
                line={"color": faded(ACCENT, 0.45), "width": 3},
                hoverinfo="skip",
            )
    figure.add_scatter(
        x=[one.score.macro_f1.value for one in shown],
        y=list(range(len(shown))),
        mode="markers",
        marker={
            "size": 12,
            "symbol": ["diamond" if one.name == now else "circle" for one in shown],
            "color": [INK if one.name == now else ACCENT for one in shown],
        },
        hovertext=[
            f"{_plain(t('few-shot.joint').join(names(one.name)))}<br>{figure_words(one.score.macro_f1, none)}"
            for one in shown
        ],
        hoverinfo="text",
        customdata=[
            {"act": "few-shot.listen", **one.name._asdict(), "whitened": str(one.name.whitened).lower()}
            for one in shown
        ],
    )
    chance = ranked[0].score.chance_macro_f1
    figure.add_vline(x=chance, line={"color": INK, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=chance,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="right" if chance > 0.5 else "left",
        showarrow=False,
        text=_plain(t("few-shot.layers.chance")),
        font={"size": 13},
    )
    labels = []
    for one in shown:
        backbone, layer = map(_plain, names(one.name))
        use = f" ({_plain(t('few-shot.layers.now'))})" if one.name == now else ""
        labels.append(f"{layer}{use}<br>{backbone}")
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=labels, range=[-0.6, len(shown) - 0.4], showgrid=False
    )
    figure.update_xaxes(title_text="Macro-F1", range=[0, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(margin={"t": 26})
    best, ahead = found.choice[found.choice.best], found.choice.ahead
    title = t(
        "few-shot.layers.clear" if found.choice.clear else "few-shot.layers.unclear",
        best=t("few-shot.setting", backbone=names(best.name)[0], layer=names(best.name)[1]),
        value=f"{best.score.macro_f1.value or 0:.2f}",
    )
    gap = t("few-shot.layers.no_gap")
    if ahead is not None and ahead.value is not None:
        gap = t("few-shot.layers.gap", gap=figure_words(ahead, none))
    how = t(
        "few-shot.layers.how",
        gap=gap,
        expected=figure_words(found.choice.chosen.macro_f1, none),
        n=len(found.choice.candidates),
        recordings=found.choice.chosen.n_recordings,
    )
    return drawn(
        title,
        figure,
        how,
        height=height,
        narrow={"xaxis": {"tickvals": [0, 0.5, 1]}, "yaxis": {"tickfont": {"size": 13}}},
    )


def figure_words(figure: Interval, none: str) -> str:
    """``0.84 (0.76-0.90)``; a dash where there is no figure."""
    if figure.value is None:
        return "–"
    return with_interval(figure.value, figure.low, figure.high, none)


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _plain(text: str) -> str:
    """Text as Plotly draws it: what is not escaped yet is, for Plotly reads a small markup language."""
    return str(escape(text))
