"""Krippendorff's alpha: known values, where it says nothing, and how wide its intervals are."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring.agreement import METHOD_PAIRED, Units, alpha, difference

NAN = np.nan
#: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", the binary example: alpha = 0.095.
KNOWN = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)


def units(given, groups=None) -> Units:
    given = np.asarray(given, float)
    return Units(given, np.arange(given.shape[1]) if groups is None else np.asarray(groups))


def test_the_published_example():
    assert alpha(units(KNOWN)).value == pytest.approx(0.095, abs=0.0005)


def test_single_judgements_change_nothing():
    alone = np.array([[1, 1, NAN, 0], [NAN, NAN, NAN, NAN]])
    more = np.concatenate([KNOWN, alone], 1)
    assert alpha(units(more)).value == pytest.approx(alpha(units(KNOWN)).value)


@pytest.mark.parametrize(
    "given", [np.ones((3, 5)), [[1, 0, NAN], [NAN, NAN, 1]], [[1, 1, 0], [1, 1, NAN]], np.zeros((1, 4))]
)
def test_where_it_says_nothing_there_is_no_figure(given):
    assert alpha(units(given)) is None


def test_its_parts_are_those_of_the_library():
    """1 minus observed over expected disagreement, of which the interval is made, is the library's value."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        given = rng.integers(0, 2, (4, 30)).astype(float)
        given[rng.random(given.shape) < 0.3] = NAN
        found = units(given)
        apart, counts, _ = found.disagreement()
        judged = given[:, (~np.isnan(given)).sum(0) > 1]
        right, n = np.nansum(judged), (~np.isnan(judged)).sum()
        expected = 2 * right * (n - right) / (n * (n - 1))
        assert alpha(found).value == pytest.approx(1 - apart.sum() / counts.sum() / expected)


def test_agreement_without_a_fault_is_not_certain_and_more_recordings_narrow_it():
    def perfect(n: int):
        row = (np.arange(n) % 2).astype(float)
        return alpha(units([row, row]))

    few, many = perfect(8), perfect(80)
    assert few.value == many.value == few.high == 1
    assert few.low < many.low < 1


def test_questions_of_one_recording_do_not_pretend_to_be_several():
    rng = np.random.default_rng(1)
    right = rng.integers(0, 2, 48)
    agrees = np.repeat(rng.random(8) < 0.6, 6)
    given = np.stack([right, np.where(agrees, right, 1 - right)]).astype(float)
    together, alone = alpha(units(given, np.repeat(np.arange(8), 6))), alpha(units(given))
    assert together.value == alone.value
    assert together.high - together.low > 1.3 * (alone.high - alone.low)
    assert together.n == 8


def test_one_recording_gives_no_interval():
    found = alpha(units(KNOWN, ["r"] * 10))
    assert (found.low, found.high, found.n) == (None, None, 1)


def test_a_difference_is_paired_and_never_certain():
    rng = np.random.default_rng(2)
    right = rng.integers(0, 2, 60).astype(float)
    wrong = np.where(rng.random((2, 60)) < 0.3, 1 - right, right)
    groups = np.repeat(np.arange(15), 4)
    good = Units(np.stack([right, right]), groups)
    gap = difference(Units(wrong, groups), good)
    assert gap.high < 0
    assert gap.value == pytest.approx(alpha(Units(wrong, groups)).value - 1)
    none = difference(good, good)
    assert none.value == 0
    assert none.low < 0 < none.high
    assert difference(good, units(np.ones((2, 60)), groups)) is None
    alone = difference(Units(wrong, np.zeros(60)), Units(good.given, np.zeros(60)))
    assert (alone.low, alone.high, alone.n, alone.method) == (None, None, 1, METHOD_PAIRED)


def test_a_pair_of_coders_is_a_unit():
    one, others = np.array([1, 0, NAN]), np.array([[1, 1, 1], [NAN, 0, 0]])
    found = Units.paired_with(one, others, np.array(["a", "b", "c"]))
    assert found.given.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert found.groups.tolist() == ["a", "b", "b"]
