"""Cut evenly or at pauses: by the rule that is told, whatever the recording's level."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mirdemo.sound.cutting import MARGIN, between_pauses, even_pieces, loudness
from mirdemo.sound.waveform import Levels

RATE = 4_000


def levels(*parts: tuple[float, float], gain: float = 1.0) -> tuple[np.ndarray, float]:
    """Of noise: (seconds, dB) after each other."""
    random, made = np.random.default_rng(0), Levels(RATE)
    for seconds, level in parts:
        made.add(
            (gain * 10 ** (level / 20) * random.normal(size=round(seconds * RATE)) * 0.1).astype(np.float32)
        )
    return made.so_far(), made.hop / RATE


SONGS = (
    (10.0, 0.0),
    (2.0, -50.0),
    (20.0, -6.0),
    (0.5, -50.0),
    (5.0, 0.0),
    (3.0, -30.0),
    (0.3, 0.0),
    (4.0, -50.0),
)


@pytest.mark.parametrize(
    ("start", "end", "length", "count"),
    [(0, 60, 30, 2), (0, 59, 30, 2), (0, 74, 30, 2), (0, 76, 30, 3), (5, 6, 30, 1), (10, 100, 7, 13)],
)
def test_even_pieces_fill_the_whole_and_are_equal(start, end, length, count):
    found = even_pieces(start, end, length)
    assert len(found) == count
    assert (found[0][0], found[-1][1]) == (start, end)
    lengths = {round(b - a, 9) for a, b in found}
    assert len(lengths) == 1
    assert all(one[1] == other[0] for one, other in pairwise(found))


@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_pauses_part_and_short_ones_and_knocks_do_not(gain: float):
    made, each = levels(*SONGS, gain=gain)
    found = between_pauses(made, each, 0.0, 44.8)
    expected = [(0.0, 10.0 + MARGIN), (12.0 - MARGIN, 37.5 + MARGIN)]
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_each_number_does_what_it_says():
    made, each = levels(*SONGS)
    count = lambda **how: len(between_pauses(made, each, 0.0, 44.8, **how))  # noqa: E731
    assert count() == 2
    assert count(pause=0.4) == 3
    assert count(pause=2.5) == 1, "only the pause at 37.5 s is as long"
    assert count(shortest=0.2) == 3
    assert count(below=40.0) == 2
    assert count(below=40.0, shortest=12.0) == 1
    assert count(longest=8.0) == 2 + 4


def test_longer_ones_are_cut_evenly_and_none_is_longer():
    made, each = levels((100.0, 0.0), (3.0, -60.0), (50.0, 0.0))
    found = between_pauses(made, each, 0.0, 153.0, longest=30.0)
    assert max(b - a for a, b in found) <= 30.0 + 1e-6
    assert len(found) == 4 + 2


def test_only_what_was_marked_is_cut():
    made, each = levels(*SONGS)
    found = between_pauses(made, each, 5.0, 20.0)
    np.testing.assert_allclose(found, [(5.0, 10.0 + MARGIN), (12.0 - MARGIN, 20.0)], atol=0.06)


def test_without_a_pause_there_are_no_pieces():
    made, each = levels((30.0, 0.0))
    assert between_pauses(made, each, 0.0, 30.0) == []
    assert between_pauses(made, each, 40.0, 41.0) == []
    silent = np.zeros(100, np.uint8)
    assert between_pauses(silent, 0.05, 0.0, 5.0) == []


def test_loudness_is_what_a_twentieth_of_the_time_exceeds():
    made, _ = levels((90.0, -40.0), (10.0, 0.0))
    assert loudness(made) == pytest.approx(-20.0, abs=1.0)
    made, _ = levels((97.0, -40.0), (3.0, 0.0))
    assert loudness(made) == pytest.approx(-60.0, abs=1.0)
