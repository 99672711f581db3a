"""N-way K-shot episodes: how support sets are drawn, and how good a method is over several of them.

The published way (arXiv 2409.11264 and its code, github.com/pxaris/LC-Protonets, commit 452854c): one episode a
seed, the first N tags of a fixed list, a support set drawn from the test split, and every other item of that
split as a query; items without any of the N tags take no part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import LEVEL, Interval, by_recording
from mirdemo.stages.fewshot.errors import (
    FewShotError,
    check_embeddings,
    check_labels,
    check_recordings,
    check_tags,
)
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import LCPrototypes

Sampler = Literal["published", "exact"]
Kind = Literal["base", "novel", "both"]
Protocol = Literal["lcprotonets2024", "papaioannou2025", "live"]

#: The five seeds of the published code's runs.
PUBLISHED_SEEDS = (3, 4, 7, 13, 21)
BOOTSTRAP = 1000


def choose_tags(base: Sequence[str], novel: Sequence[str], n_way: int, kind: Kind) -> tuple[str, ...]:
    """The N tags of an episode, as published: the first of the base tags, of the novel ones, or of both.

    ``both`` takes all base tags and then novel ones; where N is below the number of base tags, N // 2 base
    tags and the rest novel ones. Raises FewShotError if there are fewer than N.
    """
    if kind == "base":
        chosen = [*base][:n_way]
    elif kind == "novel":
        chosen = [*novel][:n_way]
    elif n_way >= len(base):
        chosen = [*base, *novel][:n_way]
    else:
        chosen = [*base[: n_way // 2], *novel[: n_way - n_way // 2]]
    if len(chosen) < n_way or n_way < 1:
        raise FewShotError(
            "There are {have} {kind} tags, not {want}. Choose fewer.",
            code="fewshot.too_few_tags",
            have=len(chosen),
            kind=kind,
            want=n_way,
        )
    return tuple(chosen)


def draw_support(
    labels: np.ndarray, k_shot: int, rng: np.random.Generator, sampler: Sampler = "published"
) -> np.ndarray:
    """Rows of a support set with K items a tag: 0/1 (n, n_tags) -> sorted int64 rows, each once.

    ``"published"``: tags in random order; for each, as many items as are still missing to K are drawn from all
    that carry it, those already drawn among them, and every tag an item brings is counted. An item that is
    drawn again is counted again but is there only once, so some tags end with fewer than K.
    ``"exact"``: only items not yet drawn are drawn, so every tag has K distinct items, if it has as many at
    all; then items that no tag needs are taken out again, in random order. A tag may still have more than K,
    because items bring several.

    In both a tag with fewer than K items gives all it has (the published code stops there).
    """
    counts = np.zeros(labels.shape[1], np.int64)
    drawn = np.zeros(len(labels), bool)
    for tag in rng.permutation(labels.shape[1]):
        pool = np.flatnonzero(labels[:, tag] & ~drawn if sampler == "exact" else labels[:, tag])
        missing = min(max(0, k_shot - counts[tag]), len(pool))
        items = rng.choice(pool, missing, replace=False) if missing else np.zeros(0, np.int64)
        drawn[items] = True
        counts += labels[items].sum(axis=0, dtype=np.int64)
    if sampler == "exact":
        for item in rng.permutation(np.flatnonzero(drawn)):
            carried = labels[item] == 1
            if (counts[carried] > k_shot).all():
                drawn[item] = False
                counts -= labels[item]
    return np.flatnonzero(drawn)


@dataclass(frozen=True, eq=False)
class Episode:
    """One support set and what came of it.

    support: int64 rows; shots: int64 (n_tags,), how many support items each tag has
    macro_f1, micro_f1: fractions; tag_f1: float64 (n_tags,), NaN for a tag that no query carries
    prototypes: number of prototypes the method holds, None if it holds none
    """

    seed: int
    support: np.ndarray
    shots: np.ndarray
    macro_f1: float
    micro_f1: float
    tag_f1: np.ndarray
    n_query: int
    mean_true_tags: float
    mean_predicted_tags: float
    prototypes: int | None


@dataclass(frozen=True)
class EpisodeReport:
    """A method's F1 over episodes.

    macro_f1, micro_f1: mean over episodes with a t interval over them (how much the draw matters)
    macro_f1_recordings, micro_f1_recordings: the same means with a percentile bootstrap over recordings, drawn
        jointly for all episodes (how much the corpus matters)
    tag_f1: mean over episodes, one a tag, t interval over the episodes whose queries carry it
    absent_tags: ``"zero"`` if a tag that no query carries counts as 0 in macro F1 (published), ``"left out"``
    """

    method: str
    protocol: Protocol
    kind: Kind
    sampler: Sampler
    absent_tags: str
    n_way: int
    k_shot: int
    tags: tuple[str, ...]
    episodes: tuple[Episode, ...]
    macro_f1: Interval
    micro_f1: Interval
    macro_f1_recordings: Interval
    micro_f1_recordings: Interval
    tag_f1: tuple[Interval, ...]
    n_items: int
    n_recordings: int
    seconds: float


def evaluate_episodes(
    embeddings: np.ndarray,
    labels: np.ndarray,
    tags: Sequence[str],
    recordings: Sequence | np.ndarray | None = None,
    *,
    make: Callable[[], FewShotMethod] = LCPrototypes.published,
    base: Sequence[str] | None = None,
    novel: Sequence[str] = (),
    kind: Kind = "base",
    n_way: int | None = None,
    k_shot: int = 3,
    protocol: Protocol = "lcprotonets2024",
    seeds: Sequence[int] = PUBLISHED_SEEDS,
    progress: Progress = silent,
) -> EpisodeReport:
    """Evaluate a method on one episode a seed.

    embeddings: (n, dim); labels: 0/1 (n, n_tags); tags: their names; recordings: (n,), None: each its own.
    base, novel: tag lists in published order; base None: all tags. n_way None: all of ``kind``.
    protocol: ``"lcprotonets2024"``, the published sampler. ``"papaioannou2025"``: the same, five seeds being
        that paper's; its N and K are not known to us, so K = 3 and N = all are the earlier paper's and ours.
        ``"live"``: the exact sampler.
    A query whose recording is in the support set is left out (ours: published items are whole recordings).
    With the published sampler a tag that no query carries counts as 0, as in the published macro F1; with
    the exact one it is left out of it.

    Raises FewShotError if a tag name is unknown, if there are fewer tags than N, or if no query is left.
    """
    started = time.perf_counter()
    rows = check_embeddings(embeddings)
    table = check_labels(labels, len(rows))
    names = check_tags(tags, table.shape[1])
    base = names if base is None else tuple(base)
    available = {"base": len(base), "novel": len(novel), "both": len(base) + len(novel)}[kind]
    chosen = choose_tags(base, novel, available if n_way is None else n_way, kind)
    missing = [tag for tag in chosen if tag not in names]
    if missing:
        raise FewShotError(
            "The labels have no tag named {tag}. Check the tag lists.",
            code="fewshot.unknown_tag",
            tag=missing[0],
        )
    table = table[:, [names.index(tag) for tag in chosen]]
    takes_part = table.any(axis=1)
    rows, table = rows[takes_part], table[takes_part]
    codes = check_recordings(recordings, len(takes_part))[takes_part]
    sampler: Sampler = "exact" if protocol == "live" else "published"
    absent = "zero" if sampler == "published" else "left out"

    episodes, outcomes = [], []
    for done, seed in enumerate(seeds):
        progress(done, len(seeds), "episodes")
        support = draw_support(table, k_shot, np.random.default_rng(seed), sampler)
        query = np.flatnonzero(~np.isin(codes, codes[support]))
        if not len(query):
            raise FewShotError(
                "Every clip is in the support set, so none is left to test on. Add clips or lower K.",
                code="fewshot.no_query",
            )
        method = make().fit(rows[support], table[support], codes[support], chosen)
        predicted = method.predict(rows[query])
        counts = np.zeros((3, len(chosen), len(rows)))  # hits, true, predicted, one column an item
        counts[:, :, query] = np.stack([table[query] * predicted, table[query], predicted]).transpose(0, 2, 1)
        outcomes.append(by_recording(counts, codes))
        totals = counts.sum(axis=2)
        held = getattr(method, "prototypes", None)
        episodes.append(
            Episode(
                seed=int(seed),
                support=np.flatnonzero(takes_part)[support],
                shots=table[support].sum(axis=0, dtype=np.int64),
                macro_f1=float(_macro(totals, absent)),
                micro_f1=float(_micro(totals)),
                tag_f1=_f1(totals),
                n_query=len(query),
                mean_true_tags=float(table[query].sum(axis=1).mean()),
                mean_predicted_tags=float(predicted.sum(axis=1).mean()),
                prototypes=None if held is None else len(held),
            )
        )
    progress(len(seeds), len(seeds), "episodes")

    outcome = np.stack(outcomes)  # (episodes, 3, tags, recordings)
    n_recordings = outcome.shape[-1]
    draws = np.random.default_rng(0).multinomial(
        n_recordings, np.full(n_recordings, 1 / n_recordings), size=BOOTSTRAP
    )
    drawn = outcome @ draws.T.astype(np.float64)  # (episodes, 3, tags, draws)
    drawn = np.moveaxis(drawn, -1, 0)
    macro, micro = [e.macro_f1 for e in episodes], [e.micro_f1 for e in episodes]
    of_tags = np.stack([e.tag_f1 for e in episodes])
    return EpisodeReport(
        method=method.name,
        protocol=protocol,
        kind=kind,
        sampler=sampler,
        absent_tags=absent,
        n_way=len(chosen),
        k_shot=k_shot,
        tags=chosen,
        episodes=tuple(episodes),
        macro_f1=over_episodes(macro),
        micro_f1=over_episodes(micro),
        macro_f1_recordings=_over_recordings(
            np.mean(macro), _macro(drawn, absent).mean(axis=1), n_recordings
        ),
        micro_f1_recordings=_over_recordings(np.mean(micro), _micro(drawn).mean(axis=1), n_recordings),
        tag_f1=tuple(over_episodes(column[np.isfinite(column)]) for column in of_tags.T),
        n_items=len(rows),
        n_recordings=n_recordings,
        seconds=time.perf_counter() - started,
    )


def over_episodes(values: Sequence[float] | np.ndarray) -> Interval:
    """The mean of one figure an episode with a t interval, clipped to 0..1; no interval below three episodes."""
    from scipy.special import stdtrit

    values = np.asarray(values, np.float64)
    n, method = len(values), "t over episodes"
    if not n:
        return Interval(None, None, None, 0, LEVEL, method, "episodes")
    mean = float(values.mean())
    if n < 3:
        return Interval(mean, None, None, n, LEVEL, method, "episodes")
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, max(0.0, mean - reach), min(1.0, mean + reach), n, LEVEL, method, "episodes")


def _over_recordings(value: float, draws: np.ndarray, n: int) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    method = "percentile bootstrap over recordings"
    return Interval(float(value), float(min(low, value)), float(max(high, value)), n, LEVEL, method)


def _f1(counts: np.ndarray) -> np.ndarray:
    """F1 of (..., 3, tags) counts of hits, true, predicted; NaN for a tag that nothing carries."""
    hits, true, said = counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]
    return np.divide(2 * hits, true + said, out=np.full(hits.shape, np.nan), where=true > 0)


def _macro(counts: np.ndarray, absent: str) -> np.ndarray:
    f1 = _f1(counts)
    known = np.isfinite(f1)
    of = f1.shape[-1] if absent == "zero" else np.maximum(known.sum(axis=-1), 1)
    return np.where(known, f1, 0).sum(axis=-1) / of


def _micro(counts: np.ndarray) -> np.ndarray:
    totals = counts.sum(axis=-1)
    return 2 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1)
