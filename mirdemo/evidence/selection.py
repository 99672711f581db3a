"""The visitor's filters, and which records they leave. No gradio here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.backbones.registry import specs
from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.frames import STUDY
from mirdemo.evidence.tags import FAMILIES, family
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results

if TYPE_CHECKING:
    import pandas

    from mirdemo.backbones.spec import BackboneSpec

#: metrics the dashboard offers, best comparable first
METRICS = ("roc_auc", "map", "macro_f1", "micro_f1")
SOURCES = ("published", "measured", "yours")
#: the corpus of a visitor's own results, and what it is called in an address
YOURS = "yours"
LICENCES = ("any", "commercial")
SIZES = ("any", "small")
#: parameters of a small model, at most
SMALL = 100_000_000
#: metrics of single tags that are shown, whatever metric is chosen for the rest
TAG_METRICS = ("f1", "precision", "recall")
#: characters of a tag's key in an address
MOST_KEY = 150


def known(models: Collection[str]) -> dict[str, Collection[str]]:
    """Of which there may be several in an address -> what it may name."""
    return {
        "methods": results.METHODS,
        "corpora": (*catalogue(), YOURS),
        "sources": SOURCES,
        "models": models,
    }


@dataclass(frozen=True)
class Selection:
    """What the visitor asked to see. Empty tuples mean "all".

    family: of tags (``tags.FAMILIES``): figures of other tags are left out, those over all tags stay
    tag: the one opened in the per-tag chart, ``"<corpus>/<tag>"``; it changes no chart
    """

    metric: str = "roc_auc"
    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    licence: str = "any"
    size: str = "any"
    family: str = ""
    tag: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], models: Collection[str]) -> Selection:
        """From the address: unknown names and values are dropped, so any link gives a view.

        models: the models there are to choose from
        """
        given: dict[str, Any] = {}
        for name, allowed in known(models).items():
            parts = tuple(p for p in query.get(name, "").split("~") if p in allowed)
            if parts:
                given[name] = parts
        for name, allowed in (
            ("metric", METRICS),
            ("licence", LICENCES),
            ("size", SIZES),
            ("family", FAMILIES),
        ):
            if query.get(name) in allowed:
                given[name] = query[name]
        if is_tag(query.get("tag", "")):
            given["tag"] = query["tag"]
        return cls(**given)

    def to_query(self) -> dict[str, str]:
        """For the address: only what differs from the default."""
        plain = Selection()
        return {
            f.name: "~".join(v) if isinstance(v := getattr(self, f.name), tuple) else v
            for f in fields(self)
            if getattr(self, f.name) != getattr(plain, f.name)
        }


@cache
def base() -> Results:
    """The shipped results, published and measured, and this machine's own, read once. No visitor's."""
    return results.published() + results.elsewhere() + results.measured()


def choose(all_results: Results, selection: Selection, *, yours: Sequence[int] = ()) -> Results:
    """The records that the selection leaves, of any metric and tag.

    yours: positions of the visitor's own records in ``all_results``
    """
    frame = all_results.frame
    keep = np.ones(len(frame), dtype=bool)
    for column, wanted in (
        ("method", selection.methods),
        ("model", selection.models),
        ("corpus", selection.corpora),
    ):
        if wanted:
            keep &= frame[column].isin(wanted).to_numpy()
    source = frame["source"].astype(object).to_numpy(copy=True)
    source[list(yours)] = "yours"
    if selection.sources:
        keep &= np.isin(source, selection.sources)
    if selection.licence == "commercial" or selection.size == "small":
        keep &= frame["model"].isin(_models_of(selection)).to_numpy()
    if selection.family:
        keep &= _in_family(frame, selection.family)
    at = np.flatnonzero(keep)
    return Results(tuple(all_results.records[i] for i in at))


def of_visitor(own: Results, selection: Selection) -> Results:
    """A visitor's own records under the same filters; a choice of corpora keeps them if ``YOURS`` is among it."""
    return choose(own, selection, yours=range(len(own)))


def shown(all_results: Results, selection: Selection) -> Results:
    """The records that the charts and the tag explorer of a selection are drawn from, and no others."""
    return Results(tuple(r for r in choose(all_results, selection) if is_shown(r, selection.metric)))


def shown_of_visitor(own: Results, selection: Selection) -> Results:
    """The same of a visitor's own: their figures over all tags, and their points beside the few-shot curves."""
    from mirdemo.evidence import laid_over

    mine = of_visitor(own, selection)
    drawn = [*laid_over.over_tags(mine, selection.metric), *laid_over.curve_points(mine)]
    return Results(tuple({record.key: record for record in drawn}.values()))


def is_shown(record: Result, metric: str) -> bool:
    """Whether a record is drawn where figures over all tags are shown in ``metric``: of tags of the catalogue's corpora what
    the explorer tells; few-shot figures on the published curves; on synthesised music plain probes; those of protocols
    that stand apart whatever metric is chosen, as their own charts draw them; of part of a corpus (``Result.partial``) only
    what the overview marks."""
    if record.apart:
        return True
    if record.partial and (
        record.tag is not None or record.method == "fewshot" or record.corpus not in catalogue()
    ):
        return False
    if record.tag is not None:
        return record.metric in TAG_METRICS and record.corpus in catalogue()
    if record.method == "fewshot":
        return on_few_shot_curve(record)
    plain_probe = record.method == "probe" and record.whitening is None
    return record.metric == metric and (plain_probe or record.corpus in catalogue())


def on_few_shot_curve(record: Result) -> bool:
    """Whether a record is a point of the few-shot chart, whose metric is macro-F1 whatever metric is chosen."""
    return (
        record.method == "fewshot"
        and record.protocol == "lcprotonets2024"
        and record.metric == "macro_f1"
        and record.setting.get("few_shot") in ("LC-Protonets", "one-vs-rest")
        and record.setting.get("backbone_training") == "full ft"
        and record.setting.get("tags") in ("base", "both")
    )


def _in_family(frame: pandas.DataFrame, wanted: str) -> np.ndarray:
    """Whether each row is of a tag of the family, or of no tag; looked up once a tag, not once a row."""
    keep = frame["tag"].isna().to_numpy().copy()
    for corpus in frame["corpus"].cat.categories:
        tags = [tag for tag in frame["tag"].cat.categories if family(corpus, tag) == wanted]
        keep |= ((frame["corpus"] == corpus) & frame["tag"].isin(tags)).to_numpy()
    return keep


def corpora_of(records: Results, selection: Selection) -> tuple[str, ...]:
    """The columns of a selection: the study's corpora, then others of the catalogue that there are figures of."""
    known = {r.corpus for r in records if r.tag is None}
    wanted = (c for c in catalogue() if c in STUDY.traditions or c in known)
    return tuple(c for c in wanted if not selection.corpora or c in selection.corpora)


def is_tag(key: str) -> bool:
    """Whether a text can name a tag of one of the corpora; whether there is such a tag shows when it is opened."""
    return key.partition("/")[0] in catalogue() and len(key) <= MOST_KEY


def facts() -> Mapping[str, BackboneSpec]:
    """Title -> what is known about a model: every backbone of the registry. Of other models neither licence nor
    size is known here."""
    return {spec.title: spec for spec in specs().values()}


def _models_of(selection: Selection) -> list[str]:
    """Models whose stated licence and size fit; a model whose licence or size is not stated does not."""
    found = []
    for title, spec in facts().items():
        if selection.licence == "commercial" and (spec.licence is None or "NC" in spec.licence):
            continue
        if selection.size == "small" and (spec.parameters is None or spec.parameters > SMALL):
            continue
        found.append(title)
    return found
