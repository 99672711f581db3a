"""Labels, recordings and tags are looked over in one place, and whatever does not fit is refused in a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.scoring.labelling import Labelling, LabellingError

LABELS = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])


def test_recordings_are_numbered_in_the_order_of_their_names():
    held = Labelling.of(LABELS, ["b", "a", "b", "c"], ["drum", "voice"])
    assert held.recording_names == ("a", "b", "c")
    assert held.recordings.tolist() == [1, 0, 1, 2]
    assert (held.labels.dtype, len(held), held.tags) == (np.uint8, 4, ("drum", "voice"))
    assert held.having.tolist() == [2, 2]
    assert held.lacking.tolist() == [2, 2]
    assert held.groups is held.recordings


def test_tags_have_numbers_where_they_have_no_names_and_numbers_may_name_recordings():
    held = Labelling.of(LABELS.astype(bool), np.array([10, 9, 10, 10]))
    assert held.tags == ("0", "1")
    assert held.recording_names == ("10", "9")


def test_a_tag_of_all_clips_or_of_none_is_told():
    assert Labelling.of([[1, 0, 1], [1, 0, 0]], ["a", "b"]).one_sided == ("0", "1")


def test_sessions_hold_whole_recordings():
    held = Labelling.of(LABELS, ["b", "a", "b", "c"], None, ["s2", "s1", "s2", "s1"])
    assert held.groups.tolist() == [1, 0, 1, 0]
    assert held.group_names == ("s1", "s2")
    assert refused(LABELS, ["a", "a", "b", "c"], None, ["s1", "s2", "s1", "s1"]) == "scoring.recording_parted"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((None, ["a"]), "scoring.no_tags"),
        (([], []), "scoring.no_tags"),
        (([1, 0], ["a", "b"]), "scoring.no_tags"),
        (([[1], [0, 1]], ["a", "b"]), "scoring.no_tags"),
        ((LABELS[:, :0], list("abcd")), "scoring.no_tags"),
        ((LABELS * 2, list("abcd")), "scoring.not_binary"),
        ((LABELS * 0.5, list("abcd")), "scoring.not_binary"),
        ((np.where(LABELS == 1, np.nan, 0), list("abcd")), "scoring.not_binary"),
        (([["yes"], ["no"]], list("ab")), "scoring.not_binary"),
        ((LABELS, list("abcd"), ["one"]), "scoring.tags_differ"),
        ((LABELS, list("abcd"), ["one", "one"]), "scoring.tags_differ"),
        ((LABELS, None), "scoring.counts_differ"),
        ((LABELS, list("abc")), "scoring.counts_differ"),
        ((LABELS, 7), "scoring.counts_differ"),
        ((LABELS, list("abcd"), None, list("abc")), "scoring.counts_differ"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(arguments, code):
    assert refused(*arguments) == code


def refused(*arguments) -> str:
    with pytest.raises(LabellingError) as caught:
        Labelling.of(*arguments)
    assert str(caught.value).endswith(".")
    return caught.value.sentence.code
