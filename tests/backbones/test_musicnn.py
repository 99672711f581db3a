"""musicnn: the published network written out a second time in NumPy, and the real one where it has been fetched."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from backbones.tiny import tiny_musicnn
from numpy.lib.stride_tricks import sliding_window_view

from mirdemo.backbones import BackboneError, load_backbone, specs, tensor_bundle, wheels
from mirdemo.backbones import musicnn_facts as facts
from mirdemo.backbones.musicnn import LogMel, named
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip

#: A ``MIRDEMO_HOME`` into which musicnn was fetched, where somebody has one: the tests fetch nothing.
HOME = os.environ.get("MUSICNN_FETCHED_IN")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_musicnn(tmp_path_factory.mktemp("musicnn") / "checkpoint")


@pytest.fixture(scope="module")
def backbone(folder):
    return load_backbone("musicnn-msd", checkpoint=folder, device="cpu")


def noise(samples: int, rows: int = 1, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(rows, samples, generator=torch.Generator().manual_seed(seed))


def published(variables: dict[str, np.ndarray], mel: np.ndarray) -> dict[str, np.ndarray]:
    """The network as ``musicnn.models`` defines it, over one patch (frames, 96), in TensorFlow's layout and order."""
    counts = {"conv2d": 0, "batch_normalization": 0, "dense": 0}

    def take(kind: str) -> list[np.ndarray]:
        name = kind + (f"_{counts[kind]}" if counts[kind] else "")
        counts[kind] += 1
        parts = {
            "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
        }.get(kind, ("kernel", "bias"))
        return [variables[f"{name}/{part}"].astype(np.float64) for part in parts]

    def norm(x: np.ndarray) -> np.ndarray:
        gamma, beta, mean, variance = take("batch_normalization")
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def convolved(x: np.ndarray) -> np.ndarray:
        """(frames, bands) -> (frames', bands', filters), "valid"."""
        kernel, bias = take("conv2d")
        return np.maximum(
            np.einsum("tfab,abo->tfo", sliding_window_view(x, kernel.shape[:2]), kernel[:, :, 0]) + bias, 0
        )

    x = norm(mel[..., None])[..., 0]
    front = []
    for _ in facts.TIMBRAL_BANDS:
        front.append(norm(convolved(np.pad(x, ((3, 3), (0, 0))))).max(axis=1))
    for frames in facts.TEMPORAL_FRAMES:
        front.append(norm(convolved(np.pad(x, (((frames - 1) // 2, frames // 2), (0, 0))))).max(axis=1))
    middle = [np.concatenate(front, axis=1)]
    for at in range(3):
        out = norm(convolved(np.pad(middle[-1], ((3, 3), (0, 0)))))[:, 0]
        middle.append(out + middle[-1] if at else out)
    everything = np.concatenate(middle, axis=1)
    pooled = np.stack([everything.max(axis=0), everything.mean(axis=0)], axis=1).reshape(-1)
    kernel, bias = take("dense")
    penultimate = norm(np.maximum(norm(pooled) @ kernel + bias, 0))
    kernel, bias = take("dense")
    return {
        "timbral": np.concatenate(front[:2], axis=1),
        "temporal": np.concatenate(front[2:], axis=1),
        "cnn3": middle[-1],
        "mean_pool": everything.mean(axis=0)[None],
        "max_pool": everything.max(axis=0)[None],
        "penultimate": penultimate[None],
        "logits": (penultimate @ kernel + bias)[None],
    }


def test_every_layer_is_what_the_published_definition_gives(folder, backbone) -> None:
    wave = noise(facts.FFT + 11 * facts.HOP, seed=3)
    mel = LogMel()(wave)[0].double().numpy()
    assert mel.shape == (12, 96)
    variables = tensor_bundle.read(folder / facts.INDEX, folder / facts.DATA, wanted=lambda _: True)
    expected = published(variables, mel)
    states = backbone.hidden_states(wave)
    assert [layer.name for layer in backbone.spec.layers] == list(expected)
    for layer, state in zip(backbone.spec.layers, states, strict=True):
        assert state.shape[2] == layer.size
        np.testing.assert_allclose(state[0].numpy(), expected[layer.name], rtol=2e-4, atol=2e-5)


def test_the_log_mel_is_librosas_where_no_frame_meets_an_end() -> None:
    """Against filters written out here after Slaney: librosa is no requirement."""
    sine = torch.sin(2 * torch.pi * 1000 * torch.arange(facts.FFT * 4) / facts.SAMPLE_RATE)[None]
    mel = LogMel()(sine)[0].numpy()
    hertz = np.linspace(0, facts.SAMPLE_RATE / 2, facts.FFT // 2 + 1)
    mels = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), facts.MELS + 2)  # 8 kHz; 1 kHz is the 15th mel
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    rising = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    bands = np.maximum(np.minimum(rising, falling), 0) * 2 / (edges[2:] - edges[:-2])
    window = np.hanning(facts.FFT + 1)[:-1]
    frames = sliding_window_view(sine[0].numpy(), facts.FFT)[:: facts.HOP] * window
    expected = np.log10(1e4 * (np.abs(np.fft.rfft(frames)) ** 2 @ bands) + 1)
    np.testing.assert_allclose(mel, expected, atol=2e-3)
    assert mel.max() > 5, "far above what half precision holds times 10,000"


def test_a_row_knows_nothing_of_its_neighbours_and_a_window_is_a_patch(backbone) -> None:
    spec = backbone.spec
    assert spec.window_samples == facts.FFT + (facts.PATCH_FRAMES - 1) * facts.HOP
    waves = noise(spec.window_samples, rows=2)
    together, alone = backbone.hidden_states(waves), backbone.hidden_states(waves[1:])
    assert together[0].shape == (2, facts.PATCH_FRAMES, facts.TIMBRAL)
    for both, one in zip(together, alone, strict=True):
        torch.testing.assert_close(both[1:], one, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.5, 3.0, 3.1, 10.0])
def test_clips_of_any_length_and_silence_give_finite_rows(seconds, backbone) -> None:
    n = round(seconds * 16_000)
    clips = [
        Clip(samples=noise(n)[0].numpy(), sample_rate=16_000, name="noise", sha256="n" * 64),
        Clip(samples=np.zeros(n, np.float32), sample_rate=16_000, name="silence", sha256="s" * 64),
    ]
    rows = embed(clips, backbone).matrix("penultimate")
    assert rows.shape == (2, facts.UNITS)
    assert np.isfinite(rows).all()
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_it_begins_with_the_penultimate_layer_and_says_what_it_is(backbone) -> None:
    assert backbone.spec.first_layer == "penultimate"
    assert backbone.spec.parameters == specs()["musicnn-msd"].parameters == 787_159
    assert (backbone.identity.revision, backbone.identity.dtype) == ("local", "float32")
    assert backbone.health is not None
    with pytest.raises(BackboneError) as refusal:
        backbone.split()
    assert refusal.value.sentence.code == "backbone.no_tail"


def test_weights_that_are_missing_damaged_or_of_another_shape_are_refused(tmp_path, folder) -> None:
    def code(of: Path) -> str:
        with pytest.raises(BackboneError) as refusal:
            load_backbone("musicnn-mtt", checkpoint=of, device="cpu")
        return refusal.value.sentence.code

    assert code(tmp_path) == "musicnn.file_missing"
    for name in (facts.INDEX, facts.DATA):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / facts.DATA).write_bytes((folder / facts.DATA).read_bytes()[:1000])
    assert code(tmp_path) == "backbone.damaged"
    (tmp_path / facts.INDEX).write_bytes(b"<html>not found</html>" * 10)
    assert code(tmp_path) == "backbone.damaged"
    with pytest.raises(BackboneError) as refusal:
        load_backbone("musicnn-mtt", checkpoint=folder, dtype="bfloat16")
    assert refusal.value.sentence.code == "backbone.float32_only"


def sweep() -> torch.Tensor:
    """Four seconds that anybody can make again: a tone that trembles, one that rises, and clicks."""
    time = np.arange(64_000) / 16_000
    wave = 0.2 * np.sin(2 * np.pi * 220 * time) * (0.5 + 0.5 * np.sin(4 * np.pi * time))
    wave += 0.3 * np.sin(2 * np.pi * (110 + 60 * time) * time) * np.exp(-3 * (time % 0.5))
    return torch.from_numpy(wave.astype(np.float32))[None]


#: What the package's own model gives for ``sweep``'s first patch: run with TensorFlow 2.21.0 and librosa 0.10.2, logarithm in
#: float32 (in its own float16 the sound overflows). Backbone -> (three likeliest tags by place and their likelihoods, mean and
#: deviation of the penultimate layer).
REAL = {
    "musicnn-msd": ([4, 28, 30], [0.363193, 0.234887, 0.134905], 0.222732, 0.761930),
    "musicnn-mtt": ([25, 2, 24], [0.329285, 0.224510, 0.158787], 0.280020, 0.671786),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_networks_give_what_the_package_gives(name, monkeypatch) -> None:
    if HOME is None:
        pytest.skip("MUSICNN_FETCHED_IN names no MIRDEMO_HOME that holds musicnn")
    monkeypatch.setenv("MIRDEMO_HOME", HOME)
    folder = wheels.local(specs()[name].wheel)
    assert folder is not None, "musicnn was not fetched there"
    backbone = load_backbone(name, checkpoint=folder, device="cpu")
    # The package centres its first frame on the start, with zeros before it.
    wave = torch.nn.functional.pad(sweep(), (facts.FFT // 2, 0))[:, : backbone.spec.window_samples]
    *_, penultimate, logits = backbone.hidden_states(wave)
    tags, likelihoods, mean, deviation = REAL[name]
    found = torch.sigmoid(logits[0, 0])
    assert found.argsort(descending=True)[:3].tolist() == tags
    np.testing.assert_allclose(found[tags], likelihoods, atol=2e-4)
    np.testing.assert_allclose(
        [penultimate.mean(), penultimate.std(correction=0)], [mean, deviation], atol=1e-3
    )


def test_tensorflows_kernels_are_turned_as_torch_lays_them() -> None:
    """By single values: height, width, in, out there; out, in, height, width here; over all bands at once out, in, frames."""
    draw = np.random.default_rng(0)
    kernels = {at: draw.normal(size=(7, 3, 1, 5)) for at in (0, 2, 5)}
    variables = {f"conv2d{f'_{at}' if at else ''}/kernel": kernel for at, kernel in kernels.items()}
    dense = draw.normal(size=(4, 2))
    made = named(variables | {"dense_1/kernel": dense, "dense/bias": dense[0], "stray": dense})
    assert list(made) == [
        *("timbral.0.convolution.weight", "temporal.0.convolution.weight", "middle.0.convolution.weight"),
        *("tags.weight", "dense.bias", "stray"),
    ]
    shapes = {name: tuple(values.shape) for name, values in made.items()}
    assert shapes["timbral.0.convolution.weight"] == (5, 1, 7, 3)
    assert shapes["middle.0.convolution.weight"] == (5, 3, 7)
    assert made["temporal.0.convolution.weight"][4, 0, 6, 1] == np.float32(kernels[2][6, 1, 0, 4])
    assert made["middle.0.convolution.weight"][4, 2, 6] == np.float32(kernels[5][6, 2, 0, 4])
    assert made["tags.weight"][1, 3] == np.float32(dense[3, 1])
