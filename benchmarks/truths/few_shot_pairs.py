"""Two backbones' few-shot accuracy on the same recordings and draws: how often does the interval of their difference hold the truth?

As ``mirdemo.evidence.unheard`` makes it for real recordings, in worlds of its two sizes: sixty recordings of ten tags, one window each,
and 82 of twelve, six windows each; either backbone hears the tags at a strength of its own, and both the same recordings. The truth
is the mean over all collections of a row. Builds that keep no influences of few-shot figures have no such interval, and give none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.truths import Rate, build, mean, share

#: Tags, recordings, windows of each, strengths of the two backbones.
DESIGNS = (
    (10, 60, 1, (0.55, 0.3)),
    (12, 82, 6, (0.25, 0.2)),
    (12, 82, 6, (0.0, 0.0)),
    (10, 60, 1, (1.2, 0.3)),
)
SIZE = 16


def rates(collections: int) -> Iterator[Rate]:
    try:
        contrast, _ = build("mirdemo.scoring.variances").contrast, _paired()
    except (ImportError, AttributeError):
        return
    for tags, recordings, windows, strengths in DESIGNS:
        rng = np.random.default_rng(1)
        pairs = [_pair(rng, tags, recordings, windows, strengths) for _ in range(collections)]
        true = float(np.mean([pair.difference for pair in pairs]))
        found = [contrast([pair]) for pair in pairs]
        cell = f"{tags} tags, {recordings} recordings x {windows}, strengths {strengths[0]:g} and {strengths[1]:g}"
        yield mean(cell, "difference", [pair.difference for pair in pairs])
        yield share(cell, "covers", [one.low <= true <= one.high for one in found])
        yield mean(cell, "width", [one.high - one.low for one in found])


def _pair(rng: np.random.Generator, tags: int, recordings: int, windows: int, strengths: tuple[float, float]):
    """The paired difference of one collection."""
    evaluate = build("mirdemo.stages.fewshot").evaluate_episodes
    paired = _paired()
    tag, of = np.arange(recordings) % tags, np.repeat(np.arange(recordings), windows)
    centres = np.random.default_rng(7).normal(size=(tags, SIZE))
    shared = rng.normal(size=(recordings, SIZE))
    own = [rng.normal(size=(recordings, SIZE)) for _ in strengths]
    labels = np.eye(tags, dtype=np.uint8)[tag[of]]
    reports = []
    for strength, moved in zip(strengths, own, strict=True):
        rows = (strength * centres[tag] + 0.7 * shared + 0.7 * moved)[of]
        rows = rows + 0.5 * rng.normal(size=rows.shape)
        reports.append(evaluate(rows, labels, of, [f"t{i:02}" for i in range(tags)], protocol="live"))
    one, other = reports
    gaps = np.array([a.micro_f1 - b.micro_f1 for a, b in zip(one.episodes, other.episodes, strict=True)])
    moved = one.influences["micro_f1"] - other.influences["micro_f1"]
    return paired(1.0, one.micro_f1.known - other.micro_f1.known, moved, gaps)


def _paired():
    return build("mirdemo.scoring.variances").PairedDifference
