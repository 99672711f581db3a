"""The controlled experiment: two backbones that differ only in the music they were raised on."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache

from mirdemo.backbones.mini_facts import WEIGHTS
from mirdemo.backbones.registry import spec
from mirdemo.evidence.charting import (
    GROUND,
    INK,
    Chart,
    bare_figure,
    drawn,
    error_bars,
)
from mirdemo.evidence.palette import colour, tradition_of, tradition_words
from mirdemo.evidence.wording import hover, least_range, model_title, rank_words, sources_of
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.bias import Disparity, Figure
from mirdemo.results.frame import Frame
from mirdemo.results.ranking import paired_error, ranks
from mirdemo.results.records import Result, Results
from mirdemo.scoring.intervals import LEVEL, MINUS
from mirdemo.scoring.simultaneous import quantile
from mirdemo.synth.traditions import TRADITIONS
from mirdemo.words.language import Speaker

FRAME = Frame({f"controlled/{tradition}": tradition for tradition in TRADITIONS})
CORPORA = tuple(FRAME.traditions)
MODES = ("full", "pitch", "timbre")
#: backbone -> marker and dash: backbones differ by shape, traditions by colour
SHAPES = {
    "spectral": ("square", "dot"),
    "mini-west": ("triangle-up", "dash"),
    "mini-world": ("circle", "solid"),
}
#: where a name may go on in another line: at a space, and where Japanese katakana end in kanji
_BREAKS = re.compile(r" |(?<=[ァ-ー])(?=[一-龠])")
#: titles under which the embedded backbones' results are kept
TITLES = {"Spectral statistics": "spectral", "Mini-West": "mini-west", "Mini-World": "mini-world"}


def minus(first: Result, second: Result) -> Figure:
    """The first figure minus the second, on the same recordings.

    Paired by recording where the records keep their influences; else the two intervals are combined as if independent,
    which leaves the interval rather too wide.
    """
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Figure(value)
    if (error := paired_error(first, second)) is not None:
        reach = quantile(LEVEL) * error
        return Figure(value, value - reach, value + reach, LEVEL)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Figure(value, value - below, value + above, first.level)


def weighted_difference(
    first: Mapping[str, Result], second: Mapping[str, Result], weights: Mapping[str, float]
) -> Figure:
    """The sum over corpora of weight times (first minus second); the corpora are independent of each other."""
    parts = [(weight, minus(first[corpus], second[corpus])) for corpus, weight in weights.items()]
    value = sum(weight * one.value for weight, one in parts)
    if not all(one.has_interval for _, one in parts):
        return Figure(value)
    # Of a corpus that counts against the sum, the upper end is what can pull the sum down.
    ends = [(weight * one.ends[0], weight * one.ends[1]) for weight, one in parts]
    middles = [weight * one.value for weight, one in parts]
    below = math.hypot(*(middle - min(of) for middle, of in zip(middles, ends, strict=True)))
    above = math.hypot(*(max(of) - middle for middle, of in zip(middles, ends, strict=True)))
    return Figure(value, value - below, value + above, parts[0][1].level)


def mean_difference(
    first: Mapping[str, Result], second: Mapping[str, Result], corpora: Sequence[str]
) -> Figure:
    """The first model's figure minus the second's, mean over the corpora."""
    return weighted_difference(first, second, dict.fromkeys(corpora, 1 / len(corpora)))


def gap_difference(first: Disparity, second: Disparity) -> Figure:
    """How much larger the first model's Western advantage is than the second's."""
    western, *elsewhere = CORPORA
    weights = {western: 1.0, **dict.fromkeys(elsewhere, -1 / len(elsewhere))}
    return weighted_difference(first.values, second.values, weights)


def _points(difference: float) -> str:
    """In hundredths, with a sign."""
    return f"{100 * difference:+.1f}".replace("-", MINUS)


@cache
def budget() -> dict[str, int]:
    """How many clips of each kind either network was raised on, as its training wrote down."""
    plan = json.loads((WEIGHTS / "mini-world" / "training.json").read_text(encoding="utf-8"))["plan"]
    return {"bands": plan["bands"], "performances": plan["controlled"]}


def controlled(
    records: Results,
    metric: str,
    cited: dict[str, dict[str, str]],
    t: Speaker,
    *,
    mode: str = "full",
    again: Results | None = None,
) -> Chart:
    """Macro score of the probe by tradition, a line a backbone, with intervals.

    again: the same of another training of both networks; None: ``results.trained_again()``
    """
    how = str(t("evidence.controlled.how", **{kind: f"{count:,}" for kind, count in budget().items()}))
    by_model = _newest(records, metric, mode)
    if not by_model:
        return Chart(
            str(t("evidence.controlled.title")), None, how, empty=str(t("evidence.controlled.empty"))
        )
    ranked = {c: ranks([of[c] for of in by_model.values() if c in of]) for c in CORPORA}
    figure = bare_figure(height=420, left=56, right=140, top=16, bottom=60)
    for name in (n for n in SHAPES if n in by_model):
        symbol, dash = SHAPES[name]
        of = by_model[name]
        at = [c for c in CORPORA if c in of]
        figure.add_scatter(
            x=[CORPORA.index(c) for c in at],
            y=[of[c].value for c in at],
            mode="lines+markers",
            line={"color": INK, "width": 1.5, "dash": dash},
            marker={
                "symbol": symbol,
                "size": 12,
                "color": [colour(tradition_of(c)) for c in at],
                "line": {"color": GROUND, "width": 1},
            },
            text=[hover(of[c], cited, t) + rank_words(ranked[c].get(of[c].model), t) for c in at],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            **error_bars([of[c] for c in at], "y"),
        )
    _label_ends(figure, by_model, t)
    names = [tradition_words(tradition, t) for tradition in TRADITIONS]
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.3, len(names) - 0.6])
    ends = [
        v for of in by_model.values() for r in of.values() for v in (r.low, r.value, r.high) if v is not None
    ]
    figure.update_yaxes(
        title={"text": str(t("evidence.metric." + metric))},
        tickformat=".2f",
        range=least_range(min(ends), max(ends)),
    )
    return drawn(
        title(by_model, t),
        figure,
        "\n".join([how, *_lines(records, results.trained_again() if again is None else again, metric, t)]),
        height=420,
        narrow={
            "margin": {"l": 44, "r": 84, "t": 8, "b": 96},
            "xaxis.tickangle": -60,
            **{
                f"annotations.{i}.text": _BREAKS.sub("<br>", label["text"])
                for i, label in enumerate(figure.annotations)
            },
        },
        sources=sources_of([r for of in by_model.values() for r in of.values()], cited, t),
    )


def _newest(records: Results, metric: str, mode: str) -> dict[str, dict[str, Result]]:
    """Backbone -> corpus -> its macro figure, the newest where there are several."""
    found: dict[str, dict[str, Result]] = {}
    for record in sorted(records, key=lambda r: r.date or ""):
        fits = record.corpus in CORPORA and record.method == "probe" and record.whitening is None
        if fits and record.tag is None and record.metric == metric and record.setting.get("mode") == mode:
            found.setdefault(TITLES.get(record.model, record.model), {})[record.corpus] = record
    return {name: of for name, of in found.items() if name in SHAPES}


def disparities(by_model: Mapping[str, Mapping[str, Result]]) -> dict[str, Disparity]:
    """Backbone -> its disparity over the controlled traditions, where all of them were measured."""
    found = {}
    for name, of in by_model.items():
        own = list(of.values())
        one = bias.disparity(own, own[0].model, FRAME, best={}) if own else None
        if one is not None and one.western_minus_other is not None:
            found[name] = one
    return found


def title(by_model: Mapping[str, Mapping[str, Result]], t: Speaker) -> str:
    """The experiment's finding with its interval, whatever it is."""
    found = disparities(by_model)
    if not {"mini-west", "mini-world"} <= set(found):
        return str(t("evidence.controlled.title"))
    west, world = found["mini-west"], found["mini-world"]
    difference = gap_difference(west, world)
    points = {
        "west": f"{100 * west.advantage.value:.1f}",
        "world": f"{100 * world.advantage.value:.1f}",
        "difference": _points(difference.value),
    }
    if not difference.has_interval:
        return str(t("evidence.controlled.no_interval", **points))
    low, high = difference.ends
    points |= {"low": _points(low), "high": _points(high)}
    told = low > 0 or high < 0
    return str(t("evidence.controlled.finding" if told else "evidence.controlled.cannot_tell", **points))


def _lines(records: Results, again: Results, metric: str, t: Speaker) -> list[str]:
    """A line a mode: what is left when only pitch and rhythm, or only timbre, can be heard. Then, where everything is
    audible, on which music the difference lies, and what another training of both networks gave.
    """
    found = {mode: _difference(_newest(records, metric, mode)) for mode in MODES}
    lines = [
        t(
            "evidence.controlled.mode",
            mode=t("evidence.controlled.mode." + mode),
            difference=_written(difference, t),
        )
        for mode, difference in found.items()
        if difference
    ]
    if found["full"]:
        of = _newest(records, metric, "full")
        western, *elsewhere = CORPORA
        parts = {"western": [western], "other": elsewhere}
        shares = {
            part: _written(mean_difference(of["mini-world"], of["mini-west"], corpora), t)
            for part, corpora in parts.items()
        }
        lines.append(t("evidence.controlled.where", **shares))
        if second := _difference(_newest(again, metric, "full")):
            lines.append(t("evidence.controlled.again", difference=_written(second, t)))
    return [str(line) for line in lines]


def _difference(by_model: Mapping[str, Mapping[str, Result]]) -> Figure | None:
    """How much larger Mini-West's Western advantage is than Mini-World's, None where it was not measured."""
    found = disparities(by_model)
    if not {"mini-west", "mini-world"} <= set(found):
        return None
    return gap_difference(found["mini-west"], found["mini-world"])


def _written(difference: Figure, t: Speaker) -> str:
    """In points, with its interval or the words that there is none."""
    if not difference.has_interval:
        return str(t("evidence.controlled.points_alone", difference=_points(difference.value)))
    ends = {"low": _points(difference.low), "high": _points(difference.high)}
    return str(t("evidence.controlled.points", difference=_points(difference.value), **ends))


def _label_ends(figure, by_model: Mapping[str, Mapping[str, Result]], t: Speaker) -> None:
    """The backbones' names at the right ends of their lines, kept apart."""
    ends: Sequence[tuple[float, str]] = sorted(
        ((of[CORPORA[-1]].value, name) for name, of in by_model.items() if CORPORA[-1] in of), reverse=True
    )
    placed: list[float] = []
    for value, name in ends:
        place = min(value, placed[-1] - 0.018) if placed else value
        placed.append(place)
        figure.add_annotation(
            x=1.0,
            xref="paper",
            y=place,
            text=model_title(spec(name).title, t),
            xanchor="left",
            showarrow=False,
            font={"color": INK, "size": 14},
        )
