"""Metrics, intervals, limits, folds and verdicts of stated data are what they were on 1 December 2026.

``PYTHONPATH=.:tests python tests/scoring/test_scoring_as_it_was.py`` writes ``scoring_as_it_was.json`` anew. The methods behind them
are held against independent ones in the files beside this; here every constant and every edge between few and many is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered

from mirdemo.scoring import (
    agreement,
    folds,
    intervals,
    lines,
    metrics,
    permutation,
    shares,
    variances,
    verdicts,
)
from mirdemo.scoring import simultaneous as together
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.labelling import Labelling, same_division

FILE = Path(__file__).with_name("scoring_as_it_was.json")


def scored(
    n: int = 24, tags: int = 4, clips: int = 2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and scores (n_tags, n_clips), some scores equal, one tag always there, and recordings."""
    rng = np.random.default_rng(seed)
    labels = rng.random((tags, n)) < np.linspace(0.2, 0.7, tags)[:, None]
    scores = np.round(0.5 * labels + rng.random((tags, n)), 1)
    labels[-1] = True
    return labels.astype(np.uint8), np.clip(scores, 0, 1), np.arange(n) // clips


def figures() -> Any:
    labels, scores, recordings = scored()
    made = {}
    for name, pairs in (("roc_auc", True), ("average_precision", False), ("f1", False)):
        value, influence = getattr(metrics, f"{name}_influence")(labels, scores)
        made[name] = intervals.estimate(value, influence, labels, recordings, pairs=pairs)
    value, influence = metrics.micro_f1_influence(labels, scores)
    micro = intervals.estimate(value, influence, labels.max(0), recordings, pairs=False)
    once = {name: one.trained_again(5) for name, one in made.items()}
    often = {name: one.trained_again(4, draws=10) for name, one in made.items()}
    other = intervals.estimate(
        *metrics.roc_auc_influence(labels, scores[:, ::-1]), labels, recordings, pairs=True
    )
    return {
        "own": [one.intervals() for one in made.values()],
        "macro": [one.macro().intervals(0.8) for one in made.values()],
        "once": [one.intervals() for one in once.values()],
        "often": [one.macro().intervals() for one in often.values()],
        "micro": [micro.intervals(), micro.pooled([9, 1]).intervals()],
        "paired": [intervals.difference(made["roc_auc"], other, level) for level in (0.5, 0.9)],
        "trained": [
            intervals.difference(once[name], again, 0.9, apart=apart)
            for apart in (False, True)
            for name, again in (("roc_auc", other.trained_again(5)), ("f1", often["f1"]))
        ],
        "best": [
            intervals.best_interval(a, b, draws) for a, b, draws in ((3, 3, 1), (3, 9, 10), (20, 40, 30))
        ],
        "apart": [
            intervals.trained_apart([0.2, 0.5, 0.9], ranks, n) for ranks in (True, False) for n in (8, 20, 60)
        ],
        "chance": [
            metrics.chance_average_precision([1, 3, 12, 24], 24),
            metrics.chance_f1([0, 3, 12, 24], 24),
        ],
        "signed": [intervals.signed(x) for x in (0.004, -0.004, 0.005, 0.056, -0.3, 1)],
        "whole": [
            metrics.macro(made["f1"].value),
            metrics.micro_f1(labels, scores, 0.7),
            metrics.f1(labels, scores, 0.3),
        ],
    }


def limits() -> Any:
    rng = np.random.default_rng(1)
    values = np.array([0.5, 0.62, 0.64, 0.8, 0.79])
    influence = 0.02 * rng.standard_normal((5, 9))
    alone = together.Independent(
        values, values - 0.05, values + np.array([0.1, 0.02, 0.05, 0.04, 0.3]), np.full(5, 0.9)
    )
    paired = together.Paired(values, influence - influence.mean(1, keepdims=True))
    return {
        "quantile": [together.quantile(level) for level in (0.5, 0.9, 0.95)],
        "gaps": [together.gap_limits(one) for one in (alone, paired)],
        "ratio": together.ratio_limits(alone),
        "better": [together.better(one).astype(int) for one in (alone, paired)],
        "ranks": [together.rank_ranges(together.better(one)) for one in (alone, paired)],
        "letters": [together.letters(together.better(one), values) for one in (alone, paired)],
        "many": together.letters(np.triu(np.ones((60, 60), bool), 1), -np.arange(60.0)),
    }


def words() -> Any:
    rng = np.random.default_rng(2)
    p = [0.0, 0.0299, 0.03, 0.0499, 0.05, 0.2, None]
    aucs = [
        Interval(value, value - low, min(1.0, value + 0.1), 20)
        for value, low in (
            (0.9, 0.15),
            (0.9, 0.1501),
            (0.6, 0.05),
            (0.5, 0.1),
            (0.4, 0.1),
            (0.65, 0.1),
            (0.64, 0.1),
        )
    ]
    sides = ((3, 3), (2, 9), (9, 2), (6, 6))
    spelled = [[verdicts.verdict(auc, one, *side) for side in sides for one in p] for auc in aucs]
    paged = verdicts.page(aucs, p, [6] * 7, [6] * 7)
    counts = [(a, b) for a in (2, 3, 4, 5, 8) for b in (2, 3, 5, 12)]
    return {
        "spelled": spelled,
        "page": paged,
        "by chance": verdicts.by_chance(paged[0], p),
        "corrected": verdicts.corrected(np.append(rng.random(6) ** 3, np.nan)),
        "best possible": [
            [verdicts.best_possible(a, b, whole) for whole in (True, False)] for a, b in counts
        ],
        "more": [
            [verdicts.more_for(word, a, b, whole) for word in verdicts.SCALE for whole in (True, False)]
            for a, b in counts[::3]
        ],
        "rule": str(verdicts.RULE),
    }


def divided() -> Any:
    rng = np.random.default_rng(3)
    recordings = np.repeat(np.arange(14), rng.integers(1, 4, 14))
    labels = (rng.random((len(recordings), 3)) < (0.15, 0.4, 0.6)).astype(np.uint8)
    made = Labelling.of(labels, recordings, ["c", "a", "b"], recordings // 3)
    keys = [f"{i * 7919 % 101}" for i in range(len(recordings))]
    drawn = [folds.content_folds(recordings, keys, 3, draw) for draw in range(4)]
    return {
        "order": folds.content_order(recordings // 2, recordings, keys),
        "seed": folds.content_seed(keys),
        "content": drawn,
        "complete": folds.most_complete(drawn, labels),
        "dealt": [
            [test for _, test in folds.recording_folds(recordings, labels, n, seed)]
            for n, seed in ((2, 0), (5, 1), (14, 2))
        ],
        "held out": [folds.hold_out(recordings, labels, share, 0)[1] for share in (0.01, 0.2, 0.5, 0.99)],
        "same": [
            same_division(*pair) for pair in (("aab", "xxy"), ("aab", "xyy"), ("aa", "xy"), ("ab", "xx"))
        ],
        "labelling": [made, made.having, made.lacking, made.one_sided],
    }


def rest() -> Any:
    rng = np.random.default_rng(4)
    x = rng.random(9)
    y = 0.4 + 0.3 * x + 0.1 * rng.standard_normal(9)
    line = lines.fit(x, y)  # what scipy's bootstrap draws is its own affair
    hits, counts, groups = np.array([3, 0, 5, 2, 8]), np.array([4, 3, 6, 2, 9]), np.array([0, 0, 1, 2, 3])
    labels, scores, recordings = scored(20, clips=2, seed=5)
    smoother = rng.random((2, 20, 20))
    heard = np.where(rng.random((3, 12)) < 0.2, np.nan, rng.random((3, 12)) < 0.6)
    units = agreement.Units(heard, np.arange(12) // 2)
    parts = [
        variances.PairedDifference(weight, 0.1 * weight, 0.01 * rng.standard_normal(6 + i), draws, trained)
        for i, (weight, draws, trained) in enumerate(((1.0, None, 1.0), (-0.5, rng.random(4), 1.4)))
    ]
    drawn = np.random.default_rng
    return {
        "alpha": [agreement.alpha(units), agreement.alpha(agreement.Units(heard[:2], np.arange(12)), 0.5)],
        "agreement": [
            agreement.difference(units, agreement.Units.paired_with(heard[0], heard[1:], units.groups)),
            units.disagreement(),
            units.expected(),
        ],
        "added": [
            variances.contrast(parts),
            variances.contrast(parts[:1], 0.5),
            variances.added(0.98, [(0.01, 3), (0.02, 9)], 7, method="m"),
            variances.added(0.5, [(0.0, 3)], 7, method="m"),
            variances.added(0.5, [], 7, method="m"),
        ],
        "exchanged": [
            permutation.exchange(recordings, 4, drawn(0)),
            permutation.exchange(recordings, 4, drawn(0), recordings // 3),
            permutation.exchange(np.array([0, 0, 0, 1, 2, 2]), 4, drawn(1)),
        ],
        "refitted": permutation.refit_test(smoother, labels.T, recordings, 20, drawn(2)),
        "fixed": permutation.fixed_test(scores[None, None], labels.T, recordings, 20, drawn(3)),
        "one layer": permutation.permuted_auc(
            lambda rows: rows @ smoother[0], labels.T, permutation.exchange(recordings, 5, drawn(4))
        ),
        "line": [line.slope, line.centre, line.explained.value],
        "share": [
            shares.share(*one, unit="listeners") for one in ((hits, counts, groups), (counts, counts, groups))
        ],
        "median": [
            shares.median(values, groups, unit="clips") for values in ([1, 5, 2, 8, 3], [2, 2, 2, 2, 2])
        ],
        "p": permutation.p_values(np.array([[0.7, 0.5], [0.6, np.nan]]), rng.random((30, 2, 2))),
    }


CASES: dict[str, Callable[[], Any]] = {
    "figures": figures,
    "limits": limits,
    "words": words,
    "divided": divided,
    "rest": rest,
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_scored_is_what_it_was(name: str):
    """Critical values are of seeded draws along eigenvectors, whose signs are another library's: 2 % are let pass."""
    remembered.hold(CASES[name](), remembered.kept(FILE)[name], rel=0.02 if name == "limits" else 1e-6)


if __name__ == "__main__":
    remembered.write(FILE, {name: make() for name, make in CASES.items()})
