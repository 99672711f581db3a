"""A linear head for comparison: ridge regression on the labels, all tags at once, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from mirdemo.stages.fewshot.calibration import best_thresholds, logistic
from mirdemo.stages.fewshot.errors import check_embeddings, check_support

#: Penalties tried, as multiples of the mean squared length of a standardised embedding.
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


class LinearHead:
    """One-vs-all ridge regression of the 0/1 labels on standardised embeddings.

    The penalty is the one of ``PENALTIES`` with the least squared error, and each tag's threshold the one with
    the best F1, on the support set with each clip predicted from the other recordings. Those predictions are
    exact without refitting: the residuals of a block left out are (I - H_bb)^-1 times its fitted residuals,
    H the hat matrix (Allen's PRESS, here by recording). Only the standardisation sees all clips (no labels).
    """

    name = "linear"

    def fit(
        self,
        embeddings: np.ndarray,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """(n, dim), 0/1 (n, n_tags), (n,), names -> self. Raises FewShotError as ``LCPrototypes.fit`` does."""
        rows, table, codes, self.tags = check_support(embeddings, labels, recordings, tags)
        self.mean = rows.mean(axis=0)
        deviation = rows.std(axis=0)
        self.deviation = np.where(deviation > 1e-12 * max(1.0, np.abs(self.mean).max()), deviation, 1.0)
        design = self._design(rows)
        gram = design @ design.T
        size = float(np.trace(gram)) / len(gram)
        values, vectors = np.linalg.eigh(gram)
        target = table.astype(np.float64)
        held, errors = [], []
        for penalty in PENALTIES:
            inverse = (vectors / (np.maximum(values, 0) + penalty * size)) @ vectors.T
            held.append(_held_out(gram @ inverse, target, codes))
            errors.append(float(((held[-1] - target) ** 2).mean()))
        best = int(np.argmin(errors))
        self.penalty = PENALTIES[best]
        inverse = (vectors / (np.maximum(values, 0) + self.penalty * size)) @ vectors.T
        self.weights = design.T @ (inverse @ target)
        self.thresholds = best_thresholds(held[best], table)
        self.spread = max(float(held[best].std()), 1e-6)
        return self

    def predict(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> uint8 (q, n_tags)."""
        return (self._values(queries) > self.thresholds).astype(np.uint8)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> float64 (q, n_tags): logistic in the distance from the threshold. No probabilities."""
        return logistic((self._values(queries) - self.thresholds) / self.spread)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        settings = {"tags": list(self.tags), "penalty": self.penalty, "spread": self.spread}
        names = ("mean", "deviation", "weights", "thresholds")
        return settings, {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        made = cls()
        made.tags = tuple(settings["tags"])
        made.penalty, made.spread = float(settings["penalty"]), float(settings["spread"])
        for name in ("mean", "deviation", "weights", "thresholds"):
            setattr(made, name, np.asarray(arrays[name], np.float64))
        return made

    def _design(self, rows: np.ndarray) -> np.ndarray:
        """Standardised embeddings and a constant as long as all of them together: float64 (n, dim + 1)."""
        standard = (rows - self.mean) / self.deviation
        return np.hstack([standard, np.full((len(rows), 1), np.sqrt(rows.shape[1]))])

    def _values(self, queries: np.ndarray) -> np.ndarray:
        return self._design(check_embeddings(queries, dim=len(self.mean))) @ self.weights


def _held_out(hat: np.ndarray, target: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """Predictions of each row by the rows of other recordings: (n, n), (n, t), (n,) -> (n, t)."""
    residuals = target - hat @ target
    if len(np.unique(recordings)) == len(recordings):
        return target - residuals / (1 - np.diag(hat))[:, None]
    out = np.empty_like(target)
    for recording in np.unique(recordings):
        mine = np.flatnonzero(recordings == recording)
        block = np.eye(len(mine)) - hat[np.ix_(mine, mine)]
        out[mine] = target[mine] - np.linalg.solve(block, residuals[mine])
    return out
