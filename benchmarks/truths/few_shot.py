"""Few-shot's own score: how near it comes to what the tagger it speaks of does on 400 new recordings, and its intervals.

The truth is that of each collection's own tagger, by the same formulas on new recordings; macro figures over tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.truths import Rate, build, mean, share
from benchmarks.truths.worlds import World

NEW = 400
#: Embeddings of one backbone all point roughly the same way.
OFFSET = 2.0
#: Six tags of equal strength on a third of the recordings, or none.
WORLDS = [
    World(recordings, clips, share=1 / 3, strengths=(strength,) * 6, layers=1)
    for strength in (0.0, 1.0, 2.0)
    for recordings, clips in ((8, 3), (12, 3), (20, 3), (12, 1), (20, 1), (40, 3))
]


def methods() -> dict:
    """What to try: name -> how it is made."""
    few = build("mirdemo.stages.fewshot", "mirdemo.fewshot")
    return {
        "LC-Protonets": few.LCPrototypes,
        "ML-PN": lambda: few.TagPrototypes(calibrated=True),
        "linear head": few.LinearHead,
    }


def figures(world: World, seed: int, make: Callable) -> tuple[dict, dict]:
    """What one collection's tagger says of itself, and what it does: metric -> Interval, metric -> value."""
    few = build("mirdemo.stages.fewshot", "mirdemo.fewshot")
    metrics = build("mirdemo.scoring.metrics", "mirdemo.metrics")
    check = getattr(few, "leave_recordings_out", None) or few.leave_one_recording_out
    here, new = world.draw(seed), world.draw(10**6 + seed, recordings=NEW)
    rows = here.layers["0"] + OFFSET
    said = check(rows, here.labels, here.recordings, make).score
    tagger = make().fit(rows, here.labels, here.recordings)
    asked = new.layers["0"] + OFFSET
    truth, given, scores = new.labels.T, tagger.predict(asked).T.astype(float), tagger.scores(asked).T
    true = {
        "roc_auc": float(np.nanmean(metrics.roc_auc(truth, scores))),
        "mean_average_precision": float(np.nanmean(metrics.average_precision(truth, scores))),
        "macro_f1": float(np.nanmean(metrics.f1(truth, given))),
        "micro_f1": float(metrics.micro_f1(truth, given)),
    }
    return {name: getattr(said, name) for name in true}, true


def rates(collections: int) -> Iterator[Rate]:
    for name, make in methods().items():
        for world in WORLDS:
            if name != "LC-Protonets" and (world.recordings > 20 or world.clips == 1):
                continue
            some = collections if name == "LC-Protonets" else max(collections // 5, 10)
            pairs = [figures(world, seed, make) for seed in range(some)]
            for metric in pairs[0][1]:
                true = np.array([one[metric] for _, one in pairs])
                cell = f"{name}, {world.name}, strength {world.strengths[0]:g}, {metric}"
                yield mean(cell, "true", true)
                yield mean(cell, "shown", [one[metric].value for one, _ in pairs])
                held = [
                    (one[metric], t)
                    for (one, _), t in zip(pairs, true, strict=True)
                    if one[metric].low is not None
                ]
                yield share(cell, "covers", [one.low <= t <= one.high for one, t in held])
                yield mean(cell, "width", [one.high - one.low for one, _ in held])
