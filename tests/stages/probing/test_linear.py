"""The batched dual solver is scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from mirdemo.scoring.folds import recording_folds
from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.stages.probing import linear
from mirdemo.stages.probing.crossval import choose, solve


def fold_of(labels, recordings, n_folds=5):
    out = np.empty(len(labels), int)
    for fold, (_, test) in enumerate(recording_folds(recordings, labels, n_folds, 0)):
        out[test] = fold
    return out


def fitted(rows, train, labels, penalty):
    kernels = linear.standardised_kernels(rows, train)
    sides = linear.Sides.of(train)
    across = sides.across(kernels)
    within = sides.within(across, penalty)
    inverse = linear.even_inverse(within, sides.valid, penalty)
    coefficients = linear.logistic(within, inverse, sides.valid, labels[sides.index], penalty)
    return across @ coefficients + linear.intercepts(coefficients, penalty)[:, None]


@pytest.mark.parametrize("penalty", [1.0, 10.0, 1000.0])
@pytest.mark.parametrize("size", [8, 200], ids=["more clips than dimensions", "fewer"])
def test_logits_equal_scikit_learns_with_the_same_penalty_and_a_free_intercept(size, penalty, monkeypatch):
    monkeypatch.setattr(linear, "TOLERANCE", 1e-4)
    rng = np.random.default_rng(0)
    rows = 5 + rng.normal(size=(40, size)) * rng.gamma(1, 3, size)
    rows[:, 0] = 7  # says nothing
    labels = (rng.random((40, 3)) < (0.15, 0.5, 0.8)).astype(int)
    train = np.ones((2, 40), bool)
    train[0, :12], train[1, 33:] = False, False  # sides of different sizes
    logits = fitted(rows, train, labels, penalty)
    for fold, side in enumerate(train):
        scaled = StandardScaler().fit(rows[side]).transform(rows)
        for tag in range(3):
            model = LogisticRegression(C=1 / penalty, tol=1e-9, max_iter=20000).fit(
                scaled[side], labels[side, tag]
            )
            expected = model.decision_function(scaled)
            np.testing.assert_allclose(logits[fold, :, tag], expected, atol=0.01 * np.abs(expected).max())


def test_default_tolerance_leaves_macro_roc_auc_within_a_two_hundredth(clips):
    layers, labels, recordings = clips
    folds = fold_of(labels, recordings)
    ours = next(solve(list(layers.values()), labels, folds, 1.0, scale=True)).logits
    expected = np.empty_like(ours)
    for i, rows in enumerate(layers.values()):
        for fold in range(5):
            side = folds != fold
            scaled = StandardScaler().fit(rows[side]).transform(rows)
            for tag in range(labels.shape[1]):
                model = LogisticRegression(max_iter=1000).fit(scaled[side], labels[side, tag])
                expected[i, tag, ~side] = model.decision_function(scaled[~side]) - model.intercept_
    difference = macro(roc_auc(labels.T, ours)) - macro(roc_auc(labels.T, expected))
    assert np.abs(difference).max() <= 0.005


def test_a_tag_on_one_kind_of_clip_only_gets_no_coefficients():
    rng = np.random.default_rng(1)
    labels = np.stack([np.ones(10, int), np.arange(10) % 2], 1)
    logits = fitted(rng.normal(size=(10, 4)), np.ones((1, 10), bool), labels, 1.0)
    assert (logits[..., 0] == 0).all()
    assert np.abs(logits[..., 1]).max() > 0.1


def test_only_the_training_side_standardises():
    rng = np.random.default_rng(2)
    rows, train = rng.normal(size=(12, 5)), np.arange(12)[None] < 8
    far = rows.copy()
    far[8:] *= 1000
    one, other = (linear.standardised_kernels(table, train)[0][:8, :8] for table in (rows, far))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_smoother_gives_out_of_fold_ridge_scores_for_any_labels(clips):
    layers, labels, recordings = clips
    folds = fold_of(labels, recordings)
    rows = layers["1"]
    solved = next(solve([rows], labels, folds, 10.0, scale=True))
    target = np.random.default_rng(3).random(len(labels))
    scores = solved.smoother()[0] @ target
    for fold in range(5):
        side = folds != fold
        scaled = StandardScaler().fit(rows[side]).transform(rows)
        ridge = max(40.0, linear.SHARE * rows.shape[1])
        expected = scaled[~side] @ Ridge(ridge).fit(scaled[side], target[side]).coef_
        np.testing.assert_allclose(scores[~side], expected, atol=2e-3)


def test_inner_scores_equal_refitting_without_each_inner_fold(clips):
    layers, labels, recordings = clips
    folds = fold_of(labels, recordings)
    rows = layers["1"]
    solved = next(solve([rows], labels, folds, 10.0, scale=True))
    side = folds != 0
    scaled = StandardScaler().fit(rows[side]).transform(rows)
    ridge = max(40.0, linear.SHARE * rows.shape[1])
    scores = np.empty((3, side.sum()))
    for inner in range(1, 5):
        learn, held = side & (folds != inner), folds == inner
        for tag in range(3):
            model = Ridge(ridge).fit(scaled[learn], labels[learn, tag])
            scores[tag, (folds == inner)[side]] = model.predict(scaled[held]) - labels[learn, tag].mean()
    np.testing.assert_allclose(solved.inner()[0, 0], roc_auc(labels[side].T, scores), atol=0.01)


def test_a_fold_chooses_the_layer_that_does_best_on_its_training_side():
    inner = np.array([[[0.6, 0.5], [0.9, 0.8]], [[0.9, np.nan], [0.5, np.nan]]])
    np.testing.assert_array_equal(choose(inner), [[1, 1], [0, 1]])
    np.testing.assert_array_equal(choose(np.full((2, 3, 1), np.nan)), [[2], [2]])


def test_folds_that_differ_in_base_rate_do_not_order_clips():
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 1])[:, None]
    solved = next(solve([np.zeros((8, 3))], labels, np.repeat([0, 1], 4), 1.0, scale=True))
    assert roc_auc(labels.T, solved.logits)[0, 0] == 0.5


def test_where_nothing_is_heard_roc_auc_is_one_half_in_the_mean():
    """Folds' own intercepts would pull it to .43 here."""
    found = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = np.stack([rng.permutation(20) < 6 for _ in range(3)], 1).astype(int)
        rows = rng.normal(size=(20, 200))
        solved = next(solve([rows], labels, fold_of(labels, np.arange(20)), 100.0, scale=True))
        found.append(roc_auc(labels.T, solved.logits).mean())
    assert abs(np.mean(found) - 0.5) < 0.03


def test_layers_worked_through_in_parts_give_the_same(clips, monkeypatch):
    layers, labels, recordings = clips
    folds = fold_of(labels, recordings)
    monkeypatch.setattr(linear, "TOLERANCE", 1e-4)
    whole = list(solve(list(layers.values()), labels, folds, 1.0, scale=True))
    monkeypatch.setattr("mirdemo.stages.probing.crossval.BUDGET", 1)
    parts = list(solve(list(layers.values()), labels, folds, 1.0, scale=True))
    assert (len(whole), len(parts)) == (1, 3)
    np.testing.assert_allclose(np.concatenate([p.logits for p in parts]), whole[0].logits, atol=0.05)


@pytest.mark.parametrize(("fit", "blocks"), [(0, [1, 1, 1, 1]), (1, [1, 1, 1, 1]), (3, [3, 1]), (9, [4])])
def test_as_many_layers_are_worked_through_at_once_as_fit_and_one_where_none_does(fit, blocks, monkeypatch):
    rng = np.random.default_rng(0)
    labels = (np.arange(12)[:, None] % np.array([2, 3]) == 0).astype(int)
    one = 3 * 12**2 * 8 * 4  # what a layer takes with three folds
    monkeypatch.setattr("mirdemo.stages.probing.crossval.BUDGET", fit * one)
    layers = [rng.normal(size=(12, 5)) for _ in range(4)]
    found = [len(part.logits) for part in solve(layers, labels, np.arange(12) % 3, 1.0, scale=True)]
    assert found == blocks
