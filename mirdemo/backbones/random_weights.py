"""The published shapes with random weights, in the layout of their repositories: for what depends on shapes alone, as speed.

Nothing of what such a network hears means anything: no figure of quality may come from one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mirdemo.backbones.registry import load_backbone, spec, specs
from mirdemo.backbones.spec import BackboneError

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, BackboneSpec

#: What MERT-v1-330M's configuration changes of HuBERT's defaults; 95M changes nothing that matters for its shape.
_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
}
#: HTS-AT as both larger CLAP models have it.
_CLAP_AUDIO = {
    "patch_embeds_hidden_size": 128,
    "hidden_size": 1024,
    "depths": [2, 2, 12, 2],
    "num_attention_heads": [4, 8, 16, 32],
}


def shape(name: str) -> str:
    """The name of the first backbone of the registry whose network has the same shape: one is as fast as the other."""
    wanted = _facts(spec(name))
    return next((one.name for one in specs().values() if _facts(one) == wanted), name)


def _facts(one: BackboneSpec) -> tuple[Any, ...]:
    return one.family, one.layers, one.parameters, one.sample_rate, one.window_seconds


def load(
    name: str, folder: Path, dtype: str = "auto", engine: str | None = "torch", device: str = "cpu"
) -> Backbone:
    """A backbone of the registry with random weights; the checkpoint is written into ``folder`` if it is not there.

    Raises BackboneError as ``load_backbone`` and ``checkpoint`` do.
    """
    if spec(name).family == "musicnn":
        return _musicnn(spec(name), device)
    if not folder.is_dir():
        checkpoint(name, folder)
    return load_backbone(name, folder, device, dtype, engine=engine)


def checkpoint(name: str, folder: Path) -> Path:
    """Fill a folder as the backbone's repository looks, in the published shape. Raises BackboneError for a name whose shape
    is not known here."""
    facts = spec(name)
    if facts.family == "mert":
        return mert(folder, _LARGE if len(facts.layers) > 13 else {})
    if facts.family == "clap":
        return _clap(folder)
    if facts.family == "qwen2_audio":
        return _qwen2_audio(folder)
    raise BackboneError(
        "{name} is not here, and without its weights its shape is not known. Fetch it first: "
        "python -m mirdemo backbones {name} --check",
        code="backbone.shape_unknown",
        name=name,
    )


def random_state(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """The network's state with matrices drawn at 1/sqrt(fan-in): signals neither die nor explode."""
    draw = torch.Generator().manual_seed(seed)
    state = network.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.ndim >= 2:
            fan_in = tensor[0].numel()
            state[name] = torch.randn(tensor.shape, generator=draw) / fan_in**0.5
        elif tensor.is_floating_point() and name.endswith("bias"):
            state[name] = 0.1 * torch.randn(tensor.shape, generator=draw)
    return {name: tensor.clone().contiguous() for name, tensor in state.items()}


def published_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weight norm's factors under the names that published checkpoints have."""
    return {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in state.items()
    }


def mert(folder: Path, sizes: Mapping[str, Any], seed: int = 0) -> Path:
    """MERT: ``pytorch_model.bin`` beside a configuration with the published code's own keys.

    sizes: what differs from HuBERT's defaults, which are MERT-95M's shape
    """
    from transformers import HubertConfig, HubertModel

    folder.mkdir(parents=True, exist_ok=True)
    values = HubertConfig(**sizes).to_dict() | {
        "model_type": "mert_model",
        "architectures": ["MERTModel"],
        "auto_map": {"AutoModel": "modeling_MERT.MERTModel"},
        "deepnorm": False,
        "feature_extractor_cqt": False,
        "attention_relax": 32.0,
        "tokenizer_class": "Wav2Vec2CTCTokenizer",
    }
    write_json(folder / "config.json", values | dict(sizes))
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_normalize": True,
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "feature_size": 1,
            "padding_value": 0,
            "return_attention_mask": True,
            "sampling_rate": 24000,
        },
    )
    torch.save(
        published_names(random_state(HubertModel(HubertConfig(**sizes)), seed)), folder / "pytorch_model.bin"
    )
    return folder


def clap_preprocessor(folder: Path) -> None:
    """The published feature extractor's numbers."""
    write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "ClapFeatureExtractor",
            "feature_size": 64,
            "fft_window_size": 1024,
            "frequency_max": 14000,
            "frequency_min": 50,
            "hop_length": 480,
            "max_length_s": 10,
            "padding": "repeatpad",
            "padding_value": 0.0,
            "return_attention_mask": False,
            "sampling_rate": 48000,
            "top_db": None,
            "truncation": "rand_trunc",
        },
    )


def clap_state(config: Any, seed: int = 0) -> dict[str, Tensor]:
    """Of a ``ClapModel``, its first norm as a trained network has met decibels."""
    from transformers import ClapModel

    state = random_state(ClapModel(config), seed)
    normalised = "audio_model.audio_encoder.batch_norm.running_"
    state[f"{normalised}mean"].fill_(-40.0)
    state[f"{normalised}var"].fill_(900.0)
    return state


def whisper_preprocessor(folder: Path, mels: int) -> None:
    """Whisper's numbers, which Qwen2-Audio's tower shares."""
    write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "chunk_length": 30,
            "feature_size": mels,
            "hop_length": 160,
            "n_fft": 400,
            "n_samples": 480000,
            "nb_max_frames": 3000,
            "padding_value": 0.0,
            "return_attention_mask": True,
            "sampling_rate": 16000,
        },
    )


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")


def _clap(folder: Path) -> Path:
    from transformers import ClapConfig

    folder.mkdir(parents=True, exist_ok=True)
    config = ClapConfig(audio_config=_CLAP_AUDIO, projection_dim=512)
    write_json(folder / "config.json", config.to_dict())
    clap_preprocessor(folder)
    torch.save(clap_state(config), folder / "pytorch_model.bin")
    return folder


def _qwen2_audio(folder: Path) -> Path:
    """The tower alone, whose published sizes are the defaults of its configuration."""
    from safetensors.torch import save_file
    from transformers import Qwen2AudioEncoder, Qwen2AudioEncoderConfig

    folder.mkdir(parents=True, exist_ok=True)
    config = Qwen2AudioEncoderConfig()
    write_json(folder / "config.json", {"model_type": "qwen2_audio", "audio_config": config.to_dict()})
    whisper_preprocessor(folder, mels=128)
    state = random_state(Qwen2AudioEncoder(config))
    save_file({f"audio_tower.{name}": tensor for name, tensor in state.items()}, folder / "model.safetensors")
    return folder


def _musicnn(facts: BackboneSpec, device: str) -> Backbone:
    from mirdemo.backbones import loading, musicnn
    from mirdemo.backbones.spec import Identity

    network = musicnn.Network().eval()
    identity = Identity(
        facts.name, "random", "0" * 64, "float32", facts.sample_rate, facts.window_seconds, facts.pooling
    )
    parameters = sum(one.numel() for one in network.parameters())
    return musicnn.Musicnn(
        replace(facts, parameters=parameters), identity, network, loading.resolve_device(device)
    )
