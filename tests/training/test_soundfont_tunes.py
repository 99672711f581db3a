"""Tunes for validation: in the tradition's scale to the cent, on programs kept apart."""

from __future__ import annotations

import numpy as np
import pytest
from soundfont import _bend, _midi
from soundfont_tunes import MELODIC, SHADOW, TUNE, draw_tune

from mirdemo.synth import TRADITIONS
from mirdemo.synth.rhythm import cycles_of
from mirdemo.synth.tuning import scales_of


@pytest.mark.parametrize("tradition", TRADITIONS)
def test_every_note_of_a_tune_is_in_its_scale(tradition):
    scales = {scale.name: scale for scale in scales_of(tradition)}
    for seed in range(20):
        band = draw_tune(np.random.default_rng(seed), tradition, "train", 10.0)
        (name,) = band.tags["mode"]
        pitches = [pitch for _, _, channel, pitch, _ in band.notes if channel == TUNE]
        allowed = np.array([*scales[name].cents, 1200.0])
        # against the tonic, the only degree of 0 cents that fits all of them
        offsets = [
            max(np.abs((100 * (p - tonic)) % 1200 - allowed).min() for p in pitches)
            for tonic in {p - c / 100 for p in pitches for c in scales[name].cents}
        ]
        assert min(offsets) < 0.01


def test_drums_play_a_cycle_of_the_tradition_and_only_then_it_is_a_tag():
    with_drums = 0
    for seed in range(30):
        band = draw_tune(np.random.default_rng(seed), "makam", "train", 10.0)
        struck = any(channel == 9 for _, _, channel, _, _ in band.notes)
        assert struck == ("rhythm" in band.tags)
        if struck:
            with_drums += 1
            assert band.tags["rhythm"][0] in {cycle.name for cycle in cycles_of("makam")}
    assert 10 < with_drums < 30


def test_the_test_split_has_programs_of_its_own():
    def programs(split: str) -> set[int]:
        bands = [draw_tune(np.random.default_rng(seed), "greek", split, 10.0) for seed in range(150)]
        return {
            band.programs[channel] for band in bands for channel in (TUNE, SHADOW) if channel in band.programs
        }

    heard, kept = programs("train"), programs("test")
    assert not heard & kept
    assert {p // 8 for p in heard} == {p // 8 for p in kept}
    assert len({p // 8 for p in kept}) == len(MELODIC)


def test_a_fraction_of_a_semitone_becomes_a_pitch_bend():
    assert _bend(0.0) == (0, 64)
    low, high = _bend(100.0)
    assert low + 128 * high == pytest.approx(8192 + 4096, abs=2)
    band = draw_tune(np.random.default_rng(0), "makam", "train", 10.0)
    band.notes = [(0.0, 1.0, 0, 60.25, 90)]
    bend = bytes([0xE0, *_bend(25.0)])
    sound = bytes([0x90, 60, 90])
    data = _midi([band], 10.0, 1.0)
    assert bend in data
    assert data.index(bend) < data.index(sound)
    band.notes = [(0.0, 1.0, 0, 60, 90)]
    assert bend not in _midi([band], 10.0, 1.0)
