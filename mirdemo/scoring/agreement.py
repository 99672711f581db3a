"""How far those who judge the same agree: Krippendorff's alpha (nltk's), with an interval over recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import LEVEL, Interval
from mirdemo.scoring.shares import share
from mirdemo.scoring.variances import added

METHOD = "Krippendorff's alpha, score-t of the disagreement, clustered by recording"
METHOD_PAIRED = "difference of Krippendorff's alphas, t, paired by recording"


@dataclass(frozen=True, eq=False)
class Units:
    """What was judged by two or more.

    given: float64 (n_coders, n_units), 1 right, 0 wrong, NaN no judgement; groups: (n_units,) recording of each
    """

    given: np.ndarray
    groups: np.ndarray

    @classmethod
    def paired_with(cls, one: np.ndarray, others: np.ndarray, groups: np.ndarray) -> Units:
        """A coder (n_units,) beside each of the others (n_coders, n_units): every pair of judgements is a unit."""
        rows, columns = np.nonzero(~np.isnan(others) & ~np.isnan(one))
        return cls(np.stack([one[columns], others[rows, columns]]), groups[columns])

    def disagreement(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of units with a pair: (disagreeing pairs of judgements, divided by the others of the unit; judgements; group)."""
        counts = (~np.isnan(self.given)).sum(0)
        paired = counts > 1
        right, counts = np.nansum(self.given[:, paired], 0), counts[paired]
        return 2 * right * (counts - right) / (counts - 1), counts.astype(np.float64), self.groups[paired]

    def expected(self) -> float:
        """The share of disagreeing pairs if all these judgements were dealt out anew; NaN for fewer than two."""
        judged = self.given[:, (~np.isnan(self.given)).sum(0) > 1]
        right, n = float(np.nansum(judged)), float((~np.isnan(judged)).sum())
        return 2 * right * (n - right) / (n * (n - 1)) if n > 1 else np.nan


def alpha(units: Units, level: float = LEVEL) -> Interval | None:
    """Krippendorff's alpha of right and wrong, 1 full agreement, 0 as by chance; "cannot tell" is no judgement.

    None where it says nothing: no unit was judged twice, or everybody gave one and the same answer throughout (libraries
    return 1, NaN or an error there: ``findings/alpha_without_variation.sh``).
    The interval is that of the observed disagreement (``scoring.shares.share``) over the expected one.
    """
    expected = units.expected()
    if not expected > 0:
        return None
    value = _alpha(units.given[:, (~np.isnan(units.given)).sum(0) > 1])
    apart, counts, groups = units.disagreement()
    observed = share(apart, counts, groups, level=level)
    recordings = len(np.unique(groups))
    if observed.low is None or observed.high is None:
        return Interval(value, None, None, recordings, level, METHOD)
    low, high = (1 - end / expected for end in (observed.high, observed.low))
    return Interval(value, max(-1.0, min(low, value)), min(1.0, max(high, value)), recordings, level, METHOD)


def _alpha(judged: np.ndarray) -> float:
    from nltk.metrics.agreement import AnnotationTask

    coders, items = np.nonzero(~np.isnan(judged))
    triples = [
        (f"c{i}", f"u{j}", int(judged[i, j])) for i, j in zip(coders.tolist(), items.tolist(), strict=True)
    ]
    return float(AnnotationTask(triples).alpha())


def difference(first: Units, second: Units, level: float = LEVEL) -> Interval | None:
    """Alpha of the first minus that of the second, paired by recording; None where one of them says nothing.

    Each recording's influence on both, with the expected disagreements held fixed, and Student's t; the variance is not
    below that of half a disagreeing recording.
    """
    one, other = alpha(first, level), alpha(second, level)
    if one is None or other is None or one.value is None or other.value is None:
        return None
    names = np.union1d(first.groups, second.groups)
    influence = _influence(first, one.value, names) - _influence(second, other.value, names)
    n, gap = len(names), one.value - other.value
    if n < 2:
        return Interval(gap, None, None, n, level, METHOD_PAIRED)
    variance = max(float((influence**2).sum()) * n / (n - 1), (0.5 / n) ** 2)
    return added(gap, [(variance, n - 1)], n, method=METHOD_PAIRED, least=-2.0, most=2.0, level=level)


def _influence(units: Units, value: float, names: np.ndarray) -> np.ndarray:
    """(n_recordings,) of minus the observed disagreement over the expected."""
    apart, counts, groups = units.disagreement()
    observed = apart.sum() / counts.sum()
    out = np.zeros(len(names))
    moved = -(apart - observed * counts) / counts.sum() / units.expected()
    np.add.at(out, np.searchsorted(names, groups), moved)
    return out
