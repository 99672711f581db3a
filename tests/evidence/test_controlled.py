"""The controlled experiment states its finding with its interval, whatever it is."""

from __future__ import annotations

import json

import pytest

from mirdemo.evidence import controlled
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results
from mirdemo.words.language import LANGUAGES, speaker

CITED = results.citations()


def figures(model: str, western: float, others: float, half: float | None = 0.02, mode: str = "full"):
    for corpus in controlled.CORPORA:
        value = western if corpus.endswith("western") else others
        interval = {} if half is None else {"low": value - half, "high": value + half, "level": 0.9}
        yield Result(
            model=model,
            corpus=corpus,
            method="probe",
            protocol="papaioannou2025",
            metric="roc_auc",
            value=value,
            n=120,
            setting={"mode": mode},
            source="measured",
            versions={"mirdemo": "0"},
            **interval,
        )


def chart(*rows, language="en"):
    return controlled.controlled(
        Results(tuple(r for row in rows for r in row)), "roc_auc", CITED, speaker(language)
    )


def test_a_difference_that_is_there_is_told_with_its_interval():
    title = chart(figures("mini-west", 0.9, 0.7), figures("mini-world", 0.8, 0.8)).title
    assert "20.0 points better on Western music" in title
    assert "+20.0 points (+1" in title


def test_a_difference_that_may_be_nothing_is_said_to_be():
    title = chart(figures("mini-west", 0.81, 0.8), figures("mini-world", 0.8, 0.8)).title
    assert "cannot be told from nothing" in title


def test_one_that_goes_the_other_way_comes_out_as_such():
    title = chart(figures("mini-west", 0.7, 0.8), figures("mini-world", 0.8, 0.8)).title
    assert "\N{MINUS SIGN}10.0 points (\N{MINUS SIGN}" in title


def test_what_the_networks_were_raised_on_is_what_their_training_wrote_down():
    how = chart(figures("mini-west", 0.9, 0.7), figures("mini-world", 0.8, 0.8)).how
    for kind, count in controlled.budget().items():
        assert count > 1000, kind
        assert f"{count:,}" in how


def test_without_intervals_none_is_claimed():
    title = chart(figures("mini-west", 0.9, 0.7, None), figures("mini-world", 0.8, 0.8, None)).title
    assert "(no interval)" in title


def test_nothing_is_claimed_while_a_tradition_is_missing():
    west = list(figures("mini-west", 0.9, 0.7))[:-1]
    title = chart(west, figures("mini-world", 0.8, 0.8)).title
    assert "points" not in title


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mode_has_its_line(language):
    rows = [
        figures(model, western, 0.75, mode=mode)
        for mode in controlled.MODES
        for model, western in (("mini-west", 0.9), ("mini-world", 0.8))
    ]
    how = chart(*rows, language=language).how
    for mode in controlled.MODES:
        assert speaker(language)("evidence.controlled.mode." + mode) in how


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_another_training_gave_is_told_beside_it(language):
    first, again = (
        Results((*figures("mini-west", western, 0.7), *figures("mini-world", 0.8, 0.8)))
        for western in (0.9, 0.84)
    )
    how = controlled.controlled(first, "roc_auc", CITED, speaker(language), again=again).how
    assert "+20.0" in how.splitlines()[1]
    assert "+14.0" in how.splitlines()[-1]
    assert "+14.0" not in how.splitlines()[2]
    alone = controlled.controlled(first, "roc_auc", CITED, speaker(language), again=Results(())).how
    assert alone.splitlines() == how.splitlines()[:-1]


def test_it_is_told_on_which_music_the_difference_lies():
    how = chart(figures("mini-west", 0.9, 0.7), figures("mini-world", 0.8, 0.73)).how
    line = next(line for line in how.splitlines() if "Where that lies" in line)
    minus = "\N{MINUS SIGN}"
    # two intervals of 2 points each way: 2 * sqrt(2) on one corpus, less by sqrt(5) on the mean of five
    assert f"{minus}10.0 points ({minus}12.8 to {minus}7.2) on Western music" in line
    assert "+3.0 points (+1.7 to +4.3) on the mean of the other five" in line


def test_a_line_without_an_interval_says_so():
    lines = chart(
        figures("mini-west", 0.9, 0.7, None), figures("mini-world", 0.8, 0.8, None)
    ).how.splitlines()
    assert "+20.0 points (no interval)" in lines[1]
    assert "+10.0 points (no interval) on the mean of the other five" in lines[2]
    assert "?" not in "".join(lines[1:3])


def test_another_training_is_not_spoken_of_where_the_first_is_not_shown():
    again = Results((*figures("mini-west", 0.9, 0.7), *figures("mini-world", 0.8, 0.8)))
    alone = Results(tuple(figures("mini-west", 0.9, 0.7)))
    how = controlled.controlled(alone, "roc_auc", CITED, speaker("en"), again=again).how
    assert "\n" not in how


def test_the_shipped_experiment_was_trained_again_with_other_weights():
    both = results.shipped(), results.trained_again()
    for model in ("Mini-West", "Mini-World"):
        weights = [
            {r.versions["weights"] for r in of.where(model=model, method="probe", mode="full")} for of in both
        ]
        assert all(weights), model
        assert weights[0].isdisjoint(weights[1]), model


def test_whitened_figures_and_other_models_stay_out():
    other = list(figures("somebody", 0.9, 0.1))
    drawn = chart(figures("mini-west", 0.9, 0.7), figures("mini-world", 0.8, 0.8), other)
    assert "somebody" not in drawn.json


def test_lines_are_named_as_everywhere_else():
    drawn = chart(*(figures(name, 0.9, 0.7 + i / 20) for i, name in enumerate(controlled.TITLES)))
    plain = json.loads(drawn.json)
    assert {a["text"] for a in plain["layout"]["annotations"]} == set(controlled.TITLES)
    assert "Mini-West and Mini-World" in drawn.how
    narrow = [a["text"] for a in plain["narrow"]["annotations"].values()]
    assert {name.replace("<br>", " ") for name in narrow} == set(controlled.TITLES)
    assert not any(" " in name for name in narrow), "a phone has no room beside the lines"


def test_an_axis_is_wide_enough_for_its_ticks_to_differ():
    def range_of(*rows):
        return json.loads(chart(*rows).json)["layout"]["yaxis"].get("range")

    low, high = range_of(figures("mini-west", 0.81, 0.8, None), figures("mini-world", 0.8, 0.8, None))
    assert low < 0.8 < 0.81 < high
    assert high - low >= 0.1
    assert range_of(figures("mini-west", 0.9, 0.7), figures("mini-world", 0.8, 0.8)) is None


def test_no_results_no_chart():
    assert chart().json is None


def test_the_shipped_experiment_has_every_backbone_tradition_and_an_interval():
    shipped = [
        r for r in results.shipped() if r.source == "measured" and r.method == "probe" and r.tag is None
    ]
    macro = [r for r in shipped if r.metric == "roc_auc"]
    assert {(controlled.TITLES[r.model], r.corpus) for r in macro} == {
        (name, corpus) for name in controlled.SHAPES for corpus in controlled.CORPORA
    }
    assert all(r.low is not None and r.n == 120 and r.versions for r in macro)
