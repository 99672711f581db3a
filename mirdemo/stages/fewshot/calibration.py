"""Decision thresholds from scores and distances that were measured without the clip's own recording."""

from __future__ import annotations

import numpy as np

from mirdemo.stages.fewshot.nearest import Distance


def best_thresholds(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each tag the threshold that gives the best F1: above it, a clip gets the tag.

    scores: float64 (n, n_tags), made without each clip's own recording; -infinity where nothing was left to
        score by. labels: 0/1 (n, n_tags). Returns float64 (n_tags,).

    The threshold lies midway between two neighbouring scores; of equally good ones the highest is taken, so
    that a tag is given rather too seldom than too often. A tag that no clip could be scored by (it is in one
    recording only) is given above the highest score of the clips without it.
    """
    n, n_tags = scores.shape
    out = np.empty(n_tags)
    for tag in range(n_tags):
        has = labels[:, tag] == 1
        known = scores[has, tag]
        known = known[np.isfinite(known)]
        if not len(known):
            others = scores[~has, tag]
            others = others[np.isfinite(others)]
            out[tag] = others.max() if len(others) else -np.inf
            continue
        order = np.argsort(-scores[:, tag], kind="stable")
        ranked = scores[order, tag]
        hits = np.cumsum(has[order])
        f1 = 2 * hits / (np.arange(1, n + 1) + has.sum())
        lower = np.append(ranked[1:], -np.inf)
        f1[ranked == lower] = -1.0  # no threshold parts equal scores
        best = int(np.argmax(f1))
        gap = (
            lower[best]
            if np.isfinite(lower[best])
            else ranked[best] - 2 * max(ranked[0] - ranked[best], 1e-6)
        )
        out[tag] = (ranked[best] + gap) / 2
    return out


def unknown_limit(
    distances: np.ndarray, recordings: np.ndarray, false_unknown: float, kind: Distance
) -> tuple[float | None, float | None]:
    """How far a clip may lie from the nearest prototype and still count as known: (limit, share beyond it).

    distances: float64 (n,), finite, of known clips, each measured without its own recording; recordings: (n,)
    false_unknown: the share of known clips of new recordings that may lie beyond the limit
    kind: what the distances are. (None, None) where nothing can be said: fewer than two recordings, or a limit
        beyond the largest distance there is.

    New clips come with new recordings, and clips of one recording are alike, so recordings are what is counted:
    each weighs the same, however many clips it has. From (1 - a) / a recordings on (19 for a = 0.05) the limit is
    the conformal quantile over them, which assumes nothing about the distances (Dunn, Wasserman and Ramdas,
    "Distribution-free prediction sets for two-layer hierarchical models", JASA 118, 2023).

    Fewer recordings cannot bear that promise: even beyond the farthest of R lies a new one with probability
    1 / (R + 1). There the limit is the upper normal prediction limit (Hahn and Meeker, Statistical Intervals, 1991)
    of Euclidean distances, for cosine of the chord sqrt(2 d) between unit vectors. On the controlled festival, known
    clips were called unknown 5 % of the time with six recordings and 9 % with three (10 % and 45 % by the
    farthest distance seen), see ``benchmarks/unknown_calibration.py``.
    """
    from scipy.special import stdtrit

    _, inverse, counts = np.unique(recordings, return_inverse=True, return_counts=True)
    n = len(counts)
    if n < 2:
        return None, None
    weights = 1.0 / (n * counts[inverse])
    if n * false_unknown >= 1 - false_unknown - 1e-9:
        order = np.argsort(distances, kind="stable")
        reached = np.cumsum(weights[order])
        at = min(int(np.searchsorted(reached, (1 - false_unknown) * (1 + 1 / n) - 1e-9)), len(order) - 1)
        return float(distances[order[at]]), float(1 - reached[at] * n / (n + 1))
    straight = np.sqrt(2 * np.maximum(distances, 0.0)) if kind == "cosine" else distances
    mean = weights @ straight
    deviation = np.sqrt(weights @ (straight - mean) ** 2 * n / (n - 1))
    limit = float(mean + stdtrit(n - 1, 1 - false_unknown) * deviation * np.sqrt(1 + 1 / n))
    if kind == "cosine":
        if limit >= 2:  # no two unit vectors are farther apart
            return None, None
        limit = limit**2 / 2
    return limit, false_unknown


def logistic(margin: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-margin)), quiet at infinities."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-margin))
