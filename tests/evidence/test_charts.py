"""Every chart says what its data says, in both languages, and shows a blank as a blank."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.frames import STUDY
from mirdemo.evidence import drawing, few_shot, overview, rarity, selection, wording
from mirdemo.evidence.charting import SEQUENTIAL, Cell, HeatTable, contrast
from mirdemo.evidence.palette import COLOURS, MORE
from mirdemo.evidence.selection import Selection
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.results.trends import trends
from mirdemo.web.frame.templating import render
from mirdemo.words.language import LANGUAGES, speaker

CITED = results.citations()
SIX = tuple(STUDY.traditions)


EVERYTHING = Selection()


def drawn(chosen: Selection = EVERYTHING, language: str = "en", records: Results | None = None):
    if records is None:
        return dict(published_as_drawn(chosen, language))
    return dict(drawing.draw(records, chosen, language).charts)


@cache
def published_as_drawn(chosen: Selection, language: str):
    return drawing.draw(results.published(), chosen, language).charts


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
    rows = overview.rows_of(records, "roc_auc", corpora=SIX)
    found = overview.disparities(rows, best=bias.best_known(records, "roc_auc"))
    title = drawn()["overview"].detail
    worst = [d for d in found if d.worst == "carnatic"]
    assert f"{len(worst)} of {len(found)}" in title
    assert (
        f"{100 * min(d.gap.value for d in worst):.0f} to {100 * max(d.gap.value for d in worst):.0f}" in title
    )
    assert "Carnatic" in title
    assert title.startswith("ROC-AUC: ")
    without = Results(tuple(r for r in records if r.corpus != "carnatic"))
    assert "Carnatic" not in drawn(records=without)["overview"].title


def test_the_headline_is_a_sentence_to_repeat_and_as_true_as_its_figures():
    models = len({row.model for row in overview.rows_of(results.published(), "roc_auc", corpora=SIX)})
    assert drawn()["overview"].title == (
        f"None of these {models} models hears South Indian music (Carnatic) as well as Western music"
    )
    assert drawn(language="ja")["overview"].title.startswith(
        f"これらの {models} モデルはどれも、南インドの音楽"
    )

    def with_ast(**change):
        return Results(
            tuple(
                replace(r, **change) if (r.model, r.corpus, r.tag) == ("AST", "carnatic", None) else r
                for r in results.published()
            )
        )

    better = drawn(records=with_ast(value=0.99))["overview"].title
    assert (
        better
        == f"{models - 1} of {models} models hear South Indian music (Carnatic) less well than Western music"
    )
    # intervals that reach into each other do not part two figures
    unsure = [
        replace(r, low=max(r.value - 0.1, 0), high=min(r.value + 0.1, 1), level=0.9, n=9)
        if r.tag is None
        else r
        for r in results.published()
    ]
    assert "None of" not in drawn(records=Results(tuple(unsure)))["overview"].title
    # where a Western corpus is the worst, or there is one model, the title is the specialist's
    assert drawn(Selection(metric="map"))["overview"].detail == ""
    assert drawn(Selection(models=("AST",)))["overview"].detail == ""


def test_models_without_a_figure_are_one_line_with_the_way_to_one():
    chart = drawn()["overview"]
    for title in overview.UNAVAILABLE.values():
        assert title.replace("&", "&amp;") in chart.missing
    assert "--backbone mert-95m --method probe --protocol papaioannou2025" in chart.filling
    assert drawn(Selection(metric="map"))["overview"].missing == ""


@pytest.mark.parametrize(
    ("chosen", "rows"), [(Selection(metric="map", corpora=("lyra",)), 12), (Selection(models=("AST",)), 3)]
)
def test_the_overview_draws_every_figure_over_all_tags_in_the_metric(chosen, rows):
    chart = drawn(chosen)["overview"]
    cells = [v for row in heat(chart)["z"] for v in row if v is not None]
    wanted = [
        r.value
        for r in selection.choose(results.published(), chosen)
        if r.tag is None and r.metric == chosen.metric and r.method != "fewshot"
    ]
    assert sorted(cells) == sorted(wanted)
    assert len(heat(chart)["z"]) == rows


def test_one_corpus_is_drawn_with_its_range_and_its_gaps_say_what_they_need():
    charts = drawn(Selection(metric="map", corpora=("lyra",)))
    assert charts["overview"].title.startswith("mAP: 12 rows from 0.40 to 0.57 (no interval published)")
    for name in ("gaps", "normalised"):
        assert charts[name].json is None
        assert "at least two corpora" in charts[name].empty
    one = Selection(models=("MERT-v1-95M",), metric="map")
    assert "MERT-v1-95M · probing is weakest on MagnaTagATune" in drawn(one)["overview"].title
    few = tuple(r for r in results.published() if r.model == "MERT-v1-95M" and r.corpus in SIX[:5])
    assert "for all six corpora" in drawn(records=Results(few))["gaps"].empty


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "chosen", [Selection(corpora=("lyra",)), Selection(models=("MERT-v1-95M",)), Selection(metric="map")]
)
def test_no_finding_goes_from_a_number_to_the_same_or_speaks_of_every_one_of_one(language, chosen):
    for name, chart in drawn(chosen, language).items():
        assert not re.search(r"(?<![\d.])([\d.]+)( to |〜)\1(?![\d.])", chart.title), name
        if len(chosen.corpora) == 1:
            assert not re.search("every (tradition|corpus)|どの(伝統|コーパス)", chart.title), name


@pytest.mark.parametrize("source", ["published", "measured"])
def test_a_cell_has_a_link_only_where_its_source_has_one(source):
    here = {"source": "measured", "citation": None, "versions": {"mirdemo": "1"}, "hardware": "cpu"}
    made = here if source == "measured" else {}
    records = [replace(r, **made) for r in results.published() if r.corpus == "lyra" and r.tag is None]
    chart = drawn(records=Results(tuple(records)))["overview"]
    assert chart.json is not None
    cells = [cell for _, row in chart.table.rows for cell in row if cell is not None]
    assert len(cells) > 2
    for cell in cells:
        assert cell.link.startswith("https://") == (source == "published")
        assert f"{cell.value:.2f}" in cell.says


def test_the_findings_of_one_corpus_name_it():
    charts = drawn(Selection(corpora=("lyra",)))
    assert charts["rarity"].title.startswith("Greek: tags with more test recordings score higher; how rare")
    assert "with LC-Protonets Lyra loses 7 points" in charts["fewshot"].title


def test_rarity_is_told_with_the_outer_limits_of_its_intervals_and_no_other_cause():
    records = rarity.per_tag(results.published())
    shares = [trend.explained for trend in trends(records, STUDY.traditions)]
    low, high = (f"{100 * f(s.value for s in shares):.0f}" for f in (min, max))
    outer = f"{100 * min(s.low for s in shares):.0f} to {100 * max(s.high for s in shares):.0f} %"
    chart = drawn()["rarity"]
    assert f"explains {low} to {high} % of the difference ({outer} with the intervals)" in chart.title
    assert chart.title.startswith("Tags with more test recordings")
    assert "test recordings" in json.loads(chart.json)["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize("name", ["overview", "gaps", "rarity"])
def test_a_finding_carries_the_interval_of_what_it_states(name):
    def sure(r):
        return replace(r, low=r.value * 0.95, high=1 - (1 - r.value) * 0.95, level=0.9, n=9)

    chosen = Selection(family="makam")  # counted, for its tags lie in one tradition

    def finding(chart):
        return chart.detail or chart.title

    plain = drawn(chosen)[name]
    known = drawn(chosen, records=Results(tuple(map(sure, results.published()))))[name]
    assert "(no interval published)" in finding(plain).replace("; no", " (no")
    assert re.search(r"[\d.]+ to [\d.]+ with the intervals", finding(known))
    mixed = [sure(r) if r.model != "CultureMERT-95M" else r for r in results.published()]
    if name != "rarity":
        assert re.search(
            r"with the intervals that \d+ of \d+ have", finding(drawn(records=Results(tuple(mixed)))[name])
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_weakest_place_is_named_as_its_row(language):
    chart = drawn(language=language)["normalised"]
    named = [row for row in json.loads(chart.json)["layout"]["yaxis"]["ticktext"] if row in chart.title]
    assert len(named) == 1
    assert " · " in named[0]


def test_no_two_curves_look_alike_and_each_name_stands_at_the_end_of_its_own():
    plain = json.loads(drawn()["fewshot"].json)
    solid = [t for t in plain["data"] if "marker" in t and t["line"]["dash"] == "solid"]
    marks = [(t["marker"]["symbol"], t["marker"]["color"]) for t in solid]
    assert len(set(marks)) == len(marks) == 6
    assert {t["name"] for t in solid if t["showlegend"]} == {"MagnaTagATune", "FMA-medium"}
    ends = {t["name"]: (max(t["x"]), t["y"][t["x"].index(max(t["x"]))]) for t in solid}
    labels = {a["text"]: a for a in plain["layout"]["annotations"]}
    assert set(labels) == set(ends)
    for name, (x, y) in ends.items():
        assert labels[name]["x"] == x
        assert labels[name]["y"] == pytest.approx(y, abs=0.1)
    at = sorted(a["y"] for a in labels.values() if a["x"] == 60)
    assert min(b - a for a, b in pairwise(at)) > 0.04


@pytest.mark.parametrize("language", LANGUAGES)
def test_synthesised_music_is_called_so_wherever_it_is_drawn(language):
    t, charts = speaker(language), drawn(language=language, records=results.shipped())
    words = str(t("evidence.measured_synthesised"))
    headings = json.loads(charts["cost"].json)["layout"]["yaxis"]["ticktext"]
    assert sum(words in label for label in headings) == 1
    narrow = json.loads(charts["cost"].json)["narrow"]["yaxis"]["ticktext"]
    assert sum(str(t("evidence.measured_synthesised_narrow")) in label for label in narrow) == 1
    assert max(len(line) for label in narrow for line in label.split("<br>")) < 32, "too wide for a phone"
    assert words in charts["cost"].how
    for name in ("cost", "controlled"):
        assert words in charts[name].sources
        assert words in charts[name].json  # in the hovers
    assert charts["controlled"].title.startswith(
        {"en": "On synthesised music:", "ja": "合成した音楽では："}[language]
    )
    assert {"en": "synthesised", "ja": "合成"}[language] in t("evidence.intro")


def test_an_axis_is_wide_enough_for_its_ticks_to_differ():
    same = [
        replace(r, value=0.8) if (r.tag, r.metric) == (None, "roc_auc") else r for r in results.published()
    ]
    far, close = drawn(), drawn(records=Results(tuple(same)))
    for name, axis in (("cost", "xaxis"), ("normalised", "xaxis"), ("transfer", "yaxis")):
        low, high = json.loads(close[name].json)["layout"][axis]["range"]
        assert high - low >= 0.1, name
        assert low < (1 if name == "normalised" else 0.8) < high, name
        assert "range" not in json.loads(far[name].json)["layout"][axis], name


def heat(chart):
    return next(trace for trace in json.loads(chart.json)["data"] if trace["type"] == "heatmap")


def test_a_figure_that_was_not_published_is_blank_never_zero():
    chart = drawn(Selection(metric="macro_f1", models=("MERT-v1-95M",)))["overview"]
    cells = [v for row in heat(chart)["z"] for v in row]
    assert 0 not in cells
    assert all(0 < v < 1 for v in cells)
    whole = heat(drawn()["overview"])["z"]
    assert all(any(v is not None for v in row) for row in whole), "a row without a figure takes no room"


@pytest.mark.parametrize("chosen", [Selection(), Selection(metric="map")])
def test_the_overviews_table_holds_its_figures_in_its_colours(chosen):
    chart = drawn(chosen)["overview"]
    trace, table = heat(chart), chart.table
    assert [[cell and cell.value for cell in cells] for _, cells in table.rows] == trace["z"]
    layout = json.loads(chart.json)["layout"]
    assert list(table.columns) == layout["xaxis"]["ticktext"]
    assert [label for label, _ in table.rows] == layout["yaxis"]["ticktext"]
    assert table.low == trace["zmin"]


def test_the_tables_colours_are_those_of_the_scale():
    table = HeatTable(("a",), ("a",), (), low=0.5)
    for share, colour in SEQUENTIAL:
        assert table.colour(0.5 + share / 2) == colour
    assert table.colour(0.2) == SEQUENTIAL[0][1]  # below the scale
    assert table.colour(0.5625) == "#e3eef6"  # half way between the first two, channel by channel
    for hundredths in range(101):  # any figure can be read on its cell
        assert contrast(table.ink(hundredths / 100), table.colour(hundredths / 100)) >= 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("ground", ["#ffffff", "#131316"])
def test_every_traditions_marks_stand_out_on_either_ground(ground: str):
    assert min(contrast(one, ground) for one in (*COLOURS.values(), *MORE)) >= 3


def test_a_table_shows_every_figure_and_reads_its_blanks_out():
    chart = drawn()["overview"]
    html = render("evidence-charts.html", speaker("en"), {"charts": [("overview", chart)]})
    cells = [cell for _, row in chart.table.rows for cell in row]
    assert html.count('class="cell"') == sum(cell is not None for cell in cells) == 72
    assert '<span class="wide">0</span>.79</button></td>' in html
    assert "CLAP-Music&amp;Speech" in html
    certain = replace(chart, table=HeatTable(("x", "y"), ("x", "y"), (("one", (Cell(1.0), None)),), low=0.5))
    with_blank = render("evidence-charts.html", speaker("en"), {"charts": [("overview", certain)]})
    assert with_blank.count("no figure") == with_blank.count('class="blank"') == 1
    assert "<span>1</span>.00</button></td>" in render(
        "evidence-charts.html", speaker("en"), {"charts": [("overview", certain)]}
    )


def test_a_model_is_told_as_missing_only_until_it_is_measured():
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
    before = drawn()["overview"]
    after = drawn(records=Results((*results.published(), measured)))["overview"]
    assert len(after.table.rows) == len(before.table.rows) + 1
    assert "5 models" in before.missing
    assert "4 models" in after.missing


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
        for corpus in catalogue().values():
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
        assert replace(old, json=None) == replace(new, json=None), name
        if new.json is None:
            assert old.json is None, name
        else:
            assert json.loads(old.json) == json.loads(new.json), (
                f"{name}: run python -m training.draw_evidence"
            )


def test_the_first_view_needs_neither_records_nor_plotly():
    code = (
        "import sys; from mirdemo.evidence import drawing; from mirdemo.evidence.selection import Selection;"
        "drawing.view(Selection(), 'ja'); drawing.models();"
        "print(*(m for m in ('plotly', 'pandas', 'mirdemo.results.bias') if m in sys.modules))"
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
    drawing.forget()
    try:
        assert "mine" in drawing.models()
    finally:
        drawing.forget()


WAYS = {
    "en": (
        "a split of one's own",
        "at most 30 items a side",
        "2 items left out",
        "the first 30 s of each item",
    ),
    "ja": ("独自の分割", "分割ごとに最大 30 件", "2 件を除外", "各項目の最初の 30 秒のみ"),
}
DEPARTURES = ({"split_files": "own"}, {"limit": 30}, {"left_out": 2}, {"max_seconds": 30.0})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("at", range(len(DEPARTURES)))
def test_figures_of_part_of_a_corpus_are_marked_in_words_and_part_of_no_finding(language, at):
    """Better than all on five corpora and worse than all on one, so every title would speak of it."""
    part = [
        replace(
            one,
            model="mine", citation=None, source="measured", versions={"mirdemo": "0"}, protocol="papaioannou2025",
            value=0.01 if one.corpus == "fma" else 0.99, seconds=9.0, hardware="here",
            setting={**one.setting, **DEPARTURES[at]},
        )
        for one in results.published()
        if one.model == "MERT-v1-95M" or one.setting.get("support")
    ]  # fmt: skip
    assert {one.tag is None for one in part} == {True, False}
    before = dict(published_as_drawn(EVERYTHING, language))
    view = drawing.draw(Results((*results.published(), *part)), EVERYTHING, language)
    now = dict(view.charts)
    for name in before:
        if name != "overview":
            assert now[name] == before[name], name
    chart, mark = now["overview"], str(speaker(language)("evidence.partial.mark"))
    assert (chart.title, chart.detail, chart.missing) == (
        before["overview"].title, before["overview"].detail, before["overview"].missing,
    )  # fmt: skip
    marked = [(label, cells) for label, cells in chart.table.rows if mark in label]
    assert [label.split(" · ")[0] for label, _ in marked] == ["mine"]
    assert chart.table.rows[-1] == marked[0]
    assert sorted(cell.value for cell in marked[0][1] if cell) == [0.01] + 5 * [0.99]
    assert all(WAYS[language][at] in cell.says for cell in marked[0][1] if cell)
    assert any(line.startswith("mine") and WAYS[language][at] in line for line in chart.sources)
    assert view.n_figures == len(selection.shown(results.published(), EVERYTHING)) + 6


def test_models_measured_on_part_of_a_corpus_have_no_ranks_there():
    of_lyra = [r for r in results.published() if r.corpus == "lyra" and r.method == "probe" and r.tag is None]
    sure = [replace(r, low=r.value - 0.01, high=r.value + 0.01, level=0.9) for r in of_lyra]
    part = [replace(r, setting={**r.setting, "limit": 30}) for r in sure]
    known = overview.ranks_of(overview.rows_of(Results(tuple(sure)), "roc_auc", corpora=SIX))
    both = overview.ranks_of(overview.rows_of(Results((*sure, *part)), "roc_auc", corpora=SIX))
    assert known == both != {}


def test_none_of_the_figures_that_ship_and_are_shown_is_of_part_of_a_corpus():
    assert not any(record.partial for record in results.shipped())


def test_very_many_models_are_drawn_in_part_and_said_to_be():
    copies = tuple(
        replace(r, model=f"{r.model} {i}")
        for r in results.published()
        if r.tag is None and r.metric == "roc_auc"
        for i in range(30)
    )
    charts_of_many = drawn(records=Results(copies))
    assert len(heat(charts_of_many["overview"])["z"]) == wording.MOST_ROWS
    for name in ("overview", "gaps", "normalised", "transfer"):
        assert "more not drawn" in charts_of_many[name].sources[-1], name


def test_equal_figures_are_not_below_one_another_and_intervals_decide_where_there_are_any():
    one = next(r for r in results.published() if r.low is None)
    assert not overview._below(one, one)
    assert overview._below(replace(one, value=one.value - 0.01), one)
    sure = replace(one, value=0.8, low=0.7, high=0.9, level=0.9)
    assert not overview._below(replace(sure, value=0.69, low=0.6, high=0.7), sure)
    assert overview._below(replace(sure, value=0.65, low=0.6, high=0.69), sure)


def test_what_is_lost_with_more_tags_is_told_in_points_from_the_fewest_to_the_most():
    one = next(iter(results.published()))
    worth = {5: 0.9, 15: 0.8, 60: 0.4}
    table = {("fma", "LC-Protonets"): {n: replace(one, value=value) for n, value in worth.items()}}
    said = few_shot.few_shot_title(["fma"], table, 3, 4, speaker("en"))
    assert "50" in re.findall(r"\d+", said)
    table["lyra", "LC-Protonets"] = {n: replace(one, value=value / 2 + 0.3) for n, value in worth.items()}
    said = few_shot.few_shot_title(["fma", "lyra"], table, 3, 4, speaker("en"))
    assert {"25", "50"} <= set(re.findall(r"\d+", said))
