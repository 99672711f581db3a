"""The live probe for more clips than dimensions: the same problem as ``linear``, solved in the dimensions.

What a fold needs of its training side are sums over clips: products of dimensions (dim x dim) and of dimensions with labels.
They are made once for each fold's test side, and a training side is what the others add up to, so nothing here grows with the
square of the clips. One layer at a time: memory is that of a few copies of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from mirdemo.scoring.metrics import roc_auc
from mirdemo.scoring.permutation import permuted_auc
from mirdemo.stages.probing.linear import FREE, MOST_STEPS, SHARE, TOLERANCE, sigmoid, step_length


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; draws are those of the folds.

    logits: (n_draws, n_tags, n_clips), as ``crossval.Solved.logits``
    inner: (n_draws, n_folds, n_tags), as ``crossval.Solved.inner``
    observed, under: ROC-AUC of the ridge probe's scores, the mean over draws: (n_tags,) with the labels and (permutations,
        n_tags) with permuted ones; empty where none was asked for
    """

    logits: np.ndarray
    inner: np.ndarray
    observed: np.ndarray
    under: np.ndarray


def solve(
    rows: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    penalty: float,
    donors: np.ndarray | None = None,
    *,
    scale: bool,
    tick: Callable[[], None] = lambda: None,
) -> Layer:
    """rows: (n_clips, size); labels: 0/1 (n_clips, n_tags)

    folds: int (n_draws, n_clips); donors: int (permutations, n_clips), as ``permutation.exchange`` gives; None for no test
    tick: called before each piece of work, a fold's or a lot of permutations; what it raises passes
    """
    levelled = _levelled(rows, scale)
    draws = []
    for fold_of in folds:
        tick()
        draws.append(_Draw.of(*levelled, fold_of, penalty, scale))
    observed = under = np.empty(0)
    if donors is not None:

        def scores(many: np.ndarray) -> np.ndarray:
            tick()
            return np.mean([draw.ridge(many) for draw in draws], axis=0)

        observed, under = permuted_auc(scores, labels, donors)
    table = labels.astype(np.float64)
    return Layer(
        np.stack([draw.logistic(table, penalty, tick) for draw in draws]),
        np.stack([draw.inner(labels, tick) for draw in draws]),
        observed,
        under,
    )


def trained(rows: np.ndarray, table: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, n_tags) and intercepts (n_tags,) of the probe that all these clips train.

    rows: float32 (n, d), standardised; table: 0.0 or 1.0 (n, n_tags)
    """
    n, size = rows.shape
    constant = float(np.sqrt(FREE * penalty))
    products = np.empty((size + 1, size + 1))
    products[:-1, :-1] = rows.T @ rows
    products[-1, :-1] = products[:-1, -1] = constant * rows.sum(0, dtype=np.float64)
    products[-1, -1] = n * constant**2
    ridge = max(4 * penalty, SHARE * float(np.trace(products[:-1, :-1])) / n)
    system = cho_factor(_ridged(products, ridge), lower=True, overwrite_a=True)
    solved = _descend(rows, constant, system, table, penalty)
    return solved[:-1], constant * solved[-1]


@dataclass(frozen=True, eq=False)
class _Draw:
    """One layer and one draw of folds.

    rows: float32 (n, d), as ``_levelled`` gives them, which all draws share
    tests: each fold's test clips; products: (n_folds, d, d) of the rows' dimensions there; sums: (n_folds, d)
    centre, factor: (n_folds, d), which bring a training side to mean 0 and deviation 1
    ridge_of: (n_folds,), as in ``linear.even_inverse``; constant: the intercept's dimension, see ``linear.FREE``
    systems: the Cholesky factors of each training side's products with that ridge, the intercept's dimension last
    """

    rows: np.ndarray
    tests: list[np.ndarray]
    products: np.ndarray
    sums: np.ndarray
    centre: np.ndarray
    factor: np.ndarray
    ridge_of: np.ndarray
    constant: float
    systems: list[tuple[np.ndarray, bool]]

    @classmethod
    def of(
        cls, rows: np.ndarray, spread: np.ndarray, fold_of: np.ndarray, penalty: float, scale: bool
    ) -> _Draw:
        """rows, spread: as ``_levelled`` gives them"""
        tests = [np.flatnonzero(fold_of == fold) for fold in range(int(fold_of.max()) + 1)]
        products = np.stack([rows[test].T @ rows[test] for test in tests]).astype(np.float64)
        sums = np.stack([rows[test].sum(0, dtype=np.float64) for test in tests])
        left = len(rows) - np.array([len(test) for test in tests])[:, None]
        centre = (sums.sum(0) - sums) / left
        every = products.sum(0)
        squares = np.einsum("fdd->fd", products)
        variance = np.maximum((squares.sum(0) - squares) / left - centre**2, 0)
        varies = variance > 1e-12 * spread**2
        length = np.where(varies, variance, 0).sum(1) if not scale else None
        if not scale:
            variance = np.broadcast_to(variance.mean(1, keepdims=True), variance.shape)
        factor = np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=varies)
        diagonal = varies.sum(1) if length is None else length / variance[:, 0]
        ridges = np.maximum(4 * penalty, SHARE * diagonal)
        constant = float(np.sqrt(FREE * penalty))
        draw = cls(rows, tests, products, sums, centre, factor, ridges, constant, [])
        for side, (own, total) in enumerate(zip(products, sums, strict=True)):
            whole = draw._standard_products(
                side, every - own, sums.sum(0) - total, len(rows) - len(tests[side])
            )
            draw.systems.append(cho_factor(_ridged(whole, ridges[side]), lower=True, overwrite_a=True))
        return draw

    def _product(self, side: int, fold: int) -> np.ndarray:
        """Products of dimensions over the test clips of ``fold``, standardised by the training side of ``side``."""
        return self._standard_products(side, self.products[fold], self.sums[fold], len(self.tests[fold]))

    def _standard_products(self, side: int, products: np.ndarray, sums: np.ndarray, count: int) -> np.ndarray:
        """The same of any clips, with the intercept's dimension (d + 1, d + 1).

        products, sums: of ``count`` clips' dimensions, (d, d) and (d,)
        """
        centre, by = self.centre[side], self.factor[side]
        crossed = np.outer(sums, centre)
        inside = products - crossed - crossed.T + count * np.outer(centre, centre)
        out = np.empty((len(by) + 1, len(by) + 1))
        out[:-1, :-1] = inside * by * by[:, None]
        out[-1, :-1] = out[:-1, -1] = self.constant * by * (sums - count * centre)
        out[-1, -1] = count * self.constant**2
        return out

    def _with_labels(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the clips of each fold: dimensions times labels (n_folds, d, m), and labels' sums (n_folds, m)."""
        single = table.astype(np.float32)
        products = np.stack([self.rows[test].T @ single[test] for test in self.tests])
        return products, np.stack([table[test].sum(0) for test in self.tests])

    def _right(self, side: int, products: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """One fold's, or a sum of folds': standardised by a training side, with the intercept's dimension, (d + 1, m)."""
        inside = self.factor[side][:, None] * (products - np.outer(self.centre[side], counts))
        return np.concatenate([inside, self.constant * counts[None]])

    def _standard(self, side: int, clips: np.ndarray) -> np.ndarray:
        """Rows as that training side standardises them, float32 (clips, d)."""
        standard = self.rows[clips]
        standard -= self.centre[side].astype(np.float32)
        standard *= self.factor[side].astype(np.float32)
        return standard

    def ridge(self, many: np.ndarray) -> np.ndarray:
        """Labels (m, n) -> out-of-fold scores of ridge regression, without intercept, (m, n)."""
        table = np.ascontiguousarray(many.T, dtype=np.float64)
        products, counts = self._with_labels(table)
        out = np.empty(table.shape)
        for side, test in enumerate(self.tests):
            right = self._right(side, products.sum(0) - products[side], counts.sum(0) - counts[side])
            weights = cho_solve(self.systems[side], right)[:-1].astype(np.float32)
            out[test] = self._standard(side, test) @ weights
        return out.T

    def inner(self, labels: np.ndarray, tick: Callable[[], None]) -> np.ndarray:
        """(n_folds, n_tags), as ``crossval.Solved.inner``: within a training side each other fold is left out in turn."""
        table = labels.astype(np.float64)
        products, counts = self._with_labels(table)
        found = []
        for side in range(len(self.tests)):
            tick()
            others = [fold for fold in range(len(self.tests)) if fold != side]
            parts = {fold: self._product(side, fold) for fold in others}
            whole = np.sum(list(parts.values()), axis=0)
            scores = np.zeros(table.shape)
            right = self._right(side, sum(products[k] for k in others), sum(counts[k] for k in others))
            for fold in others:
                clips, n_rest = self.tests[fold], sum(len(self.tests[k]) for k in others if k != fold)
                if not n_rest:
                    continue
                system = cho_factor(_ridged(whole - parts[fold], self.ridge_of[side]), overwrite_a=True)
                weights = cho_solve(system, right - self._right(side, products[fold], counts[fold]))
                given = sum(counts[k] for k in others if k != fold) / n_rest
                scores[clips] = (
                    self._standard(side, clips) @ weights[:-1].astype(np.float32)
                    + self.constant * weights[-1]
                    - given
                )
            learn = np.concatenate([self.tests[fold] for fold in others])
            found.append(roc_auc(labels[learn].T, scores[learn].T))
        return np.stack(found)

    def logistic(self, table: np.ndarray, penalty: float, tick: Callable[[], None]) -> np.ndarray:
        """Out-of-fold logits (n_tags, n), NaN for a tag where a training side has only one kind of clip."""
        n = len(table)
        logits = np.empty(table.shape)
        bases = np.empty((len(self.tests), table.shape[1]))
        for side, test in enumerate(self.tests):
            tick()
            learn = np.setdiff1d(np.arange(n), test, assume_unique=True)
            y = table[learn]
            solved = _descend(self._standard(side, learn), self.constant, self.systems[side], y, penalty)
            logits[test] = self._standard(side, test) @ solved[:-1].astype(np.float32)
            bases[side] = self.constant * solved[-1]
            bases[side, (y.sum(0) == 0) | (y.sum(0) == len(y))] = np.nan
        return (logits + bases.mean(0)).T


def _levelled(rows: np.ndarray, scale: bool) -> tuple[np.ndarray, np.ndarray]:
    """Brought to mean 0 (and, scaled, deviation 1) over all clips, float32 (n, d); and each dimension's deviation then."""
    mean, spread = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    by = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0) if scale else 1.0
    levelled = ((rows - mean.astype(np.float32)) * np.float32(by)).astype(np.float32, copy=False)
    return levelled, (spread > 0).astype(np.float64) if scale else spread


def _ridged(products: np.ndarray, ridge: float) -> np.ndarray:
    products[np.diag_indices_from(products)] += ridge
    return products


def _descend(
    rows: np.ndarray, constant: float, system: tuple[np.ndarray, bool], y: np.ndarray, penalty: float
) -> np.ndarray:
    """Weights (d + 1, n_tags), the intercept's last, by the conjugate gradients of ``linear``, all tags side by side until
    each has arrived: those that have are set aside, since what a step costs grows with its tags.

    rows: float32 (m, d) of a training side; system: ``_Draw.systems``; y: 0/1 (m, n_tags)
    """
    found = np.zeros((rows.shape[1] + 1, y.shape[1]))
    at = np.flatnonzero((y.sum(0) > 0) & (y.sum(0) < len(y)))  # of one kind of clip there is nothing to learn
    y = y[:, at].astype(np.float32)
    weights, direction, last = (np.zeros((len(found), len(at))) for _ in range(3))
    logits, image = np.zeros(y.shape, np.float32), np.zeros(y.shape, np.float32)
    energy = np.ones(len(at))
    for _ in range(MOST_STEPS):
        chance = sigmoid(logits)
        wrong = chance - y
        gradient = np.concatenate([rows.T @ wrong, np.float32(constant) * wrong.sum(0)[None]])
        gradient = gradient + penalty * weights
        better = cho_solve(system, gradient)
        lifted = rows @ better[:-1].astype(np.float32) + (constant * better[-1]).astype(np.float32)
        left = np.abs(lifted).max(0) > TOLERANCE * np.abs(wrong).max(0)
        found[:, at[~left]] = weights[:, ~left]
        if not left.any():
            return found
        if not left.all():
            at, energy = at[left], energy[left]
            weights, direction, last = weights[:, left], direction[:, left], last[:, left]
            gradient, better, lifted = gradient[:, left], better[:, left], lifted[:, left]
            logits, image, chance, y = logits[:, left], image[:, left], chance[:, left], y[:, left]
        slope = (better * gradient).sum(0)
        turn = np.maximum(
            np.divide((better * (gradient - last)).sum(0), energy, out=np.zeros(len(at)), where=energy > 0), 0
        )
        turn = np.where(turn * (direction * gradient).sum(0) < slope, turn, 0)
        direction = turn * direction - better
        image = image * turn.astype(np.float32) - lifted
        energy, last = slope, gradient
        length = step_length(
            logits[None],
            chance[None],
            image[None],
            y[None],
            np.broadcast_to(np.float32(1), (1, *y.shape)),
            penalty * (direction * weights).sum(0)[None, None],
            penalty * (direction * direction).sum(0)[None, None],
            twice=True,
        )[0, 0]
        weights += length * direction
        logits += length.astype(np.float32) * image
    found[:, at] = weights
    return found
