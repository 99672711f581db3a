"""A figure that is unsure for several reasons at once: their variances add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import DIFFERENCE_METHOD, LEVEL, Interval


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


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """A paired difference on recordings of its own, as a part of a weighted sum.

    weight: of it in the sum
    influences: float64 (n_recordings,), the difference of what each recording adds to the errors; n_recordings at least 2
    draws: float64 (n_draws,), the difference at each draw of the support sets, the same for both sides; None: nothing was drawn
    trained: how much larger the variance over recordings is because both sides were trained
    """

    weight: float
    difference: float
    influences: np.ndarray
    draws: np.ndarray | None = None
    trained: float = 1.0

    def variances(self) -> list[tuple[float, float]]:
        """Each with its degrees of freedom."""
        n = len(self.influences)
        square = self.weight**2
        parts = [(self.trained * square * float((self.influences**2).sum()), n - 1.0)]
        if self.draws is not None and len(self.draws) > 1:
            parts.append((square * float(self.draws.var(ddof=1)) / len(self.draws), len(self.draws) - 1.0))
        return parts


def contrast(parts: Sequence[PairedDifference], level: float = LEVEL, unit: str = "recordings") -> Interval:
    """A weighted sum of paired differences, each on recordings of its own: a difference of differences with 1 and -1."""
    value = sum(part.weight * part.difference for part in parts)
    variances = [variance for part in parts for variance in part.variances()]
    n, widest = sum(len(part.influences) for part in parts), sum(abs(part.weight) for part in parts)
    return added(
        value, variances, n, method=DIFFERENCE_METHOD, unit=unit, least=-widest, most=widest, level=level
    )
