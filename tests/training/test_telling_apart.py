"""Pairs of tags: what a probe tells apart, what it cannot, and which clips it is asked about."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirdemo.backbones import specs
from mirdemo.results import records as results
from training.telling_apart import FILE, Pair, pairs, read, write


def heard(n: int = 240, seed: int = 0):
    """Rows in which Rast and Saba lie apart and Rast and Segah do not; every fifth clip goes from one to another."""
    rng = np.random.default_rng(seed)
    modes = [("Rast", "Saba", "Segah")[i % 3] for i in range(n)]
    tags = [
        (f"mode--{mode}", f"mode--{modes[(i + 1) % n]}")
        if i % 5 == 0
        else (f"mode--{mode}", "instrument--Ney")
        for i, mode in enumerate(modes)
    ]
    rows = rng.standard_normal((n, 6))
    rows[:, 0] += [3.0 * (mode == "Saba") for mode in modes]
    recordings = [f"recording {i}" for i in range(n)]
    return rows, tags, recordings, np.arange(n) >= n // 2


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Pair]:
    return {(pair.one, pair.other): pair for pair in pairs("makam", *heard(), families=("mode",))}


def test_every_two_tags_of_a_family_are_asked_about_and_no_others(found):
    assert list(found) == [("Rast", "Saba"), ("Rast", "Segah"), ("Saba", "Segah")]
    assert {pair.tradition for pair in found.values()} == {"makam"}
    assert pairs("makam", *heard(), families=("rhythm",)) == []


def test_what_lies_apart_is_told_and_what_does_not_is_not(found):
    assert found["Rast", "Saba"].told
    assert found["Rast", "Saba"].auc.value > 0.9
    assert not found["Rast", "Segah"].told
    assert found["Rast", "Segah"].auc.low <= 0.5 <= found["Rast", "Segah"].auc.high


def test_only_test_clips_with_one_of_the_two_are_asked_about(found):
    _, tags, _, tested = heard()
    either = [("mode--Rast" in t) != ("mode--Saba" in t) for t in tags]
    assert found["Rast", "Saba"].auc.n == int((np.array(either) & tested).sum()) < tested.sum()


def test_a_probe_is_not_asked_about_what_it_learnt_from():
    rows, tags, recordings, tested = heard()
    rows[~tested] = np.random.default_rng(1).standard_normal(rows[~tested].shape)
    (first, *_) = pairs("makam", rows, tags, recordings, tested, ("mode",))
    assert first.auc.value < 0.8


def test_a_tag_missing_on_one_side_makes_no_pair():
    rows, tags, recordings, tested = heard()
    tags = [
        ("mode--Rast",) if test and "mode--Saba" in mine else mine
        for mine, test in zip(tags, tested, strict=True)
    ]
    made = pairs("makam", rows, tags, recordings, tested, ("mode",))
    assert [(pair.one, pair.other) for pair in made] == [("Rast", "Segah")]


def test_what_is_written_is_read_back_and_replaces_only_its_own(found, tmp_path):
    path = tmp_path / "told_apart.jsonl"
    assert read("some", path) == []
    made = list(found.values())
    write("some", "1", made, path)
    write("another", "1", made[:1], path)
    write("some", "2", made[1:], path)
    assert read("some", path) == made[1:]
    assert read("another", path) == made[:1]


def test_what_ships_was_measured_with_what_ships():
    lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    heard = {(line["backbone"], line["revision"]) for line in lines}
    assert heard == {(name, spec.revision) for name, spec in specs().items() if spec.embedded}
    known = {spec.title: spec.revision for spec in specs().values() if spec.embedded}
    measured = {
        (record.model, record.revision) for record in results.load(results.SHIPPED / "measured.jsonl")
    }
    names = ("spectral", "mini-west", "mini-world")
    assert {one for one in measured if one[0] in known} == {
        (specs()[n].title, specs()[n].revision) for n in names
    }
    real = json.loads((FILE.parent / "on_real_sound.json").read_text(encoding="utf-8"))
    assert {name: found["revision"] for name, found in real["whitening"].items()} == {
        name: spec.revision for name, spec in specs().items() if spec.embedded
    }
