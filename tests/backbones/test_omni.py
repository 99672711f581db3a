"""The audio towers of Qwen2.5-Omni and Qwen3-Omni give what their own models compute of a sound."""

from __future__ import annotations

import pytest
import torch
from backbones.test_families import assert_same, load
from safetensors.torch import load_file

from mirdemo.backbones import loading


def tower_and_inputs(kind: str, folder, clips: list[torch.Tensor]):
    """The thinker's own tower, and what its processor makes of the clips."""
    import transformers

    stem = "Qwen3OmniMoe" if kind == "qwen3_omni_moe" else "Qwen2_5Omni"
    thinker = getattr(transformers, f"{stem}ThinkerForConditionalGeneration").from_pretrained(
        folder / "thinker"
    )
    how = {"padding": True, "truncation": False} if stem == "Qwen3OmniMoe" else {}
    inputs = transformers.WhisperFeatureExtractor.from_pretrained(folder)(
        [clip.numpy() for clip in clips],
        sampling_rate=16_000,
        return_tensors="pt",
        return_attention_mask=True,
        **how,
    )
    return thinker.eval(), inputs


def heard(thinker, features: torch.Tensor, mask: torch.Tensor):
    """Of a lot: what each layer reads and the last gives, packed; behind the norm; and the tower's output."""
    tower = thinker.model.audio_tower
    seen: list[torch.Tensor] = []
    for layer in tower.layers:
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tower.ln_post.register_forward_hook(lambda _, given, output: seen.append(output))
    with torch.no_grad():
        output = thinker.get_audio_features(features, feature_attention_mask=mask)
    return seen, output.last_hidden_state, tower


def theirs(kind: str, folder, clips: list[torch.Tensor]):
    """What the model of its own processor's lot has ``heard``."""
    thinker, inputs = tower_and_inputs(kind, folder, clips)
    return heard(thinker, inputs.input_features, inputs.attention_mask)


@pytest.mark.parametrize("samples", [401, 3_200, 15_999, 16_000, 16_001, 33_333, 64_000, 100_123])
@pytest.mark.parametrize("kind", ["qwen2_5_omni", "qwen3_omni_moe"])
def test_every_layer_is_what_the_model_itself_computes(kind, samples, checkpoint, loaded) -> None:
    clip = 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))
    seen, output, tower = theirs(kind, checkpoint(kind), [clip])
    found = loaded(kind).hidden_states(clip[None])
    assert_same([state[0] for state in found], seen)
    with torch.no_grad():
        if kind == "qwen2_5_omni":
            projected = tower.proj(found[-1][0])
        else:
            projected = tower.proj2(tower.act(tower.proj1(found[-1][0])))
    assert_same([projected], [output])


def test_a_lot_of_unequal_lengths_gives_each_clip_its_own_states(checkpoint, loaded) -> None:
    """Where every clip is longer than a chunk, Qwen's own packing agrees with rows that stand alone."""
    draw = torch.Generator().manual_seed(2)
    clips = [0.1 * torch.randn(n, generator=draw) for n in (16_000, 40_000, 90_000)]
    seen, *_ = theirs("qwen2_5_omni", checkpoint("qwen2_5_omni"), clips)
    found = [loaded("qwen2_5_omni").hidden_states(clip[None]) for clip in clips]
    for layer, packed in enumerate(seen):
        assert_same([torch.cat([states[layer][0] for states in found])], [packed])


def test_a_lot_of_qwen3s_gives_each_clip_of_a_chunk_or_more_its_own_states(checkpoint, loaded) -> None:
    """Beside longer sounds transformers pads a clip under a second to a whole chunk before the convolutions, which alone it does
    not; and its extractor pads waves before it computes frames, so that here each clip has its own frames and is padded then."""
    kind, folder = "qwen3_omni_moe", checkpoint("qwen3_omni_moe")
    draw = torch.Generator().manual_seed(6)
    clips = [0.1 * torch.randn(n, generator=draw) for n in (90_000, 16_000, 40_123, 3_200)]
    alone = [tower_and_inputs(kind, folder, [clip])[1].input_features[0] for clip in clips]
    longest = max(frames.shape[1] for frames in alone)
    lot = torch.stack([torch.nn.functional.pad(one, (0, longest - one.shape[1])) for one in alone])
    mask = torch.stack([(torch.arange(longest) < one.shape[1]).long() for one in alone])
    seen, *_ = heard(tower_and_inputs(kind, folder, clips[:1])[0], lot, mask)
    begin = 0
    for clip in clips:
        found = loaded(kind).hidden_states(clip[None])
        end = begin + found[0].shape[1]
        of_the_lot = [state[begin:end] for state in seen]
        if len(clip) >= 16_000:
            assert_same([state[0] for state in found], of_the_lot)
        else:
            assert not torch.allclose(found[0][0], of_the_lot[0], atol=1e-3)
        begin = end
    assert begin == len(seen[0])


@pytest.mark.parametrize(("kind", "seconds"), [("qwen2_5_omni", 30.0), ("qwen3_omni_moe", 30.0)])
def test_a_window_is_whole_spans_of_attention(kind, seconds, loaded) -> None:
    assert (
        loaded(kind).spec.window_seconds == seconds
    )  # Qwen3's published span of 8 s gives 24 s; the tiny one has 2 s


@pytest.mark.parametrize("kind", ["qwen2_5_omni", "qwen3_omni_moe"])
def test_the_thinker_alone_loads_as_the_whole_model(kind, checkpoint, loaded, waves, tmp_path) -> None:
    import shutil

    folder = tmp_path / "thinker"
    shutil.copytree(checkpoint(kind) / "thinker", folder)
    shutil.copy(checkpoint(kind) / "preprocessor_config.json", folder)
    sound = waves(loaded(kind), 1.3)
    assert_same(load(f"hf:some/{kind}", folder).hidden_states(sound), loaded(kind).hidden_states(sound), 0.0)


@pytest.mark.parametrize("kind", ["qwen2_5_omni", "qwen3_omni_moe"])
def test_only_the_shards_of_the_tower_are_read(kind, checkpoint, loaded) -> None:
    paths = loading.weight_files(loaded(kind).spec, checkpoint(kind))
    assert [path.name for path in paths] == ["model-00001-of-00002.safetensors"]
    held = load_file(paths[0])
    tower = sum(tensor.numel() for name, tensor in held.items() if name.startswith("thinker.audio_tower."))
    assert loaded(kind).spec.parameters == tower
