"""The rows nearest to some queries, exactly, whatever there are of them: one pass in blocks, nothing sorted whole.

``argsort`` of a million values costs several times the product that made them, ``argpartition`` as much again or more, and
both need more memory than the values. Here the largest of some blocks' products is compared with the worst that would
still be kept; hardly any is better once the first blocks are through. What is kept is computed once more in double
precision, so that the order does not depend on how a block was summed.

Where the processor multiplies bfloat16 and nothing else of the process multiplies (``alone``), rows are rounded to it on their
way into the multiplier, and a product takes hardly longer than reading them (.14 s of processor time for .13, 400,000 rows of 768
values, 32 queries, Xeon with AMX, the least of three). How far such a product can be off is known (``_off``), so what
may be among the nearest is known too: only that is computed in single precision, and nothing is missed.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

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
    alone: bool = False,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """For each query the ``count`` rows with the largest cosine, the largest first; of equal ones (to 1e-12, and no more
    than ``SPARE`` of them) the first.

    rows: float32 (n, size), may lie on the disk (``numpy.memmap``) and is read once; queries: (q, size)
    lengths: float32 (n,), the rows' own (``lengths_of``), which saves finding them; None: found on the way
    alone: nothing else of this process multiplies matrices meanwhile: torch may be set to round them (``_rounding``), which
        changes no answer of this, and would change the other's
    progress: told (rows done, rows in all, ``"searching"``); what it raises passes
    Returns places, int64 (q, k), and cosines, float64 (q, k), with k the smaller of ``count`` and n. A row or query of
    zeros, or with a value that is not finite, is like nothing: its cosine is -1.
    Memory: a block, its products and those of some before it, and (q, count) values. Raises ValueError for sizes that do not fit.
    """
    asked = _checked(rows, queries)
    kept = min(len(rows), max(0, count) + SPARE)
    rounded = _rounds(rows, asked, alone)

    def among(starts: range, tick: Callable[[int], None]) -> np.ndarray:
        return _nearest_among(_Product(rows, asked, lengths, rounded=rounded), kept, starts, tick)

    with _rounding() if rounded else nullcontext():
        candidates = np.hstack(
            _in_lanes(among, _starts(len(rows), len(asked)), len(rows), progress or silent)
        )
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
        sieved = product.sieved(start, worst, kept)
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
        product = _Product(rows, asked, lengths, rounded=False)
        for start in starts:
            tick(start)
            cosines, _ = product.cosines(start)
            found[start : start + len(cosines)] = cosines.max(axis=1, initial=-1)

    _in_lanes(fill, _starts(len(rows), len(asked)), len(rows), progress or silent)
    return np.clip(found, -1, 1, out=found)


def rough_similarity_to_any(
    rows: np.ndarray,
    queries: np.ndarray,
    *,
    alone: bool = False,
    progress: Progress | None = None,
) -> tuple[np.ndarray, float]:
    """As ``similarity_to_any``, float32 (n,), and what that is off by, at most; infinite for rows of which it is not known.

    alone: as for ``nearest``. No value is clipped.
    """
    asked = _checked(rows, queries)
    found = np.full(len(rows), np.inf, np.float32)
    rounded = _rounds(rows, asked, alone)

    def fill(starts: range, tick: Callable[[int], None]) -> None:
        product = _Product(rows, asked, None, rounded=rounded)
        for start in starts:
            tick(start)
            nearest_of = product.rough(start)[0].max(axis=1, initial=-1)
            found[start : start + len(nearest_of)] = np.where(np.isfinite(nearest_of), nearest_of, np.inf)

    with _rounding() if rounded else nullcontext():
        _in_lanes(fill, _starts(len(rows), len(asked)), len(rows), progress or silent)
    return found, _off(rows.shape[1], rounded)


def lengths_of(rows: np.ndarray) -> np.ndarray:
    """The rows' Euclidean lengths, float32 (n,)."""
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = np.asarray(rows[start : start + BLOCK], np.float32)
        with np.errstate(all="ignore"):
            found[start : start + len(block)] = np.sqrt(np.vecdot(block, block))
    return found


def _rounds(rows: np.ndarray, asked: np.ndarray, alone: bool) -> bool:
    """Whether products are rounded: not where there are too few for that to pay."""
    return (
        alone
        and len(asked) > 0
        and len(rows) >= _starts(len(rows), len(asked)).step
        and _multiplies_bfloat16()
    )


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
    """Cosines of blocks of rows with queries: in single precision, or rounded to bfloat16 on the way, with what they are off by."""

    def __init__(
        self, rows: np.ndarray, asked: np.ndarray, lengths: np.ndarray | None, *, rounded: bool
    ) -> None:
        """asked: float32 (q, size), at length one; lengths: float32 (n,), None: found on the way; rounded: see ``_rounding``

        off: what a cosine of ``rough`` may be off by, at most
        """
        import torch  # its product is faster than numpy's here

        self._rows, self._asked, self._lengths, self._rounded = rows, asked, lengths, rounded
        self._columns = torch.from_numpy(np.ascontiguousarray(asked.T))
        self.queries, self._together = len(asked), _starts(len(rows), len(asked)).step
        self._room = torch.from_numpy(np.empty((min(self._together, len(rows)), len(asked)), np.float32))
        self._sieves_again, self._pause = 0, 1
        self.off = _off(rows.shape[1], rounded)

    def cosines(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Float32 (rows of some blocks, q), and the largest of each query (q,); valid until the next call."""
        cosines, _ = self._divided(start, rounded=False)
        if not cosines.sum().isfinite():
            cosines[~cosines.isfinite()] = -1  # what is not finite is like nothing
        highest = cosines.amax(dim=0) if len(self._asked) else cosines.new_empty(0)
        return cosines.numpy(), highest.numpy()

    def rough(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Float32 (rows of some blocks, q), off by ``off`` at most, infinite or not a number where that is not known: also of a good
        row before one that is not finite, on AMX (findings/rows_beside_nan_on_amx.sh); and the rows' lengths (rows,). Valid until the
        next call."""
        cosines, own = self._divided(start, rounded=self._rounded)
        odd = ~((own > _SHORTEST) & (own < _LONGEST))  # a product may leave the range of its numbers
        if odd.any():
            cosines[odd[:, 0]] = np.inf
        return cosines.numpy(), own[:, 0].numpy()

    def sieved(
        self, start: int, worst: np.ndarray, kept: int
    ) -> list[tuple[int, np.ndarray, np.ndarray]] | None:
        """Of each query for which there are any, all places whose cosine may be above ``worst`` (q,) and among the ``kept``
        largest of these blocks, and their cosines; None where that is not known for less than all of them would cost."""
        if not self._rounded or start < self._sieves_again:
            return None
        cosines, lengths = self.rough(start)
        least = worst - np.float32(self.off)
        first = np.isneginf(worst)
        if first.any() and len(cosines) > kept:
            # Nothing is kept yet: what is among these blocks' nearest is looked for.
            sure = np.where(np.isfinite(cosines[:, first]), cosines[:, first], np.float32(-2))
            least[first] = np.partition(sure, -kept, axis=0)[-kept] - np.float32(2 * self.off)
        # What is no number is not below.
        places, queries = np.divmod(np.flatnonzero(~(cosines <= least)), self.queries)
        if len(places) > _MOST_SIEVED * len(cosines):
            self._sieves_again = start + self._pause * self._together
            self._pause = min(2 * self._pause, 64)
            return None
        self._pause = 1
        order = np.argsort(queries, kind="stable")
        places, queries = places[order], queries[order]
        values = _single_pairs(self._rows, places + start, lengths[places], self._asked, queries)
        places += start
        edges = np.flatnonzero(np.diff(queries, prepend=-1, append=-1)).tolist()
        return [(int(queries[a]), places[a:b], values[a:b]) for a, b in itertools.pairwise(edges)]

    def _divided(self, start: int, *, rounded: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines float32 (rows of some blocks, q), not finite where there are none, and the rows' lengths (rows, 1)."""
        import torch

        out = self._room[: min(self._together, len(self._rows) - start)]
        own = np.empty(len(out), np.float32)
        if self._lengths is not None:
            own[:] = self._lengths[start : start + len(out)]
        # A block whose lengths are looked for is multiplied while it lies in the cache.
        step = len(out) if rounded and self._lengths is not None else BLOCK
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", UserWarning)  # rows on the disk cannot be written, and are not
            for at in range(0, len(out), step):
                block = np.asarray(self._rows[start + at : start + min(at + step, len(out))], np.float32)
                if self._lengths is None:
                    own[at : at + len(block)] = lengths_of(block)
                if rounded or not self._rounded:
                    torch.mm(torch.from_numpy(block), self._columns, out=out[at : at + len(block)])
                else:  # torch would round
                    np.dot(block, self._asked.T, out=out[at : at + len(block)].numpy())
        lengths = torch.from_numpy(own)[:, None]
        out /= lengths
        return out, lengths


@contextmanager
def _rounding() -> Iterator[None]:
    """Torch's products of single precision round what they multiply to bfloat16, in all threads of the process, and are put
    back. oneDNN does so while it brings a block into the cache: a copy in bfloat16 takes as long as the reading again."""
    import torch

    backend: Any = torch.backends.mkldnn  # its parts are not typed
    setting = backend.matmul
    before = setting.fp32_precision
    setting.fp32_precision = "bf16"
    try:
        yield
    finally:
        setting.fp32_precision = before


def _off(size: int, rounded: bool) -> float:
    """What a cosine may be off by, at most. rounded: row and query to bfloat16, each by 2 ** -8 of its values"""
    u = 2.0**-8 if rounded else 0.0
    return (1 + u) ** 2 * (1 + off_single(size)) - 1


def off_single(size: int) -> float:
    """Of sums and lengths in single precision."""
    return (size + 8) * 2.0**-23


@cache
def _multiplies_bfloat16() -> bool:
    """Whether this processor is faster at products of bfloat16 than at those of float32."""
    import torch

    from mirdemo.backbones.loading import has_bfloat16

    return has_bfloat16(torch.device("cpu"))


def _single_pairs(
    rows: np.ndarray, places: np.ndarray, lengths: np.ndarray, asked: np.ndarray, queries: np.ndarray
) -> np.ndarray:
    """Cosines of some rows, each with one query, float32 (n,); -1 for what is like nothing. lengths: (n,) of these rows; asked: at
    length one"""
    found = np.empty(len(places), np.float32)
    for start in range(0, len(places), BLOCK):
        part = slice(start, start + BLOCK)
        block = np.asarray(rows[places[part]], np.float32)
        with np.errstate(all="ignore"):
            values = np.vecdot(block, asked[queries[part]]) / lengths[part]
        found[part] = np.where(np.isfinite(values), values, np.float32(-1))
    return found


def single_to_any(rows: np.ndarray, places: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Of some rows the largest cosine with any of the queries, float32 (n,), off by ``off_single`` at most; -1 for what is like
    nothing and for lengths whose squares single precision does not hold."""
    asked, found = _checked(rows, queries).T, np.empty(len(places), np.float32)
    for start in range(0, len(places), BLOCK):
        block = np.asarray(rows[places[start : start + BLOCK]], np.float32)
        with np.errstate(all="ignore"):
            values = (block @ asked).max(axis=1, initial=-np.inf) / lengths_of(block)
        found[start : start + len(block)] = np.where(np.isfinite(values), values, np.float32(-1))
    return found


def exact_to_any(rows: np.ndarray, places: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Of some rows the largest cosine with any of the queries, in double precision, (n,), the same for a row wherever it stands."""
    queries, found = np.atleast_2d(np.asarray(queries, np.float64)), np.full(len(places), -1.0)
    for start in range(0, len(places), BLOCK):
        block = np.asarray(rows[places[start : start + BLOCK]])
        for query in queries:
            own = found[start : start + BLOCK]
            np.maximum(own, exact_cosines(block, query), out=own)
    return found


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
