"""Leaving recordings out of LC-prototypes without fitting again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirdemo.stages.fewshot.closed_sets import ClosedSets
from mirdemo.stages.fewshot.nearest import VANISHING, NearestPrototype


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Each support row measured against prototypes made without its recording.

    index: int64 (n,), nearest label set, -1 where no prototype is left
    distance: float64 (n,), to it; infinity where none is left
    covered: bool (n,), whether all that the row carries (its tags, or being a negative) occurs in other
        recordings too, so that it should be recognised without its own
    """

    index: np.ndarray
    distance: np.ndarray
    covered: np.ndarray


def held_out_distances(
    embeddings: np.ndarray,
    sets: ClosedSets,
    means: np.ndarray,
    recordings: np.ndarray,
    nearest: NearestPrototype,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Distances of every row from the prototypes made without the row's recording.

    Yields (rows int64 (r,), distances float64 (r, m)), whole recordings and several at a time; infinity for
    a set that is none without the row's own recording.

    Every closed set of the remaining rows is one of the whole support set. Hence it is enough to take the recording's
    rows out of the means they are part of, and to put those that are closed no longer out of reach: all that is
    left of their members carries a larger set.
    """
    counts, carried = sets.counts, _carried(sets)
    absent = sets.sets == 0
    order = np.argsort(recordings, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(recordings[order])) + 1)
    for batch in _batches(groups, max(1, (1 << 22) // len(sets))):
        table = nearest.distances(embeddings[np.concatenate(batch)])
        ends = np.cumsum([len(rows) for rows in batch])
        for rows, end in zip(batch, ends, strict=True):
            distances = table[end - len(rows) : end]
            changed = np.flatnonzero(sets.members[rows].any(axis=0))
            mine = sets.members[np.ix_(rows, changed)].astype(np.float64)
            left = counts[changed] - mine.sum(axis=0)
            others = carried[changed] - mine.T @ _labels(sets, rows)
            closed = (left > 0) & ~((others == left[:, None]) & absent[changed]).any(axis=1)
            distances[:, changed[~closed]] = np.inf
            kept = changed[closed]
            if len(kept):
                mine, left = mine[:, closed], left[closed]
                sums = means[kept] * counts[kept][:, None] - mine.T @ embeddings[rows]
                without = NearestPrototype(sums / left[:, None], nearest.distance, nearest.size)
                distances[:, kept] = without.distances(embeddings[rows])
        yield np.concatenate(batch), table


def leave_out(
    embeddings: np.ndarray,
    sets: ClosedSets,
    means: np.ndarray,
    recordings: np.ndarray,
    nearest: NearestPrototype,
) -> HeldOut:
    """The nearest label set of each row among prototypes made without its recording."""
    index = np.full(len(embeddings), -1, np.int64)
    distance = np.full(len(embeddings), np.inf)
    for rows, distances in held_out_distances(embeddings, sets, means, recordings, nearest):
        least = distances.min(axis=1)
        left = np.isfinite(least)
        rows, distances, least = rows[left], distances[left], least[left]
        tied = distances <= (least + nearest.tie(least))[:, None]
        index[rows] = tied.argmax(axis=1)
        for i in np.flatnonzero(tied.sum(axis=1) > 1):
            others = recordings != recordings[rows[i]]
            index[rows[i]] = first_of_tied(np.flatnonzero(tied[i]), sets, others)
        distance[rows] = distances[np.arange(len(rows)), index[rows]]
    return HeldOut(index, distance, _covered(sets, recordings))


def first_of_tied(tied: np.ndarray, sets: ClosedSets, rows: np.ndarray) -> int:
    """Of equally near sets, the one that wins when only ``rows``, bool (n,), are the support set."""
    sizes = sets.sets[tied].sum(axis=1, dtype=np.int64)
    tied = tied[sizes == sizes.max()]
    first_row = sets.members[np.ix_(rows, tied)].argmax(axis=0)
    earlier_tags = (1 - sets.sets[tied]).tolist()
    return int(min(zip(first_row.tolist(), earlier_tags, tied.tolist(), strict=True))[2])


def _labels(sets: ClosedSets, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """float64 (r, n_tags), the tags of rows: those of the largest set that each is behind."""
    members = sets.members[rows]
    return sets.sets[members.argmax(axis=1)] * np.any(members, axis=1)[:, None].astype(np.float64)


def _carried(sets: ClosedSets) -> np.ndarray:
    """float64 (m, n_tags): how many members of each set carry each tag."""
    return sets.members.T.astype(np.float64) @ _labels(sets)


def _covered(sets: ClosedSets, recordings: np.ndarray) -> np.ndarray:
    """bool (n,): rows whose every tag (or whose being a negative) is in at least two recordings.

    The largest set a row is behind is its own tag set, so every tag of it is one of that set's.
    """
    held, own = np.any(sets.members, axis=1), _labels(sets)
    carried = np.hstack([own.astype(bool), (held & ~np.any(own, axis=1))[:, None]])
    per_recording = np.zeros((recordings.max() + 1, carried.shape[1]), bool)
    np.logical_or.at(per_recording, recordings, carried)
    return held & ~(carried & (per_recording.sum(axis=0) < 2)).any(axis=1)


def _batches(groups: list[np.ndarray], rows: int) -> Iterator[list[np.ndarray]]:
    """Whole groups, as many at a time as have about ``rows`` rows together."""
    batch: list[np.ndarray] = []
    for group in groups:
        batch.append(group)
        if sum(len(g) for g in batch) >= rows:
            yield batch
            batch = []
    if batch:
        yield batch


def pairwise_distances(
    embeddings: np.ndarray,
    sets: ClosedSets,
    groups: np.ndarray,
    nearest: NearestPrototype,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Distances of every row from prototypes made without the row's group and without one other group.

    groups: int64 (n,), 0 ... n_groups - 1, none of them empty. Yields, a group at a time, (rows int64 (r,), distances
    float64 (r, n_groups, m)): ``distances[:, h]`` without the rows' own group and group h; at their own group, without that
    alone. Infinity for a set that nothing is left behind.

    A prototype is a mean, so everything follows from inner products of embeddings: a row with the members of each set
    in each group, and those members with each other. The sets stay those of all rows, as in ``held_out_distances``.
    """
    rows = embeddings - embeddings.mean(axis=0) if nearest.distance == "euclidean" else embeddings
    inner = rows @ rows.T
    members = sets.members.astype(np.float64)
    parts = [np.flatnonzero(groups == g) for g in range(int(groups.max()) + 1)]
    counts = np.stack([members[part].sum(axis=0) for part in parts])  # (groups, m)
    labels = _labels(sets)
    carried = np.stack([members[part].T @ labels[part] for part in parts]).astype(
        np.float32
    )  # (groups, m, n_tags)
    absent = sets.sets == 0

    def with_members(part: np.ndarray) -> np.ndarray:
        """(r, groups, m): each row times the members of each set in each group, summed."""
        return np.stack([inner[np.ix_(part, other)] @ members[other] for other in parts], axis=1)

    shared = np.stack([np.einsum("rm,rhm->hm", members[part], with_members(part)) for part in parts])
    whole = shared.sum(axis=(0, 1))  # squared length of the sum of each set's members
    by_group = shared.sum(axis=1)  # of that, what each group has to do with
    lengths = np.einsum("nd,nd->n", rows, rows)
    for own, part in enumerate(parts):
        products = with_members(part)
        dot = (products.sum(axis=1) - products[:, own])[:, None] - products
        square = whole - 2 * (by_group[own] + by_group) + shared[own, own] + 2 * shared[own]
        square += np.einsum("hhm->hm", shared)
        left = counts.sum(axis=0) - counts[own] - counts
        # the rows' own group is left out once, not twice
        dot[:, own] += products[:, own]
        square[own] = whole - 2 * by_group[own] + shared[own, own]
        left[own] += counts[own]
        others = (carried.sum(axis=0) - carried[own]) - carried
        others[own] += carried[own]
        gone = (left < 0.5) | ((others == left[:, :, None].astype(np.float32)) & absent).any(axis=2)
        left = np.maximum(left, 1.0)
        square = np.maximum(square, 0.0) / left**2
        dot /= left
        mine = lengths[part][:, None, None]
        if nearest.distance == "cosine":
            size = np.sqrt(square)
            size[size <= VANISHING * nearest.size] = np.inf
            length = np.sqrt(mine)
            length[length <= VANISHING * nearest.size] = np.inf
            distances = 1.0 - dot / (length * size)
        else:
            distances = np.sqrt(np.maximum(mine - 2 * dot + square, 0.0))
        distances[:, gone] = np.inf
        yield part, distances
