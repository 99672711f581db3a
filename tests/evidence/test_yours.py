"""A visitor's own results: the same numbers as in their reports, marked as theirs, apart, and seen by nobody else."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from plotly_known import known_to_plotly
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.clips.in_question import InQuestion
from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import drawing, selection
from mirdemo.evidence.selection import YOURS, Selection
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Shown, Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.evidence import tab as evidence_tab
from mirdemo.web.tabs.evidence.tab import EvidenceDesk, download_routes_of, reports_of
from mirdemo.web.tabs.evidence.yours import Reports
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.words.language import LANGUAGES, speaker


@pytest.fixture
def wire() -> Wire:
    import gradio as gr

    from mirdemo.web.frame.jobs import Jobs

    made = Wire(Visitors(), Jobs())
    with gr.Blocks(), made.panel("evidence"):
        evidence_tab.build(made)
    return made


@pytest.fixture
def mine(wire: Wire, probed) -> Visitor:
    """Somebody who has probed their clips."""
    one = wire.visitors.arrive(None, "my page")
    one.shown["my page"] = Shown("evidence")
    one.desk(ProbeDesk).result = probed
    return one


@pytest.fixture
def other(wire: Wire) -> Visitor:
    """Somebody else at the same time."""
    return wire.visitors.arrive(None, "another page")


def page_of(wire: Wire, visitor: Visitor) -> str:
    return "".join(wire.views.rendered(name, visitor) for name in wire.views.all)


@pytest.fixture
def own(probed) -> Results:
    return Reports(asked=probed.asked, probed=probed.runs).records


# ---- records ----------------------------------------------------------------------------------------------


def test_a_probe_becomes_records_with_the_reports_own_numbers(own, probed):
    report = probed.runs[0].report
    for metric, figure in (("roc_auc", report.macro.figures.roc_auc), ("macro_f1", report.macro.figures.f1)):
        (record,) = own.where(metric=metric, tag=None)
        assert (record.value, record.low, record.high) == (figure.value, figure.low, figure.high)
        assert (record.n, record.n_unit, record.protocol) == (12, "recordings", "live")
        assert (record.model, record.corpus) == ("Mini-World", YOURS)
    (record,) = own.where(metric="roc_auc", tag="drum")
    assert record.value == report.tag("drum").figures.roc_auc.value


def test_a_fine_tuning_becomes_records_of_its_own_method(probed):
    report = probed.runs[0].report
    tuned = SimpleNamespace(
        wanted=SimpleNamespace(backbone="mini-world"),
        asked=probed.asked,
        report=SimpleNamespace(
            macro=report.macro,
            tags=report.tags,
            estimates=report.estimates,
            identity=SimpleNamespace(revision="mini-1"),
            versions={"torch": "0"},
            device="cpu",
            from_nothing={"fine_tuned": 61.0},
            n_blocks=2,
            n_clips=12,
            protocol="live",
        ),
    )
    found = Reports(fine_tuned=tuned).records
    assert {r.method for r in found} == {"finetune"}
    assert {r.seconds for r in found} == {61.0}


def test_the_published_protocol_on_ones_own_clips_is_called_so(probed):
    report = replace(probed.runs[0].report, protocol="papaioannou2025", n_folds=None)
    found = Reports(asked=probed.asked, probed=(replace(probed.runs[0], report=report),)).records
    assert {(r.protocol, r.split) for r in found} == {("papaioannou2025", "test")}
    chart = dict(drawing.draw(results.shipped(), Selection(), "en", own=found).charts)["overview"]
    assert "Mini-World · probing (papaioannou2025)" in chart.json


@pytest.mark.parametrize(("language", "said"), [("en", ", whitened"), ("ja", "（白色化）")])
def test_whitening_is_named_beside_ones_own_figures(own, language, said):
    white = Results(tuple(replace(r, whitening="wccn-controlled") for r in own))
    for records, named in ((own, False), (white, True)):
        charts = dict(drawing.draw(results.shipped(), Selection(), language, own=records).charts)
        for name in ("overview", "cost"):
            assert (said in charts[name].json) == named, name


def test_other_clips_are_another_corpus_revision(own, probed):
    fewer = SimpleNamespace(clip_ids=probed.asked.clip_ids[:-1], labels=probed.asked.labels[:-1])
    others = Reports(asked=fewer, probed=probed.runs).records
    assert {r.corpus_revision for r in own}.isdisjoint({r.corpus_revision for r in others})


def test_prototypes_give_their_honest_score_and_three_recordings_a_tag_where_measured(labelled, probed):
    from mirdemo.evidence import laid_over
    from mirdemo.stages.fewshot import LCPrototypes, learning_curve, leave_recordings_out

    rows = probed.runs[0].report.scores
    check = leave_recordings_out(rows, labelled.labels, labelled.recordings, LCPrototypes)
    identity = SimpleNamespace(revision="mini-1", fingerprint="f" * 64, dtype="float32")
    built = SimpleNamespace(
        clips=labelled,
        backbone="mini-world",
        layer="mean",
        whitening=None,
        check=check,
        score=check.score,
        embeddings=SimpleNamespace(identity=identity),
        seconds=1.0,
    )
    alone = Reports(built=built).records
    (point,) = laid_over.curve_points(list(alone))
    assert point.value == check.score.macro_f1.value
    assert (point.setting["n_way"], point.n) == (2, 12)
    curve = SimpleNamespace(built=built, report=learning_curve(rows, labelled.labels, labelled.recordings))
    with_curve = Reports(built=built, curve=curve).records
    (point,) = laid_over.curve_points(list(with_curve))
    assert (point.setting["k_shot"], point.setting["n_way"], point.n) == (3, 2, 12)
    assert len(laid_over.over_tags(list(with_curve), "macro_f1")) == 1


def test_nothing_measured_gives_no_records():
    assert len(Reports().records) == 0


# ---- what is drawn ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_rows_stand_below_marked_and_change_no_finding(language, own):
    plain = dict(drawing.draw(results.shipped(), Selection(), language).charts)
    laid = dict(drawing.draw(results.shipped(), Selection(), language, own=own).charts)
    t = speaker(language)
    assert str(t("evidence.yours.n", n=12)) in laid["overview"].json
    for name in plain:
        assert laid[name].title == plain[name].title
    before, after = (json.loads(one["overview"].json)["data"][0]["z"] for one in (plain, laid))
    assert before == after
    (record,) = own.where(metric="roc_auc", tag=None)
    assert f"{record.value:.2f} ({record.low:.2f}–{record.high:.2f})" in laid["overview"].json


def test_only_charts_with_own_results_are_drawn_again_for_a_visitor(own):
    chosen = Selection(metric="map")
    plain, laid = drawing.view(chosen, "en"), drawing.view_with(own, chosen, "en")
    whole = drawing.draw(selection.base(), chosen, "en", own=own)
    assert laid.charts == whole.charts
    assert (laid.n_figures, laid.models) == (whole.n_figures, whole.models)
    again = [name for (name, one), (_, two) in zip(plain.charts, laid.charts, strict=True) if one is not two]
    assert again == list(drawing.WITH_OWN)
    assert all(known_to_plotly(one.json) for name, one in laid.charts if name in again)


def test_own_results_are_never_put_into_a_disparity_or_a_ranking(own):
    from mirdemo.evidence.cost import pairs, probes
    from mirdemo.evidence.overview import disparities, rows_of

    everything = Results((*results.shipped().records, *own.records))
    corpora = tuple(STUDY.traditions)
    found = disparities(rows_of(everything, "roc_auc", corpora=corpora), best={})
    assert found
    assert all(YOURS not in d.values for d in found)
    without = pairs(probes(results.shipped(), "roc_auc"))
    assert pairs(probes(everything, "roc_auc")) == without


def test_few_shot_points_lie_over_the_published_curves(own):
    record = results.from_dict(
        {
            **own.records[0].as_dict(),
            "method": "fewshot",
            "metric": "macro_f1",
            "setting": {"n_way": 2, "k_shot": 3},
        }
    )
    chart = dict(drawing.draw(results.shipped(), Selection(), "en", own=Results((record,))).charts)["fewshot"]
    last = json.loads(chart.json)["data"][-1]
    assert (last["x"], last["y"]) == ([2], [record.value])
    assert last["error_y"]["array"] == [record.high - record.value]


def test_a_figure_that_two_charts_draw_is_one_figure(own):
    record = replace(own.records[0], method="fewshot", metric="macro_f1", tag=None, setting={"n_way": 2})
    (shown,) = selection.shown_of_visitor(Results((record,)), Selection(metric="macro_f1"))
    assert shown == record


def test_only_own_results_are_shown_when_asked_for(own):
    view = drawing.draw(results.shipped(), Selection(sources=("yours",)), "en", own=own)
    assert view.n_figures == len(own.where(metric="roc_auc", tag=None)) == 1
    assert dict(view.charts)["overview"].json is not None
    assert dict(view.charts)["gaps"].json is None
    assert len(selection.of_visitor(own, Selection(corpora=("lyra",)))) == 0
    assert len(selection.of_visitor(own, Selection(corpora=(YOURS,)))) == len(own)


# ---- whose they are ---------------------------------------------------------------------------------------


def test_one_visitor_never_sees_anothers(wire, mine, other):
    assert "yours, 12 recordings" in page_of(wire, mine)
    page = page_of(wire, other)
    assert "yours, " not in page
    assert mine.sounds.key not in page
    assert "yours, " not in page_of(wire, Visitor())
    assert all(r.corpus != YOURS for r in selection.base())


def test_leaving_takes_them_away(wire, mine):
    mine.let_go()
    assert len(reports_of(mine).records) == 0
    assert "yours, " not in page_of(wire, mine)


def test_they_can_be_put_aside(wire, mine):
    wire._do(mine, Act({"act": "evidence.lay_over", "value": "false"}), "my page")
    page = page_of(wire, mine)
    assert "yours, 12 recordings" not in page
    assert 'href="evidence/figures.csv?' in page


def test_the_view_is_drawn_once_for_the_same_results(wire, mine):
    page_of(wire, mine)
    first = mine.desk(EvidenceDesk).drawn[1]
    page_of(wire, mine)
    assert mine.desk(EvidenceDesk).drawn[1] is first


# ---- downloads --------------------------------------------------------------------------------------------


@pytest.fixture
def client(wire: Wire) -> TestClient:
    return TestClient(Starlette(routes=[*evidence_tab.TAB.routes(), *download_routes_of(wire.visitors)]))


def rows_of(client: TestClient, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(address).text.lstrip("\ufeff"))))


def test_downloads_hold_them_marked_and_only_at_their_visitors_address(client, mine, other, own):
    mine_csv = rows_of(client, f"/evidence/{mine.sounds.key}/figures.csv")
    assert [r["source"] for r in mine_csv].count("yours") == 1
    assert {r["corpus"] for r in mine_csv if r["source"] == "yours"} == {YOURS}
    everybody = rows_of(client, "/evidence/figures.csv")
    assert len(mine_csv) == len(everybody) + 1
    for address in ("/evidence/figures.csv", f"/evidence/{other.sounds.key}/figures.csv"):
        assert "yours" not in {r["source"] for r in rows_of(client, address)}
    as_json = client.get(f"/evidence/{mine.sounds.key}/figures.json?sources=yours")
    assert [results.from_dict(r) for r in as_json.json()] == list(own.where(metric="roc_auc", tag=None))
    assert as_json.headers["cache-control"] == "private, no-store"


def test_a_guessed_address_and_one_left_behind_lead_nowhere(client, mine):
    key = mine.sounds.key
    assert client.get(f"/evidence/{'x' * len(key)}/figures.csv").status_code == 404
    assert client.get(f"/evidence/{key}/figures.csv").status_code == 200
    mine.let_go()
    assert client.get(f"/evidence/{key}/figures.csv").status_code == 404


def test_a_report_holds_them_only_when_asked(client, mine):
    assert "yours, 12 recordings" not in client.get("/evidence/report.html?language=en").text
    assert (
        "yours, 12 recordings"
        in client.get(f"/evidence/{mine.sounds.key}/report.html?language=en&methods=probe").text
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_and_the_figures_tell_of_a_question_that_is_open(client, mine, probed, language):
    found = InQuestion(clips=4, counted_as=1, counted=12, recordings=15)
    words = str(speaker(language).say(found.sentence))
    address = f"/evidence/{mine.sounds.key}/report.html?language={language}&methods=probe"
    assert words not in client.get(address).text
    mine.desk(ProbeDesk).result = replace(probed, asked=replace(probed.asked, in_question=found))
    assert words in client.get(address).text
    (record,) = client.get(f"/evidence/{mine.sounds.key}/figures.json?sources=yours").json()
    assert InQuestion.of_setting(record["setting"]) == found
    assert words not in client.get(f"/evidence/report.html?language={language}&methods=probe").text
