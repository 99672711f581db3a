"""Figures with intervals: how sure a metric is, given how few recordings it was measured on.

A recording is the unit: its clips go together. For each figure the clips' influences (``mirdemo.scoring.metrics``) are summed
by recording; their squares give the variance (clustered DeLong, Obuchowski 1997), the interval is symmetric on the logit
scale and uses Student's t with Satterthwaite's degrees of freedom between recordings with and without the tag. Small
counts make that variance itself unsure, and zero where the ranking is perfect, so one degree of freedom of it is the
variance that the figure's height alone suggests (Hanley and McNeil 1982 for ROC-AUC, binomial for the others), at a
value half a comparison nearer to one half.

Why no resampling: in simulations with clips clustered in recordings (``tests/test_intervals.py``) the percentile,
BCa and studentised bootstrap over recordings cover clearly less than they promise with ten or fewer positive
recordings, while this covers what it says; it also has no Monte-Carlo error and costs one sort.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: The share of intervals that hold the true value.
LEVEL = 0.90

METHOD = "logit-t, clustered by recording"
DIFFERENCE_METHOD = "t, paired by recording"


MINUS = "\N{MINUS SIGN}"


def signed(value: float) -> str:
    """A difference for people: ``+0.05``, a minus sign and no hyphen; what rounds to zero has no sign."""
    text = f"{abs(value):.2f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else MINUS}{text}"


@dataclass(frozen=True)
class Interval:
    """A figure with its interval: the one type for every reported number.

    value: None where there is no figure
    low, high: None where there is no interval (too few recordings)
    n: how many ``unit`` it was measured on
    level: the share of such intervals that hold the true value, e.g. 0.9
    method: how the interval was made
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    level: float = LEVEL
    method: str = METHOD
    unit: str = "recordings"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Many figures with intervals, as arrays of one shape (...); NaN where there is none."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    level: float
    method: str = METHOD

    def at(self, *index: int) -> Interval:
        """One of them."""
        value, low, high = (
            float(array[index]) if np.isfinite(array[index]) else None
            for array in (self.value, self.low, self.high)
        )
        return Interval(value, low, high, self.n, self.level, self.method)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A metric's value and what its uncertainty is made of.

    value, centre: (...) the figure, and the figure drawn half a comparison towards one half
    influence: (..., n_recordings) what each recording adds to the variance, corrected for small counts
    prior: (...) the variance that the figure's height alone suggests
    df: (...) degrees of freedom of the variance; NaN where there is no interval
    """

    value: np.ndarray
    centre: np.ndarray
    influence: np.ndarray
    prior: np.ndarray
    df: np.ndarray

    @property
    def n(self) -> int:
        return self.influence.shape[-1]

    @property
    def variance(self) -> np.ndarray:
        return ((self.influence**2).sum(-1) * self.df + self.prior) / (self.df + 1)

    def macro(self) -> Estimate:
        """The mean over the last leading axis (tags), of those tags that have a value.

        The tags' correlation counts: their influences are added recording by recording. Tags too rare for an interval
        of their own still count in the mean and its variance; without any other there is no interval.
        """
        known, sure = np.isfinite(self.value), np.isfinite(self.df)
        count = known.sum(-1)
        influence = _mean(self.influence, known[..., None], -2)
        own = _mean((self.influence**2).sum(-1), sure, -1)
        shrink = np.divide((influence**2).sum(-1), own, out=np.array(1 / np.maximum(count, 1)), where=own > 0)
        return Estimate(
            value=_mean(self.value, known, -1),
            centre=_mean(self.centre, known, -1),
            influence=influence,
            prior=_mean(self.prior, sure, -1) * shrink,
            df=_mean(self.df, sure, -1),
        )

    def trained_again(self, n_folds: int) -> Estimate:
        """The same figure where cross-validation trained the scores: unsure of the training sides as well.

        Fixed scores tell only how the tested recordings vary. Another collection would have trained another probe, and
        folds share most of their training side. The variance is that of Nadeau and Bengio (2003), ``1 + n_folds /
        (n_folds - 1)`` times as large; in simulations of the whole live probe it is what brings the interval from
        about 75 % to its level (``tests/probing/test_coverage.py``).
        """
        factor = 1 + n_folds / (n_folds - 1)
        return replace(self, influence=self.influence * np.sqrt(factor), prior=self.prior * factor)

    def intervals(self, level: float = LEVEL) -> Intervals:
        """Intervals of a figure in 0..1, on the logit scale; always holding the figure itself."""
        from scipy.special import expit, logit, stdtrit

        spread = np.sqrt(self.variance) / (self.centre * (1 - self.centre))
        reach = stdtrit(self.df + 1, (1 + level) / 2) * spread
        low, high = expit(logit(self.centre) - reach), expit(logit(self.centre) + reach)
        return Intervals(
            self.value, np.minimum(low, self.value), np.maximum(high, self.value), self.n, level, METHOD
        )


def _mean(values: np.ndarray, where: np.ndarray, axis: int) -> np.ndarray:
    count = where.sum(axis)
    total = np.where(where, values, 0).sum(axis)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def by_recording(values: np.ndarray, recordings: ArrayLike) -> np.ndarray:
    """Sums of the last axis within each recording: (..., n_clips) -> (..., n_recordings), recordings sorted."""
    codes = np.unique(np.asarray(recordings), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.add.reduceat(values[..., order], starts, axis=-1)


def estimate(
    value: np.ndarray, influence: np.ndarray, labels: ArrayLike, recordings: ArrayLike, *, pairs: bool
) -> Estimate:
    """From a metric's value (...) and its clips' influences (..., n) to an estimate over recordings.

    labels: 0/1 broadcasting to (..., n): which clips have the tag
    recordings: (n,) the recording of each clip
    pairs: True where the metric compares clips with and without the tag pair by pair (ROC-AUC)
    There is an interval from two recordings on each side on; metrics that compare no pairs do without negatives.
    """
    y = np.broadcast_to(np.asarray(labels), influence.shape).astype(np.float64)
    sides = [
        (y, by_recording(influence * y, recordings)),
        (1 - y, by_recording(influence * (1 - y), recordings)),
    ]
    parts, freedoms, sizes = [], [], []
    for has, summed in sides:
        clips = has.sum(-1)
        holders = (by_recording(has, recordings) > 0).sum(-1)
        absent = (
            np.inf if not pairs else np.nan
        )  # a side that no clip is on adds nothing, unless pairs need it
        freedom = np.where(holders > 1, holders - 1.0, np.where(holders == 0, absent, np.nan))
        parts.append(summed * np.sqrt(1 + 1 / np.maximum(holders - 1, 1))[..., None])
        freedoms.append(freedom)
        sizes.append(
            np.sqrt(clips * holders)
        )  # between the clips (if independent) and the recordings (if not)
    (with_tag, without), (free1, free0), (size1, size0) = parts, freedoms, sizes
    var1, var0 = (with_tag**2).sum(-1), (without**2).sum(-1)
    welch = var1**2 / free1 + var0**2 / free0
    df = np.divide((var1 + var0) ** 2, welch, out=np.array(np.fmin(free1, free0)), where=welch > 0)
    df = np.where(np.isfinite(value) & ~np.isnan(free1 + free0), df, np.nan)
    comparisons = size1 * size0 if pairs else size1
    centre = (value * comparisons + 0.5) / (comparisons + 1)
    prior = _hanley_mcneil(centre, size1, size0) if pairs else centre * (1 - centre) / np.maximum(size1, 1)
    return Estimate(value, centre, with_tag + without, prior, df)


def _hanley_mcneil(auc: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Variance of a ROC-AUC from its height and the counts alone (Hanley and McNeil 1982)."""
    two_positives, two_negatives = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (
        auc * (1 - auc)
        + (positives - 1) * (two_positives - auc**2)
        + (negatives - 1) * (two_negatives - auc**2)
    )
    return spread / np.maximum(positives * negatives, 1)


def difference(first: Estimate, second: Estimate, level: float = LEVEL) -> Intervals:
    """Paired difference ``first - second`` of one metric on the same recordings, each recording against itself.

    Both of the same shape. The prior variance supposes a correlation of one half between the two figures.
    """
    from scipy.special import stdtrit

    paired = Estimate(
        value=first.value - second.value,
        centre=first.centre - second.centre,
        influence=first.influence - second.influence,
        prior=(first.prior + second.prior) / 2,
        df=(first.df + second.df) / 2,
    )
    reach = stdtrit(paired.df + 1, (1 + level) / 2) * np.sqrt(paired.variance)
    low, high = np.maximum(paired.value - reach, -1), np.minimum(paired.value + reach, 1)
    return Intervals(paired.value, low, high, paired.n, level, DIFFERENCE_METHOD)
