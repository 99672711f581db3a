"""What moving a trained model to another corpus buys."""

from __future__ import annotations

from collections import defaultdict

from markupsafe import escape

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.charting import (
    FAINT,
    INK,
    Chart,
    bare_figure,
    drawn,
)
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


def transfer(chosen: Results, metric: str, cited: dict, t: Speaker) -> Chart:
    """From last-layer tuning to training the whole model: a slope a corpus, a panel a model."""
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    how = str(t("evidence.transfer.how"))
    steps = ("last", "scratch", "all")
    table: dict[str, dict[str, dict[str, Result]]] = defaultdict(lambda: defaultdict(dict))
    for record in chosen:
        if record.tag is None and record.metric == metric and record.protocol == "ccml2023":
            tuned = record.setting.get("tuned")
            step = (
                "scratch"
                if record.method == "trained_from_scratch"
                else ("last" if tuned == "last layer" else "all")
            )
            table[record.model][record.corpus][step] = record
    names = sorted(m for m, of in table.items() if any(len(s) > 1 for s in of.values()))
    if not names:
        return Chart(str(t("evidence.transfer.title")), None, how, empty=str(t("evidence.transfer.empty")))
    every, names = names, names[:MOST_PANELS]
    plain = bare_figure(height=380, left=50, top=56, bottom=60)
    figure = make_subplots(cols=len(names), rows=1, shared_yaxes=True, horizontal_spacing=0.03, figure=plain)
    gains = [
        (of["all"].value - of["scratch"].value, corpus, model)
        for model in every
        for corpus, of in table[model].items()
        if {"scratch", "all"} <= set(of)
    ]
    for column, model in enumerate(names, 1):
        for corpus in (c for c in catalogue() if c in table[model]):
            of = table[model][corpus]
            have = [s for s in steps if s in of]
            own_colour = colour(tradition_of(corpus))
            figure.add_trace(
                go.Scatter(
                    x=[steps.index(s) for s in have],
                    y=[of[s].value for s in have],
                    mode="lines+markers",
                    name=corpus_title(corpus),
                    legendgroup=corpus,
                    showlegend=column == 1,
                    line={"color": own_colour, "width": 2, "dash": "dot" if corpus == "fma" else "solid"},
                    marker={
                        "symbol": symbol(tradition_of(corpus)) + "-open",
                        "size": 9,
                        "color": own_colour,
                    },
                    customdata=[link_of(of[s], cited) for s in have],
                    text=[_transfer_hover(of[s], cited, t) for s in have],
                    hovertemplate="%{text}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    ticks = [str(t(f"evidence.transfer.{s}")) for s in steps]
    figure.update_xaxes(
        tickvals=[0, 1, 2],
        ticktext=ticks,
        range=[-0.3, 2.3],
        showgrid=False,
        fixedrange=True,
        zeroline=False,
        automargin=True,
    )
    values = [r.value for m in names for of in table[m].values() for r in of.values()]
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
        annotations=[
            {
                "text": f"<b>{escape(model)}</b>",
                "x": 1,
                "y": 1.0,
                "xref": f"x{i if i > 1 else ''}",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 14, "color": INK},
            }
            for i, model in enumerate(names, 1)
        ],
    )
    up = sum(g > 0 for g, _, _ in gains)
    top = max(gains, default=None)
    title = t(
        "evidence.transfer.finding",
        up=up,
        of=len(gains),
        corpus=corpus_title(top[1]) if top else "",
        model=top[2] if top else "",
        points=f"{100 * top[0]:.1f}" if top else "",
    )
    return drawn(
        str(title),
        figure,
        how,
        height=380,
        narrow={
            "height": 500,
            "legend.y": 1.12,
            "margin": {"l": 40, "r": 4, "t": 120, "b": 70},
            **{
                f"xaxis{i if i > 1 else ''}.{key}": value
                for i in range(1, len(names) + 1)
                # Turned, a label of two lines would lie over its neighbour.
                for key, value in (
                    ("tickangle", -60),
                    ("ticktext", [tick.replace("<br>", " ") for tick in ticks]),
                )
            },
        },
        sources=(
            *sources_of([r for m in names for of in table[m].values() for r in of.values()], cited, t),
            *left_out(len(every) - MOST_PANELS, t),
        ),
    )


def _transfer_hover(record: Result, cited: dict, t: Speaker) -> str:
    moved = record.setting.get("transfer_from")
    origin = f"<br>{t('evidence.transfer.from', corpus=corpus_title(str(moved)))}" if moved else ""
    return hover(record, cited, t) + origin
