"""A drawing and a level of bounded size, made in passing: as if made of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.sound.waveform import LEVEL_SECONDS, Levels, Peaks, decibels, outline_of

RANDOM = np.random.default_rng(3)


def drawn(samples: np.ndarray, bins: int, blocks: int) -> Peaks:
    made = Peaks(bins)
    for block in np.array_split(samples, blocks):
        made.add(block)
    return made


@pytest.mark.parametrize("blocks", [1, 7, 1_000])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 4_096, 100_003])
def test_a_drawing_is_the_same_however_the_samples_come(count: int, blocks: int):
    samples = RANDOM.normal(size=count).astype(np.float32)
    peaks = drawn(samples, 128, blocks)
    assert len(peaks) <= 129
    each = peaks.frames_per_bin
    assert each < 128 or (len(peaks) >= 64), "bins are only made longer when all are full"
    shape = peaks.outline(0, len(peaks) * each, len(peaks))
    cut = [samples[at : at + each] for at in range(0, count, each)]
    np.testing.assert_array_equal(shape, [(one.min(), one.max()) for one in cut])
    assert peaks.top == pytest.approx(float(np.abs(samples).max()))


def test_a_drawing_has_every_peak_at_any_width_and_nothing_behind_the_end():
    samples = np.zeros(50_000, np.float32)
    samples[[7, 31_000]] = 0.9, -0.7
    peaks = drawn(samples, 256, 3)
    for columns in (1, 3, 40, 999):
        shape = peaks.outline(0, 50_000, columns)
        assert shape.shape == (columns, 2)
        assert (shape.max(), shape.min()) == (np.float32(0.9), np.float32(-0.7))
    assert not peaks.outline(60_000, 80_000, 10).any()


def test_samples_wider_than_a_column_are_drawn_as_steps():
    np.testing.assert_array_equal(outline_of(np.float32([1, -1]), 4)[:, 0], [1, 1, -1, -1])


@pytest.mark.parametrize("blocks", [1, 13])
def test_levels_are_the_root_of_the_mean_square_in_half_decibels(blocks: int):
    rate = 8_000
    t = np.arange(rate) / rate
    samples = np.concatenate(
        [np.sin(2 * np.pi * 100 * t), 0.01 * np.sin(2 * np.pi * 100 * t), np.zeros(rate)]
    )
    levels = Levels(rate)
    for block in np.array_split(samples.astype(np.float32), blocks):
        levels.add(block)
    found = decibels(levels.so_far().astype(float))
    assert len(found) == round(3 / LEVEL_SECONDS)
    loud, soft, silent = np.split(found, 3)
    np.testing.assert_allclose(loud, -3.0, atol=0.3)
    np.testing.assert_allclose(soft, -43.0, atol=0.3)
    assert (silent == -120).all()
