"""A least-squares line with intervals: its slope, and how much of the variance it explains.

The slope's interval is Student's with errors that may differ from point to point (HC3; MacKinnon and White 1985). What
the line explains is R squared adjusted for the number of points, as it would be in other points of the kind; its
interval is that of the correlation over points drawn again (BCa; Efron 1987), squared, and begins at 0 where the line
may explain nothing. R squared itself is never 0, so percentiles of its draws would never hold "nothing".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import LEVEL, Interval

DRAWS = 2000
SLOPE_METHOD, EXPLAINED_METHOD = "t, HC3", "BCa of the correlation"
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Line:
    """slope: y for one of x; explained: 0..1; centre: (mean x, mean y), a point of the line
    band: (x, low, high) from the least x to the largest: where the lines of ``DRAWS`` draws of points lie, one x at a
        time
    """

    slope: Interval
    explained: Interval
    centre: tuple[float, float]
    band: tuple[tuple[float, float, float], ...]


def fit(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Line:
    """The line through points x, y (n,), n at least 3, neither all alike."""
    slope = _slope(x, y)
    along = np.linspace(x.min(), x.max(), 25)
    pick = np.random.default_rng(seed).integers(0, len(x), (DRAWS, len(x)))
    drawn, heights = x[pick], y[pick]
    lines = heights.mean(1)[:, None] + _line(drawn, heights)[0][:, None] * (along - drawn.mean(1)[:, None])
    low, high = np.nanquantile(lines, _TAILS, axis=0)
    band = tuple(zip(along.tolist(), low.tolist(), high.tolist(), strict=True))
    return Line(slope, _explained(x, y, slope, seed), (float(x.mean()), float(y.mean())), band)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares slope and correlation along the last axis; nan where x or y does not vary."""
    dx, dy = x - x.mean(-1, keepdims=True), y - y.mean(-1, keepdims=True)
    both, of_x, of_y = (dx * dy).sum(-1), (dx**2).sum(-1), (dy**2).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return both / of_x, both / np.sqrt(of_x * of_y)


def _slope(x: np.ndarray, y: np.ndarray) -> Interval:
    from scipy.special import stdtrit

    dx = x - x.mean()
    slope = float(_line(x, y)[0])
    left = y - y.mean() - slope * dx
    leverage = 1 / len(x) + dx**2 / (dx**2).sum()
    with np.errstate(
        invalid="ignore", divide="ignore"
    ):  # a point that the line must pass through has no error
        own = np.where(leverage < 1 - 1e-9, left / (1 - leverage), 0)
    reach = float(stdtrit(len(x) - 2, (1 + LEVEL) / 2) * np.sqrt((dx**2 * own**2).sum()) / (dx**2).sum())
    return Interval(slope, slope - reach, slope + reach, len(x), LEVEL, SLOPE_METHOD, "points")


def _explained(x: np.ndarray, y: np.ndarray, slope: Interval, seed: int) -> Interval:
    from scipy.stats import bootstrap

    share = float(_line(x, y)[1]) ** 2
    value = max(1 - (1 - share) * (len(x) - 1) / (len(x) - 2), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = bootstrap(
            (x, y),
            lambda x, y, axis: np.nan_to_num(_line(np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1))[1]),
            paired=True,
            vectorized=True,
            n_resamples=DRAWS,
            confidence_level=LEVEL,
            method="BCa",
            rng=seed,
        ).confidence_interval
    low, high = sorted((float(ends.low), float(ends.high))) if np.isfinite(ends).all() else (-1.0, 1.0)
    least = 0.0 if low <= 0 <= high or slope.low <= 0 <= slope.high else min(low**2, high**2)
    most = max(low**2, high**2, value)
    return Interval(value, min(least, value), most, len(x), LEVEL, EXPLAINED_METHOD, "points")
