"""The layer is chosen by the support set alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mirdemo.stages.fewshot import FewShotError, LCPrototypes, choose_layer, leave_one_recording_out


def layers_of(festival, noises):
    support = festival[0]
    rng = np.random.default_rng(0)
    return {name: support + noise * rng.normal(size=support.shape) for name, noise in noises.items()}


def test_the_layer_that_tags_held_out_recordings_best_is_chosen(festival):
    _, labels, recordings, tags = festival
    layers = layers_of(festival, {"low": 6.0, "middle": 0.0, "high": 3.0})
    choice = choose_layer(layers, labels, recordings, tags=tags)
    assert choice.best == "middle"
    assert choice.clear
    assert choice.ahead.low > 0
    assert [c.name for c in choice.candidates] == ["low", "middle", "high"]
    for candidate in choice.candidates:
        own = leave_one_recording_out(layers[candidate.name], labels, recordings, LCPrototypes, tags=tags)
        assert candidate.score.macro_f1 == own.score.macro_f1
        assert candidate.score.roc_auc == own.score.roc_auc
    assert choice["middle"].score.macro_f1.value > choice["high"].score.macro_f1.value


def test_equal_layers_are_not_called_different_and_the_first_is_taken(festival):
    support, labels, recordings, _ = festival
    choice = choose_layer({("mert", "5"): support, ("mert", "6"): support}, labels, recordings)
    assert choice.best == ("mert", "5")
    assert not choice.clear
    assert choice.chosen.macro_f1 == choice.candidates[0].score.macro_f1


def test_what_to_expect_of_the_choice_is_each_recording_by_the_layer_best_on_the_others(festival):
    _, labels, recordings, tags = festival
    layers = layers_of(festival, {"a": 2.0, "b": 2.0, "c": 2.0})
    choice = choose_layer(layers, labels, recordings, tags=tags)
    said = [leave_one_recording_out(x, labels, recordings, LCPrototypes).predicted for x in layers.values()]
    expected = np.empty_like(labels)
    for recording in np.unique(recordings):
        mine = recordings == recording
        merits = [f1_score(labels[~mine], s[~mine], average="macro", zero_division=0) for s in said]
        expected[mine] = said[int(np.argmax(merits))][mine]
    assert choice.chosen.macro_f1.value == pytest.approx(f1_score(labels, expected, average="macro"))
    best = max(c.score.macro_f1.value for c in choice.candidates)
    assert choice.chosen.macro_f1.value <= best + 1e-12


def test_nothing_to_choose_from_or_one_recording_is_refused(festival):
    support, labels, _, _ = festival
    with pytest.raises(FewShotError) as refused:
        choose_layer({}, labels)
    assert refused.value.sentence.code == "fewshot.no_layers"
    with pytest.raises(FewShotError) as refused:
        choose_layer({"all": support}, labels, ["one"] * len(labels))
    assert refused.value.sentence.code == "fewshot.one_recording"
