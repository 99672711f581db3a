"""A probe carried on to new clips."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mirdemo.sound.audio import Clip
from mirdemo.stages.probing import ProbeError, apply_probe, probe
from mirdemo.stages.probing.crossval import trained_on

RATE = 16_000


def rows(n: int, seed: int, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (np.arange(n)[:, None] % [2, 3] == 0).astype(np.uint8)
    return (rng.standard_normal((n, size)) + 1.5 * labels.repeat(size // 2, 1)).astype(np.float32), labels


@pytest.mark.parametrize("few", [3000, 0], ids=["by kernels", "by dimensions"])
def test_it_is_the_logistic_regression_of_all_labelled_clips(monkeypatch, few):
    monkeypatch.setattr("mirdemo.stages.probing.crossval.DUAL_CLIPS", few)
    learned, labels = rows(40, 0)
    new, _ = rows(10, 1)
    scaler = StandardScaler().fit(learned)
    ours = trained_on(learned, labels, new, 1.0, scale=True)
    for j in range(2):
        theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(
            scaler.transform(learned), labels[:, j]
        )
        assert np.abs(ours[:, j] - theirs.decision_function(scaler.transform(new))).max() < 0.1


def test_many_new_clips_take_no_memory_beside_their_rows():
    learned, labels = rows(40, 0)
    new, _ = rows(4000, 1)
    tracemalloc.start()
    trained_on(learned, labels, new, 1.0, scale=True)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30 * new.nbytes, "new clips x new clips are over 600 times as much"


@pytest.mark.parametrize("few", [3000, 0], ids=["by kernels", "by dimensions"])
def test_a_tag_that_every_clip_has_or_none_is_told_of_nobody(monkeypatch, few):
    monkeypatch.setattr("mirdemo.stages.probing.crossval.DUAL_CLIPS", few)
    learned, labels = rows(20, 0)
    labels[:, 1] = 1
    assert np.isnan(trained_on(learned, labels, rows(5, 1)[0], 1.0, scale=True)).all(0).tolist() == [
        False,
        True,
    ]


@pytest.fixture(scope="module")
def heard():
    """Embeddings of low and high tones, by a real backbone."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed

    def clips(n: int, seed: int) -> list[Clip]:
        rng = np.random.default_rng(seed)
        t = np.arange(RATE) / RATE
        waves = [np.sin(2 * np.pi * (200, 2000)[i % 2] * t * rng.uniform(0.9, 1.1)) for i in range(n)]
        return [Clip.of((0.3 * w + 0.01 * rng.standard_normal(RATE)).astype(np.float32), RATE) for w in waves]

    backbone = load_backbone("spectral")
    return embed(clips(12, 0), backbone), embed(clips(6, 1), backbone)


def test_new_clips_are_told_apart_as_the_labelled_ones(heard):
    learned, new = heard
    labels = (np.arange(12)[:, None] % 2 == [0]).astype(np.uint8)
    report = probe(learned, labels, [f"r{i}" for i in range(12)], tags=["low"], permutations=0, seeds=[0])
    scores = apply_probe(report, learned, new)
    assert scores.shape == (6, 1)
    assert (scores[::2] > 0.5).all()
    assert (scores[1::2] < 0.5).all()


def test_a_probe_of_other_clips_is_refused(heard):
    learned, new = heard
    labels = (np.arange(6)[:, None] % 2 == [0]).astype(np.uint8)
    report = probe(new, labels, [f"r{i}" for i in range(6)], tags=["low"], permutations=0, seeds=[0])
    with pytest.raises(ProbeError) as refusal:
        apply_probe(report, learned, new)
    assert refusal.value.sentence.code == "probing.other_clips"
