"""How long something takes is said no finer than it is known, and changes its unit where the next one is as fine."""

from __future__ import annotations

import pytest

from mirdemo.words.durations import time_of


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 seconds"),
        (0.0001, "1 second"),
        (1.49 / 60, "1 second"),
        (1.51 / 60, "2 seconds"),
        (0.94, "56 seconds"),
        (0.95, "0.9 minutes"),  # Python's 0.95 is a little less
        (0.96, "1.0 minutes"),
        (4.94, "4.9 minutes"),
        (4.95, "5 minutes"),
        (5.5, "6 minutes"),
        (89.4, "89 minutes"),
        (90, "1.5 hours"),
        (5999, "100.0 hours"),
        (6000, "100 hours"),
        (90_000, "1,500 hours"),
        (-30, "30 minutes"),
    ],
)
def test_a_time_is_said_in_the_unit_it_is_known_in(minutes: float, said: str):
    assert str(time_of(minutes)) == said
