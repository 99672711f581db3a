"""Limits of many differences hold at once: against tables of the studentised range, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import studentized_range, t

from mirdemo.scoring.simultaneous import (
    Independent,
    Paired,
    better,
    critical_value,
    gap_limits,
    letters,
    rank_ranges,
    ratio_limits,
)


@pytest.mark.parametrize("k", [2, 3, 6, 12])
def test_with_known_equal_errors_the_critical_value_is_that_of_the_studentised_range(k):
    expected = studentized_range.ppf(0.9, k, np.inf) / np.sqrt(2)
    assert critical_value(np.eye(k)) == pytest.approx(expected, rel=0.02)
    # What all share cancels in their differences.
    assert critical_value(0.2 * np.eye(k) + 0.8) == pytest.approx(expected, rel=0.02)


def test_few_recordings_and_few_pairs_change_it():
    assert critical_value(np.eye(2), df=5) == pytest.approx(2.015, rel=0.06)  # Student's t
    assert critical_value(np.eye(6), df=11) > critical_value(np.eye(6))
    one = np.zeros((6, 6), dtype=bool)
    one[0, 1] = True
    assert critical_value(np.eye(6), among=one) == pytest.approx(1.645, rel=0.04)
    assert critical_value(np.zeros((3, 3))) == 0
    assert critical_value(np.eye(1)) == 0


def _figures(values, half, level=0.9):
    values, half = np.array(values), np.broadcast_to(half, len(values))
    low, high = np.clip(values - half, 0, 1), np.clip(values + half, 0, 1)
    return Independent(values, low, high, np.full(len(values), level))


def test_a_difference_that_is_surely_there_may_be_as_small_as_it_likes():
    assert better(_figures([0.505, 0.5], 0.0001)).tolist() == [[False, True], [False, False]]
    assert not better(_figures([0.505, 0.5], 0.01)).any()


def test_a_perfect_and_a_silent_figure_have_limits():
    figures = _figures([1.0, 0.8, 0.0], [0.1, 0.05, 0.02])
    low, high = gap_limits(figures)
    assert 0.5 < low < 1.0 == high
    low, high = ratio_limits(figures)
    assert 0 <= low < high < 0.2


def test_an_intervals_level_counts():
    wide, narrow = (gap_limits(_figures([0.9, 0.8, 0.7], 0.05, level)) for level in (0.5, 0.99))
    assert wide[0] < narrow[0]
    assert narrow[1] < wide[1]


@pytest.mark.parametrize("n", [12, 100])
@pytest.mark.parametrize("k", [2, 8])
def test_equal_models_on_the_same_recordings_are_seldom_parted(k, n):
    rng, parted = np.random.default_rng(k * n), []
    for _ in range(80):
        errors = 0.9 * rng.normal(size=n) + 0.45 * rng.normal(size=(k, n))
        values, influences = 0.8 + errors.mean(1) / 10, (errors - errors.mean(1, keepdims=True)) / n / 10
        parted.append(better(Paired(values, influences)).any())
    assert np.mean(parted) < 0.2  # 80 draws of what should be 0.1


def test_ranges_and_letters_of_a_chain():
    surely = np.zeros((4, 4), dtype=bool)
    surely[0, 2] = surely[0, 3] = surely[1, 3] = True  # 0 > 2, 3 and 1 > 3
    assert rank_ranges(surely) == [(1, 2), (1, 3), (2, 4), (3, 4)]
    found = letters(surely, np.array([0.9, 0.8, 0.7, 0.6]))
    assert found == ["a", "ab", "bc", "c"]
    for i in range(4):
        for j in range(4):
            assert bool(set(found[i]) & set(found[j])) == (not (surely[i, j] or surely[j, i]))


def test_letters_tell_apart_exactly_what_is_apart():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.random(7)
        surely = values[:, None] - values[None] > rng.uniform(0.05, 0.5)
        found = letters(surely, values)
        apart = surely | surely.T
        for i in range(7):
            for j in range(7):
                assert bool(set(found[i]) & set(found[j])) == (not apart[i, j])


@pytest.mark.parametrize("n", [3, 4, 6, 20])
def test_two_figures_of_the_same_recordings_differ_as_in_a_paired_t_test(n):
    one, two = np.random.default_rng(n).normal(size=(2, n))
    influences = np.stack([one - one.mean(), two - two.mean()]) / n
    paired = Paired(np.array([0.6, 0.5]), influences)
    assert paired.errors[0, 1] == pytest.approx((one - two).std(ddof=1) / np.sqrt(n))
    assert paired.critical == pytest.approx(t.ppf(0.95, n - 1), rel=0.05)
    low, high = paired.differences(2.0)
    assert (low[0, 1], high[0, 1]) == pytest.approx(
        (0.1 - 2 * paired.errors[0, 1], 0.1 + 2 * paired.errors[0, 1])
    )
