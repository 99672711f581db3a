"""Figures of protocols that stand apart: drawn by themselves, in no ranking, and said to be what they are."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from mirdemo.evidence import apart, cost, drawing, overview, selection
from mirdemo.evidence.disparities import as_data
from mirdemo.evidence.selection import Selection
from mirdemo.results import bias
from mirdemo.results import records as results
from mirdemo.results.records import APART, Results
from mirdemo.words.language import LANGUAGES, speaker

CITED = results.citations()
ALL = results.published() + results.elsewhere()


def charts(language="en", records=None, chosen=None):
    return dict(drawing.draw(records or ALL, chosen or Selection(), language).charts)


@pytest.mark.parametrize("metric", selection.METRICS)
def test_none_stands_in_a_ranking_with_others(metric):
    without = Results(tuple(r for r in ALL if not r.apart))
    corpora = tuple(r.corpus for r in ALL)
    rows = overview.rows_of(ALL, metric, corpora=corpora)
    assert {row.comparison.protocol for row in rows} & APART == set()
    assert {c.protocol for c in cost.probes(ALL, metric)} & APART == set()
    assert bias.best_known(ALL, metric) == bias.best_known(without, metric)
    found = as_data(Selection(metric=metric))
    assert {d["protocol"] for d in found["disparities"]} & APART == set()
    assert {d["protocol"] for d in found["ranks"]} & APART == set()


def test_the_other_charts_are_what_they_were_without_them():
    with_them, without = charts(), charts(records=Results(tuple(results.published())))
    for name, chart in without.items():
        if name not in ("within", "maeb", "mtat"):
            assert with_them[name] == chart, name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["within", "maeb", "mtat"])
def test_the_protocol_stands_in_the_title_of_every_axis_that_figures_lie_on(language, name):
    layout = json.loads(charts(language)[name].json)["layout"]
    titles = [
        axis["title"]["text"]
        for key, axis in layout.items()
        if key.startswith("xaxis") and "text" in axis.get("title", {})
    ]
    assert titles
    assert all(any(p in title for p in APART) for title in titles)
    if name == "mtat":
        assert len({p for title in titles for p in APART if p in title}) == 3


def test_each_named_model_is_ahead_of_as_many_as_the_title_says():
    title = str(charts()["maeb"].title)
    by_task = {}
    for r in ALL:
        if r.protocol == "maeb":
            by_task.setdefault(r.corpus, {})[r.model] = r.value
    shares = [
        100 * sum(v < of["CLAP-Music&Speech"] for v in of.values()) / (len(of) - 1) for of in by_task.values()
    ]
    assert (
        f"CLAP-Music&amp;Speech is ahead of {min(shares):.0f} to {max(shares):.0f} % of the others" in title
    )
    assert "Qwen2-Audio (as embedded by MTEB) is ahead of all others" in title
    worse = Results(
        tuple(replace(r, value=0.01) if r.model == "Qwen2-Audio" and r.protocol == "maeb" else r for r in ALL)
    )
    assert (
        "Qwen2-Audio (as embedded by MTEB) is ahead of 0 % of the others"
        in charts(records=worse)["maeb"].title
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_isolated_sounds_stand_under_a_heading_of_their_own(language):
    t = speaker(language)
    labels = json.loads(charts(language)["maeb"].json)["layout"]["yaxis"]["ticktext"]
    at = labels.index(f"<b>{t('evidence.maeb.isolated')}</b>")
    assert [("GTZAN" in one) for one in labels[:at]] == [False, True]
    assert all(re.search("NSynth|Mridangam|Beijing", one) for one in labels[at + 1 :])


def test_what_was_quoted_at_second_hand_has_another_mark_and_says_so():
    data = json.loads(charts()["mtat"].json)["data"]
    marks = {}
    for trace in data:
        for mark, hover in zip(trace["marker"]["symbol"], trace.get("hovertext", ()), strict=False):
            marks.setdefault(mark, []).append("quoted at second hand" in hover)
    assert all(marks["circle-x-open"])
    assert not any(marks["circle-open"])


def test_every_figure_that_stands_apart_is_shown_whatever_metric_is_chosen_and_can_be_downloaded():
    for metric in selection.METRICS:
        shown = selection.shown(ALL, Selection(metric=metric))
        assert sum(r.apart for r in shown) == len(results.elsewhere())


def test_models_of_speech_do_not_fill_the_choice_of_models():
    offered = drawing.draw(ALL, Selection(), "en").models
    assert {"Qwen2-Audio", "CLAP-Music", "CLAP-Music&Speech"} <= set(offered)
    assert not any("/" in model for model in offered)


def test_one_model_chosen_is_told_by_its_range():
    title = charts(chosen=Selection(models=("CLAP-Music",)))["maeb"].title
    assert title.startswith("By MTEB's rules: 5 figures from 0.18 to 0.62")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hover_tells_task_spread_and_who_embedded(language):
    t = speaker(language)
    record = next(r for r in results.elsewhere() if r.model == "Qwen2-Audio" and r.corpus == "beijing-opera")
    words = apart.told(record, CITED, t)
    assert "236" in words
    assert "0.028" in words
    assert str(t("evidence.apart.by_mteb")) in words
    assert "maeb" in words
