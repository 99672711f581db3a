"""From results to disparity: how unevenly a model serves the corpora, and how sure that is.

What is compared with what
    Figures are compared only within one ``Comparison``: same metric, method, protocol, split and setting.
    Two protocols never stand in one ranking.
Gap, ratio, worst corpus
    Gap = best corpus minus worst corpus; ratio = worst over best (as the "four-fifths" kind of ratio in
    the fairness literature: Barocas, Hardt and Narayanan, Fairness and Machine Learning, MIT Press 2023,
    ch. 3). Both are stated with the corpora they cover. A mean is taken only over complete coverage.
Intervals
    Where every figure of a comparison has an interval, an interval of a derived figure is the percentile
    interval of 4,000 seeded draws, each corpus drawn independently from a normal law on the logit scale
    that has the corpus's interval. The gap of noisy figures is biased upwards (the best is partly lucky,
    the worst partly unlucky); ``excess`` is the mean gap that equal corpora with the same intervals would
    show, so a gap below it says nothing. Where a figure has no interval, neither has what is derived from it.
Normalisation
    (value - chance) / (best known - chance), with the best figure known for that corpus and metric under
    any protocol: 1 means "as good as anything published here", 0 means chance. So a corpus that is hard
    for everyone is not mistaken for bias. Chance is 0.5 for ROC-AUC; the other metrics' chance depends on
    prevalences that are not published, so they are not normalised.
Rank classes
    Two models share a class unless the interval of their difference (same draws) leaves out zero; a class
    is closed under that relation downwards from the best. Without intervals there are no classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.corpora.facts import CORPORA
from mirdemo.results.records import Result

DRAWS = 4000
LEVEL = 0.9
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
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
        descriptive |= {"mean_true_tags", "mean_predicted_tags", "prevalence"}
        setting = tuple(sorted((k, str(v)) for k, v in record.setting.items() if k not in descriptive))
        return cls(record.metric, record.method, record.protocol, record.split or "", setting)


@dataclass(frozen=True)
class Disparity:
    """How unevenly one model serves the corpora of one comparison.

    values: corpus -> record, in the order of the corpora; missing: corpora without a figure
    western_minus_other: mean over Western corpora minus mean over the others, None unless none is missing
    traditions: tradition -> mean over its corpora, None unless all of its corpora are there
    normalised: corpus -> (value - chance) / (best known - chance), None where that is not defined
    excess: the gap that equal corpora with the same intervals would show by luck, None without intervals
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


def comparisons(records: Iterable[Result]) -> dict[Comparison, list[Result]]:
    """Records over all tags, parted into what may be compared."""
    parted: dict[Comparison, list[Result]] = defaultdict(list)
    for record in records:
        if record.tag is None:
            parted[Comparison.of(record)].append(record)
    return dict(sorted(parted.items()))


def best_known(records: Iterable[Result], metric: str) -> dict[str, float]:
    """Corpus -> the best figure known for it in this metric, under any protocol."""
    best: dict[str, float] = {}
    for record in records:
        if record.metric == metric and record.tag is None:
            best[record.corpus] = max(record.value, best.get(record.corpus, 0.0))
    return best


def disparity(
    records: Iterable[Result],
    model: str,
    *,
    corpora: Sequence[str] = tuple(CORPORA),
    best: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Disparity | None:
    """The disparity of one model from the records of one comparison; None with fewer than two corpora.

    records: of one ``Comparison``; where a corpus has several figures of the model (a published best
        transfer per source corpus, several seeds), they must have been reduced to one by the caller
    best: ``best_known`` of everything there is (default: of ``records``)
    Raises ValueError if the records belong to more than one comparison or repeat a corpus.
    """
    records = list(records)
    found = {Comparison.of(r) for r in records}
    if len(found) > 1:
        raise ValueError(f"records of {len(found)} comparisons cannot be ranked together")
    own = [r for r in records if r.model == model and r.corpus in corpora]
    values = {c: r for c in corpora for r in own if r.corpus == c}
    if len(values) != len(own):
        raise ValueError(f"{model} has more than one figure for a corpus")
    if len(values) < 2:
        return None
    (comparison,) = found
    names = list(values)
    point = np.array([values[c].value for c in names])
    draws = _draws([values[c] for c in names], seed)
    missing = tuple(c for c in corpora if c not in values)
    western = [i for i, c in enumerate(names) if _tradition(c) == "western"]
    other = [i for i in range(len(names)) if i not in western]
    by_tradition: dict[str, list[int]] = defaultdict(list)
    for i, c in enumerate(names):
        by_tradition[_tradition(c)].append(i)
    all_of: dict[str, int] = defaultdict(int)
    for c in corpora:
        all_of[_tradition(c)] += 1
    best = best_known(records, comparison.metric) if best is None else best
    return Disparity(
        model=model,
        comparison=comparison,
        values=values,
        missing=missing,
        best=names[int(point.argmax())],
        worst=names[int(point.argmin())],
        gap=_derived(lambda v: v.max(-1) - v.min(-1), point, draws),
        ratio=_derived(_ratio, point, draws),
        western_minus_other=(
            _derived(lambda v: v[..., western].mean(-1) - v[..., other].mean(-1), point, draws)
            if western and other and not missing
            else None
        ),
        traditions={
            t: _derived(lambda v, at=at: v[..., at].mean(-1), point, draws) if len(at) == all_of[t] else None
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


def rank_classes(records: Iterable[Result], *, seed: int = 0) -> dict[str, int | None]:
    """Model -> rank class on one corpus (1 is best); every class None if a figure lacks an interval.

    records: one a model, of one comparison and one corpus. Raises ValueError otherwise.
    """
    records = sorted(records, key=lambda r: -r.value)
    if len({Comparison.of(r) for r in records}) > 1 or len({r.corpus for r in records}) > 1:
        raise ValueError("only figures of one comparison on one corpus can be ranked")
    draws = _draws(records, seed)
    if draws is None:
        return {r.model: None for r in records}
    classes: dict[str, int] = {}
    leader, rank = 0, 1
    for i, record in enumerate(records):
        low = np.quantile(draws[:, leader] - draws[:, i], (1 - LEVEL) / 2)
        if i and low > 0:
            leader, rank = i, rank + 1
        classes[record.model] = rank
    return classes


def _tradition(corpus: str) -> str:
    return CORPORA[corpus].tradition if corpus in CORPORA else corpus.rpartition("/")[2]


def _ratio(v: np.ndarray) -> np.ndarray:
    top = v.max(-1)
    return np.divide(v.min(-1), top, out=np.ones_like(top), where=top > 0)


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
    return float((centred.max(-1) - centred.min(-1)).mean())


@dataclass(frozen=True)
class Trend:
    """How F1 rises with the number of examples in one tradition, by least squares on log10 of that number.

    slope: gain in F1 for ten times the examples
    explained: share of the variance of F1 between tags that the line explains (R squared, 0 to 1): what
        rarity accounts for; the rest is everything else, strangeness among it
    centre: (mean of log10 number, mean F1), a point of the line
    Intervals are percentile intervals over tags resampled with replacement (2,000 seeded draws).
    n_tags: tags that the fit stands on; support_range: fewest and most examples among them
    band: (number of examples, low, high) from fewest to most: where the lines of the same draws lie, one number at a
        time, cut to 0..1
    """

    tradition: str
    slope: Figure
    explained: Figure
    centre: tuple[float, float]
    n_tags: int
    support_range: tuple[int, int]
    band: tuple[tuple[float, float, float], ...]

    def at(self, support: np.ndarray) -> np.ndarray:
        """The line's F1 at numbers of examples, cut to 0..1."""
        return np.clip(self.centre[1] + self.slope.value * (np.log10(support) - self.centre[0]), 0, 1)


def trends(records: Iterable[Result], *, seed: int = 0) -> list[Trend]:
    """One trend a tradition from per-tag F1 records (with ``setting["support"]``).

    The support is that of the test split; the published splits are random, so within a corpus it is in
    proportion to the training examples. Across corpora of different size equal support is a different share
    of the recordings, so the heights of two lines are not compared. A tradition with fewer than 8 tags, or
    whose tags all have one support or one F1, gets no trend.
    """
    parted: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        support = record.setting.get("support")
        if record.tag is not None and record.metric == "f1" and support:
            parted[_tradition(record.corpus)].append((float(support), record.value))
    found = []
    for tradition, points in parted.items():
        support, f1 = np.array(points).T
        x = np.log10(support)
        if len(points) < 8 or np.ptp(x) == 0 or np.ptp(f1) == 0:
            continue
        pick = np.random.default_rng(seed).integers(0, len(x), (2000, len(x)))
        slopes, shares = _line(x[pick], f1[pick])
        slope, share = _line(x, f1)
        along = np.linspace(x.min(), x.max(), 25)
        middle, height = x[pick].mean(1)[:, None], f1[pick].mean(1)[:, None]
        low, high = np.nanquantile(height + slopes[:, None] * (along - middle), _TAILS, axis=0)
        found.append(
            Trend(
                tradition,
                _quantiles(float(slope), slopes),
                _quantiles(float(share), shares),
                (float(x.mean()), float(f1.mean())),
                len(points),
                (int(support.min()), int(support.max())),
                tuple(zip(*(v.tolist() for v in (10**along, *np.clip((low, high), 0, 1))), strict=True)),
            )
        )
    order = {c.tradition: i for i, c in enumerate(CORPORA.values())}
    return sorted(found, key=lambda t: order.get(t.tradition, len(order)))


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares slope and R squared along the last axis; nan where x or y does not vary."""
    dx, dy = x - x.mean(-1, keepdims=True), y - y.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (dx * dy).sum(-1) / (dx**2).sum(-1)
        share = slope * (dx * dy).sum(-1) / (dy**2).sum(-1)
    return slope, share


def _quantiles(value: float, draws: np.ndarray) -> Figure:
    low, high = np.nanquantile(draws, _TAILS)
    return Figure(value, float(min(low, value)), float(max(high, value)))
