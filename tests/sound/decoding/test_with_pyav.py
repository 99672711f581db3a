"""The container's clock against the sound: what is missing is silence, and a leap to another clock is not."""

from __future__ import annotations

from collections import namedtuple
from fractions import Fraction

import pytest

from mirdemo.sound.decoding.with_pyav import _Clock

Frame = namedtuple("Frame", "samples sample_rate pts time_base")
RATE = 8_000


def gaps(*starts: float | None) -> list[float]:
    """Of frames of a tenth of a second that begin at these seconds by the clock."""
    clock, base = _Clock(kept=True), Fraction(1, 1000)
    return [
        clock.gap(Frame(RATE // 10, RATE, None if at is None else round(1000 * at), base)) for at in starts
    ]


def test_what_the_clock_skips_is_silence_and_what_follows_has_none() -> None:
    assert gaps(5.0, 5.1, 6.2, 6.3) == pytest.approx([0, 0, 1, 0])
    assert gaps(5.0, None, 5.2, 6.3) == pytest.approx([0, 0, 0, 1])
    assert gaps(5.0, 5.1, 4.0, 4.1) == [0, 0, 0, 0]


@pytest.mark.parametrize("leap", [90_000.0, -90_000.0])
def test_behind_a_leap_to_another_clock_gaps_are_still_gaps(leap: float) -> None:
    began = 100_000.0
    then = began + 0.2 + leap
    assert gaps(began, began + 0.1, then, then + 0.1, then + 2.2) == pytest.approx([0, 0, 0, 0, 2])
