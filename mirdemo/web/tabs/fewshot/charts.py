"""The tab's charts: the map, the learning curve, the layers. Each title states what is drawn."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import escape

from mirdemo.evidence.charting import (
    ACCENT,
    BEHIND,
    GREY,
    INK,
    Chart,
    bare_figure,
    drawn,
    faded,
    with_interval,
)
from mirdemo.evidence.figure import Figure
from mirdemo.web.tabs.fewshot.labels import name_places
from mirdemo.web.tabs.fewshot.placing import Plane, Star, stars
from mirdemo.web.tabs.fewshot.studies import Curve, Layers, LayersDraft, Setting
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from mirdemo.scoring.intervals import Interval
    from mirdemo.stages.fewshot import CurvePoint, CurveSoFar
    from mirdemo.stages.fewshot.layer_choice import Candidate
    from mirdemo.web.frame.player import Sounds
    from mirdemo.web.tagging import Answer, Built

#: Colours (Okabe and Ito 2008) and shapes of tags in turn; both differ, so that neither is needed alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#7A4E9E", "#8C6D46")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon", "hexagon2", "x")
#: The map's plot, width and height in pixels, on a desktop and on a phone: as far as names must make room.
MAP_PLOT, NARROW_PLOT = (900.0, 380.0), (300.0, 330.0)
#: Bars of the chart of layers; the rest is in the list of layers.
MOST_LAYERS = 10
#: Of that chart, in pixels: a row, and all that is above and below the rows.
_ROW, _ENDS = 44, 76

#: What a setting's backbone and its layer are called, in the reader's language.
Names = Callable[[Setting], tuple[str, str]]


def heading(t: Speaker, tags: Sequence[str]) -> str:
    """Tags as one line, escaped."""
    return t("few-shot.joint").join(tags) or t("few-shot.none")


def map_chart(built: Built, plane: Plane, answers: Sequence[Answer], sounds: Sounds, t: Speaker) -> Chart:
    """Clips by the colour and shape of their first tag, prototypes as stars, queries as ringed crosses.

    Every point plays when clicked: a prototype plays the clip nearest to it. Named are the latest query and the
    prototypes of its tags, without a query every prototype of a whole tag, but on a phone none.
    """
    figure = bare_figure(height=480, left=16, bottom=36, top=8)
    inside = {clip.sha256 for clip in built.clips.clips}
    asked = [one for one in answers if one.built is built and one.clip.sha256 not in inside]
    places, found = plane.place(built.rows), stars(built, plane)
    at = plane.place(np.stack([one.row for one in asked])) if asked else np.empty((0, 2))
    _add_clips(figure, built, places, sounds, t)
    _add_stars(figure, built, found, sounds, t)
    _add_queries(figure, asked, at, sounds, t)
    every = np.vstack([places, *((star.x, star.y) for star in found), at])
    spans = [_padded(every[:, axis]) for axis in (0, 1)]
    narrow = _add_names(figure, found, asked, np.vstack([places, at]), at, spans, t)
    blank = {"showticklabels": False, "zeroline": False, "showgrid": False}
    shares = [f"{100 * share:.0f}" for share in plane.share]
    figure.update_layout(
        showlegend=True, legend={"font": {"size": 13}, "itemclick": False, "itemdoubleclick": False}
    )
    for update, n, span in ((figure.update_xaxes, 1, spans[0]), (figure.update_yaxes, 2, spans[1])):
        update(title={"text": str(t("few-shot.map.axis", n=n, percent=shares[n - 1]))}, range=span, **blank)
    return drawn(
        t("few-shot.map.share", percent=f"{100 * plane.share.sum():.0f}"),
        figure,
        t("few-shot.map.how"),
        height=480,
        narrow={
            "showlegend": False,
            "height": 400,
            f"traces.{len(figure.data) - 1}": {"textposition": narrow, "visible": bool(asked)},
        },
    )


def _looks(tags: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Tag -> its colour and shape on the map."""
    return {tag: (COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]) for i, tag in enumerate(tags)}


def _add_clips(figure: Figure, built: Built, places: np.ndarray, sounds: Sounds, t: Speaker) -> None:
    clips = built.clips
    first = [tags[0] if (tags := clips.tags_of(row)) else "" for row in range(len(clips))]
    looks = _looks(clips.tags)
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


def _add_stars(figure: Figure, built: Built, found: Sequence[Star], sounds: Sounds, t: Speaker) -> None:
    """The prototypes: those of whole tags large and in the tag's colour."""
    clips, looks = built.clips, _looks(built.clips.tags)
    for named in (False, True):
        some = [star for star in found if bool(star.named) is named]
        figure.add_scatter(
            x=[star.x for star in some],
            y=[star.y for star in some],
            mode="markers",
            marker={
                "symbol": "star" if named else "star-open",
                "size": 13 if named else 8,
                "color": [looks[star.named[0]][0] for star in some] if named else GREY,
                "line": {"width": 1, "color": INK if named else GREY},
            },
            name=str(t("few-shot.map.prototype")),
            showlegend=named,
            hovertext=[
                f"{_plain(t('few-shot.map.prototype'))}<br>{_plain(heading(t, star.tags))}" for star in some
            ],
            hoverinfo="text",
            customdata=[{"play": sounds.track(clips.clips[star.clip], bars=40).url} for star in some],
        )


def _add_queries(figure: Figure, asked: Sequence[Answer], at: np.ndarray, sounds: Sounds, t: Speaker) -> None:
    if not asked:
        return
    figure.add_scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"symbol": "circle-x-open", "size": 17, "color": INK, "line": {"width": 2.5}},
        name=str(t("few-shot.map.query")),
        hovertext=[f"{_plain(one.clip.name)}<br>{_plain(said(t, one))}" for one in asked],
        hoverinfo="text",
        customdata=[{"play": sounds.track(one.clip, bars=160).url} for one in asked],
    )


def _add_names(
    figure: Figure,
    found: Sequence[Star],
    asked: Sequence[Answer],
    dots: np.ndarray,
    at: np.ndarray,
    spans: Sequence[Sequence[float]],
    t: Speaker,
) -> list[str]:
    """Names of prototypes and of the latest query, where they hide neither each other nor a dot; their places on a phone.

    dots: (n, 2) of clips and queries; at: (n, 2) of queries
    """
    heads = [star for star in found if star.named and (not asked or {*star.named} & {*asked[-1].given})]
    names: list[str] = [t("few-shot.joint").join(star.named) for star in heads]
    names += [_short(one.clip.name) for one in asked[-1:]]
    named_at = np.vstack([*((star.x, star.y) for star in heads), *at[-1:], np.empty((0, 2))])
    wide, narrow = (
        name_places(names, _pixels(named_at, spans, plot), _pixels(dots, spans, plot), plot)
        for plot in (MAP_PLOT, NARROW_PLOT)
    )
    figure.add_scatter(
        x=named_at[:, 0],
        y=named_at[:, 1],
        mode="markers+text",  # an unseen mark keeps each name off the one that is seen
        marker={"size": 15, "opacity": 0},
        text=[_plain(name) for name in names],
        textposition=wide,
        cliponaxis=False,
        textfont={"size": 13, "weight": [400] * len(heads) + [600] * len(asked[-1:])},
        hoverinfo="skip",
        showlegend=False,
    )
    return narrow


def _padded(values: np.ndarray) -> list[float]:
    """From the least to the greatest, and a little beyond for the marks."""
    reach = max(float(np.ptp(values)), 1e-6)
    return [float(values.min()) - 0.06 * reach, float(values.max()) + 0.06 * reach]


def _pixels(at: np.ndarray, spans: Sequence[Sequence[float]], size: tuple[float, float]) -> np.ndarray:
    """Places on the map, (n, 2), -> pixels from the top left of a plot of this size, (n, 2)."""
    low, high = np.array(spans).T
    share = (at - low) / (high - low)
    return np.column_stack([share[:, 0], 1 - share[:, 1]]) * size


def said(t: Speaker, one: Answer) -> str:
    """An answer in short."""
    return t("few-shot.unknown") if one.unknown else heading(t, one.given)


def curve_chart(curve: Curve, t: Speaker) -> Chart:
    """Macro-F1 against recordings a tag: measured with intervals, and the extrapolation dashed and hollow."""
    from mirdemo.stages.fewshot import Extrapolation

    report, none = curve.report, t("few-shot.no_interval")
    figure = bare_figure(height=320, left=48)
    x, y = _add_points(figure, report.points, t)
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
    _curve_axes(figure, max(x), t)
    first, last, gain = report.points[0], report.points[-1], report.gain
    answer = "unclear"
    if gain is not None and gain.low is not None and gain.high is not None:
        answer = "better" if gain.low > 0 else "worse" if gain.high < 0 else answer
    title = t(
        f"few-shot.curve.title.{answer}",
        first=first.shots,
        last=last.shots,
        low=f"{first.macro_f1.value:.2f}",
        high=figure_words(last.macro_f1, none),
    )
    if first is last:
        title = t("few-shot.curve.title.single", n=first.shots, value=figure_words(first.macro_f1, none))
    how = t("few-shot.curve.how", repeats=report.repeats, recordings=report.n_recordings)
    return drawn(title, figure, how, height=320, narrow={"height": 280})


def curve_draft_chart(so_far: CurveSoFar, t: Speaker) -> Chart:
    """The points that are measured so far, each as it stands; the axis has room for those to come."""
    figure = bare_figure(height=320, left=48)
    _add_points(figure, so_far.points, t)
    _curve_axes(figure, so_far.most, t)
    figure.update_xaxes(range=[math.log10(0.9), math.log10(1.15 * so_far.most)])
    last = so_far.points[-1]
    title = t(
        "few-shot.curve.draft",
        n=last.shots,
        figure=figure_words(last.macro_f1, t("few-shot.no_interval")),
        done=so_far.done,
        repeats=so_far.repeats,
    )
    return drawn(title, figure, t("few-shot.draft.how"), height=320, narrow={"height": 280})


def _add_points(figure: Figure, points: Sequence[CurvePoint], t: Speaker) -> tuple[list[int], list[float]]:
    """The measured points with their intervals: -> recordings a tag, macro-F1."""
    none = t("few-shot.no_interval")
    x = [point.shots for point in points]
    y = [point.macro_f1.value for point in points]
    _ribbon(figure, x, [p.macro_f1.low for p in points], [p.macro_f1.high for p in points], 0.16)
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
            for p in points
        ],
        hoverinfo="text",
    )
    return x, y


def _curve_axes(figure: Figure, most: float, t: Speaker) -> None:
    """most: recordings a tag, to where the axis reaches"""
    ticks = sorted({k for k in (1, 2, 3, 5, 8, 13, 20, 30, 50, 100, 200) if k <= most})
    figure.update_xaxes(
        title={"text": str(t("few-shot.curve.x"))},
        type="log",
        tickvals=ticks,
        ticktext=list(map(str, ticks)),
        showgrid=False,
    )
    figure.update_yaxes(title={"text": "Macro-F1"}, range=[0, 1.05], tickvals=[0, 0.25, 0.5, 0.75, 1])


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
            line={"color": faded(ACCENT, BEHIND), "width": 2},
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
    found: Layers,
    now: Setting,
    always: Setting | None,
    names: Names,
    t: Speaker,
) -> Chart:
    """The best settings by macro-F1, the one in use and ``always`` among them. A click on a point applies it."""
    ranked = _ranked(found.choice.candidates)
    shown = ranked[:MOST_LAYERS]
    shown += [one for one in ranked[MOST_LAYERS:] if _how(one) in (now, always)]
    said = _layers_said(found, ranked[0].score.chance_macro_f1, names, t)
    pitch = _pitch([_how(one) for one in ranked], now, names, t)
    return _settings_chart(shown, len(shown), pitch, now, names, said, t)


def layer_draft_chart(found: LayersDraft, now: Setting, names: Names, t: Speaker) -> Chart:
    """The best of the settings scored so far, in a chart with room for those to come. No click applies one yet."""
    ranked = _ranked(found.candidates)
    first = ranked[0]
    title = t(
        "few-shot.layers.draft",
        done=len(ranked),
        n=len(found.settings),
        best=_setting_words(_how(first), names, t),
        figure=figure_words(first.score.macro_f1, t("few-shot.no_interval")),
    )
    said = title, t("few-shot.draft.how")
    rows, pitch = min(len(found.settings), MOST_LAYERS), _pitch(found.settings, now, names, t)
    return _settings_chart(ranked[:MOST_LAYERS], rows, pitch, now, names, said, t, applied=False)


def layer_heights(settings: Sequence[Setting], now: Setting, names: Names, t: Speaker) -> tuple[int, int]:
    """Pixels that the chart of these settings takes at the most, wide and on a phone."""
    rows = min(len(settings), MOST_LAYERS + 2)
    return _ENDS + _ROW * rows, _ENDS + _pitch(settings, now, names, t) * rows


def _pitch(settings: Sequence[Setting], now: Setting, names: Names, t: Speaker) -> int:
    """Pixels from row to row on a phone, where each name takes as many lines as the longest: whichever are drawn, it is one."""
    return 14 + 16 * max(len(_name_lines(one, now, names, t)) for one in settings)


def _name_lines(one: Setting, now: Setting, names: Names, t: Speaker) -> list[str]:
    """What a row is called on a phone."""
    return _lines(_layer_words(one, now, names, t)) + _lines(names(one)[0])


def _layer_words(one: Setting, now: Setting, names: Names, t: Speaker) -> str:
    return names(one)[1] + (f" ({t('few-shot.layers.now')})" if one == now else "")


def _setting_words(one: Setting, names: Names, t: Speaker) -> str:
    backbone, layer = names(one)
    return t("few-shot.setting", backbone=backbone, layer=layer)


def _how(one: Candidate) -> Setting:
    """How a candidate of this tab listens."""
    assert isinstance(one.name, Setting)
    return one.name


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: -(one.score.macro_f1.value or 0.0))


def _settings_chart(
    shown: Sequence[Candidate],
    rows: int,
    pitch: int,
    now: Setting,
    names: Names,
    said: tuple[str, str],
    t: Speaker,
    *,
    applied: bool = True,
) -> Chart:
    """Settings as rows, the first on top. rows: there is room for; pitch: ``_pitch``; said: title, how; applied: by a click"""
    free, shown = rows - len(shown), shown[::-1]
    height = _ENDS + _ROW * rows
    figure = bare_figure(height=height, left=8)
    _add_settings(figure, shown, now, names, t, applied=applied)
    chance = shown[-1].score.chance_macro_f1
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
    settings = [_how(one) for one in shown]
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[
            f"{_plain(_layer_words(one, now, names, t))}<br>{_plain(names(one)[0])}" for one in settings
        ],
        range=[-0.6 - free, len(shown) - 0.4],
        showgrid=False,
    )
    figure.update_xaxes(title={"text": "Macro-F1"}, range=[0, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(margin={"t": 26})
    title, how = said
    return drawn(
        title,
        figure,
        how,
        height=height,
        narrow={
            "height": _ENDS + pitch * rows,
            "xaxis": {"tickvals": [0, 0.5, 1]},
            "yaxis": {
                "tickfont": {"size": 13},
                "ticktext": ["<br>".join(_name_lines(one, now, names, t)) for one in settings],
            },
        },
    )


def _add_settings(
    figure: Figure,
    shown: Sequence[Candidate],
    now: Setting,
    names: Names,
    t: Speaker,
    *,
    applied: bool,
) -> None:
    """A row a setting: its interval, and a point, which applies it where it may."""
    none = t("few-shot.no_interval")
    for y, one in enumerate(shown):
        f1 = one.score.macro_f1
        if f1.low is not None:
            figure.add_scatter(
                x=[f1.low, f1.high],
                y=[y, y],
                mode="lines",
                line={"color": faded(ACCENT, BEHIND), "width": 2},
                hoverinfo="skip",
            )
    figure.add_scatter(
        x=[one.score.macro_f1.value for one in shown],
        y=list(range(len(shown))),
        mode="markers",
        marker={
            "size": 12,
            "symbol": ["diamond" if _how(one) == now else "circle" for one in shown],
            "color": [INK if _how(one) == now else ACCENT for one in shown],
        },
        hovertext=[
            f"{_plain(t('few-shot.joint').join(names(_how(one))))}<br>{figure_words(one.score.macro_f1, none)}"
            for one in shown
        ],
        hoverinfo="text",
        customdata=[
            {"act": "few-shot.listen", **_how(one)._asdict(), "whitened": str(_how(one).whitened).lower()}
            for one in shown
        ]
        if applied
        else None,
    )


def _layers_said(found: Layers, chance: float, names: Names, t: Speaker) -> tuple[str, str]:
    """Which setting is the best and how surely; how that was found."""
    none, choice = t("few-shot.no_interval"), found.choice
    best, ahead = choice[choice.best], choice.ahead
    answer = ("clear" if choice.clear else "unclear") if found.any_good else "none"
    title = t(
        f"few-shot.layers.{answer}",
        best=_setting_words(_how(best), names, t),
        figure=figure_words(best.score.macro_f1, none),
        chance=f"{chance:.2f}",
    )
    gap = t("few-shot.layers.no_gap")
    if ahead is not None and ahead.value is not None:
        gap = t("few-shot.layers.gap", gap=figure_words(ahead, none))
    how = t(
        "few-shot.layers.how",
        gap=gap,
        expected=figure_words(choice.chosen.macro_f1, none),
        n=len(choice.candidates),
        recordings=choice.chosen.n_recordings,
    )
    return title, how


def figure_words(figure: Interval, none: str) -> str:
    """``0.84 (0.76-0.90)``; a dash where there is no figure."""
    if figure.value is None:
        return "–"
    return with_interval(figure.value, figure.low, figure.high, none)


def _lines(words: str) -> list[str]:
    """Words in lines short enough to stand beside a chart on a phone; East Asian letters are twice as wide."""
    return [_plain(line) for line in textwrap.wrap(words, 22 if words.isascii() else 12)]


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _plain(text: str) -> str:
    """Text as Plotly draws it: what is not escaped yet is, for Plotly reads a small markup language."""
    return str(escape(text))
