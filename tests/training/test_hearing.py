"""The card says what the records say: heard, heard in part, not told from chance."""

from __future__ import annotations

from mirdemo.results.records import Result, Results
from mirdemo.scoring.intervals import Interval
from training.hearing import card, families, sentence, told_apart
from training.telling_apart import Pair


def record(tag: str, value: float, low: float | None, high: float | None, **other) -> Result:
    fields = {
        "model": "Some model",
        "corpus": "controlled/makam",
        "method": "probe",
        "protocol": "papaioannou2025",
        "metric": "roc_auc",
        "source": "measured",
        "versions": {"mirdemo": "0"},
        "level": 0.9,
        "n": 120,
        "setting": {"mode": "full", "seeds": 5},
    }
    return Result(**{**fields, "tag": tag, "value": value, "low": low, "high": high, **other})


HEARD = [record(f"instrument--{name}", 0.9, 0.8, 0.95) for name in ("Ney", "Ud", "Tanbur")]
MIXED = [record("mode--Rast", 0.55, 0.45, 0.65), record("mode--Saba", 0.9, 0.8, 0.95)]
UNHEARD = [record("rhythm--Aksak 9/8", 0.52, 0.4, 0.6)]


def test_the_sentence_names_what_is_heard_and_what_is_not():
    found = families(Results((*HEARD, *MIXED, *UNHEARD)), "Some model")
    assert sentence(found) == (
        "Hears instruments; hears in part modes; hardly hears rhythm cycles; does not reliably tell Rast (makam) and "
        "Aksak 9/8 (makam) from the rest of the tradition."
    )


def test_a_family_heard_everywhere_but_faintly_is_heard_in_part():
    faint = [record(f"mode--{name}", 0.62, 0.55, 0.7) for name in ("Rast", "Saba", "Segah")]
    (family,) = families(Results(tuple(faint)), "Some model")
    assert family.grade == "part"


def test_the_newest_record_of_a_tag_counts():
    old, new = record("mode--Rast", 0.55, 0.45, 0.65), record("mode--Rast", 0.95, 0.9, 0.99)
    (family,) = families(Results((old, new)), "Some model")
    assert family.records == (new,)


def test_other_models_modes_metrics_and_corpora_do_not_count():
    others = (
        record("mode--Rast", 0.9, 0.8, 1.0, model="Another"),
        record("mode--Rast", 0.9, 0.8, 1.0, setting={"mode": "pitch"}),
        record("mode--Rast", 0.9, 0.8, 1.0, metric="map"),
        record("mode--Rast", 0.9, 0.8, 1.0, corpus="makam"),
        record("mode--Rast", 0.9, 0.8, 1.0, method="fewshot"),
    )
    assert families(Results(others), "Some model") == []
    assert "not been measured" in card(Results(others), "Some model")


def test_the_card_shows_n_intervals_and_the_other_modes():
    pitch = record("mode--Rast", 0.71, 0.61, 0.81, setting={"mode": "pitch", "seeds": 5})
    text = card(Results((*HEARD, *MIXED, pitch)), "Some model")
    assert "| instruments | 3 of 3 | 0.90 |" in text
    assert "Rast (makam) 0.55 [0.45, 0.65]" in text
    assert "n = 120 recordings" in text
    assert "Pitch only" in text
    assert "Rast (makam) 0.71 [0.61, 0.81]" in text
    assert "Timbre only" not in text


def test_a_tag_without_an_interval_is_neither_heard_nor_missed():
    (family,) = families(Results((record("mode--Rast", 0.9, None, None, level=None),)), "Some model")
    assert family.heard == family.missed == ()


def pair(family: str, one: str, other: str, value: float, low: float, high: float) -> Pair:
    return Pair("makam", family, one, other, Interval(value, low, high, 40))


def test_the_card_names_the_closest_pairs_that_are_not_told_apart():
    close = [pair("mode", "Rast", name, 0.5 + i / 50, 0.4, 0.7) for i, name in enumerate("DACB")]
    pairs = [
        pair("mode", "Rast", "Saba", 0.9, 0.8, 0.95),
        *reversed(close),
        pair("rhythm", "Düyek", "Sofyan", 0.8, 0.6, 0.9),
    ]
    assert told_apart(pairs) == (
        "Two by two, tells 1 of 5 pairs of modes and 1 of 1 pairs of rhythm cycles apart; does not tell Rast from D (makam, "
        "0.50 [0.40, 0.70]), Rast from A (makam, 0.52 [0.40, 0.70]) and Rast from C (makam, 0.54 [0.40, 0.70])."
    )
    assert told_apart(pairs) in card(Results(tuple(HEARD)), "Some model", pairs)
    assert told_apart(pairs[:1]) == "Two by two, tells 1 of 1 pairs of modes apart."
    assert "Two by two" not in card(Results(tuple(HEARD)), "Some model")
