"""Recordings that nobody has named: what sounds, or calls itself, a piece of something counts as one until that is said."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.in_question import InQuestion
from mirdemo.sound.audio import Clip
from mirdemo.words.language import speaker

NAMES = [f"take {c * 3}.wav" for c in "qwertyuiopas"]


def clips(names: list[str], recordings: list[str] | None = None, sessions: list[str] | None = None):
    rng = np.random.default_rng(0)
    made = [Clip.of(rng.normal(size=800) * 0.1, 8_000, name) for name in names]
    return LabelledClips.from_clips(made, [["x"]] * 6 + [[]] * (len(names) - 6), recordings, sessions)


def hear(labelled: LabelledClips, groups: int = 4, different: bool = False) -> None:
    """As if listened to: so many performances of as many clips each."""
    rng, each = np.random.default_rng(1), len(labelled) // groups
    rows = np.repeat(rng.normal(size=(groups, 30)), each, axis=0) + 0.3 * rng.normal(size=(len(labelled), 30))
    if different:
        rows = rng.normal(size=rows.shape)
    labelled.hear(Heard({clip.sha256: row for clip, row in zip(labelled.clips, rows, strict=True)}))


def division(names: tuple[str, ...]) -> list[int]:
    return [names.index(name) for name in names]


def test_pieces_of_one_performance_by_their_sound_count_as_one_recording():
    labelled = clips(NAMES)
    assert labelled.counted == labelled.recordings
    hear(labelled)
    assert division(labelled.counted) == [3 * (row // 3) for row in range(12)]
    assert division(labelled.groups) == division(labelled.counted)
    assert labelled.counts()["x"].recordings == 2
    assert len(set(labelled.recordings)) == 12  # nobody's word is changed
    (said,) = [one for one in labelled.warnings() if one.code == "clips.in_question"]
    assert "4 instead of 12" in str(said)


def test_recordings_that_sound_different_count_as_they_are():
    labelled = clips(NAMES)
    hear(labelled, different=True)
    assert labelled.in_question == ()
    assert labelled.counted == labelled.recordings


def test_somebodys_word_counts_more_than_the_sound():
    labelled = clips(NAMES, [f"r{row}" for row in range(12)])
    hear(labelled)
    assert len(labelled.asked) == 4  # it is asked all the same
    assert labelled.counted == labelled.recordings
    part = clips(NAMES, ["r0", "r1", None, *[f"r{row}" for row in range(3, 12)]])
    hear(part)
    assert division(part.counted) == [0, 0, 0, *range(3, 12)]


def test_one_sound_in_two_encodings_is_one_recording_until_it_is_said_not_to_be():
    labelled = clips(NAMES)
    ids = [clip.sha256 for clip in labelled.clips]
    rng = np.random.default_rng(2)
    rows = {id: rng.normal(size=30) for id in ids}
    labelled.hear(Heard(rows, copies=frozenset({frozenset(ids[:2])})))
    assert division(labelled.counted)[:3] == [0, 0, 2]
    assert division(labelled.say_different([0, 1]).counted) == list(range(12))


def test_two_sounds_in_two_encodings_each_are_not_one_sound():
    pairs = [frozenset(pair) for pair in ("ab", "bc", "de")]
    heard = Heard(copies=frozenset(pairs))
    assert heard.are_copies("abc")
    assert heard.are_copies("de")
    assert not heard.are_copies("ac")
    assert not heard.are_copies("abde")


@pytest.mark.parametrize("edit", ["remove", "relabel", "rename", "add", "sheet", "session"])
def test_what_was_heard_and_answered_is_kept_through_edits(edit: str):
    labelled = clips(NAMES)
    hear(labelled)
    labelled = labelled.say_different(range(3))
    more = clips([f"{c}.wav" for c in "jklzxcv"])
    after = {
        "remove": lambda: labelled.remove([11]),
        "relabel": lambda: labelled.relabel(0, "y"),
        "rename": lambda: labelled.rename_tag("x", "y"),
        "add": lambda: more.remove(range(7)).add(labelled),
        "sheet": lambda: labelled.label_by(b"file,tags\ntake qqq.wav,new\n", "s.csv"),
        "session": lambda: labelled.set_session([11], "evening"),
    }[edit]()
    assert after.listened
    assert division(after.counted)[:9] == [0, 1, 2, 3, 3, 3, 6, 6, 6]


def test_parts_that_do_not_say_of_what_count_as_one_recording():
    labelled = clips(
        [*(f"part{number}.wav" for number in range(7)), "night part 1.wav", "night part 2.wav", "b.wav"]
    )
    assert labelled.in_question == (tuple(range(7)),)
    assert division(labelled.counted) == [0] * 7 + [7, 7, 9]
    assert labelled.part(range(7)).in_question == ()
    assert clips([f"{number:02d}.wav" for number in range(8)]).in_question == ()


def test_sessions_lie_over_what_counts_as_one():
    labelled = clips(NAMES, sessions=["a"] * 4 + [""] * 8)
    assert division(labelled.groups)[:5] == [0, 0, 0, 0, 4]
    hear(labelled)
    assert division(labelled.groups) == [0] * 6 + [6] * 3 + [9] * 3


def test_what_goes_home_says_how_many_clips_count_as_how_many_recordings():
    labelled = clips(NAMES)
    assert InQuestion.of(labelled) is None
    hear(labelled)
    found = InQuestion.of(labelled)
    assert found == InQuestion(clips=12, counted_as=4, counted=4, recordings=12)
    assert "12 clips count as 4 recordings because nobody has said" in str(found.sentence)
    of_parts = clips([*(f"part{number}.wav" for number in range(7)), "b.wav", "c.wav"])
    one = InQuestion.of(of_parts)
    assert one == InQuestion(clips=7, counted_as=1, counted=3, recordings=9)
    assert "7 clips count as one recording because nobody has said" in str(one.sentence)
    assert "録音は全部で 9 件ではなく 3 件" in speaker("ja").say(one.sentence)
    assert InQuestion.of(of_parts.part(range(7))) is None


def test_it_is_read_back_from_a_file_and_from_the_settings_of_a_result():
    found = InQuestion(7, 1, 3, 9)
    assert InQuestion.from_dict(found.as_dict()) == found
    assert InQuestion.of_setting({"n_tags": 2, **found.as_setting()}) == found
    assert InQuestion.of_setting({"n_tags": 2}) is None
    assert InQuestion.of_setting({**found.as_setting(), "in_question_clips": "7"}) is None
