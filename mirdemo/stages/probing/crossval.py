"""Out-of-fold scores of every layer, fold and tag, solved together.

Three things come from one set of kernels: the logistic probe's scores; a matrix that gives a ridge probe's scores for
any labels (for permutations); and how well that ridge probe does within each training side, leaving out one of its
folds at a time (for choosing a layer without the test side seeing the choice).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.metrics import roc_auc
from mirdemo.stages.probing.linear import (
    FREE,
    Sides,
    even_inverse,
    intercepts,
    logistic,
    standardised,
    standardised_kernels,
)

#: Up to so many clips layers are solved together in the dual, which holds clips x clips; beyond, one after the other in the
#: layer's own dimensions (``primal``).
DUAL_CLIPS = 3000
#: Bytes of kernels held at once, at least one layer's: what fits in a processor's cache is quicker.
BUDGET = 6 * 2**20


@dataclass(frozen=True, eq=False)
class Solved:
    """One seed's folds on all layers.

    logits: (n_layers, n_tags, n_clips) of the logistic probe, each clip's from the fold that it was not trained in,
        NaN for a tag where a training side has only one kind of clip
    own: the same with each fold's own intercept, as the fold's model by itself would decide: see ``solve``
    across: (n_layers, n_folds, n_clips, m) kernels with the training sides; inverse: (n_layers, n_folds, m, m), see
        ``linear.even_inverse``; both padded behind the training clips, which are in order
    """

    logits: np.ndarray
    own: np.ndarray
    across: np.ndarray
    inverse: np.ndarray
    labels: np.ndarray
    fold_of: np.ndarray

    def smoother(self) -> np.ndarray:
        """(n_layers, n_clips, n_clips): times labels, the ridge probe's out-of-fold scores, without intercept."""
        n_layers, n_folds, n, _ = self.across.shape
        out = np.zeros((n_layers, n, n))
        for fold in range(n_folds):
            test, learn = np.flatnonzero(self.fold_of == fold), np.flatnonzero(self.fold_of != fold)
            taught = self.across[:, fold, test] @ self.inverse[:, fold]
            out[:, test[:, None], learn] = taught[:, :, : len(learn)]
        return out

    def inner(self) -> np.ndarray:
        """ROC-AUC of the ridge probe within each training side: (n_folds, n_layers, n_tags), NaN where undefined."""
        return np.stack([self._inner(fold) for fold in range(self.across.shape[1])])

    def _inner(self, fold: int) -> np.ndarray:
        """Each other fold is left out in turn: (n_layers, n_tags).

        Ridge regression needs no refit for it: with G the inverse and b the clips left out, their errors are
        ``inv(G_bb) @ (G y)_b``.
        """
        learn = np.flatnonzero(self.fold_of != fold)
        inverse = self.inverse[:, fold, : len(learn), : len(learn)]
        y = self.labels[learn].astype(np.float64)
        solved = inverse @ y
        scores = np.zeros_like(solved)
        for left_out in np.unique(self.fold_of[learn]):
            out = np.flatnonzero(self.fold_of[learn] == left_out)
            rest = np.delete(y, out, axis=0)
            if len(rest):
                errors = np.linalg.solve(inverse[:, out[:, None], out], solved[:, out])
                scores[:, out] = y[out] - errors - rest.mean(0)
        return roc_auc(self.labels[learn].T, scores.transpose(0, 2, 1))


def solve(
    layers: Sequence[np.ndarray], labels: np.ndarray, fold_of: np.ndarray, penalty: float, *, scale: bool
) -> Iterator[Solved]:
    """Work through the layers, as many at a time as fit in ``BUDGET``, in order.

    layers: (n_clips, size) each; labels: 0/1 (n_clips, n_tags); fold_of: int (n_clips,), the fold that tests a clip
    penalty: L2, as 1 / C; scale: standardise each dimension, or only all together

    Folds are trained on slightly different shares of a tag, and their intercepts alone would order the clips of
    different folds, the wrong way round: a fold that tests many positives was trained on few. Put together as they
    are, such scores give a ROC-AUC clearly under one half where nothing is heard (Parker, Guenter and Bedo 2007). So
    every fold's logits get the mean of the folds' intercepts in place of its own. That mean knows how often a tag is there
    among all clips, those under test too. An order within the tag does not gain by it, but counts of decisions would:
    whoever learns from many positives gives the tag often, and these clips have just as many, which new ones do not.
    (A few tenths of a wrong suggestion a recording, with 6 to 40 recordings.) ``Solved.own`` is for counting.
    """
    n_folds = int(fold_of.max()) + 1
    train = fold_of[None] != np.arange(n_folds)[:, None]
    step = max(1, BUDGET // (n_folds * len(labels) ** 2 * 8 * 4))
    for start in range(0, len(layers), step):
        yield _solve(layers[start : start + step], labels, fold_of, train, penalty, scale)


def trained_on(
    rows: np.ndarray, labels: np.ndarray, new: np.ndarray, penalty: float, *, scale: bool
) -> np.ndarray:
    """Logits of new clips by the probe that all labelled ones train.

    rows: (n, size); labels: 0/1 (n, n_tags); new: (m, size). Returns (m, n_tags), NaN for a tag with one kind of clip.
    """
    n = len(rows)
    train = (np.arange(n + len(new)) < n)[None]
    (standard,) = standardised(np.concatenate([rows, new]), train, scale=scale)
    learned, table = standard[:n], labels.astype(np.float64)
    if n > DUAL_CLIPS:
        from mirdemo.stages.probing import primal  # scipy, which the first page does without

        weights, base = primal.trained(learned, table, penalty)
    else:
        within, valid = (learned @ learned.T).astype(np.float64)[None], np.ones((1, n), dtype=bool)
        within += FREE * penalty
        inverse = even_inverse(within, valid, penalty)
        coefficients = logistic(within, inverse, valid, table[None], penalty)
        weights, base = learned.T @ coefficients[0], intercepts(coefficients, penalty)[0]
    logits = standard[n:] @ weights + base
    logits[:, (table.sum(0) == 0) | (table.sum(0) == n)] = np.nan
    return logits


def _solve(layers, labels, fold_of, train, penalty, scale) -> Solved:
    (n_folds, n), n_tags, n_layers = train.shape, labels.shape[1], len(layers)
    kernels = np.concatenate([standardised_kernels(rows, train, scale=scale) for rows in layers])
    sides = Sides.of(np.tile(train, (n_layers, 1)))
    across = sides.across(kernels)
    del kernels
    within = sides.within(across, penalty)
    inverse = even_inverse(within, sides.valid, penalty)
    coefficients = logistic(within, inverse, sides.valid, labels[sides.index].astype(np.float64), penalty)

    def by_layer(array: np.ndarray) -> np.ndarray:
        return array.reshape(n_layers, n_folds, *array.shape[1:])

    bases = by_layer(intercepts(coefficients, penalty))  # (n_layers, n_folds, n_tags)
    count = train @ labels
    bases[..., ((count == 0) | (count == train.sum(1, keepdims=True))).any(0)] = np.nan
    across, coefficients = by_layer(across), by_layer(coefficients)
    logits = np.empty((n_layers, n, n_tags))
    for fold in range(n_folds):
        test = np.flatnonzero(~train[fold])
        logits[:, test] = across[:, fold, test] @ coefficients[:, fold]
    own = logits + bases[:, fold_of]
    logits += bases.mean(1)[:, None]
    return Solved(
        logits.transpose(0, 2, 1), own.transpose(0, 2, 1), across, by_layer(inverse), labels, fold_of
    )


def choose(inner: np.ndarray) -> np.ndarray:
    """The layer that each fold's training side recommends for each tag: int (n_folds, n_tags).

    inner: (n_folds, n_layers, n_tags). By the tag's own ROC-AUC alone, so that no other tag changes its figure; the last
    of equals, and where nothing is known the last layer.
    """
    merit = np.where(np.isfinite(inner), inner, -np.inf)
    return merit.shape[1] - 1 - np.argmax(merit[:, ::-1], axis=1)
