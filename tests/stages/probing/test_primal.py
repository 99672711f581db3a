"""Many clips are probed in the dimensions, few in the kernel between them: the same problem, the same figures."""

from __future__ import annotations

import numpy as np
import pytest
from probing_clips import made_up
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mirdemo.base import threads
from mirdemo.base.sentences import Cancelled
from mirdemo.stages.probing import ProbeReport, primal, probe
from mirdemo.stages.probing.crossval import solve


def both(monkeypatch, *arguments, **options) -> tuple[ProbeReport, ProbeReport]:
    """By kernels, and by dimensions."""
    by_kernels = probe(*arguments, **options)
    monkeypatch.setattr("mirdemo.stages.probing.live.DUAL_CLIPS", 0)
    return by_kernels, probe(*arguments, **options)


def solved(clips, penalty, scale=True):
    """One layer both ways, and its folds."""
    layers, labels, recordings = clips
    folds = np.unique(recordings, return_inverse=True)[1] % 4
    (by_kernels,) = solve([layers["1"]], labels, folds, penalty, scale=scale)
    found = primal.solve(layers["1"], labels, folds[None], penalty, scale=scale)
    return by_kernels, found, folds


@pytest.mark.parametrize("penalty", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("size", [10, 70])
def test_logits_are_scikit_learns(monkeypatch, size, penalty):
    monkeypatch.setattr(primal, "TOLERANCE", 1e-4)
    monkeypatch.setattr(primal, "TAGS_AT_ONCE", 2)
    layers, labels, recordings = made_up(n_recordings=60, size=size, seed=3)
    layers["1"][:, 4] = 1.0  # says nothing
    _, found, folds = solved((layers, labels, recordings), penalty)
    expected, base = np.empty((3, len(labels))), np.zeros(3)
    for fold in range(4):
        side = folds != fold
        scaled = StandardScaler().fit(layers["1"][side]).transform(layers["1"])
        for tag in range(3):
            model = LogisticRegression(C=1 / penalty, tol=1e-9, max_iter=20_000).fit(
                scaled[side], labels[side, tag]
            )
            base[tag] += model.intercept_[0] / 4
            expected[tag, ~side] = model.decision_function(scaled[~side]) - model.intercept_
    expected += base[:, None]
    np.testing.assert_allclose(found.logits[0], expected, atol=0.01 * np.abs(expected).max())


@pytest.mark.parametrize("scale", [True, False], ids=["standardised", "as it is"])
@pytest.mark.parametrize("size", [10, 70])
def test_what_the_choice_of_layers_and_the_permutations_rest_on_is_the_same(size, scale):
    clips = made_up(n_recordings=60, size=size, seed=4)
    clips[0]["1"][:, 2] = 3.0
    by_kernels, found, folds = solved(clips, 1.0, scale)
    np.testing.assert_allclose(found.inner[0], by_kernels.inner()[:, 0], atol=1e-3)
    draw = primal._Draw.of(*primal._levelled(clips[0]["1"], scale), folds, 1.0, scale)
    many = np.random.default_rng(0).integers(0, 2, (5, len(folds)))
    np.testing.assert_allclose(draw.ridge(many), many @ by_kernels.smoother()[0].T, atol=1e-3)


def test_a_report_is_the_same(monkeypatch):
    clips = made_up(n_recordings=60, seed=3)
    kernels, dimensions = both(monkeypatch, *clips, seeds=(0, 1), permutations=40)
    assert dimensions.layer_names == kernels.layer_names
    for one, other in zip(kernels.tags, dimensions.tags, strict=True):
        assert (other.best_layer, other.verdict) == (one.best_layer, one.verdict)
        assert other.p_by_layer == pytest.approx(one.p_by_layer, abs=0.03)
        for name in kernels.layer_names:
            here, there = one.by_layer[name].roc_auc, other.by_layer[name].roc_auc
            assert there.value == pytest.approx(here.value, abs=0.005)


def test_what_cannot_be_learned_in_a_fold_and_few_folds_are_the_same(monkeypatch):
    layers, labels, recordings = made_up(n_recordings=40, clips=1, size=8, seed=1)
    labels[:, 0] = 0
    labels[:2, 0] = 1  # some training side may lack it
    labels[:, 1] = 1  # no side has two kinds of it
    kernels, dimensions = both(monkeypatch, layers, labels, recordings, n_folds=3, seeds=(0,), permutations=9)
    np.testing.assert_array_equal(np.isnan(dimensions.scores), np.isnan(kernels.scores))
    assert np.isnan(dimensions.scores[:, 1]).all()
    np.testing.assert_allclose(dimensions.scores[:, 2], kernels.scores[:, 2], atol=0.1)
    assert [tag.verdict for tag in dimensions.tags] == [tag.verdict for tag in kernels.tags]


def test_more_clips_than_dimensions_need_one_draw_and_tell_each_layer(monkeypatch):
    monkeypatch.setattr("mirdemo.stages.probing.live.DUAL_CLIPS", 20)
    layers, labels, recordings = made_up()
    told, shown = [], []
    report = probe(
        layers,
        labels,
        recordings,
        permutations=5,
        progress=lambda *now: told.append(now),
        interim=shown.append,
    )
    assert report.seeds == (0,)
    assert report.seed_deviation["roc_auc"] is None
    assert list(dict.fromkeys(told)) == [(layer, 4, "probing") for layer in range(4)], (
        "three layers and their mean"
    )
    assert len(shown) == 3


@pytest.mark.parametrize("lanes", [1, 3])
def test_layers_side_by_side_are_the_same(monkeypatch, lanes):
    monkeypatch.setattr("mirdemo.stages.probing.live.DUAL_CLIPS", 20)
    monkeypatch.setattr(threads, "cores", lambda: lanes)
    monkeypatch.setattr(threads, "_threads_of_numpy", lambda: 1)
    found = probe(*made_up(), permutations=9)
    monkeypatch.setattr(threads, "cores", lambda: 1)
    alone = probe(*made_up(), permutations=9)
    np.testing.assert_array_equal(found.scores, alone.scores)
    assert found.tags == alone.tags


def test_it_can_be_stopped_within_a_layer(monkeypatch):
    monkeypatch.setattr("mirdemo.stages.probing.live.DUAL_CLIPS", 20)
    monkeypatch.setattr(threads, "cores", lambda: 1)
    told = []

    def progress(*now):
        told.append(now)
        if len(told) == 8:
            raise Cancelled

    with pytest.raises(Cancelled):
        probe(*made_up(), permutations=5, progress=progress)
    assert told == [(0, 4, "probing")] * 8, "still in the first layer"
