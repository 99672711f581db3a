"""What the page goes by is what was measured, of the backbone that is there, and nothing where nothing was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirdemo.backbones import on_real_sound, specs
from mirdemo.backbones.on_real_sound import best_for_few_shot, whitening_helps
from mirdemo.web.tagging import layers_of, usual_layer

EMBEDDED = [name for name, spec in specs().items() if spec.embedded]
BETTER, LEVEL, WORSE = [0.1, 0.05, 0.15], [0.02, -0.03, 0.07], [-0.1, -0.15, -0.05]


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pretends that the benchmark wrote this."""

    def write(found: dict) -> None:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        monkeypatch.setattr(on_real_sound, "FILE", path)

    return write


@pytest.mark.parametrize(
    ("clean", "degraded", "few_shot", "probe"),
    [
        (BETTER, BETTER, True, True),
        (LEVEL, BETTER, True, False),
        (WORSE, BETTER, False, False),
        (BETTER, LEVEL, False, True),
        (BETTER, WORSE, False, False),
        (LEVEL, WORSE, False, False),
    ],
)
def test_whitening_helps_where_what_is_asked_surely_gains_and_the_other_does_not_surely_lose(
    clean, degraded, few_shot, probe, measure
):
    """Few-shot asks about clips heard elsewhere; a probe about more of what it learned from."""
    effect = {stage: {"mean": {"clean": clean, "degraded": degraded}} for stage in ("few-shot", "probe")}
    measure({"whitening": {"mini-world": {"revision": specs()["mini-world"].revision, **effect}}})
    assert whitening_helps("mini-world", "few-shot", "mean") is few_shot
    assert whitening_helps("mini-world", "probe", "mean") is probe
    for unmeasured in (
        ("mini-world", "few-shot", "4"),
        ("mini-world", "probe", "4"),
        ("mert-95m", "probe", "1"),
    ):
        assert not whitening_helps(*unmeasured)
    measure({"whitening": {"mini-world": {"revision": "mini-0", **effect}}})
    assert not whitening_helps("mini-world", "few-shot", "mean")


def rows(clean: float, degraded: float) -> dict:
    return {"3-shot": [clean, clean - 0.1, clean + 0.1], "3-shot degraded": [degraded, 0.0, 1.0]}


def test_the_best_answers_most_queries_clean_and_degraded_and_is_one_that_is_there(measure):
    revisions = {name: {"revision": specs()[name].revision} for name in ("mini-west", "mini-world")}
    figures = {
        "mini-west+wccn": rows(0.6, 0.6),
        "mini-world+wccn": rows(0.7, 0.4),
        "mini-world": rows(0.9, 0.9),
        "gone+wccn": rows(1.0, 1.0),
    }
    measure({"n": 7, "figures": figures, "whitening": revisions})
    best = best_for_few_shot()
    assert (best.backbone, best.value, best.n) == ("mini-west", 0.6, 7)
    assert (best.low, best.high) == pytest.approx((0.5, 0.7))
    measure({"n": 7, "figures": figures, "whitening": {**revisions, "mini-west": {"revision": "old"}}})
    assert best_for_few_shot().backbone == "mini-world"


def test_nothing_is_known_where_nothing_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(on_real_sound, "FILE", tmp_path / "nowhere.json")
    assert not whitening_helps("mini-world", "few-shot", "mean")
    assert best_for_few_shot() is None


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_embedded_backbone_was_measured_as_it_is_and_where_the_page_begins(name):
    found = json.loads(on_real_sound.FILE.read_text(encoding="utf-8"))["whitening"][name]
    assert found["revision"] == specs()[name].revision
    assert set(found["few-shot"]) == set(layers_of(name))
    assert set(found["probe"]) == {usual_layer(name)}


def test_what_was_measured_to_hurt_is_not_switched_on():
    assert not whitening_helps("spectral", "few-shot", "shape")
