"""More checkpoints with random weights, as ``tiny.py``: SEW, conformers, EnCodec, and towers of audio language models.

Those of whole models are saved by transformers itself, so that names and configurations are those of their repositories.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backbones.tiny import (
    _LAYERS,
    _TOWER,
    _WAVE,
    published_names,
    random_state,
    whisper_preprocessor,
    write_json,
)
from safetensors.torch import load_file, save_file

_LANGUAGE = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 64,
}
_WAVE_FILE = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": True,
    "sampling_rate": 16000,
}


def tiny_sew(folder: Path, kind: str, *, norm: str = "group", seed: int = 0) -> Path:
    """SEW (``kind="sew"``) or SEW-D (``"sew-d"``) with a CTC head. norm: ``feat_extract_norm``"""
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    stem = {"sew": "SEW", "sew-d": "SEWD"}[kind]
    sizes: dict[str, Any] = {**_WAVE, "vocab_size": 12, "squeeze_factor": 2, "feat_extract_norm": norm}
    if kind == "sew-d":
        sizes |= {"max_position_embeddings": 64, "position_buckets": 16}
    config = getattr(transformers, f"{stem}Config")(**sizes)
    write_json(folder / "config.json", config.to_dict())
    write_json(folder / "preprocessor_config.json", _WAVE_FILE)
    state = random_state(getattr(transformers, f"{stem}ForCTC")(config), seed)
    save_file(published_names(state), folder / "model.safetensors")
    return folder


def tiny_wave_conformer(folder: Path, positions: str, *, seed: int = 0) -> Path:
    """wav2vec2-conformer with a CTC head. positions: ``"relative"`` or ``"rotary"``"""
    from transformers import Wav2Vec2ConformerConfig, Wav2Vec2ConformerForCTC

    folder.mkdir(parents=True, exist_ok=True)
    config = Wav2Vec2ConformerConfig(
        **_WAVE,
        vocab_size=12,
        position_embeddings_type=positions,
        conv_depthwise_kernel_size=7,
        feat_extract_norm="layer",
    )
    write_json(folder / "config.json", config.to_dict())
    write_json(folder / "preprocessor_config.json", _WAVE_FILE)
    state = random_state(Wav2Vec2ConformerForCTC(config), seed)
    for name, tensor in state.items():  # a trained network has met other statistics than 0 and 1
        if name.endswith("running_mean"):
            tensor.fill_(0.1)
        elif name.endswith("running_var"):
            tensor.fill_(0.5)
    save_file(published_names(state), folder / "model.safetensors")
    return folder


def tiny_mel_conformer(folder: Path, positions: str = "relative_key", *, seed: int = 0) -> Path:
    """wav2vec2-BERT alone, without a prefix, as facebook/w2v-bert-2.0. positions: also ``"relative"``, ``"rotary"``"""
    from transformers import Wav2Vec2BertConfig, Wav2Vec2BertModel

    folder.mkdir(parents=True, exist_ok=True)
    config = Wav2Vec2BertConfig(
        **_LAYERS,
        position_embeddings_type=positions,
        left_max_position_embeddings=6,
        right_max_position_embeddings=2,
        conv_depthwise_kernel_size=7,
    )
    write_json(folder / "config.json", config.to_dict())
    write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "SeamlessM4TFeatureExtractor",
            "feature_size": 80,
            "num_mel_bins": 80,
            "padding_side": "right",
            "padding_value": 1,
            "processor_class": "Wav2Vec2BertProcessor",
            "return_attention_mask": True,
            "sampling_rate": 16000,
            "stride": 2,
        },
    )
    save_file(random_state(Wav2Vec2BertModel(config), seed), folder / "model.safetensors")
    return folder


def tiny_encodec(folder: Path, *, stereo: bool = False, seed: int = 0) -> Path:
    """EnCodec with decoder and quantiser. stereo: as the 48 kHz one, in pieces of a second; else as the 24 kHz one."""
    from transformers import EncodecConfig, EncodecModel

    folder.mkdir(parents=True, exist_ok=True)
    sizes: dict[str, Any] = {"num_filters": 4, "hidden_size": 16, "codebook_size": 8, "codebook_dim": 16}
    if stereo:
        sizes |= {
            "sampling_rate": 48_000,
            "audio_channels": 2,
            "normalize": True,
            "chunk_length_s": 1.0,
            "overlap": 0.01,
            "norm_type": "time_group_norm",
            "use_causal_conv": False,
            "target_bandwidths": [3.0],
        }
    config = EncodecConfig(**sizes)
    write_json(folder / "config.json", config.to_dict())
    write_json(
        folder / "preprocessor_config.json",
        {
            "chunk_length_s": config.chunk_length_s,
            "feature_extractor_type": "EncodecFeatureExtractor",
            "feature_size": config.audio_channels,
            "overlap": config.overlap,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": True,
            "sampling_rate": config.sampling_rate,
        },
    )
    save_file(published_names(random_state(EncodecModel(config), seed)), folder / "model.safetensors")
    return folder


def tiny_listener(folder: Path, kind: str, *, seed: int = 0) -> Path:
    """A whole audio language model. kind: ``"audioflamingo3"``, ``"musicflamingo"`` or ``"voxtral"``"""
    import transformers

    stem = {"audioflamingo3": "AudioFlamingo3", "musicflamingo": "MusicFlamingo", "voxtral": "Voxtral"}[kind]
    tower = "voxtral_encoder" if kind == "voxtral" else "audioflamingo3_encoder"
    tokens = {"audio_token_id": 7}
    if kind == "musicflamingo":
        tokens |= {"audio_bos_token_id": 8, "audio_eos_token_id": 9}
    config = getattr(transformers, f"{stem}Config")(
        audio_config={**_TOWER, "model_type": tower},
        text_config={**_LANGUAGE, "model_type": "llama" if kind == "voxtral" else "qwen2"},
        **tokens,
    )
    network = getattr(transformers, f"{stem}ForConditionalGeneration")(config)
    network.load_state_dict(random_state(network, seed))
    network.save_pretrained(folder)
    whisper_preprocessor(folder, mels=128)
    return folder


def tiny_omni(folder: Path, kind: str, *, seed: int = 0) -> Path:
    """An Omni model: its thinker as saved by transformers, under ``thinker.``, beside a talker in another shard.

    kind: ``"qwen2_5_omni"`` or ``"qwen3_omni_moe"``
    """
    import torch
    import transformers

    newer = kind == "qwen3_omni_moe"
    stem = "Qwen3OmniMoe" if newer else "Qwen2_5Omni"
    text: dict[str, Any] = dict(_LANGUAGE)
    sight: dict[str, Any] = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2}
    sight |= {"out_hidden_size": 16}
    sound: dict[str, Any] = {**_TOWER, "output_dim": 16}
    if newer:
        text |= {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 8, "head_dim": 8}
        sight |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 16}
        sound |= {"downsample_hidden_size": 6, "n_window_infer": 200}
    else:
        text |= {
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
        }
    config = getattr(transformers, f"{stem}ThinkerConfig")(
        audio_config=sound, vision_config=sight, text_config=text, audio_token_id=7
    )
    network = getattr(transformers, f"{stem}ThinkerForConditionalGeneration")(config)
    network.load_state_dict(random_state(network, seed))
    network.save_pretrained(folder / "thinker")
    thinker = load_file(folder / "thinker" / "model.safetensors")
    shards = {
        "model-00001-of-00002.safetensors": {f"thinker.{name}": one for name, one in thinker.items()},
        "model-00002-of-00002.safetensors": {"talker.model.norm.weight": torch.ones(4)},
    }
    placed = {}
    for name, tensors in shards.items():
        save_file(tensors, folder / name)
        placed |= dict.fromkeys(tensors, name)
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": placed})
    values = json.loads((folder / "thinker" / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", {"model_type": kind, "thinker_config": values})
    write_json(
        folder / "preprocessor_config.json",
        {
            "chunk_length": 300,
            "dither": 0.0,
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 128,
            "hop_length": 160,
            "image_mean": [0.48, 0.46, 0.41],
            "image_processor_type": "Qwen2VLImageProcessor",
            "image_std": [0.27, 0.26, 0.28],
            "max_pixels": 12845056,
            "merge_size": 2,
            "min_pixels": 3136,
            "n_fft": 400,
            "n_samples": 4800000,
            "nb_max_frames": 30000,
            "padding_side": "right",
            "padding_value": 0.0,
            "patch_size": 14,
            "processor_class": "Qwen3OmniMoeProcessor" if newer else "Qwen2_5OmniProcessor",
            "return_attention_mask": True,
            "sampling_rate": 16000,
            "temporal_patch_size": 2,
        },
    )
    return folder
