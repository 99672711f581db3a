"""The head that decides: the live probe's own logistic regression, run to its optimum on a tail's rows.

A tail is trained under a head of its own, which a few epochs leave far from where it is going. Figures of such a head
would say what the training of the head lost, not what the training of the tail added (about 0.1 of ROC-AUC with
twenty recordings). So whatever is compared or taken home, the untrained tail's rows too, is read by this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.stages.probing.linear import FREE, even_inverse, intercepts, logistic


@dataclass(frozen=True, eq=False)
class Converged:
    """A linear head on rows standardised as its training side is.

    centre, factor: (size,), rows become ``(rows - centre) * factor``, with 0 for what does not vary
    weights: (size, n_tags); intercept: (n_tags,), NaN for a tag that all training clips have or none has
    """

    centre: np.ndarray
    factor: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray

    @classmethod
    def fitted(cls, rows: np.ndarray, labels: np.ndarray, penalty: float) -> Converged:
        """L2-penalised, with a free intercept, as ``probe`` fits it.

        rows: (n_clips, size) of the training side; labels: 0/1 (n_clips, n_tags); penalty: 1 / C
        """
        rows = np.asarray(rows, dtype=np.float64)
        centre, spread = rows.mean(0), rows.std(0)
        varies = spread > 1e-6 * np.abs(rows).max(initial=1e-6)
        factor = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies)
        standard = (rows - centre) * factor
        kernel = (standard @ standard.T + FREE * penalty)[None]
        valid = np.ones((1, len(rows)), dtype=bool)
        targets = labels[None].astype(np.float64)
        inverse = even_inverse(kernel, valid, penalty)
        coefficients = logistic(kernel, inverse, valid, targets, penalty)
        count = labels.sum(0)
        known = (count > 0) & (count < len(labels))
        intercept = np.where(known, intercepts(coefficients, penalty)[0], np.nan)
        return cls(centre, factor, standard.T @ coefficients[0], intercept)

    @property
    def known(self) -> np.ndarray:
        """bool (n_tags,): tags that could be learned."""
        return np.isfinite(self.intercept)

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n, size) -> (n, n_tags), NaN for a tag that could not be learned."""
        return (rows - self.centre) * self.factor @ self.weights + self.intercept

    def plain(self) -> tuple[np.ndarray, np.ndarray]:
        """The standardisation folded in: weights (size, n_tags) and bias (n_tags,) for rows as they are."""
        weights = self.factor[:, None] * self.weights
        return weights, self.intercept - self.centre @ weights


def out_of_fold(
    heads: list[Converged], rows: list[np.ndarray], fold_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores 0..1 (n_clips, n_tags), each clip's from the fold that tests it, NaN where a fold could not learn a tag; and
    decisions 0/1, where it is given to nobody.

    heads, rows: (n_folds,), each fold's head and its rows (n_clips, size); fold_of: int (n_clips,)
    As in the probe (``crossval.solve``), folds get the mean of their intercepts for scores, since their own alone would order clips of
    different folds, and keep their own for decisions, since that mean knows of the clips under test.
    """
    intercept = np.stack([head.intercept for head in heads])
    logits = np.empty((len(fold_of), intercept.shape[1]))
    for fold, (head, own) in enumerate(zip(heads, rows, strict=True)):
        tested = fold_of == fold
        logits[tested] = head.logits(own[tested]) - head.intercept
    given = np.nan_to_num(logits + intercept[fold_of], nan=-1.0) >= 0
    logits += intercept.mean(0)
    known = np.isfinite(logits).all(0)
    return 0.5 * (1 + np.tanh(0.5 * logits)), (given & known).astype(np.uint8)
