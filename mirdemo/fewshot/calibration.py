"""Decision thresholds from scores that were made without the clip's own recording."""

from __future__ import annotations

import numpy as np


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


def logistic(margin: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-margin)), quiet at infinities."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-margin))
