"""From rows to places in recordings: which files, from which second to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.search.nearest import similarity_to_any

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
    progress: Progress | None = None,
) -> list[Hit]:
    """The places nearest to any of the queries' windows, the nearest first, of equal ones in the order of the files.

    folder: rows of windows; queries: (q, size), in the same layer
    files: only these; None: all that are there; leave_out: SHA-256 of sounds that do not count, such as the queries' own
    every_window: also several of one file; else each file's nearest alone
    index: of this layer; some may then be missed (``Index.facts``), and what is found is in the right order all the same
    Exact without one. Memory: four bytes a window beside one block. Raises ValueError for queries that do not fit.
    """
    gone = set(leave_out)
    lines = [
        folder.files[path] for path in (folder.files if files is None else files) if path in folder.files
    ]
    lines = [line for line in lines if line.count and line.sha256 not in gone]
    if index is None:
        cosines = similarity_to_any(folder.matrix(layer), queries, progress=progress)
        places: list[tuple[float, int, int]] = []
        for number, line in enumerate(lines):
            own = cosines[line.first : line.first + line.count]
            chosen = range(line.count) if every_window else (int(own.argmax()),)
            places += [(-float(own[window]), number, window) for window in chosen]
    else:
        places = _by_index(index, folder.matrix(layer), queries, count, lines, every_window, progress)
    hits = []
    for negative, number, window in sorted(places)[:count]:
        line = lines[number]
        start = line.starts[window]
        end = min(start + folder.identity.window_seconds, line.seconds)
        hits.append(Hit(line.path, start, end, -negative))
    return hits


def _by_index(
    index: Index,
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    lines: list[FileRows],
    every_window: bool,
    progress: Progress | None,
) -> list[tuple[float, int, int]]:
    """(minus the cosine, which file, which window), at least ``count`` where there are so many: more windows are asked for
    until enough of them are of files that count."""
    order = sorted(range(len(lines)), key=lambda number: lines[number].first)
    firsts = np.array([lines[number].first for number in order])
    wanted = 4 * count
    while True:
        places, cosines = index.nearest(rows, queries, min(wanted, len(rows)), progress=progress)
        best: dict[tuple[int, int], float] = {}
        for place, cosine in zip(places.ravel().tolist(), cosines.ravel().tolist(), strict=True):
            at = int(np.searchsorted(firsts, place, side="right")) - 1 if place >= 0 else -1
            if at < 0 or place >= firsts[at] + lines[order[at]].count:
                continue  # of a file that does not count, or was written again since
            key = (order[at], place - int(firsts[at]))
            best[key] = max(cosine, best.get(key, -1.0))
        found = [(-cosine, number, window) for (number, window), cosine in best.items()]
        if not every_window:
            nearest_of: dict[int, tuple[float, int, int]] = {}
            for one in sorted(found):
                nearest_of.setdefault(one[1], one)
            found = list(nearest_of.values())
        if len(found) >= count or wanted >= len(rows):
            return found
        wanted *= 4
