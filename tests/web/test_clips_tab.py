"""The clips tab: what is prepared while a visitor reads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web import festival, models
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips import tab, table
from mirdemo.web.tabs.clips.desk import ClipsDesk
from mirdemo.words.language import speaker

CLIP = Clip.of(np.sin(np.arange(8_000) / 9).astype(np.float32), 8_000, "taiko")
SET = LabelledClips((CLIP,), ("taiko",), np.ones((1, 1), np.uint8), ("one",))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch):
    """What was made and loaded, in order; the festival is one clip here."""
    settled()  # what a page of an earlier test began would be taken for this one's
    asked: list[str] = []
    monkeypatch.setattr("mirdemo.synth.festival.festival_clips", lambda: asked.append("festival") or SET)
    monkeypatch.setattr(models.SHELF, "take", lambda name, progress: asked.append(name))
    festival._festival_set.cache_clear()
    yield asked
    festival._festival_set.cache_clear()


def settled() -> None:
    """Wait for what pages prepare beside their answers."""
    for thread in threading.enumerate():
        if thread.name in ("mirdemo-festival", "mirdemo-warm-up"):
            thread.join()


def open_clips(visitor: Visitor) -> None:
    """As the page does when the tab comes into sight, to the end of what that begins."""
    wire = Wire(Visitors(), Jobs())
    tab.build(wire)
    wire._openings["clips"](visitor)
    settled()


def test_the_festival_is_made_and_the_backbone_loaded_while_a_visitor_without_clips_reads(asked):
    assert not festival.festival_is_made()
    open_clips(Visitor())
    assert festival.festival_is_made()
    assert sorted(asked) == ["festival", "spectral"]


def test_it_is_made_once_for_all_visitors(asked):
    open_clips(Visitor())
    open_clips(Visitor())
    assert asked.count("festival") == 1


def test_nothing_is_prepared_for_one_who_has_clips(asked):
    visitor = Visitor()
    visitor.hold(SET)
    open_clips(visitor)
    assert asked == []


def test_a_backbone_that_would_have_to_be_fetched_is_not(asked):
    visitor = Visitor()
    visitor.backbone = "mert-95m"
    open_clips(visitor)
    assert asked == ["festival"]


def test_the_table_sorts_by_any_column_and_ranges_follow_what_is_seen():
    desk_tab, visitor = tab.ClipsTab(Wire(Visitors(), Jobs())), Visitor()
    sounds = [
        Clip.of(np.full(800, 0.1 * (i + 1), np.float32), 8000, f"{name}.wav") for i, name in enumerate("bac")
    ]
    visitor.hold(LabelledClips.from_clips(sounds, [["z"], ["y"], ["x"]], ["2", "3", "1"], limits=CLIP_LIMITS))

    def shown() -> str:
        return "".join(row["track"].name[0] for row in desk_tab.show(visitor, speaker("en"))["rows"])

    assert shown() == "bac"
    for column, forwards in (("clip", "abc"), ("tags", "cab"), ("recording", "cba")):
        for expected in (forwards, forwards[::-1], "bac"):
            table.sort(visitor, Act({"column": column}))
            assert shown() == expected
    table.sort(visitor, Act({"column": "clip"}))
    ids = {clip.name[0]: clip.sha256 for clip in visitor.clips.clips}
    table.pick_range(visitor, Act({"from": ids["a"], "clip": ids["b"], "value": "true"}))
    assert visitor.desk(ClipsDesk).picked == {ids["a"], ids["b"]}
    with pytest.raises(PageError):
        table.sort(visitor, Act({"column": "sha"}))
