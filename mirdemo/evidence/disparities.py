"""Disparity of a selection as plain data, for programs: what the charts draw, with intervals, n and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import selection
from mirdemo.evidence.overview import Row, disparities, ranks_of, rows_of
from mirdemo.evidence.selection import Selection
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.bias import Disparity, Figure
from mirdemo.results.records import Result


def as_data(chosen: Selection) -> dict[str, Any]:
    """Every model of the selection that has figures for two corpora or more, within one set of rules each.

    Fractions, not points. An interval is None where none was published. A gap's interval can begin at 0 and a ratio's
    end at 1: perhaps there is no difference. ``luck`` is the gap that equal corpora exceed in one case of ten.
    ``ranks``: of each corpus, which ranks the models can have under the same rules, all pairs looked at together;
    models with a letter in common are not told apart; None where a figure has no interval. Figures of different
    ``protocol`` are not to be ranked together.
    """
    everything = selection.base()
    records = selection.choose(everything, chosen)
    corpora = selection.corpora_of(records, chosen)
    best = bias.best_known(everything, chosen.metric)
    rows = rows_of(records, chosen.metric, corpora=corpora)
    found = disparities(rows, best=best, frame=STUDY.only(corpora))
    cited = {r.citation for d in found for r in d.values.values() if r.citation}
    return {
        "metric": chosen.metric,
        "corpora": list(corpora),
        "disparities": [_plain(d) for d in found],
        "ranks": _ranks(rows),
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


def _ranks(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Which ranks the models can have on each corpus, within one set of rules."""
    return [
        {
            "method": rules.method,
            "protocol": rules.protocol,
            "setting": dict(rules.setting),
            "corpus": corpus,
            "ranks": {model: None if rank is None else asdict(rank) for model, rank in of.items()},
        }
        for (rules, corpus), of in ranks_of(rows).items()
    ]
