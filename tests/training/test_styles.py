"""Synthetic styles: recordings of one share what they should, and recognising them is scored as it should be."""

from __future__ import annotations

import numpy as np
import pytest
from soundfont import RATE
from styles import RECORDINGS, WAYS, arrange, draw_style, produce, recognise


def test_a_band_of_a_style_takes_its_parts_metre_about_its_tempo_and_most_instruments():
    same, other = 0, 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        style = draw_style(rng)
        band = arrange(rng, style)
        assert band.tags["texture"] == style.model.tags["texture"]
        assert band.tags["meter"] == style.model.tags["meter"]
        assert set(band.programs) == set(style.model.programs)
        assert style.model.bpm / 2 < band.bpm < style.model.bpm * 2
        assert band.notes != style.model.notes
        kept = [band.programs[channel] == program for channel, program in style.model.programs.items()]
        same, other = same + sum(kept), other + len(kept) - sum(kept)
    assert 0.75 < same / (same + other) < 0.97


def test_two_productions_of_a_wave_are_alike_in_tone_and_not_the_same():
    rng = np.random.default_rng(0)
    wave = rng.standard_normal(RATE).astype(np.float32)
    style = draw_style(rng)
    one, two = (produce(rng, style, wave) for _ in range(2))
    assert np.isfinite(one).all()
    assert not np.allclose(one, two, atol=0.01)


@pytest.mark.parametrize(("scatter", "expected"), [(0.01, 1.0), (1e6, 1 / WAYS)])
def test_styles_far_apart_are_all_recognised_and_noise_at_chance(scatter, expected):
    rng = np.random.default_rng(1)
    styles = np.repeat(np.arange(20), RECORDINGS)
    centres = rng.standard_normal((20, 30))
    rows = [centres[styles] + scatter * rng.standard_normal((len(styles), 30)) for _ in range(3)]
    clean, disturbed = recognise(rows, styles)
    assert len(clean) == len(disturbed) == 20
    assert clean.mean() == pytest.approx(expected, abs=0.06)
    assert disturbed.mean() == pytest.approx(expected, abs=0.06)


def test_disturbed_queries_are_scored_apart_from_clean_ones():
    rng = np.random.default_rng(2)
    styles = np.repeat(np.arange(12), RECORDINGS)
    centres = rng.standard_normal((12, 30))
    clean = centres[styles]
    found, lost = recognise([clean, -clean], styles)
    assert found.mean() == 1.0
    assert lost.mean() == 0.0
