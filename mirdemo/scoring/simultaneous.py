"""Many figures side by side: which differ, how far apart the extremes are, and which ranks they can have.

Every pair is looked at, so every limit has to hold for all pairs at once. The critical value is that of the largest of
all standardised differences (max-T; Hothorn, Bretz and Westfall 2008), from ``DRAWS`` seeded draws under equality with
the figures' own standard errors and correlation: with two figures the usual quantile, with twelve a much larger one.

Two kinds of evidence give the limits of a pair's difference:

- ``Paired``: the influences of the same recordings on every figure, so what makes a recording hard for all of them
  cancels. Differences and their errors on the figures' own scale.
- ``Independent``: each figure's own interval. The limits of a difference combine those of its two figures (MOVER; Zou
  and Donner 2008), at the critical value on the arcsine scale, where a proportion's error does not depend on its
  height: a figure that is high by luck would otherwise look surer than it is.

The extremes (gap, ratio) of a set of figures: at the lower end the limits of all pairs at once, for whichever pair
looks widest was chosen by looking; cut where there is no difference. At the upper end each pair's own limit, for only
the pair that is truly widest has to lie under it.

Ranks: a figure's rank lies between one more than how many are surely better and how many are not surely worse (joint
confidence sets for ranks; Klein, Wright and Wieczorek 2020). Letters: figures with a letter in common are not told
apart (compact letter display by insertion and absorption; Piepho 2004).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist
from string import ascii_lowercase

import numpy as np

from mirdemo.scoring.intervals import LEVEL

#: Draws where the errors are known, and where each draw estimates its own.
DRAWS, DRAWS_ESTIMATED = 20_000, 4000
_AT_ONCE = 500
_SEED = 0
#: From this many degrees of freedom an estimated error is taken as known.
_KNOWN_FROM = 60


def critical_value(
    covariance: np.ndarray, df: int | None = None, level: float = LEVEL, among: np.ndarray | None = None
) -> float:
    """The quantile of the largest standardised difference of any two of k equal figures.

    covariance: (k, k) of the figures' errors; df: how many independent deviations it was estimated from, None: known
    among: (k, k) the pairs that count, None for all. Pairs that cannot differ (no error at all) never count. Zero
    where none does. With an estimated covariance each draw has an error of its own, estimated from as many normal
    deviations: with few recordings the smallest of many estimated errors is far too small, and a quantile of Student's
    does not know that. The draws are seeded, so the same question is answered once.
    """
    counted = None if among is None else among.astype(bool).tobytes()
    return _critical_value(covariance.astype(np.float64).tobytes(), df, level, counted)


@lru_cache(256)
def _critical_value(errors: bytes, df: int | None, level: float, counted: bytes | None) -> float:
    covariance = np.frombuffer(errors)
    k = math.isqrt(len(covariance))
    covariance = covariance.reshape(k, k)
    among = None if counted is None else np.frombuffer(counted, bool).reshape(k, k)
    known = _errors(covariance)
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k) if known[i, j] > 1e-12]
    pairs = [pair for pair in pairs if among is None or among[pair]]
    if not pairs:
        return 0.0
    first, second = np.array(pairs).T
    rng = np.random.default_rng(_SEED)
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    factor = (vectors * np.sqrt(np.maximum(values, 0))).T
    largest = []
    estimated = df is not None and df < _KNOWN_FROM
    for _ in range((DRAWS_ESTIMATED if estimated else DRAWS) // _AT_ONCE):
        drawn = rng.standard_normal((_AT_ONCE, k)) @ factor
        error = known[first, second]
        if df is not None and estimated:
            deviations = rng.standard_normal((_AT_ONCE, df, k)) @ factor
            error = _errors(np.swapaxes(deviations, 1, 2) @ deviations / df)[:, first, second]
        apart = np.abs(drawn[:, first] - drawn[:, second])
        largest.append(np.divide(apart, error, out=np.zeros_like(apart), where=error > 1e-12).max(-1))
    return float(np.quantile(np.concatenate(largest), level))


def _errors(covariance: np.ndarray) -> np.ndarray:
    """(..., k, k) standard errors of the differences of figures with this covariance."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    return np.sqrt(np.maximum(variance[..., :, None] + variance[..., None, :] - 2 * covariance, 0))


def quantile(level: float = LEVEL) -> float:
    """How many standard errors a two-sided interval of one figure reaches."""
    return NormalDist().inv_cdf((1 + level) / 2)


@dataclass(frozen=True, eq=False)
class Paired:
    """Figures of the same recordings. values: (k,); influences: (k, n) what each recording adds to each figure"""

    values: np.ndarray
    influences: np.ndarray

    @cached_property
    def covariance(self) -> np.ndarray:
        n = self.influences.shape[1]
        return self.influences @ self.influences.T * n / max(n - 1, 1)

    @cached_property
    def errors(self) -> np.ndarray:
        """(k, k) standard errors of the differences."""
        return _errors(self.covariance)

    @cached_property
    def critical(self) -> float:
        return self.critical_among(None)

    def critical_among(self, pairs: np.ndarray | None) -> float:
        """The critical value of these pairs only, (k, k).

        From few recordings the correlations themselves are unsure and come out too strong. What all figures share
        cancels in differences whatever it is, so there the critical value is that of independent figures with what
        each has of its own.
        """
        df, covariance = max(self.influences.shape[1] - 1, 1), self.covariance
        if df < _KNOWN_FROM:
            own = self.influences - self.influences.mean(0)
            covariance = np.diag((own**2).sum(1))
        return critical_value(covariance, df, among=pairs)

    def differences(self, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """(k, k) lowest and highest difference row minus column, ``reach`` standard errors around it."""
        apart = self.values[:, None] - self.values[None]
        return apart - reach * self.errors, apart + reach * self.errors


@dataclass(frozen=True, eq=False)
class Independent:
    """Figures in 0..1 with intervals of their own: values, low, high (k,), level: (k,) of the intervals."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: np.ndarray

    @cached_property
    def _angles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The values and the standard errors below and above them, on the arcsine scale."""
        middle, low, high = (np.arcsin(np.sqrt(np.clip(v, 0, 1))) for v in (self.values, self.low, self.high))
        reach = np.array([quantile(level) for level in self.level])
        return middle, (middle - low) / reach, (high - middle) / reach

    @cached_property
    def critical(self) -> float:
        return self.critical_among(None)

    def critical_among(self, pairs: np.ndarray | None) -> float:
        """The critical value of these pairs only, (k, k)."""
        _, below, above = self._angles
        return critical_value(np.diag(((below + above) / 2) ** 2), among=pairs)

    def limits(self, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """(k,) each figure's own limits, ``reach`` standard errors from it."""
        middle, below, above = self._angles
        ends = np.clip(middle - reach * below, 0, np.pi / 2), np.clip(middle + reach * above, 0, np.pi / 2)
        return np.sin(ends[0]) ** 2, np.sin(ends[1]) ** 2

    def differences(self, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """(k, k) lowest and highest difference row minus column at once for this critical value."""
        return _mover(self.values, *self.limits(reach))


def _mover(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of all differences of independent figures from the figures' own limits, (k, k) each."""
    apart = values[:, None] - values[None]
    below = np.hypot((values - low)[:, None], (high - values)[None])
    above = np.hypot((high - values)[:, None], (values - low)[None])
    return apart - below, apart + above


def gap_limits(figures: Independent | Paired) -> tuple[float, float]:
    """Lowest and highest that the best minus the worst of the figures can truly be; lowest 0: perhaps all are equal."""
    lowest = figures.differences(figures.critical)[0].max()
    highest = figures.differences(quantile())[1].max()
    return float(np.clip(lowest, 0, 1)), float(np.clip(highest, 0, 1))


def ratio_limits(figures: Independent) -> tuple[float, float]:
    """Lowest and highest that the worst over the best of the figures can truly be; highest 1: perhaps all are equal."""

    def logs(reach: float) -> tuple[np.ndarray, np.ndarray]:
        values, low, high = (np.log(np.maximum(v, 1e-12)) for v in (figures.values, *figures.limits(reach)))
        return _mover(values, low, high)

    lowest = np.exp(logs(quantile())[0].min())
    highest = np.exp(-max(logs(figures.critical)[0].max(), 0.0))
    return float(np.clip(lowest, 0, 1)), float(np.clip(highest, 0, 1))


def better(figures: Independent | Paired) -> np.ndarray:
    """(k, k) whether the row's figure is surely higher than the column's.

    In steps (Romano and Wolf 2005): once some pairs are told apart, the others are held against the critical value of
    those that remain. At most 1 - ``LEVEL`` of such tables hold even one difference that is not there.
    """
    k = len(figures.values)
    surely, open_pairs = np.zeros((k, k), dtype=bool), ~np.eye(k, dtype=bool)
    while open_pairs.any():
        now = (figures.differences(figures.critical_among(open_pairs))[0] > 0) & open_pairs
        if not now.any():
            break
        surely |= now
        open_pairs &= ~(now | now.T)
    return surely


def rank_ranges(surely: np.ndarray) -> list[tuple[int, int]]:
    """Of each figure the first and last rank it can have, 1 the best. surely: as ``better`` gives it"""
    k = len(surely)
    return [(1 + int(surely[:, i].sum()), k - int(surely[i].sum())) for i in range(k)]


def letters(surely: np.ndarray, values: np.ndarray) -> list[str]:
    """Of each figure its letters, ``a`` with the best: two that share a letter are not told apart.

    surely: as ``better`` gives it; values: (k,) the figures, for the order
    """
    order = np.argsort(-np.asarray(values), kind="stable")
    apart = (surely | surely.T)[np.ix_(order, order)]
    groups = [frozenset(range(len(order)))]
    for i, j in zip(*np.nonzero(np.triu(apart)), strict=True):
        split = []
        for group in groups:
            split += [group - {i}, group - {j}] if {i, j} <= group else [group]
        groups = [g for g in dict.fromkeys(split) if not any(g < other for other in split)]
    groups.sort(key=sorted)
    found = [""] * len(order)
    for at, group in enumerate(groups):
        for place in group:
            found[order[place]] += _letter(at)
    return found


def _letter(at: int) -> str:
    """a, b, ..., z, a', b', ..."""
    return ascii_lowercase[at % 26] + "'" * (at // 26)
