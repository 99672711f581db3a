"""Decisions are counted as one model makes them on clips that it knows nothing of, so that what a plan expects comes true."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.planning.of_reports import decisions, learned_from
from mirdemo.stages.probing import probe
from mirdemo.stages.probing.crossval import trained_on

N, NEW, SIZE, TAGS, WORLDS = 12, 400, 24, 4, 80


@pytest.fixture(scope="module")
def counts() -> dict[str, np.ndarray]:
    """name -> (WORLDS, 2) rightly and wrongly given tags a recording: in truth, by ``given`` and by the mean scores."""
    found: dict[str, list[list[float]]] = {"truth": [], "given": [], "scores": []}
    for world in range(WORLDS):
        rng = np.random.default_rng([3, world])
        labels = (rng.random((N + NEW, TAGS)) < 0.35).astype(np.uint8)
        rows = rng.standard_normal((N + NEW, SIZE)).astype(np.float32)
        rows += 0.4 * labels @ rng.standard_normal((TAGS, SIZE)).astype(np.float32)
        own, new = labels[:N], labels[N:]
        report = probe({"only": rows[:N]}, own, [f"r{i}" for i in range(N)], permutations=0)
        applied = np.nan_to_num(trained_on(rows[:N], own, rows[N:], 1.0, scale=True), nan=-1) >= 0
        for name, said, truth in (
            ("truth", applied, new),
            ("given", decisions(report), own),
            ("scores", np.nan_to_num(report.scores, nan=-1) >= 0.5, own),
        ):
            found[name].append([(said * truth).sum(1).mean(), (said * (1 - truth)).sum(1).mean()])
    return {name: np.array(rows) for name, rows in found.items()}


def flattery(counts: dict[str, np.ndarray], name: str) -> tuple[float, float]:
    """How much better than the truth it looks, more right and fewer wrong together, and the standard error."""
    better = ((counts[name] - counts["truth"]) * [1, -1]).sum(1)
    return better.mean(), better.std() / np.sqrt(WORLDS)


def test_counts_of_decisions_do_not_flatter(counts):
    looks, error = flattery(counts, "given")
    # Four fifths of 12 recordings teach less than all, but not that much less.
    assert -0.4 < looks < 2 * error


def test_counts_at_the_mean_scores_would(counts):
    """What the test above holds against: means over draws, with intercepts that know how often the tag is there."""
    looks, error = flattery(counts, "scores")
    assert looks > 3 * error


def test_a_report_says_of_how_many_recordings_its_models_learned_and_an_older_one_is_read_by_its_scores():
    rng = np.random.default_rng(0)
    labels = (rng.random((20, 2)) < 0.5).astype(np.uint8)
    rows = rng.standard_normal((20, 8)).astype(np.float32) + labels[:, :1] * 3
    report = probe({"only": rows}, labels, [f"r{i}" for i in range(20)], permutations=0, n_folds=4)
    assert learned_from(report) == 0.75
    assert decisions(report).shape == labels.shape
    assert ((decisions(report) >= 0) & (decisions(report) <= 1)).all()
    object.__setattr__(report, "given", None)
    assert learned_from(report) == 1
    np.testing.assert_array_equal(decisions(report), np.nan_to_num(report.scores, nan=-1) >= 0.5)
