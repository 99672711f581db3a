"""What the charts of the evidence say alike: labels, hovers, sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from mirdemo.backbones.registry import specs
from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.elsewhere import ELSEWHERE
from mirdemo.evidence.charting import (
    with_interval,
)
from mirdemo.evidence.palette import tradition_words
from mirdemo.results.bias import Comparison, Figure
from mirdemo.results.ranking import Rank
from mirdemo.results.records import Result
from mirdemo.words.language import Speaker

#: rows and panels that still can be read; the rest is said in a line, and found by filtering
MOST_ROWS, MOST_PANELS = 40, 4
#: lines under a chart that make sense only where it can be touched
SCREEN_ONLY = ("evidence.overview.click", "evidence.rarity.click")


def left_out(n: int, t: Speaker) -> tuple[str, ...]:
    """The line that says how many rows or panels are not drawn."""
    return (str(t("evidence.left_out", n=n)),) if n > 0 else ()


def percent(value: float) -> str:
    return f"{100 * value:.0f}"


def span(low: str, high: str, t: Speaker) -> str:
    """``5 to 16``; where rounding leaves one number, that number once."""
    return low if low == high else str(t("evidence.span", low=low, high=high))


def surety(figures: Sequence[Figure | Result], t: Speaker, *, digits: str = ".0f", scale: float = 100) -> str:
    """What a finding says of how sure its figures are: the outer limits of their intervals, or that there is none.

    digits, scale: how the limits are written, as the finding writes its figures
    """
    sure = [(f.low, f.high) for f in figures if f.low is not None and f.high is not None]
    if not sure:
        return str(t("evidence.no_interval"))
    low, high = (
        f"{scale * v:{digits}}" for v in (min(low for low, _ in sure), max(high for _, high in sure))
    )
    key = "evidence.sure.all" if len(sure) == len(figures) else "evidence.sure.some"
    return str(t(key, span=span(low, high, t), n=len(sure), of=len(figures)))


def least_range(low: float, high: float, least: float = 0.1) -> list[float] | None:
    """The limits of an axis whose values lie closer together than its ticks can tell; None where they do not."""
    if high - low >= least:
        return None
    middle = (low + high) / 2
    return [middle - 0.6 * least, middle + 0.6 * least]


def on_paper(sources: Iterable[str], t: Speaker) -> tuple[str, ...]:
    """The lines under a chart without those that say what to choose on the screen."""
    screen = {str(t(key)) for key in SCREEN_ONLY}
    return tuple(line for line in sources if line not in screen)


def synthesised(corpus: str) -> bool:
    """Whether a corpus is music that this program made."""
    return corpus.startswith("controlled/")


def source_of(record: Result, cited: dict[str, dict[str, str]], t: Speaker) -> str:
    """Short citation of a figure; of a measured one who measured it, and that the music was made for it."""
    if record.citation in cited:
        return cited[record.citation]["short"]
    return str(t("evidence.measured_synthesised" if synthesised(record.corpus) else "evidence.measured_here"))


def sources_of(records: Iterable[Result], cited: dict[str, dict[str, str]], t: Speaker) -> tuple[str, ...]:
    """Short citations of what is drawn, measured figures by their own words."""
    found = []
    for record in records:
        name = source_of(record, cited, t)
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
    return f"{model_title(model, t)} · {done}"


def hover(record: Result, cited: dict[str, dict[str, str]], t: Speaker) -> str:
    """Value, interval, n, protocol and source of one figure, and in what way it is not of the corpus as published."""
    n = t("evidence.hover.n", n=record.n) if record.n else t("evidence.hover.no_n")
    return "<br>".join(
        (
            f"<b>{model_title(record.model, t)}</b> · {corpus_words(record.corpus, t)}",
            f"{t('evidence.metric.' + record.metric)}: "
            + with_interval(record.value, record.low, record.high, str(t("evidence.no_interval"))),
            str(n),
            str(t("evidence.hover.protocol", protocol=record.protocol)),
            str(escape(source_of(record, cited, t))),
            *([str(t("evidence.partial", ways=partial_ways(record, t)))] if record.partial else []),
        )
    )


def partial_ways(record: Result, t: Speaker) -> list[Markup]:
    """In which ways a figure is not of its corpus as published (``Result.partial``), in words."""
    return [
        t("evidence.partial.whole" if value == "whole" else f"evidence.partial.{name}", n=_plain(value))
        for name, value in record.partial.items()
    ]


def _plain(value: str | int | float) -> str | int | float:
    """``30`` for 30.0"""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rank_words(rank: Rank | None, t: Speaker) -> str:
    """A line for a hover: ``ranks 1 to 2 of 4 (a)``; nothing where there are no ranks."""
    if rank is None:
        return ""
    ends = {"first": rank.first, "last": rank.last, "of": rank.of, "letters": rank.letters}
    key = "evidence.rank.one" if rank.first == rank.last else "evidence.rank"
    how = t("evidence.rank.paired" if rank.paired else "evidence.rank.independent")
    return f"<br>{t(key, **ends)}; {how}"


def model_title(model: str, t: Speaker) -> str:
    """The model as its figures name it, escaped; where it is a backbone with words of its own, as the language calls it."""
    key = next((f"page.backbone.{one.name}" for one in specs().values() if one.title == model), "")
    return str(t(key) if key and t.has(key) else escape(model))


def corpus_title(corpus: str, t: Speaker) -> str:
    """The corpus as its authors write it, and where that is the name of a tradition, as the language calls it; a user's own
    name for theirs, escaped."""
    key = "evidence.corpus." + corpus
    if t.has(key):
        return str(t(key))
    known = catalogue().get(corpus) or ELSEWHERE.get(corpus)
    return str(escape(known.title if known else corpus))


def corpus_words(corpus: str, t: Speaker) -> str:
    """The corpus's title; of the controlled corpora, the tradition that is synthesised in it."""
    if synthesised(corpus):
        tradition = corpus.partition("/")[2]
        return str(t("evidence.controlled.corpus", tradition=tradition_words(tradition, t)))
    return corpus_title(corpus, t)


def link_of(record: Result, cited: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """What a click on the figure opens: its citation; of a measured figure nothing."""
    return {"link": cited[record.citation]["url"]} if record.citation else None
