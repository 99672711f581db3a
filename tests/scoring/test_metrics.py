"""Metrics agree with scikit-learn, in any batch, with ties, and say NaN where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as theirs

from mirdemo.scoring import metrics

TABLES = st.integers(2, 14).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.uint8, (2, 3, n), elements=st.integers(0, 1)),
        hnp.arrays(np.float64, (2, 3, n), elements=st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1])),
    )
)


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_every_row_of_a_batch_equals_scikit_learn_with_ties_and_without(table):
    labels, scores = table
    ours = {
        "auc": metrics.roc_auc(labels, scores),
        "ap": metrics.average_precision(labels, scores),
        "f1": metrics.f1(labels, scores),
    }
    for i in np.ndindex(2, 3):
        y, s = labels[i], scores[i]
        if 0 < y.sum() < len(y):
            assert ours["auc"][i] == pytest.approx(theirs.roc_auc_score(y, s), abs=1e-12)
        else:
            assert np.isnan(ours["auc"][i])
        if y.sum():
            assert ours["ap"][i] == pytest.approx(theirs.average_precision_score(y, s), abs=1e-12)
            assert ours["f1"][i] == pytest.approx(theirs.f1_score(y, s >= 0.5), abs=1e-12)
        else:
            assert np.isnan(ours["ap"][i])
            assert np.isnan(ours["f1"][i])


@settings(max_examples=30, deadline=None)
@given(TABLES, st.floats(-1, 1), st.floats(0.1, 5))
def test_what_ranks_counts_by_its_order_alone_cosines_below_zero_too(table, zero: float, scale: float):
    """torchmetrics 1.9.0 does not (findings/cosines_in_batches_change_their_scale.sh)."""
    labels, scores = table
    for metric in (metrics.roc_auc, metrics.average_precision):
        np.testing.assert_array_equal(metric(labels, scale * (scores - zero)), metric(labels, scores))


@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_macro_and_micro_f1_equal_scikit_learn_over_tags_that_have_clips(table):
    labels, scores = table[0][0], table[1][0]
    having = labels.sum(1) > 0
    if not having.any():
        assert np.isnan(metrics.micro_f1(labels, scores))
        return
    said = (scores >= 0.5).astype(int)
    expected = np.mean(
        [theirs.f1_score(y, s, zero_division=0) for y, s in zip(labels, said, strict=True) if y.any()]
    )
    assert metrics.macro(metrics.f1(labels, scores)) == pytest.approx(expected, abs=1e-12)
    micro = theirs.f1_score(labels.T, said.T, average="micro", zero_division=0)
    assert metrics.micro_f1(labels, scores) == pytest.approx(micro, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(TABLES, st.integers(0, 13))
def test_influence_is_the_derivative_by_a_clips_weight_and_sums_to_zero(table, at):
    labels, scores = table[0][0], table[1][0]
    n = labels.shape[1]
    at %= n
    copies = 400
    more = np.concatenate([np.arange(n).repeat(copies), [at]])  # one clip weighs 1/400 more than the others
    for metric, influence_of in (
        (metrics.roc_auc, metrics.roc_auc_influence),
        (metrics.average_precision, metrics.average_precision_influence),
        (metrics.f1, metrics.f1_influence),
        (metrics.micro_f1, metrics.micro_f1_influence),
    ):
        value, influence = influence_of(labels, scores)
        np.testing.assert_array_equal(value, metric(labels, scores))
        np.testing.assert_allclose(influence.sum(-1)[np.isfinite(value)], 0, atol=1e-9)
        moved = (metric(labels[:, more], scores[:, more]) - value) * copies
        np.testing.assert_allclose(
            moved[np.isfinite(value)], influence[..., at][np.isfinite(value)], atol=0.02
        )


def test_labels_broadcast_over_layers_and_seeds():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, (3, 20)), rng.normal(size=(5, 4, 3, 20))
    assert metrics.roc_auc(labels, scores).shape == (5, 4, 3)
    assert metrics.roc_auc(labels, scores)[2, 1, 0] == theirs.roc_auc_score(labels[0], scores[2, 1, 0])


@pytest.mark.parametrize("metric", [metrics.roc_auc, metrics.average_precision, metrics.f1])
def test_a_score_that_is_no_number_gives_no_figure(metric):
    figures = metric(np.array([0, 1, 1]), np.array([[0.1, np.nan, 0.3], [0.1, 0.2, 0.3]]))
    assert np.isnan(figures[0])
    assert np.isfinite(figures[1])


@pytest.mark.parametrize(("labels", "scores"), [([0, 1], [0.1, 0.2, 0.3]), ([0, 2], [0.1, 0.2])])
def test_what_does_not_fit_is_refused(labels, scores):
    with pytest.raises(ValueError):
        metrics.roc_auc(np.array(labels), np.array(scores))


@pytest.mark.parametrize("metric", [metrics.roc_auc, metrics.average_precision, metrics.f1])
def test_an_unknown_answer_is_refused_and_a_clip_left_out_moves_its_own_tag_alone(metric):
    """torchmetrics 1.9.0 ranks unknown tags last on their clip, and counts them (ranking.py, ignore_index;
    findings/unknown_tags_in_rankings.sh). Figures here rank the clips of a tag, none ranks the tags of a clip."""
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, (20, 50)), rng.random((20, 50))
    with pytest.raises(ValueError, match="0 or 1"):
        metric(np.where(rng.random(labels.shape) < 0.6, -1, labels), scores)
    known = rng.random(50) < 0.4
    alone = metric(labels[3][known], scores[3][known])
    assert alone == pytest.approx(metric(labels[:, known], scores[:, known])[3], abs=1e-12)
    theirs_of = {
        metrics.roc_auc: theirs.roc_auc_score,
        metrics.average_precision: theirs.average_precision_score,
        metrics.f1: lambda y, s: theirs.f1_score(y, s >= 0.5),
    }
    assert alone == pytest.approx(theirs_of[metric](labels[3][known], scores[3][known]), abs=1e-12)


def test_macro_leaves_out_tags_without_a_figure_and_is_blank_without_any():
    assert metrics.macro([0.5, np.nan, 1.0]) == 0.75
    assert np.isnan(metrics.macro([np.nan, np.nan]))


@pytest.mark.parametrize(("positives", "n"), [(1, 5), (3, 8), (8, 8)])
def test_chance_average_precision_is_the_mean_over_random_orders(positives, n):
    rng = np.random.default_rng(1)
    labels = np.repeat([1, 0], [positives, n - positives])
    simulated = metrics.average_precision(labels, rng.random((20000, n))).mean()
    assert metrics.chance_average_precision(positives, n) == pytest.approx(simulated, abs=0.01)


def test_chance_f1_is_that_of_the_tag_on_every_clip():
    labels = np.array([1, 0, 0, 1, 0])
    assert metrics.chance_f1(2, 5) == pytest.approx(theirs.f1_score(labels, np.ones(5)))
    assert np.isnan(metrics.chance_f1(0, 5))
