"""One Ray cluster of this machine with two workers, and clips for it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdemo.bulk import Workers, engine
from mirdemo.embedding.store import EmbeddingStore

RATE = 22_050


@pytest.fixture(scope="module")
def ray_cluster():
    """Started once for the module; its workers find the backbones of this folder."""
    pytest.importorskip("ray", reason="Ray is an optional extra (requirements-bulk.txt)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        with engine.cluster(Workers(count=2), lambda sentence: None) as ray:
            yield ray


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def make_clips(tmp_path):
    """make(n): n files of unlike sound, the first of two windows (13 s, or ``first`` s), the others of 2 s."""

    def make(n: int, level: float = 0.1, name: str = "clip", first: int = 13) -> list[Path]:
        paths = []
        for number in range(n):
            rng = np.random.default_rng([number, *name.encode()])
            seconds = first if number == 0 else 2
            t = np.arange(seconds * RATE) / RATE
            wave = np.sin(2 * np.pi * rng.uniform(100, 2000) * t) + 0.1 * rng.standard_normal(len(t))
            paths.append(tmp_path / f"{name}-{number}.wav")
            soundfile.write(paths[-1], (level * wave / np.abs(wave).max()).astype(np.float32), RATE, "FLOAT")
        return paths

    return make
