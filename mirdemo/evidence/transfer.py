"""What moving a trained model to another corpus buys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import escape

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.charting import (
    FAINT,
    INK,
    Chart,
    bare_figure,
    drawn,
)
from mirdemo.evidence.figure import Trace, number, scatter
from mirdemo.evidence.palette import colour, symbol, tradition_of
from mirdemo.evidence.wording import (
    MOST_PANELS,
    corpus_title,
    hover,
    least_range,
    left_out,
    link_of,
    sources_of,
)
from mirdemo.results.records import Result, Results
from mirdemo.words.language import Speaker

#: From least to most training; a setting of ``ccml2023`` each.
STEPS = ("last", "scratch", "all")
#: Corpus -> step -> its figure.
Slopes = Mapping[str, Mapping[str, Result]]


def transfer(chosen: Results, metric: str, cited: dict, t: Speaker) -> Chart:
    """From last-layer tuning to training the whole model: a slope a corpus, a panel a model."""
    how = str(t("evidence.transfer.how"))
    table = _by_model(chosen, metric)
    every = sorted(m for m, of in table.items() if any(len(s) > 1 for s in of.values()))
    if not every:
        return Chart(str(t("evidence.transfer.title")), None, how, empty=str(t("evidence.transfer.empty")))
    names = every[:MOST_PANELS]
    figure = bare_figure(height=380, left=50, top=56, bottom=60)
    figure.side_by_side(len(names), gap=0.03)
    for column, model in enumerate(names, 1):
        for line in _lines(table[model], cited, t, in_legend=column == 1):
            figure.add_trace(line, panel=column)
    ticks = [str(t(f"evidence.transfer.{s}")) for s in STEPS]
    figure.update_xaxes(
        tickvals=[0, 1, 2],
        ticktext=ticks,
        range=[-0.3, 2.3],
        showgrid=False,
        fixedrange=True,
        zeroline=False,
        automargin=True,
    )
    records = [r for m in names for of in table[m].values() for r in of.values()]
    values = [r.value for r in records]
    figure.update_yaxes(
        tickformat=".2f",
        gridcolor=FAINT,
        zeroline=False,
        fixedrange=True,
        range=least_range(min(values), max(values)),
    )
    figure.update_layout(
        showlegend=True,
        legend={"y": 1.1},
        annotations=[_heading(model, i) for i, model in enumerate(names, 1)],
    )
    return drawn(
        _finding({model: table[model] for model in every}, t),
        figure,
        how,
        height=380,
        narrow={
            "height": 500,
            "legend.y": 1.12,
            "margin": {"l": 40, "r": 4, "t": 120, "b": 70},
            **{
                f"xaxis{number(i)}.{key}": value
                for i in range(1, len(names) + 1)
                # Turned, a label of two lines would lie over its neighbour.
                for key, value in (
                    ("tickangle", -60),
                    ("ticktext", [tick.replace("<br>", " ") for tick in ticks]),
                )
            },
        },
        sources=(*sources_of(records, cited, t), *left_out(len(every) - MOST_PANELS, t)),
    )


def _by_model(chosen: Results, metric: str) -> Mapping[str, Slopes]:
    table: dict[str, dict[str, dict[str, Result]]] = defaultdict(lambda: defaultdict(dict))
    for record in chosen:
        if record.tag is None and record.metric == metric and record.protocol == "ccml2023":
            step = "last" if record.setting.get("tuned") == "last layer" else "all"
            if record.method == "trained_from_scratch":
                step = "scratch"
            table[record.model][record.corpus][step] = record
    return table


def _lines(slopes: Slopes, cited: dict, t: Speaker, *, in_legend: bool) -> Iterator[Trace]:
    """One model's, a line a corpus, in the catalogue's order."""
    for corpus in (c for c in catalogue() if c in slopes):
        of = slopes[corpus]
        have = [s for s in STEPS if s in of]
        own_colour = colour(tradition_of(corpus))
        yield scatter(
            x=[STEPS.index(s) for s in have],
            y=[of[s].value for s in have],
            mode="lines+markers",
            name=corpus_title(corpus, t),
            legendgroup=corpus,
            showlegend=in_legend,
            line={"color": own_colour, "width": 2, "dash": "dot" if corpus == "fma" else "solid"},
            marker={"symbol": symbol(tradition_of(corpus)) + "-open", "size": 9, "color": own_colour},
            customdata=[link_of(of[s], cited) for s in have],
            text=[_transfer_hover(of[s], cited, t) for s in have],
            hovertemplate="%{text}<extra></extra>",
        )


def _heading(model: str, panel: int) -> dict[str, Any]:
    return {
        "text": f"<b>{escape(model)}</b>",
        "x": 1,
        "y": 1.0,
        "xref": f"x{number(panel)}",
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 14, "color": INK},
    }


def _finding(table: Mapping[str, Slopes], t: Speaker) -> str:
    """How often training on from another corpus beat training from nothing, and where by most."""
    gains = [
        (of["all"].value - of["scratch"].value, corpus, model)
        for model, slopes in table.items()
        for corpus, of in slopes.items()
        if {"scratch", "all"} <= set(of)
    ]
    top = max(gains, default=None)
    return str(
        t(
            "evidence.transfer.finding",
            up=sum(g > 0 for g, _, _ in gains),
            of=len(gains),
            corpus=corpus_title(top[1], t) if top else "",
            model=top[2] if top else "",
            points=f"{100 * top[0]:.1f}" if top else "",
        )
    )


def _transfer_hover(record: Result, cited: dict, t: Speaker) -> str:
    moved = record.setting.get("transfer_from")
    origin = f"<br>{t('evidence.transfer.from', corpus=corpus_title(str(moved), t))}" if moved else ""
    return hover(record, cited, t) + origin
