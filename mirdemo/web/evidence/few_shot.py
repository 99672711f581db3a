"""What three examples a tag buy, and what more tags cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Result, Results
from mirdemo.web.charting import (
    GROUND,
    INK,
    TRADITION_COLOURS,
    TRADITION_SYMBOLS,
    Chart,
    bare_figure,
    drawn,
)
from mirdemo.web.evidence import laid_over
from mirdemo.web.evidence.wording import (
    corpus_title,
    hover,
    link_of,
    sources_of,
)
from mirdemo.web.language import Speaker

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def few_shot(chosen: Results, cited: dict, t: Speaker, *, own: Sequence[Result] = ()) -> Chart:
    """Macro-F1 of 3-shot LC-Protonets against the number of tags, a line a corpus, beside one-vs-rest.

    own: the visitor's points (``laid_over.curve_points``), drawn over the lines and never part of the finding
    """
    from plotly import graph_objects as go

    how = str(t("evidence.fewshot.how"))
    wanted = [
        r
        for r in chosen
        if r.method == "fewshot"
        and r.protocol == "lcprotonets2024"
        and r.metric == "macro_f1"
        and r.setting["backbone_training"] == "full ft"
        and r.setting["tags"] in ("base", "both")
    ]
    table: dict[tuple[str, str], dict[int, Result]] = defaultdict(dict)
    for record in sorted(wanted, key=lambda r: r.setting["tags"] == "both"):
        table[record.corpus, str(record.setting["few_shot"])].setdefault(int(record.setting["n_way"]), record)
    corpora = [c for c in CORPORA if (c, "LC-Protonets") in table]
    if not corpora and not own:
        return Chart(str(t("evidence.fewshot.title")), None, how, empty=str(t("evidence.fewshot.empty")))
    figure = bare_figure(height=420, left=56, right=130, top=30)
    wins = compared = 0
    for corpus in corpora:
        colour, tradition = TRADITION_COLOURS[CORPORA[corpus].tradition], CORPORA[corpus].tradition
        combined, rival = table[corpus, "LC-Protonets"], table.get((corpus, "one-vs-rest"), {})
        both = sorted(set(combined) & set(rival))
        wins += sum(combined[n].value > rival[n].value for n in both)
        compared += len(both)
        for method, of in (("LC-Protonets", combined), ("one-vs-rest", rival)):
            ways = sorted(of)
            figure.add_trace(
                go.Scatter(
                    x=ways,
                    y=[of[n].value for n in ways],
                    mode="lines+markers",
                    showlegend=False,
                    opacity=1 if method == "LC-Protonets" else 0.55,
                    line={
                        "color": colour,
                        "width": 2,
                        "dash": "solid" if method == "LC-Protonets" else "dot",
                    },
                    marker={"symbol": TRADITION_SYMBOLS[tradition] + "-open", "size": 8, "color": colour},
                    customdata=[link_of(of[n], cited) for n in ways],
                    text=[
                        hover(of[n], cited, t)
                        + f"<br>{method}, {n}-way {of[n].setting['k_shot']}-shot, {of[n].setting['tags']}"
                        for n in ways
                    ],
                    hovertemplate="%{text}<extra></extra>",
                )
            )
    ends = sorted(((max(table[c, "LC-Protonets"].items()), c) for c in corpora), key=lambda e: -e[0][1].value)
    placed: list[float] = []
    for (_, record), corpus in ends:
        y = min(record.value, (placed[-1] if placed else 1) - 0.045)
        placed.append(y)
        figure.add_annotation(
            x=1.01,
            xref="paper",
            y=y,
            text=corpus_title(corpus),
            xanchor="left",
            showarrow=False,
            font={"color": INK, "size": 13},
        )
    for method, dash in (("combined", "solid"), ("single", "dot")) if corpora else ():
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="lines",
                line={"color": INK, "width": 2, "dash": dash},
                name=str(t("evidence.fewshot." + method)),
            )
        )
    figure.update_layout(showlegend=True)
    if own:
        _lay_over(figure, own, t)
    figure.update_xaxes(title={"text": str(t("evidence.fewshot.x"))})
    figure.update_yaxes(
        title={"text": str(t("evidence.metric.macro_f1"))}, rangemode="tozero", tickformat=".1f"
    )
    return drawn(
        few_shot_title(corpora, table, wins, compared, t),
        figure,
        how,
        height=420,
        narrow={
            "margin": {"l": 44, "r": 118, "t": 44, "b": 60},
            "xaxis.title": {"text": str(t("evidence.fewshot.x_narrow")), "font": {"size": 13}},
            "yaxis.title.font": {"size": 13},
        },
        sources=(*sources_of(wanted, cited, t), *([str(t("evidence.source.yours"))] if own else [])),
    )


def _lay_over(figure: Figure, own: Sequence[Result], t: Speaker) -> None:
    """The visitor's prototypes: as many tags as they have, with interval and number of recordings."""
    from plotly import graph_objects as go

    figure.add_trace(
        go.Scatter(
            x=[r.setting["n_way"] for r in own],
            y=[r.value for r in own],
            mode="markers",
            showlegend=False,
            marker=laid_over.MARK,
            hovertext=[
                f"{laid_over.hover(r, t)}<br>"
                + str(t("evidence.yours.shots", ways=r.setting["n_way"], shots=_shots(r, t)))
                for r in own
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            **laid_over.error_bars(own, along="y"),
        )
    )
    for record in own:
        figure.add_annotation(
            x=record.setting["n_way"],
            y=record.value,
            text=laid_over.said(record, t),
            xanchor="left",
            xshift=10,
            showarrow=False,
            bgcolor=GROUND,
            font={"color": INK, "size": 13},
        )


def _shots(record: Result, t: Speaker) -> str:
    shots = record.setting["k_shot"]
    return str(t("evidence.yours.k", n=shots) if isinstance(shots, int) else t("evidence.yours.k_all"))


def few_shot_title(corpora: Sequence[str], table: dict, wins: int, compared: int, t: Speaker) -> str:
    """How often LC-Protonets win, and what is lost from the fewest to the most tags."""
    if not corpora:
        return str(t("evidence.fewshot.title"))
    lost = [
        100 * (of[min(of)].value - of[max(of)].value)
        for of in (table[corpus, "LC-Protonets"] for corpus in corpora)
        if len(of) > 1
    ]
    words = {"wins": wins, "of": compared}
    if lost and min(lost) > 0:
        return str(
            t("evidence.fewshot.finding_falls", low=f"{min(lost):.0f}", high=f"{max(lost):.0f}", **words)
        )
    return str(t("evidence.fewshot.finding", **words))
