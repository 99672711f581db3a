"""How good predicted tags are: F1, ROC-AUC and average precision with intervals over recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import LEVEL, Interval, by_recording, estimate
from mirdemo.scoring.metrics import (
    average_precision_influence,
    chance_f1,
    f1_influence,
    macro,
    roc_auc_influence,
)

BOOTSTRAP = 2000
BOOTSTRAP_METHOD = "percentile bootstrap over recordings"


@dataclass(frozen=True)
class TagScore:
    """One tag: its F1, and what it rests on.

    precision, recall: None where nothing was predicted, or nothing carries the tag
    clips, recordings: how many carry it
    """

    tag: str
    f1: Interval
    precision: float | None
    recall: float | None
    clips: int
    recordings: int


@dataclass(frozen=True)
class Score:
    """Predictions against labels.

    macro_f1: mean over the tags that any clip carries; micro_f1: all decisions together
    roc_auc, mean_average_precision: from scores, macro over tags; None where no scores were given
    chance_macro_f1: of giving every tag to every clip
    exact: share of clips whose predicted tag set is right as a whole
    """

    macro_f1: Interval
    micro_f1: Interval
    roc_auc: Interval | None
    mean_average_precision: Interval | None
    chance_macro_f1: float
    exact: float
    tags: tuple[TagScore, ...]
    n_clips: int
    n_recordings: int


def score(
    labels: np.ndarray,
    predicted: np.ndarray,
    recordings: Sequence | np.ndarray,
    tags: Sequence[str],
    scores: np.ndarray | None = None,
) -> Score:
    """Score predictions, 0/1 (n, n_tags) against 0/1 (n, n_tags), clips of one recording kept together.

    scores: float (n, n_tags) for ROC-AUC and average precision.
    """
    truth, said = np.asarray(labels).T, np.asarray(predicted).T
    recordings = np.asarray(recordings)
    values, influence = f1_influence(truth, said)
    estimates = estimate(values, influence, truth, recordings, pairs=False)
    each = estimates.intervals()
    hits = (truth * said).sum(axis=1)
    rows = []
    for j, tag in enumerate(tags):
        rows.append(
            TagScore(
                tag=str(tag),
                f1=each.at(j),
                precision=_share(hits[j], said[j].sum()),
                recall=_share(hits[j], truth[j].sum()),
                clips=int(truth[j].sum()),
                recordings=len(np.unique(recordings[truth[j] == 1])),
            )
        )
    ranking = [None, None]
    if scores is not None:
        for k, measure in enumerate((roc_auc_influence, average_precision_influence)):
            value, moved = measure(truth, np.asarray(scores).T)
            ranking[k] = estimate(value, moved, truth, recordings, pairs=k == 0).macro().intervals().at()
    return Score(
        macro_f1=estimates.macro().intervals().at(),
        micro_f1=micro_interval(truth, said, recordings),
        roc_auc=ranking[0],
        mean_average_precision=ranking[1],
        chance_macro_f1=float(macro(chance_f1(truth.sum(axis=1), truth.shape[1]))),
        exact=float((truth == said).all(axis=0).mean()),
        tags=tuple(rows),
        n_clips=truth.shape[1],
        n_recordings=len(np.unique(recordings)),
    )


def micro_interval(truth: np.ndarray, said: np.ndarray, recordings: np.ndarray, seed: int = 0) -> Interval:
    """Micro F1 of 0/1 (n_tags, n) against 0/1 (n_tags, n), with a percentile bootstrap over recordings.

    No interval below five recordings, and no value where nothing is carried.
    """
    counts = np.stack([(truth * said).sum(axis=0), truth.sum(axis=0) + said.sum(axis=0)]).astype(np.float64)
    hits, marks = by_recording(counts, recordings)
    n = len(hits)
    if not truth.any():
        return Interval(None, None, None, n, LEVEL, BOOTSTRAP_METHOD)
    value = float(2 * hits.sum() / marks.sum())
    if n < 5:
        return Interval(value, None, None, n, LEVEL, BOOTSTRAP_METHOD)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=BOOTSTRAP)
    f1 = 2 * (draws @ hits) / np.maximum(draws @ marks, 1)
    low, high = np.quantile(f1, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), n, LEVEL, BOOTSTRAP_METHOD)


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
