"""MP3 from clips: it plays, at a rate that MP3 has, and weighs what was asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from mirdemo.sound.audio import Clip
from mirdemo.sound.mp3 import MP3_RATES, encode_mp3


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 50_000, 96_000])
@pytest.mark.parametrize("kilobits", [None, 48])
def test_it_sounds_the_same(rate: int, kilobits: int | None):
    t = np.arange(2 * rate) / rate
    clip = Clip.of((0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), rate)
    sound, found = soundfile.read(io.BytesIO(encode_mp3(clip, kilobits)))
    assert found in MP3_RATES
    assert sound.ndim == 1
    assert len(sound) / found == pytest.approx(2, abs=0.1)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * found / len(sound) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("kilobits", [None, 48])
@pytest.mark.parametrize("peak", [0.01, 0.1, 0.9])
def test_what_is_quiet_is_played_as_quiet_as_it_is(peak: float, kilobits: int | None):
    """Not at full scale, as by gradio.Audio (6.31.0, findings/gradio_plays_floats_at_full_scale.sh)."""
    tone = peak * np.sin(2 * np.pi * 440 * np.arange(44_100) / 22_050)
    sound, _ = soundfile.read(io.BytesIO(encode_mp3(Clip.of(tone.astype(np.float32), 22_050), kilobits)))
    middle = sound[len(sound) // 4 : -len(sound) // 4]  # an encoder rings where a tone begins
    assert np.sqrt((middle**2).mean()) == pytest.approx(peak / 2**0.5, rel=0.06)  # LAME: .95 of it


def test_kilobits_are_kept():
    noise = 0.3 * np.random.default_rng(0).standard_normal(44_100 * 4).astype(np.float32)
    clip = Clip.of(noise, 44_100)
    for kilobits in (32, 64, 96):
        assert len(encode_mp3(clip, kilobits)) == pytest.approx(4 * 125 * kilobits, rel=0.04)


@pytest.mark.parametrize("kilobits", [None, 48])
def test_what_lies_beyond_full_scale_is_cut_there_on_either_side(kilobits: int | None):
    loud = (2.5 * np.sin(2 * np.pi * 300 * np.arange(8000) / 16_000)).astype(np.float32)
    as_cut = encode_mp3(Clip.of(np.clip(loud, -1, 1), 16_000), kilobits)
    assert encode_mp3(Clip.of(loud, 16_000), kilobits) == as_cut
