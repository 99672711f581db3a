"""From rows to places in recordings: which files, from which second to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.search.nearest import similarity_to_any

if TYPE_CHECKING:
    from mirdemo.embedding.rows import RowFolder


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
    progress: Progress | None = None,
) -> list[Hit]:
    """The places nearest to any of the queries' windows, the nearest first, of equal ones in the order of the files.

    folder: rows of windows; queries: (q, size), in the same layer
    files: only these; None: all that are there; leave_out: SHA-256 of sounds that do not count, such as the queries' own
    every_window: also several of one file; else each file's nearest alone
    Exact. Memory: four bytes a window beside one block. Raises ValueError for queries that do not fit.
    """
    gone = set(leave_out)
    lines = [
        folder.files[path] for path in (folder.files if files is None else files) if path in folder.files
    ]
    lines = [line for line in lines if line.count and line.sha256 not in gone]
    cosines = similarity_to_any(folder.matrix(layer), queries, progress=progress)
    places: list[tuple[float, int, int]] = []
    for number, line in enumerate(lines):
        own = cosines[line.first : line.first + line.count]
        chosen = range(line.count) if every_window else (int(own.argmax()),)
        places += [(-float(own[window]), number, window) for window in chosen]
    hits = []
    for negative, number, window in sorted(places)[:count]:
        line = lines[number]
        start = line.starts[window]
        end = min(start + folder.identity.window_seconds, line.seconds)
        hits.append(Hit(line.path, start, end, -negative))
    return hits
