"""Indian tags inside a Western corpus: the finding is counted from the intervals that are drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mirdemo.evidence import drawing
from mirdemo.evidence.indian_tags import support_of
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.words.language import LANGUAGES

ALL = results.published() + results.elsewhere()


def chart(records=ALL, language="en"):
    return dict(drawing.draw(records, Selection(), language).charts)["within"]


def test_seven_models_and_two_tags_are_drawn_three_ways_each_with_its_interval():
    data = json.loads(chart().json)["data"]
    assert len(data) == 2 * 3
    assert all(len(trace["x"]) == 7 and len(trace["error_x"]["array"]) == 7 for trace in data)
    assert all(min(trace["error_x"]["array"]) > 0 for trace in data)


def test_the_finding_counts_bars_that_keep_clear_of_nothing():
    data = json.loads(chart().json)["data"]
    kind = [trace for trace in data if trace["legendgroup"] == "kind"]
    counted = [
        (
            sum(x + e < 0 for x, e in zip(trace["x"], trace["error_x"]["array"], strict=True)),
            sum(x - e > 0 for x, e in zip(trace["x"], trace["error_x"]["arrayminus"], strict=True)),
        )
        for trace in kind
    ]
    title = chart().title
    for tag, (worse, better) in zip(("indian", "sitar"), counted, strict=True):
        assert (
            f"“{tag}” is surely harder to find for {worse} and surely easier for {better} of 7 models"
            in title
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tag_that_every_model_finds_changes_the_finding(language):
    best = Results(
        tuple(replace(r, value=0.99) if (r.protocol, r.tag) == ("mgphot", "sitar") else r for r in ALL)
    )
    assert chart(best, language).title != chart(language=language).title
    if language == "en":
        assert (
            "“sitar” is surely harder to find for 0 and surely easier for 7 of 7 models" in chart(best).title
        )


def test_the_number_of_clips_is_that_of_the_published_split():
    support = support_of()
    assert len(support) == 50
    assert (support["indian"], support["sitar"]) == (174, 102)
    assert "indian: 174 test clips" in chart().json


def test_without_such_figures_it_says_so():
    empty = chart(results.published())
    assert empty.json is None
    assert empty.empty
