"""A figure that is unsure for several reasons at once: their variances add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirdemo.scoring.intervals import DIFFERENCE_METHOD, LEVEL, TRAINED_PAIRED, Interval


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


def contrast(
    parts: Sequence[tuple[float, float, np.ndarray]], level: float = LEVEL, unit: str = "recordings"
) -> Interval:
    """A weighted sum of paired differences, each on recordings of its own: a difference of differences with 1 and -1.

    parts: (weight, difference, influences): two trained figures' difference, and the difference of what each recording adds
        to their errors (n_recordings,), n_recordings at least 2
    Variances are larger by ``TRAINED_PAIRED``, as both figures were trained.
    """
    value = sum(weight * difference for weight, difference, _ in parts)
    variances = [
        (TRAINED_PAIRED * weight**2 * float((influences**2).sum()), len(influences) - 1.0)
        for weight, _, influences in parts
    ]
    n, widest = sum(len(influences) for _, _, influences in parts), sum(abs(weight) for weight, _, _ in parts)
    return added(
        value, variances, n, method=DIFFERENCE_METHOD, unit=unit, least=-widest, most=widest, level=level
    )
