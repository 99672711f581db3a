"""How F1 rises with the number of examples of a tag, by least squares, and how much of the difference that explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mirdemo.results.records import Result
from mirdemo.scoring.intervals import Interval
from mirdemo.scoring.lines import fit

#: fewest tags of a trend
LEAST = 8


@dataclass(frozen=True)
class Trend:
    """How F1 rises with the number of examples in one tradition, by least squares on log10 of that number.

    slope: gain in F1 for ten times the examples
    explained: share of the variance of F1 between tags that the line explains (adjusted R squared, 0 to 1): what rarity
        accounts for; the rest is everything else, strangeness among it. Begins at 0 where rarity may explain nothing
    centre: (mean of log10 number, mean F1), a point of the line
    n_tags: tags that the fit stands on; support_range: fewest and most examples among them
    band: (number of examples, low, high) from fewest to most: where the lines of draws of tags with
        replacement lie, one number at a time, cut to 0..1
    """

    tradition: str
    slope: Interval
    explained: Interval
    centre: tuple[float, float]
    n_tags: int
    support_range: tuple[int, int]
    band: tuple[tuple[float, float, float], ...]

    def at(self, support: np.ndarray) -> np.ndarray:
        """The line's F1 at numbers of examples, cut to 0..1."""
        return np.clip(self.centre[1] + self.slope.value * (np.log10(support) - self.centre[0]), 0, 1)


def trends(records: Iterable[Result], traditions: Mapping[str, str], *, seed: int = 0) -> list[Trend]:
    """One trend a tradition from per-tag F1 records (with ``setting["support"]``).

    traditions: corpus -> tradition, in the order of the answer; records of other corpora are left out
    The support is that of the test split; the published splits are random, so within a corpus it is in
    proportion to the training examples. Across corpora of different size equal support is a different share
    of the recordings, so the heights of two lines are not compared. A tradition with fewer than 8 tags, or
    whose tags all have one support or one F1, gets no trend.
    """
    parted: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        support = record.setting.get("support")
        if record.tag is not None and record.metric == "f1" and support and record.corpus in traditions:
            parted[traditions[record.corpus]].append((float(support), record.value))
    points = ((t, np.array(parted[t]).T) for t in dict.fromkeys(traditions.values()) if t in parted)
    found = []
    for tradition, (support, f1) in points:
        if len(f1) < LEAST or np.ptp(support) == 0 or np.ptp(f1) == 0:
            continue
        line = fit(np.log10(support), f1, seed=seed)
        band = tuple((10**x, *np.clip((low, high), 0, 1).tolist()) for x, low, high in line.band)
        ends = int(support.min()), int(support.max())
        found.append(Trend(tradition, line.slope, line.explained, line.centre, len(f1), ends, band))
    return found
