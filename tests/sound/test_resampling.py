"""Resampling keeps what it should, stops what would alias, and stays small and exact for odd rates."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
import torch

from mirdemo.sound.audio import Clip
from mirdemo.sound.resampling import KAISER_BETA, ROLLOFF, ZERO_CROSSINGS, resample

TARGETS = (16_000, 24_000, 48_000)
RATES = (11_025, 22_050, 44_100, 48_000, 96_000, 192_000)


def sine(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def middle(wave: np.ndarray) -> np.ndarray:
    """Without the edges, where the filter meets the silence outside."""
    return wave[len(wave) // 4 : -len(wave) // 4].astype(np.float64)


def decibels(power_ratio: float) -> float:
    return 10 * float(np.log10(power_ratio + 1e-20))


def split_tone(wave: np.ndarray, hertz: float, rate: int) -> tuple[float, float]:
    """(level of the tone, level of everything else) in dB relative to a full-scale sine, by least squares."""
    times = np.arange(len(wave) // 4, len(wave) // 4 + len(middle(wave))) / rate
    basis = np.stack([np.sin(2 * np.pi * hertz * times), np.cos(2 * np.pi * hertz * times)], axis=1)
    weights = np.linalg.lstsq(basis, middle(wave), rcond=None)[0]
    rest = middle(wave) - basis @ weights
    return decibels((weights**2).sum()), decibels(2 * (rest**2).mean())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rate", [*RATES, 7_999])
def test_a_tone_keeps_its_level_and_gains_no_company(rate: int, target: int):
    hertz = min(10_000, 0.85 * min(rate, target) / 2)  # 10 kHz where both rates can hold it
    level, rest = split_tone(resample(sine(hertz, rate), rate, target), hertz, target)
    assert abs(level) < 0.1
    assert rest < -80


@pytest.mark.parametrize(
    ("rate", "target"), [(r, t) for r in RATES for t in TARGETS if r > t] + [(44_101, 24_000)]
)
def test_what_would_alias_falls_below_minus_80_db(rate: int, target: int):
    """pydub 0.25.1 filters nothing: what would alias comes back 1 to 4 dB down (findings/pydub_lowers_rates_without_a_filter.sh)."""
    for hertz in np.linspace(target / 2 * 1.0005, rate / 2 * 0.999, 6):
        wave = resample(sine(hertz, rate), rate, target)
        assert decibels(2 * (middle(wave) ** 2).mean()) < -80, hertz


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rate", [*RATES, 4_000])
def test_the_length_is_the_ratio_rounded_up_and_the_type_float32(rate: int, target: int):
    for frames in (1, 2, 399, 10_007):
        out = resample(np.ones(frames, np.float32), rate, target)
        assert len(out) == -(-frames * target // rate)
        assert out.dtype == np.float32


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch):
    wave = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    whole = resample(wave, 44_100, 24_000)
    monkeypatch.setattr("mirdemo.sound.resampling._BLOCK_FRAMES", 5_000)
    assert np.abs(resample(wave, 44_100, 24_000) - whole).max() < 1e-5


@pytest.mark.parametrize(("up", "down"), [(1, 2), (1, 3), (2, 1), (3, 1), (5, 16), (80, 147)])
def test_filters_side_by_side_give_what_torchaudio_gives(up: int, down: int):
    from torchaudio.functional import resample as library

    for frames in (1, 300, 5_003):
        wave = np.random.default_rng(frames).normal(size=frames).astype(np.float32)
        theirs = library(
            torch.from_numpy(wave).double(), down, up, lowpass_filter_width=ZERO_CROSSINGS, rolloff=ROLLOFF,
            resampling_method="sinc_interp_kaiser", beta=KAISER_BETA,
        ).numpy()  # fmt: skip
        ours = resample(wave, 1_000 * down, 1_000 * up)
        assert len(ours) == len(theirs)
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_the_same_rate_gives_the_same_samples_and_a_clip_resamples_itself():
    clip = Clip.of(sine(440, 44_100), 44_100)
    assert clip.at(44_100) is clip.samples
    assert np.array_equal(clip.at(24_000), resample(clip.samples, 44_100, 24_000))


@pytest.mark.parametrize(
    ("rate", "target"), [(44_101, 24_000), (383_999, 24_000), (7_999, 48_000), (4_001, 47_999)]
)
def test_odd_rates_need_no_gigabytes(rate: int, target: int):
    before = psutil.Process().memory_info().rss
    wave = resample(sine(440, rate, 1.0), rate, target)
    assert psutil.Process().memory_info().rss - before < 400e6
    level, rest = split_tone(wave, 440, target)
    assert abs(level) < 0.1
    assert rest < -50  # rates beyond 50,000 are rounded by at most 1e-5
