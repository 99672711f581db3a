"""Models by corpora: the figures themselves, blanks left blank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mirdemo.backbones.registry import spec
from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import laid_over
from mirdemo.evidence.charting import (
    DARK_CELL_INK,
    FAINT,
    LIGHT_CELL_INK,
    SEQUENTIAL,
    Cell,
    Chart,
    HeatTable,
    bare_figure,
    drawn,
)
from mirdemo.evidence.figure import Figure
from mirdemo.evidence.palette import music_words, short_words, tradition_of, tradition_words
from mirdemo.evidence.wording import (
    MOST_ROWS,
    corpus_title,
    hover,
    left_out,
    partial_ways,
    percent,
    rank_words,
    row_label,
    sources_of,
    span,
    surety,
)
from mirdemo.results import bias
from mirdemo.results.bias import Comparison, Disparity
from mirdemo.results.frame import WESTERN, Frame
from mirdemo.results.ranking import Rank, ranks
from mirdemo.results.records import Result, Results
from mirdemo.words.language import Speaker

#: The five models of arXiv 2506.17055 under its own names; its figures are not available, so their places stay visibly
#: empty until someone measures them by its protocol.
UNAVAILABLE = {
    "mert-95m": "MERT-95M",
    "mert-330m": "MERT-330M",
    "clap-music": "CLAP-Music",
    "clap-music-speech": "CLAP-Music&Speech",
    "qwen2-audio": "Qwen2-Audio",
}


@dataclass(frozen=True)
class Row:
    """What is known of one model by one set of rules. values: corpus -> its figure, at least one"""

    comparison: Comparison
    model: str
    values: Mapping[str, Result]

    @property
    def partial(self) -> bool:
        """Whether it is of part of its corpora; one comparison is so as a whole, for the setting belongs to its rules."""
        return any(r.partial for r in self.values.values())

    @property
    def fall(self) -> float:
        """From the best to the worst corpus; 0 where there is only one."""
        values = [r.value for r in self.values.values()]
        return max(values) - min(values)


def rows_of(chosen: Results, metric: str, *, corpora: Sequence[str]) -> list[Row]:
    """One row a model and comparison, over corpora of the selection; several figures for one corpus
    (seeds, repeated measurements) are reduced to the newest. Rows of part of a corpus come last."""
    wanted = [
        r
        for r in chosen
        if r.tag is None
        and r.metric == metric
        and r.method != "fewshot"
        and r.corpus in corpora
        and not r.apart
    ]
    found = []
    for comparison, records in bias.comparisons(wanted).items():
        newest: dict[str, dict[str, Result]] = defaultdict(dict)
        for record in sorted(records, key=lambda r: r.date or ""):
            newest[record.model][record.corpus] = record
        found += [Row(comparison, model, newest[model]) for model in sorted(newest)]
    order = {"probe": 0, "zero_shot": 1, "finetune": 2, "trained_from_scratch": 3, "transfer": 4}
    return sorted(
        found,
        key=lambda row: (row.partial, order.get(row.comparison.method, 9), row.comparison, row.fall),
    )


def disparities(rows: Sequence[Row], *, best: Mapping[str, float], frame: Frame = STUDY) -> list[Disparity]:
    """The disparity of every row that has two corpora of the frame or more.

    best: ``bias.best_known`` of everything there is
    """
    found = (bias.disparity(row.values.values(), row.model, frame, best=best) for row in rows)
    return [one for one in found if one is not None]


def ranks_of(rows: Sequence[Row]) -> dict[tuple[Comparison, str], dict[str, Rank | None]]:
    """(rules, corpus) -> model -> its ranks there, wherever two models or more have a figure under the same rules, of the
    corpus as published.
    """
    together: dict[tuple[Comparison, str], list[Result]] = defaultdict(list)
    for row in (row for row in rows if not row.partial):
        for corpus, record in row.values.items():
            together[row.comparison, corpus].append(record)
    return {place: ranks(records) for place, records in together.items() if len(records) > 1}


def overview(
    known: Sequence[Row],
    found: Sequence[Disparity],
    metric: str,
    corpora: Sequence[str],
    cited: dict[str, dict[str, str]],
    t: Speaker,
    *,
    unavailable: bool,
    own: Sequence[Result] = (),
) -> Chart:
    """Models by corpora, Western to distant from left to right; blanks hatched; the visitor's rows below, apart.

    known: the rows to draw; found: their disparities, of which the title speaks
    own: the visitor's figures over all tags in this metric
    Rows of part of a corpus are drawn with a mark and in what way; no title speaks of them.
    """
    how = str(t("evidence.overview.how"))
    if not known and not own:
        return Chart(str(t("evidence.overview.title")), None, how, empty=str(t("evidence.nothing")))
    corpora = tuple(STUDY.traditions) if own and not known else corpora  # a frame for the visitor's rows
    table = _table(known, corpora, metric, own, cited, t)
    n_rows, n_columns = len(table.rows), len(corpora)
    shown_rows = n_rows + (laid_over.HEADING + len(own) if own else 0)
    height = 64 + 30 * shown_rows
    figure = bare_figure(height=height, left=230, top=46, bottom=6)
    _add_cells(figure, table)
    _add_blanks(figure, table)
    own_labels, own_narrow = laid_over.add_rows(figure, own, n_rows, n_columns, t) if own else ([], {})
    labels = [str(label) for label, _ in table.rows] + own_labels
    figure.update_xaxes(
        tickvals=list(range(n_columns)),
        ticktext=list(table.columns),
        side="top",
        showgrid=False,
        range=[-0.5, n_columns - 0.5],
    )
    figure.update_yaxes(
        tickvals=list(range(shown_rows)), ticktext=labels, showgrid=False, range=[shown_rows - 0.5, -0.5]
    )
    whole = [row for row in known if not row.partial]
    detail = overview_title(found, _records(whole), metric, t)
    repeatable = headline(whole, found, t)
    return drawn(
        repeatable or detail,
        figure,
        how,
        height=height,
        narrow={**_narrow(figure, table, labels), **own_narrow},
        sources=(
            *sources_of(_records(known), cited, t),
            *_partial_lines(known[:MOST_ROWS], t),
            str(t("evidence.overview.click")),
            *left_out(len(known) - MOST_ROWS, t),
            *([str(t("evidence.source.yours"))] if own else []),
        ),
        table=table,
        detail=detail if repeatable else "",
        **(_missing(whole, t) if unavailable else {}),
    )


def _records(rows: Sequence[Row]) -> list[Result]:
    return [r for row in rows for r in row.values.values()]


def _partial_lines(rows: Sequence[Row], t: Speaker) -> list[str]:
    """A line a marked row: in what way it is not of its corpora as published."""
    return [
        str(
            t(
                "evidence.partial.row",
                row=Markup(row_label(row.comparison, row.model, t)),
                ways=partial_ways(next(iter(row.values.values())), t),
            )
        )
        for row in rows
        if row.partial
    ]


def _table(
    known: Sequence[Row],
    corpora: Sequence[str],
    metric: str,
    own: Sequence[Result],
    cited: dict[str, dict[str, str]],
    t: Speaker,
) -> HeatTable:
    """As many of the rows as are drawn, a column a corpus."""
    ranked = ranks_of(known)

    def cell(record: Result) -> Cell:
        place = ranked.get((Comparison.of(record), record.corpus), {})
        source = cited.get(record.citation or "")
        says = hover(record, cited, t) + rank_words(place.get(record.model), t)
        return Cell(record.value, says, source["url"] if source else "")

    return HeatTable(
        tuple(_column_label(c, t) for c in corpora),
        tuple(short_words(c, t) for c in corpora),
        tuple(
            (
                _label(row, t),
                tuple(cell(row.values[c]) if c in row.values else None for c in corpora),
            )
            for row in known[:MOST_ROWS]
        ),
        low=0.5 if metric == "roc_auc" else 0.0,
        own=laid_over.table_rows(own, t),
    )


def _label(row: Row, t: Speaker) -> str:
    label = row_label(row.comparison, row.model, t)
    return f"{label} · {t('evidence.partial.mark')}" if row.partial else label


def _add_cells(figure: Figure, table: HeatTable) -> None:
    """The colours, and the figures in an ink that can be read on them."""
    figure.add_heatmap(
        x=list(range(len(table.columns))),
        y=list(range(len(table.rows))),
        z=[[cell.value if cell else None for cell in cells] for _, cells in table.rows],
        zmin=table.low,
        zmax=1,
        colorscale=SEQUENTIAL,
        showscale=False,
        xgap=3,
        ygap=3,
        text=[[cell.says if cell else "" for cell in cells] for _, cells in table.rows],
        hovertemplate="%{text}<extra></extra>",
        hoverongaps=False,
    )
    figures = [(i, j, c.value) for i, (_, cells) in enumerate(table.rows) for j, c in enumerate(cells) if c]
    for shade in (LIGHT_CELL_INK, DARK_CELL_INK):
        at = [one for one in figures if table.ink(one[2]) == shade]
        figure.add_scatter(
            x=[j for _, j, _ in at],
            y=[i for i, _, _ in at],
            text=[f"{value:.2f}" for *_, value in at],
            mode="text",
            textfont={"color": shade, "size": 14},
            hoverinfo="skip",
        )


def _add_blanks(figure: Figure, table: HeatTable) -> None:
    """A hatching where there is no figure."""
    blank = [(i, j) for i, (_, cells) in enumerate(table.rows) for j, c in enumerate(cells) if c is None]
    if not blank:
        return
    figure.add_scatter(
        x=[x for _, j in blank for x in (j - 0.48, j + 0.48, j + 0.48, j - 0.48, None)],
        y=[y for i, _ in blank for y in (i - 0.44, i - 0.44, i + 0.44, i + 0.44, None)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillpattern={
            "shape": "/",
            "fgcolor": FAINT,
            "bgcolor": "rgba(0,0,0,0)",
            "size": 7,
            "solidity": 0.25,
        },
        hoverinfo="skip",
    )


def _narrow(figure: Figure, table: HeatTable, labels: Sequence[str]) -> dict[str, Any]:
    """What changes on a phone."""
    return {
        "xaxis.ticktext": list(table.short),
        "xaxis.tickfont": {"size": 13},
        "xaxis.tickangle": -90,
        "yaxis.ticktext": [label.replace(" · ", "<br>") for label in labels],
        "yaxis.tickfont": {"size": 13},
        "height": 96 + 44 * len(labels),
        "margin": {"l": 120, "r": 4, "t": 34, "b": 6},
        # Six columns of 38 pixels: no room for the zero before the point.
        **{
            f"traces.{i}": {"text": [text.lstrip("0") for text in trace["text"]], "textfont": {"size": 13}}
            for i, trace in enumerate(figure.data)
            if trace.get("mode") == "text"
        },
    }


def headline(known: Sequence[Row], found: Sequence[Disparity], t: Speaker) -> str:
    """The finding as a sentence anybody can repeat: whose music is heard less well than Western music, by how many.

    A model hears a corpus less well if every figure of it lies below all its Western ones; where both have intervals,
    wholly below. Empty where the corpus that is worst for most is Western, or most models do not.
    """
    worst = _worst(found)
    tradition = tradition_of(worst) if worst else WESTERN
    western = [corpus for corpus, whose in STUDY.traditions.items() if whose == WESTERN]
    by_model: dict[str, list[bool]] = defaultdict(list)
    for row in known:
        held = [row.values[c] for c in western if c in row.values]
        if held and worst in row.values:
            by_model[row.model].append(all(_below(row.values[worst], other) for other in held))
    less = sum(all(of) for of in by_model.values())
    if tradition == WESTERN or len(by_model) < 2 or 2 * less <= len(by_model):
        return ""
    key = "evidence.overview.none_hears" if less == len(by_model) else "evidence.overview.most_hear"
    return str(t(key, music=Markup(music_words(tradition, t)), count=less, of=len(by_model)))


def _below(one: Result, other: Result) -> bool:
    if one.high is not None and other.low is not None:
        return one.high < other.low
    return one.value < other.value


def _missing(known: Sequence[Row], t: Speaker) -> dict[str, str]:
    """The line about the models that have no figure, and the command that would make one; nothing if all have."""
    measured = {row.model for row in known if row.comparison.protocol == "papaioannou2025"}
    names = [name for name in UNAVAILABLE if spec(name).title not in measured]
    if not names:
        return {}
    models = [UNAVAILABLE[name] for name in names]
    return {
        "missing": str(t("evidence.overview.missing", n=len(names), models=models)),
        "filling": str(t("evidence.overview.filling", command=_command(names[0], "lyra"))),
    }


def _column_label(corpus: str, t: Speaker) -> str:
    """The corpus over its tradition, where its name does not say that already."""
    title, tradition = corpus_title(corpus, t), tradition_words(tradition_of(corpus), t)
    return title if title.replace("-", " ") == tradition else f"{title}<br>{tradition}"


def _command(name: str, corpus: str) -> str:
    return (
        f"python -m mirdemo evaluate --corpus {corpus} --data DIR --backbone {name} "
        "--method probe --protocol papaioannou2025"
    )


def _shared(found: Sequence[Disparity]) -> list[Disparity]:
    """Those with a figure on every corpus, where there are any."""
    return [d for d in found if not d.missing] or list(found)


def _worst(found: Sequence[Disparity]) -> str:
    """The corpus that is worst for most; empty where there is nothing to compare."""
    shared = _shared(found)
    return max(sorted({d.worst for d in shared}), key=lambda c: sum(d.worst == c for d in shared), default="")


def overview_title(found: Sequence[Disparity], records: Sequence[Result], metric: str, t: Speaker) -> str:
    """States how far every model falls from its best to the corpus that is worst for most.

    records: everything drawn; where no row has two corpora, the title states their range
    """
    if not records:
        return str(t("evidence.overview.title"))
    name = t("evidence.metric." + metric)
    if not found:
        low, high = (f"{f(r.value for r in records):.2f}" for f in (min, max))
        sure = surety(records, t, digits=".2f", scale=1)
        return str(t("evidence.overview.range", metric=name, n=len(records), low=low, high=high, sure=sure))
    shared, worst = _shared(found), _worst(found)
    falls = [d.gap for d in shared if d.worst == worst]
    values = [f.value for f in falls]
    return str(
        t(
            "evidence.overview.finding",
            metric=name,
            count=len(falls),
            of=len(shared),
            n=len(shared),
            row=Markup(row_label(shared[0].comparison, shared[0].model, t)),
            worst=corpus_title(worst, t),
            span=span(percent(min(values)), percent(max(values)), t),
            sure=surety(falls, t),
        )
    )
