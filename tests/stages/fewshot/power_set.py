"""LC-Protonets the long way: a prototype for every subset of every item's tags, in exact arithmetic.

Written from the paper's description (arXiv 2409.11264), with nothing of mirdemo in it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np


def label_combinations(labels: np.ndarray) -> dict[tuple[int, ...], list[int]]:
    """Every label combination in the order in which items and subsets are met -> the items that carry it."""
    found: dict[tuple[int, ...], list[int]] = {}
    for item, row in enumerate(labels):
        carried = np.flatnonzero(row).tolist()
        for size in range(1, len(carried) + 1):
            for subset in combinations(carried, size):
                found.setdefault(subset, []).append(item)
    return found


def predict_exactly(
    support: np.ndarray, labels: np.ndarray, queries: np.ndarray, distance: str, negatives: bool = False
) -> np.ndarray:
    """Predictions in rational arithmetic, for embeddings of whole numbers: ties are true ties."""
    items = [[Fraction(int(v)) for v in row] for row in support]
    named = list(label_combinations(labels).items())
    untagged = np.flatnonzero(~labels.astype(bool).any(axis=1)).tolist()
    if negatives and untagged:
        named.append(((), untagged))
    means = [
        [sum(column) / len(rows) for column in zip(*(items[i] for i in rows), strict=True)]
        for _, rows in named
    ]
    out = np.zeros((len(queries), labels.shape[1]), np.uint8)
    for q, query in enumerate(queries):
        wanted = [Fraction(int(v)) for v in query]
        best, best_key = None, None
        for (subset, _), mean in zip(named, means, strict=True):
            key = (nearness(wanted, mean, distance), len(subset))
            if best_key is None or key > best_key:  # met first wins among equals
                best, best_key = subset, key
        out[q, list(best)] = 1
    return out


def nearness(query: list[Fraction], mean: list[Fraction], distance: str) -> Fraction:
    """Grows as the distance falls: minus the squared distance, or the signed square of the cosine."""
    if distance == "euclidean":
        return -sum((a - b) ** 2 for a, b in zip(query, mean, strict=True))
    dot = sum(a * b for a, b in zip(query, mean, strict=True))
    norms = sum(a * a for a in query) * sum(b * b for b in mean)
    return dot * abs(dot) / norms if norms else Fraction(0)
