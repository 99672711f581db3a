"""Figures of predicted tags say how sure they are, or that nobody can say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mirdemo.scoring.metrics import f1_influence, roc_auc_influence
from mirdemo.stages.fewshot import score
from mirdemo.stages.fewshot.pairs import PairsOut
from mirdemo.stages.fewshot.scoring import _ranking, f1_moved


def _said(n_recordings: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_recordings)
    truth = rng.integers(0, 2, (4 * n_recordings, 3))
    said = np.where(rng.random(truth.shape) < 0.8, truth, 1 - truth)
    return truth, said, np.repeat(np.arange(n_recordings), 4)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_micro_f1_is_scikit_learns_with_an_interval_over_recordings(n: int) -> None:
    truth, said, recordings = _said(n)
    found = score(truth, said, recordings, ["a", "b", "c"]).micro_f1
    assert found.value == pytest.approx(f1_score(truth, said, average="micro"))
    assert (found.n, found.unit) == (n, "recordings")
    assert found.low < found.value < found.high


def test_nine_in_ten_intervals_of_micro_f1_hold_the_true_value() -> None:
    """Some recordings are tagged well, some badly: 6 recordings of 3 clips, 4 tags. A narrower interval fails this."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = np.repeat(rng.normal(size=(n, 4)) + rng.normal(0, 1.2, (n, 4)) > 0.3, 3, 0)
        ease = np.repeat(rng.normal(size=(n, 1)), 3, 0)
        chance = 1 / (1 + np.exp(-np.where(truth, 1.1 + ease, -1.1 - ease)))
        return truth.astype(int), (rng.random(truth.shape) < chance).astype(int)

    rng = np.random.default_rng(0)
    truth, said = draw(rng, 100_000)
    true = 2 * (truth * said).sum() / (truth.sum() + said.sum())
    held = []
    for _ in range(200):
        truth, said = draw(rng, 6)
        found = score(truth, said, np.repeat(np.arange(6), 3), list("abcd")).micro_f1
        held.append(found.low <= true <= found.high)
    assert (
        np.mean(held) >= 0.87
    )  # the house's interval is wider than it need be where so many decisions are pooled


def test_errors_that_lie_in_few_recordings_make_micro_f1_less_sure_than_the_same_spread_out() -> None:
    truth, recordings = np.random.default_rng(0).integers(0, 2, (36, 4)), np.repeat(np.arange(12), 3)
    whole, spread = (
        score(truth, np.where(wrong[:, None], 1 - truth, truth), recordings, list("abcd")).micro_f1
        for wrong in (recordings < 4, np.arange(36) % 3 == 0)
    )
    assert whole.value == pytest.approx(spread.value, abs=0.01)
    assert whole.high - whole.low > 1.6 * (spread.high - spread.low)


def test_there_is_no_value_where_nothing_is_carried() -> None:
    found = score(np.zeros((6, 2), int), np.ones((6, 2), int), np.arange(6), ["a", "b"])
    assert (found.micro_f1.value, found.micro_f1.low, found.micro_f1.n) == (None, None, 6)


def test_comparisons_in_pairs_are_the_usual_metrics_where_leaving_out_changes_nothing() -> None:
    """Scores that do not depend on who is left out: values and influences of scoring.metrics, without ties."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, (12, 3))
    scores = rng.normal(size=(12, 3))
    groups = np.repeat(np.arange(6), 2)
    given = (scores > 0).astype(np.uint8)
    pairs = PairsOut(groups, np.repeat(given[:, None], 6, axis=1), np.repeat(scores[:, None], 6, axis=1))
    ranked, precision = _ranking(labels, pairs)
    for got, wanted in zip(ranked, roc_auc_influence(labels.T, scores.T), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
    for tag, has in enumerate(labels.T):
        # a clip's precision as on a collection without end: its own place is held by the others that have the tag
        own, few = [], has.sum()
        for clip in np.flatnonzero(has):
            ahead = scores[:, tag] > scores[clip, tag]
            found, wrong = few / (few - 1) * (ahead & (has == 1)).sum(), (ahead & (has == 0)).sum()
            own.append(found / (found + wrong) if found + wrong else None)
        best = max(one for one in own if one is not None)
        assert precision[0][tag] == pytest.approx(np.mean([best if one is None else one for one in own]))
    assert np.all(np.abs(precision[1].sum(1)) < 1e-12)  # influences cancel out, as those of every mean
    for got, wanted in zip(
        f1_moved(labels.T, pairs.decided(labels).T), f1_influence(labels.T, given.T), strict=True
    ):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
