"""How good predicted tags are: F1, ROC-AUC and average precision with intervals over recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.scoring.intervals import Estimate, Interval, by_recording, estimate
from mirdemo.scoring.metrics import (
    average_precision_influence,
    chance_f1,
    macro,
    roc_auc_influence,
)
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, TOO_FEW, verdict
from mirdemo.stages.fewshot.pairs import PairsOut

#: How many times as large the variance over recordings is at one half where the same recordings have also taught: of
#: ROC-AUC, of average precision and F1 a tag, and of F1 over all decisions. Towards 0 and 1 it grows, for the figures are
#: those of a tagger made from two recordings fewer, which tells most where it hears well. Fitted to simulated collections
#: (``benchmarks/results/truth.md``; LC-Protonets): on other ones the intervals hold what the collection's own tagger
#: reaches in 91 to 98 % with 8 to 20 recordings, in the lowest cell 85 %.
TAUGHT_PAIRS, TAUGHT, TAUGHT_TOGETHER, TAUGHT_EASING = 2.0, 1.6, 1.25, -0.35

#: A figure of every tag, (n_tags,), and each clip's influence on it, (n_tags, n).
Moved = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TagScore:
    """One tag: how well it is given and ranked, and what that rests on.

    f1: of giving it; roc_auc: of ranking clips by it, None where no scores were given
    precision, recall: None where nothing was predicted, or nothing carries the tag
    clips, recordings: how many carry it; recordings_without: how many have a clip without it
    """

    tag: str
    f1: Interval
    roc_auc: Interval | None
    precision: float | None
    recall: float | None
    clips: int
    recordings: int
    recordings_without: int

    @property
    def verdict(self) -> str:
        """Whether the tag is heard, by the one scale of all stages (``mirdemo.scoring.verdicts``)."""
        if self.roc_auc is None or self.roc_auc.value is None:
            return TOO_FEW
        return verdict(self.roc_auc, None, self.recordings, self.recordings_without)

    def threshold_off(self, n_clips: int) -> bool:
        """Whether a tag that is heard is given no better than to every one of ``n_clips`` clips.

        The two figures then differ because ranking clips by a tag is not yet giving it at the right point.
        """
        heard = self.verdict in (HEARD, PARTLY_HEARD)
        return heard and self.f1.value is not None and self.f1.value <= float(chance_f1(self.clips, n_clips))


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
    ranked: tuple[Moved, Moved] | tuple[None, None] = (None, None)
    if scores is not None:
        given = np.asarray(scores).T
        ranked = roc_auc_influence(truth, given), average_precision_influence(truth, given)
    exact = float((truth == said).all(axis=0).mean())
    return _score(truth, said.astype(np.float64), ranked, np.asarray(recordings), tags, exact)


def score_pairs(
    labels: np.ndarray,
    pairs: PairsOut,
    predicted: np.ndarray,
    recordings: Sequence | np.ndarray,
    tags: Sequence[str],
) -> Score:
    """Score a support set by leaving its recordings out in pairs: 0/1 (n, n_tags), each clip's pairs -> Score.

    predicted: 0/1 (n, n_tags), tags given without a clip's own recording, for ``Score.exact`` alone. Clips are ranked
    against clips of their pairs; F1 counts the share of a clip's pairs in which it gets the tag. Intervals allow for
    the recordings having taught as well as tested.
    """
    labels = np.asarray(labels)
    ranked = _ranking(labels, pairs)
    exact = float((labels == predicted).all(axis=1).mean())
    return _score(labels.T, pairs.decided(labels).T, ranked, np.asarray(recordings), tags, exact, taught=True)


def f1_moved(truth: np.ndarray, said: np.ndarray) -> Moved:
    """F1 (...) and each clip's influence on it (..., n): 0/1 (..., n) against the share, 0 to 1, in which it is given.

    NaN where no clip has the tag.
    """
    hits, marks = truth * said, truth + said
    total = marks.sum(axis=-1, keepdims=True)
    known = np.asarray(truth).any(axis=-1, keepdims=True)
    value = np.divide(
        2 * hits.sum(axis=-1, keepdims=True), total, out=np.full(total.shape, np.nan), where=known
    )
    return value[..., 0], np.divide(
        2 * hits - value * marks, total, out=np.full(hits.shape, np.nan), where=known
    )


def taught_too(figure: Estimate) -> Estimate:
    """The same figure of each tag, as unsure as it is where the tested recordings are also those that taught."""
    return figure.unsurer(np.where(figure.among > 0, TAUGHT_PAIRS, TAUGHT), TAUGHT_EASING)


def _score(
    truth: np.ndarray,
    said: np.ndarray,
    ranked: tuple[Moved, Moved] | tuple[None, None],
    recordings: np.ndarray,
    tags: Sequence[str],
    exact: float,
    taught: bool = False,
) -> Score:
    """truth 0/1 (n_tags, n), said 0 to 1 (n_tags, n); ranked: ROC-AUC and average precision, or neither.

    taught: whether the same recordings have also taught
    """

    def over_recordings(moved: Moved, *, pairs: bool = False) -> Estimate:
        fixed = estimate(*moved, truth, recordings, pairs=pairs)
        return taught_too(fixed) if taught else fixed

    f1 = over_recordings(f1_moved(truth, said))
    auc = None if ranked[0] is None else over_recordings(ranked[0], pairs=True)
    precision = None if ranked[1] is None else over_recordings(ranked[1])
    together = np.ones(truth.size)
    everyone = np.tile(recordings, len(truth))
    given = (by_recording(truth, recordings) > 0).sum()
    micro = estimate(*f1_moved(truth.ravel(), said.ravel()), together, everyone, pairs=False).pooled(given)
    if taught:
        micro = micro.unsurer(TAUGHT_TOGETHER, TAUGHT_EASING)
    each, ranks = f1.intervals(), None if auc is None else auc.intervals()
    hits = (truth * said).sum(axis=1)
    rows = [
        TagScore(
            tag=str(tag),
            f1=each.at(j),
            roc_auc=None if ranks is None else ranks.at(j),
            precision=_share(hits[j], said[j].sum()),
            recall=_share(hits[j], truth[j].sum()),
            clips=int(truth[j].sum()),
            recordings=len(np.unique(recordings[truth[j] == 1])),
            recordings_without=len(np.unique(recordings[truth[j] == 0])),
        )
        for j, tag in enumerate(tags)
    ]
    return Score(
        macro_f1=f1.macro().intervals().at(),
        micro_f1=micro.intervals().at(),
        roc_auc=None if auc is None else auc.macro().intervals().at(),
        mean_average_precision=None if precision is None else precision.macro().intervals().at(),
        chance_macro_f1=float(macro(chance_f1(truth.sum(axis=1), truth.shape[1]))),
        exact=exact,
        tags=tuple(rows),
        n_clips=truth.shape[1],
        n_recordings=len(np.unique(recordings)),
    )


def _ranking(labels: np.ndarray, pairs: PairsOut) -> tuple[Moved, Moved]:
    """ROC-AUC and average precision of every tag with the clips' influences, from comparisons within pairs."""
    n, n_tags = labels.shape
    auc, precision = np.full((2, n_tags), np.nan)
    auc_moved, precision_moved = np.full((2, n_tags, n), np.nan)
    for tag in range(n_tags):
        has = np.flatnonzero(labels[:, tag] == 1)
        lacks = np.flatnonzero(labels[:, tag] == 0)
        if not len(has):
            continue
        ahead = pairs.above(tag, has, lacks)
        if len(lacks):
            auc[tag] = ahead.mean()
            auc_moved[tag, has] = (ahead.mean(axis=1) - auc[tag]) / len(has)
            auc_moved[tag, lacks] = (ahead.mean(axis=0) - auc[tag]) / len(lacks)
        # A clip's precision: of all others that fit the tag at least as well as it, how many have it. The others that have
        # it stand for it as well: were it counted itself, as where one ranking is asked for, few clips without any signal
        # would show far more than the tag's share, which is what a new collection shows then. Where nobody is ahead the best of the
        # others' stands for it.
        as_well = 1 - pairs.above(tag, has, has)
        np.fill_diagonal(as_well, 0.0 if len(has) > 1 else 1.0)
        as_well *= len(has) / max(len(has) - 1, 1)
        found = as_well.sum(axis=1)
        taken = found + (1 - ahead).sum(axis=1)
        known = taken > 0
        own = np.divide(found, taken, out=np.zeros_like(found), where=known)
        own[~known] = own[known].max() if known.any() else 1.0
        of_all = np.maximum(taken, 1e-9) ** 2
        precision[tag] = own.mean()
        precision_moved[tag, has] = (
            own - precision[tag] + (as_well * ((taken - found) / of_all)[:, None]).sum(axis=0)
        ) / len(has)
        precision_moved[tag, lacks] = -((1 - ahead) * (found / of_all)[:, None]).sum(axis=0) / len(has)
    return (auc, auc_moved), (precision, precision_moved)


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
