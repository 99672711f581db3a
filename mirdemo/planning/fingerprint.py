"""Which rule it is: a short name of what is advised, so that figures measured of one rule are not printed beside another."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import numpy as np

from mirdemo.planning.assumptions import Assumptions
from mirdemo.planning.futures import Futures
from mirdemo.planning.rule import decide
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE, OTHER, Evidence, Way

CASES = 24
_KINDS = (AS_IT_IS, OTHER, FEW_SHOT, FINE_TUNE)


@cache
def fingerprint() -> str:
    """Eight hexadecimal digits of what the rule advises in ``CASES`` made-up cases: another rule, another name; the same
    rule written otherwise keeps its own."""
    advised: list[list[object]] = []
    for number in range(CASES):
        evidence, assumptions = _case(number)
        advice = decide(evidence, Futures.of(evidence, draws=200), assumptions)
        advised.append([advice.kind, advice.word, advice.action, advice.using])
        advised += [[action.more, action.tags] for action in advice.actions]
    return hashlib.sha256(json.dumps(advised).encode()).hexdigest()[:8]


def _case(number: int) -> tuple[Evidence, Assumptions]:
    rng = np.random.default_rng([11, number])
    n, n_tags = int(rng.integers(8, 40)), int(rng.integers(2, 8))
    labels = (rng.random((n, n_tags)) < rng.uniform(0.2, 0.6, n_tags)).astype(np.uint8)
    labels[:3], labels[3:6] = 1, 0  # enough on each side
    ways = []
    for kind in _KINDS[: int(rng.integers(1, 5))]:
        hit, false = rng.uniform(0.3, 1, n_tags), rng.uniform(0, 0.5, n_tags)
        said = rng.random(labels.shape) < np.where(labels == 1, hit, false)
        seconds = float(rng.uniform(10, 1000))
        learned = 1.0 if kind == FEW_SHOT else 0.8
        ways.append(
            Way.of_decisions(
                kind, kind, said, labels, np.arange(n), machine_seconds=seconds, learned_from=learned
            )
        )
    having = tuple(int(there) for there in labels.sum(0))
    evidence = Evidence(
        tuple(map(str, range(n_tags))), having, tuple(n - there for there in having), n, tuple(ways)
    )
    assumed = Assumptions(
        recordings=int(np.exp(rng.uniform(np.log(30), np.log(3000)))),
        hand_minutes=float(np.exp(rng.uniform(np.log(0.2), np.log(5)))),
        mend_seconds=float(rng.uniform(6, 60)),
    )
    return evidence, assumed
