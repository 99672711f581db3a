"""The Clips tab: recordings are asked, many clips are edited at once, a sheet labels what is there."""

from __future__ import annotations

import io
import zipfile
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from sound_files import by_soundfile
from wired import whole_page

from mirdemo.base.progress import silent
from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.likeness import LookAlikes
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import LCPrototypes, leave_recordings_out
from mirdemo.stages.finetuning import FineTuneSettings
from mirdemo.stages.side_by_side import best_words
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Shown, Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import refuse_one
from mirdemo.web.tabs.clips import recordings, table
from mirdemo.web.tabs.clips import tab as clips_tab
from mirdemo.web.tabs.clips.desk import ClipsDesk
from mirdemo.web.tabs.clips.reading import read_uploads
from mirdemo.web.tabs.clips.respelling import respell
from mirdemo.web.tabs.clips.tab import ClipsTab
from mirdemo.web.tabs.fewshot import tab as few_shot_tab
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.finetune import running as tuning
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, run_all
from mirdemo.web.tagging import build
from mirdemo.words.language import speaker


def held(names: list[str], tags: list[list[str]] | None = None) -> Visitor:
    visitor, rng = Visitor(), np.random.default_rng(0)
    clips = [Clip.of(rng.normal(size=800) * 0.1, 8_000, name) for name in names]
    visitor.hold(LabelledClips.from_clips(clips, tags or [["x"]] * len(names), limits=CLIP_LIMITS))
    return visitor


def hear(visitor: Visitor, groups: int, each: int) -> None:
    """As if the clips had been listened to: ``groups`` performances of ``each`` clips."""
    rng, ids = np.random.default_rng(1), [clip.sha256 for clip in visitor.clips.clips]
    rows = np.repeat(rng.normal(size=(groups, 30)), each, axis=0) + 0.3 * rng.normal(size=(groups * each, 30))
    visitor.clips.hear(Heard(dict(zip(ids, rows, strict=True))))


@pytest.fixture
def tab() -> ClipsTab:
    return ClipsTab(Wire(Visitors(), Jobs()))


def act(**told) -> Act:
    return Act({"act": "x", **told})


def view(tab: ClipsTab, visitor: Visitor):
    return tab.show(visitor, visitor.speaker)


def test_groups_are_asked_about_and_accepted_in_one_click(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"])
    assert view(tab, visitor)["asked"] == []  # nobody has listened yet
    hear(visitor, 4, 3)
    asked = view(tab, visitor)["asked"]
    assert [one["clips"] for one in asked] == [3, 3, 3, 3]
    recordings.together(visitor, act(group=asked[1]["key"]))
    assert visitor.clips.recordings[3:6] == (visitor.clips.recordings[3],) * 3
    assert len(view(tab, visitor)["asked"]) == 3
    recordings.different(visitor, act(group=asked[0]["key"]))
    assert len(view(tab, visitor)["asked"]) == 2
    recordings.all_together(visitor, act())
    assert view(tab, visitor)["asked"] == []
    assert len(set(visitor.clips.recordings)) == 6


def test_nobody_is_asked_about_the_festival(tab: ClipsTab, monkeypatch: pytest.MonkeyPatch):
    visitor, made = Visitor(), held([f"piece {c * 3}.wav" for c in "qwertyuiopas"]).clips
    monkeypatch.setattr(tab._wire, "start", lambda who, name, work, take, **how: starts.append(take))
    starts: list = []
    tab.festival(visitor, act())
    starts[0](made)
    hear(visitor, 4, 3)
    assert view(tab, visitor)["asked"] == []
    visitor.hold(made)
    hear(visitor, 4, 3)
    assert len(view(tab, visitor)["asked"]) == 4


def test_what_is_asked_counts_as_one_recording_until_it_is_answered(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"], [["x"]] * 6 + [[]] * 6)
    assert possible_of_x(tab, visitor) == "partly_heard"
    hear(visitor, 4, 3)
    assert possible_of_x(tab, visitor) == "too_few"  # two performances with it
    before = visitor.clips
    recordings.different(visitor, act(all="true"))
    assert possible_of_x(tab, visitor) == "partly_heard"
    visitor.hold(before)
    recordings.all_together(visitor, act())
    assert possible_of_x(tab, visitor) == "too_few"


def test_parts_of_nothing_count_as_one_recording_until_it_is_said_of_what(tab: ClipsTab):
    visitor = held([f"part{number}.wav" for number in range(8)], [["x"]] * 4 + [[]] * 4)
    assert view(tab, visitor)["pieces"]["clips"] == 8
    assert possible_of_x(tab, visitor) == "too_few"
    with pytest.raises(PageError, match=r"different performances.*\(1 instead of 8\)"):
        refuse_one(visitor.clips)
    before = visitor.clips
    recordings.pieces(visitor, act(value="each"))
    assert view(tab, visitor)["pieces"] is None
    assert possible_of_x(tab, visitor) in ("heard", "partly_heard")
    refuse_one(visitor.clips)
    visitor.hold(before)
    recordings.pieces(visitor, act(value="one"))
    assert (view(tab, visitor)["pieces"], len(set(visitor.clips.recordings))) == (None, 1)


def possible_of_x(tab: ClipsTab, visitor: Visitor) -> str:
    return {tag: possible.word for tag, _, possible in view(tab, visitor)["counts"]}["x"]


@pytest.mark.parametrize("stage", ["probe", "few-shot", "fine-tune"])
def test_who_makes_words_listens_first_and_counts_by_it(stage: str, monkeypatch: pytest.MonkeyPatch):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"], [["x"]] * 6 + [[]] * 6)
    clips, counted = visitor.clips, []
    monkeypatch.setattr("mirdemo.clips.heard.look_alikes", lambda *given: LookAlikes(0.3, 0.4, ((0, 1, 2),)))
    monkeypatch.setattr("mirdemo.clips.heard.copies", lambda *given: [])
    if stage == "probe":
        (run,) = run_all(clips, (("spectral", False),), visitor.memory, silent).runs
        counted = run.report.recordings
    elif stage == "few-shot":
        counted = build(clips, "spectral", "all", visitor.memory, silent).clips.counted
    else:
        monkeypatch.setattr(tuning, "probe_run", lambda clips, *rest: counted.extend(clips.counted) or 1 / 0)
        wanted = tuning.Wanted("mini-world", 1, FineTuneSettings())
        with pytest.raises(ZeroDivisionError):
            tuning.train(clips, wanted, (), visitor.memory, silent, tuning.Watched(wanted))
    assert len(set(counted)) == 10
    assert clips.listened


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", ["probe", "few-shot", "fine-tune", "plan"])
def test_what_counts_as_one_is_said_where_the_words_are_with_its_buttons(language: str, name: str):
    wire = whole_page()
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"], [["x"]] * 6 + [[]] * 6)
    visitor.language = language
    if name == "few-shot":
        visitor.desk(FewShotDesk).built = build(visitor.clips, "spectral", "all", visitor.memory, silent)
        visitor.desk(FewShotDesk).layer["spectral"] = "all"
        visitor.desk(FewShotDesk).whiten = False
    assert 'data-act="clips.all_together"' not in wire.views.rendered(name, visitor)
    hear(visitor, 4, 3)
    assert 'data-act="clips.all_together"' in wire.views.rendered(name, visitor)
    assert 'data-act="clips.different" data-all="true"' in wire.views.rendered(name, visitor)


def test_room_is_kept_for_the_question_while_clips_are_listened_to(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"])
    assert not view(tab, visitor)["awaited"]
    visitor.jobs["listening-1"] = Job("listening-1", "model")
    assert view(tab, visitor)["awaited"]
    wire = whole_page()
    assert all("data-awaits" in wire.views.rendered(name, visitor) for name in ("probe", "fine-tune", "plan"))
    visitor.hold(visitor.clips.say_different(range(12)))  # as of the festival
    assert not view(tab, visitor)["awaited"]
    visitor.jobs["listening-1"].cancel()
    visitor.hold(held(["another.wav"]).clips)
    assert not view(tab, visitor)["awaited"]


def test_an_answer_that_changes_no_count_leaves_what_was_measured_as_it_is(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"], [["x"]] * 6 + [[]] * 6)
    hear(visitor, 4, 3)
    before = visitor.clips
    asked = Asked.of(before)
    assert asked.still_in_question(before) is not None
    recordings.all_together(visitor, act())
    assert asked.is_about(visitor.clips)
    assert asked.names_as(visitor.clips), "another backbone can be put beside it"
    assert asked.still_in_question(visitor.clips) is None
    visitor.hold(visitor.clips.set_recording(range(3), "another name"))
    assert asked.is_about(visitor.clips)
    assert not asked.names_as(visitor.clips)
    visitor.hold(visitor.clips.set_recording(range(4), "another name"))
    assert not asked.is_about(visitor.clips)
    visitor.hold(before)
    recordings.different(visitor, act(all="true"))
    assert not asked.is_about(visitor.clips)
    said = before.set_recording(range(12), "one").part(range(12))  # somebody has said that they are twelve
    visitor.hold(said)
    asked = Asked.of(said)
    recordings.different(visitor, act(all="true"))
    assert visitor.clips is not said
    assert asked.is_about(visitor.clips)


@pytest.mark.parametrize("name", ["probe", "few-shot", "plan"])
def test_words_are_not_called_out_of_date_by_an_answer_that_changes_no_count(tab: ClipsTab, name: str):
    wire = whole_page()
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"], [["x"]] * 6 + [[]] * 6)
    hear(visitor, 4, 3)
    few = visitor.desk(FewShotDesk)
    few.built, few.layer["spectral"], few.whiten = (
        build(visitor.clips, "spectral", "all", visitor.memory, silent),
        "all",
        False,
    )
    visitor.desk(ProbeDesk).result = run_all(visitor.clips, (("spectral", False),), visitor.memory, silent)
    there = {
        "probe": str(visitor.speaker("probe.there")),
        "few-shot": 'data-key="found-honest"',
        "plan": 'data-key="advice"',
    }[name]
    assert there in wire.views.rendered(name, visitor)
    recordings.all_together(visitor, act())
    assert there in wire.views.rendered(name, visitor)
    visitor.hold(visitor.clips.part(range(12)))
    assert there not in wire.views.rendered(name, visitor)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", ["probe", "few-shot", "fine-tune", "plan"])
def test_nothing_is_offered_that_would_be_refused_until_the_question_is_answered(
    tab: ClipsTab, language: str, name: str
):
    wire = whole_page()
    visitor = held([f"part{number}.wav" for number in range(8)], [["x"]] * 4 + [[]] * 4)
    visitor.language, few = language, visitor.desk(FewShotDesk)
    built = few.built = build(visitor.clips, "spectral", "all", visitor.memory, silent)
    assert built.check is None
    few.layer["spectral"], few.whiten = "all", False
    offers = [
        f'data-act="{act}"' for act in ("probe.run", "fine-tune.run", "few-shot.curve", "few-shot.layers")
    ]
    words = str(visitor.speaker("clips.question.first"))[:7]  # before the first term that explains itself
    if name == "fine-tune":
        visitor.backbone = "mini-world"  # one that can be

    def offered() -> bool:
        html = wire.views.rendered(name, visitor)
        return any(offer in html and "disabled" not in html.split(offer)[1].split(">")[0] for offer in offers)

    with pytest.raises(PageError):
        refuse_one(visitor.clips)
    assert words in wire.views.rendered(name, visitor)
    assert not offered()
    recordings.pieces(visitor, act(value="each"))
    assert words not in wire.views.rendered(name, visitor)
    if name == "few-shot":
        few.built = build(visitor.clips, "spectral", "all", visitor.memory, silent)
    assert offered()
    visitor.hold(visitor.clips.set_recording(range(8), "one"))
    if name == "few-shot":
        few.built = build(visitor.clips, "spectral", "all", visitor.memory, silent)
    assert not offered()
    assert words not in wire.views.rendered(name, visitor)


def test_an_answer_says_how_many_other_questions_go_with_it(tab: ClipsTab):
    visitor = held([f"part{n}.wav" for n in range(3)] + [f"take {c * 3}.wav" for c in "qwertyuop"])
    hear(visitor, 4, 3)
    before = visitor.clips
    assert (view(tab, visitor)["pieces"]["clips"], len(view(tab, visitor)["asked"])) == (3, 4)
    recordings.pieces(visitor, act(value="one"))
    assert len(view(tab, visitor)["asked"]) == 3, "what sounded alike are these very parts"
    said = visitor.notice.sentence
    assert (
        str(said)
        == "3 clips count as one recording now. Questions that are no longer asked because of it: 1."
    )
    assert str(speaker("ja").say(said)).endswith("尋ねる必要がなくなった問い：1 件。")
    visitor.take_back_last()
    assert visitor.clips is before
    recordings.together(visitor, act(group=view(tab, visitor)["asked"][0]["key"]))
    assert view(tab, visitor)["pieces"] is None
    assert visitor.notice.sentence.values["gone"] == 1
    visitor.hold(before)
    recordings.together(visitor, act(group=view(tab, visitor)["asked"][1]["key"]))
    assert visitor.notice.sentence.code == "clips.together", "the others are asked still"
    recordings.different(visitor, act(all="true"))
    assert visitor.notice.sentence.code == "clips.stay_apart"


def test_nobody_is_asked_about_an_example_of_the_festival_that_is_kept(monkeypatch: pytest.MonkeyPatch):
    whole = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"])
    hear(whole, 4, 3)
    made, example = whole.clips.remove([0]), whole.clips.clips[0]
    monkeypatch.setattr(few_shot_tab, "festival_set", lambda: made)
    visitor, wire = Visitor(), Wire(Visitors(), Jobs())
    visitor.hold(made.say_different(range(2, 11)))  # the first performance's others are still asked about
    visitor.desk(FewShotDesk).answers = [SimpleNamespace(clip=example, given=("x",))]
    visitor.desk(FewShotDesk).played[example.sha256] = ("x",)
    few_shot_tab.FewShotTab(wire).keep(visitor, act(clip=example.sha256))
    visitor.clips.hear(whole.clips.heard)
    assert len(visitor.clips) == 12
    assert visitor.clips.asked == ()


def test_no_to_all_is_remembered(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiopas"])
    hear(visitor, 4, 3)
    recordings.different(visitor, act(all="true"))
    assert view(tab, visitor)["asked"] == []
    assert len(set(visitor.clips.recordings)) == 12


def test_an_answer_of_no_holds_when_another_clip_that_sounds_so_is_added(tab: ClipsTab):
    visitor = held([f"piece {c * 3}.wav" for c in "qwertyuiop"] + ["piece aaa.wav", "piece sss.wav"])
    hear(visitor, 4, 3)
    whole = visitor.clips
    heard = whole.heard
    visitor.hold(whole.remove([2]))  # of the first performance, which comes late
    first = view(tab, visitor)["asked"][0]
    assert first["clips"] == 2
    recordings.different(visitor, act(group=first["key"]))
    late = LabelledClips.from_clips([whole.clips[2]], [["x"]], limits=CLIP_LIMITS)
    visitor.hold(visitor.clips.add(late))
    visitor.clips.hear(heard)
    assert [one["clips"] for one in view(tab, visitor)["asked"]] == [3, 3, 3]
    recordings.different(visitor, act(all="true"))
    assert visitor.clips.counted == visitor.clips.recordings


def test_what_names_put_together_is_shown_and_parted(tab: ClipsTab):
    visitor = held(
        ["a-1.wav", "a-2.wav", "b-1.wav", "b-2.wav", "c.wav", *(f"x_{i:03d}.wav" for i in range(6))]
    )
    shown = view(tab, visitor)
    assert [one["name"] for one in shown["named"]] == ["a", "b"]
    assert [one["name"] for one in shown["apart"]] == ["x"]  # a tag
    recordings.part(visitor, act(name="a"))
    assert [one["name"] for one in view(tab, visitor)["named"]] == ["b"]
    assert visitor.clips.recordings[:4] == ("a-1", "a-2", "b", "b")


def test_stems_left_apart_can_be_put_together(tab: ClipsTab):
    visitor = held([f"night_{i:03d}.wav" for i in range(8)])
    (apart,) = view(tab, visitor)["apart"]
    recordings.together(visitor, act(group=apart["key"]))
    assert len(set(visitor.clips.recordings)) == 1
    assert view(tab, visitor)["apart"] == []


def test_many_clips_are_edited_at_once(tab: ClipsTab):
    visitor = held([f"{c}.wav" for c in "abcd"], [["x"], ["x"], ["y"], []])
    with pytest.raises(Exception, match="Tick"):
        table.record_picked(visitor, act(value="night"))
    table.pick_many(visitor, act(which="tag", tag="x"))
    table.pick(visitor, act(clip=visitor.clips.clips[3].sha256, value="true"))
    assert view(tab, visitor)["picked"] == 3
    table.record_picked(visitor, act(value="night"))
    table.session_picked(visitor, act(value="evening"))
    table.tag_picked(visitor, act(value="new, more"))
    assert visitor.clips.recordings == ("night", "night", "c", "night")
    assert visitor.clips.sessions == ("evening", "evening", "", "evening")
    assert visitor.clips.tags_of(3) == ("more", "new")
    table.part_picked(visitor, act())
    assert visitor.clips.recordings == ("a", "b", "c", "d")
    table.remove_picked(visitor, act())
    assert [clip.name for clip in visitor.clips.clips] == ["c.wav"]
    assert view(tab, visitor)["picked"] == 0


def test_letters_that_were_guessed_wrongly_are_read_again(tab: ClipsTab):
    visitor = held(["a.wav", "b.wav"], [[], []])
    sheet = "file;tags\na.wav;þýð\n".encode("cp1252")
    visitor.hold(visitor.clips.label_by(sheet, "labels.csv"))
    visitor.desk(ClipsDesk).problems = visitor.clips.problems
    (first, *_) = view(tab, visitor)["respellings"]
    respell(visitor, act(encoding=first["encoding"]))
    assert visitor.clips.tags == (first["words"],) != ("þýð",)
    again = view(tab, visitor)["respellings"]  # a choice that was wrong, too, can be changed, and taken back
    assert {one["was"] for one in again} == {first["encoding"]}
    assert first["was"] in {one["encoding"] for one in again}
    respell(visitor, act(encoding=first["was"]))
    assert first["encoding"] in {one["encoding"] for one in view(tab, visitor)["respellings"]}


def test_the_page_draws_all_of_it_in_both_languages():
    visitors, jobs = Visitors(), Jobs()
    drawn = {}
    for language in ("en", "ja"):
        visitor = held(["a-1.wav", "a-2.wav", *(f"piece {c * 3}.wav" for c in "qwertyuiop")])
        visitor.language = language
        hear(visitor, 4, 3)
        visitor.desk(ClipsDesk).picked = {visitor.clips.clips[0].sha256}
        wire = Wire(visitors, jobs)
        wire.views.all["clips"] = clips_view(wire)
        drawn[language] = wire.views.rendered("clips", visitor)
    assert "Are these from one performance?" in drawn["en"]
    assert "一つの演奏" in drawn["ja"]


def clips_view(wire: Wire):
    from mirdemo.web.frame.views import View

    return View("clips.html", ClipsTab(wire).show, "clips")


def test_what_is_possible_is_said_before_anything_is_computed(tab: ClipsTab):
    visitor = held([f"{c}.wav" for c in "abcdefghijkl"], [["x"]] * 2 + [["y"]] * 5 + [[]] * 5)
    said = {tag: possible for tag, _, possible in view(tab, visitor)["counts"]}
    assert said["x"].word == "too_few"
    assert (said["x"].better, said["x"].having, said["x"].lacking) == ("partly_heard", 1, 0)
    assert said["y"].word in ("heard", "partly_heard")
    visitor.hold(
        visitor.clips.set_session(range(2, 7), "one evening")
    )  # five recordings of one evening are one
    assert {tag: one.word for tag, _, one in view(tab, visitor)["counts"]}["y"] == "too_few"


def test_where_other_stages_can_say_less_than_the_probe_it_is_said(tab: ClipsTab):
    visitor = held([f"{number}x.wav" for number in range(20)], [["x"]] * 10 + [["y"]] * 3 + [[]] * 7)
    said = {tag: one for tag, _, one in view(tab, visitor)["counts"]}
    assert (said["x"].word, said["x"].others) == ("heard", (("few_shot", "partly_heard"),))
    assert (said["y"].word, said["y"].others) == ("partly_heard", ())
    assert best_words(10, 10) == {"fine_tune": "heard", "few_shot": "partly_heard"}
    wire, both = whole_page(), held([f"{number}x.wav" for number in range(16)], [["x"]] * 8 + [[]] * 8)
    assert 'data-others="both"' in wire.views.rendered("clips", both)
    assert 'data-others="few_shot"' in wire.views.rendered("clips", visitor)
    # what is promised is what the stage's own words can reach: a ranking without an error by few-shot
    rows, labels = (
        np.eye(2)[[0] * 10 + [1] * 10] + 0.01 * np.random.default_rng(0).normal(size=(20, 2)),
        [1] * 10,
    )
    found = leave_recordings_out(rows, np.array([labels + [0] * 10]).T, range(20), LCPrototypes).score.tags[0]
    assert (found.roc_auc.value, found.verdict) == (1.0, "partly_heard")


class Sent:
    """An upload in memory."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    def read(self) -> bytes:
        return self._data

    def delete(self) -> None:
        pass


def sound(seed: int) -> bytes:
    return by_soundfile(np.random.default_rng(seed).normal(size=(800, 1)) * 0.1, 8_000, "WAV", "PCM_16")


def test_files_dropped_one_after_another_are_looked_at_together():
    def drop(names: list[str], typed: str = "") -> LabelledClips:
        uploads = [Sent(name, sound(zlib.crc32(name.encode()))) for name in names]
        return read_uploads(uploads, typed, lambda *step: None)

    held_now = LabelledClips(limits=CLIP_LIMITS).add(drop([f"a-{i}.wav" for i in range(1, 6)], "x, y"))
    assert len(set(held_now.recordings)) == 5
    assert held_now.tags == ("x", "y")
    held_now = held_now.add(drop(["b-1.wav", "b-2.wav", "c.wav"]))
    assert held_now.recordings == ("a",) * 5 + ("b", "b", "c")


def test_a_sheet_among_the_files_labels_them_whatever_its_kind():
    uploads = [
        Sent("a.wav", sound(1)),
        Sent("b.wav", sound(2)),
        Sent("labels.tsv", b"file\ttags\na.wav\tx\n"),
    ]
    found = read_uploads(uploads, "", lambda *step: None)
    assert [(clip.name, found.tags_of(row)) for row, clip in enumerate(found.clips)] == [("a.wav", ("x",))]
    assert [problem.code for problem in found.problems] == ["clips.not_in_sheet"]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_sheet_beside_a_zip_labels_what_is_in_it():
    fest = Sent("fest.zip", zipped({"a.wav": sound(1), "x/b.wav": sound(2)}))
    sheet = Sent("labels.csv", b"file,tags\na.wav,u\nx/b.wav,v\nc.wav,w\n")
    found = read_uploads([fest, Sent("c.wav", sound(3)), sheet], "", lambda *step: None)
    assert [found.tags_of(row) for row in range(3)] == [("u",), ("v",), ("w",)]
    assert found.problems == ()


def test_a_zip_within_a_dropped_folder_is_read_in_its_place():
    inner = zipped({"taiko/a.wav": sound(1), "../out.wav": sound(2)})
    uploads = [Sent("fest/day.zip", inner), Sent("fest/kane/b.wav", sound(3))]
    found = read_uploads(uploads, "", lambda *step: None)
    assert {clip.name: found.tags_of(row) for row, clip in enumerate(found.clips)} == {
        "a.wav": ("taiko",),
        "b.wav": ("kane",),
    }
    assert [problem.code for problem in found.problems] == ["clips.unsafe_path"]


def test_a_zip_that_is_none_is_called_so_and_not_passed_over():
    whole = zipped({"taiko/a.wav": sound(1), "kane/b.wav": sound(2)})
    for broken in (whole[: len(whole) // 2], b"PK\x03\x04" + bytes(40), b"hello", bytes(300)):
        for beside in ([], [Sent("labels.csv", b"file,tags\nc.wav,w\n")]):
            uploads = [Sent("fest.zip", broken), Sent("c.wav", sound(3)), *beside]
            found = read_uploads(uploads, "", lambda *step: None)
            assert [clip.name for clip in found.clips] == ["c.wav"]
            assert [problem.code for problem in found.problems] == ["clips.not_a_zip"]


def test_a_file_that_was_lost_on_its_way_leaves_the_others():
    class Lost(Sent):
        def read(self) -> bytes:
            raise PageError("The upload of {name} was lost.", code="page.upload_lost", name=self.name)

    uploads = [Lost("a.wav", b""), Sent("b.wav", sound(2))]
    found = read_uploads(uploads, "x", lambda *step: None)
    assert [clip.name for clip in found.clips] == ["b.wav"]
    assert [problem.code for problem in found.problems] == ["page.upload_lost"]


def test_labels_are_taken_home_by_their_visitor_only():
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    visitors = Visitors()
    visitor = visitors.arrive(None, "p")
    visitor.shown["p"] = Shown("clips")
    visitor.hold(held(["a.wav"]).clips)
    client = TestClient(Starlette(routes=[clips_tab.download_route(visitors)]))
    answer = client.get(f"/clips/{visitor.sounds.key}/{clips_tab.SHEET}")
    assert answer.content.decode("utf-8-sig").splitlines() == ["file,tags,recording", "a.wav,x,a"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert client.get(f"/clips/{'x' * 43}/{clips_tab.SHEET}").status_code == 404
