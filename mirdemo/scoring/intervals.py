"""Figures with intervals: how sure a metric is, given how few recordings it was measured on.

A recording is the unit: its clips go together. The interval is a score interval, as Wilson's is for a share: it holds the
values from which the figure found would be no surprise, with the variance that each of those *values* implies, not with
that of the figure found, which is zero where a ranking is perfect. For ROC-AUC that variance is Newcombe's symmetric one
(2006, method 5), so that a tag and its complement have mirrored intervals and further recordings never widen a perfect
ranking's; for average precision and F1 it is binomial in the recordings that have the tag.

Those variances hold for one independent clip a recording. What the data say of theirs, the squared influences
(``mirdemo.scoring.metrics``) summed by recording (clustered DeLong, Obuchowski 1997), enters as a design effect, their
ratio, which few recordings make unsure: it is drawn towards one by ``PRIOR`` degrees of freedom and kept above
``LEAST_EFFECT``. The quantile is Student's t, with Satterthwaite's degrees of freedom between recordings with and without
the tag and those of the prior.

The constants were fitted to coverage tables of the live probe in simulated worlds (``benchmarks/truths/worlds.py``): 32
designs of 8, 12, 20 and 40 recordings with 1, 3 or 6 clips, six tags each, on one half of the collections;
``benchmarks/results/truth.md`` has what the other half says, and what was tried where layers compete.

Why no resampling: with ten or fewer positive recordings the percentile, BCa and studentised bootstrap over recordings
cover clearly less than they promise; this has no Monte-Carlo error either, and costs one sort.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: The share of intervals that hold the true value.
LEVEL = 0.90

METHOD = "score-t, clustered by recording"
DIFFERENCE_METHOD = "t, paired by recording"

#: Degrees of freedom by which the design effect is drawn towards one clip a recording, and the least it can be (of
#: ROC-AUC, which compares pairs, the second).
PRIOR = 6.0
LEAST_EFFECT, LEAST_EFFECT_OF_PAIRS = 0.65, 0.75
#: How many times as large the variance is at one half where cross-validation trained the scores, with very many draws of
#: the folds: of ROC-AUC, and of figures that compare no pairs. By so much more it is larger with one draw.
TRAINED_PAIRS, TRAINED, MORE_ONCE = 1.38, 0.85, 0.27
#: Means over draws of the folds vary less than their probes do, so the design effect of ROC-AUC is at least this then.
LEAST_EFFECT_TRAINED = 0.85
#: Towards 1 (of ROC-AUC: and 0) it falls like this power of 4 t (1 - t): probes that hear a tag well differ little.
EASING = 0.3
#: The same of a paired difference of two trainings on the same rows, of ROC-AUC and of the others.
TRAINED_PAIRED, TRAINED_PAIRED_SHARES = 1.4, 0.9
#: And of two backbones with ``APART_AT`` recordings: their rows are not the same, so what either's probe learned by chance cancels
#: in part only, and the less the better tags are heard, as with more recordings: it grows like that power of their number, up to
#: twice as many. Eased as above; what the heights imply counts for so much less (``benchmarks/truth_pairs.py``).
TRAINED_APART, TRAINED_APART_SHARES, APART_AT, APART_POWER = 2.9, 2.2, 20, 0.4
IMPLIED_APART = 0.2

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

    @property
    def known(self) -> float:
        """The value. Raises ValueError where there is no figure: look first."""
        if self.value is None:
            raise ValueError("there is no figure")
        return self.value

    @property
    def ends(self) -> tuple[float, float]:
        """(low, high). Raises ValueError where there is no interval: look first."""
        if self.low is None or self.high is None:
            raise ValueError("this figure has no interval")
        return self.low, self.high

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
    unit: str = "recordings"

    def at(self, *index: int) -> Interval:
        """One of them."""
        value, low, high = (
            float(array[index]) if np.isfinite(array[index]) else None
            for array in (self.value, self.low, self.high)
        )
        return Interval(value, low, high, self.n, self.level, self.method, self.unit)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A metric's value and what its uncertainty is made of. All fields are arrays that begin with the same shape (...).

    value: the figure
    influence: (..., n_recordings) what each recording adds to the variance, corrected for small counts
    single, among: the variance that a height t implies with one clip a recording, ``t (1 - t) (single + among g(t))``,
        where g is Newcombe's term for pairs that share a member (``_shared``)
    effect: the design effect, how many times as large the variance is
    df: degrees of freedom of the variance; NaN where there is no interval
    training: how many times as large it is again where the scores were trained, 1 for fixed ones
    easing: how fast that falls towards 1, and for pairs towards 0, the power of ``4 t (1 - t)``; 0 for fixed scores
    """

    value: np.ndarray
    influence: np.ndarray
    single: np.ndarray
    among: np.ndarray
    effect: np.ndarray
    df: np.ndarray
    training: np.ndarray
    easing: np.ndarray

    @property
    def n(self) -> int:
        return self.influence.shape[-1]

    def row(self, *index: int) -> Estimate:
        """One row of it: every field at ``index``."""
        return Estimate(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})

    def implied(self, height: np.ndarray) -> np.ndarray:
        """The variance if the true figure were ``height`` (...), training included."""
        per_pair = self.single + self.among * _shared(height)
        return height * (1 - height) * per_pair * self.effect * self._trained(height)

    def _trained(self, height: np.ndarray) -> np.ndarray:
        return self.training * _eased(height, self.among > 0) ** self.easing

    @property
    def _inner(self) -> np.ndarray:
        """The figure's height, half a recording nearer to the middle."""
        return _inwards(self.value, self.single + self.among)

    @property
    def _prior(self) -> np.ndarray:
        """The variance of one clip a recording there."""
        return self._inner * (1 - self._inner) * (self.single + self.among * _shared(self._inner))

    def _seen(self, least: float) -> np.ndarray:
        """The design effect that the data show, drawn towards one."""
        seen = (self.influence**2).sum(-1) / self._prior
        return np.maximum((self.df * seen + PRIOR) / (self.df + PRIOR), least)

    def macro(self) -> Estimate:
        """The mean over the last leading axis (tags), of those tags that have a value.

        The tags' correlation counts: their influences are added recording by recording. Tags too rare for an interval
        of their own still count in the mean and its variance; without any other there is no interval.
        """
        known, sure = np.isfinite(self.value), np.isfinite(self.df)
        count = np.maximum(known.sum(-1), 1)
        value, df = _mean(self.value, known, -1), _mean(self.df, sure, -1)
        influence = _mean(self.influence, known[..., None], -2)
        own = _mean((self.influence**2).sum(-1), known, -1)
        # Between tags that vary alike (1) and independently; by half of each where too little varies to tell.
        shared = np.divide((influence**2).sum(-1) + 1e-12, own + 2e-12 / (1 + 1 / count))
        single, among = (_mean(part, sure, -1) * shared for part in (self.single, self.among))
        training, easing = _mean(self.training, known, -1), _mean(self.easing, known, -1)
        mean = Estimate(value, influence, single, among, np.ones_like(value), df, training, easing)
        aimed = _mean(self._prior * self.effect * self._trained(self._inner), sure, -1) * shared
        implied = mean.implied(_inwards(value, (single + among) / np.maximum(shared, 1e-9)))
        effect = np.divide(aimed, implied, out=np.ones_like(value), where=implied > 0)
        return replace(mean, effect=np.maximum(effect, LEAST_EFFECT))

    def pooled(self, decisions: ArrayLike) -> Estimate:
        """The same figure where it is one over many decisions a recording, not one of each.

        decisions: how many there are, broadcasting to (...): of F1 those with the tag, each recording's tags counted once

        Their variance is that of so many independent ones, times a design effect from the influences summed by recording
        (Rao and Scott 1992). Held against one decision a recording it would never fall below ``LEAST_EFFECT`` of that, and
        intervals over 16 tags were 1.2 to 1.7 times as wide as they need be. Micro-F1 of fixed scores, 80 designs of 8 to 120
        recordings, 4 or 16 tags, 1 or 3 clips, with and without hard recordings: 87 to 99 % hold the true value (300
        simulated collections each; 92 to 100 % before).
        """
        single = 1 / np.maximum(np.asarray(decisions, dtype=np.float64), 1)
        found = replace(self, single=single + np.zeros_like(self.single))
        return replace(found, effect=found._seen(LEAST_EFFECT))

    def trained_again(self, n_folds: int, draws: int = 1) -> Estimate:
        """The same figure where cross-validation trained the scores: unsure of the training sides as well.

        n_folds: of the cross-validation; draws: of the folds, over which the figure is a mean

        Fixed scores tell only how the tested recordings vary. Another collection would have trained another probe, and
        folds share most of their training side. Nadeau and Bengio (2003) make the variance ``1 + n_folds / (n_folds -
        1)`` times as large, which is more than the coverage tables ask for; these factors fit them.
        """
        ranks = self.among > 0
        factor = np.where(ranks, TRAINED_PAIRS, TRAINED) * (1 + MORE_ONCE / draws)
        effect = np.where(ranks, np.maximum(self.effect, LEAST_EFFECT_TRAINED), self.effect)
        return replace(self.unsurer(factor, EASING), effect=effect)

    def unsurer(self, factor: ArrayLike, easing: ArrayLike = 0.0) -> Estimate:
        """The same figure with so many times the variance at one half, and less so towards 0 and 1."""
        wide = np.zeros_like(self.training)
        return replace(self, training=self.training * factor, easing=self.easing + easing + wide)

    def intervals(self, level: float = LEVEL, unit: str = "recordings") -> Intervals:
        """Intervals of a figure in 0..1, within 0..1 and always holding the figure itself. unit: what ``n`` counts"""
        from scipy.special import stdtrit

        reach = stdtrit(self.df + PRIOR, (1 + level) / 2)
        ends = []
        for end in (0.0, 1.0):
            inside = np.array(self.value, dtype=np.float64)
            outside = np.full_like(inside, end)
            for _ in range(45):  # the border of |figure - height| <= reach * implied deviation, by halving
                middle = (inside + outside) / 2
                holds = (self.value - middle) ** 2 <= reach**2 * self.implied(middle)
                inside, outside = np.where(holds, middle, inside), np.where(holds, outside, middle)
            ends.append(np.where(np.isnan(reach), np.nan, (inside + outside) / 2))
        # Halving leaves a trace of rounding at 0 and 1, where the ends are exact.
        low, high = (np.where(np.abs(at - end) < 1e-9, end, at) for at, end in zip(ends, (0, 1), strict=True))
        low, high = np.minimum(low, self.value), np.maximum(high, self.value)
        return Intervals(self.value, low, high, self.n, level, METHOD, unit)


def _shared(height: np.ndarray) -> np.ndarray:
    """Newcombe's term (2006, method 5): the same for a height and its complement."""
    return (1 - height) / (2 - height) + height / (1 + height)


def _eased(height: np.ndarray, ranks: np.ndarray | bool) -> np.ndarray:
    """``4 t (1 - t)``, what a training factor falls like (at some power) towards 1 and, of ROC-AUC (``ranks``), 0.

    Average precision and F1 have no complement: near 0 is not "surely wrong" but "rare", and nothing is eased there.
    """
    near_an_end = np.maximum(4 * height * (1 - height), 1e-12)
    return np.where(ranks | (height > 0.5), near_an_end, 1.0)


def _inwards(value: np.ndarray, per_pair: np.ndarray) -> np.ndarray:
    """The figure half an observation nearer to one half, where ``per_pair`` is one over their number."""
    return (value + per_pair / 2) / (1 + per_pair)


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
    parts, freedoms, sizes = [], [], []
    for has in (y, 1 - y):
        holders = (by_recording(has, recordings) > 0).sum(-1)
        # A side that no clip is on adds nothing, unless pairs need it.
        absent = np.nan if pairs else np.inf
        freedoms.append(np.where(holders > 1, holders - 1.0, np.where(holders == 0, absent, np.nan)))
        correction = np.sqrt(1 + 1 / np.maximum(holders - 1, 1))
        parts.append(by_recording(influence * has, recordings) * correction[..., None])
        sizes.append(np.maximum(holders, 1).astype(np.float64))
    (with_tag, without), (free1, free0), (size1, size0) = parts, freedoms, sizes
    var1, var0 = (with_tag**2).sum(-1), (without**2).sum(-1)
    welch = var1**2 / free1 + var0**2 / free0
    df = np.divide((var1 + var0) ** 2, welch, out=np.array(np.fmin(free1, free0)), where=welch > 0)
    df = np.where(np.isfinite(value) & ~np.isnan(free1 + free0), df, np.nan)
    if pairs:
        single, among = 1 / (size1 * size0), ((size1 + size0) / 2 - 1) / (size1 * size0)
    else:
        single, among = 1 / size1, np.zeros_like(size1)
    one = np.ones_like(df)
    fixed = (one, df, one, np.zeros_like(df))
    found = Estimate(np.asarray(value, dtype=np.float64), with_tag + without, single, among, *fixed)
    return replace(found, effect=found._seen(LEAST_EFFECT_OF_PAIRS if pairs else LEAST_EFFECT))


def best_interval(with_tag: int, without: int, draws: int, level: float = LEVEL) -> Interval:
    """The ROC-AUC interval of a perfect ranking of so many recordings, one clip each: none can be better.

    draws: of the cross-validation's folds that the figure is a mean over, 0 for scores that nothing here trained
    """
    found = perfect_estimate(with_tag, without)
    return (found.trained_again(5, draws) if draws else found).intervals(level).at()


def perfect_estimate(with_tag: int, without: int) -> Estimate:
    """The ROC-AUC of a perfect ranking of so many recordings, one clip each, as scores that nothing here trained give it."""
    labels = (np.arange(with_tag + without) < with_tag).astype(int)
    return estimate(np.float64(1.0), np.zeros(len(labels)), labels, np.arange(len(labels)), pairs=True)


def trained_apart(height: ArrayLike, ranks: ArrayLike, n: int) -> np.ndarray:
    """How many times as large the variance of a paired difference of two backbones' probes is as that of their recordings.

    height: the mean of both figures; ranks: whether they are ROC-AUC; n: recordings
    """
    at, pairs = np.asarray(height, dtype=np.float64), np.asarray(ranks, dtype=bool)
    grown = min(n / APART_AT, 2.0) ** APART_POWER
    return grown * np.where(pairs, TRAINED_APART, TRAINED_APART_SHARES) * _eased(at, pairs) ** EASING


def difference(
    first: Estimate,
    second: Estimate,
    level: float = LEVEL,
    unit: str = "recordings",
    *,
    apart: bool = False,
) -> Intervals:
    """Paired difference ``first - second`` of one metric on the same recordings, each recording against itself.

    Both of the same shape. apart: of two backbones, not of two trainings on the same rows. Where they were trained the
    variance is larger (``TRAINED_PAIRED``, ``trained_apart``). The variance that the figures' heights imply supposes a
    correlation of one half between them.
    """
    from scipy.special import stdtrit

    gap, df = first.value - second.value, (first.df + second.df) / 2
    seen = ((first.influence - second.influence) ** 2).sum(-1)
    implied = (first._prior + second._prior) / 2
    ranks, freedoms = first.among > 0, df + 1
    trained = (first.training != 1) | (second.training != 1)
    training = np.where(trained, np.where(ranks, TRAINED_PAIRED, TRAINED_PAIRED_SHARES), 1.0)
    if apart:
        training = np.where(trained, trained_apart((first._inner + second._inner) / 2, ranks, first.n), 1.0)
        implied = np.where(trained, IMPLIED_APART, 1.0) * implied
        freedoms = np.where(trained, df + PRIOR, freedoms)
    variance = training * (df * seen + implied) / (df + 1)
    reach = stdtrit(freedoms, (1 + level) / 2) * np.sqrt(variance)
    low, high = np.maximum(gap - reach, -1), np.minimum(gap + reach, 1)
    return Intervals(gap, low, high, first.n, level, DIFFERENCE_METHOD, unit)
