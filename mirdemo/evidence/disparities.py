"""Disparity of a selection as plain data, for programs: what the charts draw, with intervals, n and sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mirdemo.corpora.facts import CORPORA
from mirdemo.evidence import selection
from mirdemo.evidence.overview import disparities, rows_of
from mirdemo.evidence.selection import Selection
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.bias import Disparity, Figure
from mirdemo.results.records import Result


def as_data(chosen: Selection) -> dict[str, Any]:
    """Every model of the selection that has figures for two corpora or more, within one set of rules each.

    Fractions, not points. An interval is None where none was published. ``luck`` is the gap that equal corpora would
    show. Figures of different ``protocol`` are not to be ranked together.
    """
    everything = selection.base()
    records = selection.choose(everything, chosen)
    corpora = tuple(c for c in CORPORA if not chosen.corpora or c in chosen.corpora)
    best = bias.best_known(everything, chosen.metric)
    found = disparities(rows_of(records, chosen.metric, corpora=corpora), best=best, corpora=corpora)
    cited = {r.citation for d in found for r in d.values.values() if r.citation}
    return {
        "metric": chosen.metric,
        "corpora": list(corpora),
        "disparities": [_plain(d) for d in found],
        "rank_classes": _classes(found),
        "sources": {key: one for key, one in results.citations().items() if key in cited},
    }


def _plain(d: Disparity) -> dict[str, Any]:
    rules = d.comparison
    return {
        "model": d.model,
        "method": rules.method,
        "protocol": rules.protocol,
        "split": rules.split,
        "setting": dict(rules.setting),
        "figures": {corpus: _figure_of(record) for corpus, record in d.values.items()},
        "missing": list(d.missing),
        "best": d.best,
        "worst": d.worst,
        "gap": _figure(d.gap),
        "ratio": _figure(d.ratio),
        "western_minus_other": _figure(d.western_minus_other),
        "traditions": {tradition: _figure(one) for tradition, one in d.traditions.items()},
        "normalised": d.normalised,
        "luck": d.excess,
    }


def _figure(one: Figure | None) -> dict[str, float | None] | None:
    if one is None:
        return None
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "level": one.level if one.has_interval else None,
    }


def _figure_of(record: Result) -> dict[str, Any]:
    names = ("value", "low", "high", "level", "n", "n_unit", "seed", "source", "citation", "date")
    return {name: getattr(record, name) for name in names}


def _classes(found: Sequence[Disparity]) -> list[dict[str, Any]]:
    """Rank classes of the models on each corpus, within one set of rules; None where an interval is missing."""
    rules = dict.fromkeys(d.comparison for d in found)
    listed = []
    for comparison in rules:
        mine = [d for d in found if d.comparison == comparison]
        for corpus in dict.fromkeys(c for d in mine for c in d.values):
            records = [d.values[corpus] for d in mine if corpus in d.values]
            if len(records) > 1:
                listed.append(
                    {
                        "method": comparison.method,
                        "protocol": comparison.protocol,
                        "setting": dict(comparison.setting),
                        "corpus": corpus,
                        "classes": bias.rank_classes(records),
                    }
                )
    return listed
