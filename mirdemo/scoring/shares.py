"""Shares and medians of answers that belong together: several from one recording, or from one listener."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mirdemo.scoring.intervals import LEVEL, Estimate, Interval, estimate

MEDIAN_METHOD = "median, score-t of the share below it (Woodruff 1952)"


def share(
    hits: ArrayLike, counts: ArrayLike, groups: ArrayLike, *, level: float = LEVEL, unit: str = "recordings"
) -> Interval:
    """The sum of ``hits`` over that of ``counts``, with a score interval clustered by group.

    hits: (n,) of each item, 0 <= hits <= counts; counts: (n,) how much each item weighs; groups: (n,) what each belongs to

    The variance is that of a share of ``n`` independent items, times a design effect from the ratio estimator's squared
    influences summed by group (Rao and Scott 1992). Of Krippendorff's alpha, 1 minus the observed over the expected
    disagreement, it gives the observed one: with 8, 15 and 30 recordings of four questions, two and four listeners, and
    alphas of 0.39, 0.70 and 0.87, such intervals hold the true alpha in 86 to 95 % (200 simulated panels a cell).
    No value where nothing was counted, no interval with fewer than two groups.
    """
    found = _estimate(np.asarray(hits, np.float64), np.asarray(counts, np.float64), np.asarray(groups))
    n = len(np.unique(np.asarray(groups)))
    if found is None:
        return Interval(None, None, None, n, level, unit=unit)
    return found.intervals(level, unit).at()


def _estimate(hits: np.ndarray, counts: np.ndarray, groups: np.ndarray) -> Estimate | None:
    total = counts.sum()
    if not len(hits) or total <= 0:
        return None
    value = np.asarray(hits.sum() / total)
    influence = (hits - value * counts) / total
    return estimate(value, influence, np.ones(len(hits)), groups, pairs=False).pooled(len(hits))


def median(values: ArrayLike, groups: ArrayLike, *, level: float = LEVEL, unit: str) -> Interval:
    """The median with Woodruff's interval (1952): the values at the ends of the interval of the share below it.

    values: (n,); groups: (n,) what each belongs to, named by ``unit``
    """
    found, names = np.asarray(values, np.float64), np.asarray(groups)
    n = len(np.unique(names))
    if not len(found):
        return Interval(None, None, None, n, level, MEDIAN_METHOD, unit)
    middle = float(np.median(found))
    below = (found < middle) + 0.5 * (found == middle)
    around = share(below, np.ones(len(found)), names, level=level, unit=unit)
    if around.low is None or around.high is None:
        return Interval(middle, None, None, n, level, MEDIAN_METHOD, unit)
    low, high = around.ends
    least, most = np.quantile(found, low, method="lower"), np.quantile(found, high, method="higher")
    return Interval(middle, float(least), float(most), n, level, MEDIAN_METHOD, unit)
