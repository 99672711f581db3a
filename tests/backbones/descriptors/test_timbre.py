"""Each group of timbre statistics measures what its docstring says, in the unit it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mirdemo.backbones.descriptors import timbre
from mirdemo.backbones.descriptors.frames import FFT, FRAMES_PER_SECOND, HOP, MELS, RATE, short_time_power
from mirdemo.backbones.descriptors.timbre import correlation, mfcc, modulation, shape

BANDS, OCTAVES = 16, 6
FRAMES = round(10 * FRAMES_PER_SECOND)


def tremolo(hertz: float, decibels: float, frames: int = FRAMES) -> torch.Tensor:
    """Mel levels (1, 64, frames) of which only the first four go up and down."""
    log_mel = torch.full((1, MELS, frames), -30.0)
    time = torch.arange(frames) / FRAMES_PER_SECOND
    log_mel[:, :4] += decibels * torch.sin(2 * math.pi * hertz * time)
    return log_mel


@pytest.mark.parametrize(("hertz", "octave"), [(0.5, 0), (1.0, 1), (2.0, 2), (4.0, 3), (8.0, 4), (16.0, 5)])
def test_a_tremolo_is_found_in_its_octave_and_band_with_its_variance(hertz, octave):
    found = modulation(tremolo(hertz, 6.0)).view(BANDS, OCTAVES)
    assert found[0].argmax() == octave
    assert found[0, octave] == pytest.approx(10 * math.log10(6.0**2 / 2), abs=1.0)
    assert found[1:].max() == pytest.approx(10 * math.log10(0.01), abs=1e-4)


@pytest.mark.parametrize("edge", [1.4, 5.6, 11.2])
def test_octaves_of_modulation_part_where_they_should(edge):
    below, above = (
        modulation(tremolo(edge * times, 6.0)).view(BANDS, OCTAVES)[0].argmax() for times in (0.93, 1.07)
    )
    assert above == below + 1


@pytest.mark.parametrize("seconds", [0.1, 0.5, 3.0])
def test_the_length_of_the_window_is_no_modulation(seconds):
    still = torch.full((1, MELS, max(4, round(seconds * FRAMES_PER_SECOND))), -12.0)
    assert modulation(still).max() == pytest.approx(-20.0, abs=1e-4)


def test_a_fixed_filter_changes_neither_modulation_nor_correlation():
    rng = torch.Generator().manual_seed(0)
    log_mel = 10 * torch.randn(1, MELS, FRAMES, generator=rng)
    filtered = log_mel + 20 * torch.randn(1, MELS, 1, generator=rng)
    torch.testing.assert_close(modulation(filtered), modulation(log_mel), atol=1e-3, rtol=0)
    torch.testing.assert_close(correlation(mfcc(filtered)), correlation(mfcc(log_mel)), atol=1e-3, rtol=0)


def test_correlations_are_those_of_numpy_and_none_where_nothing_moves():
    coefficients = torch.randn(1, 20, 200, generator=torch.Generator().manual_seed(1))
    expected = np.corrcoef(coefficients[0, :12].numpy())[np.triu_indices(12, 1)]
    np.testing.assert_allclose(correlation(coefficients)[0], expected, atol=1e-5)
    assert not correlation(torch.ones(1, 20, 200)).any()
    assert correlation(1e-9 * coefficients).abs().max() < 1e-3  # rounding is no motion


def outline(wave: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """The 14 numbers of a wave, the power of an offset added to its lowest line."""
    waves = torch.from_numpy(wave.astype(np.float32))[None]
    power = short_time_power(waves, FFT, HOP, centred=False)
    power[:, 0] += offset
    return shape(power, waves)[0].numpy()


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 5000.0])
def test_a_tone_has_its_centroid_and_roll_offs_at_its_frequency_and_crosses_zero_twice_a_period(hertz):
    found = outline(np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE))
    assert found[:4] == pytest.approx(math.log2(1 + hertz), abs=0.1)
    assert found[4] < math.log2(1 + 50)  # its spread is that of the window
    assert np.exp(found[12]) == pytest.approx(2 * hertz / RATE, rel=0.02)
    assert found[6:12].max() < 0.1  # nothing moves


def test_noise_is_flat_and_wide_and_rolls_off_where_its_energy_ends():
    rng = np.random.default_rng(0)
    noise = outline(rng.standard_normal(4 * RATE))
    tone = outline(np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE))
    assert noise[5] > -0.7 > -5 > tone[5]
    assert noise[1:4] == pytest.approx([math.log2(share * RATE / 2) for share in (0.5, 0.85, 0.95)], abs=0.03)
    assert noise[4] > tone[4] + 4
    assert noise[13] == pytest.approx(
        0.5 / math.sqrt(FFT), rel=0.3
    )  # every step crosses zero or not, by chance


@pytest.mark.parametrize("apart", [500.0, 2000.0])
def test_the_spread_of_two_equal_tones_is_half_of_what_parts_them(apart):
    time = np.arange(2 * RATE) / RATE
    low, high = (np.sin(2 * np.pi * (5000 + side * apart / 2) * time) for side in (-1, 1))
    found = outline(low + high)
    assert found[0] == pytest.approx(math.log2(1 + 5000), abs=0.02)
    assert found[4] == pytest.approx(math.log2(1 + apart / 2), abs=0.05)


def test_an_offset_is_no_part_of_flatness():
    noise = np.random.default_rng(1).standard_normal(RATE)
    assert outline(noise, offset=1e6)[5] == outline(noise)[5]


def test_silence_crosses_zero_never_and_lies_at_the_bottom():
    silence = outline(np.zeros(RATE))
    assert silence[:6] == pytest.approx(0.0)
    assert silence[12] == pytest.approx(math.log(1e-4))
    assert not silence[6:12].any()


def test_what_moves_shows_in_the_deviations():
    """A tone that leaps between two pitches: half the time at one, half at the other."""
    time = np.arange(2 * RATE) / RATE
    low, high = (np.sin(2 * np.pi * hertz * time) for hertz in (500.0, 4000.0))
    found = outline(np.concatenate([low, high]))
    assert found[6:10] == pytest.approx(1.5, abs=0.05)  # three octaves apart
    assert found[13] == pytest.approx((4000 - 500) / RATE, rel=0.03)


@pytest.mark.parametrize("silence", [0.0, 1e-7])
def test_silence_before_or_after_the_music_has_no_outline(silence):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(4 * RATE)
    quiet = silence * rng.standard_normal(2 * RATE)
    alone, framed = outline(noise), outline(np.concatenate([quiet, noise, quiet]))
    np.testing.assert_allclose(framed[:12], alone[:12], atol=0.05)


def test_a_crossing_through_an_exact_zero_counts_once():
    period = np.array([0.0, 1.0, 0.0, -1.0])
    found = outline(np.tile(period, RATE // 4))
    assert np.exp(found[12]) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("frames", [60, 430])
def test_what_alternates_from_frame_to_frame_is_counted_once(frames):
    log_mel = torch.full((1, MELS, frames), -30.0)
    log_mel[..., ::2] += 6.0
    found = modulation(log_mel).view(BANDS, OCTAVES)
    assert found[:, -1] == pytest.approx(10 * math.log10(3.0**2), abs=0.01)
    assert found[:, :-1].max() < -19


def test_rows_are_sorted_as_torch_sorts_them():
    rows = torch.rand(2, 5, 40, generator=torch.Generator().manual_seed(0)) ** 4
    rows[0, 0, :3] = torch.tensor([float("inf"), 0.0, 0.0])
    with torch.inference_mode():
        assert torch.equal(timbre._sorted(rows), rows.sort(dim=-1).values)
