"""ROC-AUC, average precision and F1 for many layers, folds, seeds and tags at once, with their chance levels.

Everywhere the last axis is the clips; what stands before it (layers, seeds, tags) is free, and ``labels`` broadcasts
against ``scores``. Values equal scikit-learn's, ties included. Where a metric has no meaning (no positive clip, or no
negative one for ROC-AUC, or a score that is not finite) it is NaN, never zero.

The ``*_influence`` functions give, beside the value, how much each clip's weight moves it: the derivative of the
weighted metric by that clip's weight (infinitesimal jackknife; for ROC-AUC the structural components of DeLong,
DeLong and Clarke-Pearson 1988). ``mirdemo.scoring.intervals`` turns them into intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mirdemo.scoring.intervals import LEVEL, Interval

__all__ = [
    "LEVEL",
    "THRESHOLD",
    "Interval",
    "average_precision",
    "average_precision_influence",
    "chance_average_precision",
    "chance_f1",
    "f1",
    "f1_influence",
    "macro",
    "micro_f1",
    "micro_f1_influence",
    "roc_auc",
    "roc_auc_influence",
]

#: A tag counts as given from this score on.
THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Clips in ascending order of score; ``first`` and ``last`` are the ends of each clip's group of equal scores."""

    order: np.ndarray
    positive: np.ndarray  # float64 0/1, in that order
    first: np.ndarray
    last: np.ndarray
    finite: np.ndarray  # (...): no score is NaN or infinite

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> _Ranked:
        labels, scores = _paired(labels, scores)
        order = np.argsort(scores, axis=-1)
        ranked = np.take_along_axis(scores, order, -1)
        n = scores.shape[-1]
        places = np.arange(n)
        changes = ranked[..., 1:] != ranked[..., :-1]
        edge = np.ones((*changes.shape[:-1], 1), dtype=bool)
        first = np.maximum.accumulate(np.where(np.concatenate([edge, changes], -1), places, 0), axis=-1)
        ends = np.where(np.concatenate([changes, edge], -1), places, n - 1)
        last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
        positive = np.take_along_axis(labels, order, -1).astype(np.float64)
        return cls(order, positive, first, last, np.isfinite(scores).all(-1))

    def through(self, values: np.ndarray) -> np.ndarray:
        """Sum of ``values`` over all clips that score no higher than each clip."""
        return np.take_along_axis(np.cumsum(values, axis=-1), self.last, -1)

    def below(self, values: np.ndarray) -> np.ndarray:
        """Sum of ``values`` over all clips that score lower than each clip."""
        padded = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], -1)
        return np.take_along_axis(padded, self.first, -1)

    def as_given(self, values: np.ndarray) -> np.ndarray:
        """Back from ascending scores to the clips' own order."""
        out = np.empty_like(values)
        np.put_along_axis(out, self.order, values, -1)
        return out


def _paired(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels), np.asarray(scores)
    if labels.ndim == 0 or scores.ndim == 0 or labels.shape[-1] != scores.shape[-1]:
        raise ValueError(f"labels {labels.shape} and scores {scores.shape} differ in their number of clips")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    shape = np.broadcast_shapes(labels.shape, scores.shape)
    return np.broadcast_to(labels, shape), np.broadcast_to(scores, shape)


def _ratio(above: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Division that answers NaN where there is nothing to divide by."""
    return np.divide(above, under, out=np.full(np.shape(above), np.nan), where=np.asarray(under) != 0)


def _auc_parts(ranked: _Ranked) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    y = ranked.positive
    beaten = (ranked.below(1 - y) + ranked.through(1 - y)) / 2  # negatives under each clip, ties half
    positives, negatives = y.sum(-1), (1 - y).sum(-1)
    value = _ratio((y * beaten).sum(-1), positives * negatives)
    return np.where(ranked.finite, value, np.nan), beaten, positives, negatives


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Area under the ROC curve, ties counted half (the Mann-Whitney statistic).

    labels: 0/1 (..., n); scores: (..., n), higher means more likely. Returns (...) in 0..1; NaN where a row has no
    positive, no negative or a score that is not finite. Raises ValueError where the shapes do not fit.
    """
    return _auc_parts(_Ranked.of(labels, scores))[0]


def roc_auc_influence(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """``roc_auc`` (...) and each clip's influence on it (..., n), which sum to zero over the clips."""
    ranked = _Ranked.of(labels, scores)
    value, beaten, positives, negatives = _auc_parts(ranked)
    y = ranked.positive
    beating = positives[..., None] - (ranked.below(y) + ranked.through(y)) / 2
    of_positive = _ratio(_ratio(beaten, _wide(negatives, y)) - value[..., None], _wide(positives, y))
    of_negative = _ratio(_ratio(beating, _wide(positives, y)) - value[..., None], _wide(negatives, y))
    return value, ranked.as_given(np.where(y == 1, of_positive, of_negative))


def _wide(row: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.broadcast_to(row[..., None], like.shape)


def average_precision(labels: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Average precision: the mean over positive clips of the precision at their score (no interpolation).

    labels: 0/1 (..., n); scores: (..., n). Returns (...) in 0..1; NaN where a row has no positive or a score that is
    not finite. The mean over tags of this is mAP.
    """
    return average_precision_influence(labels, scores)[0]


def average_precision_influence(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """``average_precision`` (...) and each clip's influence on it (..., n), which sum to zero over the clips."""
    ranked = _Ranked.of(labels, scores)
    y = ranked.positive
    positives = _wide(y.sum(-1), y)
    found = positives - ranked.below(y)  # positives that score at least as high
    taken = y.shape[-1] - ranked.first  # clips that score at least as high
    precision = found / taken
    value = _ratio((y * precision).sum(-1), y.sum(-1))
    value = np.where(ranked.finite, value, np.nan)
    lost = ranked.through(y * found / taken**2)
    own = y * (precision - _wide(value, y) + ranked.through(y / taken))
    return value, ranked.as_given(_ratio(own - lost, positives))


def _counts(
    labels: ArrayLike, scores: ArrayLike, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, scores = _paired(labels, scores)
    y = labels.astype(np.float64)
    said = (scores >= threshold).astype(np.float64)
    return y * said, y + said, np.isfinite(scores).all(-1)  # hits; 2 hits + misses + false alarms


def f1(labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD) -> np.ndarray:
    """F1 of the decision ``score >= threshold``.

    labels: 0/1 (..., n); scores: (..., n). Returns (...) in 0..1; NaN where a row has no positive clip or a score that
    is not finite. The mean over tags of this is macro-F1.
    """
    return f1_influence(labels, scores, threshold)[0]


def f1_influence(
    labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD
) -> tuple[np.ndarray, np.ndarray]:
    """``f1`` (...) and each clip's influence on it (..., n), which sum to zero over the clips."""
    hits, marks, finite = _counts(labels, scores, threshold)
    total = marks.sum(-1)
    known = finite & np.broadcast_to(np.asarray(labels).sum(-1) > 0, finite.shape)
    value = np.where(known, _ratio(2 * hits.sum(-1), total), np.nan)
    return value, _ratio(2 * hits - value[..., None] * marks, _wide(total, marks))


def micro_f1(labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD) -> np.ndarray:
    """F1 over all decisions of all tags together.

    labels: 0/1 (..., n_tags, n); scores: (..., n_tags, n). Returns (...); NaN where nothing is positive or a score is
    not finite.
    """
    return micro_f1_influence(labels, scores, threshold)[0]


def micro_f1_influence(
    labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD
) -> tuple[np.ndarray, np.ndarray]:
    """``micro_f1`` (...) and each clip's influence on it (..., n), which sum to zero over the clips."""
    hits, marks, finite = _counts(labels, scores, threshold)
    hits, marks = hits.sum(-2), marks.sum(-2)
    total = marks.sum(-1)
    known = finite.all(-1) & np.broadcast_to(np.asarray(labels).sum((-1, -2)) > 0, total.shape)
    value = np.where(known, _ratio(2 * hits.sum(-1), total), np.nan)
    return value, _ratio(2 * hits - value[..., None] * marks, _wide(total, marks))


def macro(values: ArrayLike, axis: int = -1) -> np.ndarray:
    """Mean over tags of those that have a value; NaN where none has."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0).sum(axis), known.sum(axis))


def chance_average_precision(n_positive: ArrayLike, n: int) -> np.ndarray:
    """Average precision that a random order of n clips, n_positive (...) of them positive, gives in the mean.

    Exact for this n; it nears the prevalence as n grows, and lies above it for few clips. NaN for no positive.
    """
    n_positive = np.asarray(n_positive, dtype=np.float64)
    harmonic = (1 / np.arange(1, n + 1)).sum()
    rest = (n_positive - 1) / (n - 1) * (n - harmonic) if n > 1 else 0.0
    return np.where(n_positive > 0, (harmonic + rest) / n, np.nan)


def chance_f1(n_positive: ArrayLike, n: int) -> np.ndarray:
    """F1 of giving the tag to every clip, the best that can be had without listening. NaN for no positive."""
    share = np.asarray(n_positive, dtype=np.float64) / n
    return np.where(share > 0, 2 * share / (1 + share), np.nan)
