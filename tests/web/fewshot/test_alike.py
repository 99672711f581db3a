"""More like this: the nearest windows of clips and open recordings, played and tagged where they stand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from few_shot_sounds import RATE, sound

from mirdemo.sound.audio import Clip
from mirdemo.sound.long import long_of
from mirdemo.web.alike import AlikeDesk, Place
from mirdemo.web.tabs.clips.long import LongDesk
from mirdemo.web.tabs.fewshot import alike
from mirdemo.web.tabs.fewshot.alike import apart
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tagging import answer


@pytest.fixture
def procession() -> Clip:
    parts = [sound("drum", 31, 20.0), sound("flute", 32, 20.0), sound("drum", 33, 20.0)]
    return Clip.of(np.concatenate([one.samples for one in parts]), RATE, "procession.wav")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """This server knows that it hears fast."""
    monkeypatch.setattr(alike, "expected_of", lambda backbone, seconds: 0.001 * sum(seconds))


def names(visitor) -> list[str]:
    at = {clip.sha256: clip.name for clip in visitor.clips.clips}
    return [at.get(one.of, "long") for one in visitor.desk(AlikeDesk).places]


def test_a_clip_finds_its_kind_first_and_never_itself(do, visitor):
    drum = visitor.clips.clips[0]
    html = do("alike.find", clip=drum.sha256)
    found = names(visitor)
    assert drum.name not in found
    assert {name.split()[0] for name in found[:2]} == {"drum"}
    assert len(found) == len(visitor.clips) - 1
    cosines = [one.cosine for one in visitor.desk(AlikeDesk).places]
    assert cosines == sorted(cosines, reverse=True)
    assert "<b>buzz" not in html


def test_an_answer_shows_its_list_and_what_was_found_takes_its_tag_in_one_act(do, visitor):
    do("few-shot.build")
    desk = visitor.desk(FewShotDesk)
    query = sound("flute", 40)
    desk.answers = [answer(desk.built, query, visitor.memory, lambda *_: None)]
    html = do("alike.find", answer=query.sha256)
    assert html.count('class="alike"') == 1
    assert 'data-act="alike.tag"' in html
    first = visitor.desk(AlikeDesk).places[0]
    assert first.said == ("flute",)
    both = next(row for row, clip in enumerate(visitor.clips.clips) if clip.name == "both.wav")
    id = visitor.clips.clips[both].sha256
    place = next(i for i, one in enumerate(visitor.desk(AlikeDesk).places) if one.clip == id)
    number = visitor.desk(AlikeDesk).number
    assert f'data-place="{number}-{place}" data-value="flute"' in html
    html = do("alike.tag", place=f"{number}-{place}", value="flute")
    assert visitor.clips.tags_of(both) == ("flute",)
    assert f'data-place="{number}-{place}" data-value="flute"' not in html
    do("page.undo")
    assert visitor.clips.tags_of(both) == ()
    do("alike.tag", place=f"{number}-{place}", value=" ")
    assert visitor.notice.sentence.code == "page.no_tag_typed"
    do("alike.tag", place="0-0", value="x")
    assert visitor.notice.sentence.code == "page.no_such_choice"
    assert 'class="alike"' not in do("alike.close")


def test_a_moment_of_a_long_recording_finds_the_others_of_it_and_a_tag_makes_a_clip(
    do, visitor, procession, quick
):
    one = visitor.desk(LongDesk).add(long_of(procession))
    (id,) = visitor.desk(LongDesk).open
    do("alike.find", long=id, at="5")
    desk = visitor.desk(AlikeDesk)
    (span,) = [desk.asked.span]
    own = [place for place in desk.places if place.of is one.sound]
    assert own
    for place in own:
        overlap = min(place.end, span[1]) - max(place.start, span[0])
        assert overlap <= (place.end - place.start) / 2, "what was asked about is no answer"
    ordered = sorted((place.start, place.end) for place in own)
    assert all(b[0] > a[1] for a, b in pairwise(ordered)), "no two that touch"
    best = own[0]
    assert best.start >= 39 or best.end <= 21, "a drum, not the flute between"
    index = desk.places.index(best)
    do("alike.tag", place=f"{desk.number}-{index}", value="drum")
    made = visitor.clips.clips[-1]
    assert (made.name, visitor.clips.recordings[-1]) == ("procession.wav", "procession")
    assert made.start_seconds == pytest.approx(best.start)
    assert desk.places[index].clip == made.sha256
    do("alike.find", long=id, at="5")
    others = [place for place in desk.places if place.of is one.sound]
    assert all(abs(place.start - best.start) > 0.1 for place in others), "it is a clip now"
    assert made.sha256 in [place.clip for place in desk.places]


def test_what_takes_long_is_searched_only_when_that_is_asked_for(do, visitor, procession, monkeypatch):
    monkeypatch.setattr(alike, "expected_of", lambda backbone, seconds: 4.0 * sum(seconds))
    one = visitor.desk(LongDesk).add(long_of(procession))
    (id,) = visitor.desk(LongDesk).open
    do("alike.find", long=id, start="1", end="4")
    desk = visitor.desk(AlikeDesk)
    assert desk.asked.span == (1.0, 4.0)
    assert desk.unheard == (one.sound,)
    assert all(isinstance(place.of, str) for place in desk.places)
    do("alike.more")
    assert desk.unheard == ()
    assert any(place.of is one.sound for place in desk.places)
    do("alike.find", clip=visitor.clips.clips[0].sha256)
    assert desk.unheard == (), "its rows are there"
    assert any(place.of is one.sound for place in desk.places)
    assert visitor.held_bytes() > visitor.sounds.held_bytes()
    visitor.desk(LongDesk).open = {}
    html = do("alike.find", clip=visitor.clips.clips[0].sha256)
    assert desk.rows == {}
    assert "procession" not in html


def test_rows_of_a_long_answer_are_there_already(do, visitor, procession):
    visitor.desk(LongDesk).add(long_of(procession))
    (id,) = visitor.desk(LongDesk).open
    do("few-shot.long", long=id)
    (answered,) = visitor.desk(FewShotDesk).long
    html = do("alike.find", long=answered, at="30", moment="true")
    desk = visitor.desk(AlikeDesk)
    assert desk.unheard == ()
    assert desk.asked.tags == ("flute",)
    assert any(not isinstance(place.of, str) for place in desk.places)
    assert "sound.wav#t=" in html
    do("alike.find", long=answered, at="", moment="true")
    assert visitor.notice.sentence.code == "page.no_moment"


def test_of_a_clip_its_nearest_window_alone_and_of_a_recording_none_that_touch():
    long = object()
    places = [
        Place("a", 0, 5, 0, None),
        Place("a", 5, 10, 0, None),
        Place(long, 0, 5, 0, None),
        Place(long, 5, 10, 0, None),
        Place(long, 10, 15, 0, None),
        Place(long, 20, 25, 0, None),
    ]
    cosines = np.array([0.5, 0.9, 0.8, 0.95, 0.7, 0.6], np.float32)
    assert apart(cosines, places, {}, 10) == [3, 1, 5]
    assert apart(cosines, places, {long: [(4.0, 11.0)]}, 10) == [1, 2, 4, 5]
    assert apart(cosines, places, {}, 2) == [3, 1]
