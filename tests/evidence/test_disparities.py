"""The endpoint ``/bias`` says what the charts are drawn of, and refuses what is not there."""

from __future__ import annotations

import json

import pytest

from mirdemo.results import bias
from mirdemo.web.frame.errors import PageError
from mirdemo.web.tabs.evidence.endpoint import disparity_of


def test_every_disparity_is_the_one_that_bias_computes():
    found = disparity_of("MERT-v1-95M", "", "roc_auc", "probe")
    (only,) = found["disparities"]
    assert only["protocol"] == "culturemert2025"
    values = {corpus: one["value"] for corpus, one in only["figures"].items()}
    assert only["gap"]["value"] == pytest.approx(max(values.values()) - min(values.values()))
    assert only["gap"]["low"] is None
    assert only["ratio"]["value"] == pytest.approx(min(values.values()) / max(values.values()))
    assert only["best"] == max(values, key=values.get)
    assert only["missing"] == []
    assert found["sources"]["culturemert2025"]["url"].startswith("https://")
    assert json.loads(json.dumps(found)) == found


def test_filters_leave_what_they_say():
    found = disparity_of("", "lyra~carnatic", "map", "trained_from_scratch")
    assert {d["method"] for d in found["disparities"]} == {"trained_from_scratch"}
    assert all(set(d["figures"]) == {"lyra", "carnatic"} for d in found["disparities"])
    assert found["metric"] == "map"
    assert found["corpora"] == ["lyra", "carnatic"]


def test_models_without_intervals_have_no_ranks_and_two_protocols_share_none():
    found = disparity_of("", "", "", "")
    assert {rank for one in found["ranks"] for rank in one["ranks"].values()} == {None}
    models = {
        p: {d["model"] for d in found["disparities"] if d["protocol"] == p}
        for p in {d["protocol"] for d in found["disparities"]}
    }
    for one in found["ranks"]:
        assert set(one["ranks"]) <= models[one["protocol"]]


@pytest.mark.parametrize(
    "asked",
    [("nobody", "", "roc_auc", ""), ("", "mars", "roc_auc", ""), ("", "", "f1", ""), ("", "", "", "guess")],
)
def test_what_is_not_there_is_refused(asked):
    with pytest.raises(PageError):
        disparity_of(*asked)


@pytest.fixture
def with_intervals(monkeypatch):
    """The published probes as if each had an interval of a hundredth on either side."""
    from mirdemo.evidence import drawing, selection
    from mirdemo.results import records as results
    from mirdemo.results.records import Results

    records = Results(
        tuple(
            results.from_dict({**r.as_dict(), "low": r.value - 0.01, "high": r.value + 0.01, "level": 0.9})
            for r in results.published()
            if r.protocol == "culturemert2025" and r.tag is None
        )
    )
    monkeypatch.setattr(selection, "base", lambda: records)
    monkeypatch.setattr(drawing, "models", lambda: ("CultureMERT-95M", "MERT-v1-95M"))
    return records


def test_ranks_are_told_with_letters_and_shown_in_the_cells(with_intervals):
    from mirdemo.evidence import drawing
    from mirdemo.evidence.selection import Selection

    found = {one["corpus"]: one["ranks"] for one in disparity_of("", "", "roc_auc", "")["ranks"]}
    makam = found["makam"]
    assert makam["CultureMERT-95M"]["first"] == 1
    assert makam["MERT-v1-95M"]["first"] > 1
    assert set(makam["MERT-v1-95M"]["letters"]) & set(makam["CultureMERT-95M"]["letters"]) == set()
    assert not makam["MERT-v1-95M"]["paired"]
    chart = dict(drawing.draw(with_intervals, Selection(), "en").charts)["overview"]
    assert "of 3 under these rules (group" in chart.json
    assert "順位は" in dict(drawing.draw(with_intervals, Selection(), "ja").charts)["overview"].json


def test_an_interval_comes_through_with_its_level(with_intervals):
    (only,) = disparity_of("MERT-v1-95M", "", "roc_auc", "")["disparities"]
    assert only["gap"]["low"] < only["gap"]["value"] < only["gap"]["high"]
    assert only["gap"]["level"] == bias.LEVEL
    assert only["luck"] > 0
