"""Clips cut from one performance are found by their sound, and so is one sound in two encodings."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.clips.likeness import FEWEST, copies, look_alikes, ratios
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.sound.mp3 import encode_mp3


def cut(
    recordings: int, clips: int, within: float, seed: int = 0
) -> tuple[np.ndarray, list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    whole = np.repeat(np.arange(recordings), clips)
    rows = rng.normal(size=(recordings, 40))[whole] + within * rng.normal(size=(len(whole), 40))
    return rows, [f"r{i}" for i in range(len(whole))], whole


def test_clips_cut_from_recordings_are_asked_about_in_their_groups():
    rows, names, whole = cut(10, 3, 0.4)
    found = look_alikes(rows, names)
    assert found.ratio < found.limit
    assert sorted(found.groups) == [tuple(np.flatnonzero(whole == r)) for r in range(10)]


def test_a_piece_that_is_left_alone_goes_to_its_nearest_where_the_collection_looks_cut():
    rows, names, whole = cut(10, 3, 0.4)
    rows[5] = rows[3] + 3 * (rows[5] - rows[3])  # farther off than the groups reach
    found = look_alikes(rows, names)
    assert sorted(found.groups) == [tuple(np.flatnonzero(whole == r)) for r in range(10)]
    rows[5] += 3 * np.random.default_rng(9).normal(size=40)  # a stranger
    assert sorted(look_alikes(rows, names).groups)[1] == (3, 4)


def test_names_in_an_order_tell_pieces_that_are_less_alike():
    rng = np.random.default_rng(1)
    rows, names, whole = cut(12, 3, 1.0, seed=3)
    found, shuffled = look_alikes(rows, names), look_alikes(rows, list(rng.permutation(names)))
    assert shuffled.groups == ()
    assert shuffled.ratio == found.ratio > shuffled.limit
    assert found.ratio < found.limit
    assert sorted(found.groups) == [tuple(np.flatnonzero(whole == r)) for r in range(12)]


def test_it_is_the_order_of_names_that_counts_with_numbers_as_numbers_not_that_of_clips():
    rows, names, _ = cut(12, 3, 1.0, seed=3)
    order = np.random.default_rng(2).permutation(len(rows))
    found = look_alikes(rows[order], [names[i] for i in order]).groups
    there = [tuple(sorted(int(order[i]) for i in group)) for group in found]
    assert sorted(there) == sorted(look_alikes(rows, names).groups)


def test_names_with_words_in_them_are_no_order():
    """``low 1``, ``high 1``: whoever names recordings after what is heard puts those that sound alike side by side."""
    rows, names, whole = cut(12, 3, 1.0, seed=3)
    assert look_alikes(rows, names).groups
    assert (
        look_alikes(rows, [f"{'abcdefghijkl'[r]}{name}" for r, name in zip(whole, names, strict=True)]).groups
        == ()
    )


def test_recordings_that_are_sorted_by_kind_are_not_taken_for_pieces():
    for kinds, each in ((2, 6), (5, 6), (10, 6), (4, 20)):
        rng = np.random.default_rng(kinds)
        kind = np.repeat(np.arange(kinds), each)
        rows = 0.8 * rng.normal(size=(kinds, 40))[kind] + rng.normal(size=(len(kind), 40))
        assert look_alikes(rows, [f"{at:03}" for at in range(len(kind))]).groups == ()


def test_one_clip_a_recording_raises_no_question():
    for n in (6, 12, 40, 120):
        rows, names, _ = cut(n, 1, 0.5, seed=n)
        assert look_alikes(rows, names).groups == ()


def test_recordings_that_are_known_are_no_question_and_are_taken_whole():
    rows, _, whole = cut(8, 3, 0.4)
    known = [f"r{r}" for r in whole]
    assert look_alikes(rows, known).groups == ()
    split = [
        "x" if row == 0 else name for row, name in enumerate(known)
    ]  # one clip of the first is called otherwise
    (group,) = look_alikes(rows, split).groups
    assert group == (0, 1, 2)


def test_clips_that_names_have_put_together_do_not_hide_the_others():
    rows, _, whole = cut(10, 3, 0.4)
    half = [f"r{r}" if r < 5 else f"part{i}" for i, r in enumerate(whole)]
    assert sorted(look_alikes(rows, half).groups) == [tuple(np.flatnonzero(whole == r)) for r in range(5, 10)]


def test_a_pair_far_nearer_than_the_rest_is_asked_about_alone():
    rows, names, _ = cut(20, 1, 0.5)
    rows[7] = rows[3] + 0.05
    assert look_alikes(rows, names).groups == ((3, 7),)


def test_few_clips_and_equal_ones_are_no_accident():
    assert look_alikes(np.eye(FEWEST - 1), ["a"] * (FEWEST - 1)).groups == ()
    assert look_alikes(np.zeros((6, 3)), list("abcdef")).ratio is not None
    assert np.isinf(np.diag(ratios(np.eye(3)))).all()


@pytest.fixture(scope="module")
def played() -> list[Clip]:
    """Noise whose loudness runs at random: five performances."""
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        loud = np.repeat(rng.uniform(0.02, 0.5, 30), 2_205)
        found.append(Clip.of(loud * rng.normal(size=len(loud)) * 0.3, 22_050, f"{seed}.wav"))
    return found


def test_one_sound_in_two_encodings_is_found_and_two_performances_are_not(played: list[Clip]):
    again = load_clip(encode_mp3(played[1]), "again.mp3")
    quieter = Clip.of(played[3].at(16_000) * 0.3, 16_000, "quieter.wav")
    clips = [*played, again, quieter]
    rows = np.array(
        [[*np.log(np.abs(clip.at(8_000)[:16_000]).reshape(20, -1).mean(axis=1) + 1e-3)] for clip in clips]
    )
    rows -= rows.mean(axis=1, keepdims=True)
    assert sorted(copies(clips, rows)) == [(1, 5), (3, 6)]
    assert copies(played, np.zeros((5, 3))) == []
