"""Every chart says what its data says, in both languages, and shows a blank as a blank."""

from __future__ import annotations

import json

import pytest

from mirdemo import results
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Results
from mirdemo.web.evidence import charts, drawing
from mirdemo.web.evidence.selection import Selection
from mirdemo.web.language import LANGUAGES, speaker

CITED = results.citations()
SIX = tuple(CORPORA)


EVERYTHING = Selection()


def drawn(chosen: Selection = EVERYTHING, language: str = "en", records: Results | None = None):
    return dict(drawing.draw(records or results.published(), chosen, language).charts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "chosen",
    [
        Selection(),
        Selection(metric="map"),
        Selection(metric="micro_f1", methods=("probe",)),
        Selection(corpora=("lyra",)),
        Selection(models=("CultureMERT-95M",), metric="macro_f1"),
        Selection(licence="commercial"),
    ],
)
def test_every_view_draws_or_says_why_not(language, chosen):
    for name, chart in drawn(chosen, language).items():
        assert chart.title, name
        assert chart.how, name
        if chart.figure is None:
            assert chart.empty, name
        else:
            assert json.loads(chart.json)["data"], name
            assert chart.sources, name


def test_the_overview_finding_is_computed_from_the_figures():
    records = results.published()
    found = charts.disparities(records, "roc_auc", known=records, corpora=SIX)
    title = drawn()["overview"].title
    worst = [d for d in found if d.worst == "carnatic"]
    assert f"{len(worst)} of {len(found)}" in title
    assert (
        f"{100 * min(d.gap.value for d in worst):.0f} to {100 * max(d.gap.value for d in worst):.0f}" in title
    )
    assert "Carnatic" in title
    without = Results(tuple(r for r in records if r.corpus != "carnatic"))
    assert "Carnatic" not in drawn(records=without)["overview"].title


def heat(chart):
    return next(trace for trace in json.loads(chart.json)["data"] if trace["type"] == "heatmap")


def test_a_figure_that_was_not_published_is_blank_never_zero():
    chart = drawn(Selection(metric="macro_f1", models=("MERT-v1-95M",)))["overview"]
    cells = [v for row in heat(chart)["z"] for v in row]
    assert 0 not in cells
    assert all(0 < v < 1 for v in cells)
    whole = heat(drawn()["overview"])["z"]
    assert [row for row in whole if all(v is None for v in row)] == [[None] * 6] * len(charts.UNAVAILABLE)


def test_blank_places_name_the_command_that_would_fill_them():
    text = drawn()["overview"].json
    for backbone in charts.UNAVAILABLE:
        assert f"--corpus lyra --data DIR --backbone {backbone} --method probe" in text


def test_no_mean_over_corpora_is_drawn_when_one_is_missing():
    records = Results(tuple(r for r in results.published() if r.corpus != "fma"))
    assert drawn(records=records)["gaps"].figure is None


def test_only_roc_auc_is_normalised_against_chance():
    assert drawn(Selection(metric="map"))["normalised"].figure is None
    assert drawn()["normalised"].figure is not None


def test_published_bars_carry_no_error_bars():
    data = json.loads(drawn()["gaps"].json)["data"]
    assert all("error_x" not in trace for trace in data)
    assert "no interval published" in data[0]["hovertext"][0]


def test_a_hostile_name_is_escaped():
    hostile = results.Result(
        model="<img src=x onerror=alert(1)>",
        corpus="lyra",
        method="probe",
        protocol="live",
        metric="roc_auc",
        value=0.7,
        low=0.6,
        high=0.8,
        level=0.9,
        source="measured",
        versions={"mirdemo": "0"},
    )
    other = [r for r in results.published() if r.citation == "culturemert2025"]
    text = "".join(
        str(chart.title) + (chart.json if chart.figure is not None else "")
        for chart in drawn(records=Results((hostile, *(_as(hostile, c) for c in SIX[:2]), *other))).values()
    )
    assert "<img" not in text


def _as(record, corpus):
    return results.from_dict({**record.as_dict(), "corpus": corpus})


def test_titles_differ_between_languages():
    english, japanese = drawn(), drawn(language="ja")
    assert all(english[name].title != japanese[name].title for name in english)


def test_words_for_every_metric_and_tradition_exist():
    for language in LANGUAGES:
        t = speaker(language)
        for corpus in CORPORA.values():
            assert t("evidence.tradition." + corpus.tradition)
            assert t("evidence.short." + corpus.name)
        for metric in results.METRICS:
            assert t("evidence.metric." + metric)
