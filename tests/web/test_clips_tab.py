"""The clips tab: what is prepared while a visitor reads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web import models
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips import tab

CLIP = Clip.of(np.sin(np.arange(8_000) / 9).astype(np.float32), 8_000, "taiko")
SET = LabelledClips((CLIP,), ("taiko",), np.ones((1, 1), np.uint8), ("one",))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch):
    """What was made and loaded, in order; the festival is one clip here."""
    asked: list[str] = []
    monkeypatch.setattr("mirdemo.synth.festival.festival_clips", lambda: asked.append("festival") or SET)
    monkeypatch.setattr(models.SHELF, "take", lambda name, progress: asked.append(name))
    tab._festival_set.cache_clear()
    yield asked
    tab._festival_set.cache_clear()


def open_clips(visitor: Visitor) -> None:
    """As the page does when the tab comes into sight, to the end of what that begins."""
    wire = Wire(Visitors(), Jobs())
    tab.build(wire)
    wire._openings["clips"](visitor)
    for thread in threading.enumerate():
        if thread.name in ("mirdemo-festival", "mirdemo-warm-up"):
            thread.join(10)


def test_the_festival_is_made_and_the_backbone_loaded_while_a_visitor_without_clips_reads(asked):
    assert not tab.festival_is_made()
    open_clips(Visitor())
    assert tab.festival_is_made()
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
