"""A figure that is unsure for several reasons at once: their variances add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirdemo.scoring.intervals import LEVEL, Interval


def added(
    value: float,
    parts: Sequence[tuple[float, float]],
    n: int,
    *,
    method: str,
    unit: str = "recordings",
    least: float = 0.0,
    most: float = 1.0,
    level: float = LEVEL,
) -> Interval:
    """A figure with a t interval from independent reasons to be unsure of it.

    parts: a variance of the figure and its degrees of freedom, each; none: no interval
    n: of what ``unit`` names; least, most: the interval is cut off there

    The degrees of freedom of the sum are Satterthwaite's (1946).
    """
    from scipy.special import stdtrit

    variances, freedoms = np.array(parts, np.float64).reshape(-1, 2).T
    if not len(variances):
        return Interval(value, None, None, n, level, method, unit)
    together = float(variances.sum())
    freedom = together**2 / float((variances**2 / freedoms).sum()) if together > 0 else float(freedoms.min())
    reach = float(stdtrit(freedom, (1 + level) / 2)) * together**0.5
    return Interval(value, max(least, value - reach), min(most, value + reach), n, level, method, unit)
