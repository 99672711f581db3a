"""Switching values: how far an assumption may be wrong before the advice turns (HM Treasury, The Green Book)."""

from __future__ import annotations

from collections.abc import Callable
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
class Turn:
    """What is advised instead beyond an end of a switching range, as the fields of ``Advice`` have it; way: its index
    among the evidence's ways, None by hand"""

    kind: str
    word: str
    way: int | None

    @classmethod
    def of(cls, advice: Advice) -> Turn:
        using = None if advice.using is None else advice.actions[advice.using].way
        return cls(advice.kind, advice.word, using)


@dataclass(frozen=True)
class Switch:
    """One assumption: the advice holds from ``low`` to ``high``; None: as far as was tried, ``SPAN`` times ``scale``.

    scale: the value itself, or where that is 0 the default in its currency
    below, above: what is advised beyond an end; None where there is none
    """

    name: str
    value: float
    low: float | None
    high: float | None
    scale: float
    below: Turn | None = None
    above: Turn | None = None


def switching_values(
    evidence: Evidence, futures: Futures, assumptions: Assumptions, advice: Advice
) -> tuple[Switch, ...]:
    """Every assumption varied alone, the nearest turn first; one that is 0 is raised up to ``SPAN`` times its default.

    What is looked at is what is done, by which way, and whether it can be claimed to save (surely or probably).
    """
    thin = futures.thin(DRAWS)
    before = decide(evidence, thin, assumptions).turns_on
    usual = Assumptions().in_currency(assumptions.currency)
    found = []
    for name in VARIED:
        value = float(getattr(assumptions, name))
        scale = value or float(getattr(usual, name))

        def turned(at: float, name: str = name) -> Turn | None:
            changed: dict[str, Any] = {name: float(round(at)) if name == "recordings" else at}
            there = decide(evidence, thin, replace(assumptions, **changed))
            return None if there.turns_on == before else Turn.of(there)

        low, below = _turn(turned, value, scale, name, -1) if value else (None, None)
        high, above = _turn(turned, value, scale, name, 1)
        found.append(Switch(name, value, low, high, scale, below, above))

    def nearness(switch: Switch) -> float:
        ends = [end for end in (switch.low, switch.high) if end is not None]
        return min((abs(np.log(max(end, 1e-9) / switch.scale)) for end in ends), default=np.inf)

    return tuple(sorted(found, key=nearness))


def _turn(
    turned: Callable[[float], Turn | None], value: float, scale: float, name: str, sign: int
) -> tuple[float | None, Turn | None]:
    """Where the advice turns on one side of a value, and into what; None if it does not within the span and the limits."""
    least, most = LIMITS[name]
    inside, outside, into = value, value, None
    first = SPAN**-1.0 if value <= 0 else 1.0  # from zero there is twice the way to go
    steps = STEPS if value > 0 else 2 * STEPS
    for step in range(1, steps + 1):
        at = float(np.clip(scale * first * SPAN ** (sign * step / STEPS), max(least, 1e-6), most))
        into = turned(at)
        if into is not None:
            outside = at
            break
        inside = at
        if at in (least, most):
            return None, None
    if into is None:
        return None, None
    for _ in range(REFINED):
        middle = float(np.sqrt(inside * outside)) if inside > 0 else outside / 2
        there = turned(middle)
        if there is None:
            inside = middle
        else:
            outside, into = middle, there
    return inside, into
