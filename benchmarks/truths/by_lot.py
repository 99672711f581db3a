"""Tags ranked by lot: how often does the interval of their mean average precision lie wholly above chance?

No probe is trained: scores are drawn, so this is the interval alone, as of scores that came from elsewhere. Each clip is a recording.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.truths import Rate, build, mean, share

#: Recordings, recordings that have a tag, tags.
DESIGNS = ((40, 5, 12), (40, 5, 40), (100, 5, 40), (100, 10, 12), (200, 5, 40), (200, 10, 40), (200, 20, 40))


def rates(collections: int) -> Iterator[Rate]:
    intervals = build("mirdemo.scoring.intervals", "mirdemo.intervals")
    metrics = build("mirdemo.scoring.metrics", "mirdemo.metrics")
    for recordings, having, tags in DESIGNS:
        rng = np.random.default_rng([11, recordings, having, tags])
        labels = (np.argsort(rng.random((collections, tags, recordings)), -1) < having).astype(int)
        value, influence = metrics.average_precision_influence(labels, rng.random(labels.shape))
        found = intervals.estimate(value, influence, labels, np.arange(recordings), pairs=False).macro()
        chance = metrics.chance_average_precision(having, recordings)
        cell = f"{tags} tags by lot, {having} of {recordings} recordings each"
        yield share(cell, "above chance", found.intervals().low > chance)
        yield mean(cell, "value", value.mean(axis=-1))
        yield mean(cell, "chance", [chance, chance])
