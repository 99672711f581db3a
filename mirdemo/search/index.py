"""An index for more windows than are compared one by one: faiss, optional, whose recall is measured before it is believed.

Rows at length one are parted into cells (k-means) and kept there in four bits a value; a query looks into some of the cells,
and what it finds there is computed again from the rows themselves. So an answer is in the right order with the right cosines,
and what can be missed is a window whose cell was not looked into. How often that happens is measured while the index is made,
before the drawn recordings whose windows ask are in it: a window that lies in the index, or beside others of its own recording,
is found more often than what a visitor brings (benchmarked: 1.0 against 0.93). Of equal windows, such as silence, which any
search finds, one asks. As many cells are looked into as that needs, and other windows than those that chose them say how good
that is (``Facts.recall``).

Memory: half a byte a value, 1.13 times the rows with them; making it needs 4,000 rows more at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.files import whole
from mirdemo.base.home import home
from mirdemo.base.progress import Progress, silent
from mirdemo.search.nearest import exact_cosines, lengths_of, nearest

if TYPE_CHECKING:
    from mirdemo.embedding.rows import RowFolder

#: Up to so many windows every one is compared.
EXACT_UP_TO = 1_000_000
#: Recall of the ten nearest that is looked for, over so many windows of recordings that are left out, at most a share of the rows.
WANTED, ASKED, NEAREST, LEFT_OUT = 0.98, 128, 10, 0.1
#: An index is made anew where more than this share of the rows came after it; those that did are compared one by one.
STALE = 0.2
#: Rows that are added at once.
_ROWS = 4096
#: Rows that each cell is learned from.
_A_CELL = 40
#: So many times the windows that are asked for are taken from the cells, to be computed again.
_AGAIN = 32


@dataclass(frozen=True)
class Facts:
    """rows: it holds, from the first on; cells: looked into; recall: of the ten nearest, over ``asked`` windows of recordings that
    were not in it; drawn: digest of some of the rows, by which others in their place are known"""

    rows: int
    size: int
    cells: int
    recall: float
    asked: int
    faiss: str
    drawn: str


@dataclass(frozen=True, eq=False)
class Index:
    """An index over a layer of a folder of rows."""

    facts: Facts
    _cells: Any

    def nearest(
        self,
        rows: np.ndarray,
        queries: np.ndarray,
        count: int,
        *,
        alone: bool = False,
        progress: Progress | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``nearest.nearest``, but that some may be missed (``facts.recall``); rows that came after it are all compared.

        A query that finds fewer has places of -1 and cosines of -1 at its end.
        """
        queries = np.atleast_2d(np.asarray(queries, np.float64))
        (progress or silent)(0, 0, "searching")
        wanted = min(max(_AGAIN * count, 100), self.facts.rows)
        self._cells.nprobe = self.facts.cells
        _, found = self._cells.search(_unit(queries), wanted)
        later = rows[self.facts.rows :]
        after, _ = nearest(later, queries, count, alone=alone, progress=progress)
        places = np.full((len(queries), count), -1, np.int64)
        cosines = np.full((len(queries), count), -1.0)
        for number, query in enumerate(queries):
            near = found[number][found[number] >= 0]
            all_ = np.unique(np.concatenate([near, after[number] + self.facts.rows]))
            exact = exact_cosines(np.asarray(rows[all_]), query)
            order = np.lexsort((all_, -exact))[:count]
            places[number, : len(order)], cosines[number, : len(order)] = all_[order], exact[order]
        return places, cosines


def available() -> bool:
    """Whether faiss is installed."""
    return find_spec("faiss") is not None


def index_of(
    folder: RowFolder,
    layer: str,
    *,
    alone: bool = False,
    progress: Progress | None = None,
    made: Callable[[Facts], None] = lambda facts: None,
) -> Index:
    """The index of a layer, read from this machine's folder where it is there and not stale, else made and kept.

    alone: as for ``nearest``; made: told of one that was made. Raises ImportError without faiss, OSError where it cannot be kept.
    """
    import faiss

    rows = folder.matrix(layer)
    place = _place(folder, layer)
    try:
        facts = Facts(**json.loads(place.with_suffix(".json").read_text(encoding="utf-8")))
        fits = facts.size == rows.shape[1] and (1 - STALE) * len(rows) <= facts.rows <= len(rows)
        if fits and (facts.faiss, facts.drawn) == (faiss.__version__, _drawn(rows[: facts.rows])):
            cells = faiss.read_index(str(place))
            if cells.ntotal == facts.rows:
                return Index(facts, cells)
    except (OSError, ValueError, TypeError, RuntimeError):
        pass  # not there, or of another form: it is made
    index = make(rows, _recordings(folder), alone=alone, progress=progress)
    place.parent.mkdir(parents=True, exist_ok=True)
    with whole(place) as part:
        faiss.write_index(index._cells, str(part))
    with whole(place.with_suffix(".json")) as part:
        part.write_text(json.dumps(asdict(index.facts)), encoding="utf-8")
    made(index.facts)
    return index


def make(
    rows: np.ndarray,
    recordings: np.ndarray,
    *,
    alone: bool = False,
    progress: Progress | None = None,
    seed: int = 0,
) -> Index:
    """An index of rows, float32 (n, size), read twice; recordings: int (n,), which one each is of; alone: as for
    ``nearest``.

    Raises ImportError without faiss.
    """
    import faiss

    progress = progress or silent
    n, size = rows.shape
    rng = np.random.default_rng(seed)
    choosing, telling = _left_out(recordings, rng)
    known = np.setdiff1d(np.arange(n), np.concatenate([choosing, telling]), assume_unique=True)
    cells = max(1, min(round(n**0.5), n // _A_CELL))
    learned = np.sort(rng.choice(n, min(n, _A_CELL * cells), replace=False))
    progress(0, n, "indexing")
    coarse = faiss.IndexFlatIP(size)
    found = faiss.IndexIVFScalarQuantizer(
        coarse, size, cells, faiss.ScalarQuantizer.QT_4bit, faiss.METRIC_INNER_PRODUCT
    )
    found.cp.seed = seed + 1
    found.train(_unit(np.asarray(rows[learned], np.float32)))
    lengths = np.full(n, np.nan, np.float32)  # of those left out: they are like nothing
    for start in range(0, len(known), _ROWS):
        progress(start, n, "indexing")
        places = known[start : start + _ROWS]
        block = np.asarray(rows[places], np.float32)
        lengths[places] = lengths_of(block)
        found.add_with_ids(_unit(block), places)
    ask = [_asked(rows, part) for part in (choosing, telling)]
    _, true = nearest(rows, np.concatenate(ask), NEAREST, lengths=lengths, alone=alone, progress=progress)

    def recall(index: Index, asked: np.ndarray, true: np.ndarray) -> float:
        _, cosines = index.nearest(rows, asked, NEAREST)
        # By cosine, not by place: equal rows, which archives are full of, come in any order.
        return float((cosines[:, : true.shape[1]] >= true[:, -1:] - 1e-9).mean())

    facts, reached = Facts(n, size, 4, 0.0, len(ask[1]), faiss.__version__, _drawn(rows)), 0.0
    while reached < WANTED and facts.cells < cells:
        facts = replace(facts, cells=min(2 * facts.cells, cells))
        reached = recall(Index(facts, found), ask[0], true[: len(ask[0])])
    facts = replace(facts, recall=recall(Index(facts, found), ask[1], true[len(ask[0]) :]))
    rest = np.union1d(choosing, telling)
    for start in range(0, len(rest), _ROWS):
        places = rest[start : start + _ROWS]
        found.add_with_ids(_unit(np.asarray(rows[places], np.float32)), places)
    progress(n, n, "indexing")
    return Index(facts, found)


def _left_out(recordings: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The places of the rows of drawn recordings, in two halves by recording, each in any order; of single rows where there are
    too few recordings for that."""
    most = max(2, round(LEFT_OUT * len(recordings)))
    names, of, counts = np.unique(recordings, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    chosen = order[np.cumsum(counts[order]) <= most][: 2 * ASKED]
    if len(chosen) < 2:
        of = np.arange(len(recordings))
        chosen = rng.permutation(of)[:most]
    return [rng.permutation(np.flatnonzero(np.isin(of, half))) for half in (chosen[::2], chosen[1::2])]


def _asked(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The first ``ASKED`` of these rows that differ: silence and copies are found by any search, and say nothing of the rest."""
    asked: dict[bytes, np.ndarray] = {}
    for start in range(0, len(places), ASKED):
        for row in np.asarray(rows[places[start : start + ASKED]], np.float32):
            if len(asked) < ASKED:
                asked.setdefault(row.tobytes(), row)
        if len(asked) == ASKED:
            break
    return np.stack(list(asked.values()))


def _recordings(folder: RowFolder) -> np.ndarray:
    """Which sound each row is of, int (n,); 0 for rows of a file that was written again since."""
    found = np.zeros(folder.count, np.int64)
    numbers: dict[str | None, int] = {}
    for line in folder.files.values():
        found[line.first : line.first + line.count] = numbers.setdefault(line.sha256, 1 + len(numbers))
    return found


def _drawn(rows: np.ndarray) -> str:
    """A digest of rows from all over, the first and the last among them."""
    places = np.unique(np.linspace(0, len(rows) - 1, 64).round().astype(np.int64))
    return hashlib.sha256(np.ascontiguousarray(rows[places], "<f4").tobytes()).hexdigest()


def _place(folder: RowFolder, layer: str) -> Path:
    """Not beside the rows, which may come from elsewhere: what faiss reads is what was written here."""
    key = json.dumps([str(folder.path.absolute()), folder.identity.as_dict(), layer])
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return home() / "search" / f"{name}.faiss"


def _unit(rows: np.ndarray) -> np.ndarray:
    """At length one, float32; zeros where a row has no length, or a value that is not finite."""
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.vecdot(rows, rows, dtype=np.float64))[:, None]
        unit = rows / lengths
    return np.ascontiguousarray(np.where(np.isfinite(unit).all(axis=1, keepdims=True), unit, 0.0), np.float32)
