"""The live probe's intervals: how often they hold the truth, and how wide they are.

The truth of a tag is what probes trained in the same way (the training side of one fold of such a collection, the
layer chosen on it) reach on 3,000 new recordings, the mean over 60 trainings.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.truths import Rate, build, mean, share
from benchmarks.truths.worlds import Collection, World, table

METRICS = ("roc_auc", "average_precision", "f1")
TRAININGS, NEW = 60, 3000


def truth(world: World) -> dict[str, np.ndarray]:
    """Metric -> (n_tags,): what such probes reach on new recordings."""
    crossval = build("mirdemo.stages.probing.crossval", "mirdemo.probing.crossval")
    metrics = build("mirdemo.scoring.metrics", "mirdemo.metrics")
    new = world.draw(10**6, recordings=NEW)
    heard = _with_mean(new)
    found = {name: [] for name in METRICS}
    for seed in range(TRAININGS):
        here, rng = world.draw(10**7 + seed), np.random.default_rng(seed)
        fold_of = rng.permutation(np.arange(world.recordings) % 5)[here.recordings]
        layers = _with_mean(here)
        inner = np.concatenate(
            [part.inner() for part in crossval.solve(layers, here.labels, fold_of, 1.0, scale=True)], axis=1
        )
        chosen, learn = crossval.choose(inner)[0], fold_of != 0
        scores = np.full(new.labels.shape, np.nan).T
        for k, layer in enumerate(chosen):
            y = here.labels[learn, k]
            if y.min() < y.max():
                scaler = StandardScaler().fit(layers[layer][learn])
                model = LogisticRegression(C=1.0, max_iter=300).fit(scaler.transform(layers[layer][learn]), y)
                scores[k] = model.predict_proba(scaler.transform(heard[layer]))[:, 1]
        for name in METRICS:
            found[name].append(getattr(metrics, name)(new.labels.T, scores))
    return {name: np.nanmean(values, axis=0) for name, values in found.items()}


def _with_mean(collection: Collection) -> list[np.ndarray]:
    """The layers as ``probe`` takes them: all, and their mean."""
    own = list(collection.layers.values())
    return [*own, np.mean(own, axis=0)]


def rates(collections: int) -> Iterator[Rate]:
    probe = build("mirdemo.stages.probing", "mirdemo.probing").probe
    for world in table():
        true, got = truth(world), []
        for seed in range(collections):
            here = world.draw(seed)
            got.append(probe(here.layers, here.labels, here.recordings, permutations=0))
        for name in METRICS:
            for k, strength in enumerate(world.strengths):
                cell = f"{world.name}, strength {strength:g}, true {name} {true[name][k]:.2f}"
                found = [getattr(report.tags[k].figures, name) for report in got]
                found = [one for one in found if one.low is not None]
                yield share(cell, "covers", [one.low <= true[name][k] <= one.high for one in found])
                yield mean(cell, "width", [one.high - one.low for one in found])
            overall = [getattr(report.macro.figures, name) for report in got]
            overall, middle = [one for one in overall if one.low is not None], float(true[name].mean())
            cell = f"{world.name}, mean over tags, true {name} {middle:.2f}"
            yield share(cell, "covers", [one.low <= middle <= one.high for one in overall])
            yield mean(cell, "width", [one.high - one.low for one in overall])
