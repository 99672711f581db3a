"""A picture of what is in view: tones where they are, when they are, and no more read than it shows."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.sound.audio import Clip
from mirdemo.sound.long import LongRecording, long_of
from mirdemo.sound.spectrogram import BANDS, LOWEST, highest, picture


def recording(rate: int, *tones: tuple[float, float, float], seconds: float = 20.0) -> LongRecording:
    """Of tones: start, end (seconds), Hz."""
    t = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * t) * ((t >= start) & (t < end)) for start, end, hz in tones)
    return long_of(Clip.of(np.asarray(wave, np.float32), rate, "a"))


def band_of(hz: float, rate: int) -> float:
    return BANDS * np.log(hz / LOWEST) / np.log(highest(rate) / LOWEST)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
@pytest.mark.parametrize("hz", [110.0, 440.0, 3_000.0])
def test_a_tone_stands_at_its_height_and_time(rate: int, hz: float):
    drawn = picture(recording(rate, (5.0, 10.0, hz)), 0.0, 20.0, 80)
    assert (drawn.shape, drawn.dtype) == ((BANDS, 80), np.uint8)
    there = drawn.max(axis=0) > 128
    assert there[21:39].all()
    assert not there[:19].any()
    assert not there[41:].any()
    strongest = drawn[:, 21:39].argmax(axis=0)
    assert np.abs(strongest - band_of(hz, rate)).max() < max(2.0, 0.04 * BANDS)


def test_two_tones_ten_times_apart_in_level_are_twenty_decibels_apart():
    loud, soft = recording(16_000, (0, 20, 500.0)), recording(16_000, (0, 20, 2_000.0))
    both = long_of(Clip.of(loud.read(0, 20) + 0.1 * soft.read(0, 20), 16_000, "a"))
    column = picture(both, 5, 10, 10)[:, 5].astype(float)
    high = column[round(band_of(2_000, 16_000)) - 3 :].max()
    assert (column.max() - high) / 255 * 75 == pytest.approx(20, abs=8)


def test_close_up_and_behind_the_end():
    made = recording(8_000, (0.0, 20.0, 440.0))
    close = picture(made, 3.0, 3.1, 50)
    assert (close.max(axis=0) > 200).all()
    behind = picture(made, 19.0, 21.0, 40)
    assert behind[:, 24:].max() == 0


def test_silence_is_black():
    assert picture(long_of(Clip.of(np.zeros(8_000, np.float32), 8_000, "a")), 0, 1, 10).max() == 0


def test_its_cost_is_that_of_its_columns(monkeypatch: pytest.MonkeyPatch):
    made = recording(8_000, (0.0, 20.0, 440.0), seconds=600)
    read = made.spool.read
    asked: list[int] = []
    monkeypatch.setattr(
        type(made.spool), "read", lambda self, start, stop: asked.append(stop - start) or read(start, stop)
    )
    picture(made, 0.0, 600.0, 100)
    assert sum(asked) <= 3 * 100 * 512
