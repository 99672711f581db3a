"""Differences of two backbones on the same clips are as unsure as they vary from collection to collection."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.stages.probing import compare, probe

COLLECTIONS, RECORDINGS, SIZE, LAYERS = 60, 20, 24, 2
#: How strongly the two backbones hear each tag.
HEARD = np.array([[0.0, 0.0], [0.5, 0.5], [0.9, 0.7]])


@pytest.fixture(scope="module")
def differences() -> dict[str, np.ndarray]:
    """Value, low and high of ROC-AUC's differences, (3, collections, tags and the mean over them)."""
    found = []
    for number in range(COLLECTIONS):
        rng = np.random.default_rng([7, number])
        labels = np.stack([rng.permutation(RECORDINGS) < 5 for _ in HEARD], 1).astype(np.uint8)
        shared = rng.normal(size=(RECORDINGS, 8))
        names, reports = [f"r{i}" for i in range(RECORDINGS)], []
        for backbone in (0, 1):
            fixed = np.random.default_rng(backbone)
            layers = {}
            for layer in range(LAYERS):
                towards = fixed.normal(size=(len(HEARD), SIZE)) * HEARD[:, backbone, None]
                own = shared @ fixed.normal(size=(8, SIZE)) / 3 + rng.normal(size=(RECORDINGS, SIZE))
                layers[str(layer)] = own + labels @ towards
            reports.append(
                probe(layers, labels, names, clips=names, tags=list("abc"), seeds=range(2), permutations=0)
            )
        made = compare(*reports)
        gaps = [*(made.tags[tag].roc_auc for tag in "abc"), made.macro.roc_auc]
        found.append([(gap.value, gap.low, gap.high) for gap in gaps])
    return np.array(found, dtype=float).transpose(2, 0, 1)


def test_they_hold_the_true_difference_as_often_as_they_say(differences):
    value, low, high = differences
    true = value.mean(0)
    assert 0.86 <= ((low <= true) & (true <= high)).mean() <= 0.96


def test_they_are_as_wide_as_differences_vary(differences):
    value, low, high = differences
    needed = 3.29 * value.std(0)
    assert 0.95 <= np.mean((high - low).mean(0) / needed) <= 1.25
