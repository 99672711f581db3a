"""The head that decides is the probe's own, and what goes home scores as it does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mirdemo.stages.finetuning.converged import Converged, out_of_fold
from mirdemo.stages.probing.crossval import solve


@pytest.fixture
def world():
    """36 clips of 12 recordings; the third tag is on every clip."""
    draw = np.random.default_rng(3)
    labels = (draw.random((36, 3)) < 0.4).astype(np.uint8)
    labels[:, 2] = 1
    rows = draw.normal(size=(36, 20)) * draw.uniform(0.1, 9, 20) + draw.normal(size=20) * 5
    rows[:, :2] += 4 * labels[:, :2]
    rows[:, 7] = 2.5  # does not vary
    return rows, labels, np.repeat(np.arange(12), 3) % 4


def test_it_is_logistic_regression_run_to_its_optimum(world) -> None:
    rows, labels, _ = world
    head, scaler = Converged.fitted(rows, labels, penalty=2.0), StandardScaler().fit(rows)
    for k in range(2):
        judge = LogisticRegression(C=0.5, tol=1e-9, max_iter=5000).fit(scaler.transform(rows), labels[:, k])
        expected = judge.decision_function(scaler.transform(rows))
        np.testing.assert_allclose(head.logits(rows)[:, k], expected, atol=0.1)
        order = np.argsort(expected)
        assert np.corrcoef(head.logits(rows)[order, k], expected[order])[0, 1] > 0.9999
    assert head.known.tolist() == [True, True, False]
    assert np.isnan(head.logits(rows)[:, 2]).all()


def test_as_plain_weights_it_says_the_same(world) -> None:
    rows, labels, _ = world
    head = Converged.fitted(rows, labels, penalty=1.0)
    weights, bias = head.plain()
    np.testing.assert_allclose(rows @ weights + bias, head.logits(rows), atol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_the_scale_of_rows_does_not_matter(world, scale) -> None:
    rows, labels, _ = world
    plain, scaled = (Converged.fitted(by * rows, labels, 1.0).logits(by * rows) for by in (1.0, scale))
    np.testing.assert_allclose(scaled, plain, atol=1e-6)


def test_out_of_fold_it_is_the_live_probe_of_one_layer(world) -> None:
    """Same folds, same head: so nothing but the rows can differ in what training is said to add."""
    rows, labels, fold_of = world
    heads = [Converged.fitted(rows[fold_of != fold], labels[fold_of != fold], 1.0) for fold in range(4)]
    found, given = out_of_fold(heads, [rows] * 4, fold_of)
    (probed,) = solve([rows], labels, fold_of, 1.0, scale=True)
    expected = 1 / (1 + np.exp(-probed.logits[0].T))
    np.testing.assert_allclose(found[:, :2], expected[:, :2], atol=0.02)
    assert np.isnan(found[:, 2]).all()
    own = probed.own[0].T
    sure = np.abs(own[:, :2]) > 0.1
    np.testing.assert_array_equal(given[:, :2][sure], (own[:, :2] >= 0)[sure])
    assert not given[:, 2].any()


def test_rows_that_say_nothing_order_no_clips(world) -> None:
    _, labels, fold_of = world
    same = np.ones((36, 4))
    heads = [Converged.fitted(same[fold_of != fold], labels[fold_of != fold], 1.0) for fold in range(4)]
    assert np.ptp(out_of_fold(heads, [same] * 4, fold_of)[0][:, :2], axis=0).max() < 1e-9
