"""The verdict follows its rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mirdemo
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.labelling import Labelling
from mirdemo.stages.finetuning import (
    CANNOT_TELL,
    NOT_WORTH_IT,
    RULE,
    SMALLEST_GAIN,
    WORTH_IT,
    FineTuneError,
    FineTuneSettings,
    PublishedSettings,
    gains,
    in_words,
    verdict,
)
from mirdemo.stages.finetuning.settings import KEEPING, PRECISIONS


def gain(low, value, high, n=20) -> Interval:
    return Interval(value, low, high, n)


SURE, NO, OPEN, NOTHING = (
    gain(0.03, 0.08, 0.13),
    gain(-0.2, 0.0, 0.019),
    gain(-0.05, 0.0, 0.05),
    gain(None, 0.4, None),
)


@pytest.mark.parametrize(
    ("added", "against", "expected"),
    [
        (SURE, SURE, WORTH_IT),
        (gain(0.001, 0.02, 0.04), SURE, WORTH_IT),  # that it adds is sure, that it is enough the probe says
        (OPEN, SURE, CANNOT_TELL),
        (SURE, OPEN, CANNOT_TELL),
        (SURE, gain(0.01, 0.08, 0.15), CANNOT_TELL),
        (NO, SURE, NOT_WORTH_IT),  # the untrained last layer does it too
        (SURE, NO, NOT_WORTH_IT),  # another layer, or whitening, does it too
        (OPEN, gain(-0.3, -0.2, -0.1), NOT_WORTH_IT),
        (OPEN, OPEN, CANNOT_TELL),
        (NOTHING, SURE, CANNOT_TELL),
        (SURE, NOTHING, CANNOT_TELL),
        (gain(None, None, None), gain(None, None, None), CANNOT_TELL),
        (SURE, gain(SMALLEST_GAIN, 0.05, 0.1), CANNOT_TELL),  # the bound itself is in doubt
    ],
)
def test_the_rule(added, against, expected) -> None:
    assert verdict(added, against) == expected


intervals = st.builds(
    lambda value, below, above: gain(value - below, value, value + above),
    st.floats(-1, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)


@given(intervals, intervals, st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_higher_bar_never_makes_it_worth_more(added, against, bar, more) -> None:
    order = {NOT_WORTH_IT: 0, CANNOT_TELL: 1, WORTH_IT: 2}
    assert order[verdict(added, against, bar + more)] <= order[verdict(added, against, bar)]


@given(intervals, intervals, st.floats(0, 1), st.floats(0, 1))
def test_wider_intervals_never_decide_what_narrower_ones_left_open(added, against, one, other) -> None:
    def wider(interval, by):
        return gain(interval.low - by, interval.value, interval.high + by)

    if verdict(added, against) == CANNOT_TELL:
        assert verdict(wider(added, one), wider(against, other)) == CANNOT_TELL


def test_the_rule_names_the_bound() -> None:
    assert str(SMALLEST_GAIN) in str(RULE)


@pytest.mark.parametrize("one", [gain(0.03, 0.08, 0.13), gain(-0.3, -0.2, -0.1), gain(-0.1, 0.0, 0.1)])
def test_the_sentence_gives_the_numbers_of_both(one) -> None:
    added = gain(one.low + 0.01, one.value + 0.01, one.high + 0.01)
    words = str(in_words(verdict(added, one), added, one))
    assert "20 recordings" in words
    for interval in (added, one):
        for number in (interval.value, interval.low, interval.high):
            assert f"{abs(number):.2f}" in words
    assert ("\N{MINUS SIGN}" in words) == (one.low < 0)
    assert "-" not in words.replace("Fine-tuning", "").replace("fine-tuning", "").replace("ROC-AUC", "")


def test_without_an_interval_the_sentence_says_too_few() -> None:
    nothing = gain(None, 0.4, None, n=3)
    assert str(in_words(verdict(SURE, nothing), SURE, nothing)) == "Cannot tell: 3 recordings are too few."


def scores(labels, sharp, seed):
    return 1 / (1 + np.exp(-(sharp * (labels - 0.5) + np.random.default_rng(seed).normal(size=labels.shape))))


@pytest.mark.parametrize(
    ("tuned", "untrained", "probed", "expected"),
    [
        (4.0, 0.3, 0.3, WORTH_IT),
        (0.3, 4.0, 4.0, NOT_WORTH_IT),
        (6.0, 6.0, 6.0, NOT_WORTH_IT),
        (4.0, 4.0, 0.3, NOT_WORTH_IT),
        (4.0, 0.3, 4.0, NOT_WORTH_IT),
    ],
)
def test_many_recordings_decide_either_way(tuned, untrained, probed, expected) -> None:
    recordings = np.arange(600)
    labels = (np.random.default_rng(0).random((600, 2)) < 0.4).astype(np.uint8)
    sides = [
        gains.estimates(scores(labels, s, i), labels, recordings, 5)
        for i, s in enumerate((tuned, untrained, probed))
    ]
    whole, each = gains.gains(*sides, Labelling.of(labels, recordings, ("a", "b")), 0.9, SMALLEST_GAIN)
    assert {whole.verdict, *(one.verdict for one in each)} == {expected}
    assert whole.gain.roc_auc.value == pytest.approx(np.mean([one.gain.roc_auc.value for one in each]))
    for one in (whole, *each):
        tuned_auc = one.figures.roc_auc.value
        assert one.added.roc_auc.value == pytest.approx(tuned_auc - one.untrained.roc_auc.value)
        assert one.gain.roc_auc.value == pytest.approx(tuned_auc - one.probed.roc_auc.value)


def test_few_recordings_decide_nothing() -> None:
    recordings = np.arange(6)
    labels = np.array([[1], [0], [1], [0], [1], [0]], np.uint8)
    sides = [gains.estimates(scores(labels, s, 1), labels, recordings, 5) for s in (1.0, 0.5, 0.5)]
    whole, _ = gains.gains(*sides, Labelling.of(labels, recordings, ("a",)), 0.9, SMALLEST_GAIN)
    assert whole.verdict == CANNOT_TELL


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"patience": 0},
        {"head_rate": 0.0},
        {"clip_norm": 0.0},
        {"penalty": 0.0},
        {"weight_decay": -1e-9},
        {"warm_up": -0.1},
        {"time_mask": -0.1},
        {"held_out": 1.0},
        {"memory_bytes": -1},
        {"seed": -1},
        {"batch": 0},
        {"tail_rate": 0.0},
        {"warm_up": 1.0},
        {"time_mask": 1.0},
        {"held_out": 0.0},
        {"largest_weight": 0.5},
        {"mixup": -1.0},
        {"n_folds": 1},
        {"precision": "int8"},
        {"keeping": "somewhere"},
        {"tail_rate": float("nan")},
    ],
)
def test_settings_that_make_no_training_are_refused(wrong) -> None:
    with pytest.raises(FineTuneError) as error:
        FineTuneSettings(**wrong)
    assert error.value.sentence.code == "finetuning.settings"


@pytest.mark.parametrize(
    "least",
    [
        {"epochs": 1, "patience": 1, "batch": 1},
        {"weight_decay": 0.0, "mixup": 0.0, "memory_bytes": 0, "warm_up": 0.0, "time_mask": 0.0, "seed": 0},
        {"largest_weight": 1.0, "n_folds": 2},
        *({"precision": precision} for precision in PRECISIONS),
        *({"keeping": keeping} for keeping in KEEPING),
    ],
)
def test_the_least_that_makes_a_training_is_enough(least) -> None:
    assert FineTuneSettings(**least)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0},
        {"tail_rate": 0.0},
        {"head_rate": 0.0},
        {"clip_norm": 0.0},
        {"seed": -1},
        {"layers": "first"},
        {"precision": "int8"},
        {"keeping": "somewhere"},
    ],
)
def test_of_the_published_training_too(wrong) -> None:
    PublishedSettings(batch=1, layers="last", precision="published")
    for precision in PRECISIONS:
        PublishedSettings(precision=precision)
    with pytest.raises(FineTuneError) as error:
        PublishedSettings(**wrong)
    assert error.value.sentence.code == "finetuning.settings"


def test_every_sentence_has_its_japanese() -> None:
    import ast
    import string

    def fields(template):
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    package = Path(mirdemo.__file__).parent
    texts = json.loads((package / "words/text/say.finetuning.ja.json").read_text(encoding="utf-8"))
    found = {}
    for path in (package / "stages" / "finetuning").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            code = next((k.value.value for k in node.keywords if k.arg == "code"), None)
            if code is None and getattr(node.func, "id", "") == Sentence.__name__:
                code = node.args[1].value
            if code is not None:
                found[code] = node.args[0].value
    assert set(found) == set(texts)
    for code, template in found.items():
        assert fields(texts[code]) <= fields(template), code
