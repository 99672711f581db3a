"""The visitor's filters, and which records they leave. No gradio here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np

from mirdemo import results
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Results

#: metrics the dashboard offers, best comparable first
METRICS = ("roc_auc", "map", "macro_f1", "micro_f1")
SOURCES = ("published", "measured", "yours")
#: model -> (licence, millions of parameters) where its authors state them; what is blank is not known here
MODEL_FACTS: Mapping[str, tuple[str | None, float | None]] = {
    "MERT-v1-95M": ("CC-BY-NC-4.0", 94.4),
    "CultureMERT-95M": ("CC-BY-NC-4.0", 94.4),
    "CultureMERT-TA-95M": ("CC-BY-NC-4.0", 94.4),
    "MERT-v1-330M": ("CC-BY-NC-4.0", 315),
    "CLAP-Music": ("Apache-2.0", 194),
    "CLAP-Music&Speech": ("Apache-2.0", 194),
    "Qwen2-Audio": ("Apache-2.0", 637),
    "Spectral statistics": ("Apache-2.0", 0),
    "Mini-West": ("Apache-2.0", 1.7),
    "Mini-World": ("Apache-2.0", 1.7),
}
LICENCES = ("any", "commercial")
SIZES = ("any", "small")
SMALL_MILLIONS = 100


@dataclass(frozen=True)
class Selection:
    """What the visitor asked to see. Empty tuples mean "all"."""

    metric: str = "roc_auc"
    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    licence: str = "any"
    size: str = "any"

    @classmethod
    def from_query(cls, query: Mapping[str, str], models: Collection[str]) -> Selection:
        """From the address: unknown names and values are dropped, so any link gives a view.

        models: the models there are to choose from
        """
        known = {
            "methods": results.METHODS,
            "corpora": tuple(CORPORA),
            "sources": SOURCES,
            "models": models,
        }
        given: dict[str, str | tuple[str, ...]] = {}
        for name, allowed in known.items():
            parts = tuple(p for p in query.get(name, "").split("~") if p in allowed)
            if parts:
                given[name] = parts
        for name, allowed in (("metric", METRICS), ("licence", LICENCES), ("size", SIZES)):
            if query.get(name) in allowed:
                given[name] = query[name]
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
    """The shipped results, published and measured, and this machine's own, read once."""
    return results.published() + results.measured()


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
    at = np.flatnonzero(keep)
    return Results(tuple(all_results.records[i] for i in at))


def _models_of(selection: Selection) -> list[str]:
    """Models whose stated licence and size fit; a model whose licence or size is not stated does not."""
    found = []
    for model, (licence, millions) in MODEL_FACTS.items():
        if selection.licence == "commercial" and (licence is None or "NC" in licence):
            continue
        if selection.size == "small" and (millions is None or millions > SMALL_MILLIONS):
            continue
        found.append(model)
    return found
