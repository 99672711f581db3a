"""Which tags a whole query is given where they change on the way."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mirdemo.web.tagging import BRIEF, Answer


def answered(windows: list[list[int]], *, unknown: bool = False, strange: int = 0) -> Answer:
    """A query of which the whole is nearest to b. strange: how many windows at the end resemble nothing"""
    labels = np.array(windows, np.uint8)
    at_end = np.arange(len(labels)) >= len(labels) - strange
    rest = dict.fromkeys(("clip", "threshold", "runner_up", "row"))
    return Answer(
        built=SimpleNamespace(prototypes=SimpleNamespace(tags=("a", "b", "c"))),
        nearest_tags=("b",),
        tags=() if unknown else ("b",),
        unknown=unknown,
        distance=0.1,
        margin=0.1,
        per_tag=(),
        nearest=(),
        starts=np.arange(len(labels), dtype=float),
        window_seconds=1.0,
        labels=labels,
        unknown_windows=at_end,
        **rest,
    )


A, B, C, AB = [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]


@pytest.mark.parametrize(
    ("windows", "given"),
    [
        ([A, A, A, A], ("b",)),  # nothing changes: the whole has the last word
        ([A, C], ("b",)),  # two windows are too few to say so
        ([A, A, C, C], ("a", "c")),
        ([AB, AB, A, A], ("a", "b")),
        ([A] * 7 + [C], ("a", "c")),  # just an eighth
        ([A] * 8 + [C], ("a",)),
    ],
)
def test_where_tags_change_those_that_last_are_given(windows: list[list[int]], given: tuple[str, ...]):
    assert answered(windows).given == given
    assert BRIEF == 1 / 8


def test_windows_that_resemble_nothing_give_no_tag_but_count_in_the_length():
    assert answered([A] * 7 + [C] + [C], strange=1).given == ("a",)
    assert answered([A, A, A, C], strange=1).given == ("b",), "what is left of it does not change"


def test_a_query_that_resembles_nothing_is_given_nothing():
    assert answered([A, A, C, C], unknown=True).given == ()
