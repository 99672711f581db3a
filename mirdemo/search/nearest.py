"""The rows nearest to some queries, exactly, whatever there are of them: one pass in blocks, nothing sorted whole.

``argsort`` of a million values costs several times the product that made them, ``argpartition`` as much again or more, and
both need more memory than the values. Here the largest of some blocks' products is compared with the worst that would
still be kept; hardly any is better once the first blocks are through. What is kept is computed once more in double
precision, so that the order does not depend on how a block was summed.

Where the processor multiplies bfloat16, a block is rounded to it while it lies in the cache and multiplied in half the time
or less. How far such a product can be off is known (``_Product``), so what may be among the nearest is known too: only that
is computed in single precision, and nothing is missed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mirdemo.base import threads
from mirdemo.base.progress import Progress, silent

Result = TypeVar("Result")

if TYPE_CHECKING:
    import torch

#: Rows that are multiplied at once: with 768 values each, 3 MB that stay in a processor's cache.
BLOCK = 1024
#: Blocks whose products are looked through together (each look costs some calls, whatever it finds), as far as their
#: products, 2 MB of them, stay in a cache too.
_TOGETHER, _PRODUCTS = 16, 2**19
#: Where more products than this, a row, may be among the nearest by the sieve, all are computed.
_MOST_SIEVED = 0.5
#: Lengths of rows whose products with a query of length one stay in the range of bfloat16.
_SHORTEST, _LONGEST = 1e-18, 1e18
#: As many looks, a thread, are worth a thread.
_LEAST_A_LANE = 4
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

    def among(starts: range, tick: Callable[[int], None]) -> np.ndarray:
        return _nearest_among(_Product(rows, asked, lengths), kept, starts, tick)

    candidates = np.hstack(_in_lanes(among, _starts(len(rows), len(asked)), len(rows), progress or silent))
    k = min(len(rows), max(0, count))
    places, exact = np.zeros((len(asked), k), np.int64), np.zeros((len(asked), k))
    for query, one in enumerate(np.atleast_2d(np.asarray(queries, np.float64))):
        found = candidates[query][candidates[query] >= 0]
        cosines = exact_cosines(rows[found], one)
        order = np.lexsort((found, -cosines))[:k]
        places[query], exact[query] = found[order], cosines[order]
    return places, exact


def _nearest_among(product: _Product, kept: int, starts: range, tick: Callable[[int], None]) -> np.ndarray:
    """Places of the ``kept`` nearest rows of some blocks, int64 (q, kept), -1 where there are fewer."""
    queries = product.queries
    best = np.full((queries, kept), -np.inf, np.float32)
    place = np.full((queries, kept), -1, np.int64)

    def keep(query: int, values: np.ndarray, places: np.ndarray) -> None:
        values, places = np.concatenate([best[query], values]), np.concatenate([place[query], places])
        chosen = _largest(values, places, kept)
        best[query], place[query] = values[chosen], places[chosen]

    for start in starts:
        tick(start)
        worst = best.min(axis=1, initial=np.inf)
        sieved = product.sieved(start, worst)
        if sieved is None:
            cosines, highest = product.cosines(start)
            for query in np.flatnonzero(highest > worst).tolist():
                new = np.flatnonzero(cosines[:, query] > worst[query])
                keep(query, cosines[new, query], new + start)
            continue
        for query, new, values in sieved:
            better = values > worst[query]
            if better.any():
                keep(query, values[better], new[better])
    return place


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

    def fill(starts: range, tick: Callable[[int], None]) -> None:
        product = _Product(rows, asked, lengths)
        for start in starts:
            tick(start)
            cosines, _ = product.cosines(start)
            found[start : start + len(cosines)] = cosines.max(axis=1, initial=-1)

    _in_lanes(fill, _starts(len(rows), len(asked)), len(rows), progress or silent)
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


def _starts(rows: int, queries: int) -> range:
    """Where the blocks begin that are looked through together."""
    return range(0, rows, BLOCK * max(1, min(_TOGETHER, _PRODUCTS // (BLOCK * max(1, queries)))))


def _in_lanes(
    work: Callable[[range, Callable[[int], None]], Result], starts: range, rows: int, progress: Progress
) -> list[Result]:
    """The work on parts of the blocks, each on one thread of its own: threads that share a block wait for each other after
    every one, and longest where the machine does something else as well.

    work: is given its blocks and what it is to call with each, which ends it once it is not wanted any more
    progress: told in the caller's thread; what it raises ends all
    """
    import torch

    lanes = max(1, min(torch.get_num_threads(), len(starts) // _LEAST_A_LANE))
    reached = [0] * lanes

    def lane(number: int, tick: Callable[[], None]) -> Result:
        def at(start: int) -> None:
            tick()
            reached[number] += 1

        with threads.limited(1) if lanes > 1 else nullcontext():
            return work(starts[number * len(starts) // lanes : (number + 1) * len(starts) // lanes], at)

    def waiting(number: int) -> None:
        progress(min(starts.step * sum(reached), rows), rows, "searching")

    tasks = [partial(lane, number) for number in range(lanes)]
    with closing(threads.side_by_side(tasks, waiting, lanes)) as parts:
        done = list(parts)
    progress(rows, rows, "searching")
    return done


class _Product:
    """Cosines of blocks of rows with queries, in single precision; where the processor multiplies bfloat16 faster, a sieve first."""

    def __init__(self, rows: np.ndarray, asked: np.ndarray, lengths: np.ndarray | None) -> None:
        """asked: float32 (q, size), at length one; lengths: float32 (n,), None: found on the way

        off: what a cosine of the sieve may be off by, at most
        """
        import torch  # its product is faster than numpy's here, and shares torch's threads

        self._rows, self._asked, self._lengths = rows, asked, lengths
        self._columns = torch.from_numpy(np.ascontiguousarray(asked.T))
        self.queries, self._together = len(asked), _starts(len(rows), len(asked)).step
        most = min(self._together, len(rows))
        self._room = torch.from_numpy(np.empty((most, len(asked)), np.float32))
        self._sieve = bool(len(asked)) and most == self._together and _multiplies_bfloat16()
        self._sieves_again, self._pause = 0, 1
        u, size = 2.0**-8, rows.shape[1]  # of rounding to bfloat16
        # A row and a query are each off by u of their length, the product, once more rounded, by u of itself; sums are in
        # single precision.
        self.off = (1 + u) ** 3 * (1 + size * 2.0**-23) - 1
        if self._sieve:
            self._coarse = self._columns.to(torch.bfloat16)
            self._block = torch.empty((BLOCK, rows.shape[1]), dtype=torch.bfloat16)
            self._products = torch.empty((most, len(asked)), dtype=torch.bfloat16)

    def cosines(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Float32 (rows of some blocks, q), and the largest of each query (q,); valid until the next call."""
        cosines = self._room[: min(self._together, len(self._rows) - start)]
        own = self._multiplied(start, cosines)
        with np.errstate(all="ignore"):
            cosines /= own
        if not cosines.sum().isfinite():
            cosines[~cosines.isfinite()] = -1  # what is not finite is like nothing
        highest = cosines.amax(dim=0) if len(self._asked) else cosines.new_empty(0)
        return cosines.numpy(), highest.numpy()

    def sieved(self, start: int, worst: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]] | None:
        """Of each query for which there are any, all places whose cosine may be above ``worst`` (q,), and their cosines; None
        where that is not known for less than all of them would cost."""
        rows = min(self._together, len(self._rows) - start)
        if not self._sieve or start < self._sieves_again or not np.isfinite(worst).all():
            return None
        coarse = self._products[:rows]
        own = self._multiplied(start, coarse)
        cosines = self._room[:rows]
        cosines.copy_(coarse)
        cosines /= own
        # Beyond these a product may leave the range of its numbers.
        odd = ~((own > _SHORTEST) & (own < _LONGEST))
        if odd.any():
            cosines[odd[:, 0]] = np.inf
            # On AMX a row that is not finite spoils the one before it (findings/rows_beside_nan_on_amx.sh): it may be near, too.
            cosines[~cosines.isfinite()] = np.inf
        least = (worst - self.off).astype(np.float32)
        queries = np.flatnonzero(cosines.amax(dim=0).numpy() > least).tolist()
        places = [np.flatnonzero(cosines[:, query].numpy() > least[query]) for query in queries]
        if sum(map(len, places)) > _MOST_SIEVED * rows:
            self._sieves_again = start + self._pause * self._together
            self._pause = min(2 * self._pause, 64)
            return None
        self._pause = 1
        found = []
        for query, new in zip(queries, places, strict=True):
            block = np.asarray(self._rows[start + new], np.float32)
            with np.errstate(all="ignore"):
                values = (block @ self._asked[query]) / own.numpy()[new, 0]
            found.append((query, new + start, np.where(np.isfinite(values), values, np.float32(-1))))
        return found

    def _multiplied(self, start: int, out: torch.Tensor) -> torch.Tensor:
        """Fills ``out`` with products of the rows from ``start`` on, in its precision; their lengths, float32 (rows, 1)."""
        import torch

        rows, coarse = self._rows, out.dtype == torch.bfloat16
        columns = self._coarse if coarse else self._columns
        own = np.empty(len(out), np.float32)
        if self._lengths is not None:
            own[:] = self._lengths[start : start + len(out)]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", UserWarning)  # rows on the disk cannot be written, and are not
            for at in range(0, len(out), BLOCK):
                block = np.asarray(rows[start + at : start + min(at + BLOCK, len(out))], np.float32)
                if self._lengths is None:
                    own[at : at + len(block)] = lengths_of(block)
                given = torch.from_numpy(block)
                if coarse:
                    given = self._block[: len(block)].copy_(given)
                torch.mm(given, columns, out=out[at : at + len(block)])
        return torch.from_numpy(own)[:, None]


@cache
def _multiplies_bfloat16() -> bool:
    """Whether this processor is faster at products of bfloat16 than at those of float32."""
    import torch

    from mirdemo.backbones.loading import has_bfloat16

    return has_bfloat16(torch.device("cpu"))


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
