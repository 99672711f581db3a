"""Figures of predicted tags say how sure they are, or that nobody can say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mirdemo.stages.fewshot.scoring import micro_interval


def _said(n_recordings: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_recordings)
    truth = rng.integers(0, 2, (3, 4 * n_recordings))
    said = np.where(rng.random(truth.shape) < 0.8, truth, 1 - truth)
    return truth, said, np.repeat(np.arange(n_recordings), 4)


@pytest.mark.parametrize("n", [4, 5, 20])
def test_micro_f1_has_an_interval_from_five_recordings_on(n: int) -> None:
    truth, said, recordings = _said(n)
    found = micro_interval(truth, said, recordings)
    assert found.value == pytest.approx(f1_score(truth.T, said.T, average="micro"))
    assert (found.n, found.unit) == (n, "recordings")
    assert (found.low is None, found.high is None) == (n < 5, n < 5)
    if n >= 5:
        assert found.low < found.value < found.high


def test_micro_f1_has_no_value_where_nothing_is_carried() -> None:
    found = micro_interval(np.zeros((2, 6), int), np.ones((2, 6), int), np.arange(6))
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 6)
