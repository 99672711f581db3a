"""Probe: the answer says what was asked, of which clips, by which backbone; nothing more than the clips can tell."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
from backbones.tiny import tiny_musicnn
from waiting import until

from mirdemo.backbones import wheels
from mirdemo.backbones.registry import spec
from mirdemo.base.sentences import Cancelled, Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.likeness import LookAlikes
from mirdemo.embedding import pace as paces
from mirdemo.embedding.pace import Pace, embedding, loading
from mirdemo.scoring.intervals import Interval
from mirdemo.sound.audio import Clip
from mirdemo.stages.probing.settings import draws_of
from mirdemo.web import models
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft, Job
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.frame.wire import Wire
from mirdemo.web.models import SHELF, Shelf
from mirdemo.web.tabs.probe import endpoint, prompts, running, shown, table, zero_shot
from mirdemo.web.tabs.probe import tab as probe_tab
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, Need, Result, needs
from mirdemo.web.tabs.probe.tab import JOB, ProbeTab, _whitened
from mirdemo.words.language import speaker

RATE = 16_000


def sound(kind: str, seed: int) -> np.ndarray:
    """One second of a low beat or of a high tone."""
    random, time_ = np.random.default_rng(seed), np.arange(RATE) / RATE
    wave = (
        np.sin(2 * np.pi * 70 * time_) * (np.sin(2 * np.pi * 4 * time_) > 0.6)
        if kind == "drum"
        else np.sin(2 * np.pi * (700 + 20 * seed) * time_)
    )
    return (0.3 * wave + 0.01 * random.standard_normal(RATE)).astype(np.float32)


def made(recordings: int = 12, per: int = 2, marked: str = "<b>") -> LabelledClips:
    """Recordings alternate between drum and flute; a second tag says nothing about the sound."""
    clips, tags, names = [], [], []
    for r in range(recordings):
        kind = ("drum", "flute")[r % 2]
        for c in range(per):
            clips.append(Clip.of(sound(kind, 10 * r + c), RATE, f"{kind} {r}-{c}.wav"))
            tags.append([kind] + ([marked] if r % 4 < 2 else []))
            names.append(f"recording {r}")
    return LabelledClips.from_clips(clips, tags, names, limits=CLIP_LIMITS)


CLIPS = made()


def quiet(done: int, total: int, phase: str) -> None:
    """A progress nobody watches."""


@pytest.fixture(scope="module")
def first() -> Result:
    return running.run_all(CLIPS, (("spectral", False),), Visitor().memory, quiet)


@pytest.fixture(scope="module")
def second(first: Result) -> Result:
    """Beside it a deaf backbone: the same layers, filled with noise."""
    from mirdemo.stages.probing import probe

    random = np.random.default_rng(0)
    noise = {name: random.standard_normal((len(CLIPS), 5)) for name in ("1", "2")}
    report = replace(
        probe(
            noise,
            CLIPS.labels,
            CLIPS.recordings,
            tags=CLIPS.tags,
            clips=[clip.sha256 for clip in CLIPS.clips],
        ),
        identity={"name": "mini-west"},
    )
    sick = Sentence("{name} is deaf.", "test.deaf", {"name": "Mini-West"})
    return Result.of(first.asked, (*first.runs, running.Run("mini-west", report, sick, 0.1)))


@pytest.fixture
def wire() -> Wire:
    return Wire(Visitors(), Jobs())


@pytest.fixture
def tab(wire: Wire) -> ProbeTab:
    return ProbeTab(wire)


@pytest.fixture
def visitor() -> Visitor:
    new = Visitor()
    new.hold(CLIPS)
    return new


def drawn(tab: ProbeTab, visitor: Visitor, language: str = "en") -> str:
    speak = speaker(language)
    return str(render("probe.html", speak, tab.show(visitor, speak)))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def finished(visitor: Visitor, name: str) -> None:
    until(lambda: not visitor.jobs[name].active)


# ---- the answer -------------------------------------------------------------------------------------------


def test_one_press_gives_each_tag_a_word_a_number_its_interval_and_n(tab: ProbeTab, visitor: Visitor):
    tab.run(visitor, Act({"act": "probe.run"}))
    finished(visitor, JOB)
    result = visitor.desk(ProbeDesk).result
    assert result is not None
    assert result.asked.is_about(CLIPS)
    rows = drawn(tab, visitor).split("data-tag-row")[1:]
    for row, report in zip(rows, result.runs[0].report.tags, strict=True):
        auc = report.figures.roc_auc
        assert f'data-verdict="{report.verdict}"' in row
        words = plain(row).replace(" ,", ",")
        assert f"{report.tag} " in words
        assert f"{auc.value:.2f} ({auc.low:.2f}–{auc.high:.2f}), {auc.n} recordings" in words
    verdicts = {report.tag: report.verdict for report in result.runs[0].report.tags}
    assert verdicts["drum"] in ("heard", "partly_heard")
    assert verdicts["<b>"] in ("not_heard", "too_few")


def test_the_strip_marks_exactly_the_chosen_layer_and_begins_at_chance(first: Result):
    report = first.runs[0].report.tags[0]
    cells = shown.strip(speaker("en"), report, "roc_auc")
    assert len(cells) == len(first.runs[0].report.layer_names)
    assert [cell.layer for cell in cells if cell.best] == [
        str(shown.layer_words(speaker("en"), report.best_layer))
    ]
    for cell, figures in zip(cells, report.by_layer.values(), strict=True):
        assert cell.share == pytest.approx(max(0.0, (figures.roc_auc.value - 0.5) / 0.5))
        assert f"{figures.roc_auc.value:.2f}" in cell.words


@pytest.mark.parametrize("chance", [1.0, 1.0 - 2**-53])
def test_where_always_saying_yes_is_right_no_layer_is_above_chance(first: Result, chance: float):
    report = first.runs[0].report.tags[0]
    layer = next(iter(report.by_layer))
    perfect = replace(report.by_layer[layer], f1=Interval(1.0, 1.0, 1.0, 4))
    everywhere = replace(report, chance=replace(report.chance, f1=chance), by_layer={layer: perfect})
    assert [cell.share for cell in shown.strip(speaker("en"), everywhere, "f1")] == [0.0]


def test_a_missing_figure_is_blank_and_never_zero(first: Result):
    speak, report = speaker("en"), first.runs[0].report.tags[0]
    nothing = Interval(None, None, None, 4)
    layer = next(iter(report.by_layer))
    blank = replace(report, by_layer={layer: replace(report.by_layer[layer], roc_auc=nothing)})
    assert shown.strip(speak, blank, "roc_auc")[0].share is None
    assert shown.figure_words(speak, nothing) == "no figure"
    assert shown.figure_words(speak, Interval(0.8, None, None, 4)) == "0.80 (no interval)"


def test_the_figure_shown_follows_the_metric_with_its_own_chance(
    tab: ProbeTab, visitor: Visitor, first: Result
):
    visitor.desk(ProbeDesk).result = first
    tab.metric(visitor, Act({"value": "average_precision"}))
    macro = first.runs[0].report.macro
    html = drawn(tab, visitor)
    assert f"{macro.figures.average_precision.value:.2f} (" in plain(html)
    assert f'<span class="chance" style="left:{100 * macro.chance.average_precision:.1f}%">' in html
    with pytest.raises(PageError):
        tab.metric(visitor, Act({"value": "accuracy"}))


def test_every_word_is_said_in_japanese_too(tab: ProbeTab, visitor: Visitor, second: Result):
    visitor.desk(ProbeDesk).result = second
    words = plain(drawn(tab, visitor, "ja"))
    for english in ("heard", "recordings", "chance", "Download", "Mean", "difference", "wrong"):
        assert english not in words, english
    assert "聞こえている" in words


# ---- several backbones ------------------------------------------------------------------------------------


def test_a_second_backbone_adds_a_strip_and_a_paired_difference(
    tab: ProbeTab, visitor: Visitor, second: Result
):
    visitor.desk(ProbeDesk).result = second
    html = drawn(tab, visitor)
    assert html.count('<details class="strip"') == 2 * (1 + len(second.asked.tags))
    gap = second.differences[0].tags["drum"].roc_auc
    assert gap.value == pytest.approx(
        second.runs[1].report.tag("drum").figures.roc_auc.value
        - second.runs[0].report.tag("drum").figures.roc_auc.value
    )
    assert gap.high < 0
    word, text = shown.difference_words(speaker("en"), gap)
    assert (word, text) == (
        "Worse:",
        f"{shown.signed(gap.value)} ({shown.signed(gap.low)} to {shown.signed(gap.high)})",
    )
    assert text in plain(html)


@pytest.mark.parametrize(
    ("gap", "word"),
    [
        ((0.1, 0.01, 0.2), "Better:"),
        ((-0.1, -0.2, -0.01), "Worse:"),
        ((0.1, -0.1, 0.3), "No clear difference:"),
    ],
)
def test_a_difference_is_called_clear_only_where_its_interval_leaves_zero_out(gap: tuple, word: str):
    assert shown.difference_words(speaker("en"), Interval(*gap, 8))[0] == word


def test_what_is_wrong_with_a_backbone_is_said_beside_its_name(
    tab: ProbeTab, visitor: Visitor, second: Result
):
    visitor.desk(ProbeDesk).result = second
    assert "Mini-West is deaf." in plain(drawn(tab, visitor))


def test_a_backbone_can_be_taken_out_and_the_last_one_leaves_nothing(
    tab: ProbeTab, visitor: Visitor, second: Result
):
    desk = visitor.desk(ProbeDesk)
    desk.result = second
    tab.drop(visitor, Act({"run": "spectral"}))
    assert [run.backbone for run in desk.result.runs] == ["mini-west"]
    assert desk.result.differences == ()
    tab.drop(visitor, Act({"run": "mini-west"}))
    assert desk.result is None
    with pytest.raises(PageError):
        tab.drop(visitor, Act({"run": "mini-west"}))


def test_the_same_backbone_twice_and_one_too_many_are_refused(tab: ProbeTab, visitor: Visitor, first: Result):
    desk = visitor.desk(ProbeDesk)
    desk.result, desk.whiten = first, False
    with pytest.raises(PageError) as there:
        tab.run(visitor, Act({}))
    assert there.value.sentence.code == "probe.there"
    others = [replace(first.runs[0], backbone=name) for name in ("a", "b", "c", "d")]
    desk.result = Result.of(first.asked, tuple(others))
    with pytest.raises(PageError) as full:
        tab.run(visitor, Act({}))
    assert full.value.sentence.code == "probe.full"


# ---- which clips it was about -----------------------------------------------------------------------------


def test_results_of_an_earlier_set_say_so_and_can_be_had_again(
    tab: ProbeTab, visitor: Visitor, first: Result
):
    desk = visitor.desk(ProbeDesk)
    desk.result = first
    assert "earlier set" not in drawn(tab, visitor)
    visitor.hold(CLIPS.relabel(0, ["flute"]))
    html = drawn(tab, visitor)
    assert "earlier set" in html
    assert 'data-act="probe.again"' in html
    tab.again(visitor, Act({}))
    finished(visitor, JOB)
    assert desk.result is not first
    assert desk.result.asked.is_about(visitor.clips)
    assert "earlier set" not in drawn(tab, visitor)


def test_a_change_that_is_undone_brings_the_result_back(first: Result):
    there_and_back = CLIPS.relabel(0, ["flute"]).relabel(0, CLIPS.tags_of(0))
    assert there_and_back is not CLIPS
    assert first.asked.is_about(there_and_back)
    assert not first.asked.is_about(CLIPS.set_recording(0, "elsewhere"))
    assert not first.asked.is_about(CLIPS.relabel(0, ["flute"]))
    assert not first.asked.is_about(CLIPS.remove([0]))
    assert not first.asked.is_about(CLIPS.rename_tag("drum", "taiko"))


def test_a_removed_clip_is_not_held_by_the_result_and_its_mistakes_are_silent(
    tab: ProbeTab, visitor: Visitor, second: Result
):
    import gc
    import weakref

    visitor.desk(ProbeDesk).result = second
    wrong = shown.mistakes(visitor, second, second.runs[1])["clips"][0]
    assert wrong["track"].url.endswith(wrong["id"])
    own = made(2, 1)
    gone = weakref.ref(own.clips[0])
    asked = Asked.of(own)
    del own
    gc.collect()
    assert gone() is None
    assert asked.names
    row = second.asked.clip_ids.index(wrong["id"])
    visitor.hold(CLIPS.remove([row]))
    same = next(
        one for one in shown.mistakes(visitor, second, second.runs[1])["clips"] if one["id"] == wrong["id"]
    )
    assert same["track"] is None
    drawn(tab, visitor)


def test_a_stopped_probe_leaves_what_was_there(tab: ProbeTab, visitor: Visitor, first: Result):
    def stop(done: int, total: int, phase: str) -> None:
        if phase == "permuting":
            raise Cancelled()

    with pytest.raises(Cancelled):
        running.run_all(CLIPS, (("spectral", False),), visitor.memory, stop, first.runs)
    assert visitor.desk(ProbeDesk).result is None


# ---- too few ----------------------------------------------------------------------------------------------


def asked(labels: list[list[int]], recordings: str) -> Asked:
    n, tags = len(labels), len(labels[0])
    names = tuple(map(str, range(n)))
    return Asked(names, names, tuple(recordings), tuple("abc"[:tags]), np.array(labels, np.uint8))


def test_what_is_missing_is_counted_in_recordings():
    one_each = asked([[1], [0], [0], [0], [0], [0], [0], [0]], "aabcdefg")
    assert needs(one_each) == (Need("a", "too_few", "partly_heard", 2, 0),)
    assert needs(asked([[1]] * 4 + [[0]], "abcde")) == (Need("a", "too_few", "partly_heard", 0, 2),)
    assert needs(asked([[1]] * 12 + [[0]] * 12, "abcdefghijklmnopqrstuvwx")) == ()


def test_three_of_six_pure_recordings_cannot_beat_the_permutation_test_but_three_of_seven_can():
    three = [[1]] * 3 + [[0]] * 3
    (six,) = needs(asked(three, "abcdef"))
    assert (six.best, six.then, six.having + six.lacking) == ("too_few", "partly_heard", 1)
    (seven,) = needs(asked([*three, [0]], "abcdefg"))
    assert (seven.best, seven.then) == ("partly_heard", "heard")


def test_recordings_that_have_the_tag_in_part_can_be_told_from_chance_with_fewer():
    mixed = [[1], [0], [1], [0], [1], [0]]
    assert [need.best for need in needs(asked(mixed, "aabbcc"))] == ["partly_heard"]


def test_too_few_is_said_before_and_after_with_what_to_add(tab: ProbeTab, visitor: Visitor):
    few = made(4, 1)
    visitor.hold(few)
    before = plain(drawn(tab, visitor))
    assert "cannot come out as heard" in before
    best = "drum : at best “too few recordings to say”; "
    assert re.search(best + r"\d more recordings? with(out)? it.* allow “partly heard”", before)
    visitor.desk(ProbeDesk).result = running.run_all(few, (("spectral", False),), visitor.memory, quiet)
    after = plain(drawn(tab, visitor))
    assert "cannot come out as heard" not in after
    assert "too few recordings to say" in after
    assert "add recordings (at least)" in after


def test_a_tag_that_the_page_does_not_let_in_is_perhaps_heard_and_the_luck_is_said(
    tab: ProbeTab, visitor: Visitor, second: Result
):
    visitor.desk(ProbeDesk).result = second
    assert "perhaps heard: 1" not in plain(drawn(tab, visitor))
    run = second.runs[0]
    tags = (replace(run.report.tags[0], verdict="perhaps_heard", p_value=0.04), *run.report.tags[1:])
    doubted = replace(run, report=replace(run.report, tags=tags))
    visitor.desk(ProbeDesk).result = replace(second, runs=(doubted, *second.runs[1:]))
    said = plain(drawn(tab, visitor))
    assert "perhaps heard: 1" in said
    assert f"of {len(tags)} tags asked at once fewer than one is expected to be so by luck" in said


def test_a_probe_takes_what_it_takes_from_nothing_also_where_rows_were_there():
    memory = Visitor().memory
    once, again = (running.run(CLIPS, "spectral", False, memory, quiet) for _ in range(2))
    embedding = memory.from_nothing(SHELF.take("spectral", quiet), CLIPS.clips)
    assert embedding > 0
    for run in (once, again):
        assert run.seconds >= embedding + 0.5 * sum(run.report.seconds.values())
    half = memory.from_nothing(SHELF.take("spectral", quiet), CLIPS.clips[: len(CLIPS) // 2])
    assert half == pytest.approx(embedding / 2)


# ---- while it is computed ---------------------------------------------------------------------------------


def heard_while(wanted: tuple[tuple[str, bool], ...]) -> list[running.SoFar]:
    heard: list[running.SoFar] = []
    running.run_all(CLIPS, wanted, Visitor().memory, quiet, told=heard.append)
    return heard


def under_way(visitor: Visitor, so_far: running.SoFar) -> None:
    """A probe that has come so far, and is not at its end."""
    job = Job(JOB, "model", Draft(so_far))
    job.state = "running"
    visitor.jobs[JOB] = job


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_known_so_far_is_marked_and_no_tag_gets_a_word(
    tab: ProbeTab, visitor: Visitor, language: str
):
    heard = heard_while((("spectral", False),))
    assert [one.found["spectral"].draws for one in heard[:-1]] == list(
        range(1, len(draws_of(len(CLIPS))) + 1)
    )
    under_way(visitor, heard[3])
    html = drawn(tab, visitor, language)
    rows = html.split("data-tag-row")[1:]
    assert len(rows) == len(CLIPS.tags)
    for row, figures in zip(rows, heard[3].found["spectral"].tags, strict=True):
        said = plain("<" + row.split("</li>")[0])
        assert shown.figure_words(speaker(language), figures.roc_auc) in said
        assert str(speaker(language)("probe.draft.draws", done=4, n=len(draws_of(len(CLIPS))))) in said
        assert str(speaker(language)("page.where.recordings", n=12)) in said
    assert "data-verdict" not in html
    assert "data-result" not in html


def test_before_its_first_figure_each_tag_has_its_place(tab: ProbeTab, visitor: Visitor):
    under_way(visitor, running.SoFar(Asked.of(CLIPS), (("spectral", False),), {}))
    html = drawn(tab, visitor)
    assert html.count('class="skeleton"') == 1 + len(CLIPS.tags)
    assert "data-arrive" not in html, "there is nothing to scroll to yet"


def test_of_several_backbones_one_answers_after_the_other(tab: ProbeTab, visitor: Visitor):
    wanted = (("spectral", False), ("spectral", True))
    heard = heard_while(wanted)
    done = next(one for one in heard if len(one.found) == 2)
    under_way(visitor, done)
    html = drawn(tab, visitor)
    first = html.split("data-tag-row")[1].split("</li>")[0]
    run = done.found["spectral"]
    assert isinstance(run, running.Run)
    assert str(speaker("en").say(shown.WORDS[run.report.tags[0].verdict])) in plain("<" + first)
    assert f"provisional, 1 of {len(draws_of(len(CLIPS)))} draws" in plain("<" + first)


def test_a_second_backbone_fills_a_line_under_the_answer_that_is_there(
    tab: ProbeTab, visitor: Visitor, first: Result
):
    visitor.desk(ProbeDesk).keep("live", first)
    under_way(visitor, heard_while((("spectral", True),))[0])
    html = drawn(tab, visitor)
    assert "data-result" in html
    assert html.count("data-provisional") == 1 + len(CLIPS.tags)


@pytest.mark.parametrize("answered", [False, True], ids=["first", "beside another"])
def test_a_probe_that_is_stopped_half_way_keeps_what_it_had_found(
    tab: ProbeTab, visitor: Visitor, first: Result, monkeypatch, answered: bool
):
    def half(clips, wanted, memory, progress, kept, protocol, told):
        visitor.jobs[JOB].cancel()
        told(heard[3])
        progress(0, 1, "probing")

    wanted = (("spectral", answered),)
    heard, desk = heard_while(wanted), visitor.desk(ProbeDesk)
    if answered:
        desk.keep("live", first)
    monkeypatch.setattr(probe_tab, "run_all", half)
    with visitor.lock:
        tab._start(visitor, visitor.clips, wanted, first.runs if answered else ())
    finished(visitor, JOB)
    assert visitor.jobs[JOB].state == "stopped"
    said = drawn(tab, visitor)
    ended = "all that was found before the end"  # a part of probe.draft.ended without a term
    assert ended in plain(said)
    assert said.count(f"provisional, 4 of {len(draws_of(len(CLIPS)))} draws") == 1 + len(CLIPS.tags)
    assert said.count("data-result") == answered
    assert answered or 'data-act="probe.run"' in said, "to be begun again"
    desk.protocol = running.PUBLISHED
    assert ended not in plain(drawn(tab, visitor)), "by another protocol"
    desk.protocol = running.LIVE
    visitor.hold(visitor.clips.remove([0]))
    assert "provisional" not in drawn(tab, visitor), "of other clips"
    monkeypatch.undo()
    with visitor.lock:
        tab._start(visitor, visitor.clips, (("spectral", False),), ())
    finished(visitor, JOB)
    assert "provisional" not in drawn(tab, visitor)
    assert desk.draft.latest is None


@pytest.mark.parametrize("took", [8.0, 0.01])
def test_what_was_done_once_is_told_the_next_time_also_if_it_was_over_at_once(monkeypatch, took: float):
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(models, "PACE", known)
    monkeypatch.setattr(models, "time", SimpleNamespace(monotonic=iter([0.0, took]).__next__))
    assert models.timed("saving", 4.0, lambda progress: "saved")(quiet) == "saved"
    assert known.expected("saving", 8.0) == pytest.approx(2 * took)


def test_probing_itself_is_in_the_time_that_is_told_before(tab: ProbeTab, visitor: Visitor, monkeypatch):
    pace = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(probe_tab, "PACE", pace)
    monkeypatch.setattr(probe_tab, "expected", lambda *_: 2.0)
    assert "not timed on this server yet" in plain(drawn(tab, visitor))
    kind, size = running.probing("live"), running.probing_size("spectral", len(CLIPS))
    pace.told(kind, 3.0 / size)
    assert "about 5 seconds on this server" in plain(drawn(tab, visitor))
    assert pace.expected(kind, running.probing_size("spectral", 4 * len(CLIPS))) == pytest.approx(24.0)
    assert probe_tab.expected_probe(visitor) == pytest.approx(5.0)
    visitor.desk(ProbeDesk).protocol = running.PUBLISHED
    assert probe_tab.expected_probe(visitor) is None, "that one was never timed"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "once fetched, about 5 seconds on this server"), ("ja", "取得後、このサーバーで約")],
)
def test_of_what_is_not_fetched_yet_the_time_is_told_without_the_fetching(
    tab: ProbeTab, visitor: Visitor, monkeypatch, language: str, said: str
):
    pace = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(probe_tab, "PACE", pace)
    monkeypatch.setattr(probe_tab, "expected", lambda *_: 2.0)
    pace.told(running.probing("live"), 3.0 / running.probing_size("mert-95m", len(CLIPS)))
    visitor.backbone = "mert-95m"
    assert said in plain(drawn(tab, visitor, language))


def test_the_time_that_is_told_before_knows_what_was_heard_and_whether_the_backbone_is_loaded(
    visitor: Visitor, monkeypatch
):
    pace = Pace(load=lambda: (0.0, 0.0), kept=False)
    monkeypatch.setattr(models, "PACE", pace)
    monkeypatch.setattr(models, "SHELF", Shelf())
    clips, memory = CLIPS.clips, Visitor().memory
    assert models.expected("spectral", clips, memory) is None
    pace.told(embedding("spectral"), 0.5)
    computed = paces.sound(spec("spectral"), clips)
    assert models.expected("spectral", clips, memory) == pytest.approx(0.5 * computed)
    pace.told(loading("spectral"), 7.0)
    assert models.expected("spectral", clips, memory) == pytest.approx(7.0 + 0.5 * computed)
    models.embed_here(clips[:3], "spectral", memory, quiet)
    pace.told(embedding("spectral"), 0.5)
    assert models.expected("spectral", clips, memory) == pytest.approx(
        0.5 * paces.sound(spec("spectral"), clips[3:])
    )
    models.embed_here(clips, "spectral", memory, quiet)
    assert models.expected("spectral", clips, memory) == 0


def test_one_recording_is_refused_before_anything_is_loaded(tab: ProbeTab, visitor: Visitor):
    visitor.hold(made(1, 3))
    assert "disabled" in drawn(tab, visitor)
    with pytest.raises(PageError) as refused:
        tab.run(visitor, Act({}))
    assert refused.value.sentence.code == "probe.one_recording"
    visitor.hold(LabelledClips(limits=CLIP_LIMITS))
    with pytest.raises(PageError):
        tab.run(visitor, Act({}))
    assert 'href="#clips"' in drawn(tab, visitor)


# ---- mistakes and the table -------------------------------------------------------------------------------


def test_mistakes_say_what_was_missed_and_what_was_wrongly_heard(visitor: Visitor, second: Result):
    run = second.runs[1]
    found = shown.mistakes(visitor, second, run)
    assert found["wrong"] == len(run.report.mistakes()) > 0
    assert sum(len(clip["missed"]) + len(clip["invented"]) for clip in found["clips"]) == found["wrong"]
    for clip in found["clips"]:
        row = second.asked.clip_ids.index(clip["id"])
        for tag, score in clip["missed"]:
            assert tag in CLIPS.tags_of(row)
            assert score < 0.5
        for tag, score in clip["invented"]:
            assert tag not in CLIPS.tags_of(row)
            assert score >= 0.5
    certain = [
        max(abs(score - 0.5) for _, score in clip["missed"] + clip["invented"]) for clip in found["clips"]
    ]
    assert certain == sorted(certain, reverse=True)


def test_the_table_sorts_by_any_column_with_the_missing_last(tab: ProbeTab, visitor: Visitor, second: Result):
    rows = table.rows(second, "roc_auc")
    for column in table.SORTS:
        for descending in (False, True):
            values = [table.SORTS[column](row) for row in table.in_order(rows, column, descending)]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=descending)
            assert values == known + [None] * (len(values) - len(known))
    desk = visitor.desk(ProbeDesk)
    desk.result = second
    for expected in (("figure", False), ("figure", True), ("figure", False)):
        tab.sort(visitor, Act({"column": "figure"}))
        assert desk.sort == expected
    assert 'aria-sort="ascending"' in drawn(tab, visitor)
    with pytest.raises(PageError):
        tab.sort(visitor, Act({"column": "__class__"}))


def downloaded(html: str, kind: str) -> str:
    href = unescape(re.search(rf'download="mirdemo-probe\.{kind}" href="([^"]+)"', html)[1])
    assert href.startswith("data:")
    return unquote(href.split(",", 1)[1])


def test_downloads_are_exactly_the_table_in_its_order(tab: ProbeTab, visitor: Visitor, second: Result):
    visitor.desk(ProbeDesk).result = second
    visitor.desk(ProbeDesk).sort = ("figure", True)
    html = drawn(tab, visitor)
    sheet = downloaded(html, "csv")
    assert sheet.startswith("\ufeff")  # else Excel shows Japanese tags as something else
    lines = list(csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff"))))
    figures = json.loads(downloaded(html, "json"))["figures"]
    cells = re.findall(r'<td data-label="[^"]*" class="cell-figure">(.*?)</td>', html, re.S)
    assert len(lines) == len(figures) == len(cells) == 2 * (1 + len(second.asked.tags))
    for line, figure, cell in zip(lines, figures, cells, strict=True):
        assert float(line["value"]) == figure["value"]
        assert plain(cell).strip().startswith(f"{figure['value']:.2f} ({figure['low']:.2f}")
        assert line["backbone"] == figure["backbone"]
    assert figures[0]["value"] == max(figure["value"] for figure in figures)
    assert {line["n_unit"] for line in lines} == {"recordings"}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_downloaded_tells_of_a_question_that_is_open(
    tab: ProbeTab, visitor: Visitor, first: Result, language: str
):
    found = InQuestion(clips=4, counted_as=2, counted=12, recordings=14)
    words = str(speaker(language).say(found.sentence))
    visitor.hold(CLIPS.remove([0]))
    for asked, note in ((first.asked, ""), (replace(first.asked, in_question=found), words)):
        visitor.desk(ProbeDesk).result = replace(first, asked=asked)
        html = drawn(tab, visitor, language)
        sheet = downloaded(html, "csv").removeprefix("\ufeff")
        assert {line["note"] for line in csv.DictReader(io.StringIO(sheet))} == {note}
        assert json.loads(downloaded(html, "json"))["note"] == note


def test_a_tag_that_a_spreadsheet_would_run_is_quoted_and_markup_stays_text(tab: ProbeTab, visitor: Visitor):
    evil = made(4, 1, marked='=HYPERLINK("x")<i>')
    visitor.hold(evil)
    visitor.desk(ProbeDesk).result = running.run_all(evil, (("spectral", False),), visitor.memory, quiet)
    html = drawn(tab, visitor)
    assert "<i>" not in html
    tags = {
        line["tag"] for line in csv.DictReader(io.StringIO(downloaded(html, "csv").removeprefix("\ufeff")))
    }
    assert "'" + '=HYPERLINK("x")<i>' in tags


# ---- whitening --------------------------------------------------------------------------------------------


@pytest.fixture
def no_whitening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what came with the software."""
    monkeypatch.setattr("mirdemo.embedding.whitening.SHIPPED", tmp_path)


def test_whitening_is_offered_where_there_is_one_and_named_in_the_result(
    tab: ProbeTab, visitor: Visitor, own_home: Path, no_whitening: None
):
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.whitening import Whitening, stored_path

    assert not running.whitening_offered("spectral")
    tab.whiten(visitor, Act({"value": "true"}))
    backbone = load_backbone("spectral")
    embeddings = embed(CLIPS.clips, backbone)
    Whitening.fit(embeddings, list(CLIPS.recordings), provenance={"generator": "test"}).save(
        stored_path(backbone.identity)
    )
    assert running.whitening_offered("spectral")
    tab.run(visitor, Act({}))
    finished(visitor, JOB)
    run = visitor.desk(ProbeDesk).result.runs[0]
    assert run.report.whitening == "wccn-test"
    assert run.key == "spectral+whitening"
    assert "Spectral statistics, whitened" in drawn(tab, visitor)


def test_a_whitening_of_another_version_is_refused(visitor: Visitor, own_home: Path, no_whitening: None):
    (own_home / "whitening").mkdir()
    (own_home / "whitening" / f"spectral-{'0' * 16}.safetensors").write_bytes(b"nothing")
    with pytest.raises(PageError) as refused:
        running.run(CLIPS, "spectral", True, visitor.memory, quiet)
    assert refused.value.sentence.code == "page.no_whitening"


def test_a_whitening_of_a_backbone_with_a_longer_name_is_not_offered(own_home: Path, no_whitening: None):
    (own_home / "whitening").mkdir()
    (own_home / "whitening" / f"mini-world-spectral-{'0' * 16}.safetensors").write_bytes(b"nothing")
    assert running.whitening_offered("mini-world-spectral")
    assert not running.whitening_offered("mini-world")


def test_whitening_is_on_by_itself_where_it_was_measured_to_help_until_the_visitor_chooses(
    tab: ProbeTab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "mirdemo.web.tabs.probe.tab.whitening_helps", lambda *asked: asked == ("mini-world", "probe", "mean")
    )
    visitor.backbone = "spectral"
    assert not ticked(drawn(tab, visitor))
    assert "measured to help" not in drawn(tab, visitor)
    visitor.backbone = "mini-world"
    assert ticked(drawn(tab, visitor))
    assert "measured to help on real recordings" in drawn(tab, visitor)
    assert "実際の録音で効果を確かめました" in drawn(tab, visitor, "ja")
    tab.protocol(visitor, Act({"value": running.PUBLISHED}))
    assert not _whitened(visitor)
    tab.protocol(visitor, Act({"value": running.LIVE}))
    tab.whiten(visitor, Act({"value": "false"}))
    assert not ticked(drawn(tab, visitor))
    visitor.backbone = "spectral"
    tab.whiten(visitor, Act({"value": "true"}))
    assert ticked(drawn(tab, visitor))
    visitor.backbone = "mini-world"
    assert ticked(drawn(tab, visitor))


def test_backbones_side_by_side_are_whitened_alike_until_the_visitor_chooses(
    visitor: Visitor, first: Result, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mirdemo.web.tabs.probe.tab.whitening_helps", lambda *asked: True)
    visitor.backbone, desk = "mini-world", visitor.desk(ProbeDesk)
    assert _whitened(visitor)
    desk.result = first  # without whitening
    assert not _whitened(visitor)
    (run,) = first.runs
    white = replace(run, report=replace(run.report, whitening="wccn-own"))
    desk.result = replace(first, runs=(white,))
    assert _whitened(visitor)
    desk.whiten = False
    assert not _whitened(visitor)


def ticked(html: str) -> bool:
    """Whether whitening is ticked."""
    (box,) = re.findall(r'<input type="checkbox" data-act="probe.whiten"([^>]*)>', html)
    return "checked" in box


# ---- zero-shot --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clap(tmp_path_factory: pytest.TempPathFactory):
    """A CLAP checkpoint with random weights: it can be asked, and what it says means nothing."""
    from backbones import tiny

    from mirdemo.backbones import load_backbone

    folder = tiny.tiny_clap(tmp_path_factory.mktemp("clap") / "checkpoint")
    return load_backbone("clap-music", checkpoint=folder, device="cpu", dtype="float32")


@pytest.fixture
def with_clap(clap, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mirdemo.web.models.Shelf.take", lambda shelf, name, progress: clap)
    return clap


FEW = made(6, 1)


def test_zero_shot_scores_are_the_cosines_of_the_joint_space(with_clap, visitor: Visitor):
    import torch

    from mirdemo.scoring.metrics import roc_auc

    question = ProbeDesk().question(FEW.tags)
    prompts = question.prompts
    found = zero_shot.ask(FEW, "clap-music", question, visitor.memory, quiet)
    assert found.sick is None
    wave = torch.from_numpy(np.asarray(FEW.clips[0].at(48_000)))[None]
    with torch.inference_mode():
        expected = (with_clap.joint(wave) @ with_clap.text(list(prompts.values())).T).numpy()[0]
    assert found.cosine[0] == pytest.approx(expected, abs=1e-4)
    assert np.abs(found.cosine).max() <= 1 + 1e-6
    for k, tag in enumerate(FEW.tags):
        figure = found.figures[tag]
        assert figure.value == pytest.approx(roc_auc(FEW.labels[:, k], found.cosine[:, k]))
        assert figure.low <= figure.value <= figure.high
        assert figure.n == 6


def test_a_clip_of_unlike_windows_is_not_scored_lower_for_it(with_clap, visitor: Visitor, monkeypatch):
    question = ProbeDesk().question(FEW.tags)
    whole = zero_shot.ask(FEW, "clap-music", question, visitor.memory, quiet)
    embed_here = zero_shot.embed_here

    class Shorter:
        """The mean of unit vectors that point apart is shorter than one."""

        def __init__(self, *asked):
            self.embeddings = embed_here(*asked)

        def matrix(self, layer):
            return 0.5 * self.embeddings.matrix(layer)

    monkeypatch.setattr(zero_shot, "embed_here", Shorter)
    apart = zero_shot.ask(FEW, "clap-music", question, visitor.memory, quiet)
    np.testing.assert_allclose(apart.cosine, whole.cosine, atol=1e-6)


def test_prompts_are_shown_edited_and_what_they_gave_is_marked_old(
    with_clap, tab: ProbeTab, visitor: Visitor
):
    visitor.hold(FEW)
    visitor.backbone = "clap-music"
    desk = visitor.desk(ProbeDesk)
    assert 'value="the sound of drum"' in drawn(tab, visitor)
    tab.ask(visitor, Act({}))
    finished(visitor, "probe-words")
    assert desk.words is not None
    html = drawn(tab, visitor)
    assert f"Mean ROC-AUC over tags {desk.words.macro.value:.2f}" in html
    assert "prompts have changed" not in html
    tab.prompt(visitor, Act({"tag": "drum", "value": 'a deep "taiko" drum'}))
    html = drawn(tab, visitor)
    assert "prompts have changed" in html
    assert "a deep &#34;taiko&#34; drum" in html
    tab.template(visitor, Act({"value": "music with {tag}"}))
    assert desk.prompt("drum") == "music with drum"
    with pytest.raises(PageError) as refused:
        tab.template(visitor, Act({"value": "music"}))
    assert refused.value.sentence.code == "probe.no_place"
    assert desk.template == "music with {tag}"


def test_each_corpus_has_its_published_words_and_a_prompt_for_every_family():
    from mirdemo.corpora.catalogue import catalogue
    from mirdemo.corpora.frames import STUDY
    from mirdemo.corpora.vocabularies import vocabularies

    assert list(vocabularies()) == list(STUDY.traditions)
    for corpus, found in vocabularies().items():
        assert len(set(found.tags)) == catalogue()[corpus].n_tags
        assert found.source
        assert found.citation
        asked = prompts.prompts(corpus, prompts.forms(corpus))
        assert set(found.tags) - set(asked) == ({"place--None"} if corpus == "lyra" else set())
        for tag, prompt in asked.items():
            assert prompts.spoken(corpus, tag) in prompt
            assert not set("{}") & set(prompt)
            assert "--" not in prompt
    assert prompts.prompts("makam", prompts.forms("makam"))["makam--Hicaz"] == (
        "a recording of Turkish makam music in makam Hicaz"
    )
    assert prompts.spoken("lyra", "place--Aegean-sea") == "Aegean sea"


def test_the_shipped_words_are_the_tags_of_the_published_figures():
    from mirdemo.corpora.vocabularies import vocabularies
    from mirdemo.results.records import published

    for corpus, found in vocabularies().items():
        judged = {r.tag for r in published().where(corpus=corpus, citation="ccml2023") if r.tag}
        later = {("hindustani", "instrument--Sarod"), ("hindustani", "instrument--Bansuri")}
        assert {(corpus, tag) for tag in judged ^ set(found.tags)} <= later


def test_own_tags_match_a_corpuss_words_with_or_without_the_family_in_any_case():
    own = ("makam--hicaz", "NEY", "drum", "Aegean sea")
    assert prompts.matches("makam", own) == {"makam--Hicaz": "makam--hicaz", "instrument--Ney": "NEY"}
    assert prompts.matches("lyra", own) == {"place--Aegean-sea": "Aegean sea"}


def test_a_corpuss_words_are_asked_for_and_judged_where_own_tags_match(
    with_clap, tab: ProbeTab, visitor: Visitor, monkeypatch
):
    from mirdemo.scoring.metrics import roc_auc

    visitor.hold(FEW)
    visitor.backbone = "clap-music"
    desk = visitor.desk(ProbeDesk)
    tab.vocabulary(visitor, Act({"value": "magnatagatune"}))
    html = drawn(tab, visitor)
    assert 'value="a recording of {tag} music"' in html
    assert "arXiv 2409.11264" in html
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    for room in (models, zero_shot):
        monkeypatch.setattr(room, "PACE", known)
    known.told(embedding("clap-music"), 3.0 / paces.sound(spec("clap-music"), FEW.clips))
    known.told(loading("clap-music"), 1.0)
    question = desk.question(FEW.tags)
    assert zero_shot.expected_answer(visitor, question) is None
    known.told(zero_shot.reading("clap-music"), 2.0 / len(question.prompts))
    assert zero_shot.expected_answer(visitor, question) == pytest.approx(6.0)
    known = Pace(load=lambda: (0.0, 0.0), kept=False)
    for room in (models, zero_shot):
        monkeypatch.setattr(room, "PACE", known)
    tab.ask(visitor, Act({}))
    finished(visitor, "probe-words")
    assert known.expected(zero_shot.reading("clap-music"), 1.0) is not None, "learned"
    words = desk.words
    assert words.cosine.shape == (len(FEW), 50)
    assert words.matches == {"flute": "flute"}
    k = words.tags.index("flute")
    figure = words.figures["flute"]
    assert figure.value == pytest.approx(roc_auc(FEW.labels[:, FEW.tags.index("flute")], words.cosine[:, k]))
    text = plain(drawn(tab, visitor))
    assert f"{figure.value:.2f}" in text
    best = words.tags[int(np.argmax(words.cosine[0]))]
    first = shown.zero_shot_clips(visitor, words)[0]
    assert first["tags"][0] == (best, pytest.approx(words.cosine[0].max()))
    assert len(first["tags"]) == shown.TOP_TAGS
    assert [score for _, score in first["tags"]] == sorted((s for _, s in first["tags"]), reverse=True)

    tab.form(visitor, Act({"family": "free", "value": "{tag}, loud"}))
    html = drawn(tab, visitor)
    assert "prompts have changed" in html
    assert desk.question(FEW.tags).prompts["flute"] == "flute, loud"
    tab.form(visitor, Act({"family": "free", "value": ""}))
    assert "prompts have changed" not in drawn(tab, visitor)
    tab.vocabulary(visitor, Act({"value": "hindustani"}))
    assert "The nearest tags" not in drawn(tab, visitor)  # nothing was asked of these words yet
    for wrong in ({"family": "free", "value": "{tag}"}, {"family": "raga", "value": "no place"}):
        with pytest.raises(PageError):
            tab.form(visitor, Act(wrong))
    with pytest.raises(PageError):
        tab.vocabulary(visitor, Act({"value": "/etc"}))


def test_words_without_a_match_are_answered_but_not_judged(with_clap, tab: ProbeTab, visitor: Visitor):
    visitor.hold(FEW)
    visitor.backbone = "clap-music"
    tab.vocabulary(visitor, Act({"value": "carnatic"}))
    tab.ask(visitor, Act({}))
    finished(visitor, "probe-words")
    words = visitor.desk(ProbeDesk).words
    assert (words.figures, words.macro) == ({}, None)
    text = plain(drawn(tab, visitor))
    assert "The nearest tags of each clip" in text
    assert "nothing can say how right" in text
    assert "ROC-AUC over your" not in text
    japanese = plain(drawn(tab, visitor, "ja"))
    assert "各クリップに近いタグ" in japanese


def test_a_sick_backbone_gives_no_zero_shot_figure(with_clap, tab: ProbeTab, visitor: Visitor, monkeypatch):
    from mirdemo.backbones.health import Health

    monkeypatch.setattr(with_clap, "health", Health(False, (("prompts", 0.99, False),), "f"))
    visitor.hold(FEW)
    visitor.backbone = "clap-music"
    tab.ask(visitor, Act({}))
    finished(visitor, "probe-words")
    words = visitor.desk(ProbeDesk).words
    assert (words.cosine, words.figures, words.macro) == (None, {}, None)
    html = drawn(tab, visitor)
    assert "hardly tells one prompt from another" in html
    assert "Mean ROC-AUC over tags" not in html


def test_a_backbone_without_words_is_not_asked(tab: ProbeTab, visitor: Visitor):
    assert "probe.ask" not in drawn(tab, visitor)
    with pytest.raises(PageError) as refused:
        tab.ask(visitor, Act({}))
    assert refused.value.sentence.code == "probe.no_words"


# ---- as published -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick() -> pytest.MonkeyPatch:
    """MLPs that are small and soon done."""
    import mirdemo.stages.probing

    with pytest.MonkeyPatch.context() as patch:
        small = mirdemo.stages.probing.MlpSettings(hidden=16, epochs=15)
        patch.setattr(mirdemo.stages.probing, "MlpSettings", lambda: small)
        yield patch


def test_as_published_is_another_answer_that_never_stands_beside_the_quick_one(
    quick, tab: ProbeTab, visitor: Visitor, first: Result
):
    many = made(20, 1)
    visitor.hold(many)
    desk = visitor.desk(ProbeDesk)
    desk.result = running.run_all(many, (("spectral", False),), visitor.memory, quiet)
    quick_words = plain(drawn(tab, visitor))
    tab.protocol(visitor, Act({"value": "papaioannou2025"}))
    html = drawn(tab, visitor)
    assert "data-result" not in html
    assert "never compared" in html
    tab.run(visitor, Act({}))  # the same backbone: another answer, not a second one
    finished(visitor, JOB)
    assert len(desk.result.runs) == len(desk.published.runs) == 1
    report = desk.published.runs[0].report
    assert (report.protocol, report.seeds, report.layer_names) == (
        "papaioannou2025",
        (0, 1, 2, 3, 4),
        ("all",),
    )
    html = drawn(tab, visitor)
    words = plain(html)
    figure = report.macro.figures.roc_auc
    assert f"{figure.value:.2f} (" in words
    assert f"tested on {len(report.recordings)} that it has not seen" in words
    assert "folds that never part" not in words
    assert html.count('class="cell ') == 1 + len(many.tags)
    tab.protocol(visitor, Act({"value": "live"}))
    assert plain(drawn(tab, visitor)) == quick_words
    with pytest.raises(PageError):
        tab.protocol(visitor, Act({"value": "other"}))


def test_as_published_mistakes_are_recordings_whose_clips_can_be_heard(quick, visitor: Visitor):
    many = made(20, 2)
    visitor.hold(many)
    result = running.run_all(many, (("spectral", False),), visitor.memory, quiet, protocol=running.PUBLISHED)
    run = result.runs[0]
    wrong = shown.mistakes(visitor, result, run)
    assert wrong["decisions"] == run.report.scores.size
    named = {str(run.report.recordings[one.row]) for one in run.report.mistakes()}
    assert {clip["recording"] for clip in wrong["clips"]} == named
    assert named
    for clip in wrong["clips"]:
        row = many.recordings.index(clip["recording"])
        assert clip["id"] == many.clips[row].sha256
        assert clip["track"] is not None
        assert clip["name"] is None


def test_two_backbones_as_published_are_paired_on_the_same_test_recordings(quick, visitor: Visitor):
    many = made(20, 1)
    wanted = (("spectral", False), ("mini-west", False))
    result = running.run_all(many, wanted, visitor.memory, quiet, protocol=running.PUBLISHED)
    one, other = (run.report for run in result.runs)
    assert list(one.recordings) == list(other.recordings)
    gap = result.differences[0].macro.roc_auc
    assert gap.value == pytest.approx(other.macro.figures.roc_auc.value - one.macro.figures.roc_auc.value)
    assert '"protocol": "papaioannou2025"' in table.as_json_text(table.rows(result, "f1"), "f1", result)


# ---- the endpoint -----------------------------------------------------------------------------------------


def test_the_endpoint_reports_the_same_as_the_page(tmp_path: Path):
    import soundfile

    files, sheet = {}, ["file,tags,recording"]
    for i in range(6):
        kind = ("drum", "flute")[i % 2]
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, sound(kind, i), RATE)
        files[path.name] = path
        sheet.append(f"{i}.wav,{kind},r{i}")
    whole = files["0.wav"].read_bytes()
    files["0.wav"].write_bytes(whole[: len(whole) * 3 // 4])
    report = endpoint.probe_files(files, "\n".join(sheet), "spectral", False)
    assert report["incomplete"] == ["0.wav"]
    assert [(one["clip"], one["code"]) for one in report["clip_warnings"]] == [("0.wav", "audio.cut_short")]
    json.dumps(report, allow_nan=False)
    assert [tag["tag"] for tag in report["tags"]] == ["drum", "flute"]
    assert set(report["words"]) == {"drum", "flute"}
    assert report["tags"][0]["figures"]["roc_auc"]["n"] == 6
    assert report["clips"] == [f"{i}.wav" for i in range(6)]
    published = endpoint.probe_files(files, "\n".join(sheet), "spectral", False, "papaioannou2025")
    assert published["protocol"] == "papaioannou2025"
    assert all(set(one) == {"recording", "tag", "label", "score"} for one in published["mistakes"])
    for wrong in (("../../etc", False), ("spectral", False, "other")):
        with pytest.raises(PageError):
            endpoint.probe_files(files, "\n".join(sheet), *wrong)


def test_the_mean_says_over_how_many_tags_it_is():
    """A tag of one recording has no figure, so it is in no mean."""
    tags = [[*CLIPS.tags_of(i), *(["matsuri"] if i == 0 else [])] for i in range(len(CLIPS))]
    clips = LabelledClips.from_clips(CLIPS.clips, tags, CLIPS.recordings, limits=CLIP_LIMITS)
    result = running.run_all(clips, (("spectral", False),), Visitor().memory, quiet)
    (main,) = shown.overall(speaker("en"), result, "roc_auc")
    assert (main["averaged"], main["tags"]) == (3, 4)


def test_a_backbone_out_of_a_package_is_chosen_fetched_and_probed(
    tab: ProbeTab, visitor: Visitor, monkeypatch, tmp_path: Path
):
    """musicnn in the menu: what fetching it means stands before the press, and its answer is like any other's."""
    weights = tiny_musicnn(tmp_path / "package")
    asked = []
    monkeypatch.setattr(wheels, "fetch", lambda facts, progress=None: asked.append(facts.name) or weights)
    shelf = Shelf()
    for place in (running, models):
        monkeypatch.setattr(place, "SHELF", shelf)
    tab.backbone(visitor, Act({"value": "musicnn-msd"}))
    said = plain(drawn(tab, visitor))
    assert "musicnn-MSD comes in a Python package of 29 MB. pip will download it" in said
    assert "Licence: ISC" in said
    assert asked == []
    tab.run(visitor, Act({"act": "probe.run"}))
    finished(visitor, JOB)
    assert asked == ["musicnn-msd"]
    report = visitor.desk(ProbeDesk).result.runs[0].report
    assert report.identity["name"] == "musicnn-msd"
    assert {"timbral", "penultimate", "logits"} <= set(report.layer_names)
    assert "musicnn-MSD" in plain(drawn(tab, visitor))


def test_the_endpoint_counts_as_one_recording_what_nobody_has_said_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import soundfile

    monkeypatch.setattr("mirdemo.clips.heard.look_alikes", lambda *given: LookAlikes(0.3, 0.4, ((4, 6, 8),)))
    monkeypatch.setattr("mirdemo.clips.heard.copies", lambda *given: [])

    names = [*(f"part{i}.wav" for i in range(3)), *(f"{c}.wav" for c in "abcdefg")]
    files, sheet = {}, ["file,tags"]
    for i, name in enumerate(names):
        kind = ("drum", "flute")[i % 2]
        soundfile.write(tmp_path / name, sound(kind, i), RATE)
        files[name] = tmp_path / name
        sheet.append(f"{name},{kind}")
    said = endpoint.probe_files(files, "\n".join(sheet), "spectral", False, language="ja")
    assert said["in_question"]["groups"] == [["b.wav", "d.wav", "f.wav"], names[:3]]
    assert "何の一部" in said["in_question"]["says"]
    assert said["tags"][0]["figures"]["roc_auc"]["n"] == len(names) - 4
    sheet = [f"{line},{at or 'recording'}" for at, line in enumerate(sheet)]
    said = endpoint.probe_files(files, "\n".join(sheet), "spectral", False)
    assert said["in_question"] == {"says": None, "groups": []}
    assert said["tags"][0]["figures"]["roc_auc"]["n"] == len(names)
