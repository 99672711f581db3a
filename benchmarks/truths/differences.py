"""Differences between corpora and between models: gap, ratio, rank classes, and what rarity explains.

Six corpora with a tag each, scored and given intervals by the product's own functions; twelve or fewer models on the
same recordings or on others. The older build's rank classes are read as ranks: two models are parted where their classes
differ.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from benchmarks.truths import Rate, build, mean, share

CORPORA = ("magnatagatune", "fma", "lyra", "makam", "hindustani", "carnatic")
SIZES = {"200 recordings each": (200,) * 6, "20 to 400 recordings": (400, 300, 120, 60, 30, 20)}
TRUTHS = {
    "equal": (0.8,) * 6,
    "equal, high": (0.95,) * 6,
    "gap .07": (0.83, 0.80, 0.80, 0.78, 0.77, 0.76),
    "gap .20": (0.92, 0.88, 0.82, 0.80, 0.75, 0.72),
}


def scored(rng: np.random.Generator, auc: float, n: int) -> tuple[float, float, float]:
    """A figure with its interval: n recordings, a quarter with the tag, scores that truly rank by ``auc``."""
    metrics = build("mirdemo.scoring.metrics", "mirdemo.metrics")
    intervals = build("mirdemo.scoring.intervals", "mirdemo.intervals")
    labels = np.arange(n) < max(3, n // 4)
    value, influence = metrics.roc_auc_influence(
        labels, rng.normal(size=n) + norm.ppf(auc) * np.sqrt(2) * labels
    )
    found = intervals.estimate(value, influence, labels, np.arange(n), pairs=True).intervals().at()
    return found.value, found.low, found.high


def record(corpus: str, model: str, value: float, low: float, high: float, **more: object) -> object:
    result = build("mirdemo.results.records", "mirdemo.results").Result
    return result(
        model=model,
        corpus=corpus,
        method="probe",
        protocol="live",
        metric=more.pop("metric", "roc_auc"),
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=0.9,
        source="measured",
        versions={"mirdemo": "0"},
        **more,
    )


def disparity(records: list) -> object:
    bias = build("mirdemo.results.bias", "mirdemo.bias")
    if not hasattr(bias, "Frame"):
        return bias.disparity(records, "m")
    return bias.disparity(records, "m", build("mirdemo.corpora.frames").STUDY)


def corpora_apart(collections: int) -> Iterator[Rate]:
    for truth, values in TRUTHS.items():
        for sizes, of in SIZES.items():
            rng, found = np.random.default_rng(1), []
            for _ in range(collections):
                rows = [
                    record(c, "m", *scored(rng, v, n)) for c, v, n in zip(CORPORA, values, of, strict=True)
                ]
                found.append(disparity(rows))
            cell, gap, ratio = f"{truth}, {sizes}", max(values) - min(values), min(values) / max(values)
            yield share(cell, "gap covers", [d.gap.low <= gap <= d.gap.high for d in found])
            yield share(cell, "ratio covers", [d.ratio.low <= ratio <= d.ratio.high for d in found])
            yield share(cell, "gap holds 0", [d.gap.low <= 0 for d in found])
            yield mean(cell, "gap's width", [d.gap.high - d.gap.low for d in found])


def parted(records: list) -> list[tuple[int, int]]:
    """Pairs of models that are told apart, best figure first."""
    names = [r.model for r in sorted(records, key=lambda r: -r.value)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    try:
        of = build("mirdemo.results.ranking").ranks(records)
        return [(a, b) for a, b in pairs if not set(of[a].letters) & set(of[b].letters)]
    except ImportError:
        of = build("mirdemo.results.bias", "mirdemo.bias").rank_classes(records)
        return [(a, b) for a, b in pairs if of[a] != of[b]]


def models_apart(collections: int) -> Iterator[Rate]:
    """Figures of ``n`` recordings with errors that models share to a degree; the last one perhaps truly worse."""
    keeps = "influences" in build("mirdemo.results.records", "mirdemo.results").Result.__dataclass_fields__
    z = norm.ppf(0.95)
    for shared, name in ((0.0, "other recordings"), (0.8, "same recordings")):
        for models in (2, 5, 12):
            for worse in (0.0, 0.05):
                # A paired difference of 0.05 is 2.75 standard errors, as in the audit.
                error = 0.05 / 2.75 / np.sqrt(2 * (1 - 0.8))
                rng, found = np.random.default_rng(2), []
                for _ in range(collections):
                    n = 120
                    own = np.sqrt(shared) * rng.normal(size=n) + np.sqrt(1 - shared) * rng.normal(
                        size=(models, n)
                    )
                    values = 0.85 + error * own.mean(1) * np.sqrt(n)
                    values[-1] -= worse
                    left = (own - own.mean(1, keepdims=True)) * error / np.sqrt(n)
                    reach = z * np.sqrt((left**2).sum(1))
                    pairing = [
                        {"influences": tuple(one.tolist()), "corpus_revision": "split-1", "split": "test"}
                        if keeps and shared
                        else {}
                        for one in left
                    ]
                    rows = [
                        record("lyra", f"m{i:02}", v, max(v - r, 0), min(v + r, 1), **more)
                        for i, (v, r, more) in enumerate(
                            zip(np.clip(values, 0, 1), reach, pairing, strict=True)
                        )
                    ]
                    found.append(parted(rows))
                cell = f"{models} models, {name}, " + ("last one .05 lower" if worse else "all equal")
                last = f"m{models - 1:02}"
                if worse:
                    yield share(cell, "first and last parted", [("m00", last) in pairs for pairs in found])
                else:
                    yield share(cell, "any two parted", [bool(pairs) for pairs in found])


def rarity(collections: int) -> Iterator[Rate]:
    """F1 of tags against the logarithm of their support: without relation, and with a correlation of .6."""
    for n in (10, 20, 40):
        for rho in (0.0, 0.6):
            rng, found = np.random.default_rng(3), []
            for _ in range(collections):
                x = rng.uniform(0.7, 2.7, n)
                y = rho * (x - 1.7) / np.std([0.7, 2.7]) * np.sqrt(3) + np.sqrt(1 - rho**2) * rng.normal(
                    size=n
                )
                rows = [
                    record("lyra", "m", float(v), v, v, metric="f1", tag=f"t{i}", setting={"support": 10**s})
                    for i, (s, v) in enumerate(zip(x, 0.5 + 0.1 * np.clip(y, -4.9, 4.9), strict=True))
                ]
                try:
                    trends = build("mirdemo.results.trends")
                    found += trends.trends(rows, build("mirdemo.corpora.frames").STUDY.traditions)
                except ImportError:
                    found += build("mirdemo.results.bias", "mirdemo.bias").trends(rows)
            cell = f"{n} tags, correlation {rho:g} with rarity"
            true = rho**2
            yield share(
                cell, "explained covers", [t.explained.low <= true <= t.explained.high for t in found]
            )
            yield share(cell, "slope leaves out 0", [not t.slope.low <= 0 <= t.slope.high for t in found])
            yield mean(cell, "explained minus truth", [t.explained.value - true for t in found])


def rates(collections: int) -> Iterator[Rate]:
    yield from corpora_apart(collections)
    yield from models_apart(collections)
    yield from rarity(collections)
