"""The permutation test: valid under the null, keeps recordings whole, sees what is there."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring import permutation
from mirdemo.scoring.metrics import roc_auc
from mirdemo.stages.probing import probe


def test_recordings_exchange_labels_whole():
    recordings = np.repeat(np.arange(6), 3)
    donors = permutation.exchange(recordings, 200, np.random.default_rng(0))
    from_recording = recordings[donors].reshape(200, 6, 3)
    assert (from_recording == from_recording[..., :1]).all()
    assert (np.sort(from_recording[..., 0], axis=1) == np.arange(6)).all()
    assert (np.sort(donors, axis=1) == np.arange(18)).all()


def test_recordings_of_different_lengths_repeat_or_shorten_their_donors_labels():
    recordings = np.array([0, 0, 0, 1, 2, 2])
    donors = permutation.exchange(recordings, 50, np.random.default_rng(0))
    for row in donors:
        for recording in range(3):
            taken = row[recordings == recording]
            assert len(set(recordings[taken])) == 1
            assert len(set(taken)) == min(len(taken), (recordings == recordings[taken[0]]).sum())


def test_fast_roc_auc_equals_the_exact_one_with_ties_and_signs():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (40, 12))
    labels[0] = 0
    scores = rng.normal(size=(2, 40, 12))
    scores[0, :10] = np.round(scores[0, :10])
    np.testing.assert_allclose(permutation._auc(labels, scores), roc_auc(labels, scores), atol=1e-12)


def p_values(n_sets: int, heard: float) -> tuple[np.ndarray, np.ndarray]:
    """Per-tag and macro p-values of made-up sets: 18 recordings of 1 to 3 clips, 3 layers, 2 tags, 49 permutations."""
    per_tag, overall = [], []
    for seed in range(n_sets):
        rng = np.random.default_rng(seed)
        recordings = np.repeat(np.arange(18), rng.integers(1, 4, 18))
        labels = np.stack([(rng.permutation(18) < 6)[recordings] for _ in range(2)], 1).astype(int)
        layers = {
            str(i): rng.normal(size=(18, 10))[recordings]
            + rng.normal(size=(len(labels), 10))
            + heard * labels @ rng.normal(size=(2, 10))
            for i in range(3)
        }
        report = probe(layers, labels, recordings, permutations=49, seeds=(seed,))
        per_tag += [tag.p_value for tag in report.tags]
        overall.append(report.macro.p_value)
    return np.array(per_tag), np.array(overall)


def test_false_positives_are_as_rare_as_promised_where_nothing_is_heard():
    per_tag, overall = p_values(120, heard=0.0)
    # 240 tags and 120 means: three standard errors above the promise
    assert np.mean(per_tag <= 0.1) < 0.1 + 3 * np.sqrt(0.09 / 240)
    assert np.mean(overall <= 0.1) < 0.1 + 3 * np.sqrt(0.09 / 120)
    assert np.mean(per_tag <= 0.5) > 0.3  # and it is not merely mute


def test_what_is_heard_is_found():
    per_tag, overall = p_values(8, heard=3.0)
    assert np.mean(per_tag <= 0.05) >= 0.8
    assert (overall <= 0.05).all()


def test_the_best_layers_p_value_pays_for_the_choice():
    rng = np.random.default_rng(0)
    labels = (np.arange(20) % 2)[:, None]
    layers = {str(i): rng.normal(size=(20, 5)) for i in range(12)}
    report = probe(layers, labels, np.arange(20), permutations=99)
    assert report.tags[0].p_value > min(report.tags[0].p_by_layer.values())


@pytest.mark.parametrize("sorted_labels", [True, False])
def test_equal_embeddings_are_never_heard(sorted_labels):
    labels = (np.arange(12) < 6 if sorted_labels else np.arange(12) % 2 == 0).astype(int)[:, None]
    report = probe({"only": np.ones((12, 3))}, labels, np.arange(12), permutations=99)
    assert report.tags[0].p_value == 1
    assert report.tags[0].figures.roc_auc.value == 0.5
    assert [sentence.code for sentence in report.warnings] == ["probing.constant"]
