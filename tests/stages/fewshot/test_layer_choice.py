"""The layer is chosen by the support set alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mirdemo.stages.fewshot import Comparing, FewShotError, LCPrototypes, choose_layer, leave_recordings_out
from mirdemo.stages.fewshot.layer_choice import BLOCKS
from mirdemo.stages.fewshot.pairs import deal


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
        own = leave_recordings_out(layers[candidate.name], labels, recordings, LCPrototypes, tags=tags)
        assert candidate.score.macro_f1 == own.score.macro_f1
        assert candidate.score.roc_auc == own.score.roc_auc
    assert choice["middle"].score.macro_f1.value > choice["high"].score.macro_f1.value


def test_equal_layers_are_not_called_different_and_the_first_is_taken(festival):
    support, labels, recordings, _ = festival
    choice = choose_layer({("mert", "5"): support, ("mert", "6"): support}, labels, recordings)
    assert choice.best == ("mert", "5")
    assert not choice.clear
    assert choice.chosen.macro_f1 == choice.candidates[0].score.macro_f1


def test_what_to_expect_of_the_choice_is_each_pair_by_the_layer_best_without_it(festival):
    _, labels, recordings, tags = festival
    layers = layers_of(festival, {"a": 2.0, "b": 2.0, "c": 2.0})
    choice = choose_layer(layers, labels, recordings, tags=tags)
    pairs = [leave_recordings_out(x, labels, recordings, LCPrototypes).pairs for x in layers.values()]
    groups, mixed = pairs[0].groups, pairs[0].given.copy()
    blocks, chosen = deal(groups, labels, BLOCKS), set()
    for one in range(BLOCKS):
        for two in range(BLOCKS):
            kept = (blocks != one) & (blocks != two)
            said = [
                LCPrototypes(unknown=False).fit(x[kept], labels[kept], recordings[kept])
                for x in layers.values()
            ]
            said = [method.leave_one_recording_out()[0] for method in said]
            merits = [f1_score(labels[kept], s, average="macro", zero_division=0) for s in said]
            best = int(np.argmax(merits))
            chosen.add(best)
            others = np.unique(groups[blocks == two])
            at = np.ix_(blocks == one, others)
            mixed[at] = pairs[best].given[at]
    assert len(chosen) > 1
    expected = replace(pairs[0], given=mixed).decided(labels)
    f1 = 2 * (labels * expected).sum(axis=0) / (labels + expected).sum(axis=0)
    assert choice.chosen.macro_f1.value == pytest.approx(f1.mean())


def test_layers_that_come_one_by_one_are_scored_as_they_come_and_chosen_among(festival):
    _, labels, recordings, tags = festival
    layers = layers_of(festival, {"low": 6.0, "middle": 0.0, "high": 3.0})
    whole = choose_layer(layers, labels, recordings, tags=tags)
    comparing = Comparing(len(labels), labels, recordings, tags=tags)
    for done, (name, matrix) in enumerate(layers.items(), start=1):
        assert comparing.score(name, matrix).score == whole[name].score
        assert [one.name for one in comparing.candidates] == list(layers)[:done]
        if done == 1:
            assert comparing.choice().best == "low", "a choice can be made at any time"
    assert (comparing.choice().best, comparing.choice().chosen) == ("middle", whole.chosen)


def test_picking_among_layers_that_hear_nothing_looks_good_and_is_expected_not_to_be():
    best, expected = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = rng.permuted(np.tile(np.arange(14) < 5, (3, 1)), axis=1).T.astype(np.uint8)
        choice = choose_layer({str(i): rng.normal(size=(14, 8)) for i in range(10)}, labels)
        best.append(choice[choice.best].score.roc_auc.value)
        expected.append(choice.chosen.roc_auc.value)
    assert np.mean(best) > 0.6
    assert np.mean(expected) == pytest.approx(0.5, abs=0.06)


def test_nothing_to_choose_from_or_one_recording_is_refused(festival):
    support, labels, _, _ = festival
    with pytest.raises(FewShotError) as refused:
        choose_layer({}, labels)
    assert refused.value.sentence.code == "fewshot.no_layers"
    with pytest.raises(FewShotError) as refused:
        choose_layer({"all": support}, labels, ["one"] * len(labels))
    assert refused.value.sentence.code == "fewshot.one_recording"


def test_two_recordings_are_enough_to_choose_by():
    labels = np.tile([[1, 0], [0, 1]], (4, 1))
    told = np.eye(2)[labels[:, 1]] + 0.01 * np.random.default_rng(0).normal(size=(8, 2))
    layers = {"noise": np.random.default_rng(1).normal(size=(8, 2)), "told": told}
    chosen = choose_layer(layers, labels, ["one"] * 4 + ["two"] * 4)
    assert chosen.best == "told"
