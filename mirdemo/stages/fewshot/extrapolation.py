"""Beyond the measured points of a learning curve: a power law, with a band, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import LEVEL

#: Fewer distinct numbers of recordings than this allow no extrapolation: the law has three unknowns.
FEWEST_POINTS = 4
#: Nothing is said beyond so many times the largest measured number.
FARTHEST = 4
EXPONENTS = np.linspace(0.1, 2.0, 39)
BOOTSTRAP = 500


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """Expected macro F1 beyond the measurements. A guess that more of the same kind of recordings is like these.

    shots: int64 (m,), above the largest measured; value, low, high: float64 (m,)
    ceiling, slope, exponent: F1(k) = ceiling - slope * k ** -exponent
    """

    shots: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ceiling: float
    slope: float
    exponent: float
    level: float = LEVEL
    method: str = "power law fitted to the means, bootstrap over repeats"


def fit_power_law(
    shots: np.ndarray, values: np.ndarray, exponents: np.ndarray = EXPONENTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of a - b * k ** -c with b >= 0 and a <= 1, the exponent c from a grid, for many curves at once.

    shots: (points,); values: (curves, points). Returns ceiling a, slope b, exponent c, each (curves,).
    """
    best = np.full(len(values), np.inf)
    a, b, c = (np.zeros(len(values)) for _ in range(3))
    for exponent in exponents:
        x = np.asarray(shots, np.float64) ** -exponent
        centred = x - x.mean()
        slope = np.maximum(-(values @ centred) / (centred @ centred), 0.0)
        ceiling = values.mean(axis=1) + slope * x.mean()
        over = ceiling > 1.0  # then the ceiling is 1 and the slope follows
        slope = np.where(over, ((1.0 - values) @ x) / (x @ x), slope)
        ceiling = np.minimum(ceiling, 1.0)
        error = ((values - ceiling[:, None] + slope[:, None] * x) ** 2).sum(axis=1)
        better = error < best
        best = np.where(better, error, best)
        a, b, c = (np.where(better, new, old) for new, old in ((ceiling, a), (slope, b), (exponent, c)))
    return a, b, c


def extrapolate(shots: np.ndarray, repeats: np.ndarray, widening: float = 1.0) -> Extrapolation | Sentence:
    """Carry a learning curve on: shots (points,), macro F1 (repeats, points) -> Extrapolation, or why not.

    widening: by how much the bootstrap over repeats is too narrow because repeats share recordings.
    """
    shots = np.asarray(shots, np.float64)
    repeats = repeats[np.isfinite(repeats).all(axis=1)]
    if len(shots) < FEWEST_POINTS or len(repeats) < 3:
        return Sentence(
            "No forecast: every tag needs about {recordings} recordings for one, and some have fewer.",
            "fewshot.no_forecast",
            {"recordings": 8},
        )
    means = repeats.mean(axis=0)
    if means[-1] <= means[0]:
        return Sentence(
            "No forecast: within what was measured, more recordings did not help.",
            "fewshot.no_forecast_flat",
            {},
        )
    ceiling, slope, exponent = fit_power_law(shots, means[None])
    draws = np.random.default_rng(0).integers(0, len(repeats), (BOOTSTRAP, len(repeats)))
    a, b, c = fit_power_law(shots, repeats[draws].mean(axis=1))
    last = int(shots[-1])
    targets = np.unique(np.round(last * np.geomspace(1, FARTHEST, 9)[1:]).astype(np.int64))
    value = ceiling - slope * targets**-exponent
    drawn = a[:, None] - b[:, None] * targets ** -c[:, None]
    drawn = value + widening * (drawn - value)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Extrapolation(
        shots=targets,
        value=value,
        low=np.clip(np.minimum(low, value), 0, 1),
        high=np.clip(np.maximum(high, value), 0, 1),
        ceiling=float(ceiling[0]),
        slope=float(slope[0]),
        exponent=float(exponent[0]),
    )
