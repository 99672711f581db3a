"""The rows nearest to some queries, exactly, whatever there are of them: one pass in blocks, nothing sorted whole.

``argsort`` of a million values costs several times the product that made them, ``argpartition`` as much again or more, and
both need more memory than the values. Here the largest of some blocks' products is compared with the worst that would
still be kept; hardly any is better once the first blocks are through. What is kept is computed once more in double
precision, so that the order does not depend on how a block was summed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from mirdemo.base.progress import Progress, silent

#: Rows that are multiplied at once: with 768 values each, 3 MB that stay in a processor's cache.
BLOCK = 1024
#: Blocks whose products are looked through together (each look costs some calls, whatever it finds), as far as their
#: products, 2 MB of them, stay in a cache too.
_TOGETHER, _PRODUCTS = 16, 2**19
#: How many more than asked for are kept in single precision, so that none of the nearest is lost to rounding.
SPARE = 16


def nearest(
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    *,
    lengths: np.ndarray | None = None,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """For each query the ``count`` rows with the largest cosine, the largest first; of equal ones (to 1e-12, and no more
    than ``SPARE`` of them) the first.

    rows: float32 (n, size), may lie on the disk (``numpy.memmap``) and is read once; queries: (q, size)
    lengths: float32 (n,), the rows' own (``lengths_of``), which saves finding them; None: found on the way
    progress: told (rows done, rows in all, ``"searching"``); what it raises passes
    Returns places, int64 (q, k), and cosines, float64 (q, k), with k the smaller of ``count`` and n. A row or query of
    zeros, or with a value that is not finite, is like nothing: its cosine is -1.
    Memory: a block, its products and those of some before it, and (q, count) values. Raises ValueError for sizes that do not fit.
    """
    asked = _checked(rows, queries)
    kept = min(len(rows), max(0, count) + SPARE)
    best = np.full((len(asked), kept), -np.inf, np.float32)
    place = np.full((len(asked), kept), -1, np.int64)
    for start, cosines, highest in _blocks(rows, asked, lengths, progress or silent):
        worst = best.min(axis=1, initial=np.inf)
        for query in np.flatnonzero(highest > worst).tolist():
            new = np.flatnonzero(cosines[:, query] > worst[query])
            values = np.concatenate([best[query], cosines[new, query]])
            places = np.concatenate([place[query], new + start])
            chosen = _largest(values, places, kept)
            best[query], place[query] = values[chosen], places[chosen]
    k = min(len(rows), max(0, count))
    places, exact = np.zeros((len(asked), k), np.int64), np.zeros((len(asked), k))
    for query, one in enumerate(np.atleast_2d(np.asarray(queries, np.float64))):
        found = place[query][place[query] >= 0]
        cosines = exact_cosines(rows[found], one)
        order = np.lexsort((found, -cosines))[:k]
        places[query], exact[query] = found[order], cosines[order]
    return places, exact


def similarity_to_any(
    rows: np.ndarray,
    queries: np.ndarray,
    *,
    lengths: np.ndarray | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """For each row the largest cosine with any of the queries: float32 (n,). Otherwise as ``nearest``."""
    asked = _checked(rows, queries)
    found = np.full(len(rows), -1, np.float32)
    for start, cosines, _ in _blocks(rows, asked, lengths, progress or silent):
        found[start : start + len(cosines)] = cosines.max(axis=1, initial=-1)
    return np.clip(found, -1, 1, out=found)


def lengths_of(rows: np.ndarray) -> np.ndarray:
    """The rows' Euclidean lengths, float32 (n,)."""
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = np.asarray(rows[start : start + BLOCK], np.float32)
        with np.errstate(all="ignore"):
            found[start : start + len(block)] = np.sqrt(np.vecdot(block, block))
    return found


def _checked(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The queries at length one, float32 (q, size)."""
    asked = np.atleast_2d(np.asarray(queries, np.float64))
    if rows.ndim != 2 or asked.ndim != 2 or rows.shape[1] != asked.shape[1]:
        raise ValueError(f"rows {rows.shape} and queries {asked.shape} do not fit")
    return _unit(asked).astype(np.float32)


def _largest(values: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Where the ``count`` largest values stand, the largest first, of equal ones that of the first place."""
    near = np.arange(len(values))
    if len(values) > 4 * count > 0:  # only these are sorted
        near = np.flatnonzero(values >= np.partition(values, -count)[-count])
    return near[np.lexsort((places[near], -values[near]))[:count]]


def _blocks(
    rows: np.ndarray, asked: np.ndarray, lengths: np.ndarray | None, progress: Progress
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(first row, cosines float32 (rows of some blocks, q), the largest of each query (q,)), valid until the next."""
    import torch  # its product is faster than numpy's here, and shares torch's threads

    columns = torch.from_numpy(np.ascontiguousarray(asked.T))
    together = BLOCK * max(1, min(_TOGETHER, _PRODUCTS // (BLOCK * max(1, len(asked)))))
    room = torch.from_numpy(np.empty((min(together, len(rows)), len(asked)), np.float32))
    for start in range(0, len(rows), together):
        progress(start, len(rows), "searching")
        cosines = room[: min(together, len(rows) - start)]
        own = np.empty(len(cosines), np.float32) if lengths is None else lengths[start : start + len(cosines)]
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # what is not finite is like nothing
            warnings.simplefilter("ignore", UserWarning)  # rows on the disk cannot be written, and are not
            for at in range(0, len(cosines), BLOCK):
                block = np.asarray(rows[start + at : start + min(at + BLOCK, len(cosines))], np.float32)
                if lengths is None:
                    own[at : at + len(block)] = lengths_of(block)
                torch.mm(torch.from_numpy(block), columns, out=cosines[at : at + len(block)])
            cosines /= torch.from_numpy(np.ascontiguousarray(own, np.float32))[:, None]
        if not cosines.sum().isfinite():
            cosines[~cosines.isfinite()] = -1
        highest = cosines.amax(dim=0) if len(asked) else cosines.new_empty(0)
        yield start, cosines.numpy(), highest.numpy()
    progress(len(rows), len(rows), "searching")


def exact_cosines(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosines in double precision, (n,), the same for a row wherever it stands."""
    cosines = (_unit(np.asarray(rows, np.float64)) * _unit(query[None])).sum(axis=1)
    usable = np.isfinite(rows).all(axis=1) & (np.abs(rows).max(axis=1, initial=0) > 0) & bool(query.any())
    return np.where(usable, np.clip(cosines, -1, 1).round(12), -1.0)


def _unit(rows: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        rows = rows / np.abs(rows).max(
            axis=1, keepdims=True, initial=1e-300
        )  # squares of anything stay finite
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(np.isfinite(unit), unit, 0.0)
