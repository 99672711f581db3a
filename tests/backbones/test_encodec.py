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


def stages_of_a_lot(folder, clips: list[torch.Tensor]) -> list[torch.Tensor]:
    """What transformers' own ``encode`` computes of clips of unequal lengths, prepared by its own feature extractor: of the first
    piece, where it works in pieces."""
    from transformers import AutoFeatureExtractor, EncodecModel

    direct = EncodecModel.from_pretrained(folder).eval()
    channels = direct.config.audio_channels
    raw = [clip[None].expand(channels, -1).squeeze(0).numpy() for clip in clips]
    lot = AutoFeatureExtractor.from_pretrained(folder)(
        raw, sampling_rate=direct.config.sampling_rate, return_tensors="pt"
    )
    seen: list[torch.Tensor] = []
    for index in (3, 6, 9, 12, 13, 15):
        direct.encoder.layers[index].register_forward_hook(lambda *given: seen.append(given[2]))
    with torch.no_grad():
        direct.encode(**lot)
    return [state.transpose(1, 2) for state in seen[:6]]


def test_of_a_lot_of_unequal_lengths_every_whole_frame_is_that_of_transformers(checkpoint, loaded) -> None:
    """The 24 kHz network looks back only, so what is padded behind a clip changes none of its frames but a begun one; of clips
    under seven frames also the first, where the beginning is reflected further than the clip reaches."""
    backbone = loaded("encodec")
    long = 0.1 * torch.randn(24_000, generator=torch.Generator().manual_seed(4))
    clips = [long[:3_333], long[:8_000], long[:19_333], long]
    theirs = stages_of_a_lot(checkpoint("encodec"), clips)
    for row, clip in enumerate(clips):
        for mine, state in zip(backbone.hidden_states(clip[None]), theirs, strict=True):
            whole = len(clip) * state.shape[1] // len(long)
            assert 0 < whole <= mine.shape[1] <= whole + 1
            assert_same([mine[:, :whole]], [state[row : row + 1, :whole]])


def test_in_pieces_of_a_second_the_padding_of_a_lot_is_heard_and_ours_has_none(checkpoint, loaded) -> None:
    """The 48 kHz network takes level and norms over the whole piece: transformers' states of a clip shorter than that are those
    of the clip with silence behind it, ours those of the clip alone, as the codec itself does with its last piece."""
    backbone = loaded("encodec-stereo")
    long = 0.1 * torch.randn(48_000, generator=torch.Generator().manual_seed(5))
    clips = [long[:16_000], long[:40_000], long]
    theirs = stages_of_a_lot(checkpoint("encodec-stereo"), clips)
    for row, clip in enumerate(clips):
        silence = torch.nn.functional.pad(clip, (0, len(long) - len(clip)))
        expected = [state[row : row + 1] for state in theirs]
        assert_same(backbone.hidden_states(silence[None]), expected)
        alone = backbone.hidden_states(clip[None])[-1]
        same = torch.allclose(alone, expected[-1][:, : alone.shape[1]], atol=1e-3)
        assert same == (len(clip) == len(long))


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
