"""One tag opened from the explorer: all that is known about it; and the same tags as a list, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence.charting import with_interval
from mirdemo.evidence.palette import tradition_words
from mirdemo.evidence.selection import TAG_METRICS
from mirdemo.evidence.tags import bare, family
from mirdemo.evidence.wording import corpus_title, row_label
from mirdemo.results.bias import Comparison
from mirdemo.results.records import Result
from mirdemo.words.language import Speaker


@dataclass(frozen=True)
class Line:
    """One run's figures for the tag.

    figures: metric -> value with its interval where there is one; link: where the source is, None for measured ones
    """

    model: Markup
    figures: Mapping[str, str]
    protocol: str
    source: str
    link: str | None


@dataclass(frozen=True)
class Opened:
    """All that is known about one tag, in words.

    tradition: empty where the corpus's title says it already
    support: test recordings that carry it, None where that was not published
    intervals: whether any figure has one
    """

    name: str
    family: str
    corpus: str
    tradition: str
    support: int | None
    intervals: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Entry:
    """One tag of the list. key: as ``opened`` takes it"""

    key: str
    name: str
    family: str
    corpus: str
    value: str
    support: int


def opened(records: Iterable[Result], key: str, cited: Mapping, t: Speaker) -> Opened | None:
    """The tag of a key ``"<corpus>/<tag>"``; None if nothing is known about it."""
    corpus, _, tag = key.partition("/")
    mine = [r for r in records if r.tag == tag and r.corpus == corpus and r.metric in TAG_METRICS]
    if not mine or corpus not in catalogue():
        return None
    title, tradition = corpus_title(corpus, t), tradition_words(catalogue()[corpus].tradition, t)
    runs: dict[tuple, dict[str, Result]] = {}
    for r in mine:
        runs.setdefault(_run(r), {})[r.metric] = r
    return Opened(
        name=bare(tag),
        family=family_words(corpus, tag, t),
        corpus=title,
        tradition="" if title.replace("-", " ") == tradition else tradition,
        support=next((int(r.setting["support"]) for r in mine if r.setting.get("support")), None),
        intervals=any(r.low is not None for r in mine),
        lines=tuple(_line(run, cited, t) for run in runs.values()),
    )


def most_lines(records: Iterable[Result]) -> int:
    """How many lines a tag has at most when it is opened; 0 where no figure is of a tag."""
    runs: dict[tuple[str, str], set[tuple]] = {}
    for r in records:
        if r.tag and r.metric in TAG_METRICS:
            runs.setdefault((r.corpus, r.tag), set()).add(_run(r))
    return max(map(len, runs.values()), default=0)


def _run(r: Result) -> tuple:
    """What tells the lines of an opened tag apart."""
    return (r.model, r.method, r.protocol, r.source, str(r.setting.get("tuned")), r.layer, r.whitening)


def worst_first(records: Sequence[Result], t: Speaker) -> list[Entry]:
    """The explorer's dots as a list, from the lowest F1; among equals the most frequent tag first."""
    none = str(t("evidence.no_interval"))
    return [
        Entry(
            f"{r.corpus}/{r.tag}",
            bare(r.tag),
            family_words(r.corpus, r.tag, t),
            corpus_title(r.corpus, t),
            f"{r.value:.2f}" if r.low is None else with_interval(r.value, r.low, r.high, none),
            int(r.setting["support"]),
        )
        for r in sorted(records, key=lambda r: (r.value, -r.setting["support"]))
    ]


def family_words(corpus: str, tag: str, t: Speaker) -> str:
    """The tag's family in this language; as the corpus writes it where it has no word."""
    key = "evidence.family." + family(corpus, tag)
    return str(t(key)) if t.has(key) else family(corpus, tag)


def _line(figures: Mapping[str, Result], cited: Mapping, t: Speaker) -> Line:
    first = next(iter(figures.values()))
    citation = cited.get(first.citation or "")
    moved = first.setting.get("transfer_from")
    origin = f" ({t('evidence.transfer.from', corpus=corpus_title(str(moved), t))})" if moved else ""
    return Line(
        model=Markup(
            row_label(Comparison.of(first), first.model, t) + origin
        ),  # escaped where they were made
        figures={
            metric: f"{r.value:.2f}" if r.low is None else with_interval(r.value, r.low, r.high, "")
            for metric, r in figures.items()
        },
        protocol=first.protocol,
        source=citation["short"] if citation else str(t("evidence.measured_here")),
        link=citation["url"] if citation else None,
    )
