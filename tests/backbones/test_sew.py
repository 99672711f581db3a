"""SEW and SEW-D give the states of transformers, at half the rate and at the full one."""

from __future__ import annotations

import pytest
import torch
from backbones import tiny_encoders
from backbones.test_families import assert_same, load, normalised


def theirs(folder, waves: list[torch.Tensor]):
    """transformers' own outputs for waves of several lengths in one lot, normalised each by itself, and its masks."""
    import transformers

    direct = transformers.AutoModel.from_pretrained(folder).eval()
    direct.config.tie_last_hidden_states = False
    longest = max(len(wave) for wave in waves)
    lot = torch.stack(
        [torch.nn.functional.pad(normalised(wave[None])[0], (0, longest - len(wave))) for wave in waves]
    )
    mask = torch.stack([(torch.arange(longest) < len(wave)).long() for wave in waves])
    with torch.no_grad():
        found = direct(lot, attention_mask=mask, output_hidden_states=True)
    return found, [int(direct._get_feat_extract_output_lengths(len(wave))) for wave in waves]


@pytest.mark.parametrize("seconds", [0.05, 0.41, 1.0, 2.37])
@pytest.mark.parametrize("kind", ["sew", "sew-d"])
def test_every_layer_and_the_output_are_those_of_transformers(
    kind, seconds, checkpoint, loaded, waves
) -> None:
    backbone = loaded(kind)
    sound = waves(backbone, seconds, rows=1)
    found, (frames,) = theirs(checkpoint(kind), [sound[0]])
    *inner, last = backbone.hidden_states(sound)
    assert_same(inner, list(found.hidden_states[:-1]))
    assert last.shape[1] == frames // 2 * 2
    assert_same([last], [found.last_hidden_state[:, : last.shape[1]]])
    assert not found.last_hidden_state[:, last.shape[1] :].any(), "what is left out is a frame of zeros"
    assert not torch.allclose(found.hidden_states[-1], last[:, : found.hidden_states[-1].shape[1]], atol=1e-3)


@pytest.mark.parametrize("kind", ["sew", "sew-d"])
def test_beside_a_longer_clip_transformers_own_states_are_ours_of_the_clip_alone(
    kind, tmp_path, waves
) -> None:
    """With layer norms in the convolutions and an even number of frames: a group norm over time sees the padding, and the last
    of an odd number is averaged with it."""
    folder = tiny_encoders.tiny_sew(tmp_path / kind, kind, norm="layer")
    backbone = load(f"hf:some/{kind}", folder)
    long = waves(backbone, 2.02, rows=1)[0]
    clips = [long[:6_500], long[:13_000], long]
    found, frames = theirs(folder, clips)
    for row, (clip, n) in enumerate(zip(clips, frames, strict=True)):
        whole = n // 2 * 2
        assert n == whole
        *inner, last = backbone.hidden_states(clip[None])
        assert_same(inner, [state[row : row + 1, : whole // 2] for state in found.hidden_states[:-1]])
        assert_same([last], [found.last_hidden_state[row : row + 1, :whole]])
