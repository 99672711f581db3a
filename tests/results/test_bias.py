"""Disparity is computed as documented, and never from what may not be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import figure_of

from mirdemo.corpora.frames import STUDY
from mirdemo.results import bias, ranking
from mirdemo.results import records as results
from mirdemo.results.records import Result

SIX = tuple(STUDY.traditions)


def figure(corpus: str, value: float, half: float | None = None, model: str = "m", **changes) -> Result:
    interval = (
        {} if half is None else {"low": max(0, value - half), "high": min(1, value + half), "level": 0.9}
    )
    return figure_of(**{"model": model, "corpus": corpus, **interval, "value": value, **changes})


def row(values, half=None, model="m", corpora=SIX):
    return [figure(c, v, half, model) for c, v in zip(corpora, values, strict=True)]


def test_gap_ratio_worst_and_western_difference_by_hand():
    found = bias.disparity(row([0.9, 0.8, 0.7, 0.6, 0.6, 0.5]), "m", STUDY)
    assert (found.best, found.worst, found.missing) == ("magnatagatune", "carnatic", ())
    assert found.gap.value == pytest.approx(0.4)
    assert found.ratio.value == pytest.approx(0.5 / 0.9)
    assert found.western_minus_other.value == pytest.approx(0.85 - 0.6)
    assert found.traditions["western"].value == pytest.approx(0.85)
    assert not found.gap.has_interval
    assert found.excess is None


def test_a_mean_is_never_taken_over_partial_coverage():
    found = bias.disparity(row([0.9, 0.8, 0.7], corpora=("magnatagatune", "lyra", "makam")), "m", STUDY)
    assert found.missing == ("fma", "hindustani", "carnatic")
    assert found.western_minus_other is None
    assert found.traditions["western"] is None
    assert found.traditions["greek"].value == 0.8


def test_one_corpus_gives_no_disparity():
    assert bias.disparity([figure("lyra", 0.8)], "m", STUDY) is None


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
        bias.disparity([figure("lyra", 0.8), other], "m", STUDY)
    with pytest.raises(ValueError, match="one comparison"):
        ranking.ranks([figure("makam", 0.8, model="a"), other])


def test_how_many_blocks_were_trained_belongs_to_the_model_not_to_the_rules():
    one, two = (
        figure("lyra", 0.8, method="finetune", setting={"blocks": blocks, "seeds": 1}) for blocks in (1, 2)
    )
    assert bias.Comparison.of(one) == bias.Comparison.of(two)


@pytest.mark.parametrize(
    "part",
    [{"limit": 30}, {"left_out": 1}, {"max_seconds": 30.0}, {"max_seconds": "whole"}, {"split_files": "own"}],
)
def test_a_figure_of_part_of_a_corpus_is_not_the_best_known_and_has_no_disparity(part):
    whole = row([0.9, 0.8, 0.7, 0.6, 0.6, 0.5])
    of_part = [replace(r, value=0.99, setting={**r.setting, **part}) for r in whole]
    assert of_part[0].partial == part
    assert not any(r.partial for r in whole)
    assert bias.best_known([*whole, *of_part], "roc_auc") == bias.best_known(whole, "roc_auc")
    assert bias.disparity(of_part, "m", STUDY) is None


def test_two_figures_for_one_corpus_are_refused():
    with pytest.raises(ValueError, match="more than one"):
        bias.disparity(
            [figure("lyra", 0.8, seed=1), figure("lyra", 0.7, seed=2), figure("fma", 0.8)], "m", STUDY
        )


@given(st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6), st.floats(0.001, 0.04))
def test_intervals_hold_their_value_and_one_blank_interval_blanks_them_all(values, half):
    records = row(values, half)
    found = bias.disparity(records, "m", STUDY)
    assert found.gap.low >= 0
    assert found.ratio.high <= 1
    for derived in (found.gap, found.ratio, found.western_minus_other):
        assert derived.low <= derived.value <= derived.high
    records[3] = figure(SIX[3], values[3])
    assert not bias.disparity(records, "m", STUDY).gap.has_interval


def test_noise_alone_explains_the_gap_of_equal_corpora():
    rng = np.random.default_rng(0)
    equal = bias.disparity(row(0.8 + rng.normal(0, 0.03, 6), 0.03 * 1.645), "m", STUDY)
    unequal = bias.disparity(row([0.95, 0.9, 0.8, 0.7, 0.65, 0.6], 0.01), "m", STUDY)
    assert equal.gap.value < 2 * equal.excess
    assert unequal.gap.value > 5 * unequal.excess


def test_a_corpus_hard_for_everyone_is_not_bias_after_normalisation():
    own = row([0.9, 0.9, 0.9, 0.9, 0.6, 0.7], model="b")
    best = bias.best_known([*row([0.9, 0.9, 0.9, 0.9, 0.9, 0.7]), *own], "roc_auc")
    found = bias.disparity(own, "b", STUDY, best=best)
    assert found.normalised["carnatic"] == pytest.approx(1)
    assert found.normalised["hindustani"] == pytest.approx(0.25)
    assert bias.normalise(figure("lyra", 0.8, metric="map"), 0.9) is None


def test_published_figures_part_into_comparisons_of_one_protocol_each():
    for comparison, records in bias.comparisons(results.published()).items():
        assert {r.protocol for r in records} == {comparison.protocol}
        assert {r.citation for r in records} == {records[0].citation}


def test_adapting_mert_to_the_corpora_halves_its_western_advantage_in_the_published_figures():
    records = results.published().where(metric="roc_auc", protocol="culturemert2025")
    gain = {
        m: bias.disparity(records, m, STUDY).western_minus_other.value for m in {r.model for r in records}
    }
    assert gain["MERT-v1-95M"] == pytest.approx(0.086, abs=5e-4)
    assert gain["CultureMERT-95M"] < gain["MERT-v1-95M"] / 2


def test_equal_corpora_may_have_no_gap_and_unequal_ones_have_one():
    rng, held = np.random.default_rng(3), []
    for _ in range(60):
        halves = rng.permutation([0.02, 0.03, 0.05, 0.08, 0.1, 0.12])
        drawn = [
            figure(c, float(np.clip(0.75 + rng.normal(0, h / 1.645), 0.2, 0.98)), float(h))
            for c, h in zip(SIX, halves, strict=True)
        ]
        found = bias.disparity(drawn, "m", STUDY)
        held.append((found.gap.low == 0, found.ratio.high == 1))
    assert np.mean(held, axis=0).min() >= 0.8  # 60 draws of what should be 0.9
    apart = bias.disparity(row([0.9, 0.8, 0.7, 0.65, 0.6, 0.55], 0.03), "m", STUDY)
    assert 0.2 < apart.gap.low < 0.35 < apart.gap.high < 0.45
    assert 0.5 < apart.ratio.low < 0.55 / 0.9 < apart.ratio.high < 0.8


def test_a_corpus_outside_the_frame_changes_nothing():
    six = row([0.9, 0.8, 0.7, 0.6, 0.6, 0.5], 0.02)
    assert bias.disparity([*six, figure("kdc", 0.1, 0.02)], "m", STUDY) == bias.disparity(six, "m", STUDY)
