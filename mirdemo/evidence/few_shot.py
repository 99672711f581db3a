"""What three examples a tag buy, and what more tags cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import laid_over
from mirdemo.evidence.charting import (
    GROUND,
    INK,
    Chart,
    bare_figure,
    drawn,
    error_bars,
)
from mirdemo.evidence.figure import Figure, Trace, scatter
from mirdemo.evidence.palette import colour, symbol, tradition_of
from mirdemo.evidence.selection import on_few_shot_curve
from mirdemo.evidence.wording import (
    corpus_title,
    hover,
    link_of,
    sources_of,
    span,
)
from mirdemo.results.records import Result, Results
from mirdemo.words.language import Speaker

#: marks of corpora that share a tradition's mark with another
SYMBOLS = {"fma": "circle-x-open"}


def few_shot(chosen: Results, cited: dict, t: Speaker, *, own: Sequence[Result] = ()) -> Chart:
    """Macro-F1 of 3-shot LC-Protonets against the number of tags, a line a corpus, beside one-vs-rest.

    own: the visitor's points (``laid_over.curve_points``), drawn over the lines and never part of the finding
    """
    how = str(t("evidence.fewshot.how"))
    wanted = [r for r in chosen if on_few_shot_curve(r)]
    table: dict[tuple[str, str], dict[int, Result]] = defaultdict(dict)
    for record in sorted(wanted, key=lambda r: r.setting["tags"] == "both"):
        table[record.corpus, str(record.setting["few_shot"])].setdefault(int(record.setting["n_way"]), record)
    corpora = [c for c in STUDY.traditions if (c, "LC-Protonets") in table]
    if not corpora and not own:
        return Chart(str(t("evidence.fewshot.title")), None, how, empty=str(t("evidence.fewshot.empty")))
    figure = bare_figure(height=420, left=56, top=30)
    alike = Counter(tradition_of(c) for c in corpora)
    wins = compared = 0
    for corpus in corpora:
        # Two corpora of one tradition share its colour: which is which, the legend tells.
        in_legend = alike[tradition_of(corpus)] > 1
        combined, rival = table[corpus, "LC-Protonets"], table.get((corpus, "one-vs-rest"), {})
        both = sorted(set(combined) & set(rival))
        wins += sum(combined[n].value > rival[n].value for n in both)
        compared += len(both)
        figure.add_trace(_line(corpus, "LC-Protonets", combined, cited, t, in_legend=in_legend))
        figure.add_trace(_line(corpus, "one-vs-rest", rival, cited, t, in_legend=False))
    _name_ends(figure, {corpus: table[corpus, "LC-Protonets"] for corpus in corpora}, t)
    for method, dash in (("combined", "solid"), ("single", "dot")) if corpora else ():
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": INK, "width": 2, "dash": dash},
            name=str(t("evidence.fewshot." + method)),
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
            "margin": {"l": 44, "r": 4, "t": 84, "b": 60},
            "height": 460,
            "xaxis.title": {"text": str(t("evidence.fewshot.x_narrow")), "font": {"size": 13}},
            "yaxis.title.font": {"size": 13},
        },
        sources=(*sources_of(wanted, cited, t), *([str(t("evidence.source.yours"))] if own else [])),
    )


def _line(
    corpus: str, method: str, of: Mapping[int, Result], cited: dict, t: Speaker, *, in_legend: bool
) -> Trace:
    """One method's figures on one corpus, by number of tags."""
    tradition, ways, ours = tradition_of(corpus), sorted(of), method == "LC-Protonets"
    return scatter(
        x=ways,
        y=[of[n].value for n in ways],
        mode="lines+markers",
        name=corpus_title(corpus, t),
        showlegend=in_legend,
        line={"color": colour(tradition), "width": 2, "dash": "solid" if ours else "dot"},
        marker={
            "symbol": SYMBOLS.get(corpus, symbol(tradition) + "-open"),
            "size": 9,
            "color": colour(tradition),
        },
        customdata=[link_of(of[n], cited) for n in ways],
        text=[hover(of[n], cited, t) + f"<br>{_setting_words(of[n], n, t)}" for n in ways],
        hovertemplate="%{text}<extra></extra>",
    )


def _setting_words(record: Result, ways: int, t: Speaker) -> str:
    """Prototypes of what, how many tags at a time, from how many examples, and of which tags."""
    single = record.setting["few_shot"] != "LC-Protonets"
    return str(
        t(
            "evidence.fewshot.setting",
            method=t("evidence.fewshot.single" if single else "evidence.fewshot.combined"),
            ways=ways,
            shots=record.setting["k_shot"],
            tags=t(f"evidence.fewshot.tags.{record.setting['tags']}"),
        )
    )


def _name_ends(figure: Figure, lines: Mapping[str, Mapping[int, Result]], t: Speaker) -> None:
    """Each corpus's name at the right end of its own line; names at the same number of tags are kept apart."""
    placed: dict[int, float] = {}
    for corpus, of in sorted(lines.items(), key=lambda line: -line[1][max(line[1])].value):
        last = max(of)
        placed[last] = min(of[last].value, placed.get(last, 2) - 0.045)
        figure.add_annotation(
            x=last,
            y=placed[last],
            text=corpus_title(corpus, t),
            xanchor="left",
            xshift=8,
            showarrow=False,
            bgcolor=GROUND + "b3",  # 70 %, so that a line behind a name still shows
            font={"color": INK, "size": 13},
        )


def _lay_over(figure: Figure, own: Sequence[Result], t: Speaker) -> None:
    """The visitor's prototypes: as many tags as they have, with interval and number of recordings."""
    figure.add_scatter(
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
        **error_bars(own, "y"),
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
    lines = {corpus: table[corpus, "LC-Protonets"] for corpus in corpora}
    lost = {c: 100 * (of[min(of)].value - of[max(of)].value) for c, of in lines.items() if len(of) > 1}
    words = {"wins": wins, "of": compared}
    if lost and min(lost.values()) > 0:
        points = span(f"{min(lost.values()):.0f}", f"{max(lost.values()):.0f}", t)
        corpus = Markup(corpus_title(next(iter(lost)), t))
        return str(t("evidence.fewshot.finding_falls", n=len(lost), corpus=corpus, span=points, **words))
    return str(t("evidence.fewshot.finding", **words))
