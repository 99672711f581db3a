"""How a visitor's own figures look beside the published ones: their mark, their words, their rows and points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

from mirdemo.evidence.charting import GROUND, INK, with_interval
from mirdemo.evidence.figure import Figure
from mirdemo.evidence.wording import model_title, row_label
from mirdemo.results.bias import Comparison
from mirdemo.results.records import Result
from mirdemo.words.language import Speaker

#: A mark that no tradition and no backbone has, in the colour of the visitor's own music: black, or white at night.
MARK = {"symbol": "pentagon", "size": 13, "color": INK, "line": {"color": GROUND, "width": 1}}
#: Rows that the block adds above its own: the gap with its heading.
HEADING = 1


def said(record: Result, t: Speaker) -> str:
    """``yours, 12 recordings``"""
    return str(t("evidence.yours.n", n=record.n))


def listened(record: Result, name: str, t: Speaker) -> str:
    """A row's name, with whether its embeddings were whitened."""
    return str(t("evidence.yours.whitened", name=Markup(name))) if record.whitening else name


def value(record: Result, t: Speaker, *, short: bool = False) -> str:
    """``0.84 (0.76-0.90)``, or why there is no interval."""
    none = t("evidence.yours.no_interval" + (".short" if short else ""))
    return with_interval(record.value, record.low, record.high, str(none))


def hover(record: Result, t: Speaker) -> str:
    """What a published figure tells, and that this one is the visitor's."""
    return "<br>".join(
        (
            f"<b>{listened(record, model_title(record.model, t), t)}</b> · {t('evidence.yours.corpus')}",
            f"{t('evidence.metric.' + record.metric)}: {value(record, t)}",
            said(record, t),
            str(t("evidence.hover.protocol", protocol=record.protocol)),
            str(t("evidence.yours.apart")),
        )
    )


def over_tags(own: Iterable[Result], metric: str) -> list[Result]:
    """The visitor's figures over all tags in a metric: one a backbone and stage, without the learning curve."""
    return [r for r in own if r.tag is None and r.metric == metric and not isinstance(_shots(r), int)]


def curve_points(own: Iterable[Result]) -> list[Result]:
    """Of each set of prototypes the macro-F1 with three recordings a tag where it was measured, else with all."""
    found: dict[tuple, Result] = {}
    for record in own:
        if record.method == "fewshot" and record.metric == "macro_f1" and record.tag is None:
            shots = _shots(record)
            key = (record.model, record.layer, record.whitening, record.corpus_revision)
            if shots == 3 or (not isinstance(shots, int) and key not in found):
                found[key] = record
    return list(found.values())


def _shots(record: Result) -> Any:
    return record.setting.get("k_shot")


def _label(record: Result, t: Speaker) -> str:
    """Of a row: the model, what was done with it, and by which rules if not by the live ones."""
    rules = "" if record.protocol == "live" else f" ({escape(record.protocol)})"
    return listened(record, row_label(Comparison.of(record), record.model, t), t) + rules


def table_rows(own: Sequence[Result], t: Speaker) -> tuple[tuple[str, str, str], ...]:
    """The visitor's rows of a heat map that is a table: label, value with its interval and whose it is, all of it."""
    return tuple((_label(r, t), f"{value(r, t)} · {said(r, t)}", hover(r, t)) for r in own)


def add_rows(
    figure: Figure, own: Sequence[Result], first: int, columns: int, t: Speaker
) -> tuple[list[str], dict[str, Any]]:
    """A block of the visitor's rows below a heat map: mark, value with interval, whose it is.

    first: the row of its heading; the records follow below it. columns: of the heat map
    Returns the labels of the heading and of the rows, and what changes on a narrow screen.
    """
    rows = [first + HEADING + i for i in range(len(own))]
    figure.add_scatter(
        x=[x for _ in rows for x in (-0.49, columns - 0.51, columns - 0.51, -0.49, -0.49, None)],
        y=[y for row in rows for y in (row - 0.4, row - 0.4, row + 0.4, row + 0.4, row - 0.4, None)],
        mode="lines",
        line={"color": INK, "width": 1},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[-0.32] * len(rows),
        y=rows,
        mode="markers+text",
        marker=MARK,
        text=[f"  {value(r, t)} · {said(r, t)}" for r in own],
        textposition="middle right",
        textfont={"color": INK, "size": 14},
        hovertext=[hover(r, t) for r in own],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.add_annotation(
        x=-0.49,
        y=first,
        text=str(t("evidence.yours.note")),
        xanchor="left",
        showarrow=False,
        font={"color": INK, "size": 13},
    )
    labels = [_label(r, t) for r in own]
    narrow = {
        f"traces.{len(figure.data) - 1}": {
            "text": [f" {value(r, t, short=True)}<br> {said(r, t)}" for r in own],
            "textfont": {"size": 13},
        },
        f"annotations.{len(figure.annotations) - 1}": {"text": str(t("evidence.yours.note_narrow"))},
    }
    return [f"<b>{t('evidence.yours.corpus')}</b>", *labels], narrow
