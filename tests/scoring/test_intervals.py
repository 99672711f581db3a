"""Intervals hold the true value as often as they say, with clips clustered in recordings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from mirdemo.scoring import metrics
from mirdemo.scoring.intervals import (
    LEVEL,
    TRAINED_PAIRED,
    Interval,
    best_interval,
    by_recording,
    difference,
    estimate,
)
from mirdemo.scoring.variances import PairedDifference, contrast

DRAWS = 500


def drawn(with_tag: int, without: int, auc: float, alike: float, n_tags: int, seed: int):
    """Recordings of one to three clips; scores (draws, n_tags, n) whose true ROC-AUC is ``auc``.

    alike: correlation of the scores of a recording's clips
    """
    rng = np.random.default_rng(seed)
    n_recordings = with_tag + without
    recordings = np.repeat(np.arange(n_recordings), rng.integers(1, 4, n_recordings))
    labels = np.stack([(rng.permutation(n_recordings) < with_tag)[recordings] for _ in range(n_tags)]).astype(
        int
    )
    shared = np.sqrt(alike) * rng.normal(size=(DRAWS, n_tags, n_recordings))[..., recordings]
    own = np.sqrt(1 - alike) * rng.normal(size=(DRAWS, n_tags, len(recordings)))
    return labels, recordings, np.sqrt(2) * norm.ppf(auc) * labels + shared + own


def of_auc(labels, recordings, scores):
    value, influence = metrics.roc_auc_influence(labels, scores)
    return estimate(value, influence, labels, recordings, pairs=True)


def coverage(intervals, truth) -> float:
    return 100 * np.mean((intervals.low <= truth) & (truth <= intervals.high))


@pytest.mark.parametrize(("with_tag", "without"), [(10, 30), (20, 20)])
@pytest.mark.parametrize("auc", [0.65, 0.85])
def test_nine_in_ten_intervals_of_a_tag_hold_the_true_roc_auc(with_tag, without, auc):
    table = drawn(with_tag, without, auc, 0.5, 1, seed=0)
    assert 87 <= coverage(of_auc(*table).intervals(), auc) <= 95


@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_they_do_whether_clips_of_a_recording_are_alike_or_not(alike):
    table = drawn(12, 28, 0.75, alike, 1, seed=1)
    # Independent clips say more than one a recording.
    assert 87 <= coverage(of_auc(*table).intervals(), 0.75) <= 97.5


def test_with_five_recordings_of_a_tag_they_are_no_narrower_than_they_say():
    table = drawn(5, 15, 0.9, 0.5, 1, seed=2)
    assert 87 <= coverage(of_auc(*table).intervals(), 0.9) <= 97


def test_they_hold_the_mean_over_tags():
    table = drawn(10, 30, 0.75, 0.5, 6, seed=3)
    assert 87 <= coverage(of_auc(*table).macro().intervals(), 0.75) <= 95


def test_paired_differences_hold_the_true_difference_and_are_narrower_than_unpaired_ones():
    labels, recordings, scores = drawn(12, 28, 0.8, 0.5, 4, seed=4)
    worse = scores + 0.7 * np.random.default_rng(5).normal(size=scores.shape)
    true = 0.8 - norm.cdf(norm.ppf(0.8) / np.sqrt(1 + 0.49))
    first, second = of_auc(labels, recordings, scores), of_auc(labels, recordings, worse)
    for one, other in ((first, second), (first.macro(), second.macro())):
        paired = difference(one, other)
        assert 87 <= coverage(paired, true) <= 95
        apart = np.hypot(
            one.intervals().high - one.intervals().low, other.intervals().high - other.intervals().low
        )
        assert np.median(paired.high - paired.low) < 0.8 * np.median(apart)


@pytest.mark.parametrize(
    "influence_of", [metrics.average_precision_influence, metrics.f1_influence], ids=["mAP", "F1"]
)
def test_average_precision_and_f1_hold_what_a_large_collection_gives(influence_of):
    rng = np.random.default_rng(6)

    def collection(n_recordings):
        recordings = np.repeat(np.arange(n_recordings), rng.integers(1, 4, n_recordings))
        labels = (rng.random(n_recordings) < 0.3)[recordings].astype(int)
        heard = 1.4 * labels + 0.7 * rng.normal(size=n_recordings)[recordings] - 0.5
        return labels, recordings, 1 / (1 + np.exp(-heard - 0.7 * rng.normal(size=len(recordings))))

    labels, _, scores = collection(100_000)
    true, hits = influence_of(labels, scores)[0], []
    for _ in range(DRAWS):
        labels, recordings, scores = collection(40)
        value, influence = influence_of(labels, scores)
        got = estimate(value, influence, labels, recordings, pairs=False).intervals().at()
        hits.append(got.low <= true <= got.high)
    assert 87 <= 100 * np.mean(hits) <= 98


def test_recordings_count_not_clips():
    rng = np.random.default_rng(7)
    labels, scores = np.repeat([1, 0], 20), rng.normal(size=40) + np.repeat([1, 0], 20)
    once = of_auc(labels, np.arange(40), scores)
    copied = of_auc(labels.repeat(5), np.arange(40).repeat(5), scores.repeat(5))
    assert copied.n == once.n == 40
    assert copied.intervals().at().low == pytest.approx(once.intervals().at().low, abs=0.02)


def test_a_perfect_ranking_of_few_is_not_certain():
    few = of_auc(np.repeat([1, 0], 4), np.arange(8), np.arange(8)[::-1].astype(float)).intervals().at()
    many = of_auc(np.repeat([1, 0], 40), np.arange(80), np.arange(80)[::-1].astype(float)).intervals().at()
    assert few.value == few.high == 1
    assert 0.5 < few.low < many.low < 1


@pytest.mark.parametrize("labels", [[1, 0, 0, 0], [1, 1, 1, 0]])
def test_one_recording_on_a_side_has_a_figure_but_no_interval(labels):
    got = of_auc(np.array(labels), np.arange(4), np.array([0.9, 0.1, 0.5, 0.3])).intervals().at()
    assert got.value is not None
    assert got.low is None
    assert got.high is None


def test_no_figure_no_interval():
    got = of_auc(np.zeros(4, int), np.arange(4), np.arange(4.0)).intervals().at()
    assert got == Interval(None, None, None, 4, LEVEL, got.method)


def test_a_higher_level_is_wider_and_both_hold_the_figure():
    labels, recordings, scores = drawn(8, 20, 0.8, 0.5, 1, seed=8)
    table = of_auc(labels, recordings, scores)
    narrow, wide = table.intervals(0.5), table.intervals(0.95)
    assert (wide.low <= narrow.low).all()
    assert (narrow.high <= wide.high).all()
    assert ((narrow.low <= table.value) & (table.value <= narrow.high)).all()
    assert ((wide.low >= 0) & (wide.high <= 1)).all()


def test_by_recording_sums_whatever_the_order():
    np.testing.assert_array_equal(by_recording(np.array([[1, 2, 4, 8]]), ["b", "a", "b", "c"]), [[2, 5, 8]])


def ranked(with_tag: int, without: int, swaps: int = 0, clips: int = 1):
    """ROC-AUC of a ranking with ``swaps`` recordings of the tag at the bottom."""
    labels = np.repeat([1, 0], [with_tag, without])
    scores = labels + np.linspace(0, 0.1, len(labels)) - 2.0 * (np.arange(len(labels)) < swaps)
    of = np.arange(len(labels)).repeat(clips)
    return of_auc(labels.repeat(clips), of, scores.repeat(clips)).trained_again(5, 5).intervals().at()


@pytest.mark.parametrize("trained", [False, True])
def test_a_tag_and_its_complement_have_mirrored_intervals(trained):
    labels, recordings, scores = drawn(6, 18, 0.8, 0.5, 3, seed=9)
    given, other = of_auc(labels, recordings, scores), of_auc(1 - labels, recordings, scores)
    if trained:
        given, other = given.trained_again(5, 5), other.trained_again(5, 5)
    for one, turned in ((given, other), (given.macro(), other.macro())):
        one, turned = one.intervals(), turned.intervals()
        np.testing.assert_allclose(turned.low, 1 - one.high, atol=1e-6)
        np.testing.assert_allclose(turned.high, 1 - one.low, atol=1e-6)


@pytest.mark.parametrize("with_tag", [2, 3, 5, 12])
@pytest.mark.parametrize("clips", [1, 4])
def test_more_recordings_without_the_tag_never_lower_the_end_of_a_perfect_ranking(with_tag, clips):
    lows = [ranked(with_tag, without, clips=clips).low for without in (*range(2, 40), 80, 300)]
    assert (np.diff(lows) >= -1e-9).all()
    assert lows[0] > 0.1
    highs = [ranked(with_tag, without, clips=clips).high for without in (3, 30)]
    assert highs == [1, 1]


def test_training_widens_an_interval_and_less_where_a_tag_is_heard_well_or_draws_are_many():
    labels, recordings, scores = drawn(12, 28, 0.6, 0.5, 1, seed=10)
    widths = {}
    for name, more in (("unsure", 0.0), ("sure", 4.0)):
        fixed = of_auc(labels, recordings, scores + more * labels)
        found = fixed, fixed.trained_again(5, 10), fixed.trained_again(5, 1)
        widths[name] = [np.mean(one.intervals().high - one.intervals().low) for one in found]
    assert widths["unsure"][0] < widths["unsure"][1] < widths["unsure"][2]
    assert widths["sure"][1] / widths["sure"][0] < 0.95 * widths["unsure"][1] / widths["unsure"][0]


@pytest.mark.parametrize("having", [2, 5, 20])
def test_average_precision_is_not_surer_near_nothing(having):
    """Of many tags that few recordings have, ranked by lot, few macro figures may seem better than chance: scores that were
    trained here, and fixed ones."""
    rng = np.random.default_rng(11)
    few = (np.argsort(rng.random((300, 40, 200)), -1) < having).astype(int)
    value, influence = metrics.average_precision_influence(few, rng.random(few.shape))
    fixed = estimate(value, influence, few, np.arange(200), pairs=False)
    for rare in (fixed.trained_again(5, 10), fixed):
        low = rare.macro().intervals().low
        assert np.mean(low > metrics.chance_average_precision(having, 200)) <= 0.05


def test_a_perfect_ranking_of_a_rare_tag_says_more_than_nothing():
    assert ranked(5, 35).low > 0.7
    assert ranked(5, 295).low > 0.7
    assert ranked(3, 9).low > 0.5


def test_the_best_interval_is_that_of_a_perfect_ranking():
    assert best_interval(5, 15, 5).low == pytest.approx(ranked(5, 15).low)
    assert best_interval(5, 15, 0).low > best_interval(5, 15, 5).low > best_interval(5, 15, 1).low


def test_an_estimate_without_a_figure_has_no_interval_beside_others_that_have():
    labels = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    got = of_auc(labels, np.arange(5), np.array([0.9, 0.8, 0.1, 0.2, 0.3])).intervals()
    assert np.isnan(got.low).tolist() == [False, True]


def test_a_contrast_of_one_difference_is_a_paired_t_interval_and_of_two_holds_its_level():
    from scipy import stats

    draw = np.random.default_rng(0)
    gaps = draw.normal(0.2, 0.1, 12)
    influences = (gaps - gaps.mean()) / 12 * np.sqrt(12 / 11)
    alone = contrast([PairedDifference(1.0, gaps.mean(), influences, trained=TRAINED_PAIRED)])
    low, high = stats.t.interval(LEVEL, 11, gaps.mean(), stats.sem(gaps) * np.sqrt(TRAINED_PAIRED))
    np.testing.assert_allclose([alone.low, alone.high], [low, high])
    held = 0
    for _ in range(800):
        parts = []
        for weight, n, true in ((1.0, 8, 0.3), (-1.0, 30, 0.1)):
            seen = draw.normal(true, 0.2, n)
            moved = (seen - seen.mean()) / np.sqrt(n * (n - 1))
            parts.append(PairedDifference(weight, seen.mean(), moved))
        both = contrast(parts)
        assert both.n == 38
        held += both.low <= 0.2 <= both.high
    assert 0.87 < held / 800 < 0.93


def test_a_figure_over_many_decisions_is_as_sure_as_they_make_it():
    rng, found, once = np.random.default_rng(3), [], []
    for _ in range(200):
        truth = (rng.random((16, 120)) < 0.15).astype(int)
        scores = 1 / (1 + np.exp(1.6 * (0.5 - truth) - rng.standard_normal(truth.shape)))
        moved = metrics.micro_f1_influence(truth, scores)
        single = estimate(*moved, np.ones(120), np.arange(120), pairs=False)
        found.append(single.pooled(truth.sum()).intervals().at())
        once.append(np.ptp(single.intervals().at().ends))
    true = np.mean([one.known for one in found])  # of 24,000 recordings
    assert 0.85 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.98
    assert np.mean([np.ptp(one.ends) for one in found]) < 0.75 * np.mean(once)


def test_decisions_that_all_fall_together_are_no_more_than_one():
    right = (np.random.default_rng(0).random(60) < 0.7).astype(float)
    truth, said = np.ones((8, 60), int), np.repeat(right[None], 8, 0)
    found = estimate(*metrics.micro_f1_influence(truth, said), np.ones(60), np.arange(60), pairs=False)
    alone, together = found.intervals().at(), found.pooled(8 * 60).intervals().at()
    assert np.ptp(together.ends) > 0.85 * np.ptp(alone.ends)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_tags_heard_without_an_error_count_as_half_alike(count):
    """Nothing varies that would tell whether they vary alike (1) or independently (1 / count)."""
    labels = np.tile(np.arange(15) < 6, (count, 1)).astype(int)
    tags = estimate(np.ones(count), np.zeros((count, 15)), labels, np.arange(15), pairs=True)
    mean, half = tags.macro(), (1 + 1 / count) / 2
    assert mean.single == pytest.approx(tags.single[0] * half)
    assert mean.among == pytest.approx(tags.among[0] * half)
    assert np.isfinite(mean.intervals().low)


def test_with_one_clip_a_recording_the_degrees_of_freedom_are_welchs_and_the_pairs_newcombes():
    """Two means differ as two sides of a tag do; the variance among pairs is method 5 of Newcombe (2006)."""
    rng = np.random.default_rng(0)
    having, lacking = rng.normal(size=5), 3 * rng.normal(size=12)
    influence = np.concatenate([(having - having.mean()) / 5, -(lacking - lacking.mean()) / 12])
    found = estimate(np.float64(0.7), influence, np.arange(17) < 5, np.arange(17), pairs=True)
    assert found.df == pytest.approx(ttest_ind(having, lacking, equal_var=False).df)
    assert found.single == pytest.approx(1 / 60)
    assert found.among == pytest.approx(((5 + 12) / 2 - 1) / 60)
