"""The difference of differences on real recordings: its sign, its interval, what is left out, and that all of it is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mirdemo.evidence.unheard import FOLDS, PAIRS, UNTRAINED, WESTERN, rows, unheard
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
    assert data["layout"]["shapes"][0]["x0"] == 0
    assert "60 Western and 80 Iranian recordings" in by_recording["text"][0]


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
