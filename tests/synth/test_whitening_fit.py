"""Fitting a whitening to any backbone, on what the synthesiser plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer, Part
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip
from mirdemo.synth import plan, render
from mirdemo.synth.disturbing import disturb
from mirdemo.synth.whitening import fit_whitening

IDENTITY = Identity("probe", "1", "f" * 64, "float32", 24_000, 2.0, "mean")


def nearest_is_kin(rows: np.ndarray, groups: np.ndarray) -> float:
    """How often a row's nearest neighbour by cosine is of its own group."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    like = unit @ unit.T - 2 * np.eye(len(rows))
    return float((groups[like.argmax(axis=1)] == groups).mean())


class Bands(Backbone):
    """Log power in 16 bands: enough of a backbone for a room to matter."""

    spec = BackboneSpec(
        "bands", "Bands", "x", None, 0, 24_000, 5.0, (Layer("a", 16),), "nothing", revision="1"
    )
    identity = replace(IDENTITY, name="bands", window_seconds=5.0)
    device = torch.device("cpu")

    def hidden_states(self, waves):
        power = torch.fft.rfft(waves).abs() ** 2
        return [torch.stack([b.mean(1) for b in power.chunk(16, dim=1)], dim=1).add(1e-8).log()[:, None]]


def test_fitted_on_synthetic_renderings_it_helps_any_backbone_to_know_a_clip_again():
    said = []
    fitted = fit_whitening(Bands(), performances=12, seed=1, progress=lambda *told: said.append(told))
    assert said[0] == (0, 12, "whitening")
    assert said[-1] == (12, 12, "whitening")
    assert fitted.provenance["performances"] == 12
    assert fitted.provenance["renderings"] == 36
    assert fitted.name.startswith("wccn-controlled-")
    rng = np.random.default_rng(5)
    waves = [
        render(plan("western" if i % 2 else "makam", 900 + i, split="test", seconds=5.0)) for i in range(8)
    ]
    clips = [Clip.of(w, 24_000) for wave in waves for w in (wave, 0.1 * disturb(wave, 24_000, rng))]
    plain = embed(clips, Bands())
    groups = np.repeat(np.arange(8), 2)
    before = nearest_is_kin(plain.layers["a"] - plain.layers["a"].mean(0), groups)
    assert nearest_is_kin(fitted.apply(plain).layers["a"], groups) >= before


def test_other_performances_are_heard_beside_the_synthetic_ones_and_named():
    rng = np.random.default_rng(3)
    others = [Clip.of(rng.standard_normal(5 * 22_050).astype(np.float32), 22_050, "own") for _ in range(4)]
    said = []
    fitted = fit_whitening(
        Bands(), performances=6, renderings=2, others=others, others_called="festival",
        progress=lambda *told: said.append(told),
    )  # fmt: skip
    assert said[-1] == (10, 10, "whitening")
    made = fitted.provenance
    assert (made["performances"], made["renderings"], made["others"]) == (10, 20, 4)
    assert fitted.name.startswith("wccn-controlled+festival-")
    alone = fit_whitening(Bands(), performances=6, renderings=2)
    assert not np.allclose(alone.layers["a"].centre, fitted.layers["a"].centre)


def test_each_of_the_others_is_heard_at_the_rate_of_the_synthetic_ones(monkeypatch):
    rng = np.random.default_rng(4)
    others = [Clip.of(rng.standard_normal(2 * 22_050).astype(np.float32), 22_050, "own") for _ in range(3)]
    heard = []
    monkeypatch.setattr(
        "mirdemo.synth.whitening.disturb", lambda wave, rate, rng: heard.append((rate, wave)) or wave
    )
    fit_whitening(Bands(), performances=2, renderings=2, others=others)
    assert [rate for rate, _ in heard] == [24_000] * 5
    for clip, (_, wave) in zip(others, heard[2:], strict=True):
        np.testing.assert_array_equal(wave, clip.at(24_000))


def test_the_parts_of_a_backbones_layers_are_whitened_as_parts():
    halves = (Part(8), Part(8))
    backbone = Bands()
    backbone.spec = replace(Bands.spec, layers=(Layer("a", 16, halves),))
    assert fit_whitening(backbone, performances=2, renderings=2).layers["a"].parts == halves
