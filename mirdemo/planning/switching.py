"""Switching values: how far an assumption may be wrong before the advice turns (HM Treasury, The Green Book)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mirdemo.planning.assumptions import LIMITS, Assumptions
from mirdemo.planning.futures import Futures
from mirdemo.planning.rule import Advice, decide
from mirdemo.planning.ways import Evidence

#: How many times smaller and larger is tried.
SPAN = 20.0
STEPS = 9
#: Futures that are looked at for each value tried.
DRAWS = 500
REFINED = 7
VARIED = (
    "hand_minutes",
    "mend_seconds",
    "accept_seconds",
    "recordings",
    "setup_minutes",
    "wage",
    "gpu_price",
)


@dataclass(frozen=True)
class Switch:
    """One assumption: the advice holds from ``low`` to ``high``; None: as far as was tried (``SPAN`` times)."""

    name: str
    value: float
    low: float | None
    high: float | None


def switching_values(
    evidence: Evidence, futures: Futures, assumptions: Assumptions, advice: Advice
) -> tuple[Switch, ...]:
    """Every assumption varied alone, the nearest turn first.

    What is looked at is what is done, by which way, and whether it can be claimed to save (surely or probably).
    """
    thin = futures.thin(DRAWS)
    before = decide(evidence, thin, assumptions).turns_on
    found = []
    for name in VARIED:
        value = float(getattr(assumptions, name))
        if value <= 0:
            continue

        def same(at: float, name: str = name) -> bool:
            changed: dict[str, Any] = {name: float(round(at)) if name == "recordings" else at}
            return decide(evidence, thin, replace(assumptions, **changed)).turns_on == before

        found.append(Switch(name, value, _turn(same, value, name, -1), _turn(same, value, name, 1)))

    def nearness(switch: Switch) -> float:
        ends = [end for end in (switch.low, switch.high) if end is not None]
        return min((abs(np.log(max(end, 1e-9) / switch.value)) for end in ends), default=np.inf)

    return tuple(sorted(found, key=nearness))


def _turn(same, value: float, name: str, sign: int) -> float | None:
    """Where the advice turns on one side of a value; None if it does not within the span and the limits."""
    least, most = LIMITS[name]
    inside = value
    for step in range(1, STEPS + 1):
        at = float(np.clip(value * SPAN ** (sign * step / STEPS), max(least, 1e-6), most))
        if not same(at):
            break
        inside = at
        if at in (least, most):
            return None
    else:
        return None
    outside = at
    for _ in range(REFINED):
        middle = float(np.sqrt(inside * outside))
        if same(middle):
            inside = middle
        else:
            outside = middle
    return inside
