"""Intervals of the whole live probe, training included, hold what such a probe gives in the mean."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.stages.probing import probe

SETS = 80


@pytest.mark.parametrize(("heard", "narrowest"), [(0.0, 81), (2.5, 83)])
def test_nine_in_ten_intervals_of_the_live_probe_hold_its_mean_roc_auc(heard, narrowest):
    """Another collection has other test recordings and another probe; both must be in the interval.

    Two standard errors of 80 sets are seven points; without anything heard the tables of ``benchmarks/truth.py`` have a
    cell or two at 88 %.
    """
    direction = np.random.default_rng(0).normal(size=(1, 30)) / np.sqrt(30)
    found = []
    for seed in range(SETS):
        rng = np.random.default_rng(seed)
        recordings = np.repeat(np.arange(40), rng.integers(1, 3, 40))
        labels = (rng.permutation(40) < 12)[recordings][:, None].astype(int)
        room = rng.normal(size=(40, 30))[recordings]
        rows = heard * labels @ direction + 0.7 * room + 0.7 * rng.normal(size=(len(labels), 30))
        found.append(probe({"only": rows}, labels, recordings, permutations=0).tags[0].figures.roc_auc)
    mean = np.mean([interval.value for interval in found])
    assert 100 * np.mean([interval.low <= mean <= interval.high for interval in found]) >= narrowest
