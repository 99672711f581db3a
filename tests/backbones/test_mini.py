"""The embedded networks: exact on short waves, blind to their neighbours, strict about their weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.backbones import load_backbone, mini
from mirdemo.backbones.frontend import BINS_PER_OCTAVE, LOWEST_HZ, SAMPLE_RATE, Frontend, _halving_filter
from mirdemo.backbones.mini_facts import SPECS
from mirdemo.backbones.mini_network import (
    LAGS_PER_OCTAVE,
    N_LAGS,
    MiniConfig,
    MiniNetwork,
    PitchReader,
    PulseReader,
    _octave_mean,
)
from mirdemo.backbones.spec import BackboneError
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip

SPEC = SPECS[1]
SHIPPED = [spec for spec in SPECS if (mini.WEIGHTS / spec.name / "model.safetensors").is_file()]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MIRDEMO_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A checkpoint with random weights: nothing here depends on what they are."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    made = tmp_path_factory.mktemp("mini")
    network = MiniNetwork(MiniConfig())
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, made / "model.safetensors")
    digest = hashlib.sha256((made / "model.safetensors").read_bytes()).hexdigest()
    (made / "config.json").write_text(json.dumps({**MiniConfig().as_dict(), "sha256": digest}))
    return made


@pytest.fixture
def backbone(folder) -> mini.Mini:
    return mini.load(SPEC, checkpoint=folder, device="cpu", dtype="auto")


def noise(seconds: float, rows: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(rows, round(seconds * SAMPLE_RATE), generator=generator)


def tone(hz: float, seconds: float = 1.0) -> torch.Tensor:
    return 0.3 * torch.sin(2 * torch.pi * hz * torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)[None]


@pytest.mark.parametrize("hz", [98.0, 196.0, 220.0, 261.63, 440.0, 987.77, 1500.0, 3000.0])
def test_a_tone_peaks_in_its_own_constant_q_bin(hz):
    _, cq = Frontend()(tone(hz))
    expected = BINS_PER_OCTAVE * np.log2(hz / LOWEST_HZ)
    assert abs(cq[0, :, cq.shape[2] // 2].argmax().item() - expected) < 0.75


def test_a_koma_apart_two_tones_give_different_bins():
    koma = 2 ** (1.5 / 53)
    low, high = (Frontend()(tone(hz))[1][0, :, 10].argmax().item() for hz in (440.0, 440.0 * koma))
    assert high - low == 1


def test_level_and_offset_do_not_matter_to_the_front_end():
    wave = noise(1.0)
    for mel_or_cq, other in zip(Frontend()(wave), Frontend()(0.01 * wave + 0.2), strict=True):
        torch.testing.assert_close(mel_or_cq, other, atol=2e-3, rtol=0)


def test_silence_is_zero_and_finite():
    mel, cq = Frontend()(torch.zeros(1, SAMPLE_RATE))
    assert mel.abs().max() == 0
    assert cq.abs().max() == 0


def test_the_pitch_reader_turns_with_the_tonic():
    """Transposing everything moves the tonic logits by as much, and leaves the turned pitch classes and magnitudes."""
    torch.manual_seed(0)
    reader = PitchReader(4).eval()
    cq = torch.zeros(1, 216, 40)
    for k, strength in ((80, 1.0), (92, 0.6), (101, 0.8), (116, 0.5)):
        cq[:, k] = strength
    with torch.no_grad():
        turned, magnitudes, tonic = reader(cq)
        turned_up, magnitudes_up, tonic_up = reader(cq.roll(5, dims=1))
    torch.testing.assert_close(tonic_up, tonic.roll(5, dims=1), atol=2e-2, rtol=0)
    torch.testing.assert_close(turned_up, turned, atol=2e-2, rtol=0)
    torch.testing.assert_close(magnitudes_up, magnitudes, atol=1e-3, rtol=0)
    assert magnitudes.std() > 1e-3


def test_the_tempogram_shifts_with_the_tempo():
    """Twice the speed moves the tempogram by an octave of lags."""

    def clicks(period: int) -> torch.Tensor:
        mel = torch.zeros(1, 80, 500)
        mel[:, :, ::period] = 1.0
        return PulseReader().tempogram(mel)[0, 0]

    slow, fast = clicks(40)[56:95], clicks(20)[32:71]  # half an octave around either period
    assert abs(int(slow.argmax()) + 56 - int(fast.argmax()) - 32 - LAGS_PER_OCTAVE) <= 1


def test_the_pulse_reader_hands_on_the_tempo_beside_the_metre():
    """The last two parts of what it gives are not shifted: they move with the tempo and hold the guess."""
    torch.manual_seed(0)
    reader = PulseReader().eval()

    def clicks(period: int) -> torch.Tensor:
        mel = torch.zeros(1, 80, 500)
        mel[:, :, ::period] = 1.0
        return mel

    for period in (40, 20):
        with torch.no_grad():
            given, logits = reader(clicks(period))
            curve = reader.tempogram(clicks(period))
        *_, lags, guess = given[0].unflatten(0, (-1, N_LAGS))
        torch.testing.assert_close(lags, curve[0].mean(0))
        torch.testing.assert_close(guess.square(), logits[0].softmax(0), atol=1e-6, rtol=0)


def test_layers_are_as_the_spec_says(backbone):
    states = backbone.hidden_states(noise(10.0))
    rows = backbone.pool(states)
    assert len(states) == len(backbone.spec.layers)
    assert [row.shape[1] for row in rows] == [layer.size for layer in backbone.spec.layers]
    assert all(state.shape[1] == 63 for state in states)
    assert backbone.spec.parameters == SPEC.parameters


@settings(max_examples=8, deadline=None)
@given(samples=st.integers(SPEC.min_samples, SPEC.window_samples))
def test_every_allowed_length_gives_finite_states(samples):
    torch.manual_seed(0)
    network, frontend = MiniNetwork(MiniConfig()).eval(), Frontend()
    with torch.no_grad():
        output = network(*frontend(noise(samples / SAMPLE_RATE)[:, :samples]))
    assert all(bool(state.isfinite().all()) for state in output.states)


def test_a_row_does_not_depend_on_the_rows_beside_it(backbone):
    waves = noise(3.0, rows=3)
    alone = backbone.hidden_states(waves[1:2])
    together = backbone.hidden_states(torch.cat([10 * waves[:1], waves[1:]]))
    for one, many in zip(alone, together, strict=True):
        torch.testing.assert_close(one[0], many[1], atol=2e-5, rtol=1e-4)


def test_pooling_is_mean_and_deviation(backbone):
    states = backbone.hidden_states(noise(2.0))
    row = backbone.pool(states)[2][0]
    np.testing.assert_allclose(row[:160], states[2][0].mean(0), atol=1e-6)
    np.testing.assert_allclose(row[160:], states[2][0].numpy().std(0), atol=1e-5)


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_the_split_computes_the_last_layer(backbone, blocks):
    waves = noise(4.0, rows=2)
    split = backbone.split(blocks)
    expected = backbone.pool(backbone.hidden_states(waves))[-1]
    torch.testing.assert_close(split.tail(split.prefix(waves)), expected, atol=1e-5, rtol=1e-4)


def test_the_tail_can_be_trained(backbone):
    split = backbone.split(2)
    split.tail(split.prefix(noise(2.0))).sum().backward()
    assert all(p.grad is not None for p in split.tail.parameters())


def test_a_clip_is_the_mean_of_its_windows(backbone):
    clip = Clip.of(noise(14.0)[0].numpy(), SAMPLE_RATE)
    embedded = embed([clip], backbone)
    assert embedded.window_starts(0).tolist() == [0.0, 4.0]
    np.testing.assert_allclose(embedded.layers["4"][0], embedded.windows(0)["4"].mean(0), atol=1e-5)


def test_changed_weights_are_refused(folder, tmp_path):
    for name in ("model.safetensors", "config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    data = bytearray((tmp_path / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(bytes(data))
    with pytest.raises(BackboneError) as caught:
        mini.load(SPEC, checkpoint=tmp_path, device="cpu", dtype="auto")
    assert caught.value.sentence.code == "mini.changed"


def test_missing_weights_are_refused(folder, tmp_path):
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(BackboneError) as caught:
        mini.load(SPEC, checkpoint=tmp_path, device="cpu", dtype="auto")
    assert caught.value.sentence.code == "mini.missing"


def test_weights_of_another_shape_are_refused(folder, tmp_path):
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text()) | {"depth": 5}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError) as caught:
        mini.load(SPEC, checkpoint=tmp_path, device="cpu", dtype="auto")
    assert caught.value.sentence.code == "backbone.keys"


def test_half_precision_is_refused_with_a_sentence(folder):
    with pytest.raises(BackboneError) as caught:
        mini.load(SPEC, checkpoint=folder, device="cpu", dtype="float16")
    assert caught.value.sentence.code == "backbone.float32_only"


def test_a_checkpoint_has_an_identity_of_its_own(backbone, folder):
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert backbone.identity.revision == "local"
    assert backbone.identity.fingerprint == digest
    assert replace(backbone.identity, name="x") != backbone.identity


@pytest.mark.skipif(not SHIPPED, reason="the trained weights are not in assets/backbones")
def test_shipped_weights_load_are_small_and_healthy():
    assert {spec.name for spec in SHIPPED} == {"mini-west", "mini-world"}
    fingerprints = set()
    for spec in SHIPPED:
        backbone = mini.load(spec, checkpoint=None, device="cpu", dtype="auto")
        assert backbone.health.ok
        assert backbone.identity.revision == spec.revision
        assert sum(f.stat().st_size for f in (mini.WEIGHTS / spec.name).iterdir()) < 8_000_000
        fingerprints.add(backbone.identity.fingerprint)
    assert len(fingerprints) == 2


@pytest.mark.skipif(not SHIPPED, reason="the trained weights are not in assets/backbones")
def test_the_shipped_network_hears_a_drone_as_the_tonic():
    """A scale over a drone: the guessed tonic is the drone's pitch class, at whatever pitch."""
    network = mini.load(SPEC, checkpoint=None, device="cpu", dtype="auto")._network
    time = torch.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    right = 0
    for tonic in (131.0, 147.0, 172.0, 207.0, 230.0):
        wave = sum(0.4 / k * torch.sin(2 * torch.pi * k * tonic * time) for k in range(1, 6))
        for i, cents in enumerate((0, 204, 386, 702, 884, 702, 386, 204, 0, 0)):
            note = slice(i * SAMPLE_RATE // 2, (i + 1) * SAMPLE_RATE // 2)
            hz = 2 * tonic * 2 ** (cents / 1200)
            wave[note] += sum(0.3 / k * torch.sin(2 * torch.pi * k * hz * time[note]) for k in range(1, 6))
        with torch.no_grad():
            guess = network.front(*Frontend()(wave[None]))[1].argmax().item()
        apart = (guess - BINS_PER_OCTAVE * np.log2(tonic / LOWEST_HZ)) % BINS_PER_OCTAVE
        right += min(apart, BINS_PER_OCTAVE - apart) <= 1.5
    assert right >= 4


def test_ones_own_weights_are_used_where_they_are_given_and_never_taken_for_the_shipped_ones(
    folder, tmp_path
):
    own = load_backbone("mini-world", checkpoint=folder)
    assert own.identity.revision == "local"
    assert own.identity.fingerprint == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    beside = load_backbone("mini-world-spectral", checkpoint=folder)
    assert beside.identity.revision == "local"
    assert beside.identity.fingerprint != load_backbone("mini-world-spectral").identity.fingerprint
    with pytest.raises(BackboneError) as refused:
        load_backbone("spectral", checkpoint=tmp_path)
    assert refused.value.sentence.code == "spectral.checkpoint"


def test_halving_the_rate_keeps_the_level_and_stops_what_would_fold_back():
    heard = np.abs(np.fft.rfft(_halving_filter().numpy(), 960))  # by 1/960 of the rate
    assert heard[0] == pytest.approx(1)
    assert heard[:192] == pytest.approx(np.ones(192), abs=0.01), "up to a fifth of the rate"
    assert heard[240] == pytest.approx(0.5, abs=0.01), "a quarter of it is the middle of the fall"
    assert heard[288:].max() < 0.015


def test_what_stands_around_a_bin_is_the_mean_of_its_octave():
    cq = torch.rand(2, 216, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.stack([cq[:, max(0, k - 18) : k + 19].mean(dim=1) for k in range(216)], dim=1)
    torch.testing.assert_close(_octave_mean(cq), expected, atol=1e-4, rtol=0)


def test_the_tempogram_is_the_autocorrelation_at_each_lag():
    """Written out lag by lag, between two whole lags by its share; nothing beyond three quarters of the window."""
    mel = torch.rand(1, 80, 101, generator=torch.Generator().manual_seed(0))
    rises = np.maximum(np.diff(mel[0].double().numpy(), axis=1), 0).reshape(4, 20, 100).mean(1)
    onsets = rises - rises.mean(1, keepdims=True)
    whole = np.zeros((4, 400))
    for lag in range(76):
        product = (onsets[:, : 100 - lag] * onsets[:, lag:]).sum(1)
        whole[:, lag] = product / (onsets**2).sum(1) / max(1 - lag / 100, 0.25) if lag < 75 else 0
    lags = 4 * 2 ** (np.arange(N_LAGS) / LAGS_PER_OCTAVE)
    expected = np.stack([np.interp(lags, np.arange(400), row) for row in whole])
    np.testing.assert_allclose(PulseReader().tempogram(mel)[0], expected, atol=1e-3)
