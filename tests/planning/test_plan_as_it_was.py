"""Plans of stated evidence say what they said on 1 December 2026: their figures, switching values, gates and sentences.

``PYTHONPATH=.:tests:tests/planning python tests/planning/test_plan_as_it_was.py`` writes ``plan_as_it_was.json`` anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered
from planned import CASES, RISING, evidence, way

from mirdemo.backbones import specs
from mirdemo.planning import Plan, for_the_meeting, make_plan, two_sentences
from mirdemo.planning.assumptions import NAMES, REASONS
from mirdemo.planning.durations import elsewhere, states_a_window, visits
from mirdemo.planning.futures import Futures
from mirdemo.planning.labels import labels_for_target, reached, with_labels
from mirdemo.planning.rule import RULE
from mirdemo.planning.say import condition, cost_of, name_of
from mirdemo.stages.finetuning.settings import FineTuneSettings

FILE = Path(__file__).with_name("plan_as_it_was.json")


def told(plan: Plan) -> dict[str, Any]:
    gates = [
        [gate.state, str(gate.found), str(gate.criterion), gate.seconds, gate.next] for gate in plan.gates
    ]
    turning = [switch for switch in plan.switches if switch.low is not None or switch.high is not None]
    return {
        "found": plan.found(),
        "sentences": [str(one) for one in (*two_sentences(plan), *for_the_meeting(plan))],
        "conditions": [str(condition(plan, switch)) for switch in turning],
        "actions": [
            [str(name_of(plan, one)), str(cost_of(plan, one)), one.dots] for one in plan.advice.actions
        ],
        "gates": gates,
        "not run": [[one.stage, str(one.tells), one.at_most] for one in plan.not_run],
        "labels": []
        if (found := plan.advice.labels) is None
        else [found.worth[:5], found.net[-3:], found.by_law],
    }


def rest() -> dict[str, Any]:
    """What no plan shows: durations by size, draws with labels, the words beside the assumptions."""
    settings = FineTuneSettings(epochs=12, batch=6)
    futures, assumed = Futures.of(evidence(way(0.6, 0.2))), make_plan(evidence()).assumptions
    chance = reached(RISING, 20, 30, 0.7)
    return {
        "rule": [str(one) for one in RULE],
        "assumptions": [str(one) for one in (*NAMES.values(), *REASONS.values())],
        "visits": [visits(40, settings), visits(7, replace(settings, n_folds=2, patience=20))],
        "states": {
            name: states_a_window(spec)
            for name, spec in ((name, specs()[name]) for name in ("mert-95m", "clap-music", "musicnn-msd"))
        },
        "elsewhere": [elsewhere(specs()["mert-95m"], blocks, 200, settings) for blocks in (1, 4, 99)],
        "with labels": np.quantile(with_labels(futures, RISING, 0, 12, assumed), [0.1, 0.5, 0.9]),
        "reached": chance,
        "target": [labels_for_target(chance, cost, 100.0) for cost in (0.1, 1.0, 10.0)],
    }


def everything() -> dict[str, Any]:
    return {**{name: told(make()) for name, make in CASES.items()}, "rest": rest()}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_says_what_it_said(name: str):
    remembered.hold(told(CASES[name]()), remembered.kept(FILE)[name])


def test_what_stands_beside_a_plan_is_what_it_was():
    remembered.hold(rest(), remembered.kept(FILE)["rest"])


if __name__ == "__main__":
    remembered.write(FILE, everything())
