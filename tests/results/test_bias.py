"""Disparity is computed as documented, and never from what may not be compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirdemo.corpora.facts import CORPORA
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.records import Result

SIX = tuple(CORPORA)


def figure(corpus: str, value: float, half: float | None = None, model: str = "m", **changes) -> Result:
    interval = (
        {} if half is None else {"low": max(0, value - half), "high": min(1, value + half), "level": 0.9}
    )
    base = {
        "model": model,
        "corpus": corpus,
        "method": "probe",
        "protocol": "live",
        "metric": "roc_auc",
        "source": "measured",
        "versions": {"mirdemo": "0"},
    }
    return Result(**{**base, **interval, "value": value, **changes})


def row(values, half=None, model="m", corpora=SIX):
    return [figure(c, v, half, model) for c, v in zip(corpora, values, strict=True)]


def test_gap_ratio_worst_and_western_difference_by_hand():
    found = bias.disparity(row([0.9, 0.8, 0.7, 0.6, 0.6, 0.5]), "m")
    assert (found.best, found.worst, found.missing) == ("magnatagatune", "carnatic", ())
    assert found.gap.value == pytest.approx(0.4)
    assert found.ratio.value == pytest.approx(0.5 / 0.9)
    assert found.western_minus_other.value == pytest.approx(0.85 - 0.6)
    assert found.traditions["western"].value == pytest.approx(0.85)
    assert not found.gap.has_interval
    assert found.excess is None


def test_a_mean_is_never_taken_over_partial_coverage():
    found = bias.disparity(row([0.9, 0.8, 0.7], corpora=("magnatagatune", "lyra", "makam")), "m")
    assert found.missing == ("fma", "hindustani", "carnatic")
    assert found.western_minus_other is None
    assert found.traditions["western"] is None
    assert found.traditions["greek"].value == 0.8


def test_one_corpus_gives_no_disparity():
    assert bias.disparity([figure("lyra", 0.8)], "m") is None


@pytest.mark.parametrize(
    "other",
    [
        figure("makam", 0.7, protocol="papaioannou2025"),
        figure("makam", 0.7, metric="map"),
        figure("makam", 0.7, setting={"k_shot": 3}),
        figure("makam", 0.7, method="finetune"),
    ],
)
def test_two_protocols_are_never_put_together(other):
    with pytest.raises(ValueError, match="cannot be ranked together"):
        bias.disparity([figure("lyra", 0.8), other], "m")
    with pytest.raises(ValueError, match="one comparison"):
        bias.rank_classes([figure("makam", 0.8, model="a"), other])


def test_how_many_blocks_were_trained_belongs_to_the_model_not_to_the_rules():
    one, two = (
        figure("lyra", 0.8, method="finetune", setting={"blocks": blocks, "seeds": 1}) for blocks in (1, 2)
    )
    assert bias.Comparison.of(one) == bias.Comparison.of(two)


def test_two_figures_for_one_corpus_are_refused():
    with pytest.raises(ValueError, match="more than one"):
        bias.disparity([figure("lyra", 0.8, seed=1), figure("lyra", 0.7, seed=2), figure("fma", 0.8)], "m")


@given(st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6), st.floats(0.001, 0.04))
def test_intervals_hold_their_value_and_one_blank_interval_blanks_them_all(values, half):
    records = row(values, half)
    found = bias.disparity(records, "m")
    for derived in (found.gap, found.ratio, found.western_minus_other):
        assert derived.low <= derived.value <= derived.high
    records[3] = figure(SIX[3], values[3])
    assert not bias.disparity(records, "m").gap.has_interval


def test_noise_alone_explains_the_gap_of_equal_corpora():
    rng = np.random.default_rng(0)
    equal = bias.disparity(row(0.8 + rng.normal(0, 0.03, 6), 0.03 * 1.645), "m")
    unequal = bias.disparity(row([0.95, 0.9, 0.8, 0.7, 0.65, 0.6], 0.01), "m")
    assert equal.gap.value < 2 * equal.excess
    assert unequal.gap.value > 5 * unequal.excess


def test_a_corpus_hard_for_everyone_is_not_bias_after_normalisation():
    own = row([0.9, 0.9, 0.9, 0.9, 0.6, 0.7], model="b")
    best = bias.best_known([*row([0.9, 0.9, 0.9, 0.9, 0.9, 0.7]), *own], "roc_auc")
    found = bias.disparity(own, "b", best=best)
    assert found.normalised["carnatic"] == pytest.approx(1)
    assert found.normalised["hindustani"] == pytest.approx(0.25)
    assert bias.normalise(figure("lyra", 0.8, metric="map"), 0.9) is None


def test_models_that_cannot_be_told_apart_share_a_class():
    close = [figure("lyra", 0.80, 0.03, "a"), figure("lyra", 0.79, 0.03, "b"), figure("lyra", 0.6, 0.03, "c")]
    assert bias.rank_classes(close) == {"a": 1, "b": 1, "c": 2}
    assert bias.rank_classes([*close, figure("lyra", 0.7, model="d")]) == dict.fromkeys("abdc")


def test_published_figures_part_into_comparisons_of_one_protocol_each():
    for comparison, records in bias.comparisons(results.published()).items():
        assert {r.protocol for r in records} == {comparison.protocol}
        assert {r.citation for r in records} == {records[0].citation}


def test_adapting_mert_to_the_corpora_halves_its_western_advantage_in_the_published_figures():
    records = results.published().where(metric="roc_auc", protocol="culturemert2025")
    gain = {m: bias.disparity(records, m).western_minus_other.value for m in {r.model for r in records}}
    assert gain["MERT-v1-95M"] == pytest.approx(0.086, abs=5e-4)
    assert gain["CultureMERT-95M"] < gain["MERT-v1-95M"] / 2


def per_tag(corpus, support, f1):
    return figure(corpus, f1, metric="f1", tag=f"t{support}", setting={"support": support})


def test_a_trend_is_found_where_there_is_one():
    rng = np.random.default_rng(1)
    support = rng.integers(5, 500, 40)
    f1 = np.clip(0.4 + 0.3 * np.log10(support / 50) + rng.normal(0, 0.03, 40), 0, 1)
    (found,) = bias.trends([per_tag("makam", int(s), float(v)) for s, v in zip(support, f1, strict=True)])
    assert found.tradition == "makam"
    assert found.n_tags == 40
    assert found.slope.low < 0.3 < found.slope.high
    assert found.explained.low > 0.8
    assert found.at(np.array([50.0]))[0] == pytest.approx(0.4, abs=0.05)
    along, low, high = map(np.array, zip(*found.band, strict=True))
    assert (along[0], along[-1]) == pytest.approx(found.support_range)
    assert np.all((low <= found.at(along)) & (found.at(along) <= high))
    assert np.all((low >= 0) & (high <= 1))
    truth = np.clip(0.4 + 0.3 * np.log10(along / 50), 0, 1)
    assert np.mean((low <= truth) & (truth <= high)) > 0.8
    # Narrowest where the tags are, wider towards both ends, as of any fitted line.
    inner = np.argmin(np.abs(np.log10(along) - found.centre[0]))
    assert (high - low)[inner] < min((high - low)[-1], (high - low)[np.argmax(low > 0)])


def test_a_trend_that_is_not_there_explains_nothing():
    rng = np.random.default_rng(2)
    records = [
        per_tag("makam", int(s), float(v))
        for s, v in zip(rng.integers(5, 500, 60), rng.random(60), strict=True)
    ]
    (found,) = bias.trends(records)
    assert found.slope.low < 0 < found.slope.high
    assert found.explained.value < 0.15


def test_too_few_tags_give_no_trend():
    assert bias.trends([per_tag("makam", s, 0.5) for s in range(1, 8)]) == []
    assert bias.trends([per_tag("makam", 10, 0.5) for _ in range(20)]) == []
