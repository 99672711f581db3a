"""The tab: from labelled clips to tags, an honest score, what would help, and a tagger to take home."""

from __future__ import annotations

import gc
import re
from dataclasses import replace
from html import escape
from types import SimpleNamespace

import numpy as np
import pytest
from few_shot_sounds import RATE, sound
from plotly_known import charts_in
from pushing_hub import TOKEN, PushingHub
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.backbones.on_real_sound import FewShotAccuracy
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.verdicts import WORDS
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import Candidate, LayerChoice, LCPrototypes, leave_recordings_out
from mirdemo.stages.probing import probe
from mirdemo.tagger import Tagger
from mirdemo.web.page import TABS, _where
from mirdemo.web.tabs.fewshot import charts, studies, tab
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.fewshot.studies import Layers, Setting
from mirdemo.web.tabs.fewshot.tab import current_prototypes, download_route
from mirdemo.web.tabs.fewshot.taking_home import made
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.web.tabs.probe.running import Asked, Result, Run
from mirdemo.web.tagging import layers_of
from mirdemo.words.durations import time_of
from mirdemo.words.language import LANGUAGES, speaker


def chart(html: str, key: str) -> dict:
    return charts_in(html)[f"few-shot-{key}"]


def ask(visitor, page, do, clip):
    """A query that did not come through an upload."""
    from mirdemo.web.tabs.fewshot.tab import FewShotTab

    FewShotTab(page)._ask(visitor, lambda: clip)
    return do("few-shot.layer", value=current_or_usual(visitor))


def current_or_usual(visitor) -> str:
    return visitor.desk(FewShotDesk).layer.get("spectral", "all")


def test_what_takes_longer_than_a_moment_says_so_before_the_click(do, visitor, labelled, monkeypatch):
    from mirdemo.embedding import pace
    from mirdemo.web import models

    known = pace.Pace(load=lambda: (0.0, 0.0), kept=False)
    for place in (models, tab):
        monkeypatch.setattr(place, "PACE", known)
    assert "it has not been timed on this server yet" in do("few-shot.layer", value="all")
    known.told(pace.embedding("spectral"), 20.0 / pace.sound(models.spec("spectral"), labelled.clips))
    known.told(pace.loading("spectral"), 0.0)
    assert "The first answer takes about 20 seconds on this server" in do("few-shot.layer", value="all")
    hour = 3600 * known.expected(pace.embedding("spectral"), 1.0)
    assert f"An hour-long recording takes about {time_of(hour / 60)} on this server" in do(
        "few-shot.layer", value="all"
    )
    html = do("few-shot.build")
    assert "The first answer takes" not in html, "the clips are heard now"
    unknown = html.count("not timed on this server yet")
    built = visitor.desk(FewShotDesk).built
    known.told(tab.CURVE_JOB, 90.0 / studies.curve_size(built))
    html = do("few-shot.layer", value="all")
    assert "about 1.5 minutes on this server" in html
    assert html.count("not timed on this server yet") == unknown - 1
    known.told(tab.CURVE_JOB, 0.5 / studies.curve_size(built))
    assert "1.5 minutes" not in do("few-shot.layer", value="all"), "half a second needs no word"


def test_the_support_set_is_a_table_whose_every_clip_plays(do, visitor, labelled):
    html = do("few-shot.layer", value="all")
    table = html[html.index('class="matrix"') : html.index("</table>")]
    assert table.count("data-play ") == len(labelled)
    assert table.count('class="dot"') == int(labelled.labels.sum())
    assert "Too few recordings to say" in html  # "loud" is in one recording
    assert "1 clip without tags" in re.sub("<[^>]+>", "", html)
    assert "<b>buzz" not in html
    assert all(f'title="{clip.name}"' in table for clip in labelled.clips), "a column tells whose it is"


def test_after_building_every_point_of_the_map_plays(do, visitor, labelled):
    html = do("few-shot.build")
    drawn = chart(html, "map")
    points = [point["play"] for trace in drawn["data"] for point in trace.get("customdata", ())]
    prototypes = visitor.desk(FewShotDesk).built.label_sets
    assert len(points) == len(labelled) + prototypes
    assert all(visitor.sounds.mp3(play.split("/")[-1]) for play in points)
    (names,) = [trace for trace in drawn["data"] if "text" in trace["mode"]]
    assert sorted(names["text"]) == ["&lt;b&gt;buzz&lt;/b&gt;", "drum", "flute", "loud"]
    at = str(drawn["data"].index(names))
    assert drawn["narrow"]["traces"][at]["visible"] is False, "no room for all of them on a phone"


def test_with_a_query_the_map_names_the_latest_and_the_prototypes_of_its_tags_alone(
    do, visitor, page, monkeypatch
):
    place, plots = charts.name_places, {}

    def watched(names, points, marks, size):
        plots[size] = len(marks)
        return place(names, points, marks, size)

    monkeypatch.setattr(charts, "name_places", watched)
    ask(visitor, page, do, sound("flute", 45))
    drawn = chart(ask(visitor, page, do, sound("drum", 46)), "map")
    assert [one.tags for one in visitor.desk(FewShotDesk).answers] == [("flute",), ("drum",)]
    (names,) = [trace for trace in drawn["data"] if "text" in trace["mode"]]
    assert names["text"] == ["drum", "drum 46.wav"]
    hovered = [text for trace in drawn["data"] for text in trace.get("hovertext") or ()]
    assert any(text.startswith("flute 45.wav") for text in hovered), "the others tell on pointing"
    narrow = drawn["narrow"]["traces"][str(drawn["data"].index(names))]
    assert narrow["visible"] is True
    assert len(narrow["textposition"]) == 2
    marks = len(visitor.clips) + 2
    assert plots == {charts.MAP_PLOT: marks, charts.NARROW_PLOT: marks}, (
        "names make room for clips and queries"
    )


def test_the_honest_score_is_the_one_of_leaving_each_recording_out(do, visitor, labelled):
    html = do("few-shot.build")
    built = visitor.desk(FewShotDesk).built
    check = leave_recordings_out(
        built.rows, labelled.labels, labelled.recordings, LCPrototypes, tags=labelled.tags
    )
    f1 = check.score.macro_f1
    figure = f"Macro-F1 {f1.value:.2f} ({f1.low:.2f}–{f1.high:.2f}), {f1.n} recordings."
    assert figure in re.sub("<[^>]+>", "", html)
    wrong = (check.predicted != labelled.labels).any(axis=1)
    assert set(re.findall(r'data-key="wrong-(\w+)"', html)) == {
        clip.sha256 for clip, bad in zip(labelled.clips, wrong, strict=True) if bad
    }
    assert "too few recordings to say" in html


def test_where_the_probe_says_another_word_it_stands_beside_with_the_reason(do, visitor, labelled):
    do("few-shot.build")
    built = visitor.desk(FewShotDesk).built
    rows = np.random.default_rng(0).standard_normal((len(labelled), 8))
    rows[:, : len(labelled.tags)] += 9 * labelled.labels
    report = probe({"all": rows}, labelled.labels, labelled.recordings, tags=labelled.tags, permutations=50)
    visitor.desk(ProbeDesk).result = Result.of(Asked.of(labelled), (Run("spectral", report, None, 1.0),))
    html = do("few-shot.layer", value="all")
    differ = 0
    for one in built.score.tags:
        row = re.sub(
            "<[^>]+>", "", html[html.index(f'data-key="honest-{escape(one.tag)}"') :].split("</li>")[0]
        )
        word = WORDS[report.tag(one.tag).verdict]
        differ += (other := report.tag(one.tag).verdict != one.verdict)
        assert (f"The probe (Spectral statistics) says {word}." in row) == other
    assert differ, "nine recordings are too few for one stage alone"


def test_a_query_is_tagged_placed_on_the_map_and_suggested_with_the_clip_without_tags(do, visitor, page):
    html = ask(visitor, page, do, sound("drum", 41))
    answer = visitor.desk(FewShotDesk).answers[-1]
    assert answer.nearest_tags == ("drum",)
    assert "drum 41.wav" in [text for trace in chart(html, "map")["data"] for text in trace.get("text") or ()]
    waiting = set(re.findall(r'data-key="waiting-(\w+)"', html))
    assert waiting == {answer.clip.sha256, visitor.clips.clips[-1].sha256}


def test_a_clip_to_label_next_is_tagged_where_it_stands_and_the_next_is_looked_for(do, visitor, page):
    html = do("few-shot.build")
    (waiting,) = set(re.findall(r'data-act="few-shot.label" data-clip="(\w+)"', html))
    html = do("few-shot.label", clip=waiting, value="drum, loud")
    row = [clip.sha256 for clip in visitor.clips.clips].index(waiting)
    assert visitor.clips.tags_of(row) == ("drum", "loud")
    assert visitor.desk(FewShotDesk).built.clips is visitor.clips
    assert 'data-act="few-shot.label"' not in html
    assert "Nothing is waiting for a label" in html
    do("page.undo")
    assert visitor.clips.tags_of(row) == (), "the tags are taken back"


@pytest.mark.parametrize(
    ("language", "says"), [("en", "Parts of this file are damaged"), ("ja", "このファイルの一部は壊れて")]
)
def test_what_is_to_be_known_of_a_querys_file_stands_above_its_tags(do, visitor, page, language, says):
    from dataclasses import replace

    from mirdemo.base.sentences import Sentence

    visitor.language = language
    damaged = Sentence("Parts of this file are damaged and were left out.", "audio.damaged_parts")
    html = ask(visitor, page, do, replace(sound("drum", 41), warnings=(damaged,)))
    assert html.index(says) < html.index("data-answer")
    assert says not in ask(visitor, page, do, sound("drum", 42)).partition("data-answer")[0]


@pytest.mark.parametrize(
    ("language", "beyond", "warned"),
    [
        ("en", "nothing would be recognised at all", "Take these tags as guesses"),
        ("ja", "どのタグも認められません", "参考にとどめてください"),
    ],
)
def test_an_answer_says_how_sure_each_tag_is_and_warns_where_tagging_is_no_better_than_giving_all(
    do, visitor, page, language, beyond, warned
):
    visitor.language = language
    html = ask(visitor, page, do, sound("drum", 47))
    desk = visitor.desk(FewShotDesk)
    said = html[html.index("data-answer") : html.index("data-act", html.index("data-answer"))]
    (drum,) = [tag for tag in desk.built.score.tags if tag.tag == "drum"]
    assert re.findall(r'data-sure="(\w+)"', said) == [drum.verdict]
    assert speaker(language).say(WORDS[drum.verdict]) in said
    assert beyond in html
    assert warned not in html

    built = desk.answers[-1].built
    score = replace(built.check.score, macro_f1=Interval(0.46, 0.38, 0.55, 10), chance_macro_f1=0.6)
    weak = replace(built, check=replace(built.check, score=score))
    desk.answers[-1] = replace(desk.answers[-1], built=weak)
    html = page.views.rendered("few-shot", visitor)
    assert warned in html[: html.index("data-answer")], "above the tags"
    assert "0.46 (0.38–0.55)" in html[: html.index("data-answer")]
    assert "0.60" in html[: html.index("data-answer")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_no_layer_beats_giving_every_tag_none_is_recommended(do, visitor, page, language, monkeypatch):
    from mirdemo.web.tabs.fewshot.tab import _measured_best

    monkeypatch.setattr(
        "mirdemo.web.tabs.fewshot.tab.best_for_few_shot",
        lambda: FewShotAccuracy("mini-world-spectral", 0.74, 0.671, 0.805, 60),
    )
    visitor.language = language
    do("few-shot.build")
    settings = [
        Setting("spectral", layer, white) for white in (True, False) for layer in layers_of("spectral")
    ]
    settings = [*settings[: charts.MOST_LAYERS + 1], _measured_best()]
    scores = [
        SimpleNamespace(macro_f1=Interval(0.54 - 0.01 * i, 0.4, 0.66, 10), chance_macro_f1=0.6, roc_auc=None)
        for i in range(len(settings))
    ]
    candidates = tuple(Candidate(one, 3, score, 0.0) for one, score in zip(settings, scores, strict=True))
    chosen = SimpleNamespace(macro_f1=Interval(0.5, 0.4, 0.6, 10), n_recordings=10)
    choice = LayerChoice(candidates, settings[0], None, False, chosen)
    desk = visitor.desk(FewShotDesk)
    desk.layers = Layers(visitor.clips, choice, ())
    html = page.views.rendered("few-shot", visitor)
    title = str(
        charts.layer_chart(desk.layers, settings[0], None, lambda one: one[:2], speaker(language)).title
    )
    assert title.startswith("None is better" if language == "en" else "すべてのクリップにすべてのタグ")
    assert "0.54 (0.40–0.66)" in title
    assert title[:20] in html
    assert 'data-act="few-shot.listen"' not in html
    points = next(trace for trace in chart(html, "layers")["data"] if trace["mode"] == "markers")
    assert "mini-world-spectral" in [point["backbone"] for point in points["customdata"]], "ranked last"

    narrow = chart(html, "layers")["narrow"]
    short = [words.split("<br>") for words in narrow["yaxis"]["ticktext"]]
    wide = 12 if language == "ja" else 22
    assert (
        max(len(line) for lines in short for line in lines if not line.isascii() or language == "en") <= wide
    ), "a phone has no room for more"
    assert narrow["height"] >= 76 + 16 * sum(map(len, short)), "nor for labels over one another"

    desk.layers = Layers(visitor.clips, replace(choice, candidates=tuple(_above(candidates))), ())
    html = page.views.rendered("few-shot", visitor)
    assert 'data-act="few-shot.listen"' in html


def _above(candidates):
    """The same, with less to beat."""
    for one in candidates:
        yield replace(one, score=SimpleNamespace(**{**vars(one.score), "chance_macro_f1": 0.3}))


@pytest.mark.parametrize(
    ("act", "measure", "job", "draft"),
    [
        ("few-shot.layers", "measure_layers", tab.LAYERS_JOB, "layers_draft"),
        ("few-shot.curve", "measure_curve", tab.CURVE_JOB, "curve_draft"),
    ],
)
def test_what_is_measured_so_far_is_drawn_while_it_goes_on_and_stays_where_it_is_stopped(
    do, visitor, page, monkeypatch, act, measure, job, draft
):
    do("few-shot.build")
    whole, drawn = getattr(studies, measure), []

    def watched(*asked):
        def told(so_far) -> None:
            asked[-1](so_far)
            with visitor.lock:
                drawn.append(page.views.rendered("few-shot", visitor))
            if len(drawn) == 2:
                visitor.jobs[job].cancel()

        return whole(*asked[:-1], told)

    monkeypatch.setattr(studies, measure, watched)
    stopped = do(act)
    assert visitor.jobs[job].state == "stopped"
    kind, t = act.split(".")[1], speaker("en")
    so_far = [len(of(html, kind)) for html in drawn[:2]]
    assert so_far == [1, 2], "one more at a time"
    for html in drawn:
        assert f'data-job="{job}"' in html
        assert str(t("few-shot.draft.ended")) not in html
    assert len(of(stopped, kind)) == 2
    assert str(t("few-shot.draft.ended")) in stopped
    assert f'data-act="{act}"' in stopped, "it can be begun again"
    assert "So far, " in stopped
    assert 'data-act="few-shot.listen"' not in stopped

    monkeypatch.setattr(studies, measure, whole)
    done = do(act)
    assert "So far, " not in done
    assert str(t("few-shot.draft.ended")) not in done
    assert len(of(done, kind)) >= 2
    visitor.hold(visitor.clips.tag([0], ["another"]))
    assert getattr(visitor.desk(FewShotDesk), draft).latest is not None
    assert "data-draft" not in page.views.rendered("few-shot", visitor), "of other clips"


def of(html: str, kind: str) -> list:
    """The measured values in the chart of that kind."""
    return next(one["x"] for one in chart(html, kind)["data"] if "markers" in one["mode"])


def test_a_query_like_nothing_is_unknown_in_words_and_its_nearest_clips_are_there_to_hear(do, visitor, page):
    rng = np.random.default_rng(0)
    strange = Clip.of(0.3 * rng.uniform(-1, 1, 30_000).astype(np.float32), RATE, "hiss.wav")
    html = ask(visitor, page, do, strange)
    answer = visitor.desk(FewShotDesk).answers[-1]
    assert answer.unknown
    assert answer.distance > answer.threshold
    assert "Nothing in your clips is near it" in html
    assert "The nearest of your clips" in html
    assert 'data-key="near-' in html


def test_the_learning_curve_and_the_layers_are_measured_and_the_best_layer_is_one_click_away(
    do, visitor, monkeypatch
):
    from mirdemo.web.tabs.fewshot import studies

    settings = [Setting("spectral", layer, False) for layer in ("timbre", "dynamics", "all")]
    monkeypatch.setattr(studies, "candidates", lambda chosen, whitening: settings)
    do("few-shot.layer", value="dynamics")
    do("few-shot.build")
    html = do("few-shot.curve")
    report = visitor.desk(FewShotDesk).curve.report
    assert [p.shots for p in report.points] == chart(html, "curve")["data"][-1]["x"]
    assert "loud" in html[html.index("Not measured") :]
    html = do("few-shot.layers")
    choice = visitor.desk(FewShotDesk).layers.choice
    assert choice.best != Setting("spectral", "dynamics", False)
    points = next(trace for trace in chart(html, "layers")["data"] if trace["mode"] == "markers")
    assert [p["layer"] for p in points["customdata"]][-1] == choice.best.layer
    html = do("few-shot.listen", **points["customdata"][-1])
    assert current_prototypes(visitor).layer == choice.best.layer
    assert "The best one is in use." in html
    assert "Measure the learning curve" in html, "the curve of other prototypes must be gone"


def test_a_drawn_page_is_drawn_again_without_computing_anything(do, page, visitor, monkeypatch):
    do("few-shot.build")
    counted = []
    monkeypatch.setattr(charts, "map_chart", lambda *a: counted.append(a))
    page.views.rendered("few-shot", visitor)
    assert not counted
    visitor.hold(visitor.clips.remove([0]))
    assert current_prototypes(visitor) is None
    assert "Build again" in page.views.rendered("few-shot", visitor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_both_languages(do, visitor, page, language):
    visitor.language = language
    ask(visitor, page, do, sound("flute", 42))
    html = do("few-shot.curve")
    assert 'data-key="chart-few-shot-curve"' in html
    assert 'data-key="found-home"' in html


def test_the_tagger_is_downloaded_by_its_visitor_only_and_decides_like_the_page(do, visitor, page, tmp_path):
    client = TestClient(Starlette(routes=[download_route(page.visitors)]))
    html = do("few-shot.build")
    address = "/" + re.search(r'href="(few-shot/[^"]+/tagger\.zip)"', html).group(1)
    got = client.get(address)
    assert got.status_code == 200
    assert "no-store" in got.headers["cache-control"]
    (tmp_path / "tagger.zip").write_bytes(got.content)
    tagger, built = Tagger.load(tmp_path / "tagger.zip"), visitor.desk(FewShotDesk).built
    assert tagger.tags == visitor.clips.tags
    assert tagger.method.threshold == pytest.approx(built.prototypes.threshold)
    queries = built.rows + 0.01
    np.testing.assert_array_equal(tagger.method.predict(queries), built.prototypes.predict(queries))
    assert client.get(address.replace(visitor.sounds.key, "x" * 43)).status_code == 404
    visitor.hold(visitor.clips.remove([0]))
    assert client.get(address).status_code == 404, "the clips are no longer those of the tagger"
    visitor.let_go()
    assert client.get(address).status_code == 404


def test_whitening_is_offered_where_there_is_one_named_in_the_answer_and_taken_home(
    do, visitor, page, tmp_path, monkeypatch
):
    from mirdemo.embedding.whitening import Whitening, stored_path

    monkeypatch.setattr("mirdemo.web.tabs.fewshot.tab.whitening_helps", lambda *asked: False)
    do("few-shot.build")
    before = visitor.desk(FewShotDesk).built
    groups = [i // 2 for i in range(len(visitor.clips))]
    Whitening.fit(before.embeddings, groups).save(stored_path(before.embeddings.identity))
    assert 'data-act="few-shot.whiten"' in do("few-shot.layer", value="all")
    html = do("few-shot.whiten", value="true")
    assert "Build again" in html
    html = ask(visitor, page, do, sound("drum", 43))
    built = visitor.desk(FewShotDesk).built
    assert built.whitening.name in html
    assert not np.allclose(built.rows, before.rows)
    assert 'data-warning="whitening.strange"' in html, (
        "bare tones are unlike the music that the shipped one was fitted on"
    )
    made(built).save(tmp_path / "t.zip")
    tagger = Tagger.load(tmp_path / "t.zip")
    np.testing.assert_allclose(tagger.rows(built.embeddings), built.rows, rtol=1e-5, atol=1e-5)


def test_sound_unlike_that_of_the_whitening_is_told(do, visitor, monkeypatch):
    from mirdemo.embedding.whitening import Whitening, stored_path

    monkeypatch.setattr("mirdemo.web.tabs.fewshot.tab.whitening_helps", lambda *asked: False)
    do("few-shot.build")
    heard = visitor.desk(FewShotDesk).built.embeddings
    still = replace(heard, layers={name: 1e-3 * rows for name, rows in heard.layers.items()})
    Whitening.fit(still, [i // 2 for i in range(len(visitor.clips))]).save(stored_path(heard.identity))
    do("few-shot.layer", value="all")
    do("few-shot.whiten", value="true")
    html = do("few-shot.build")
    assert 'data-warning="whitening.strange"' in html
    assert "Compare with and without whitening" in html
    assert "of Spectral statistics was fitted on" in html, "by its name, not by its identity's"
    assert "“All statistics together”" in html


def test_whitening_is_on_by_itself_where_it_was_measured_to_help_until_the_visitor_chooses(
    do, visitor, monkeypatch
):
    def ticked(html: str) -> bool:
        (box,) = re.findall(r'<input type="checkbox" data-act="few-shot.whiten"([^>]*)>', html)
        return "checked" in box

    monkeypatch.setattr(
        "mirdemo.web.tabs.fewshot.tab.whitening_helps",
        lambda *asked: asked == ("spectral", "few-shot", "sound"),
    )
    monkeypatch.setattr(
        "mirdemo.web.tabs.fewshot.tab.whitening_offered", lambda backbone: backbone == "spectral"
    )
    plain = do("few-shot.layer", value="all")
    assert not ticked(plain)
    assert "measured to help" not in plain
    helped = do("few-shot.layer", value="sound")
    assert ticked(helped)
    assert "measured to help on real recordings" in helped
    assert not ticked(do("few-shot.whiten", value="false"))
    assert not ticked(do("few-shot.layer", value="sound"))
    do("few-shot.whiten", value="true")
    assert ticked(do("few-shot.layer", value="all"))


def test_a_token_is_used_for_one_upload_and_kept_nowhere(do, visitor, monkeypatch, caplog):
    with PushingHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        do("few-shot.build")
        html = do("few-shot.push", repository="me/festival", hub_token=TOKEN, private="true")
    assert "me/festival" in str(visitor.notice.sentence)
    assert set(hub.repositories["me/festival"]) == {"README.md", "tagger.json", "tagger.safetensors"}
    assert hub.private["me/festival"]
    assert TOKEN not in html
    assert TOKEN not in caplog.text
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is dict and one.get("token") == TOKEN]


@pytest.mark.parametrize("repository", ["", "nobody", "../x/y", "a/b/c"])
def test_what_is_no_repository_is_refused_before_anything_is_sent(do, visitor, repository):
    do("few-shot.build")
    do("few-shot.push", repository=repository, hub_token="hf_x")
    assert visitor.notice.sentence.code == "page.hub_form"


@pytest.mark.parametrize("name", ["curve", "layers", "push"])
def test_nothing_is_measured_before_there_are_prototypes(do, visitor, name):
    do(f"few-shot.{name}", repository="a/b", hub_token="x")
    assert visitor.notice.refusal
    assert visitor.notice.sentence.code == "page.no_prototypes"


def test_a_tagger_is_offered_as_soon_as_there_are_clips_until_a_query_was_tagged(do, visitor, page):
    assert _where(visitor, TABS)["at_once"].name == "few-shot"
    ask(visitor, page, do, sound("drum", 44))
    assert _where(visitor, TABS)["at_once"] is None


def test_the_backbone_measured_best_is_offered_with_its_figure_until_it_is_chosen(do, visitor, monkeypatch):
    best = FewShotAccuracy("mini-world-spectral", 0.74, 0.671, 0.805, 60)
    monkeypatch.setattr("mirdemo.web.tabs.fewshot.tab.best_for_few_shot", lambda: best)
    offered = do("few-shot.backbone", value="mini-world")
    assert "Mini-World + spectral statistics, whitened" in offered
    assert "On Western music (ten genres, 60 real recordings" in offered
    assert "0.74 given the right genre, 0.67 to 0.81" in offered
    chosen = do("few-shot.backbone", value="mini-world-spectral")
    assert visitor.backbone == "mini-world-spectral"
    assert "On Western music" not in chosen


def test_a_backbone_is_suggested_for_the_music_it_was_measured_on_and_for_no_other(do, visitor, monkeypatch):
    """Whoever takes the suggestion says that theirs is that music; with the festival, which is not, there is none."""
    best = FewShotAccuracy("mini-world-spectral", 0.74, 0.671, 0.805, 60)
    monkeypatch.setattr("mirdemo.web.tabs.fewshot.tab.best_for_few_shot", lambda: best)
    offered = do("few-shot.backbone", value="mini-world")
    assert "That says nothing of other music; your own clips tell more." in offered
    assert re.search(r'data-value="mini-world-spectral">My music is Western: choose it<', offered)
    monkeypatch.setattr("mirdemo.web.tabs.fewshot.tab._has_festival", lambda visitor: True)
    unlike = do("few-shot.backbone", value="mini-world")
    assert "On Western music" not in unlike
    assert 'data-value="mini-world-spectral"' not in unlike


def test_the_box_and_the_answer_come_first_and_matrix_layers_and_prototypes_wait_behind_more(
    do, visitor, page
):
    html = ask(visitor, page, do, sound("drum", 43))
    places = [
        html.index(mark)
        for mark in (
            'data-drop="few-shot.query"',
            "data-arrive=",
            "data-answer",
            'data-act="few-shot.judge"',
            'data-key="more"',
            'class="matrix"',
            'data-act="few-shot.backbone"',
            'data-act="few-shot.build"',
            'data-key="chart-few-shot-map"',
            'data-act="few-shot.layers"' if 'data-opens="' not in html else 'data-key="found-layers"',
        )
    ]
    assert places[:5] == sorted(places[:5])
    assert min(places[5:]) > places[4]


def test_an_answer_is_right_or_put_right_and_taken_among_the_clips(do, visitor, page):
    ask(visitor, page, do, sound("drum", 44))
    clip = visitor.desk(FewShotDesk).answers[-1].clip.sha256
    before = visitor.clips
    html = do("few-shot.judge", clip=clip, value="right")
    assert 'data-value="right" aria-pressed="true"' in html
    do("few-shot.judge", clip=clip, value="right")
    assert not visitor.desk(FewShotDesk).judged
    html = do("few-shot.judge", clip=clip, value="wrong")
    assert 'name="tag 0"' in html
    flute = before.tags.index("flute")
    html = do("few-shot.keep", clip=clip, **{f"tag {flute}": "true"})
    assert visitor.clips.clips[-1].sha256 == clip
    assert len(visitor.clips) == len(before) + 1
    assert visitor.clips.tags_of(len(before)) == ("flute",)
    assert 'data-act="few-shot.keep"' not in html, "it is there already"
    assert (visitor.notice.sentence.code, visitor.notice.sentence.values) == ("page.added", {"n": 1})
    html = do("page.undo")
    assert visitor.clips is before
    assert 'data-act="few-shot.keep"' in html
    do("few-shot.keep", clip=clip, **{f"tag {flute}": "true"})
    visitor.hold(visitor.clips.relabel(0, ["loud"]))
    do("page.undo")
    assert [one.sha256 for one in visitor.clips.clips] == [one.sha256 for one in before.clips]
    assert visitor.clips.tags_of(0) == ("loud",), "what came meanwhile stays"
    visitor.hold(before)
    do("few-shot.keep", clip=clip, **{f"tag {flute}": "true"})
    ask(visitor, page, do, sound("flute", 45))
    other = visitor.desk(FewShotDesk).answers[-1]
    do("few-shot.keep", clip=other.clip.sha256)
    assert visitor.clips.tags_of(len(visitor.clips) - 1) == other.tags


def test_a_layer_chosen_by_looking_carries_the_figure_of_the_choice_to_the_tagger(do, visitor, page):
    do("few-shot.build")
    assert visitor.desk(FewShotDesk).built.choice is None
    do("few-shot.layers")
    best = visitor.desk(FewShotDesk).layers.choice.best
    listen = {"backbone": best.backbone, "layer": best.layer, "whitened": str(best.whitened).lower()}
    html = do("few-shot.listen", **listen)
    built, choice = visitor.desk(FewShotDesk).built, visitor.desk(FewShotDesk).layers.choice
    assert built.score is choice.chosen
    assert 'data-figure="chosen"' in html
    facts = made(built).facts["figures"]
    assert facts["macro_f1"]["value"] == choice.chosen.macro_f1.value
    assert facts["chosen_from"] == len(choice.candidates)
