"""A visit taken home and brought back: the page looks the same, or nothing has changed; and what is undone."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
from visited import labelled, saved, sound, visited
from waiting import until
from wired import whole_page

from mirdemo.base.plain import Plain
from mirdemo.clips import LabelledClips
from mirdemo.clips.visit import read_visit
from mirdemo.planning import Assumptions
from mirdemo.web.frame import keeping, session
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips.desk import ClipsDesk
from mirdemo.web.tabs.clips.reading import read_uploads
from mirdemo.web.tabs.clips.visits import VisitDesk, download_route
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.plan.desk import PanelDesk
from mirdemo.web.tabs.plan.tab import PlanDesk
from mirdemo.web.tabs.probe.desk import ProbeDesk


@pytest.fixture(scope="module")
def wire() -> Wire:
    """The whole page's."""
    return whole_page()


@pytest.fixture(scope="module")
def worked() -> Visitor:
    return visited()


def drawn(wire: Wire, visitor: Visitor, language: str) -> dict[str, str]:
    visitor.language = language
    mine = [name for name in wire.views.all if not name.startswith(("evidence", "about"))]
    return {name: wire.views.rendered(name, visitor).replace(visitor.sounds.key, "KEY") for name in mine}


def current(visitor: Visitor) -> bool:
    """Whether the probe's answer is of the clips as they are, though they have not been listened to yet."""
    assert not visitor.clips.listened
    return visitor.desk(ProbeDesk).result.asked.is_about(visitor.clips)


def done(visitor: Visitor, job: str) -> None:
    until(lambda: not visitor.jobs[job].active)
    assert visitor.jobs[job].state == "done", visitor.jobs[job].error


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_looks_the_same_after_opening_elsewhere(wire: Wire, worked: Visitor, language: str):
    other = Visitor()
    wire.keeping.restore(other, read_visit(saved(wire, worked)), wire.draw_all)
    assert current(other)
    other.clips.hear(worked.clips.heard)  # as the page does as soon as it is there
    before, after = drawn(wire, worked, language), drawn(wire, other, language)
    for view, text in before.items():
        assert after[view] == text, view
    assert "page.broken" not in after
    assert other.desk(PlanDesk).assumptions.recordings == 321
    mine, theirs = worked.desk(PanelDesk).now, other.desk(PanelDesk).now
    assert (theirs.panel, theirs.answers) == (mine.panel, mine.answers)
    assert theirs.all_here
    assert other.desk(PanelDesk).new.clips[0].sha256 == worked.desk(PanelDesk).new.clips[0].sha256
    assert other.clips.heard.different == worked.clips.heard.different != frozenset()
    assert other.desk(FewShotDesk).answers[0].built.clips is other.clips


def test_reports_are_told_as_json_that_others_read(wire: Wire, worked: Visitor):
    with zipfile.ZipFile(io.BytesIO(saved(wire, worked))) as archive:
        probe = json.loads(archive.read("results/probe.json"))
        plan = json.loads(archive.read("results/plan.json"))
    _, runs = probe["result"]["of"]
    first = runs["of"][0]["report"]["tags"]["of"][0]
    figure = worked.desk(ProbeDesk).result.runs[0].report.tags[0].figures.roc_auc
    assert first["tag"] == "drum"
    assert (first["figures"]["roc_auc"]["value"], first["figures"]["roc_auc"]["n"]) == (
        figure.value,
        figure.n,
    )
    assert plan["assumptions"]["recordings"] == 321


def test_every_kind_that_is_kept_says_of_what_types_its_parts_are(wire: Wire):
    """Else a forged part of another type would not be noticed."""
    for keeper in wire.keeping._keepers.values():
        plain = Plain(keeper.kinds(), keeper.coders())
        named = {kind.__name__ for kind in keeper.kinds()}
        for kind in keeper.kinds():
            hints = plain._hints(kind)
            assert hints
            for name, hint in hints.items():
                known = hint is not None and str(hint) != "typing.Any"
                told = [f.type for f in fields(kind) if f.name == name] if is_dataclass(kind) else []
                assert known or told == ["Any"], (kind, name, named)
    assert get_type_hints(Plain.make)


def test_without_sound_the_results_come_back_with_the_files(wire: Wire, worked: Visitor):
    visit = read_visit(saved(wire, worked, with_sound=False))
    queries = [one.clip for one in worked.desk(FewShotDesk).answers] + list(worked.desk(PanelDesk).new.clips)
    other = Visitor()
    wire.keeping.restore(other, visit.found_among([*worked.clips.clips, *queries]), wire.draw_all)
    other.clips.hear(worked.clips.heard)
    assert drawn(wire, other, "en") == drawn(wire, worked, "en")


def forge(data: bytes, name: str, old: str, new: str) -> bytes:
    import hashlib

    from mirdemo.base.manifests import checksum

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as was, zipfile.ZipFile(out, "w") as now:
        files = {one: was.read(one) for one in was.namelist()}
        text = files[name].decode()
        assert old in text
        files[name] = text.replace(old, new, 1).encode()
        manifest = json.loads(files["visit.json"])
        manifest["files"][name]["sha256"] = hashlib.sha256(files[name]).hexdigest()
        manifest["checksum"] = checksum(manifest)
        files["visit.json"] = json.dumps(manifest).encode()
        for one, content in files.items():
            now.writestr(one, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("results/probe.json", '"$": "Run"', '"$": "Popen"'),
        ("results/probe.json", '"backbone": "spectral"', '"backbone": "no-such-model"'),
        ("results/probe.json", '"n_clips": 8', '"n_clips": "<script>"'),
        ("results/probe.json", '"verdict": "', '"verdict": "x'),
        ("results/probe.json", '"sort"', '"sorted"'),
        ("results/few-shot.json", '"layer": "sound"', '"layer": "gone"'),
        ("results/few-shot.json", '"asked": 1', '"asked": []'),
        ("results/plan.json", '"recordings": 321', '"recordings": -1'),
        ("results/plan.json", '"assumptions"', '"assumed"'),
        ("results/panel.json", '\\"by\\": [\\"as_it_is:spectral\\"]', '\\"by\\": []'),
        ("results/panel.json", '\\"listener\\": \\"Aki', '\\"listener\\": \\"Eki'),
        ("results/panel.json", '"most": 7', '"most": "7"'),
        ("results/panel.json", '"answers"', '"answered"'),
        ("results/clips.json", '"different": [', '"different": ["'.replace('["', '7, "x": [')),
    ],
)
def test_forged_results_are_refused_and_nothing_is_half_restored(
    wire: Wire, worked: Visitor, name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
):
    why = []
    monkeypatch.setattr(keeping.log, "warning", lambda said, **more: why.append(sys.exception()))
    visit = read_visit(forge(saved(wire, worked), name, old, new))
    other = Visitor()
    other.hold(LabelledClips.from_clips([sound("drum", 50)], [["mine"]]))
    other.desk(PlanDesk).assumptions = Assumptions(recordings=7)
    clips, desk = other.clips, other.desk(PlanDesk)
    with pytest.raises(session.PageError) as refused:
        wire.keeping.restore(other, visit, wire.draw_all)
    assert refused.value.sentence.code == "page.visit_does_not_fit"
    assert why == [refused.value.__cause__], "whoever hosts the page cannot find out what does not fit"
    assert other.clips is clips
    assert other.desk(PlanDesk) is desk
    assert other.sounds.mp3(clips.clips[0].sha256)


# ---- acts -----------------------------------------------------------------------------------------------


def do(wire: Wire, visitor: Visitor, act: str, **more) -> None:
    wire._do(visitor, Act({"act": act, **more}), "page")


def test_a_visit_is_saved_and_fetched_by_its_visitor_only(wire: Wire, worked: Visitor):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    visitors = wire.visitors
    visitor = visitors.arrive(None, "p1")
    visitor.hold(labelled())
    do(wire, visitor, "visit.save", sound="true")
    done(visitor, "visit-save")
    client = TestClient(Starlette(routes=[download_route(visitors)]))
    got = client.get(f"/clips/{visitor.sounds.key}/visit.zip")
    assert got.status_code == 200
    assert "mirdemo-visit-" in got.headers["content-disposition"]
    assert "no-store" in got.headers["cache-control"]
    assert read_visit(got.content).labelled().tags == ("drum", "flute")
    other = visitors.arrive(None, "p2")
    assert client.get(f"/clips/{other.sounds.key}/visit.zip").status_code == 404
    visitor.desk(VisitDesk).ready.drop()
    assert client.get(f"/clips/{visitor.sounds.key}/visit.zip").status_code == 404


def test_a_visit_that_could_not_be_opened_again_is_not_saved(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    from mirdemo.web.tabs.clips import visits

    monkeypatch.setattr(visits, "LIMITS", replace(visits.LIMITS, upload_bytes=20_000))
    visitor = Visitor()
    do(wire, visitor, "visit.save", sound="true")
    assert visitor.notice.sentence.code == "page.visit_empty"
    visitor.hold(labelled())
    do(wire, visitor, "visit.save", sound="true")
    while visitor.jobs["visit-save"].active:
        time.sleep(0.02)
    assert visitor.jobs["visit-save"].error.code == "page.visit_too_big"
    do(wire, visitor, "visit.save", sound="false")
    done(visitor, "visit-save")
    assert visitor.desk(VisitDesk).ready.bytes < 20_000


class Sent:
    """An upload that is in memory."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self._content = name, content

    def read(self) -> bytes:
        return self._content

    def delete(self) -> None:
        pass


def test_a_visit_among_other_files_or_twice_is_refused(wire: Wire, worked: Visitor, tmp_path: Path):
    data, quiet = saved(wire, worked), lambda *told: None
    for sent in (
        [Sent("v.zip", data), Sent("v2.zip", data)],
        [Sent("v.zip", data), Sent("a.wav", b"RIFF")],
    ):
        with pytest.raises(session.PageError) as refused:
            read_uploads(sent, "", quiet)
        assert refused.value.sentence.code == "page.visit_alone"
    unpacked = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = [Sent(f"my visit/{name}", archive.read(name)) for name in archive.namelist()]
    assert read_uploads(unpacked, "", quiet).missing == ()  # some browsers unpack what they save


def test_files_for_a_visit_without_sound_open_it_when_all_are_there(wire: Wire, worked: Visitor):
    visits = next(h.__self__ for name, h in wire._handlers.items() if name == "visit.save")
    visitor, clips = Visitor(), worked.clips.clips
    assert not visits.arrived(visitor, read_visit(saved(wire, worked, with_sound=False)))
    assert visitor.notice.sentence.values == {"n": 8}
    assert visits.sounds_arrived(visitor, clips[:3])
    assert (len(visitor.clips), visitor.notice.sentence.values["left"]) == (0, 5)
    assert not visits.sounds_arrived(visitor, (sound("drum", 77),))
    assert "waiting-visit" in drawn(wire, visitor, "ja")["clips"]
    do(wire, visitor, "visit.give_up")
    assert "waiting-visit" not in drawn(wire, visitor, "ja")["clips"]
    visitor.take_back_last()
    assert "waiting-visit" in drawn(wire, visitor, "ja")["clips"]
    do(wire, visitor, "visit.go_on")
    assert len(visitor.clips) == 3
    assert not visits.arrived(visitor, read_visit(saved(wire, worked, with_sound=False)))  # three are here
    assert visits.sounds_arrived(visitor, clips[3:])
    assert visitor.clips.tags == worked.clips.tags
    assert len(visitor.clips) == 8


# ---- undo -----------------------------------------------------------------------------------------------


def as_told(clips: LabelledClips) -> tuple:
    return (
        [c.sha256 for c in clips.clips],
        clips.tags,
        clips.labels.tolist(),
        clips.recordings,
        clips.sessions,
    )


@pytest.mark.parametrize(
    ("act", "more"),
    [
        ("clips.remove", {"clip": 0}),
        ("clips.untag", {"clip": 0, "tag": "drum"}),
        ("clips.rename", {"tag": "drum", "value": "flute"}),
        ("clips.clear", {}),
        ("clips.remove_picked", {}),
        ("clips.tag_picked", {"value": "new"}),
        ("clips.record_picked", {"value": "one"}),
        ("clips.session_picked", {"value": "one"}),
        ("clips.part_picked", {}),
    ],
)
def test_what_deletes_or_changes_many_can_be_taken_back(wire: Wire, act: str, more: dict):
    visitor = Visitor()
    visitor.hold(labelled().set_recording([0, 1], "same"))
    ids = [clip.sha256 for clip in visitor.clips.clips]
    do(wire, visitor, "clips.pick", clip=ids[0], value="true")
    do(wire, visitor, "clips.pick_range", **{"from": ids[0], "clip": ids[2], "value": "true"})
    assert visitor.desk(ClipsDesk).picked == set(ids[:3])
    before = as_told(visitor.clips)
    more = {key: ids[value] if key == "clip" else value for key, value in more.items()}
    do(wire, visitor, act, **more)
    assert as_told(visitor.clips) != before
    assert visitor.notice.can_undo
    do(wire, visitor, "page.undo")
    assert as_told(visitor.clips) == before
    assert visitor.sounds.mp3(ids[0])
    do(wire, visitor, "page.undo")
    assert visitor.notice.sentence.code == "page.undo_too_late"


def test_an_answer_and_a_run_that_were_removed_come_back(wire: Wire, worked: Visitor):
    answers, result = worked.desk(FewShotDesk).answers, worked.desk(ProbeDesk).result
    do(wire, worked, "few-shot.forget", clip=answers[0].clip.sha256)
    assert worked.desk(FewShotDesk).answers == []
    do(wire, worked, "page.undo")
    assert worked.desk(FewShotDesk).answers == answers
    do(wire, worked, "probe.drop", run="spectral")
    assert worked.desk(ProbeDesk).result is None
    do(wire, worked, "page.undo")
    assert worked.desk(ProbeDesk).result is result


def test_assumptions_and_new_recordings_that_were_put_away_come_back(wire: Wire, worked: Visitor):
    plan, panel = worked.desk(PlanDesk), worked.desk(PanelDesk)
    before, new = plan.assumptions, panel.new
    do(wire, worked, "plan.reset")
    assert plan.assumptions == Assumptions() != before
    do(wire, worked, "page.undo")
    assert plan.assumptions == before
    do(wire, worked, "panel.drop_new")
    assert panel.new != new
    do(wire, worked, "page.undo")
    assert panel.new is new


def test_what_came_meanwhile_stays_and_later_it_is_too_late(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    visitor = Visitor()
    visitor.hold(labelled())
    do(wire, visitor, "clips.clear")
    visitor.hold(visitor.clips.add(LabelledClips.from_clips([sound("drum", 60)], [["new"]])))
    do(wire, visitor, "page.undo")
    assert (len(visitor.clips), visitor.clips.tags) == (9, ("drum", "flute", "new"))
    do(wire, visitor, "clips.clear")
    now = time.monotonic() + session.LIMITS.undo_seconds + session.UNDO_GRACE + 1
    monkeypatch.setattr(session.time, "monotonic", lambda: now)
    do(wire, visitor, "page.undo")
    assert len(visitor.clips) == 0


def test_what_was_deleted_is_gone_when_its_time_is_over(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    visitors = Visitors()
    visitor = visitors.arrive(None, "p")
    visitor.hold(labelled())
    do(wire, visitor, "clips.clear")
    visitors.sweep()
    assert visitor.undo is not None
    now = time.monotonic() + 20
    monkeypatch.setattr(session.time, "monotonic", lambda: now)
    visitors.sweep()
    assert visitor.undo is None
