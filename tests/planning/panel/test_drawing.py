"""Drawing a panel: what is asked, what is hidden, and its key."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from paneled import TAGS, clips, panel, recordings, tagger, truth

from mirdemo.planning.panel import HAND, Panel, PanelError, Proposer, draw
from mirdemo.planning.panel.drawing import MOST_QUESTIONS
from mirdemo.words.language import speaker


def test_every_proposed_tag_is_asked_beside_as_many_decoys():
    made, names = panel(), [clip.sha256 for clip in clips()]
    for clip in made.clips:
        row = names.index(clip.sha256)
        proposed = {TAGS[j] for j in range(len(TAGS)) if tagger().said[row, j] or truth()[row, j]}
        asked = {question.tag: question.by for question in clip.questions}
        assert {tag for tag, by in asked.items() if by} == proposed
        decoys = [tag for tag, by in asked.items() if not by]
        assert len(decoys) == min(max(len(proposed), 1), len(TAGS) - len(proposed))
        assert len(clip.questions) == len(asked)
        for tag, by in asked.items():
            assert ("few_shot:spectral" in by) == bool(tagger().said[row, TAGS.index(tag)])
            assert (HAND in by) == bool(truth()[row, TAGS.index(tag)])


def test_orders_are_random_and_proposals_stand_nowhere_in_particular():
    first = [panel(seed=seed).clips[0].questions[0] for seed in range(40)]
    assert 8 < sum(bool(question.by) for question in first) < 36
    assert len({panel(seed=seed).clips[0].sha256 for seed in range(20)}) > 5
    assert panel(seed=3) == panel(seed=3)


def test_recordings_take_turns():
    heard = Counter(clip.recording for clip in panel(most=8).clips)
    assert max(heard.values()) - min([*heard.values(), *[0] * (6 - len(heard))]) <= 1


def test_what_listeners_get_tells_nothing_of_files_backbones_or_machines():
    made = panel(two=True)
    told = json.dumps(made.asked())
    for secret in (
        "secret",
        "evening",
        "spectral",
        "mini",
        "hand",
        "by",
        "sha",
        *(c.sha256 for c in made.clips),
    ):
        assert secret not in told


def test_two_taggers_are_described_side_by_side_in_random_order_where_they_differ():
    made, names = panel(two=True), [clip.sha256 for clip in clips()]
    said = {"few_shot:spectral": tagger().said, "few_shot:mini-world": tagger("", 0.6, seed=3).said}
    firsts = set()
    for clip in made.clips:
        row = names.index(clip.sha256)
        differ = (said["few_shot:spectral"][row] != said["few_shot:mini-world"][row]).any()
        assert bool(clip.sides) == differ
        for key, tags in clip.sides:
            assert set(tags) == {TAGS[j] for j in np.flatnonzero(said[key][row])}
        firsts |= {clip.sides[0][0]} if clip.sides else set()
    assert len(firsts) == 2


def test_a_clip_of_many_tags_is_asked_about_some():
    tags = [f"t{j}" for j in range(40)]
    made = draw(clips(2), ["a", "b"], tags, [Proposer("x", np.ones((2, 40)) * (np.arange(40) < 20))])
    assert all(len(clip.questions) == MOST_QUESTIONS for clip in made.clips)
    assert all(sum(bool(q.by) for q in clip.questions) == MOST_QUESTIONS // 2 for clip in made.clips)


def test_one_tag_on_every_clip_still_makes_a_panel():
    made = draw(clips(2), ["a", "b"], ["only"], [Proposer("x", np.ones((2, 1)))])
    assert made.n_questions == 2


@pytest.mark.parametrize("proposers", [[], [Proposer(HAND, truth())]], ids=["nobody", "labels alone"])
def test_without_a_tagger_there_is_nothing_to_ask(proposers):
    with pytest.raises(PanelError):
        draw(clips(), recordings(), TAGS, proposers)


@pytest.mark.parametrize("most", [0, 61])
def test_a_panel_has_a_size(most: int):
    with pytest.raises(PanelError):
        panel(most=most)


def test_the_key_is_read_as_it_was_saved():
    made = panel(two=True)
    assert Panel.from_json(made.as_json()) == made
    assert Panel.from_json(made.as_json().encode()) == made


def edited(change) -> str:
    plain = json.loads(panel(two=True).as_json())
    change(plain)
    return json.dumps(plain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        b"\xff\xfe",
        "x" * 5_000_000,
        edited(lambda p: p.update(format="mirdemo-panel-9")),
        edited(lambda p: p.update(format="mirdemo-answers-1")),
        edited(lambda p: p.update(id="0" * 16)),
        edited(lambda p: p.update(clips=[])),
        edited(lambda p: p.update(clips=4)),
        edited(lambda p: p["clips"].reverse()),
        edited(lambda p: p["clips"][0]["questions"][0].update(by=["few_shot:other"])),
        edited(lambda p: p["clips"][0]["questions"][0].update(tag=7)),
        edited(lambda p: p["clips"][0].update(seconds="long")),
        edited(lambda p: p["clips"][0].update(name="x" * 1000)),
    ],
)
def test_what_is_no_key_is_a_sentence(text):
    with pytest.raises(PanelError) as refusal:
        Panel.from_json(text)
    assert str(speaker("ja").say(refusal.value.sentence)) != str(refusal.value)
