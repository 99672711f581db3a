"""The listening panel in the Plan tab: made of what was measured, its answers dropped back, every act undone."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from test_plan_tab import visited

from mirdemo.planning import Assumptions
from mirdemo.planning.panel import Answers, Panel, PanelError
from mirdemo.planning.panel.answers import OnClip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.tabs.plan.desk import Listening, PanelDesk, PlanDesk
from mirdemo.web.tabs.plan.panel import KEY, PAGE, WITHIN, PanelTab, download_routes, read_files
from mirdemo.web.tabs.plan.tab import current_plan
from mirdemo.words.language import speaker


class AtOnce:
    """A wire whose jobs are done when they are started."""

    def start(self, visitor, name, work, take, **_):
        take(work(lambda done, total, phase: None))


class Sent:
    """An upload."""

    def __init__(self, folder: Path, name: str, data: str | bytes) -> None:
        self.name, self.path = name, folder / f"{name}.upload"
        self.path.write_bytes(data.encode() if isinstance(data, str) else data)

    def read(self) -> bytes:
        return self.path.read_bytes()

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


@pytest.fixture
def tab() -> PanelTab:
    return PanelTab(AtOnce())


def drawn(tab: PanelTab, visitor, language: str = "en") -> str:
    t = speaker(language)
    return str(render("panel.html", t, tab.show(visitor, t)))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def made(tab: PanelTab, **more):
    visitor = visited(**more)
    tab.make(visitor, Act({}))
    return visitor, visitor.desk(PanelDesk).now.panel


def answered(panel: Panel, visitor, name: str = "Aki", run: int = 1, errs: float = 0.0) -> Answers:
    """By the labels, with some errors."""
    clips, rng = visitor.clips, np.random.default_rng(run)
    row_of = {clip.sha256: row for row, clip in enumerate(clips.clips)}
    given = {}
    for number, clip in enumerate(panel.clips):
        tags = clips.tags_of(row_of[clip.sha256])
        given[number] = OnClip(
            tuple("right" if (q.tag in tags) != (rng.random() < errs) else "wrong" for q in clip.questions),
            (),
            None,
            8.0,
        )
    return Answers(panel.id, str(run), name, clips=given)


def drop(tab: PanelTab, visitor, monkeypatch, tmp_path, **files) -> None:
    sent = [Sent(tmp_path, name, data) for name, data in files.items()]
    monkeypatch.setattr(Act, "uploads", lambda self, key="files": sent)
    tab.answers(visitor, Act({}))
    assert not any(one.path.exists() for one in sent)


def test_without_anything_measured_there_is_no_panel(tab: PanelTab):
    from mirdemo.web.frame.session import Visitor

    assert "panel.make" not in drawn(tab, Visitor())
    with pytest.raises(PanelError):
        tab.make(Visitor(), Act({}))


def test_before_it_is_made_the_page_says_what_the_file_holds(tab: PanelTab):
    html = drawn(tab, visited())
    assert 'data-act="panel.make"' in html
    assert "The file will hold the sound of 12 clips (about 0." in plain(html)
    assert "no names of files" in plain(html)


def test_labels_and_two_backbones_are_in_it_blind(tab: PanelTab):
    visitor = visited(backbones=("spectral", "mini-west"))
    tab.choose(visitor, Act({"what": "beside", "value": "as_it_is:mini-west"}))
    tab.choose(visitor, Act({"what": "most", "value": "5"}))
    tab.make(visitor, Act({}))
    now = visitor.desk(PanelDesk).now
    assert now.panel.proposers == ("as_it_is:spectral", "as_it_is:mini-west", "hand")
    assert len(now.panel.clips) == len(now.clips) == 5
    assert "spectral" not in now.page
    assert ".wav" not in now.page
    with pytest.raises(PageError):
        tab.choose(visitor, Act({"what": "machine", "value": "as_it_is:nobody"}))
    with pytest.raises(PageError):
        tab.choose(visitor, Act({"what": "most", "value": "61"}))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_answers_give_results_seconds_and_disagreements_to_hear(
    tab: PanelTab, monkeypatch, tmp_path, language: str
):
    visitor, panel = made(tab)
    two = [answered(panel, visitor, name, run, 0.2) for run, name in enumerate(("<b>Aki</b>", "花子"), 1)]
    drop(tab, visitor, monkeypatch, tmp_path, **{f"a{i}.json": one.as_json() for i, one in enumerate(two)})
    html = drawn(tab, visitor, language)
    assert "&lt;b&gt;Aki" in html
    assert "<b>Aki" not in html
    assert 'data-key="panel-tags-0"' in html
    assert "differ-" in html
    assert "data-play" in html
    assert html.count('data-act="panel.remove"') == 2
    measured = visitor.desk(PanelDesk).listeners.measured()
    assert measured
    assert visitor.desk(PlanDesk).assumptions.accept_seconds == measured["accept_seconds"]
    plan = current_plan(visitor)
    assert plan.listeners.names == ("<b>Aki</b>", "花子")
    assert current_plan(visitor) is plan


def test_every_file_that_is_none_is_named_and_the_others_count(tab: PanelTab, monkeypatch, tmp_path):
    visitor, panel = made(tab)
    good = answered(panel, visitor)
    other = replace(good, panel="f" * 16)
    changed = good.as_json().replace("Aki", "Eki")
    drop(
        tab, visitor, monkeypatch, tmp_path,
        **{"good.json": good.as_json(), "twice.json": good.as_json(), "letter.txt": "Dear all", "other.json": other.as_json(),
           "edited.json": changed, "huge.json": b"x" * 5_000_000, "old.json": '{"format": "mirdemo-answers-0"}'},
    )  # fmt: skip
    desk = visitor.desk(PanelDesk)
    assert [one.listener for one in desk.now.answers] == ["Aki"]
    assert {name: note.code for name, note in desk.notes} == {
        "twice.json": "panel.sent_twice",
        "letter.txt": "panel.no_answers",
        "other.json": "panel.other_panel",
        "edited.json": "panel.answers_changed",
        "huge.json": "panel.answers_large",
        "old.json": "panel.answers_version",
    }
    assert "letter.txt" in plain(drawn(tab, visitor, "ja"))
    before = desk.now
    drop(tab, visitor, monkeypatch, tmp_path, **{"letter.txt": "Dear all"})
    assert desk.now is before


def test_every_act_can_be_taken_back(tab: PanelTab, monkeypatch, tmp_path):
    visitor, panel = made(tab)
    drop(tab, visitor, monkeypatch, tmp_path, **{"a.json": answered(panel, visitor, errs=0.4).as_json()})
    desk, clips = visitor.desk(PanelDesk), visitor.clips
    heard = desk.now
    tab.label(visitor, Act({}))
    assert not np.array_equal(visitor.clips.labels, clips.labels)
    tab.undo(visitor, Act({}))
    assert visitor.clips is clips
    assert desk.now is heard
    tab.remove(visitor, Act({"run": "1"}))
    assert desk.now.answers == ()
    assert desk.listeners is None
    tab.undo(visitor, Act({}))
    assert desk.now.answers == heard.answers
    tab.undo(visitor, Act({}))
    assert desk.now.answers == ()
    assert visitor.desk(PlanDesk).assumptions == Assumptions()
    tab.undo(visitor, Act({}))
    assert desk.now.panel is None
    with pytest.raises(PageError):
        tab.undo(visitor, Act({}))


def test_taking_back_leaves_what_was_done_elsewhere_since(tab: PanelTab, monkeypatch, tmp_path):
    visitor, panel = made(tab)
    assumed, clips = visitor.desk(PlanDesk), visitor.clips
    drop(tab, visitor, monkeypatch, tmp_path, **{"a.json": answered(panel, visitor, errs=0.4).as_json()})
    tab.label(visitor, Act({}))
    changed = [row for row in range(len(clips)) if clips.tags_of(row) != visitor.clips.tags_of(row)]
    visitor.hold(visitor.clips.relabel(changed[0], ["mine"]).remove([changed[1]]))
    assumed.assumptions = replace(assumed.assumptions, recordings=777)
    for _ in ("label", "answers", "make"):
        tab.undo(visitor, Act({}))
    assert assumed.assumptions == replace(Assumptions(), recordings=777)
    rows = {clip.sha256: row for row, clip in enumerate(visitor.clips.clips)}
    assert len(rows) == len(clips) - 1
    for row, clip in enumerate(clips.clips):
        if row != changed[1]:
            expected = ["mine"] if row == changed[0] else clips.tags_of(row)
            assert set(visitor.clips.tags_of(rows[clip.sha256])) == set(expected)


def test_labels_are_what_listeners_said(tab: PanelTab, monkeypatch, tmp_path):
    visitor, panel = made(tab)
    drop(tab, visitor, monkeypatch, tmp_path, **{"a.json": answered(panel, visitor).as_json()})
    with pytest.raises(PageError):  # they said what the labels say
        tab.label(visitor, Act({}))


def test_on_another_day_the_key_brings_the_panel_back(tab: PanelTab, monkeypatch, tmp_path):
    visitor, panel = made(tab)
    answers = answered(panel, visitor).as_json()
    later = visited()
    drop(tab, later, monkeypatch, tmp_path, **{"a.json": answers})
    assert [note.code for _, note in later.desk(PanelDesk).notes] == ["panel.key_first"]
    drop(tab, later, monkeypatch, tmp_path, **{"a.json": answers, "zz-key.json": panel.as_json()})
    now = later.desk(PanelDesk).now
    assert now.panel == panel
    assert len(now.answers) == 1
    assert len(now.clips) == len(panel.clips)  # the same clips are here again, so that they are heard
    assert now.page is None


def test_the_page_and_the_key_are_their_visitors_alone(tab: PanelTab):
    visitors = Visitors()
    visitor, other = visitors.arrive(None, "a"), visitors.arrive(None, "b")
    client = TestClient(Starlette(routes=download_routes(visitors)))
    assert client.get(f"/plan/{visitor.sounds.key}/{PAGE}").status_code == 404
    source, panel = made(tab)
    visitor.desk(PanelDesk).now = source.desk(PanelDesk).now
    page = client.get(f"/plan/{visitor.sounds.key}/{PAGE}")
    assert panel.id in page.text
    assert "attachment" in page.headers["content-disposition"]
    assert Panel.from_json(client.get(f"/plan/{visitor.sounds.key}/{KEY}").content) == panel
    assert client.get(f"/plan/{other.sounds.key}/{KEY}").status_code == 404
    within = client.get(f"/plan/{visitor.sounds.key}/{WITHIN}?language=ja&theme=<b>")
    assert '<html lang="ja">' in within.text
    assert f"../../listen/{visitor.sounds.key}/{panel.clips[0].sha256}" in within.text
    assert within.headers["content-security-policy"].startswith("frame-ancestors 'self'")
    assert "content-disposition" not in within.headers
    assert client.get(f"/plan/{other.sounds.key}/{WITHIN}").status_code == 404


def test_it_is_heard_here_and_sent_where_its_clips_are_here_whoever_made_it(tab: PanelTab):
    visitor, panel = made(tab)
    assert "data-listen=" in drawn(tab, visitor)
    desk = visitor.desk(PanelDesk)
    desk.now = replace(desk.now, page=None)  # as read from its key
    assert "data-listen=" in drawn(tab, visitor)
    assert f"/{PAGE}?" in drawn(tab, visitor)
    visitors = Visitors()
    other = visitors.arrive(None, "a")
    other.desk(PanelDesk).now = desk.now
    sent = TestClient(Starlette(routes=download_routes(visitors))).get(f"/plan/{other.sounds.key}/{PAGE}")
    assert panel.id in sent.text
    desk.now = replace(desk.now, clips=desk.now.clips[1:])
    assert "data-listen=" not in drawn(tab, visitor)
    assert f"/{PAGE}?" not in drawn(tab, visitor)


def test_a_lost_upload_is_named(tmp_path):
    class Lost(Sent):
        @property
        def path(self):
            raise PageError(
                "The upload of {name} was lost. Send it again.", code="page.upload_lost", name="a"
            )

        @path.setter
        def path(self, value):
            pass

        def __init__(self) -> None:
            self.name = "a.json"

        def delete(self) -> None:
            pass

    before = Listening()
    now, notes = read_files([Lost()], before, ())
    assert now is before
    assert [note.code for _, note in notes] == ["page.upload_lost"]
