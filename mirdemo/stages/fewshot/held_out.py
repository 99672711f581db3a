"""Leaving recordings out of LC-prototypes without fitting again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirdemo.stages.fewshot.closed_sets import ClosedSets
from mirdemo.stages.fewshot.nearest import NearestPrototype


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
    a set that only the row's own recording holds up.

    Every closed set of the remaining rows is one of the whole support set. A set that is no longer closed
    keeps a prototype equal to that of the larger closed set around it, and so loses every tie to it. Hence
    it is enough to take the recording's rows out of the means they are part of.
    """
    counts = sets.counts
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
            distances[:, changed[left == 0]] = np.inf
            kept = changed[left > 0]
            if len(kept):
                mine, left = mine[:, left > 0], left[left > 0]
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
            index[rows[i]] = _first(np.flatnonzero(tied[i]), sets, others)
        distance[rows] = distances[np.arange(len(rows)), index[rows]]
    return HeldOut(index, distance, _covered(sets, recordings))


def _first(tied: np.ndarray, sets: ClosedSets, rows: np.ndarray) -> int:
    """Of equally near sets, the one that wins when only ``rows``, bool (n,), are the support set."""
    sizes = sets.sets[tied].sum(axis=1, dtype=np.int64)
    tied = tied[sizes == sizes.max()]
    first_row = sets.members[np.ix_(rows, tied)].argmax(axis=0)
    earlier_tags = (1 - sets.sets[tied]).tolist()
    return int(min(zip(first_row.tolist(), earlier_tags, tied.tolist(), strict=True))[2])


def _covered(sets: ClosedSets, recordings: np.ndarray) -> np.ndarray:
    """bool (n,): rows whose every tag (or whose being a negative) is in at least two recordings.

    The largest set a row is behind is its own tag set, so every tag of it is one of that set's.
    """
    members = sets.members
    held = members.any(axis=1)
    own = sets.sets[members.argmax(axis=1)] * held[:, None]
    carried = np.hstack([own.astype(bool), (held & ~own.any(axis=1))[:, None]])
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
