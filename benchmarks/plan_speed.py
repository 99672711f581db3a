"""How long a plan takes from finished stages, and after one assumption is changed.

    python benchmarks/plan_speed.py

Forty recordings, nine tags, five ways and a learning curve: advice, switching values, gates and sentences, without charts.
Rival for the changed assumption: making the plan anew, futures and all. Medians of 15; processor seconds beside wall
seconds, for a shared machine tells the first more truly.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.planning import Evidence, Growth, Heard, Plan, Way, for_the_meeting, make_plan

RECORDINGS, TAGS, REPEATS, TARGET = 40, 9, 15, 0.3


def evidence() -> Evidence:
    rng = np.random.default_rng(0)
    labels = (rng.random((RECORDINGS, TAGS)) < 0.4).astype(np.uint8)
    kinds = ("as_it_is", "other_backbone", "other_backbone", "few_shot", "fine_tune")
    ways = []
    for number, kind in enumerate(kinds):
        right = rng.random(labels.shape) < 0.7 + 0.04 * number
        said = np.where(right, labels, 1 - labels)
        ways.append(Way.of_decisions(kind, f"backbone {number}", said, labels, np.arange(RECORDINGS)))
    growth = Growth(
        (5.0, 10.0, 20.0, 27.0), (0.4, 0.5, 0.6, 0.63), (0.3, 0.4, 0.5, 0.55), (0.5, 0.6, 0.7, 0.71),
        ceiling=0.9, slope=1.4, exponent=0.5, spread=0.4, reach=160.0,
    )  # fmt: skip
    having = tuple(labels.sum(0).tolist())
    lacking = tuple(RECORDINGS - n for n in having)
    return Evidence(
        tuple(map(str, range(TAGS))), having, lacking, RECORDINGS, tuple(ways), Heard(5, 2, 1, 1), growth
    )


def whole(plan: Plan) -> None:
    """All that the page says of a plan."""
    _ = plan.advice, plan.switches, plan.gates, plan.not_run, for_the_meeting(plan)


def median(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, cpu = [], []
    for _ in range(REPEATS):
        began, spent = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    return statistics.median(wall), statistics.median(cpu)


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    found = evidence()
    first = median(lambda: whole(make_plan(found)))
    kept = make_plan(found)
    whole(kept)
    changed = median(lambda: whole(kept.assuming(hand_minutes=2.5)))
    print(
        f"a plan from finished stages: {first[0]:.3f} s ({first[1]:.3f} s of processor); wanted: under {TARGET} s"
    )
    print(f"one assumption changed: {changed[0]:.3f} s, {changed[0] / first[0]:.2f} of making it anew")


if __name__ == "__main__":
    main()
