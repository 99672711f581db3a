"""What every few-shot method has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np


class FewShotMethod(Protocol):
    """A tagger made from a support set.

    ``scores`` are in [0, 1] and for ranking; a predicted tag has 0.5 or more, any other 0.5 or less. They are
    not probabilities. ``state`` and ``from_state`` carry a fitted method to another process as plain settings
    (JSON) and arrays.
    """

    name: str
    tags: tuple[str, ...]

    def fit(
        self,
        embeddings: np.ndarray,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """(n, dim), 0/1 (n, n_tags), (n,), names -> self."""

    def predict(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> uint8 (q, n_tags)."""

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """(q, dim) -> float64 (q, n_tags)."""

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Settings and arrays."""
