"""What a panel finds: counts, misses, agreement, preference, seconds, labels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from paneled import TAGS, clips, listener, panel, tagger, truth

from mirdemo.planning import LIMITS
from mirdemo.planning.panel import HAND, Listeners, Proposer, draw, label_changes, results
from mirdemo.planning.panel.answers import Answers, OnClip


def by_key(found, key: str):
    return next(one for one in found.proposers if one.key == key)


def test_nobody_has_answered():
    made = panel()
    assert results(made, []) is None
    assert results(made, [Answers(made.id, "0", "a")]) is None


def test_right_k_of_n_is_counted_as_one_would_by_hand():
    made = panel()
    heard = replace(listener(made), clips={})
    names = [clip.sha256 for clip in clips()]
    given, right, n, missed, unsaid = {}, 0, 0, 0, 0
    for number, clip in enumerate(made.clips):
        row = names.index(clip.sha256)
        there = [bool(truth()[row, TAGS.index(q.tag)]) for q in clip.questions]
        given[number] = OnClip(tuple("right" if one else "wrong" for one in there))
        for question, one in zip(clip.questions, there, strict=True):
            said = "few_shot:spectral" in question.by
            right, n = right + (said and one), n + said
            missed, unsaid = missed + (not said and one), unsaid + (not said)
    found = by_key(results(made, [replace(heard, clips=given)]), "few_shot:spectral")
    assert (found.said.right, found.said.n) == (right, n)
    assert (found.unsaid.right, found.unsaid.n) == (missed, unsaid)
    assert found.said.share.value == pytest.approx(right / n)
    assert found.said.share.low < right / n < found.said.share.high
    assert sum(tag.said.n for tag in found.tags) == n
    labels = by_key(results(made, [replace(heard, clips=given)]), HAND)
    assert labels.said.right == labels.said.n
    assert labels.unsaid.right == 0


def test_a_verdict_is_that_of_most_who_could_tell_and_a_split_is_none():
    made = panel()
    n = len(made.clips[0].questions)

    def one(verdict: str | None, run: int) -> Answers:
        return Answers(made.id, str(run), "a", clips={0: OnClip((verdict, *["cannot_tell"] * (n - 1)))})

    for given, expected in [
        (("right", "right", "wrong"), "right"),
        (("right", "wrong"), None),
        (("wrong", "cannot_tell", "cannot_tell"), "wrong"),
        (("cannot_tell",), None),
        (("right", None), "right"),
    ]:
        found = results(made, [one(v, i) for i, v in enumerate(given)])
        assert found.verdicts[0].verdict == expected
        assert found.verdicts[0].divided == ("right" in given and "wrong" in given)


def test_listeners_who_agree_more_have_a_higher_alpha_and_the_machine_is_measured_against_them():
    made = panel(most=12)
    careful = results(made, [listener(made, f"l{s}", 0.02, s) for s in range(4)])
    careless = results(made, [listener(made, f"l{s}", 0.3, s) for s in range(4)])
    assert careful.agreement.value > 0.8 > careless.agreement.value
    assert careful.agreement.low < careful.agreement.value < careful.agreement.high <= 1
    machine, labels = by_key(careful, "few_shot:spectral"), by_key(careful, HAND)
    assert machine.agreement.value < labels.agreement.value
    assert machine.to_ceiling.high < 0
    assert labels.to_ceiling.low < 0 < labels.to_ceiling.high
    assert careful.agreement.n == 6


def test_one_listener_has_no_ceiling_but_the_machine_an_agreement():
    made = panel()
    found = results(made, [listener(made)])
    assert found.agreement is None
    assert by_key(found, "few_shot:spectral").agreement is not None
    assert by_key(found, "few_shot:spectral").to_ceiling is None


def test_missing_words_are_counted_by_listener_however_they_are_written():
    made = panel()
    one = listener(made, "a", seed=1)
    other = replace(listener(made, "b", seed=2), clips={0: replace(one.clips[0], words=("ＢＥＬＬ", "gong"))})
    found = results(made, [one, other])
    assert [(word, n, len(where)) for word, n, where in found.words] == [("bell", 2, 3), ("gong", 1, 1)]


def test_two_taggers_side_by_side_are_counted_for_who_was_shown():
    made = panel(two=True)
    shown = [clip.sides[0][0] for clip in made.clips if clip.sides]
    found = results(made, [listener(made)]).preferred
    assert found.first == shown.count("few_shot:spectral")
    assert found.second == shown.count("few_shot:mini-world")
    assert found.same == 0
    same = {n: replace(c, side="same" if c.side else None) for n, c in listener(made).clips.items()}
    found = results(made, [replace(listener(made), clips=same)]).preferred
    assert (found.first, found.second, found.same) == (0, 0, len(shown))
    assert found.share.value is None


def test_disagreements_are_those_among_listeners_and_with_the_machine():
    made = panel()
    truthful = [listener(made, f"l{s}", 0.0, s) for s in range(3)]
    found = results(made, truthful).disagreements()
    assert found
    for one in found:
        said = "few_shot:spectral" in one.by
        assert one.verdict == ("wrong" if said else "right")
    divided = results(made, [*truthful[:1], listener(made, "x", 1.0, 9)]).disagreements()
    assert divided[0].divided


def test_a_clips_seconds_are_shared_by_its_answers():
    made = panel()
    answers = [listener(made, f"l{s}", 0.1, s) for s in range(3)]
    found = results(made, answers)
    expected = [
        12.0 / sum(v is not None for v in clip.verdicts)
        for one in answers
        for clip in one.clips.values()
        for v in clip.verdicts
        if v == "right"
    ]
    assert found.n_right == len(expected)
    assert found.right_seconds.value == pytest.approx(np.median(expected))
    assert found.right_seconds.low <= found.right_seconds.value <= found.right_seconds.high
    assert found.right_seconds.unit == "listeners"
    assert results(made, answers[:1]).right_seconds.unit == "clips"
    unseen = {n: replace(c, seconds=0.0) for n, c in answers[0].clips.items()}
    assert results(made, [replace(answers[0], clips=unseen)]).n_right == 0


def test_few_answers_measure_no_seconds():
    made = panel()
    whole = Listeners.of(results(made, [listener(made)]))
    assert set(whole.measured()) == {"accept_seconds", "mend_seconds"}
    first = replace(listener(made), clips={0: listener(made).clips[0]})
    assert Listeners.of(results(made, [first])).measured() == {}


def test_a_clip_left_open_for_days_measures_no_more_than_a_plan_takes():
    made = panel()
    slow = {n: replace(clip, seconds=3e6) for n, clip in listener(made).clips.items()}
    measured = Listeners.of(results(made, [replace(listener(made), clips=slow)])).measured()
    assert measured == {name: LIMITS[name][1] for name in ("accept_seconds", "mend_seconds")}


def test_who_listened_is_carried_along_as_json():
    made = panel(two=True)
    short = Listeners.of(results(made, [listener(made, "a", 0.1, 1), listener(made, "b", 0.1, 2)]))
    assert short.names == ("a", "b")
    assert Listeners.from_dict(json.loads(json.dumps(short.as_dict()))) == short
    typed = {**short.as_dict()["right_seconds"], "value": "5.0"}
    for change in (
        *({"format": "x"}, {"answers": -1}, {"names": 4}, {"right_seconds": {}}, {"machines": [1]}),
        {"right_seconds": typed},
    ):
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
            Listeners.from_dict({**short.as_dict(), **change})


def test_verdicts_become_labels_and_splits_change_nothing():
    made, names = panel(), [clip.sha256 for clip in clips()]
    tags_of = {
        names[row]: tuple(TAGS[j] for j in np.flatnonzero(tagger().said[row])) for row in range(len(names))
    }
    changes = label_changes(results(made, [listener(made, errs=0.0)]), tags_of)
    assert changes
    for change in changes:
        row = names.index(change.sha256)
        there = {TAGS[j] for j in np.flatnonzero(truth()[row])}
        assert set(change.added) - {"bell"} <= there
        assert not set(change.removed) & there
        assert set(change.tags) == (set(tags_of[change.sha256]) - set(change.removed)) | set(change.added)
    assert any("bell" in change.added for change in changes)
    split = [listener(made, "a"), listener(made, "b", 1.0)]
    kept = [
        replace(one, clips={n: replace(c, verdicts=tuple(v if v != "cannot_tell" else None for v in c.verdicts)) for n, c in one.clips.items()})
        for one in split
    ]  # fmt: skip
    opposed = {
        (n, q)
        for n in kept[0].clips
        for q, (x, y) in enumerate(zip(kept[0].clips[n].verdicts, kept[1].clips[n].verdicts, strict=True))
        if x and y and x != y
    }
    assert opposed
    for change in label_changes(results(made, kept), tags_of):
        number = next(n for n, clip in enumerate(made.clips) if clip.sha256 == change.sha256)
        for q, question in enumerate(made.clips[number].questions):
            if (number, q) in opposed:
                assert question.tag not in (*change.added, *change.removed)
    assert label_changes(results(made, [listener(made)]), {}) == ()


def test_one_typed_word_of_many_listeners_is_no_label():
    made = draw(clips(1), ["r"], TAGS, [Proposer("x", truth(1))])
    n = len(made.clips[0].questions)

    def one(run: int, *words: str) -> Answers:
        return Answers(made.id, str(run), "a", clips={0: OnClip(("cannot_tell",) * n, words)})

    tags = {made.clips[0].sha256: ()}
    assert label_changes(results(made, [one(1, "gong"), one(2), one(3)]), tags) == ()
    (change,) = label_changes(results(made, [one(1, "gong"), one(2, "Gong"), one(3)]), tags)
    assert change.added == ("gong",)
