"""What stands on a terminal's line."""

from __future__ import annotations

import pytest

from mirdemo.commands.console import _places, megabytes


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (None, "?"),
        (0, "-"),
        (1, "0 MB"),
        (378_000_000, "378 MB"),
        (999_000_000, "999 MB"),
        (1_000_000_000, "1.0 GB"),
        (1_345_000_000, "1.3 GB"),
    ],
)
def test_a_size_is_said_in_what_is_near(size, said):
    assert megabytes(size) == said


@pytest.mark.parametrize(
    ("text", "places"),
    [("", 0), ("abc", 3), ("太鼓", 4), ("ＡＢ", 4), ("e\N{COMBINING ACUTE ACCENT}", 1), ("é笛", 3)],
)
def test_wide_signs_take_two_places_and_combining_ones_none(text, places):
    assert _places(text) == places
