"""Is a tag heard at all, or would any labels do as well? A permutation test that keeps recordings whole.

Whole recordings exchange their labels, all tags together, so clips of a recording stay alike and tags keep their
correlation. For each permutation the probe is trained and tested again, in all folds and layers: permuting only
against scores that exist already would forget that cross-validated scores depend on one another, and find too much.
What is trained again is the ridge probe (``crossval``), whose scores are one matrix product away from any labels.
Where recordings belong to sessions, whole sessions exchange their labels.

The best of all layers is compared with the best of all layers under each permutation, so choosing among many layers
is paid for (Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.metrics import macro, roc_auc

#: Scores held at once, of all layers; and of one, where there are so many clips that they are worked through singly.
CHUNK = 500_000
CHUNK_OF_LAYER = 8_000_000


@dataclass(frozen=True, eq=False)
class PValues:
    """One-sided p-values, ``(1 + those at least as good) / (1 + permutations)``; NaN where a tag has no ROC-AUC.

    by_layer: (n_layers, n_tags); best: (n_tags,) corrected for the choice among layers
    macro_by_layer: (n_layers,); macro_best: float, the same for the mean over tags
    """

    by_layer: np.ndarray
    best: np.ndarray
    macro_by_layer: np.ndarray
    macro_best: float


def exchange(
    recordings: np.ndarray, permutations: int, rng: np.random.Generator, groups: np.ndarray | None = None
) -> np.ndarray:
    """Whose labels each clip gets: int (permutations, n_clips).

    recordings: int (n_clips,), 0..n_recordings-1. Each recording takes another's labels in their order, from a random
    place on; where that has fewer clips they are repeated, where it has more some are left out.
    groups: int (n_clips,), 0..n_groups-1, of whole recordings that stay together: whole groups exchange then, and their
        recordings take those of the other group in their order, in the same way
    """
    n = int(recordings.max()) + 1
    if groups is None or len(np.unique(groups)) == n:
        donor = rng.permuted(np.tile(np.arange(n), (permutations, 1)), axis=1)
    else:
        of_recording = np.zeros(n, int)
        of_recording[recordings] = groups
        whole = rng.permuted(np.tile(np.arange(of_recording.max() + 1), (permutations, 1)), axis=1)
        donor = _taken(of_recording, whole, rng)
    return _taken(recordings, donor, rng)


def _taken(units: np.ndarray, donor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Members of each unit get the members of its donor, in their order from a random place on.

    units: int (n,); donor: int (permutations, n_units). Returns int (permutations, n).
    """
    sizes = np.bincount(units)
    order = np.argsort(units, kind="stable")
    starts = np.cumsum(sizes) - sizes
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - starts[units[order]]
    shift = (rng.random(donor.shape) * sizes[donor]).astype(int)
    taken = (place + shift[:, units]) % sizes[donor[:, units]]
    return order[starts[donor[:, units]] + taken]


def refit_test(
    smoother: np.ndarray,
    labels: np.ndarray,
    recordings: np.ndarray,
    permutations: int,
    rng: np.random.Generator,
    progress: Progress = silent,
    groups: np.ndarray | None = None,
) -> PValues:
    """Test out-of-fold scores, training again for each permutation.

    smoother: (n_layers, n_clips, n_clips), with several draws of folds their mean: the scores' mean is tested, at the
        price of one; labels: 0/1 (n_clips, n_tags); recordings, groups: int (n_clips,), as in ``exchange``
    """
    by_labels = smoother.transpose(0, 2, 1)

    def statistic(tables: np.ndarray) -> np.ndarray:
        """Labels (p, n_tags, n_clips) -> ROC-AUC (p, n_layers, n_tags)."""
        rows = tables.reshape(-1, tables.shape[-1])
        auc = _auc(rows, rows.astype(np.float64) @ by_labels)
        return auc.reshape(-1, *tables.shape[:2]).transpose(1, 0, 2)

    donors = exchange(recordings, permutations, rng, groups)
    return _test(statistic, labels, donors, progress, len(smoother))


def fixed_test(
    scores: np.ndarray,
    labels: np.ndarray,
    recordings: np.ndarray,
    permutations: int,
    rng: np.random.Generator,
    progress: Progress = silent,
    groups: np.ndarray | None = None,
) -> PValues:
    """Test scores of recordings that no training saw: only the labels are permuted.

    scores: (n_seeds, n_layers, n_tags, n_clips); the others as in ``refit_test``
    """

    def statistic(tables: np.ndarray) -> np.ndarray:
        return roc_auc(tables[:, None, None], scores).mean(1)

    donors = exchange(recordings, permutations, rng, groups)
    return _test(statistic, labels, donors, progress, scores.shape[0] * scores.shape[1])


def permuted_auc(
    scores: Callable[[np.ndarray], np.ndarray],
    labels: np.ndarray,
    donors: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """One layer's ROC-AUC with the labels (n_tags,) and with permuted ones (permutations, n_tags).

    scores: labels of many tags, 0/1 (m, n_clips) -> out-of-fold scores of a probe trained on them (m, n_clips)
    labels: 0/1 (n_clips, n_tags); donors: as ``exchange`` gives
    """

    def auc(rows: np.ndarray) -> np.ndarray:
        return _auc(rows, scores(rows)[None])[0]

    table = np.ascontiguousarray(labels.T)
    step = max(1, CHUNK_OF_LAYER // labels.size)
    under = []
    for start in range(0, len(donors), step):
        tables = table[:, donors[start : start + step]].swapaxes(0, 1)
        under.append(auc(tables.reshape(-1, tables.shape[-1])).reshape(tables.shape[:2]))
    return auc(table), np.concatenate(under)


def p_values(observed: np.ndarray, under: np.ndarray) -> PValues:
    """observed: ROC-AUC (n_layers, n_tags), under: (permutations, n_layers, n_tags)"""
    return _p_values(observed, [under], len(under))


def _test(statistic, labels, donors, progress, copies) -> PValues:
    table = np.ascontiguousarray(labels.T)
    step = max(1, CHUNK // (copies * labels.size))

    def under() -> Iterator[np.ndarray]:
        for start in range(0, len(donors), step):
            progress(start, len(donors), "permuting")
            yield statistic(table[:, donors[start : start + step]].swapaxes(0, 1))
        progress(len(donors), len(donors), "permuting")

    return _p_values(statistic(table[None])[0], under(), len(donors))


def _p_values(observed: np.ndarray, parts: Iterable[np.ndarray], permutations: int) -> PValues:
    usable = np.isfinite(observed).any(0)
    observed = _known(observed)
    at_least, best_at_least = np.zeros_like(observed), np.zeros(observed.shape[1])
    macro_at_least, macro_best_at_least = np.zeros(len(observed)), 0.0
    overall = macro(observed[:, usable])
    for part in parts:
        under = _known(part)
        at_least += (under >= observed - 1e-12).sum(0)
        best_at_least += (under.max(1) >= observed.max(0) - 1e-12).sum(0)
        means = macro(under[..., usable])
        macro_at_least += (means >= overall - 1e-12).sum(0)
        macro_best_at_least += float((means.max(1) >= overall.max() - 1e-12).sum())

    def p(count):
        return (1 + count) / (1 + permutations)

    return PValues(
        by_layer=np.where(usable, p(at_least), np.nan),
        best=np.where(usable, p(best_at_least), np.nan),
        macro_by_layer=p(macro_at_least) if usable.any() else np.full(len(observed), np.nan),
        macro_best=p(macro_best_at_least) if usable.any() else float("nan"),
    )


def _auc(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """``roc_auc`` for very many rows without equal scores: each label rides in its score's last bit through one sort.

    labels: 0/1 (r, n); scores: (n_layers, r, n). Rows with equal scores, if any, take the longer way.
    """
    bits = np.ascontiguousarray(scores, dtype=np.float64).view(np.int64)
    ordered = bits ^ ((bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF))  # integers in the order of the floats
    keys = np.sort((ordered & ~np.int64(1)) | labels, axis=-1)
    carried = keys & 1
    positives = labels.sum(-1, dtype=np.float64)
    pairs = positives * (labels.shape[-1] - positives)
    above = carried.astype(np.float64) @ np.arange(labels.shape[-1]) - positives * (positives - 1) / 2
    auc = np.divide(above, pairs, out=np.full(above.shape, np.nan), where=pairs > 0)
    keys -= carried
    tied = (keys[..., 1:] == keys[..., :-1]).any(-1)
    auc[tied] = roc_auc(np.broadcast_to(labels, scores.shape)[tied], scores[tied])
    return auc


def _known(auc: np.ndarray) -> np.ndarray:
    """A tag that a permutation leaves on no clip, or on all, orders nothing: one half."""
    return np.where(np.isfinite(auc), auc, 0.5)
