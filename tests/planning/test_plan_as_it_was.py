"""Plans of stated evidence say what they said on 1 December 2026: their figures, switching values, gates and sentences.

``PYTHONPATH=.:tests:tests/planning python tests/planning/test_plan_as_it_was.py`` writes ``plan_as_it_was.json`` anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered
from planned import RISING, evidence, labels, way

from mirdemo.backbones import specs
from mirdemo.base.sentences import Sentence
from mirdemo.planning import Plan, Way, for_the_meeting, make_plan, two_sentences
from mirdemo.planning.assumptions import NAMES, REASONS
from mirdemo.planning.durations import elsewhere, states_a_window, visits
from mirdemo.planning.futures import Futures
from mirdemo.planning.labels import labels_for_target, reached, with_labels
from mirdemo.planning.rule import RULE
from mirdemo.planning.say import condition, cost_of, name_of
from mirdemo.planning.ways import FEW_SHOT, FINE_TUNE, OTHER
from mirdemo.stages.finetuning.settings import FineTuneSettings

FILE = Path(__file__).with_name("plan_as_it_was.json")


def uneven(n: int) -> Way:
    """Two tags are given well, one worse than by chance, one to everybody."""
    truth = labels(n)
    u = np.random.default_rng(1).random(truth.shape)
    said = np.where(truth == 1, u < (0.95, 0.3, 0.9, 1.0), u < (0.05, 0.95, 0.1, 1.0)).astype(np.uint8)
    return Way.of_decisions("as_it_is", "spectral", said, truth, np.arange(n))


def tuned(n: int = 20) -> Way:
    return way(0.93, 0.05, n, kind=FINE_TUNE, machine_seconds=7200.0, backbone="spectral", seed=3)


CASES: dict[str, Callable[[], Plan]] = {
    "one way": lambda: make_plan(evidence()),
    "one way that saves": lambda: make_plan(evidence(way(0.95, 0.02)), hand_minutes=5, recordings=90),
    "hands": lambda: make_plan(evidence(way(0.5, 0.5)), hand_minutes=0.4),
    "cannot tell": lambda: make_plan(evidence(way(0.55, 0.3)), hand_minutes=0.3, recordings=20),
    "another and few-shot": lambda: make_plan(
        evidence(
            way(0.6, 0.2),
            way(0.75, 0.15, kind=OTHER, backbone="mini-world", seed=4, learned_from=0.8),
            way(0.7, 0.1, kind=FEW_SHOT, seed=5),
            seconds={"probe": 12.0, "few_shot": 3.0},
        ),
        currency="USD",
        hand_minutes=2,
    ),
    "labels first": lambda: make_plan(
        evidence(way(0.55, 0.25), growth=RISING), recordings=3000, hand_minutes=1.0
    ),
    "tuned": lambda: make_plan(
        evidence(way(0.6, 0.25), tuned(), growth=RISING, seconds={"fine_tune": 7200.0, "curve": 9.0}),
        recordings=2000,
        currency="EUR",
        setup_minutes=45,
    ),
    "tuned for nothing": lambda: make_plan(
        evidence(way(0.93, 0.05, seed=3), tuned()), setup_minutes=0, gpu_price=0
    ),
    "tags by hand": lambda: make_plan(
        evidence(uneven(24), n=24), hand_minutes=1.0, mend_seconds=60, recordings=400
    ),
    "sessions": lambda: make_plan(
        evidence(uneven(24), n=24, sessions=tuple(i // 3 for i in range(24))), mend_seconds=90
    ),
    "sick": lambda: make_plan(evidence(way(0.9, 0.1, sick=Sentence("It is sick.", "test.sick")))),
    "few": lambda: make_plan(replace(evidence(), having=(2, 2, 1, 0))),
}


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
