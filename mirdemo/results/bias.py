"""From results to disparity: how unevenly a model serves the corpora, and how sure that is.

What is compared with what
    Figures are compared only within one ``Comparison``: same metric, method, protocol, split and setting.
    Two protocols never stand in one ranking. A ``Frame`` says which corpora the question is about: a corpus
    outside it can be measured and shown, and changes no mean and no gap. A figure of part of a corpus
    (``Result.partial``) is in no comparison.
Gap, ratio, worst corpus
    Gap = best corpus minus worst corpus; ratio = worst over best (as the "four-fifths" kind of ratio in
    the fairness literature: Barocas, Hardt and Narayanan, Fairness and Machine Learning, MIT Press 2023,
    ch. 3). Both are stated with the corpora they cover. A mean is taken only over complete coverage.
Intervals
    Where every figure of a comparison has an interval, so have the figures derived from them; where one has none,
    neither have those. The gap of noisy figures is biased upwards (the best is partly lucky, the worst partly
    unlucky), so gap and ratio have simultaneous limits over all pairs of corpora, which can hold "no difference"
    (``mirdemo.scoring.simultaneous``). ``excess`` is the gap that equal corpora with the same intervals exceed in one
    case of ten. The interval of a mean or of a difference of means is the percentile interval of 4,000 seeded draws,
    each corpus drawn independently from a normal law on the logit scale that has the corpus's interval.
Normalisation
    (value - chance) / (best known - chance), with the best figure known for that corpus and metric under
    any protocol that does not stand apart (``Result.apart``), of a corpus as published: 1 means "as good as anything published here", 0 means chance. So a corpus that is hard
    for everyone is not mistaken for bias. Chance is 0.5 for ROC-AUC; the other metrics' chance depends on
    prevalences that are not published, so they are not normalised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.results.frame import WESTERN, Frame
from mirdemo.results.records import Result
from mirdemo.scoring.intervals import LEVEL
from mirdemo.scoring.simultaneous import Independent, gap_limits, ratio_limits

DRAWS = 4000
CHANCE = {"roc_auc": 0.5}


@dataclass(frozen=True)
class Figure:
    """A derived figure; low and high are None where the records allow no interval."""

    value: float
    low: float | None = None
    high: float | None = None
    level: float = LEVEL

    @property
    def has_interval(self) -> bool:
        return self.low is not None

    @property
    def ends(self) -> tuple[float, float]:
        """(low, high). Raises ValueError where there is no interval: look first."""
        if self.low is None or self.high is None:
            raise ValueError("this figure has no interval")
        return self.low, self.high


@dataclass(frozen=True, order=True)
class Comparison:
    """What must be equal for figures to be compared."""

    metric: str
    method: str
    protocol: str
    split: str
    setting: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, record: Result) -> Comparison:
        """Settings that describe the corpus or the run, not the rules, do not part figures."""
        descriptive = {"n_tags", "transfer_from", "n_prototypes", "n_support", "support", "seeds", "blocks"}
        descriptive |= {"mean_true_tags", "mean_predicted_tags", "prevalence", "sd", "experiments", "mteb"}
        setting = tuple(sorted((k, str(v)) for k, v in record.setting.items() if k not in descriptive))
        return cls(record.metric, record.method, record.protocol, record.split or "", setting)


@dataclass(frozen=True)
class Disparity:
    """How unevenly one model serves the corpora of one comparison.

    values: corpus -> record, in the order of the frame; missing: corpora of the frame without a figure
    gap, ratio: low and high can be 0 and 1: perhaps there is no difference
    western_minus_other: mean over Western corpora minus mean over the others, None unless none is missing
    traditions: tradition -> mean over its corpora, None unless all of its corpora are there
    normalised: corpus -> (value - chance) / (best known - chance), None where that is not defined
    excess: the gap that equal corpora with the same intervals exceed in one case of ten, None without intervals
    """

    model: str
    comparison: Comparison
    values: dict[str, Result]
    missing: tuple[str, ...]
    best: str
    worst: str
    gap: Figure
    ratio: Figure
    western_minus_other: Figure | None
    traditions: dict[str, Figure | None]
    normalised: dict[str, float | None]
    excess: float | None

    @property
    def advantage(self) -> Figure:
        """``western_minus_other`` where it is known. Raises ValueError where it is not: look first."""
        if self.western_minus_other is None:
            raise ValueError(f"{self.model} lacks figures for {', '.join(self.missing)}")
        return self.western_minus_other


def comparisons(records: Iterable[Result]) -> dict[Comparison, list[Result]]:
    """Records over all tags, parted into what may be compared."""
    parted: dict[Comparison, list[Result]] = defaultdict(list)
    for record in records:
        if record.tag is None:
            parted[Comparison.of(record)].append(record)
    return dict(sorted(parted.items()))


def best_known(records: Iterable[Result], metric: str) -> dict[str, float]:
    """Corpus -> the best figure known for it in this metric, under any protocol but those that stand apart.

    A figure of part of the corpus is not among them: it may be better because what was hard is not in it.
    """
    best: dict[str, float] = {}
    for record in records:
        if record.metric == metric and record.tag is None and not (record.apart or record.partial):
            best[record.corpus] = max(record.value, best.get(record.corpus, 0.0))
    return best


def disparity(
    records: Iterable[Result],
    model: str,
    frame: Frame,
    *,
    best: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Disparity | None:
    """The disparity of one model from the records of one comparison; None with fewer than two corpora.

    records: of one ``Comparison``; those of corpora outside the frame or of part of one are left out. Where a corpus has several figures
        of the model (a published best transfer per source corpus, several seeds), they must have been reduced to one by
        the caller
    best: ``best_known`` of everything there is (default: of ``records``)
    Raises ValueError if the records belong to more than one comparison or repeat a corpus.
    """
    records = list(records)
    found = {Comparison.of(r) for r in records}
    if len(found) > 1:
        raise ValueError(f"records of {len(found)} comparisons cannot be ranked together")
    own = [r for r in records if r.model == model and r.corpus in frame.traditions and not r.partial]
    values = {c: r for c in frame.traditions for r in own if r.corpus == c}
    if len(values) != len(own):
        raise ValueError(f"{model} has more than one figure for a corpus")
    if len(values) < 2:
        return None
    (comparison,) = found
    names = list(values)
    point = np.array([values[c].value for c in names])
    draws, sure = _draws([values[c] for c in names], seed), independent([values[c] for c in names])
    missing = tuple(c for c in frame.traditions if c not in values)
    by_tradition: dict[str, list[int]] = defaultdict(list)
    for i, c in enumerate(names):
        by_tradition[frame.traditions[c]].append(i)
    western = by_tradition.get(WESTERN, [])
    other = [i for i in range(len(names)) if i not in western]
    whole = [*frame.traditions.values()]
    best = best_known(records, comparison.metric) if best is None else best
    return Disparity(
        model=model,
        comparison=comparison,
        values=values,
        missing=missing,
        best=names[int(point.argmax())],
        worst=names[int(point.argmin())],
        gap=_between(float(point.max() - point.min()), None if sure is None else gap_limits(sure)),
        ratio=_between(_ratio(point), None if sure is None else ratio_limits(sure)),
        western_minus_other=(
            _derived(lambda v: v[..., western].mean(-1) - v[..., other].mean(-1), point, draws)
            if western and other and not missing
            else None
        ),
        traditions={
            t: _derived(lambda v, at=at: v[..., at].mean(-1), point, draws)
            if len(at) == whole.count(t)
            else None
            for t, at in by_tradition.items()
        },
        normalised={c: normalise(values[c], best.get(c)) for c in names},
        excess=_excess(point, draws),
    )


def normalise(record: Result, best: float | None) -> float | None:
    """(value - chance) / (best - chance); None where chance or best is not known or best is at chance."""
    chance = CHANCE.get(record.metric)
    if chance is None or best is None or best <= chance:
        return None
    return (record.value - chance) / (best - chance)


def independent(records: Sequence[Result]) -> Independent | None:
    """The records' figures with their intervals as they stand, one by one; None if one has no interval."""
    if any(r.low is None for r in records):
        return None
    return Independent(
        *(np.array([getattr(r, n) for r in records]) for n in ("value", "low", "high", "level"))
    )


def _ratio(values: np.ndarray) -> float:
    return float(values.min() / values.max()) if values.max() > 0 else 1.0


def _between(value: float, limits: tuple[float, float] | None) -> Figure:
    if limits is None:
        return Figure(value)
    return Figure(value, min(limits[0], value), max(limits[1], value))


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)


def _draws(records: Sequence[Result], seed: int) -> np.ndarray | None:
    """(draws, records) values drawn from the records' intervals; None if one has no interval."""
    if any(r.low is None for r in records):
        return None
    from statistics import NormalDist

    middle = _logit(np.array([r.value for r in records]))
    z = np.array([NormalDist().inv_cdf(0.5 + r.level / 2) for r in records])
    below = (middle - _logit(np.array([r.low for r in records]))) / z
    above = (_logit(np.array([r.high for r in records])) - middle) / z
    normal = np.random.default_rng(seed).standard_normal((DRAWS, len(records)))
    return 1 / (1 + np.exp(-(middle + normal * np.where(normal < 0, below, above))))


def _derived(function, point: np.ndarray, draws: np.ndarray | None) -> Figure:
    value = float(function(point))
    if draws is None:
        return Figure(value)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(function(draws), (tail, 1 - tail))
    return Figure(value, float(min(low, value)), float(max(high, value)))


def _excess(point: np.ndarray, draws: np.ndarray | None) -> float | None:
    if draws is None:
        return None
    centred = draws - draws.mean(0) + point.mean()
    return float(np.quantile(centred.max(-1) - centred.min(-1), LEVEL))
