"""Conformers give the states of transformers, also beside a longer clip and for every kind of position."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from backbones import tiny_encoders
from backbones.test_families import assert_same, code_of, copied, load, normalised
from torch import nn

from mirdemo.backbones import BackboneError


@pytest.mark.parametrize("seconds", [0.05, 0.41, 1.0, 2.37])
@pytest.mark.parametrize("kind", ["conformer-relative", "conformer-rotary"])
def test_on_the_wave_every_layer_is_that_of_transformers(kind, seconds, checkpoint, loaded, waves) -> None:
    import transformers

    direct = transformers.AutoModel.from_pretrained(checkpoint(kind)).eval()
    backbone = loaded(kind)
    sound = waves(backbone, seconds)
    with torch.no_grad():
        found = direct(normalised(sound), output_hidden_states=True)
    *inner, last = backbone.hidden_states(sound)
    assert_same([*inner, last], [*found.hidden_states[:-1], found.last_hidden_state])


@pytest.mark.parametrize("kind", ["conformer-relative", "conformer-rotary"])
def test_on_the_wave_a_lot_of_unequal_lengths_is_that_of_transformers_where_its_padding_is_not_heard(
    kind, checkpoint, loaded, waves
) -> None:
    """transformers 5.23 masks the padding of a lot in the attention of the layers and not in their convolutions over time, so
    that a shorter clip's states depend on what it lies beside. Masked there too, they are ours, which never do."""
    import transformers

    direct = transformers.AutoModel.from_pretrained(checkpoint(kind)).eval()
    backbone = loaded(kind)
    long = waves(backbone, 2.02, rows=1)[0]
    clips = [long[:800], long[:6_500], long[:13_001], long]
    frames = [int(direct._get_feat_extract_output_lengths(len(clip))) for clip in clips]
    lot = torch.stack(
        [nn.functional.pad(normalised(clip[None])[0], (0, len(long) - len(clip))) for clip in clips]
    )
    mask = torch.stack([(torch.arange(len(long)) < len(clip)).long() for clip in clips])

    def theirs() -> list[torch.Tensor]:
        with torch.no_grad():
            found = direct(lot, attention_mask=mask, output_hidden_states=True)
        return [*found.hidden_states[:-1], found.last_hidden_state]

    ours = [backbone.hidden_states(clip[None]) for clip in clips]
    heard = theirs()
    there = torch.stack([torch.arange(frames[-1]) < n for n in frames])[:, None]
    for layer in direct.encoder.layers:
        layer.conv_module.depthwise_conv.register_forward_pre_hook(lambda _, given: (given[0] * there,))
    unheard = theirs()
    for row, n in enumerate(frames):
        assert_same(ours[row], [state[row : row + 1, :n] for state in unheard])
    assert_same([ours[1][0]], [heard[0][1:2, : frames[1]]])
    assert_same(
        [ours[1][1][:, :-3]], [heard[1][1:2, : frames[1] - 3]]
    )  # a kernel of 7: three frames to either side
    assert not torch.allclose(ours[1][1], heard[1][1:2, : frames[1]], atol=1e-3)


@pytest.mark.parametrize("positions", ["relative_key", "relative", "rotary"])
def test_on_mel_frames_every_layer_is_that_of_transformers_beside_a_longer_clip(positions, tmp_path) -> None:
    import transformers

    folder = tiny_encoders.tiny_mel_conformer(tmp_path / "bert", positions)
    backbone = load("hf:some/bert", folder)
    direct = transformers.AutoModel.from_pretrained(folder).eval()
    extract = transformers.AutoFeatureExtractor.from_pretrained(folder)
    draw = np.random.default_rng(0)
    lengths = (560, 719, 8_000, 16_160, 30_001)  # two frames at least; odd numbers of frames and even ones
    clips = [draw.normal(0.0, 0.1, n).astype(np.float32) for n in lengths]
    lot = extract(clips, sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        found = direct(**lot, output_hidden_states=True)
    for row, clip in enumerate(clips):
        frames = int(lot["attention_mask"][row].sum())
        assert frames == (1 + (len(clip) - 400) // 160) // 2
        expected = [*found.hidden_states[:-1], found.last_hidden_state]
        # The first state of the lot is masked inside the encoder, after what is recorded.
        assert_same(
            backbone.hidden_states(torch.from_numpy(clip)[None]),
            [state[row : row + 1, :frames] for state in expected],
        )


def test_stacked_frames_that_do_not_fit_the_network_are_refused(checkpoint, tmp_path) -> None:
    folder = copied(checkpoint("wav2vec2-bert"), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"stride": 2', '"stride": 3'), encoding="utf-8")
    with pytest.raises(BackboneError) as error:
        load("wav2vec2-bert", folder)
    assert code_of(error) == "backbone.damaged"
