"""From rows to places in recordings: which files, from which second to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.search.nearest import exact_to_any, off_single, rough_similarity_to_any, single_to_any

if TYPE_CHECKING:
    from mirdemo.embedding.rows import FileRows, RowFolder
    from mirdemo.search.index import Index


@dataclass(frozen=True)
class Hit:
    """A place that sounds like a query.

    file: its path; start, end: seconds; cosine: of its window with the nearest window of a query, -1 to 1
    """

    file: str
    start: float
    end: float
    cosine: float


def find(
    folder: RowFolder,
    layer: str,
    queries: np.ndarray,
    count: int,
    *,
    files: Iterable[str] | None = None,
    leave_out: Iterable[str] = (),
    every_window: bool = False,
    index: Index | None = None,
    alone: bool = False,
    progress: Progress | None = None,
) -> list[Hit]:
    """The places nearest to any of the queries' windows, the nearest first, of equal ones in the order of the files.

    folder: rows of windows; queries: (q, size), in the same layer
    files: only these; None: all that are there; leave_out: SHA-256 of sounds that do not count, such as the queries' own
    every_window: also several of one file; else each file's nearest alone
    index: of this layer; some may then be missed (``Index.facts``), and what is found is in the right order all the same
    alone: nothing else of this process multiplies matrices meanwhile, as for ``nearest``
    Exact without one. Memory: sixteen bytes a window beside one block. Raises ValueError for queries that do not fit.
    """
    gone = set(leave_out)
    lines = [
        folder.files[path] for path in (folder.files if files is None else files) if path in folder.files
    ]
    lines = [line for line in lines if line.count and line.sha256 not in gone]
    if index is None:
        places = _by_all(folder.matrix(layer), queries, count, lines, every_window, alone, progress)
    else:
        places = _by_index(index, folder.matrix(layer), queries, count, lines, every_window, alone, progress)
    hits = []
    for negative, number, window in sorted(places)[:count]:
        line = lines[number]
        start = line.starts[window]
        end = min(start + folder.identity.window_seconds, line.seconds)
        hits.append(Hit(line.path, start, end, -negative))
    return hits


def _by_all(
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    lines: list[FileRows],
    every_window: bool,
    alone: bool,
    progress: Progress | None,
) -> list[tuple[float, int, int]]:
    """(minus the cosine, which file, which window) of all that may be among the ``count`` nearest: by what is roughly known of
    every window, then in single precision, then in double."""
    if not lines:
        return []
    values, off = rough_similarity_to_any(rows, queries, alone=alone, progress=progress)
    files = np.repeat(np.arange(len(lines)), [line.count for line in lines])
    windows = np.concatenate([np.arange(line.count) for line in lines])
    places = windows + np.array([line.first for line in lines])[files]
    near = _may_be_among(values[places], off, files, count, every_window)
    files, windows, places = files[near], windows[near], places[near]
    values = single_to_any(rows, places, queries)
    near = _may_be_among(values, off_single(rows.shape[1]), files, count, every_window)
    cosines = exact_to_any(rows, places[near], queries)
    found = list(zip((-cosines).tolist(), files[near].tolist(), windows[near].tolist(), strict=True))
    return found if every_window else _one_of_each_file(found)


def _may_be_among(
    values: np.ndarray, off: float, files: np.ndarray, count: int, every_window: bool
) -> np.ndarray:
    """Which windows may be among the ``count`` nearest, or else their file's nearest that is among those; bool (n,).

    values: float32 (n,), off by ``off`` at most, infinite where nothing is known; files: int (n,), whose they are, in order
    """
    sure = np.where(np.isfinite(values), values - np.float32(off), np.float32(-1))
    may_be = values + np.float32(off)
    if every_window:
        return may_be >= (np.partition(sure, -count)[-count] if len(sure) > count else -np.inf)
    begins = np.flatnonzero(np.diff(files, prepend=-1))
    best = np.maximum.reduceat(sure, begins)
    of_its_file = np.repeat(best, np.diff(begins, append=len(files)))
    least = np.partition(best, -count)[-count] if len(best) > count else -np.inf
    return (may_be >= least) & (may_be >= of_its_file)


def _one_of_each_file(found: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    nearest_of: dict[int, tuple[float, int, int]] = {}
    for one in sorted(found):
        nearest_of.setdefault(one[1], one)
    return list(nearest_of.values())


def _by_index(
    index: Index,
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    lines: list[FileRows],
    every_window: bool,
    alone: bool,
    progress: Progress | None,
) -> list[tuple[float, int, int]]:
    """(minus the cosine, which file, which window), at least ``count`` where there are so many: more windows are asked for
    until enough of them are of files that count."""
    order = sorted(range(len(lines)), key=lambda number: lines[number].first)
    firsts = np.array([lines[number].first for number in order])
    wanted = 4 * count
    while True:
        places, cosines = index.nearest(rows, queries, min(wanted, len(rows)), alone=alone, progress=progress)
        best: dict[tuple[int, int], float] = {}
        for place, cosine in zip(places.ravel().tolist(), cosines.ravel().tolist(), strict=True):
            at = int(np.searchsorted(firsts, place, side="right")) - 1 if place >= 0 else -1
            if at < 0 or place >= firsts[at] + lines[order[at]].count:
                continue  # of a file that does not count, or was written again since
            key = (order[at], place - int(firsts[at]))
            best[key] = max(cosine, best.get(key, -1.0))
        found = [(-cosine, number, window) for (number, window), cosine in best.items()]
        if not every_window:
            found = _one_of_each_file(found)
        if len(found) >= count or wanted >= len(rows):
            return found
        wanted *= 4
