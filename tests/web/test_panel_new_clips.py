"""New recordings in the panel: tagged by what the labelled clips have taught, judged, and labelled by their listeners."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from test_keeping import Sent
from visited import RATE, labelled, sound

from mirdemo.planning.panel import HAND
from mirdemo.planning.panel.answers import Answers, OnClip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.plan.desk import PanelDesk
from mirdemo.web.tabs.plan.panel import PanelTab, _go_on, with_answers
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import run_all
from mirdemo.web.tagging import build
from mirdemo.words.language import speaker


class AtOnce:
    """A wire whose jobs are done when they are started."""

    def __init__(self) -> None:
        self.visitors = Visitors()

    def start(self, visitor, name, work, take, **_):
        take(work(lambda done, total, phase: None))


def wav(kind: str, seed: int, seconds: float) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, sound(kind, seed, seconds).samples, RATE, format="WAV", subtype="FLOAT")
    return out.getvalue()


@pytest.fixture(scope="module")
def results():
    """Of the labelled clips: a probe, and prototypes."""
    visitor, quiet = Visitor(), lambda *told: None
    clips = labelled()
    probed = run_all(clips, (("spectral", False),), visitor.memory, quiet)
    return clips, probed, build(clips, "spectral", "sound", visitor.memory, quiet, whitened=True)


@pytest.fixture
def visitor(results) -> Visitor:
    clips, probed, built = results
    visitor = Visitor()
    visitor.hold(clips)
    visitor.desk(ProbeDesk).result, visitor.desk(FewShotDesk).built = probed, built
    return visitor


@pytest.fixture
def tab() -> PanelTab:
    return PanelTab(AtOnce())


def drop(tab: PanelTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, sent: list[Sent]) -> None:
    monkeypatch.setattr(Act, "uploads", lambda self, key="files": sent)
    tab.new(visitor, Act({}))


def new_files() -> list[Sent]:
    return [
        Sent("evening/a.wav", wav("drum", 40, 1.2)),
        Sent("evening/b.wav", wav("flute", 41, 20.0)),
        Sent("c.wav", wav("drum", 42, 1.2)),
        Sent("d.wav", wav("flute", 43, 1.2)),
        Sent("known.wav", wav("drum", 0, 1.2)),
        Sent("letter.wav", b"no sound"),
    ]


@pytest.mark.parametrize("key", ["as_it_is:spectral", "few_shot:spectral+whitening"])
def test_they_are_tagged_by_either_way_judged_blind_and_become_labels(
    tab: PanelTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, key: str
):
    drop(tab, visitor, monkeypatch, new_files())
    desk, before = visitor.desk(PanelDesk), visitor.clips
    assert sorted(round(clip.seconds) for clip in desk.new.clips) == [1, 1, 1, 15]
    codes = {note.code for _, note in desk.notes}
    assert "panel.new_known" in codes
    assert len(codes) == 2  # and the letter
    html = str(render("panel.html", (t := speaker("en")), tab.show(visitor, t)))
    assert "4 new recordings" in html
    assert "on this server" not in html, "hearing them was not timed"
    tab.choose(visitor, Act({"what": "machine", "value": key}))
    tab.make(visitor, Act({}))
    panel = desk.now.panel
    assert panel.proposers == (key,)
    assert HAND not in panel.proposers
    said = {c.name: {q.tag for q in c.questions if q.by} for c in panel.clips}
    assert (said["a.wav"], said["c.wav"], said["d.wav"]) == ({"drum"}, {"drum"}, {"flute"})
    right = {
        n: OnClip(tuple("right" if q.by else "wrong" for q in c.questions), (), None, 5.0)
        for n, c in enumerate(panel.clips)
    }
    _go_on(visitor, with_answers(desk.now, (Answers(panel.id, "1" * 16, "Aki", clips=right),)))
    tab.label(visitor, Act({}))
    assert len(visitor.clips) == len(before) + 4
    assert visitor.clips.tags_of(len(before)) in (("drum",), ("flute",))
    assert np.array_equal(visitor.clips.labels[: len(before)], before.labels)
    tab.undo(visitor, Act({}))
    assert visitor.clips is before
    tab.drop_new(visitor, Act({}))
    assert not desk.new.clips


def test_taking_the_labels_back_leaves_what_was_tagged_since(
    tab: PanelTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
):
    drop(tab, visitor, monkeypatch, new_files())
    tab.make(visitor, Act({}))
    panel, before = visitor.desk(PanelDesk).now.panel, visitor.clips
    right = {n: OnClip(tuple("right" for _ in c.questions), (), None, 5.0) for n, c in enumerate(panel.clips)}
    _go_on(
        visitor, with_answers(visitor.desk(PanelDesk).now, (Answers(panel.id, "1" * 16, "Aki", clips=right),))
    )
    tab.label(visitor, Act({}))
    visitor.hold(visitor.clips.relabel(len(before), ["mine"]))
    tab.undo(visitor, Act({}))
    assert len(visitor.clips) == len(before) + 1
    assert visitor.clips.tags_of(len(before)) == ("mine",)


def test_those_that_find_no_room_are_named_and_not_counted_as_labelled(
    tab: PanelTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
):
    drop(tab, visitor, monkeypatch, new_files())
    tab.make(visitor, Act({}))
    full = replace(visitor.clips.limits, max_clips=len(visitor.clips) + 1)
    visitor.hold(replace(visitor.clips, limits=full))
    desk, before = visitor.desk(PanelDesk), visitor.clips
    panel = desk.now.panel
    right = {n: OnClip(tuple("right" for _ in c.questions), (), None, 5.0) for n, c in enumerate(panel.clips)}
    _go_on(visitor, with_answers(desk.now, (Answers(panel.id, "1" * 16, "Aki", clips=right),)))
    tab.label(visitor, Act({}))
    assert len(visitor.clips) == len(before) + 1
    assert visitor.notice.sentence.values["n"] == 1
    assert [(note.code, note.values["count"]) for _, note in desk.notes] == [("clips.full", 3)]
    held, past = visitor.clips, len(desk.past)
    tab.label(visitor, Act({}))
    assert visitor.clips is held
    assert len(desk.past) == past, "nothing was labelled, so there is nothing to take back"


def test_a_saved_visit_is_none(tab: PanelTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    from mirdemo.clips.visit import write_visit

    out = io.BytesIO()
    write_visit(out, visitor.clips, {}, {}, [], with_sound=True)
    with pytest.raises(PageError) as refusal:
        drop(tab, visitor, monkeypatch, [Sent("visit.zip", out.getvalue())])
    assert refusal.value.sentence.code == "panel.new_is_visit"
