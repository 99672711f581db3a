"""A fine-tuned tagger, a plan, a listening panel and a folder of rows as they were first written are read, and say what they
said. ``make_others.py`` wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from bands import Bands
from test_golden import TOLERANCE, clip, require_told

from mirdemo.embedding.rows import RowFolder
from mirdemo.evaluation import speed
from mirdemo.planning import Plan
from mirdemo.planning.panel import Answers, Panel, read_answers, results
from mirdemo.results import records
from mirdemo.tagger import Tagger, TaggerError
from mirdemo.tagger.file import FORMAT_VERSION

HERE = Path(__file__).parent


def folders_with(name: str) -> list[Path]:
    """Folders that hold such a file or folder."""
    return sorted(
        path for path in HERE.iterdir() if (path / "said.json").is_file() and (path / name).exists()
    )


def with_a(name: str) -> Any:
    return pytest.mark.parametrize("folder", folders_with(name), ids=lambda folder: folder.name)


class Tail(torch.nn.Module):
    """The last block of ``FineTunable``: mixes the upper bands, then the mean over frames."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Linear(16, 16)

    def forward(self, states: torch.Tensor, samples: int | None = None) -> torch.Tensor:
        return self.mix(states).mean(1)


class FineTunable(Bands):
    """Bands with a last block that can be exchanged."""

    def split(self, n_blocks: int | None = None) -> Any:
        return SimpleNamespace(prefix=lambda waves: self.hidden_states(waves)[-1], tail=Tail())


def scored(tagger: Tagger) -> list[list[float]]:
    """Of three queries by two tags."""
    queries = [clip(20, "drum"), clip(21, "flute"), clip(22, "flute")]
    return [tagger.decide(query, backbone=FineTunable()).scores[0].tolist() for query in queries]


def found_in_panel(panel: Panel, answers: Answers) -> dict[str, Any]:
    """What one listener's answers come to."""
    totals = {
        one.key: [one.said.right, one.said.n, one.unsaid.right, one.unsaid.n]
        for one in results(panel, [answers]).proposers
    }
    return {"listener": answers.listener, "answered": answers.n, "totals": totals}


def said(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "said.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", ["tagger-fine-tuned", "plan.json", "panel.key.json", "rows", "results.jsonl", "speed.json"]
)
def test_there_are_some(name: str):
    assert folders_with(name)


def test_a_fine_tuned_tagger_of_every_format_is_here():
    found = [said(folder)["tagger_format_version"] for folder in folders_with("tagger-fine-tuned")]
    assert set(found) == set(range(1, FORMAT_VERSION + 1))


@with_a("tagger-fine-tuned")
def test_a_fine_tuned_tagger_gives_the_scores_it_gave(folder: Path, tmp_path: Path):
    tagger = Tagger.load(folder / "tagger-fine-tuned")
    assert (tagger.kind, tagger.tags) == ("fine-tuned", ("太鼓", "flute"))
    np.testing.assert_allclose(scored(tagger), said(folder)["scores"], **TOLERANCE)
    again = Tagger.load(tagger.save(tmp_path / "again"))
    np.testing.assert_allclose(scored(again), said(folder)["scores"], **TOLERANCE)
    with pytest.raises(TaggerError):
        tagger.decide(clip(20, "drum"), backbone=Bands(revision="2"))


@with_a("plan.json")
def test_a_plan_advises_what_it_advised(folder: Path):
    text = (folder / "plan.json").read_text(encoding="utf-8")
    plan = Plan.from_json(text)
    kept, now = json.loads(text), json.loads(plan.as_json())
    for way in kept["evidence"]["ways"]:
        way.setdefault("learned_from", 1.0)  # files of before say nothing of it
        way.setdefault("words", [])  # nor, until 29 November 2026, of this
    assert now == kept
    _same(json.loads(json.dumps(plan.found())), said(folder)["plan"])


@with_a("plan.json")
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_plan_is_a_report_for_the_meeting(folder: Path, language: str):
    from mirdemo.evidence.plan_report import plan_report

    plan = Plan.from_json((folder / "plan.json").read_bytes())
    assert "&lt;b&gt;" in plan_report(plan, language)


@with_a("panel.key.json")
def test_a_panels_key_reads_the_answers_of_its_day(folder: Path):
    panel = Panel.from_json((folder / "panel.key.json").read_bytes())
    answers = read_answers((folder / "answers.json").read_bytes(), panel)
    assert json.loads(json.dumps(found_in_panel(panel, answers))) == said(folder)["panel"]


@with_a("rows")
def test_a_folder_of_rows_is_read_as_it_was_written(folder: Path):
    rows, expected = RowFolder.reading(folder / "rows"), said(folder)
    for name, matrix in expected["rows"].items():
        np.testing.assert_array_equal(rows.matrix(name), np.array(matrix, np.float32))
    assert [[f.path, f.first, f.count, list(f.starts)] for f in rows.files.values()] == expected["files"]
    rows.require(Bands().identity, {"low": 16, "high": 16}, "window")


@with_a("results.jsonl")
def test_a_record_of_every_field_is_read_as_it_was_written(folder: Path):
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    require_told(list(records.load(folder / "results.jsonl")), lines)


@with_a("speed.json")
def test_a_table_of_speeds_is_read_as_it_was_written(folder: Path):
    held = json.loads((folder / "speed.json").read_text(encoding="utf-8"))
    for row, told in zip(speed.read(folder / "speed.json"), held["rows"], strict=True):
        assert {key: getattr(row, key) for key in told} == told


def _same(found: Any, expected: Any) -> None:
    """All that was said then, figures to 1e-6; what is told since has a name of its own beside it."""
    if isinstance(expected, dict):
        assert not expected.keys() - found.keys()
        for key in expected:
            _same(found[key], expected[key])
    elif (
        isinstance(expected, list)
        and expected
        and all(isinstance(one, dict) and "name" in one for one in expected)
    ):
        _same({one["name"]: one for one in found}, {one["name"]: one for one in expected})
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _same(one, other)
    elif isinstance(expected, float) and not isinstance(found, bool):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    else:
        assert found == expected
