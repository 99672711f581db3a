"""Leaving recordings out in pairs is what fitting without them gives, and noise is worth one half."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from mirdemo.stages.fewshot import LCPrototypes, LinearHead, OneVsRest, TagPrototypes, leave_recordings_out
from mirdemo.stages.fewshot import pairs as pairs_module
from mirdemo.stages.fewshot.pairs import MOST_REFITTED, MOST_UPDATED, leave_pairs_out


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    distance=st.sampled_from(["cosine", "euclidean"]),
    offset=st.sampled_from([0.0, 3.0]),
    tied=st.booleans(),
    negatives=st.booleans(),
)
def test_updating_is_refitting(seed, distance, offset, tied, negatives):
    rng = np.random.default_rng(seed)
    recordings = np.repeat(np.arange(6), rng.integers(1, 4, 6))
    labels = (rng.random((len(recordings), 4)) < 0.4).astype(np.uint8)
    labels[0, 0] = 1
    rows = rng.normal(size=(len(recordings), 5)) + offset
    rows = np.round(rows) if tied else rows
    make = lambda: LCPrototypes(distance, unknown=False, negatives=negatives)  # noqa: E731
    tags = ("a", "b", "c", "d")
    pairs = leave_pairs_out(rows, labels, recordings, tags, make)
    np.testing.assert_array_equal(pairs.groups, recordings)
    for one in range(6):
        mine = np.flatnonzero(recordings == one)
        for two in range(6):
            out = (recordings == one) | (recordings == two)
            if not labels[~out].any():
                assert not pairs.given[mine, two].any()
                continue
            refitted = make().fit(rows[~out], labels[~out], recordings[~out], tags)
            np.testing.assert_array_equal(pairs.given[mine, two], refitted.predict(rows[mine]))
            refitted._spread = 1.0
            scores = refitted.scores(rows[mine])
            np.testing.assert_allclose(expit(pairs.clear[mine, two]), scores, atol=1e-6)


@pytest.mark.parametrize(
    "make", [LCPrototypes, lambda: TagPrototypes(calibrated=True), OneVsRest, LinearHead]
)
def test_noise_is_worth_one_half(make):
    """A tag on 3 of 8 recordings that nothing in the sound tells: 0.36 by leaving out one recording at a time."""
    few = make is LCPrototypes
    found = []
    for seed in range(150 if few else 40):
        rng = np.random.default_rng(seed)
        labels = rng.permuted(np.tile(np.arange(8) < 3, (6, 1)), axis=1).T.astype(np.uint8)
        labels[~labels.any(axis=1), 0] = 1
        rows = rng.normal(size=(8, 32)) + 5
        found.append(leave_recordings_out(rows, labels, range(8), make).score.roc_auc.value)
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(0.5, abs=0.02 if few else 0.02 + 2 * error)


def test_without_signal_average_precision_is_the_share_of_the_tag():
    """.43 for .33 where each clip stood in its own ranking; a perfect ranking stays 1."""
    found = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = rng.permuted(np.tile(np.arange(12) < 4, (6, 1)), axis=1).T.astype(np.uint8)
        rows = rng.normal(size=(12, 32)) + 5
        found.append(leave_recordings_out(rows, labels, range(12), LCPrototypes).score)
    assert np.mean([one.mean_average_precision.value for one in found]) == pytest.approx(1 / 3, abs=0.02)
    rows = np.eye(2)[labels[:, 0]] + 0.01 * rng.normal(size=(12, 2))
    clear = leave_recordings_out(rows, labels[:, :1], range(12), LCPrototypes).score
    assert clear.mean_average_precision.value == 1.0


def test_more_recordings_are_dealt_to_groups_that_part_none():
    rng = np.random.default_rng(0)
    recordings = np.repeat(np.arange(50), 2)
    labels = np.repeat(rng.random((50, 2)) < 0.3, 2, axis=0).astype(np.uint8)
    rows = rng.normal(size=(100, 6)) + 2 * labels @ rng.normal(size=(2, 6))
    for make, most in ((LCPrototypes, MOST_UPDATED), (LinearHead, MOST_REFITTED)):
        pairs = leave_pairs_out(rows, labels, recordings, ("a", "b"), make)
        assert pairs.n_groups == most == len(np.unique(pairs.groups))
        assert all(len(set(pairs.groups[recordings == one])) == 1 for one in range(50))


def test_a_tag_on_every_clip_is_given_as_without_its_own_recording():
    rng = np.random.default_rng(0)
    labels = np.ones((8, 2), np.uint8)
    labels[4:, 1] = 0
    check = leave_recordings_out(rng.normal(size=(8, 5)), labels, range(8), LCPrototypes, tags=["a", "b"])
    assert check.pairs.decided(labels)[:, 0] == pytest.approx(check.predicted[:, 0])
    assert check.score.tags[0].roc_auc.value is None
    assert check.score.tags[1].roc_auc.value is not None


def test_label_sets_that_would_need_much_memory_make_fewer_groups_but_eight_at_least(monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.eye(12, dtype=np.uint8)[np.arange(24) % 12]  # twelve label sets
    rows, tags = rng.normal(size=(24, 5)), tuple("abcdefghijkl")
    for room, most in ((12 * 15**2, 15), (12 * 15**2 - 1, 14), (1, 8), (1 << 22, 24)):
        monkeypatch.setattr(pairs_module, "_ROOM", room)
        pairs = leave_pairs_out(rows, labels, np.arange(24), tags, lambda: LCPrototypes(negatives=False))
        assert pairs.n_groups == most


def test_progress_is_told_of_every_pair_and_ends_at_the_total():
    told: list[tuple[int, int]] = []
    labels = (np.arange(10)[:, None] % np.array([2, 3]) == 0).astype(np.uint8)
    rows = np.random.default_rng(0).normal(size=(10, 4))
    recordings = np.arange(10) // 2
    leave_pairs_out(
        rows,
        labels,
        recordings,
        ("a", "b"),
        LinearHead,
        progress=lambda done, total, _: told.append((done, total)),
    )
    assert told == [(done, 15) for done in range(16)], "of five recordings every two, and each alone"
