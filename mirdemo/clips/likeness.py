"""Which clips sound as if cut from one performance, or are one recording in two encodings: asked of the sound, not of names.

Clips cut from one recording share its instruments, room and line, and lie far nearer to each other than recordings lie
to one another. The measure needs no names: the squared distance to a clip's nearest neighbour over the median squared
distance, here of ``spectral``'s statistics. It only raises a question, for a set of like recordings looks the same.

Names that say nothing but a number (``017``) still come in an order, and pieces of one recording stand beside each other in it.
Where nearly every clip is nearest to one beside it, that is no chance: then less likeness is enough to ask, and what stands far
apart in the order counts as less alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

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
#: In a collection that looks cut a clip that is left alone is more likely a piece, too, than the one whole recording: up to
#: this ratio it goes to its nearest clip. Chosen on other controlled performances than those that judge it: in thirds of those,
#: 96 % of the pairs of one recording are found for 87, and 9 % of the pairs that are found are wrong for 3.
LONE = 2.0
#: Fewer clips have no "rest" to be nearer than.
FEWEST = 5
#: The share of clips whose nearest one is beside them in the order of names (up to two places off, or a twelfth of all) from which
#: that is no chance, of how many clips at least; the limit is so many times as high then, and distances are up to twice as large
#: with the places between. Thirds of controlled performances: .92 to 1; whole recordings sorted by kind: .83 at most.
IN_ORDER, FEWEST_IN_ORDER, MORE_IN_ORDER = 0.9, 9, 1.3

#: Two clips whose loudness in eight bands runs alike to this correlation are one sound in two encodings.
SAME_SOUND = 0.97
_RATE, _HOP, _BANDS, _LAG_SECONDS = 8_000, 160, 8, 1.0


@dataclass(frozen=True)
class LookAlikes:
    """What the sound says.

    ratio: the median over clips that are alone in their recording (over all, if those are few) of the squared distance to
        the nearest clip of another recording over the median one; None for few clips
    limit: below this the whole collection looks cut; higher where those that are alike stand side by side in the order of names
    groups: rows that may be of one performance, where they are not of one recording already; empty: nothing to ask
    """

    ratio: float | None
    limit: float
    groups: tuple[tuple[int, ...], ...] = ()


def ratios(rows: ArrayLike) -> np.ndarray:
    """(n, n) squared distances over the geometric mean of both clips' median ones; the diagonal is infinite.

    rows: (n, size), each column brought to deviation 1 first
    """
    given = np.asarray(rows, np.float64)
    scaled = (given - given.mean(axis=0)) / (given.std(axis=0) + 1e-6)
    squares = (scaled**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * scaled @ scaled.T, 0.0)
    others = np.logical_not(np.eye(len(scaled)))
    middle = np.median(distances[others].reshape(len(scaled), -1), axis=1) + 1e-12
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
    alone = np.array([int((names == name).sum()) == 1 for name in names])
    counted = alone if alone.sum() >= FEWEST else np.ones(n, dtype=bool)  # the others are answered
    ratio = float(np.median(nearest[counted]))
    apart, beside = _places_apart(recordings), max(2, n // 12)
    if (
        counted.sum() >= FEWEST_IN_ORDER
        and _say_nothing(names[counted])
        and (np.mean(apart[np.arange(n), asked.argmin(axis=1)][counted] <= beside) >= IN_ORDER)
    ):
        limit *= MORE_IN_ORDER
        farther = 1 + np.clip((apart - 1) / (2 * beside), 0, 1)
        found, asked = found * farther, asked * farther
        nearest = asked.min(axis=1)
    reach = WITHIN * limit if ratio < limit else VERY_ALIKE * (n / PER) ** POWER
    np.fill_diagonal(found, 0.0)
    tree = linkage(squareform(np.minimum(found, found.T), checks=False), "average")
    cluster = fcluster(tree, reach, "distance")
    if ratio < limit:
        left = (np.bincount(cluster)[cluster] == 1) & alone & (nearest < LONE * limit)
        for one in np.flatnonzero(left):
            cluster[cluster == cluster[one]] = cluster[asked[one].argmin()]
    # A recording stands in one group as a whole: where most of its clips are.
    home = {name: int(np.bincount(cluster[names == name]).argmax()) for name in dict.fromkeys(recordings)}
    together: dict[int, list[int]] = {}
    for row, name in enumerate(recordings):
        together.setdefault(home[name], []).append(row)
    groups = tuple(tuple(those) for those in together.values() if len({recordings[row] for row in those}) > 1)
    return LookAlikes(ratio, limit, groups)


def _say_nothing(names: Iterable[str]) -> bool:
    """Whether numbers alone tell names from each other: words in them (``drum 1``, ``flute 1``) put what sounds alike side by
    side, whatever it is cut from."""
    return len({re.sub(r"\d+", "#", str(name).casefold()) for name in names}) == 1


def _places_apart(names: Sequence[str]) -> np.ndarray:
    """(n, n) how many places lie between recordings, put in order by their names, numbers as numbers."""
    keys = [re.sub(r"\d+", lambda m: m.group().lstrip("0").rjust(20, "0"), name.casefold()) for name in names]
    order = {name: at for at, (_, name) in enumerate(sorted(set(zip(keys, names, strict=True))))}
    places = np.array([order[name] for name in names])
    return np.abs(places[:, None] - places)


def copies(clips: Sequence[Clip], rows: ArrayLike, most: int = 300) -> list[tuple[int, int]]:
    """Pairs of clips that are one sound in two encodings (another format, rate, level or a second of lead-in).

    rows: as in ``look_alikes``; the ``most`` nearest pairs are compared, as the run of their loudness over time in bands,
    which no other performance shares, not even of one piece by one player
    """
    if len(clips) < 2:
        return []
    found = ratios(rows)
    near = np.argwhere(np.triu(found < (2 * VERY_ALIKE if len(clips) >= FEWEST else np.inf), 1))
    pairs = sorted(((int(i), int(j)) for i, j in near), key=lambda pair: found[pair])[:most]
    course = {row: _course(clips[row]) for row in {row for pair in pairs for row in pair}}
    return [(i, j) for i, j in pairs if _run_alike(course[i], course[j])]


def _course(clip: Clip) -> np.ndarray:
    """(frames, bands) loudness in decibels, every 20 ms, each band about its mean."""
    samples = clip.at(_RATE)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, 2 * _HOP)), 2 * _HOP)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(2 * _HOP).astype(np.float32), axis=1)) ** 2
    edges = np.unique(np.geomspace(2, 120, _BANDS + 1).astype(int))  # 50 Hz to 3 kHz: what every codec keeps
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    loud = 10 * np.log10(bands + 1e-12)
    return np.maximum(loud, loud.max() - 60)


def _run_alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two courses are one, at some lag, over at least four fifths of the shorter."""
    short, long = sorted((one, other), key=len)
    if len(short) < 25 or len(short) < 0.8 * len(long):
        return False
    lags = round(_LAG_SECONDS * _RATE / _HOP) + len(long) - len(short)
    for lag in range(-round(_LAG_SECONDS * _RATE / _HOP), lags + 1):
        a, b = long[max(lag, 0) :], short[max(-lag, 0) :]
        n = min(len(a), len(b))
        if n < 0.8 * len(short):
            continue
        a, b = a[:n] - a[:n].mean(axis=0), b[:n] - b[:n].mean(axis=0)
        if (a * b).sum() > SAME_SOUND * np.sqrt((a**2).sum() * (b**2).sum()) > 0:
            return True
    return False
