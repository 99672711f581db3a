"""Shares and medians of answers that belong together."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring.shares import median, share


def test_a_share_is_hits_over_counts():
    found = share([1, 0, 2], [1, 1, 2], ["a", "b", "c"])
    assert found.value == pytest.approx(0.75)
    assert 0 < found.low < 0.75 < found.high < 1
    assert found.n == 3


def test_nothing_counted_is_no_figure_and_one_group_no_interval():
    assert share([], [], []).value is None
    assert share([0.0], [0.0], ["a"]).value is None
    alone = share([1, 0], [1, 1], ["a", "a"])
    assert (alone.value, alone.low, alone.high) == (0.5, None, None)


def test_all_right_is_not_certain():
    few, many = (share(np.ones(n), np.ones(n), np.arange(n)) for n in (4, 40))
    assert few.high == many.high == 1
    assert few.low < many.low < 1


@pytest.mark.parametrize("within", [1, 4])
def test_nine_of_ten_intervals_hold_the_share(within: int):
    """Clips of a recording are alike: each recording has a share of its own around 0.7."""
    rng, held = np.random.default_rng(within), 0
    for _ in range(300):
        own = rng.beta(0.7 * 6, 0.3 * 6, 16)
        hits = rng.random((16, within)) < own[:, None]
        found = share(hits.ravel(), np.ones(hits.size), np.repeat(np.arange(16), within))
        held += found.low <= 0.7 <= found.high
    assert 0.84 < held / 300 < 0.97


def test_clips_that_say_the_same_count_as_one():
    hits = np.array([1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0])
    once = share(hits, np.ones(12), np.arange(12))
    together = share(np.repeat(hits, 10), np.ones(120), np.repeat(np.arange(12), 10))
    apart = share(np.repeat(hits, 10), np.ones(120), np.arange(120))
    assert together.high - together.low == pytest.approx(once.high - once.low, rel=0.25)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_a_median_lies_in_its_interval_and_groups_widen_it():
    rng = np.random.default_rng(0)
    own = rng.exponential(5, 6)
    values, groups = (own[:, None] + rng.random((6, 20))).ravel(), np.repeat(np.arange(6), 20)
    together = median(values, groups, unit="listeners")
    alone = median(values, np.arange(120), unit="answers")
    assert together.value == alone.value == np.median(values)
    assert together.low <= together.value <= together.high
    assert together.high - together.low > alone.high - alone.low
    assert (together.n, together.unit) == (6, "listeners")


def test_medians_cover():
    rng, held = np.random.default_rng(3), 0
    for _ in range(300):
        found = median(rng.exponential(1.0, 30), np.arange(30), unit="clips")
        held += found.low <= np.log(2) <= found.high
    assert 0.84 < held / 300 < 0.97


def test_no_values_and_one_group():
    assert median([], [], unit="clips").value is None
    assert median([3.0, 4.0], [0, 0], unit="clips").low is None
