"""What three examples a tag buy, and what more tags cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Result, Results
from mirdemo.web.charting import (
    INK,
    TRADITION_COLOURS,
    TRADITION_SYMBOLS,
    Chart,
    bare_figure,
    drawn,
)
from mirdemo.web.evidence.wording import (
    corpus_title,
    hover,
    link_of,
    sources_of,
)
from mirdemo.web.language import Speaker


def few_shot(chosen: Results, cited: dict, t: Speaker) -> Chart:
    """Macro-F1 of 3-shot LC-Protonets against the number of tags, a line a corpus, beside one-vs-rest."""
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
    if not corpora:
        return Chart(str(t("evidence.fewshot.title")), None, how, empty=str(t("evidence.fewshot.empty")))
    figure = bare_figure(height=420, left=56, right=130, top=30)
    wins = compared = 0
    for corpus in corpora:
        colour, tradition = TRADITION_COLOURS[CORPORA[corpus].tradition], CORPORA[corpus].tradition
        own, rival = table[corpus, "LC-Protonets"], table.get((corpus, "one-vs-rest"), {})
        both = sorted(set(own) & set(rival))
        wins += sum(own[n].value > rival[n].value for n in both)
        compared += len(both)
        for method, of in (("LC-Protonets", own), ("one-vs-rest", rival)):
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
        y = min(record.value, (placed[-1] if placed else 1) - 0.035)
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
            "margin": {"l": 44, "r": 100, "t": 16, "b": 60},
            "xaxis.title": {"text": str(t("evidence.fewshot.x_narrow")), "font": {"size": 13}},
            "yaxis.title.font": {"size": 13},
        },
        sources=sources_of(wanted, cited, t),
    )


def few_shot_title(corpora: Sequence[str], table: dict, wins: int, compared: int, t: Speaker) -> str:
    """How often LC-Protonets win, and what is lost from the fewest to the most tags."""
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
