"""The towers of the Flamingos and of Voxtral give what their own models compute, unequal lengths in one lot."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
import torch
from backbones.test_families import assert_same, copied, load


@pytest.mark.parametrize("kind", ["audioflamingo3", "musicflamingo", "voxtral"])
def test_every_layer_is_what_the_model_itself_computes(kind, checkpoint, loaded) -> None:
    import transformers

    backbone = loaded(kind)
    stem = {"audioflamingo3": "AudioFlamingo3", "musicflamingo": "MusicFlamingo", "voxtral": "Voxtral"}[kind]
    model = getattr(transformers, f"{stem}ForConditionalGeneration").from_pretrained(checkpoint(kind)).eval()
    tower = model.model.audio_tower
    draw = torch.Generator().manual_seed(1)
    clips = [0.1 * torch.randn(n, generator=draw) for n in (400, 16_001, 80_000, 480_000)]
    inputs = transformers.WhisperFeatureExtractor.from_pretrained(checkpoint(kind))(
        [clip.numpy() for clip in clips],
        sampling_rate=16_000,
        return_tensors="pt",
        return_attention_mask=True,
    )
    seen: list[torch.Tensor] = []
    for layer in tower.layers:
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tower.register_forward_hook(lambda _, given, output: seen.append(output.last_hidden_state))
    with torch.no_grad():
        if kind == "voxtral":
            model.get_audio_features(inputs.input_features)
        elif kind == "musicflamingo":
            tower(inputs.input_features, input_features_mask=inputs.attention_mask)
        else:
            model.get_audio_features(inputs.input_features, inputs.attention_mask)
    before, after = tower._get_feat_extract_output_lengths(inputs.attention_mask.sum(-1))
    for row, clip in enumerate(clips):
        last = before[row] if kind == "voxtral" else after[row]
        expected = [state[row : row + 1, : before[row]] for state in seen[:-1]]
        expected.append(seen[-1][row : row + 1, :last])
        assert_same(backbone.hidden_states(clip[None]), expected)


def test_a_preprocessor_within_the_processors_file_is_obeyed_first_as_transformers_does(
    checkpoint, loaded, waves, tmp_path
) -> None:
    folder = copied(checkpoint("audioflamingo3"), tmp_path / "copy")
    alone = folder / "preprocessor_config.json"
    values = json.loads(alone.read_text(encoding="utf-8"))
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "AudioFlamingo3Processor", "feature_extractor": values}),
        encoding="utf-8",
    )
    alone.write_text(json.dumps(values | {"hop_length": 320}), encoding="utf-8")
    sound = waves(loaded("audioflamingo3"), 1.0)
    expected = loaded("audioflamingo3").hidden_states(sound)
    assert_same(load("audioflamingo3", folder).hidden_states(sound), expected, 0.0)
    alone.unlink()
    assert_same(load("audioflamingo3", folder).hidden_states(sound), expected, 0.0)


@pytest.mark.parametrize(
    ("kind", "module", "network"),
    [
        ("qwen2-audio", "qwen2_audio", "Qwen2AudioEncoder"),
        ("audioflamingo3", "audioflamingo3", "AudioFlamingo3Encoder"),
        ("voxtral", "voxtral", "VoxtralEncoder"),
        ("qwen2_5_omni", "qwen2_5_omni", "Qwen2_5OmniAudioEncoder"),
        ("qwen3_omni_moe", "qwen3_omni_moe", "Qwen3OmniMoeAudioEncoder"),
    ],
)
def test_a_tower_saved_alone_loads_as_within_its_model(
    kind, module, network, checkpoint, loaded, waves, tmp_path
) -> None:
    """As its class in transformers saves it: no prefix before the tensors, its configuration the whole file."""
    from safetensors.torch import load_file

    made = getattr(import_module(f"transformers.models.{module}.modeling_{module}"), network)
    whole = checkpoint(kind)
    values = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    sizes = values.get("thinker_config", values)["audio_config"]
    tensors = {
        name.split("audio_tower.")[1]: tensor
        for path in whole.glob("*.safetensors")
        for name, tensor in load_file(path).items()
        if "audio_tower." in name
    }
    with torch.device("meta"):
        alone = made(made.config_class(**sizes))
    alone.load_state_dict(tensors, assign=True, strict=True)
    alone.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_bytes((whole / "preprocessor_config.json").read_bytes())
    told = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["model_type"]
    assert told.endswith("_encoder")
    sound = waves(loaded(kind), 1.3)
    found = load("hf:some/tower", tmp_path)
    assert_same(found.hidden_states(sound), loaded(kind).hidden_states(sound), 0.0)
    assert found.spec.parameters == loaded(kind).spec.parameters
