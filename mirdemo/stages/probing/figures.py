"""From scores to a report's figures: every metric of every layer and tag, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mirdemo.scoring.intervals import Estimate, Intervals, by_recording, estimate
from mirdemo.scoring.metrics import (
    average_precision_influence,
    chance_average_precision,
    chance_f1,
    f1_influence,
    macro,
    micro_f1_influence,
    roc_auc_influence,
)
from mirdemo.scoring.permutation import PValues
from mirdemo.scoring.verdicts import page
from mirdemo.stages.probing.report import Chance, Figures, MacroReport, TagReport

_METRICS = {
    "roc_auc": (roc_auc_influence, True),
    "average_precision": (average_precision_influence, False),
    "f1": (f1_influence, False),
}


def measure(
    scores: np.ndarray, labels: np.ndarray, recordings: np.ndarray
) -> tuple[dict[str, Estimate], dict[str, float | None]]:
    """Estimates by metric, the mean over seeds, and the headline's deviation over seeds.

    scores: 0..1 (n_seeds, n_rows_of_figures, n_tags, n), the headline first; labels: (n, n_tags)
    A tag that could not be learned in some draws is measured in the others.
    Estimates are (n_rows_of_figures, n_tags), ``micro_f1`` (n_rows_of_figures,).
    """
    truth = labels.T
    found, deviation = {}, {}
    for name, (influence_of, pairs) in _METRICS.items():
        value, influence = influence_of(truth, scores)
        found[name] = estimate(macro(value, 0), _mean(influence), truth, recordings, pairs=pairs)
        deviation[name] = _deviation(macro(value[:, 0]))
    probed = np.isfinite(scores).all((0, 1, 3))
    if not probed.any():  # none in all draws: those of any
        probed = np.isfinite(scores).all((1, 3)).any(0)
    value, influence = micro_f1_influence(truth[probed], scores[:, :, probed])
    everywhere, given = np.ones(len(labels)), (by_recording(truth[probed], recordings) > 0).sum()
    together = estimate(macro(value, 0), _mean(influence), everywhere, recordings, pairs=False)
    found["micro_f1"] = together.pooled(given)
    deviation["micro_f1"] = _deviation(value[:, 0])
    return found, deviation


def _mean(influence: np.ndarray) -> np.ndarray:
    """(n_seeds, ..., n) -> (..., n), over the seeds that have any."""
    known = np.isfinite(influence).all(-1, keepdims=True)
    total = np.where(known, influence, 0).sum(0)
    return np.divide(total, known.sum(0), out=np.full(total.shape, np.nan), where=known.any(0))


def _deviation(over_seeds: np.ndarray) -> float | None:
    return float(over_seeds.std(ddof=1)) if len(over_seeds) > 1 and np.isfinite(over_seeds).all() else None


def tag_reports(
    estimates: Mapping[str, Estimate],
    p_values: PValues | None,
    labels: np.ndarray,
    recordings: np.ndarray,
    tags: Sequence[str],
    layer_names: Sequence[str],
    best_layers: Sequence[str],
    level: float,
    unit: str = "recordings",
) -> tuple[TagReport, ...]:
    """One report a tag. unit: what ``recordings`` number. best_layers: (n_tags,); the other arguments as they come from ``measure``."""
    intervals = {name: estimates[name].intervals(level, unit) for name in _METRICS}
    n = len(labels)
    chance_ap, chance_of_f1 = chance_average_precision(labels.sum(0), n), chance_f1(labels.sum(0), n)
    having, lacking = (
        [len(np.unique(recordings[column == value])) for column in labels.T] for value in (1, 0)
    )
    headlines = [_figures(intervals, 0, k) for k in range(len(tags))]
    tested = [p_values if one.roc_auc.value is not None else None for one in headlines]
    best = [None if found is None else _number(found.best[k]) for k, found in enumerate(tested)]
    words, paged = page([one.roc_auc for one in headlines], best, having, lacking)
    reports = []
    for k, (tag, found) in enumerate(zip(tags, tested, strict=True)):
        reports.append(
            TagReport(
                tag=tag,
                positive_clips=int(labels[:, k].sum()),
                positive_recordings=having[k],
                prevalence=float(labels[:, k].mean()),
                chance=Chance(0.5, _number(chance_ap[k]), _number(chance_of_f1[k])),
                figures=headlines[k],
                by_layer={name: _figures(intervals, 1 + i, k) for i, name in enumerate(layer_names)},
                best_layer=best_layers[k],
                p_value=best[k],
                p_by_layer={
                    name: None if found is None else _number(found.by_layer[i, k])
                    for i, name in enumerate(layer_names)
                },
                p_page=paged[k],
                verdict=words[k],
            )
        )
    return tuple(reports)


def macro_report(
    estimates: Mapping[str, Estimate],
    p_values: PValues | None,
    labels: np.ndarray,
    layer_names: Sequence[str],
    best_layer: str,
    level: float,
    unit: str = "recordings",
) -> MacroReport:
    """The mean over tags."""
    intervals = {name: estimates[name].macro().intervals(level, unit) for name in _METRICS}
    intervals["micro_f1"] = estimates["micro_f1"].intervals(level, unit)
    n = len(labels)
    return MacroReport(
        chance=Chance(
            0.5,
            _number(macro(chance_average_precision(labels.sum(0), n))),
            _number(macro(chance_f1(labels.sum(0), n))),
        ),
        figures=_figures(intervals, 0),
        by_layer={name: _figures(intervals, 1 + i) for i, name in enumerate(layer_names)},
        best_layer=best_layer,
        p_value=None if p_values is None else _number(p_values.macro_best),
        p_by_layer={
            name: None if p_values is None else _number(p_values.macro_by_layer[i])
            for i, name in enumerate(layer_names)
        },
    )


def by_seed(
    scores: np.ndarray, labels: np.ndarray, recordings: np.ndarray, seeds: Sequence[int], level: float
) -> dict[int, Figures]:
    """Seed -> its means over tags. scores: 0..1 (n_seeds, n_tags, n)"""
    found = {}
    for seed, own in zip(seeds, scores, strict=True):
        estimates, _ = measure(own[None, None], labels, recordings)
        means = {name: e if name == "micro_f1" else e.macro() for name, e in estimates.items()}
        found[seed] = Figures(**{name: e.intervals(level).at(0) for name, e in means.items()})
    return found


def _figures(intervals: Mapping[str, Intervals], *index: int) -> Figures:
    return Figures(**{name: found.at(*index) for name, found in intervals.items()})


def _number(value: float | np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None
