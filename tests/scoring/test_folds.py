"""Splits never part a recording, use every clip, repeat exactly, and spread the tags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.scoring.folds import FoldsError, hold_out, most_complete, recording_folds


@st.composite
def labelled(draw: st.DrawFn) -> tuple[list[str], np.ndarray]:
    """2 to 30 recordings of 1 to 6 clips each, in any order, under 0 to 6 tags."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=30))
    recordings = [f"r{number}" for number, size in enumerate(sizes) for _ in range(size)]
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    labels = rng.random((len(recordings), draw(st.integers(0, 6)))) < draw(st.floats(0, 1))
    order = rng.permutation(len(recordings))
    return [recordings[i] for i in order], labels[order].astype(np.uint8)


@settings(max_examples=150, deadline=None)
@given(labelled(), st.integers(2, 8), st.integers(0, 99))
def test_folds_part_no_recording_and_test_every_clip_once(data, n_folds: int, seed: int):
    recordings, labels = data
    n_folds = min(n_folds, len(set(recordings)))
    folds = recording_folds(recordings, labels, n_folds, seed)
    assert len(folds) == n_folds
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(recordings)))
    for train, test in folds:
        assert len(train) > 0
        assert len(test) > 0
        assert sorted([*train, *test]) == list(range(len(recordings)))
        assert not {recordings[i] for i in train} & {recordings[i] for i in test}


@settings(max_examples=60, deadline=None)
@given(labelled(), st.integers(2, 6), st.integers(0, 99))
def test_the_same_seed_gives_the_same_folds(data, n_folds: int, seed: int):
    recordings, labels = data
    n_folds = min(n_folds, len(set(recordings)))
    first, second = (recording_folds(recordings, labels, n_folds, seed) for _ in range(2))
    assert all(
        np.array_equal(a, b) for x, y in zip(first, second, strict=True) for a, b in zip(x, y, strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 40), st.integers(0, 40), st.integers(2, 6), st.integers(0, 99))
def test_one_tag_is_spread_within_one_recording(n: int, tagged: int, n_folds: int, seed: int):
    n_folds, tagged = min(n_folds, n), min(tagged, n)
    labels = (np.arange(n) < tagged).astype(np.uint8)[:, None]
    folds = recording_folds([f"r{i}" for i in range(n)], labels, n_folds, seed)
    counts = [int(labels[test].sum()) for _, test in folds]
    assert max(counts) - min(counts) <= 1


def test_many_tags_are_spread_more_evenly_than_by_chance():
    rng = np.random.default_rng(0)
    recordings = np.repeat([f"r{i}" for i in range(60)], 3)
    labels = np.repeat(rng.random((60, 8)) < 0.2, 3, axis=0).astype(np.uint8)

    def spread(parts: list[np.ndarray]) -> float:
        return float(np.std([labels[part].sum(axis=0) for part in parts], axis=0).mean())

    dealt = spread([test for _, test in recording_folds(recordings, labels, 5, 1)])
    chance = np.mean(
        [
            spread([np.isin(recordings, np.unique(recordings)[order == fold]) for fold in range(5)])
            for order in (rng.permutation(60) % 5 for _ in range(50))
        ]
    )
    assert dealt < 0.5 * chance


@settings(max_examples=60, deadline=None)
@given(labelled(), st.integers(2, 6), st.integers(0, 99), st.integers(0, 10_000))
def test_a_tag_of_a_single_recording_changes_no_fold(data, n_folds: int, seed: int, which: int):
    recordings, labels = data
    n_folds = min(n_folds, len(set(recordings)))
    labels = np.column_stack([labels, np.ones(len(labels), np.uint8)])  # every clip has a tag
    alone = np.zeros((len(labels), 1), np.uint8)
    alone[which % len(labels)] = 1
    before = recording_folds(recordings, labels, n_folds, seed)
    after = recording_folds(recordings, np.hstack([labels, alone]), n_folds, seed)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(before, after, strict=True))


def test_seeds_differ():
    recordings, labels = [f"r{i}" for i in range(40)], np.ones((40, 1), np.uint8)
    tests = {tuple(recording_folds(recordings, labels, 4, seed)[0][1]) for seed in range(5)}
    assert len(tests) > 1


@settings(max_examples=100, deadline=None)
@given(labelled(), st.floats(0.01, 0.99), st.integers(0, 99))
def test_hold_out_parts_no_recording_and_leaves_neither_side_empty(data, fraction: float, seed: int):
    recordings, labels = data
    train, test = hold_out(recordings, labels, fraction, seed)
    assert len(train) > 0
    assert len(test) > 0
    assert sorted([*train, *test]) == list(range(len(recordings)))
    assert not {recordings[i] for i in train} & {recordings[i] for i in test}


def test_hold_out_takes_about_its_fraction_of_every_tag():
    labels = np.zeros((100, 2), np.uint8)
    labels[:50, 0] = labels[40:60, 1] = 1
    _, test = hold_out([f"r{i}" for i in range(100)], labels, 0.2, 3)
    assert len(test) == pytest.approx(20, abs=2)
    assert labels[test].sum(axis=0) == pytest.approx([10, 4], abs=1)


@pytest.mark.parametrize(
    ("recordings", "n_folds"), [(["a", "a"], 2), (["a", "b"], 3), (["a", "b"], 1), ([], 2)]
)
def test_too_few_recordings_are_refused_in_a_sentence(recordings: list[str], n_folds: int):
    with pytest.raises(FoldsError) as caught:
        recording_folds(recordings, np.zeros((len(recordings), 1), np.uint8), n_folds, 0)
    assert caught.value.sentence.code == "clips.too_few_recordings_to_split"
    assert "at least" in str(caught.value)


def test_arguments_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="labels of shape"):
        recording_folds(["a", "b"], np.zeros((3, 1)), 2, 0)
    for fraction in (0, 1, -1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            hold_out(["a", "b"], np.zeros((2, 1)), fraction, 0)


def test_a_training_takes_the_division_from_which_the_most_tags_can_be_learned():
    labels = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    lost = np.array([0, 0, 1, 1])  # all of the first tag in one fold
    kept = np.array([0, 1, 1, 0])
    assert most_complete([lost, kept], labels) is kept
    assert most_complete([lost, lost[::-1]], labels) is lost
