"""The statistics and the network side by side: both parts, equally loud, and known apart from either."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mirdemo.backbones import BackboneError, load_backbone, mini, registry
from mirdemo.backbones.beside import load
from mirdemo.backbones.beside_facts import SPEC
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip
from mirdemo.stages.probing import probe
from mirdemo.synth import plan, render

pytestmark = pytest.mark.skipif(
    not (mini.WEIGHTS / "mini-world" / "model.safetensors").is_file(),
    reason="the trained weights are not in assets/backbones",
)
STATISTICS, NETWORK = slice(0, 506), slice(506, 826)


@pytest.fixture(scope="module")
def backbone():
    return load_backbone("mini-world-spectral", device="cpu")


def clip(seed: int, seconds: float = 3.0, rate: int = 24_000) -> Clip:
    """Some partials of a random tone in noise that comes and goes."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch = rng.uniform(100, 600)
    wave = sum(np.sin(2 * np.pi * k * pitch * t + rng.uniform(0, 6)) / k for k in range(1, 8))
    noise = rng.standard_normal(len(t)) * (np.sin(2 * np.pi * rng.uniform(1, 5) * t) > 0.5)
    return Clip.of((0.1 * wave + 0.05 * noise).astype(np.float32), rate, f"clip {seed}")


def test_its_facts_are_what_it_gives(backbone):
    assert registry.spec("mini-world-spectral") == backbone.spec == SPEC
    assert [(layer.name, layer.size) for layer in SPEC.layers] == [("together", 826)]
    states = backbone.hidden_states(torch.randn(3, SPEC.min_samples))
    assert [tuple(state.shape) for state in states] == [(3, 1, 826)]
    assert SPEC.parameters == load_backbone("mini-world", device="cpu").spec.parameters
    assert (SPEC.embedded, SPEC.tail_blocks) == (True, 0)
    assert backbone.health.ok


def test_its_row_is_all_of_spectral_then_the_last_layer_of_mini_world(backbone):
    clips = [clip(seed) for seed in range(3)]
    rows = embed(clips, backbone).matrix("together")
    statistics = embed(clips, load_backbone("spectral", device="cpu")).matrix("all")
    network = embed(clips, load_backbone("mini-world", device="cpu")).matrix("4")
    np.testing.assert_allclose(rows[:, STATISTICS], statistics / np.sqrt(15), atol=1e-5)
    np.testing.assert_allclose(rows[:, NETWORK], network / np.sqrt(160), atol=1e-5)


def test_neither_part_outweighs_the_other_on_music(backbone):
    clips = [
        Clip.of(render(plan(tradition, 900 + i, split="test", seconds=5.0), 24_000), 24_000)
        for tradition in ("western", "makam", "carnatic")
        for i in range(2)
    ]
    rows = embed(clips, backbone).matrix("together")
    statistics, network = (np.linalg.norm(rows[:, part], axis=1) for part in (STATISTICS, NETWORK))
    assert 0.6 < np.median(statistics / network) < 1.6


def test_whitened_the_network_is_as_long_as_the_statistics():
    (layer,) = SPEC.layers
    assert sum(part.size for part in layer.parts) == layer.size
    assert sum(part.share**2 for part in layer.parts[:-2]) == pytest.approx(
        sum(part.share**2 for part in layer.parts[-2:])
    )
    assert sum(part.size for part in layer.parts[:-2]) == STATISTICS.stop


def test_a_row_does_not_depend_on_the_rows_beside_it(backbone):
    clips = [clip(seed) for seed in range(3)]
    together = embed(clips, backbone, batch_size=3).matrix("together")
    alone = embed(clips, backbone, batch_size=1).matrix("together")
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_clips_far_shorter_than_a_window_embed(backbone):
    short = [Clip.of(0.1 * np.ones(n) * (-1) ** np.arange(n), 24_000, str(n)) for n in (1, 100, 5_999, 6_000)]
    assert np.isfinite(embed(short, backbone).matrix("together")).all()


def test_its_identity_covers_both_parts(backbone, monkeypatch, tmp_path):
    from mirdemo.backbones import spectral

    assert backbone.identity.revision == SPEC.revision
    monkeypatch.setitem(spectral.CENTRES, "onset", tuple(v + 1 for v in spectral.CENTRES["onset"]))
    other_statistics = load_backbone("mini-world-spectral", device="cpu").identity
    monkeypatch.undo()
    west = mini.WEIGHTS / "mini-west"
    other_network = load(SPEC, checkpoint=west, device="cpu", dtype="auto").identity
    fingerprints = {one.fingerprint for one in (backbone.identity, other_statistics, other_network)}
    assert len(fingerprints) == 3
    assert replace(other_statistics, fingerprint=backbone.identity.fingerprint) == backbone.identity
    assert other_network.revision == "local"


def test_half_precision_and_training_are_refused_in_a_sentence(backbone):
    with pytest.raises(BackboneError) as raised:
        load_backbone("mini-world-spectral", dtype="float16")
    assert raised.value.sentence.code == "backbone.float32_only"
    with pytest.raises(BackboneError) as raised:
        backbone.split()
    assert raised.value.sentence.code == "backbone.no_tail"


def test_one_layer_can_be_probed(backbone):
    clips = [clip(seed) for seed in range(8)]
    labels = np.array([[seed % 2] for seed in range(8)], np.uint8)
    report = probe(embed(clips, backbone), labels, [str(seed) for seed in range(8)], permutations=0)
    assert report.tags[0].best_layer == "together"
