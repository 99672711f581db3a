"""A clip as a file that gives the very same values back."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.sound.audio import Clip, load_clip
from mirdemo.sound.lossless import lossless

NOISE = np.random.default_rng(0).normal(scale=0.2, size=30_011)


@pytest.mark.parametrize("rate", [4_000, 12_345, 44_100, 384_000])
@pytest.mark.parametrize(
    ("values", "suffix"),
    [
        (np.rint(NOISE * 2**15) / 2**15, ".flac"),
        (np.rint(NOISE * 2**23) / 2**23, ".flac"),
        (np.zeros(500), ".flac"),
        (np.array([-1.0, 0.5]), ".flac"),
        (NOISE, ".wv"),
        (NOISE * 40, ".wv"),
        (NOISE * 1e-40, ".wv"),
        (np.array([1.0, 0.5]), ".wv"),
        (np.array([0.3]), ".wv"),
        (np.where(NOISE > 0, -0.0, NOISE), ".wv"),
    ],
    ids=["16bit", "24bit", "silence", "full", "fractions", "loud", "tiny", "over", "one", "negative-zeros"],
)
def test_the_same_values_come_back(values: np.ndarray, suffix: str, rate: int):
    clip = Clip.of(values.astype(np.float32), rate, "taiko")
    kind, content = lossless(clip)
    back = load_clip(content, f"taiko{kind}")
    assert kind == suffix
    assert back.sha256 == clip.sha256
    assert not {w.code for w in back.warnings} - {"audio.silent", "audio.loud"}


def test_flac_takes_less_than_the_samples():
    clip = Clip.of((np.rint(NOISE * 2**15) / 2**15).astype(np.float32), 44_100)
    assert len(lossless(clip)[1]) < 0.55 * clip.samples.nbytes
