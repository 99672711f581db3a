"""EnCodec's encoder gives what transformers' own ``encode`` hands to the quantiser, and its stages before."""

from __future__ import annotations

import json

import pytest
import torch
from backbones.test_families import assert_same, code_of, copied, load

from mirdemo.backbones import BackboneError


@pytest.mark.parametrize("seconds", [0.02, 0.37, 1.0])
@pytest.mark.parametrize("kind", ["encodec", "encodec-stereo"])
def test_every_stage_is_that_of_transformers(kind, seconds, checkpoint, loaded, waves) -> None:
    from transformers import EncodecModel

    direct = EncodecModel.from_pretrained(checkpoint(kind)).eval()
    backbone = loaded(kind)
    sound = waves(backbone, seconds)
    seen: list[torch.Tensor] = []
    shortening = [3, 6, 9, 12]  # behind a residual block and an activation each; then the recurrent layer
    for index in (*shortening, 13, 15):
        direct.encoder.layers[index].register_forward_hook(lambda *given: seen.append(given[2]))
    channels = direct.config.audio_channels
    with torch.no_grad():
        direct.encode(sound[:, None].expand(-1, channels, -1))
    expected = [state.transpose(1, 2) for state in seen[:6]]
    found = backbone.hidden_states(sound)
    assert_same(found, expected)
    assert [layer.name for layer in backbone.spec.layers] == [
        *(f"stage-{i}" for i in range(1, 5)),
        "recurrent",
        "latent",
    ]
    assert [layer.size for layer in backbone.spec.layers] == [state.shape[2] for state in found]


def test_windows_are_the_pieces_that_the_codec_works_in(loaded) -> None:
    assert loaded("encodec-stereo").spec.window_seconds == 1.0
    assert loaded("encodec-stereo").spec.sample_rate == 48_000
    assert loaded("encodec").spec.sample_rate == 24_000


@pytest.mark.parametrize("changes", [{"sampling_rate": 32_000}, {"feature_size": 2}, {"chunk_length_s": 1.0}])
def test_a_preprocessor_of_another_codec_is_refused(changes, checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("encodec"), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    with pytest.raises(BackboneError) as error:
        load("encodec", folder)
    assert code_of(error) == "backbone.damaged"


def test_fine_tuning_sets_the_recurrent_layer_and_the_last_convolution_free(loaded, waves) -> None:
    backbone = loaded("encodec")
    sound = waves(backbone, 0.5)
    split = backbone.split()
    assert split.n_blocks == 2
    pooled = backbone.pool(backbone.hidden_states(sound))[-1]
    torch.testing.assert_close(split.tail(split.prefix(sound)), pooled, atol=1e-5, rtol=1e-5)
