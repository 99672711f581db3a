"""Which clips sound as if cut from one performance, or are one recording in two encodings: asked of the sound, not of names.

Clips cut from one recording share its instruments, room and line, and lie far nearer to each other than recordings lie
to one another. The measure needs no names: the squared distance to a clip's nearest neighbour over the median squared
distance, here of ``spectral``'s statistics. It only raises a question, for a set of like recordings looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: The backbone and its layer whose rows ``look_alikes`` was fitted to.
BACKBONE, LAYER = "spectral", "all"

#: Chosen on sixty excerpts of ten genres, fifteen recordings of several traditions and six controlled traditions, whole and
#: cut into 2 or 3: the median ratio of a cut collection lay at 0.28 to 0.44, of one recording a clip at 0.46 to 0.89 but for
#: twelve excerpts of two genres (0.48). The more clips there are, the nearer is the nearest: hence the exponent.
ALIKE, PER, POWER = 0.45, 30, -0.1
#: Pairs so near are asked about whatever the rest of the collection is like.
VERY_ALIKE = 0.2
#: Groups are put together up to this mean ratio within.
WITHIN = 1.3
#: Fewer clips have no "rest" to be nearer than.
FEWEST = 5


@dataclass(frozen=True)
class LookAlikes:
    """What the sound says.

    ratio: the median over clips of the nearest neighbour's squared distance over the median one; None for few clips
    limit: below this the whole collection looks cut
    groups: rows that may be of one performance, where they are not of one recording already; empty: nothing to ask
    """

    ratio: float | None
    limit: float
    groups: tuple[tuple[int, ...], ...] = ()


def ratios(rows: ArrayLike) -> np.ndarray:
    """(n, n) squared distances over the geometric mean of both clips' median ones; the diagonal is infinite.

    rows: (n, size), each column brought to deviation 1 first
    """
    rows = np.asarray(rows, np.float64)
    rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6)
    squares = (rows**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0.0)
    others = ~np.eye(len(rows), dtype=bool)
    middle = np.median(distances[others].reshape(len(rows), -1), axis=1) + 1e-12
    found = distances / np.sqrt(middle[:, None] * middle)
    np.fill_diagonal(found, np.inf)
    return found


def look_alikes(rows: ArrayLike, recordings: Sequence[str]) -> LookAlikes:
    """Clips to ask about: "are these from one performance?"

    rows: (n, size) of ``BACKBONE``'s ``LAYER``; recordings: (n,) what is said already: clips of one recording are no
    question, and a group that is found takes their whole recordings in
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    n = len(recordings)
    limit = ALIKE * (max(n, 1) / PER) ** POWER
    if n < FEWEST:
        return LookAlikes(None, limit)
    names = np.asarray(recordings)
    found = ratios(rows)
    asked = np.where(names[:, None] == names, np.inf, found)
    # Clips whose own recording is at hand are no measure of how near strangers are, nor is one recording alone.
    nearest = asked.min(axis=1)
    if not np.isfinite(nearest).all():
        return LookAlikes(None, limit)
    ratio = float(np.median(nearest))
    reach = WITHIN * limit if ratio < limit else VERY_ALIKE * (n / PER) ** POWER
    np.fill_diagonal(found, 0.0)
    tree = linkage(squareform(np.minimum(found, found.T), checks=False), "average")
    cluster = fcluster(tree, reach, "distance")
    # A recording stands in one group as a whole: where most of its clips are.
    home = {name: int(np.bincount(cluster[names == name]).argmax()) for name in dict.fromkeys(recordings)}
    together: dict[int, list[int]] = {}
    for row, name in enumerate(recordings):
        together.setdefault(home[name], []).append(row)
    groups = tuple(tuple(those) for those in together.values() if len({recordings[row] for row in those}) > 1)
    return LookAlikes(ratio, limit, groups)
