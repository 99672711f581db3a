"""Ranks are sets that hold at once, and pair what was measured on the same recordings."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.results.ranking import Rank, paired_error, ranks
from mirdemo.results.records import Result


def figure(model: str, value: float, half: float | None = 0.03, influences=None, **changes) -> Result:
    interval = {} if half is None else {"low": value - half, "high": value + half, "level": 0.9}
    base = {
        "model": model,
        "corpus": "lyra",
        "method": "probe",
        "protocol": "live",
        "metric": "roc_auc",
        "source": "measured",
        "versions": {"mirdemo": "0"},
        "split": "test",
        "corpus_revision": "split-1",
    }
    return Result(**{**base, **interval, "value": value, "influences": influences, **changes})


def test_models_that_cannot_be_told_apart_share_a_letter_and_their_ranks():
    close = [figure("a", 0.80), figure("b", 0.79), figure("c", 0.6)]
    assert ranks(close) == {
        "a": Rank(1, 2, 3, "a", paired=False),
        "b": Rank(1, 2, 3, "a", paired=False),
        "c": Rank(3, 3, 3, "b", paired=False),
    }


def test_being_told_apart_need_not_be_handed_on():
    chain = ranks([figure("a", 0.84), figure("b", 0.80), figure("c", 0.76)])
    assert [chain[m].letters for m in "abc"] == ["a", "ab", "b"]
    assert [(chain[m].first, chain[m].last) for m in "abc"] == [(1, 2), (1, 3), (2, 3)]


def test_one_figure_without_an_interval_leaves_none_a_rank():
    assert ranks([figure("a", 0.8), figure("b", 0.6, half=None)]) == {"a": None, "b": None}


@pytest.mark.parametrize("changes", [{"protocol": "other"}, {"corpus": "fma"}, {"model": "a"}])
def test_only_one_figure_a_model_of_one_comparison_on_one_corpus_is_ranked(changes):
    with pytest.raises(ValueError, match=r"ranked|more than one"):
        ranks([figure("a", 0.8), figure(**{"model": "b", "value": 0.7, **changes})])


def _same_recordings(n: int = 60) -> list[Result]:
    """Two models 0.05 apart with wide intervals and nearly the same influences."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.005, n)
    each = [(shared + rng.normal(0, 0.0015, n)).tolist() for _ in range(2)]
    return [figure("a", 0.85, 0.064, tuple(each[0])), figure("b", 0.80, 0.064, tuple(each[1]))]


def test_the_same_recordings_tell_apart_what_two_intervals_cannot():
    first, second = _same_recordings()
    found = ranks([first, second])
    assert found["a"] == Rank(1, 1, 2, "a", paired=True)
    assert found["b"] == Rank(2, 2, 2, "b", paired=True)
    assert 0.01 < paired_error(first, second) < 0.03


@pytest.mark.parametrize(
    "changes", [{"corpus_revision": "split-2"}, {"split": "valid"}, {"influences": None}]
)
def test_other_recordings_are_not_paired(changes):
    first, second = _same_recordings()
    other = Result(**{**second.__dict__, **changes})
    assert paired_error(first, other) is None
    if "split" not in changes:
        assert not ranks([first, other])["a"].paired
