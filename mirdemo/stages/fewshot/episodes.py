"""N-way K-shot episodes: how support sets are drawn, and how good a method is over several of them.

The published way (arXiv 2409.11264 and its code, github.com/pxaris/LC-Protonets, commit 452854c): one episode a
seed, the first N tags of a fixed list, a support set drawn from the test split, and every other item of that
split as a query; items without any of the N tags take no part.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import Interval, by_recording
from mirdemo.scoring.variances import added
from mirdemo.stages.fewshot.errors import (
    FewShotError,
    check_embeddings,
    check_labelling,
)
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import LCPrototypes

Sampler = Literal["published", "exact", "reference"]
Kind = Literal["base", "novel", "both"]
Protocol = Literal["lcprotonets2024", "papaioannou2025", "live"]

#: The five seeds of the published code's runs, and the one of the run whose figures were published.
PUBLISHED_SEEDS = (3, 4, 7, 13, 21)
PUBLISHED_RUN = (21,)
METHOD = "t, over episodes and recordings"


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
    if n_way < 1:
        raise FewShotError(
            "No tag counts as {kind}, so there are no episodes. Say which tags do, or choose other ones.",
            code="fewshot.no_tags_of_kind",
            kind=kind,
        )
    if len(chosen) < n_way:
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


def reference_support(labels: np.ndarray, k_shot: int, seed: int) -> np.ndarray:
    """The very support set that the published code draws with a seed: 0/1 (n, n_tags) -> sorted int64 rows.

    labels: of the items that have one of the tags, in the order of the published split. It follows the code's steps with
    Python's own generator: tags in random order, each tag's items in the order in which CPython keeps a set of small
    integers. Checked: 17 of 17 published episodes of Lyra and FMA-medium have the published numbers of support items,
    queries and label combinations (base, novel, both; 5 to 60 tags; seed 21). A tag with fewer than K items gives all.
    """
    rng = random.Random(seed)
    carriers: dict[int, set[int]] = {}
    for row, carried in enumerate(labels):
        for tag in np.flatnonzero(carried).tolist():
            carriers.setdefault(tag, set()).add(row)
    everything = set(range(len(labels)))
    counts = dict.fromkeys(rng.sample(tuple(carriers), len(carriers)), 0)
    support: set[int] = set()
    for tag in [*counts]:
        pool = tuple(carriers[tag] & everything)
        missing = min(k_shot - counts[tag], len(pool))
        if missing > 0:
            drawn = rng.sample(pool, missing)
            support.update(drawn)
            for other in np.flatnonzero(labels[drawn].sum(axis=0)).tolist():
                counts[other] += int(labels[drawn, other].sum())
    return np.array(sorted(support), np.int64)


@dataclass(frozen=True, eq=False)
class Episode:
    """One support set and what came of it.

    support: int64 rows; shots: int64 (n_tags,), how many support items each tag has; where every recording was held out in
        turn, of all the support sets one after the other: ``supports`` of them
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
    supports: int = 1


@dataclass(frozen=True)
class EpisodeReport:
    """A method's F1 over episodes.

    macro_f1, micro_f1: mean over episodes. The interval allows for both: how much the draw of the support sets matters,
        and how much the corpus does (each recording's influence on the mean); the two variances are added
    tag_f1: the same, one a tag, over the episodes whose queries carry it
    influences: of ``macro_f1`` and ``micro_f1``, float64 (n_recordings,), what each of those recordings adds to the error of the
        mean over episodes, in the order of their names. The draws add to it what the episodes' figures spread by
    n_items: that have one of the tags, those of the support sets too
    n_recordings: that were a query in an episode at least, which is the n of every interval
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
    tag_f1: tuple[Interval, ...]
    n_items: int
    n_recordings: int
    influences: Mapping[str, np.ndarray]
    seconds: float
    in_turn: bool = False


def evaluate_episodes(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None = None,
    tags: Sequence[str] | None = None,
    *,
    make: Callable[[], FewShotMethod] = LCPrototypes.published,
    base: Sequence[str] | None = None,
    novel: Sequence[str] = (),
    kind: Kind = "base",
    n_way: int | None = None,
    k_shot: int = 3,
    protocol: Protocol = "lcprotonets2024",
    seeds: Sequence[int] = PUBLISHED_SEEDS,
    in_turn: bool = False,
    progress: Progress = silent,
) -> EpisodeReport:
    """Evaluate a method on one episode a seed.

    embeddings: (n, dim); labels: 0/1 (n, n_tags); recordings: (n,), None: each its own; tags: names of the labels.
    base, novel: tag lists in published order; base None: all tags. n_way None: all of ``kind``.
    protocol: ``"lcprotonets2024"``, the published episodes themselves (``reference_support``; rows in the order of the
        published split). ``"papaioannou2025"``: the published sampler's law with our generator, five seeds being
        that paper's; its N and K are not known to us, so K = 3 and N = all are the earlier paper's and ours.
        ``"live"``: the exact sampler.
    in_turn: each recording is held out in turn, its clips the queries, the support set drawn from all others; an episode is
        all of them with one seed. For few recordings that each have many of the tags (musicians), of which any other support
        set would take in all. Only with the exact sampler.
    A query whose recording is in the support set is left out (ours: published items are whole recordings).
    With the published sampler a tag that no query carries counts as 0, as in the published macro F1; with
    the exact one it is left out of it.

    Raises FewShotError if a tag name is unknown, if there are fewer tags than N, or if no query is left; ValueError for
    ``in_turn`` with another sampler.
    """
    started = time.perf_counter()
    rows = check_embeddings(embeddings)
    table, codes, names = check_labelling(labels, len(rows), recordings, tags)
    chosen = _chosen(names, base, novel, n_way, kind)
    table = table[:, [names.index(tag) for tag in chosen]]
    takes_part = np.any(table, axis=1)
    rows, table, codes = rows[takes_part], table[takes_part], codes[takes_part]
    sampler = _sampler(protocol, in_turn)
    absent = "left out" if sampler == "exact" else "zero"

    episodes, outcomes = [], []
    for done, seed in enumerate(seeds):
        progress(done, len(seeds), "episodes")
        splits = _splits(table, codes, k_shot, sampler, int(seed), in_turn)
        episode, counts = _episode(rows, (table, codes, chosen), make, int(seed), splits, absent)
        episodes.append(replace(episode, support=np.flatnonzero(takes_part)[episode.support]))
        outcomes.append(by_recording(counts, codes))
    progress(len(seeds), len(seeds), "episodes")

    outcome = _asked(np.stack(outcomes))
    of_tags, tags_moved = _moved(outcome)
    micro, micro_moved = _moved(outcome.sum(axis=2, keepdims=True))
    known = np.isfinite(of_tags)
    macro_moved = _macro_moved(known, tags_moved, absent)
    return EpisodeReport(
        method=make().name,
        protocol=protocol,
        kind=kind,
        sampler=sampler,
        absent_tags=absent,
        n_way=len(chosen),
        k_shot=k_shot,
        tags=chosen,
        episodes=tuple(episodes),
        macro_f1=over_both(np.array([e.macro_f1 for e in episodes]), macro_moved),
        micro_f1=over_both(micro[:, 0], micro_moved[:, 0]),
        tag_f1=tuple(
            over_both(of_tags[known[:, j], j], tags_moved[known[:, j], j]) for j in range(len(chosen))
        ),
        n_items=len(rows),
        n_recordings=outcome.shape[-1],
        influences={"macro_f1": macro_moved.mean(axis=0), "micro_f1": micro_moved[:, 0].mean(axis=0)},
        seconds=time.perf_counter() - started,
        in_turn=in_turn,
    )


def _sampler(protocol: Protocol, in_turn: bool) -> Sampler:
    if in_turn and protocol != "live":
        raise ValueError("published episodes hold no recording out in turn")
    samplers: dict[str, Sampler] = {"live": "exact", "lcprotonets2024": "reference"}
    return samplers.get(protocol, "published")


def _chosen(
    names: tuple[str, ...],
    base: Sequence[str] | None,
    novel: Sequence[str],
    n_way: int | None,
    kind: Kind,
) -> tuple[str, ...]:
    """The tags of the episodes. Raises FewShotError for one that the labels do not name."""
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
    return chosen


def _splits(
    table: np.ndarray, codes: np.ndarray, k_shot: int, sampler: Sampler, seed: int, in_turn: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of a support set and of its queries: of one draw, or of each recording's turn to be held out.

    Raises FewShotError where a side is empty.
    """
    rng = np.random.default_rng(seed)
    for code in np.unique(codes) if in_turn else (None,):
        others = np.flatnonzero(codes != code) if in_turn else np.arange(len(codes))
        support = (
            reference_support(table, k_shot, seed)
            if sampler == "reference"
            else others[draw_support(table[others], k_shot, rng, sampler)]
        )
        query = np.flatnonzero(codes == code if in_turn else ~np.isin(codes, codes[support]))
        if not (len(support) and len(query)):
            raise FewShotError(
                "Every clip is in the support set, so none is left to test on. Add clips or lower K.",
                code="fewshot.no_query",
            )
        yield support, query


def _episode(
    rows: np.ndarray,
    labelling: tuple[np.ndarray, np.ndarray, tuple[str, ...]],
    make: Callable[[], FewShotMethod],
    seed: int,
    splits: Iterable[tuple[np.ndarray, np.ndarray]],
    absent: str,
) -> tuple[Episode, np.ndarray]:
    """What a method, fitted anew to each support set, says of its queries. labelling: as ``check_labelling`` gives it

    Returns the episode, and hits, true and predicted tags (3, n_tags, n), 0 for what was no query.
    """
    table, codes, tags = labelling
    counts = np.zeros((3, len(tags), len(rows)))
    supports, queries, held = [], [], []
    for support, query in splits:
        method = make().fit(rows[support], table[support], codes[support], tags)
        predicted = method.predict(rows[query])
        counts[:, :, query] = np.stack([table[query] * predicted, table[query], predicted]).transpose(0, 2, 1)
        supports.append(support)
        queries.append(query)
        held.append(len(getattr(method, "prototypes", ())))
    support, query, totals = np.concatenate(supports), np.concatenate(queries), counts.sum(axis=2)
    episode = Episode(
        seed=seed,
        support=support,
        shots=table[support].sum(axis=0, dtype=np.int64),
        macro_f1=float(_macro(totals, absent)),
        micro_f1=float(_micro(totals)),
        tag_f1=_f1(totals),
        n_query=len(query),
        mean_true_tags=float(table[query].sum(axis=1).mean()),
        mean_predicted_tags=float(counts[2][:, query].sum(axis=0).mean()),
        prototypes=round(np.mean(held)) or None,
        supports=len(supports),
    )
    return episode, counts


def _asked(outcome: np.ndarray) -> np.ndarray:
    """The counts (episodes, 3, tags, recordings) of recordings that were a query in an episode at least: every query has one
    of the tags, and what was in every support set has none counted.
    """
    return outcome[..., outcome[:, 1].any(axis=(0, 1))]


def over_both(values: np.ndarray, influence: np.ndarray) -> Interval:
    """The mean of one figure an episode, as unsure as the draws and the recordings make it.

    values: (episodes,); influence: (episodes, recordings), each recording's on it, zero where it is no query
    No interval below three recordings.
    """
    episodes, n = influence.shape
    if not episodes:
        return Interval(None, None, None, n, method=METHOD)
    parts = []
    if n >= 3:
        moved = influence.mean(axis=0)
        parts.append((float(moved @ moved) * n / (n - 1), n - 1.0))
        if episodes > 1:
            parts.append((float(values.var(ddof=1)) / episodes, episodes - 1.0))
    return added(float(values.mean()), parts, n, method=METHOD)


def _moved(outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F1 (episodes, tags) and each recording's influence on it (episodes, tags, recordings) from counts.

    outcome: (episodes, 3, tags, recordings), hits, true, predicted; NaN for a tag that no query carries
    """
    value = _f1(outcome.sum(axis=-1))[..., None]
    hits, marks = outcome[:, 0], outcome[:, 1] + outcome[:, 2]
    return value[..., 0], (2 * hits - value * marks) / np.maximum(marks.sum(axis=-1, keepdims=True), 1)


def _macro_moved(known: np.ndarray, moved: np.ndarray, absent: str) -> np.ndarray:
    """Each recording's influence on the mean over tags (episodes, recordings), of those on single tags; known: tags that have one."""
    of = known.shape[1] if absent == "zero" else np.maximum(known.sum(axis=1, keepdims=True), 1)
    return (np.where(known, 1 / of, 0)[..., None] * np.nan_to_num(moved)).sum(axis=1)


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
