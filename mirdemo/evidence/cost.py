"""What size and time buy: frozen probes of models from small to large, their scores and how long it took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from markupsafe import escape

from mirdemo.evidence import laid_over
from mirdemo.evidence.charting import (
    FAINT,
    INK,
    Chart,
    bare_figure,
    drawn,
    error_bars,
)
from mirdemo.evidence.figure import Figure
from mirdemo.evidence.palette import COLOURS, colour, in_order, symbol, tradition_of, tradition_words
from mirdemo.evidence.selection import facts
from mirdemo.evidence.wording import (
    MOST_ROWS,
    hover,
    least_range,
    left_out,
    link_of,
    model_title,
    source_of,
    sources_of,
    synthesised,
)
from mirdemo.results.bias import Comparison
from mirdemo.results.ranking import ranks
from mirdemo.results.records import Result, Results
from mirdemo.words.language import Speaker

#: Where the score's panel ends and the time's begins, as shares of the width.
SPLIT = (0.6, 0.68)
ROW = 42
SECONDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
#: How far apart the traditions of one row stand, in rows, so that their intervals can be told apart.
STEP = 0.13


@dataclass(frozen=True)
class Row:
    """One model of one comparison: its figures, one a corpus. A row without figures heads a comparison.

    narrow: the label on a narrow screen
    """

    label: str
    narrow: str
    figures: tuple[Result, ...] = ()
    own: bool = False


@dataclass(frozen=True)
class Pairs:
    """How often the larger of two models scores higher on the same corpus under the same rules.

    n: pairs of models of different known size; up: the larger is higher; sure, against: the larger (the smaller) is
        surely higher, all models under the same rules on the same corpus looked at together (``results.ranking``)
    largest: title of the largest model that was compared
    """

    largest: str | None = None
    n: int = 0
    up: int = 0
    sure: int = 0
    against: int = 0


def probes(chosen: Iterable[Result], metric: str) -> dict[Comparison, dict[str, dict[str, Result]]]:
    """Comparison -> model -> corpus -> its newest figure over all tags: plain probes of everything audible."""
    found: dict[Comparison, dict[str, dict[str, Result]]] = {}
    kept = (
        r
        for r in chosen
        if r.tag is None
        and r.metric == metric
        and r.method == "probe"
        and r.whitening is None
        and not r.apart
    )
    for record in sorted(kept, key=lambda r: r.date or ""):
        if record.setting.get("mode", "full") == "full":
            found.setdefault(Comparison.of(record), defaultdict(dict))[record.model][record.corpus] = record
    return found


def pairs(table: Mapping[Comparison, Mapping[str, Mapping[str, Result]]]) -> Pairs:
    """Every two networks of different known size, on every corpus that both have a figure for.

    What has no parameters is not a small network but none: it stays out.
    """
    sizes = {title: spec.parameters or 0 for title, spec in facts().items()}
    counted: Counter[str] = Counter()
    compared = set()
    for by_model in table.values():
        known = sorted((m for m in by_model if sizes.get(m)), key=lambda m: sizes[m])
        ranked = {
            corpus: ranks([by_model[m][corpus] for m in known if corpus in by_model[m]])
            for corpus in dict.fromkeys(c for m in known for c in by_model[m])
        }
        for small, large in combinations(known, 2):
            for corpus in by_model[small].keys() & by_model[large].keys():
                if sizes[small] == sizes[large]:
                    continue
                one, other = (ranked[corpus][m] for m in (small, large))
                apart = bool(one and other and not set(one.letters) & set(other.letters))
                up = by_model[large][corpus].value > by_model[small][corpus].value
                compared.add(large)
                counted.update({"n": 1, "up": up, "sure": apart and up, "against": apart and not up})
    return Pairs(max(compared, key=lambda m: sizes[m], default=None), **counted)


def cost(chosen: Results, metric: str, cited: dict, t: Speaker, *, own: Sequence[Result] = ()) -> Chart:
    """A row a model, small to large: score by corpus with intervals, and beside it the seconds it took.

    own: the visitor's figures over all tags in this metric; their rows come last and are part of no finding
    """
    how = str(t("evidence.cost.how"))
    table = probes(chosen, metric)
    known = facts()
    missing = {m for of in table.values() for m in of if m not in known or known[m].parameters is None}
    rows = _rows(table, cited, t)
    drawn_rows = [*rows[:MOST_ROWS], *_own_rows(own, t)]
    if not drawn_rows:
        return Chart(str(t("evidence.cost.title")), None, how, empty=str(t("evidence.cost.empty")))
    height = 110 + ROW * len(drawn_rows)
    figure = bare_figure(height=height, left=230, top=58, bottom=52)
    timed = _draw(figure, drawn_rows, cited, t)
    labels = [row.label for row in drawn_rows]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, showgrid=False, range=[len(labels) - 0.5, -0.5]
    )
    figure.update_xaxes(title={"text": str(t("evidence.metric." + metric))}, tickformat=".2f")
    ends = [v for row in drawn_rows for r in row.figures for v in (r.low, r.value, r.high) if v is not None]
    figure.update_layout(
        xaxis={"domain": [0, SPLIT[0] if timed else 1], "range": least_range(min(ends), max(ends))},
        xaxis2={
            "domain": [SPLIT[1], 1],
            "anchor": "y",
            "type": "log",
            "title": {"text": str(t("evidence.cost.seconds")), "standoff": 10},
            "gridcolor": FAINT,
            "tickvals": SECONDS,
            "fixedrange": True,
            "automargin": True,
            "visible": timed,
        },
        showlegend=True,
    )
    return drawn(
        title(table, t),
        figure,
        "\n".join((how, _took(rows, t), *_without(missing, t))),
        height=height,
        narrow={
            "yaxis.ticktext": [row.narrow.replace(" · ", "<br>") for row in drawn_rows],
            "yaxis.tickfont": {"size": 13},
            "height": 170 + 46 * len(labels),
            "margin": {"l": 120, "r": 10, "t": 124, "b": 56},
            "legend": {"x": -0.8, "entrywidth": 108, "font": {"size": 13}},
            "xaxis.nticks": 3,
            "xaxis.tickangle": 0,
            "xaxis.title.font": {"size": 13},
            "xaxis2.title": {"text": str(t("evidence.cost.seconds_narrow")), "font": {"size": 13}},
            "xaxis2.tickvals": [10, 100, 1000],
            "xaxis2.tickangle": 0,
            **{
                f"annotations.{i}.text": str(t("evidence.cost.no_time_narrow"))
                for i in range(len(figure.annotations))
            },
        },
        sources=(
            *sources_of([r for row in rows for r in row.figures], cited, t),
            *left_out(len(rows) - MOST_ROWS, t),
            *([str(t("evidence.source.yours"))] if own else []),
        ),
    )


def size_words(title: str, t: Speaker, *, short: bool = False) -> str:
    """``94.4 million parameters``, short ``94.4 M``; no network at all is said so."""
    parameters = facts()[title].parameters
    if not parameters:
        return str(t("evidence.cost.no_network"))
    million = f"{parameters / 1e6:.1f}".removesuffix(".0")
    return str(t("evidence.cost.size" + (".short" if short else ""), million=million))


def _rows(
    table: Mapping[Comparison, Mapping[str, Mapping[str, Result]]], cited: dict, t: Speaker
) -> list[Row]:
    """Each comparison under its heading, its models from small to large; models of unknown size left out."""
    known, rows = facts(), []
    for comparison, by_model in table.items():
        models = sorted(
            (m for m in by_model if m in known and known[m].parameters is not None),
            key=lambda m: (known[m].parameters, m),
        )
        if models:
            first = next(iter(by_model[models[0]].values()))
            whose, protocol = escape(source_of(first, cited, t)), escape(comparison.protocol)
            short = t("evidence.measured_synthesised_narrow") if synthesised(first.corpus) else whose
            rows.append(_heading(whose, protocol, narrow=short))
            rows += [_row(m, tuple(by_model[m].values()), t) for m in models]
    return rows


def _heading(whose: str, more: str, *, narrow: str) -> Row:
    wide, short = (f"<b>{name}</b> · {more}" for name in (whose, narrow))
    return Row(wide, short)


def _row(model: str, figures: tuple[Result, ...], t: Speaker, *, own: bool = False) -> Row:
    name = model_title(model, t)
    if model not in facts():
        return Row(name, name, figures, own)
    wide, narrow = (f"{name} · {size_words(model, t, short=short)}" for short in (False, True))
    return Row(wide, narrow, figures, own)


def _own_rows(own: Sequence[Result], t: Speaker) -> list[Row]:
    if not own:
        return []
    rows = []
    for method in dict.fromkeys(r.method for r in own):
        whose = str(t("evidence.yours.corpus"))
        rows.append(_heading(whose, str(t("evidence.method." + method)), narrow=whose))
        for record in (r for r in own if r.method == method):
            row = _row(record.model, (record,), t, own=True)
            wide, narrow = (laid_over.listened(record, name, t) for name in (row.label, row.narrow))
            rows.append(Row(wide, narrow, row.figures, own=True))
    return rows


def _draw(figure: Figure, rows: Sequence[Row], cited: dict, t: Speaker) -> bool:
    """Dots by corpus in both panels; whether any has its seconds."""
    spots = [(i, r) for i, row in enumerate(rows) if not row.own for r in row.figures]
    traditions = in_order((*COLOURS, *(tradition_of(r.corpus) for _, r in spots)))
    for place, tradition in enumerate(traditions):
        own_colour, shift = colour(tradition), STEP * (place - (len(traditions) - 1) / 2)
        mine = [(i + shift, r) for i, r in spots if tradition_of(r.corpus) == tradition]
        for published in (True, False):
            of = [(i, r) for i, r in mine if (r.source == "published") == published]
            marker = {
                "color": own_colour,
                "symbol": symbol(tradition) + ("-open" if published else ""),
                "size": 9,
                "line": {"width": 2 if published else 0, "color": own_colour},
            }
            if of:
                figure.add_scatter(
                    x=[r.value for _, r in of],
                    y=[i for i, _ in of],
                    mode="markers",
                    name=tradition_words(tradition, t),
                    legendgroup=tradition,
                    showlegend=published or not any(r.source == "published" for _, r in mine),
                    marker=marker,
                    customdata=[link_of(r, cited) for _, r in of],
                    text=[_hover(r, cited, t) for _, r in of],
                    hovertemplate="%{text}<extra></extra>",
                    **error_bars([r for _, r in of], "x", colour=own_colour),
                )
            with_seconds = [(i, r) for i, r in of if r.seconds and r.hardware]
            if with_seconds:
                figure.add_scatter(
                    x=[r.seconds for _, r in with_seconds],
                    y=[i for i, _ in with_seconds],
                    xaxis="x2",
                    mode="markers",
                    legendgroup=tradition,
                    showlegend=False,
                    marker=marker,
                    text=[_hover(r, cited, t) for _, r in with_seconds],
                    hovertemplate="%{text}<extra></extra>",
                )
    own: list[tuple[float, Result]] = [(i, r) for i, row in enumerate(rows) if row.own for r in row.figures]
    for axis, of in (("x", own), ("x2", [(i, r) for i, r in own if r.seconds])):
        if of:
            figure.add_scatter(
                x=[r.value if axis == "x" else r.seconds for _, r in of],
                y=[i for i, _ in of],
                xaxis=axis,
                mode="markers",
                name=str(t("evidence.yours.corpus")),
                legendgroup="yours",
                showlegend=axis == "x",
                marker=laid_over.MARK,
                text=[laid_over.hover(r, t) + _seconds(r, t) for _, r in of],
                hovertemplate="%{text}<extra></extra>",
                **(error_bars([r for _, r in of], "x") if axis == "x" else {}),
            )
    timed = any(trace.get("xaxis") == "x2" for trace in figure.data)
    if timed:
        _say_untimed(figure, rows, t)
    return timed


def _say_untimed(figure: Figure, rows: Sequence[Row], t: Speaker) -> None:
    """In each row whose time was not published, these words in its place."""
    for i, row in enumerate(rows):
        if row.figures and not any(r.seconds and r.hardware for r in row.figures):
            figure.add_annotation(
                x=0,
                xref="x2 domain",
                y=i,
                text=str(t("evidence.cost.no_time")),
                xanchor="left",
                showarrow=False,
                font={"color": INK, "size": 13},
                opacity=0.7,
            )


def _hover(record: Result, cited: dict, t: Speaker) -> str:
    return hover(record, cited, t) + _seconds(record, t)


def _seconds(record: Result, t: Speaker) -> str:
    if not record.seconds or not record.hardware:
        return ""
    said = t("evidence.cost.hover", seconds=f"{record.seconds:.1f}", hardware=record.hardware)
    return f"<br>{said}"


def _without(missing: set[str], t: Speaker) -> list[str]:
    return [str(t("evidence.cost.left_out", n=len(missing), models=sorted(missing)))] if missing else []


def title(table: Mapping[Comparison, Mapping[str, Mapping[str, Result]]], t: Speaker) -> str:
    """Whether the larger of two models scores higher, and how often clearly so."""
    found = pairs(table)
    if found.largest is None:
        return str(t("evidence.cost.one_size"))
    key = "evidence.cost.mixed" if found.against else "evidence.cost.finding"
    most = size_words(found.largest, t)
    return str(t(key, most=most, n=found.n, up=found.up, sure=found.sure, against=found.against))


def _took(rows: Sequence[Row], t: Speaker) -> str:
    """Between which times the probes lie, or that none is known."""
    seconds = [r.seconds for row in rows if not row.own for r in row.figures if r.seconds and r.hardware]
    if not seconds:
        return str(t("evidence.cost.untimed"))
    return str(t("evidence.cost.took", low=f"{min(seconds):.0f}", high=f"{max(seconds):.0f}"))
