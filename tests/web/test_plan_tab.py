"""Plan: it waits for a probe, follows the assumptions, refuses impossible ones, and takes the plan home."""

from __future__ import annotations

import json
import re
from html import escape, unescape

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.in_question import InQuestion
from mirdemo.evidence.plan_report import plan_report
from mirdemo.planning import Assumptions, Plan, PlanError
from mirdemo.scoring.verdicts import WORDS
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import LCPrototypes, leave_recordings_out
from mirdemo.stages.probing import probe
from mirdemo.stages.side_by_side import ALIKE, OTHER_BACKBONE, UNSURE
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.tabs.plan import endpoint
from mirdemo.web.tabs.plan.tab import FILE, REPORT, TAB, PlanDesk, PlanTab, current_plan, download_routes
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, Result, Run
from mirdemo.words.language import speaker

RATE = 8000


def held(recordings: int = 12, tags: tuple[str, ...] = ("drum", "<b>")) -> LabelledClips:
    clips, given = [], []
    for r in range(recordings):
        noise = np.random.default_rng(r).standard_normal(1200).astype(np.float32)
        clips.append(Clip.of(noise, RATE, f"{r}.wav"))
        given.append([tag for i, tag in enumerate(tags) if (r >> i) & 1])
    return LabelledClips.from_clips(clips, given, [f"r{r}" for r in range(recordings)], limits=CLIP_LIMITS)


def probed(clips: LabelledClips, strength: float = 3.0, backbone: str = "spectral") -> Run:
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((len(clips), 24))
    rows[:, : clips.labels.shape[1]] += strength * clips.labels
    same = [clip.sha256 for clip in clips.clips]
    report = probe({"all": rows}, clips.labels, clips.recordings, tags=clips.tags, permutations=0, clips=same)
    return Run(backbone, report, None, 1.0)


def visited(
    strength: float = 3.0, recordings: int = 12, backbones: tuple[str, ...] = ("spectral",)
) -> Visitor:
    visitor, clips = Visitor(), held(recordings)
    visitor.hold(clips)
    runs = tuple(probed(clips, strength / (1 + i), name) for i, name in enumerate(backbones))
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(clips), runs)
    return visitor


@pytest.fixture
def tab() -> PlanTab:
    return PlanTab()


def drawn(tab: PlanTab, visitor: Visitor, language: str = "en") -> str:
    t = speaker(language)
    return str(render("plan.html", t, tab.show(visitor, t)))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def set_to(tab: PlanTab, visitor: Visitor, name: str, value: str) -> None:
    tab.assume(visitor, Act({"act": "plan.assume", "name": name, "value": value}))


def test_without_clips_it_leads_to_them_and_without_a_probe_to_probing(tab: PlanTab):
    visitor = Visitor()
    assert 'href="#clips"' in drawn(tab, visitor)
    visitor.hold(held())
    html = drawn(tab, visitor)
    assert 'data-act="probe.run"' in html
    assert not TAB.done(visitor)


def test_stage_one_alone_is_a_plan_and_the_others_are_named(tab: PlanTab):
    html = drawn(tab, visitor := visited())
    assert 'data-advice="use"' in html
    said = plain(html)
    assert "Spectral statistics (as it is) saves time in" in said
    assert "This holds while" in said
    assert 'data-key="left-fine_tune"' in html
    assert 'data-state="not_run"' in html
    assert TAB.done(visitor)


@pytest.mark.parametrize(("language", "not_run"), [("en", "not run"), ("ja", "未実行")])
def test_every_tag_is_shown_with_each_stages_word(tab: PlanTab, language: str, not_run: str):
    visitor = visited()
    html = drawn(tab, visitor, language)
    table = html[html.index("visit-tags") : html.index("</table>", html.index("visit-tags"))]
    t = speaker(language)
    for report in visitor.desk(ProbeDesk).result.runs[0].report.tags:
        assert str(t.say(WORDS[report.verdict])) in table
        assert f"{report.figures.roc_auc.value:.2f}" in table
    assert table.count(not_run) == 2 * len(visitor.clips.tags)
    assert "data-why" not in table


@pytest.mark.parametrize("language", ["en", "ja"])
def test_where_backbones_or_stages_say_different_words_of_a_tag_the_reason_stands_by_it(tab, language: str):
    visitor, t = visited(9.0, 24, ("spectral", "mini-west", "mini-world")), speaker(language)
    result = visitor.desk(ProbeDesk).result
    html = drawn(tab, visitor, language)
    told = 0
    for k, tag in enumerate(visitor.clips.tags):
        words = [run.report.tags[k].verdict for run in result.runs]
        row = html[html.index(f'data-key="tag-{escape(tag)}"') :].split("</tr>")[0]
        assert re.findall(r'data-code="(\w+)"', row) == words, "every backbone that was probed has its column"
        assert ("data-why" in row) == (len(set(words)) > 1)
        told += "data-why" in row
    assert told, "the backbones hear these tags less and less"
    report = plan_report(current_plan(visitor), language)
    for run in result.runs:
        assert str(t.say(WORDS[run.report.tags[0].verdict])) in report
    assert any(str(t.say(why)) in report for why in (UNSURE, ALIKE, OTHER_BACKBONE))


@pytest.mark.parametrize(
    ("language", "hands", "model"), [("en", "hands", "model"), ("ja", "手作業", "モデル")]
)
def test_what_each_tag_saves_is_shown_and_one_that_does_not_pay_stays_with_hands(
    tab: PlanTab, language: str, hands: str, model: str
):
    clips = held(24, ("drum", "flute"))
    rows = np.random.default_rng(4).standard_normal((24, 24))
    rows[:, 0] += 6 * clips.labels[:, clips.tags.index("drum")]
    report = probe({"all": rows}, clips.labels, clips.recordings, tags=clips.tags, permutations=0)
    visitor = Visitor()
    visitor.hold(clips)
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(clips), (Run("spectral", report, None, 1.0),))
    set_to(tab, visitor, "mend_seconds", "120")
    set_to(tab, visitor, "hand_minutes", "1")
    html = drawn(tab, visitor, language)
    table = html[html.index("plan-each") : html.index("</table>", html.index("plan-each"))]
    row = {
        key: plain(rest.split("</tr>")[0]) for key, rest in re.findall(r'each-(\w+)">(.*?</tr>)', table, re.S)
    }
    assert f"drum {model} " in row["drum"]
    assert f"flute {hands} −" in row["flute"]
    advice = plain(html[html.index("plan-first") : html.index("buttons")])
    assert "drum" in advice
    assert "flute" in advice


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_tag_that_is_markup_is_never_markup_on_the_page(tab: PlanTab, language: str):
    html = drawn(tab, visited(strength=0.5, recordings=14), language)
    assert "<b></b>" not in html
    assert ">, <b>" not in html
    assert "<script" not in html


def test_figures_follow_what_is_assumed_and_come_back(tab: PlanTab):
    visitor = visited()
    before = plain(drawn(tab, visitor))
    set_to(tab, visitor, "hand_minutes", "0.1")
    html = drawn(tab, visitor)
    assert 'data-advice="by_hand"' in html
    assert 'data-act="plan.reset"' in html
    tab.reset(visitor, Act({}))
    assert plain(drawn(tab, visitor)) == before


def test_another_currency_brings_its_wage_and_keeps_the_rest(tab: PlanTab):
    visitor = visited()
    set_to(tab, visitor, "recordings", "77")
    tab.currency(visitor, Act({"value": "EUR"}))
    assert visitor.desk(PlanDesk).assumptions == Assumptions.of({"currency": "EUR", "recordings": 77})
    with pytest.raises(PageError):
        tab.currency(visitor, Act({"value": "BTC"}))


@pytest.mark.parametrize("value", ["0", "-3", "1000000000000", "many", "", "nan", "<b>"])
def test_an_impossible_assumption_is_a_sentence_and_changes_nothing(tab: PlanTab, value: str):
    visitor = visited()
    drawn(tab, visitor)
    before, html = current_plan(visitor), drawn(tab, visitor)
    with pytest.raises(PlanError):
        set_to(tab, visitor, "recordings", value)
    assert current_plan(visitor) is before
    assert drawn(tab, visitor) != html  # so that the field is drawn anew and shows what counts
    with pytest.raises(PageError):
        set_to(tab, visitor, "luck", "3")


def test_one_visitors_assumptions_are_not_anothers(tab: PlanTab):
    one, other = visited(), visited()
    set_to(tab, one, "recordings", "9999")
    drawn(tab, one)
    assert 'value="9999"' not in drawn(tab, other)


def test_a_plan_of_other_clips_is_not_shown(tab: PlanTab):
    visitor = visited()
    assert "data-advice" in drawn(tab, visitor)
    visitor.hold(held(9))
    html = drawn(tab, visitor)
    assert "data-advice" not in html
    assert "other clips or tags" in plain(html)


def test_a_new_result_makes_a_new_plan_and_a_redraw_does_not(tab: PlanTab):
    visitor = visited()
    first = current_plan(visitor)
    assert current_plan(visitor) is first
    both = visited(backbones=("spectral", "mini-west"))
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(visitor.clips), both.desk(ProbeDesk).result.runs)
    assert [way.kind for way in current_plan(visitor).evidence.ways] == ["as_it_is", "other_backbone"]


def test_the_backbone_in_use_is_the_one_carried_on_with(tab: PlanTab):
    visitor = visited(backbones=("spectral", "mini-west"))
    visitor.backbone = "mini-west"
    assert current_plan(visitor).evidence.ways[0].backbone == "mini-west"


def test_where_no_tag_has_three_recordings_nothing_is_recommended_and_it_says_what_helps(tab: PlanTab):
    visitor, clips = Visitor(), held(2)
    visitor.hold(clips)
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(clips), (probed(clips),))
    html = drawn(tab, visitor)
    assert 'data-advice="stop"' in html
    assert "Nothing is recommended" in plain(html)
    assert "The shortest way on" in plain(html)


def test_the_report_and_the_file_are_their_visitors_alone():
    visitors = Visitors()
    visitor = visitors.arrive(None, "page")
    client = TestClient(Starlette(routes=download_routes(visitors)))
    assert client.get(f"/plan/{visitor.sounds.key}/{FILE}").status_code == 404
    clips = held()
    visitor.hold(clips)
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(clips), (probed(clips),))
    answer = client.get(f"/plan/{visitor.sounds.key}/{FILE}")
    assert Plan.from_json(answer.content).advice.kind == current_plan(visitor).advice.kind
    assert answer.headers["cache-control"] == "private, no-store"
    report = client.get(f"/plan/{visitor.sounds.key}/{REPORT}?language=ja")
    assert '<html lang="ja">' in report.text
    assert "http-equiv" in report.text
    assert client.get(f"/plan/nobody/{REPORT}").status_code == 404


def test_few_shot_decisions_join_the_plan_where_they_are_of_these_clips():
    from mirdemo.web.tabs.fewshot.desk import FewShotDesk
    from mirdemo.web.tagging import Built

    visitor = visited()
    clips = visitor.clips
    rows = np.random.default_rng(0).standard_normal((len(clips), 6)).astype(np.float32)
    check = leave_recordings_out(rows, clips.labels, clips.recordings, LCPrototypes, tags=clips.tags)
    built = Built(clips, "mini-west", "mean", None, None, rows, None, None, check, 2.0)
    visitor.desk(FewShotDesk).built = built
    found = current_plan(visitor).evidence
    assert [way.key for way in found.ways] == ["as_it_is:spectral", "few_shot:mini-west"]
    assert found.seconds["few_shot"] == 2.0


@pytest.mark.parametrize("given", ["[", "[1]", '{"recordings": 0}', '{"luck": 1}', "[" * 5000])
def test_the_endpoint_refuses_bad_assumptions_before_any_work(given: str):
    with pytest.raises(PlanError):
        endpoint.plan_files({}, "", "spectral", "", given)


def test_the_endpoint_refuses_backbones_it_does_not_know():
    with pytest.raises(PageError):
        endpoint.plan_files({}, "", "../x", "", "{}")


def test_the_endpoint_plans(tmp_path):
    import soundfile

    lines, files = ["file,tags,recording"], {}
    for r in range(8):
        t = np.arange(RATE) / RATE
        wave = 0.3 * np.sin(2 * np.pi * (200 + 900 * (r % 2) + 7 * r) * t)
        path = tmp_path / f"{r}.wav"
        soundfile.write(path, wave.astype(np.float32), RATE)
        files[path.name] = path
        lines.append(f"{r}.wav,{'high' if r % 2 else ''},r{r}")
    whole = files["0.wav"].read_bytes()
    files["0.wav"].write_bytes(whole[: len(whole) * 3 // 4])
    answer = endpoint.plan_files(
        files, "\n".join(lines), "spectral", "", '{"recordings": 300, "hand_minutes": 4}', "ja"
    )
    assert [(one["clip"], one["code"]) for one in answer["clip_warnings"]] == [("0.wav", "audio.cut_short")]
    assert "ファイル" in answer["clip_warnings"][0]["says"]
    assert answer["advice"] in ("use", "label")
    assert ["。" in said for said in answer["sentences"]] == [True, True]
    assert len(answer["meeting"]) == 3
    assert Plan.from_json(json.dumps(answer["plan"])).assumptions.recordings == 300


def test_a_plan_tells_of_an_open_question_as_long_as_it_is_open():
    named = [f"part{r}.wav" if r < 3 else f"night {'abcdefghijkl'[r] * 3}.wav" for r in range(12)]
    noise = [np.random.default_rng(r).standard_normal(1200).astype(np.float32) for r in range(12)]
    sounds = [Clip.of(one, RATE, name) for one, name in zip(noise, named, strict=True)]
    clips = LabelledClips.from_clips(
        sounds, [["drum"] if r % 2 else [] for r in range(12)], limits=CLIP_LIMITS
    )
    clips.hear(Heard({clip.sha256: one[:30] for clip, one in zip(clips.clips, noise, strict=True)}))
    visitor = Visitor()
    visitor.hold(clips)
    rows = np.random.default_rng(4).standard_normal((12, 24))
    rows[:, :1] += 3 * clips.labels
    report = probe({"all": rows}, clips.labels, clips.counted, tags=clips.tags, permutations=0)
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(clips), (Run("spectral", report, None, 1.0),))
    plan, found = current_plan(visitor), InQuestion.of(clips)
    assert (found.clips, plan.evidence.n_recordings) == (3, 10)
    assert plan.evidence.in_question == found
    assert str(speaker("ja").say(found.sentence)) in plan_report(plan, "ja")
