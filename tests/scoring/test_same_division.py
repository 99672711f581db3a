"""Two namings of the same groups are one division."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring.labelling import same_division


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("aab", "xxy", True),
        ("aab", "yyx", True),
        ("aab", "xyy", False),
        ("aab", "xxx", False),
        ("aaa", "xxy", False),
        ("aab", "xx", False),
        ("", "", True),
        (np.array([1, 1, 2]), ("b", "b", "a"), True),
    ],
)
def test_what_the_groups_are_called_does_not_matter(one, other, same: bool):
    assert same_division(one, other) is same
