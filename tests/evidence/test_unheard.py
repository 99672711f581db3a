"""The difference of differences on real recordings: its sign, its interval, what is left out, and that all of it is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mirdemo.evidence.unheard import ACCURACY, FOLDS, METHODS, PAIRS, UNTRAINED, WESTERN, rows, unheard
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results
from mirdemo.words.language import LANGUAGES, speaker

SIZES = {WESTERN: 60, "kdc": 80, "kdc-artists": 6}


def figure(model: str, corpus: str, value: float, spread: float = 0.02, seed: int = 0, **other) -> Result:
    """A macro ROC-AUC whose standard error is ``spread``, correlated with those of the same corpus."""
    n = SIZES[corpus]
    shared = np.random.default_rng(n).normal(size=n)
    own = np.random.default_rng([seed, n, sum(map(ord, model))]).normal(size=n)
    influences = (shared + own) * spread / np.sqrt(2 * n)
    given = {
        "method": "probe",
        "protocol": "live",
        "metric": "roc_auc",
        "corpus_revision": f"split-{corpus}",
        "split": "test",
        "source": "measured",
        "versions": {"mirdemo": "0"},
        **other,
    }
    return Result(
        model=model,
        corpus=corpus,
        value=value,
        low=value - 2 * spread,
        high=value + 2 * spread,
        level=0.9,
        n=n,
        influences=tuple(influences),
        **given,
    )


def measured(lead: float = 0.2, **changed) -> tuple[Results, Results]:
    """musicnn leads Mini-World by ``lead`` on Western music and by nothing on dastgah; the untrained one is like Mini-World."""
    values = {"musicnn-MSD": (0.75 + lead, 0.6), "Mini-World": (0.75, 0.6), "Mini-West": (0.75, 0.6)}
    known = [
        figure(model, corpus, western if corpus == WESTERN else other, **changed)
        for model, (western, other) in values.items()
        for corpus in SIZES
    ]
    plain = [figure(UNTRAINED, corpus, 0.75 if corpus == WESTERN else 0.6, **changed) for corpus in SIZES]
    return Results(tuple(known)), Results(tuple(plain))


def few_shot(lead: float = 0.2, spread: float = 0.01) -> tuple[Results, Results]:
    """The same of few-shot's accuracy, with five draws of the support sets that move musicnn's by ``spread``."""
    both = []
    for of in measured(lead, method="fewshot", metric=ACCURACY):
        drawn = []
        for record in of:
            moves = spread * np.linspace(-1, 1, 5) if record.model == "musicnn-MSD" else np.zeros(5)
            alone = {"low": None, "high": None, "level": None, "influences": None}
            drawn += [
                replace(record, seed=seed, value=record.value + move, **alone)
                for seed, move in enumerate(moves)
            ]
        both.append(Results((*of, *drawn)))
    return both[0], both[1]


def test_the_difference_of_differences_and_its_interval() -> None:
    found = {(row.first, row.second, row.corpus): row for row in rows(*measured(), "roc_auc")}
    assert len(found) == len(PAIRS) * len(FOLDS)
    row = found["musicnn-MSD", "Mini-World", "kdc"]
    assert row.figure.value == pytest.approx(0.2)
    assert (row.western, row.other, row.n) == (pytest.approx(0.2), pytest.approx(0.0), (60, 80))
    low, high = row.figure.ends
    assert 0.1 < low < 0.2 < high < 0.3
    assert found["Mini-West", "Mini-World", "kdc"].figure.ends[0] < 0
    few = found["musicnn-MSD", "Mini-World", "kdc-artists"].figure.ends
    assert few[1] - few[0] > high - low, "six artists tell less than eighty recordings"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lead", [0.2, 0.0, -0.2])
def test_the_title_says_what_was_found(lead: float, language: str) -> None:
    t = speaker(language)
    known, plain = measured(lead)
    chart = unheard("roc_auc", t, measured=known, untrained=plain)
    points = (
        f"{100 * lead:+.1f}".replace("-", "\N{MINUS SIGN}") if lead else " 0.0" if language == "en" else "0.0"
    )
    assert points in chart.title
    assert "musicnn-MSD" in chart.title
    others = {
        unheard("roc_auc", t, measured=k, untrained=p).title for k, p in map(measured, (0.2, 0.0, -0.2))
    }
    assert len(others) == 3
    assert chart.how.count("\n") == len(PAIRS) * len(FOLDS)


def test_the_marks_are_points_with_bars_and_zero_is_drawn() -> None:
    chart = unheard("roc_auc", speaker("en"), **dict(zip(("measured", "untrained"), measured(), strict=True)))
    data = json.loads(chart.json)
    by_recording = data["data"][0]
    assert by_recording["x"] == pytest.approx([20.0, 20.0, 0.0])
    assert min(by_recording["error_x"]["array"]) > 0
    assert data["layout"]["xaxis"]["zeroline"]
    assert "60 Western and 80 Iranian recordings" in by_recording["text"][0]


def test_few_shots_accuracy_stands_in_a_panel_of_its_own_and_its_draws_widen_the_interval() -> None:
    known, plain = measured()
    few, few_plain = few_shot()
    chart = unheard("roc_auc", speaker("en"), measured=known + few, untrained=plain + few_plain)
    data = json.loads(chart.json)
    assert [trace["xaxis"] for trace in data["data"]] == ["x", "x", "x2", "x2"]
    assert data["data"][2]["x"] == pytest.approx([20.0, 20.0, 0.0])
    assert "accuracy" in data["layout"]["xaxis2"]["title"]["text"]
    assert "accuracy" in data["data"][2]["text"][0]
    assert chart.how.count("\n") == len(METHODS) * len(PAIRS) * len(FOLDS)
    widths = []
    for spread in (0.0, 0.01, 0.05):
        row = rows(*few_shot(spread=spread), "roc_auc")[0]
        widths.append(row.figure.ends[1] - row.figure.ends[0])
    assert widths[0] < widths[1] < widths[2]
    undrawn = [Results(tuple(r for r in of if r.seed is None)) for of in (few, few_plain)]
    assert not rows(*undrawn, "roc_auc"), "how much the draws matter is not known"


def test_figures_of_other_recordings_are_not_held_against_each_other() -> None:
    known, plain = measured()
    fewer = Results(
        tuple(replace(r, setting={"left_out": 3}) if r.model == "Mini-World" else r for r in known)
    )
    assert {row.second for row in rows(fewer, plain, "roc_auc")} == {UNTRAINED}


def test_every_shipped_figure_on_real_recordings_is_of_the_same_recordings() -> None:
    """The rows of ``training/on_real_traditions.py``: of each corpus the same sound, for few-shot also the same queries."""
    shipped = results.on_real_traditions() + results.untrained()
    figures = [r for r in shipped if r.tag is None and r.seed is None]
    for corpus in SIZES:
        for method in METHODS:
            of = [r for r in figures if (r.corpus, r.method) == (corpus, method)]
            assert len({(r.model, r.whitening) for r in of}) == 7, (corpus, method)
            told = {(r.corpus_revision, r.n, r.setting.get("left_out"), r.setting.get("limit")) for r in of}
            assert len(told) == 1, (corpus, method)
            assert {len(r.influences) for r in of if r.influences} == {next(iter(told))[1]}
    assert len(rows(results.on_real_traditions(), results.untrained(), "roc_auc")) == 12


def test_what_cannot_be_paired_is_left_out_and_nothing_is_nothing() -> None:
    known, plain = measured()
    assert not rows(known, Results(()), "macro_f1")
    assert {row.second for row in rows(known, Results(()), "roc_auc")} == {"Mini-World"}
    moved = Results(
        tuple(
            replace(r, corpus_revision="split-other")
            if r.corpus == WESTERN and r.model == "Mini-World"
            else r
            for r in known
        )
    )
    assert {row.second for row in rows(moved, plain, "roc_auc")} == {UNTRAINED}
    empty = unheard("roc_auc", speaker("en"), measured=Results(()), untrained=Results(()))
    assert empty.json is None
    assert empty.empty
