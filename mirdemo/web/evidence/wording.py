"""What the charts of the evidence say alike: labels, hovers, sources."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import escape

from mirdemo.bias import Comparison
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Result
from mirdemo.web.charting import (
    with_interval,
)
from mirdemo.web.language import Speaker

#: rows and panels that still can be read; the rest is said in a line, and found by filtering
MOST_ROWS, MOST_PANELS = 40, 4


def left_out(n: int, t: Speaker) -> tuple[str, ...]:
    """The line that says how many rows or panels are not drawn."""
    return (str(t("evidence.left_out", n=n)),) if n > 0 else ()


def percent(value: float) -> str:
    return f"{100 * value:.0f}"


def sources_of(records: Iterable[Result], cited: dict[str, dict[str, str]], t: Speaker) -> tuple[str, ...]:
    """Short citations of what is drawn, measured figures by their own words."""
    found = []
    for record in records:
        name = cited[record.citation]["short"] if record.citation else str(t("evidence.measured_here"))
        if name not in found:
            found.append(name)
    return tuple(found)


def row_label(comparison: Comparison, model: str, t: Speaker) -> str:
    """``MERT-v1-95M`` or ``AST, moved, last layer``: the model and what was done with it."""
    key = f"evidence.row.{comparison.method}"
    tuned = dict(comparison.setting).get("tuned")
    if tuned:
        key += ".last" if tuned == "last layer" else ".all"
    done = t(key) if t.has(key) else t(f"evidence.method.{comparison.method}")
    return f"{escape(model)} · {done}"


def hover(record: Result, cited: dict[str, dict[str, str]], t: Speaker) -> str:
    """Value, interval, n, protocol and source of one figure."""
    citation = cited.get(record.citation or "")
    n = t("evidence.hover.n", n=record.n) if record.n else t("evidence.hover.no_n")
    return "<br>".join(
        (
            f"<b>{escape(record.model)}</b> · {corpus_words(record.corpus, t)}",
            f"{t('evidence.metric.' + record.metric)}: "
            + with_interval(record.value, record.low, record.high, str(t("evidence.no_interval"))),
            str(n),
            str(t("evidence.hover.protocol", protocol=record.protocol)),
            str(escape(citation["short"]) if citation else t("evidence.measured_here")),
        )
    )


def corpus_title(corpus: str) -> str:
    """The corpus as its authors write it; a user's own name for theirs, escaped."""
    return CORPORA[corpus].title if corpus in CORPORA else str(escape(corpus))


def corpus_words(corpus: str, t: Speaker) -> str:
    """The corpus's title; of the controlled corpora, the tradition that is synthesised in it."""
    kind, parted, tradition = corpus.partition("/")
    if parted and kind == "controlled":
        return str(t("evidence.controlled.corpus", tradition=t("evidence.tradition." + tradition)))
    return corpus_title(corpus)


def link_of(record: Result, cited: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """What a click on the figure opens: its citation; of a measured figure nothing."""
    return {"link": cited[record.citation]["url"]} if record.citation else None
