"""Whole visits as the page of their day saved them are opened by today's page. ``make_visit.py`` wrote them."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from wired import whole_page

from mirdemo.clips.visit import read_visit
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.fewshot.desk import FewShotDesk
from mirdemo.web.tabs.finetune.desk import FineTuneDesk
from mirdemo.web.tabs.plan.desk import PanelDesk
from mirdemo.web.tabs.plan.tab import PlanDesk
from mirdemo.web.tabs.probe.desk import ProbeDesk

HERE = Path(__file__).parent
FOLDERS = sorted(path for path in HERE.iterdir() if (path / "visit.zip").is_file())


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "visit.json").read_text(encoding="utf-8"))


def kinds(wire: Wire) -> dict[str, dict[str, list[str]]]:
    """Keeper -> all that it may tell a visit in -> the names of its parts."""
    every = {}
    for name, keeper in sorted(wire.keeping._keepers.items()):
        parts = {
            kind.__name__: [f.name for f in fields(kind) if f.init]
            if is_dataclass(kind)
            else list(kind._fields)
            for kind in keeper.kinds()
        }
        parts |= {f"coder {coder.name}": [] for coder in keeper.coders()}
        every[name] = dict(sorted(parts.items()))
    return every


def found(visitor: Visitor) -> dict[str, Any]:
    """What a visitor's results say; the answer's distance is measured again from the prototypes."""
    probe, few = visitor.desk(ProbeDesk).result, visitor.desk(FewShotDesk)
    tuned = visitor.desk(FineTuneDesk).result.report
    (answer,) = few.answers
    again = answer.built.prototypes.explain(answer.row)
    return {
        "tags": list(visitor.clips.tags),
        "probed": [
            [one.tag, one.verdict, one.figures.roc_auc.value, one.figures.roc_auc.low]
            for one in probe.runs[0].report.tags
        ],
        "answer": [list(again.tags), again.distance, again.margin, list(map(list, answer.per_tag))],
        "expected": few.built.score.macro_f1.value,
        "tuned": [tuned.verdict, tuned.macro.gain.roc_auc.value, tuned.final_epochs],
        "recordings": visitor.desk(PlanDesk).assumptions.recordings,
        "listeners": [one.listener for one in visitor.desk(PanelDesk).now.answers],
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-6, abs=1e-6)
    return one == other


@pytest.fixture(scope="module")
def wire() -> Wire:
    return whole_page()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_visit_of_any_day_is_opened_and_says_what_it_said(folder: Path, wire: Wire):
    visitor = Visitor()
    visit = read_visit((folder / "visit.zip").read_bytes())
    wire.keeping.restore(visitor, visit, wire.draw_all)
    now = found(visitor)
    for name, value in told(folder)["found"].items():
        assert same(json.loads(json.dumps(now[name])), value), name
    for name in wire.views.all:
        assert "could not be drawn" not in wire.views.rendered(name, visitor), name


def test_what_a_visit_may_be_told_in_is_what_a_kept_visit_was_told_in(wire: Wire):
    """A part more or less is another format: give it a default for the visits of before, and keep a visit of today."""
    now, newest = kinds(wire), told(FOLDERS[-1])["kinds"]
    assert now == newest
