"""In words: is a tag heard? One rule and one scale for all stages, also for a whole page of tags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import LEVEL, Interval, best_interval

HEARD, PARTLY_HEARD, PERHAPS_HEARD = "heard", "partly_heard", "perhaps_heard"
NOT_HEARD, TOO_FEW = "not_heard", "too_few"
#: From best to worst, so that two words can be compared by their place; what cannot be said stands last.
SCALE = (HEARD, PARTLY_HEARD, PERHAPS_HEARD, NOT_HEARD, TOO_FEW)

#: The lower end of the interval from which a tag is heard; the p-value under which it is better than chance; and the one
#: under which it is perhaps, and never too little to say anything.
HEARD_FROM = 0.75
ALPHA = 0.03
PERHAPS = 0.05
#: The share of tags called heard or partly heard on a page that may be so by chance.
FALSE_SHARE = 0.10
#: With fewer recordings that have the tag, or that do not, there is nothing to say.
FEWEST_RECORDINGS = 3
#: Draws of the folds behind a live figure, at least, for what is the best that could come out.
LIVE_DRAWS = 10
#: ``more_for`` looks no further than this.
MOST_MORE = 60

#: The rule, for the page to show.
RULE = Sentence(
    "Heard: better than chance (p under {alpha}, corrected for the number of tags on the page) and the whole interval of "
    "ROC-AUC from {heard} up. Partly heard: better than chance, but the interval begins lower. Perhaps heard: better than "
    "chance by itself (p under {perhaps}), but not surely enough, or not for one of so many tags. Not heard: not better "
    "than chance, and the whole interval lies under {heard}. Too few recordings to say: fewer than {fewest} recordings with "
    "the tag or without it, or not better than chance though the interval reaches {heard}.",
    "probing.rule",
    {"alpha": ALPHA, "perhaps": PERHAPS, "heard": HEARD_FROM, "fewest": FEWEST_RECORDINGS},
)

WORDS = {
    HEARD: Sentence("heard", "probing.heard"),
    PARTLY_HEARD: Sentence("partly heard", "probing.partly_heard"),
    PERHAPS_HEARD: Sentence("perhaps heard", "probing.perhaps_heard"),
    NOT_HEARD: Sentence("not heard", "probing.not_heard"),
    TOO_FEW: Sentence("too few recordings to say", "probing.too_few"),
}


def verdict(
    auc: Interval, p_value: float | None, with_tag: int, without_tag: int, alone: float | None = None
) -> str:
    """One of the five codes, by ``RULE``.

    auc: ROC-AUC with its interval
    p_value: of the permutation test, corrected for the choice among layers and, on a page of tags, by ``corrected``;
        None if it was not made: then the interval has to lie above one half
    with_tag, without_tag: numbers of recordings
    alone: the p-value before ``corrected``, where that was done
    Such a p-value under ``PERHAPS`` never reads "too few" but for fewer than ``FEWEST_RECORDINGS`` on a side.
    """
    value, low, high = auc.value, auc.low, auc.high
    if min(with_tag, without_tag) < FEWEST_RECORDINGS or value is None or low is None or high is None:
        return TOO_FEW
    beyond_chance = low > 0.5 if p_value is None else p_value < ALPHA
    by_itself = p_value if alone is None else alone
    if beyond_chance and value > 0.5:
        return HEARD if low >= HEARD_FROM else PARTLY_HEARD
    if by_itself is not None and by_itself < PERHAPS:
        return PERHAPS_HEARD if value > 0.5 else NOT_HEARD
    return NOT_HEARD if high < HEARD_FROM or beyond_chance else TOO_FEW


def corrected(p_values: ArrayLike) -> np.ndarray:
    """p-values of a page's tags (n_tags,) made so that those under ``ALPHA`` are what the page as a whole allows.

    Benjamini and Hochberg (1995): of the tags that come out under it at most ``FALSE_SHARE`` are there by chance, in the
    mean; and each by itself is under ``ALPHA`` too. NaN (not tested) stays and does not count. One tag keeps its p-value.
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    rising = p[order] * len(order) / np.arange(1, len(order) + 1)
    shares = np.minimum.accumulate(rising[::-1])[::-1]
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(np.maximum(p[order], shares * ALPHA / FALSE_SHARE), 1)
    return found


def page(
    aucs: Sequence[Interval],
    p_values: Sequence[float | None],
    with_tag: Sequence[int],
    without_tag: Sequence[int],
) -> tuple[tuple[str, ...], tuple[float | None, ...]]:
    """The words of all tags that are shown together, and their p-values as ``corrected`` makes them (None: not tested).

    One entry a tag in each argument, as ``verdict`` takes them.
    """
    raw = np.array([np.nan if p is None else p for p in p_values], dtype=np.float64)
    paged = tuple(float(p) if np.isfinite(p) else None for p in corrected(raw))
    return tuple(map(verdict, aucs, paged, with_tag, without_tag, p_values)), paged


def by_chance(words: Sequence[str], p_values: Sequence[float | None]) -> float:
    """How many of a page's tags that are heard or partly heard are so by chance, in the mean, at most.

    p_values: as tested, before ``corrected``. As many tags as were tested, times the largest p-value that was let in.
    """
    found = [p for word, p in zip(words, p_values, strict=True) if word in (HEARD, PARTLY_HEARD)]
    tested = sum(p is not None for p in p_values)
    return min(tested * max((p for p in found if p is not None), default=0.0), float(len(found)))


@cache
def best_possible(with_tag: int, without_tag: int, whole: bool = True, level: float = LEVEL) -> str:
    """The best word that so many recordings allow, however well a tag is heard.

    That of a ranking without an error, one clip a recording, by the live probe's own interval; and where recordings are
    ``whole``, with the tag on all their clips or on none, there must be so many ways to hand the tag out that the right one
    can be told from chance (3 of 6: one in 20, and a p-value under 0.05 is asked for).
    """
    if min(with_tag, without_tag) < FEWEST_RECORDINGS:
        return TOO_FEW
    auc = best_interval(with_tag, without_tag, LIVE_DRAWS, level)
    p_value = 1 / math.comb(with_tag + without_tag, with_tag) if whole else 0.0
    return verdict(auc, p_value, with_tag, without_tag)


@cache
def more_for(
    word: str, with_tag: int, without_tag: int, whole: bool = True, level: float = LEVEL
) -> tuple[int, int] | None:
    """How many more recordings, with the tag and without it, allow at least ``word``: the fewest together.

    (0, 0) where they do already; None if ``MOST_MORE`` do not. Between equals the more even collection.
    """
    wanted = SCALE.index(word)
    for more in range(MOST_MORE + 1):
        splits = sorted(range(more + 1), key=lambda a: abs(with_tag + a - (without_tag + more - a)))
        for having in splits:
            best = best_possible(with_tag + having, without_tag + more - having, whole, level)
            if SCALE.index(best) <= wanted:
                return having, more - having
    return None
