"""Every chart says what its data says, in both languages, and shows a blank as a blank."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from mirdemo import bias, results
from mirdemo.corpora.facts import CORPORA
from mirdemo.results import Results
from mirdemo.web.charting import SEQUENTIAL, HeatTable
from mirdemo.web.evidence import drawing, overview, selection, wording
from mirdemo.web.evidence.selection import Selection
from mirdemo.web.language import LANGUAGES, speaker
from mirdemo.web.templating import render

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
        if chart.json is None:
            assert chart.empty, name
        else:
            assert json.loads(chart.json)["data"], name
            assert chart.sources, name


def test_the_overview_finding_is_computed_from_the_figures():
    records = results.published()
    found = overview.disparities(records, "roc_auc", best=bias.best_known(records, "roc_auc"), corpora=SIX)
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
    assert [row for row in whole if all(v is None for v in row)] == [[None] * 6] * len(overview.UNAVAILABLE)


@pytest.mark.parametrize("chosen", [Selection(), Selection(metric="map")])
def test_the_overviews_table_holds_its_figures_in_its_colours(chosen):
    chart = drawn(chosen)["overview"]
    trace, table = heat(chart), chart.table
    assert [list(values) for _, values in table.rows] == trace["z"]
    layout = json.loads(chart.json)["layout"]
    assert list(table.columns) == layout["xaxis"]["ticktext"]
    assert [label for label, _ in table.rows] == layout["yaxis"]["ticktext"]
    assert table.low == trace["zmin"]


def test_the_tables_colours_are_those_of_the_scale():
    table = HeatTable(("a",), ("a",), (), low=0.5)
    for share, colour in SEQUENTIAL:
        assert table.colour(0.5 + share / 2) == colour
    assert table.colour(0.2) == SEQUENTIAL[0][1]  # below the scale
    assert table.colour(0.5625) == "#e1ecf5"  # half way between the first two, channel by channel
    assert (table.ink(0.8), table.ink(0.82)) == ("#1a1a1a", "#ffffff")


def test_a_table_shows_every_figure_and_reads_its_blanks_out():
    chart = drawn()["overview"]
    html = render("evidence-first.html", speaker("en"), {"charts": [("overview", chart)]})
    assert html.count('class="blank"') == sum(v is None for _, values in chart.table.rows for v in values)
    assert html.count("no figure") == html.count('class="blank"') > 0
    assert '<span class="wide">0</span>.79</td>' in html
    assert "CLAP-Music&amp;Speech" in html
    certain = replace(chart, table=HeatTable(("x",), ("x",), (("one", (1.0,)),), low=0.5))
    assert "<span>1</span>.00</td>" in render(
        "evidence-first.html", speaker("en"), {"charts": [("overview", certain)]}
    )


def test_blank_places_name_the_command_that_would_fill_them():
    text = drawn()["overview"].json
    for backbone in overview.UNAVAILABLE:
        assert f"--corpus lyra --data DIR --backbone {backbone} --method probe" in text


def test_a_place_is_kept_empty_only_until_it_is_measured():
    mine = next(
        r for r in results.published() if r.metric == "roc_auc" and r.method == "probe" and r.tag is None
    )
    measured = replace(
        mine,
        model="CLAP-Music",
        protocol="papaioannou2025",
        source="measured",
        citation=None,
        versions={"m": "0"},
    )
    before = heat(drawn()["overview"])
    after = heat(drawn(records=Results((*results.published(), measured)))["overview"])
    assert len(after["z"]) == len(before["z"]), "a row is filled, none is added"


def test_no_mean_over_corpora_is_drawn_when_one_is_missing():
    records = Results(tuple(r for r in results.published() if r.corpus != "fma"))
    assert drawn(records=records)["gaps"].json is None


def test_a_trend_is_drawn_with_its_band_and_cut_not_bent_at_zero():
    figure = json.loads(drawn()["rarity"].json)["data"]
    lines = [t for t in figure if t["mode"] == "lines"]
    bands = [t for t in figure if t.get("fill") == "toself"]
    assert len(lines) == len(bands) == 5
    for line in lines:
        inside = [(math.log10(a), b) for a, b in zip(line["x"], line["y"], strict=True) if 0 < b < 1]
        steps = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(inside)]
        assert max(steps) - min(steps) < 0.02, "a straight line was bent"


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_styles_are_named_and_turned_labels_keep_to_one_line(language):
    charts = drawn(language=language)
    few = json.loads(charts["fewshot"].json)["data"]
    named = {t["line"]["dash"]: t["name"] for t in few if t.get("name")}
    assert set(named) == {t["line"]["dash"] for t in few}
    assert len(set(named.values())) == 2
    narrow = json.loads(charts["transfer"].json)["narrow"]
    turned = [axis for name, axis in narrow.items() if name.startswith("xaxis")]
    assert len(turned) == 3
    assert all("<br>" not in label for axis in turned for label in axis["ticktext"])


def test_only_roc_auc_is_normalised_against_chance():
    assert drawn(Selection(metric="map"))["normalised"].json is None
    assert drawn()["normalised"].json is not None


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
        str(chart.title) + (chart.json if chart.json is not None else "")
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_view_drawn_in_advance_is_what_would_be_drawn_now(language):
    now = drawing.draw(results.shipped(), EVERYTHING, language)
    kept = drawing.shipped(language)
    assert kept.n_figures == now.n_figures
    assert kept.models == now.models
    for (name, old), (_, new) in zip(kept.charts, now.charts, strict=True):
        assert (old.title, old.how, old.sources, old.height) == (
            new.title,
            new.how,
            new.sources,
            new.height,
        ), name
        if new.json is None:
            assert old.json is None, name
        else:
            assert json.loads(old.json) == json.loads(new.json), (
                f"{name}: run python -m training.draw_evidence"
            )


def test_the_first_view_needs_neither_records_nor_plotly():
    code = (
        "import sys; from mirdemo.web.evidence import drawing; from mirdemo.web.evidence.selection import Selection;"
        "drawing.view(Selection(), 'ja'); drawing.models();"
        "print(*(m for m in ('plotly', 'pandas', 'mirdemo.bias') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_results_of_this_machine_are_drawn_too(own_home):
    own = results.from_dict(
        {
            **next(iter(results.published())).as_dict(),
            "model": "mine",
            "source": "measured",
            "versions": {"mirdemo": "0"},
        }
    )
    results.append([own], results.own_file())
    selection.base.cache_clear()
    drawing._drawn.cache_clear()
    try:
        assert "mine" in drawing.models()
    finally:
        selection.base.cache_clear()
        drawing._drawn.cache_clear()


def test_very_many_models_are_drawn_in_part_and_said_to_be():
    copies = tuple(
        replace(r, model=f"{r.model} {i}")
        for r in results.published()
        if r.tag is None and r.metric == "roc_auc"
        for i in range(30)
    )
    charts_of_many = drawn(records=Results(copies))
    assert len(heat(charts_of_many["overview"])["z"]) == wording.MOST_ROWS + len(overview.UNAVAILABLE)
    for name in ("overview", "gaps", "normalised", "transfer"):
        assert "more not drawn" in charts_of_many[name].sources[-1], name
