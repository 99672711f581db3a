"""Size and time against score: only what may be compared is, and what is not known is said to be."""

from __future__ import annotations

import json

import pytest

from mirdemo.backbones.registry import spec
from mirdemo.evidence import cost
from mirdemo.results import records as results
from mirdemo.results.records import Result, Results
from mirdemo.words.language import LANGUAGES, speaker

CITED = results.citations()
EN = speaker("en")


def figure(model: str, value: float, half: float | None = 0.01, corpus: str = "lyra", **changes) -> Result:
    interval = {} if half is None else {"low": value - half, "high": value + half, "level": 0.9}
    base = {
        "model": model,
        "corpus": corpus,
        "method": "probe",
        "protocol": "papaioannou2025",
        "metric": "roc_auc",
        "source": "measured",
        "versions": {"mirdemo": "0"},
        "hardware": "one machine",
        "seconds": 4.0,
    }
    return Result(**{**base, **interval, "value": value, **changes})


def chart(*records: Result, own=(), language: str = "en"):
    return cost.cost(Results(records), "roc_auc", CITED, speaker(language), own=own)


SMALL, LARGE, HUGE = "Mini-World", "MERT-v1-95M", "MERT-v1-330M"


def test_pairs_by_hand():
    records = [figure(SMALL, 0.7), figure(LARGE, 0.8), figure(HUGE, 0.79), figure("Mini-West", 0.9)]
    found = cost.pairs(cost.probes(records, "roc_auc"))
    # Both minis are of one size: five pairs of different sizes. The larger wins against Mini-World twice, loses
    # against Mini-West twice, and of the two MERTs nobody can tell.
    assert (found.n, found.up, found.largest) == (5, 2, HUGE)
    assert found.sure == 2
    assert found.against == 2


def test_what_is_no_network_is_not_the_smaller_network():
    records = [figure("Spectral statistics", 0.5), figure(SMALL, 0.7)]
    assert cost.pairs(cost.probes(records, "roc_auc")).n == 0
    assert "nothing can be said about size" in chart(*records).title
    found = cost.pairs(cost.probes([*records, figure(LARGE, 0.8)], "roc_auc"))
    assert (found.n, found.up) == (1, 1)


def test_only_probed_models_are_said_to_be_left_out_for_their_size():
    drawn = chart(figure(SMALL, 0.7), figure("AST", 0.9, method="finetune"))
    assert "AST" not in drawn.how


def test_without_intervals_nothing_is_clear():
    records = [figure(SMALL, 0.5, None), figure(LARGE, 0.9, None)]
    found = cost.pairs(cost.probes(records, "roc_auc"))
    assert (found.n, found.up, found.sure, found.against) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [{"protocol": "live"}, {"split": "valid"}, {"corpus": "makam"}, {"method": "finetune"}],
)
def test_two_protocols_or_corpora_are_never_compared(changes):
    records = [figure(SMALL, 0.7), figure(LARGE, 0.8, **changes)]
    assert cost.pairs(cost.probes(records, "roc_auc")).n == 0


def test_what_was_played_with_and_whitened_figures_stay_out():
    records = [
        figure(SMALL, 0.7),
        figure(LARGE, 0.8, whitening="w"),
        figure(HUGE, 0.8, setting={"mode": "pitch"}),
    ]
    (by_model,) = cost.probes(records, "roc_auc").values()
    assert set(by_model) == {SMALL}


def test_a_model_of_unknown_size_is_named_and_left_out():
    drawn = chart(figure(SMALL, 0.7), figure("AST", 0.9))
    assert "size" in drawn.title
    assert "AST" not in drawn.title
    assert "not known here: AST" in drawn.how
    assert "AST" not in drawn.json


def test_one_size_only_is_said_so():
    assert "nothing can be said about size" in chart(figure(SMALL, 0.7), figure("Mini-West", 0.8)).title


def test_nothing_to_draw_says_why():
    drawn = chart(figure("AST", 0.7))
    assert drawn.json is None
    assert drawn.empty


def test_times_are_drawn_where_they_are_known_and_said_to_be_missing_where_not():
    drawn = chart(figure(SMALL, 0.7), figure(LARGE, 0.8, hardware=None))
    plain = json.loads(drawn.json)
    timed = [t for t in plain["data"] if t.get("xaxis") == "x2"]
    assert [t["x"] for t in timed] == [[4.0]]
    assert [a["text"] for a in plain["layout"]["annotations"]] == ["time not published"]
    assert "4 to 4 seconds" in drawn.how
    untimed = chart(figure(SMALL, 0.7, seconds=None))
    assert "No time was published" in untimed.how
    assert not json.loads(untimed.json)["layout"]["xaxis2"]["visible"]


def test_rows_go_from_small_to_large_and_a_network_less_model_is_called_so():
    labels = json.loads(
        chart(figure(LARGE, 0.7), figure("Spectral statistics", 0.6), figure(SMALL, 0.8)).json
    )
    texts = labels["layout"]["yaxis"]["ticktext"]
    millions = f"{spec('mini-world').parameters / 1e6:.1f}"
    assert texts[1:] == [
        "Spectral statistics · no network",
        f"Mini-World · {millions} million parameters",
        "MERT-v1-95M · 94.4 million parameters",
    ]


def test_own_rows_come_last_and_are_part_of_no_finding():
    own = [figure(LARGE, 0.99, corpus="yours", protocol="live", n=12)]
    drawn, plain = chart(figure(SMALL, 0.7), own=own), chart(figure(SMALL, 0.7))
    assert drawn.title == plain.title
    assert "94.4" in json.loads(drawn.json)["layout"]["yaxis"]["ticktext"][-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sizes_are_counted_as_the_language_counts(language):
    said = cost.size_words(LARGE, speaker(language))
    assert ("94.4 million" if language == "en" else "94.4M") in said


@pytest.mark.parametrize("metric", ["roc_auc", "map", "macro_f1", "micro_f1"])
def test_the_shipped_results_are_drawn_in_every_metric(metric):
    drawn = cost.cost(results.shipped(), metric, CITED, EN)
    assert drawn.json is not None
    assert drawn.sources
