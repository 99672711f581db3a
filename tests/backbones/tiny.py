"""Checkpoints in the published layouts with random weights: tiny ones for tests, full-sized ones for benchmarks.

Each function fills a folder as its repository looks on the Hub and returns the folder. Key names are the published
ones: ``weight_g``/``weight_v`` in MERT, the old names of AST's layers, ``audio_tower.`` among other parts of
Qwen2-Audio. Weights are drawn wide enough that unlike sounds do not collapse, so that a health check passes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from mirdemo.backbones import random_weights
from mirdemo.backbones.random_weights import (
    clap_preprocessor,
    clap_state,
    published_names,
    random_state,
    whisper_preprocessor,
    write_json,
)

#: The published seven convolutions (400 samples a frame, steps of 320), narrow.
_CONVOLUTIONS = {
    "conv_dim": [16] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
}
_LAYERS = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
_WAVE = {**_CONVOLUTIONS, **_LAYERS, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
_TOWER = {
    "d_model": 32,
    "encoder_layers": 3,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "num_mel_bins": 128,
    "max_source_positions": 1500,
}


def tiny_mert(folder: Path, *, stable: bool = False, seed: int = 0, **changes: Any) -> Path:
    """MERT: ``pytorch_model.bin`` beside a configuration with the published code's own keys.

    stable: normalise before each sub-layer, as MERT-330M does; ``changes`` replace keys of config.json
    """
    sizes = {**_WAVE, "do_stable_layer_norm": stable, "feat_extract_norm": "layer" if stable else "group"}
    return random_weights.mert(folder, sizes | changes, seed)


def mert_sized(folder: Path, size: str) -> Path:
    """MERT with the published shapes and random weights. size: ``"95m"`` (378 MB) or ``"330m"`` (1.26 GB)."""
    return random_weights.checkpoint({"95m": "mert-95m", "330m": "mert-330m"}[size], folder)


def tiny_clap(folder: Path, *, seed: int = 0) -> Path:
    """CLAP: ``pytorch_model.bin``, HTS-AT with four groups on the published 64 mel bands, and a tiny tokenizer."""
    from transformers import ClapConfig

    folder.mkdir(parents=True, exist_ok=True)
    audio = {
        "patch_embeds_hidden_size": 16,
        "hidden_size": 128,
        "depths": [1, 1, 2, 1],
        "num_attention_heads": [1, 2, 4, 8],
        "projection_dim": 24,
    }
    text = {
        "vocab_size": 300,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "projection_dim": 24,
    }
    config = ClapConfig(audio_config=audio, text_config=text, projection_dim=24)
    write_json(folder / "config.json", config.to_dict())
    clap_preprocessor(folder)
    _tiny_tokenizer(folder)
    state = clap_state(config, seed)
    for name, tensor in state.items():  # else the first token, the same in every prompt, sees only itself
        if name.startswith("text_model.encoder") and "attention" in name and name.endswith("weight"):
            tensor.mul_(3.0)
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def _tiny_tokenizer(folder: Path) -> None:
    """A byte-level BPE tokenizer with RoBERTa's special tokens and no merges."""
    from tokenizers import pre_tokenizers

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    write_json(folder / "vocab.json", {token: index for index, token in enumerate([*special, *characters])})
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    write_json(
        folder / "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512}
    )


def tiny_qwen2_audio(folder: Path, *, shards: int = 5, seed: int = 0) -> Path:
    """Qwen2-Audio: a language model's tensors beside the tower, in ``shards`` files with an index (1: one file).

    The tower's tensors lie in the second and the third of five shards.
    """
    from transformers import Qwen2AudioEncoder, Qwen2AudioEncoderConfig

    folder.mkdir(parents=True, exist_ok=True)
    tower = random_state(Qwen2AudioEncoder(Qwen2AudioEncoderConfig(**_TOWER)), seed)
    state = {f"audio_tower.{name}": tensor for name, tensor in tower.items()}
    state |= {f"language_model.model.layers.{i}.mlp.up_proj.weight": torch.randn(8, 8) for i in range(4)}
    state |= {"multi_modal_projector.linear.weight": torch.randn(8, 32)}
    write_json(
        folder / "config.json",
        {
            "model_type": "qwen2_audio",
            "audio_config": {"model_type": "qwen2_audio_encoder", **_TOWER},
            "text_config": {"model_type": "qwen2", "hidden_size": 8},
        },
    )
    whisper_preprocessor(folder, mels=128)
    if shards == 1:
        save_file(state, folder / "model.safetensors")
        return folder
    towers = [name for name in state if name.startswith("audio_tower.")]
    others = [name for name in state if not name.startswith("audio_tower.")]
    parts = [others[:1], towers[::2], [*towers[1::2], *others[1:2]], others[2:3], others[3:]]
    weight_map = {}
    for number, names in enumerate(parts, start=1):
        file = f"model-{number:05d}-of-00005.safetensors"
        save_file({name: state[name] for name in names}, folder / file)
        weight_map |= dict.fromkeys(names, file)
    write_json(
        folder / "model.safetensors.index.json", {"metadata": {"total_size": 0}, "weight_map": weight_map}
    )
    return folder


def tiny_wave_model(folder: Path, kind: str, *, stable: bool = False, seed: int = 0) -> Path:
    """wav2vec 2.0, HuBERT, WavLM, UniSpeech, UniSpeech-SAT or data2vec with a CTC head, in safetensors.

    kind: ``"wav2vec2"``, ``"hubert"``, ``"wavlm"``, ``"unispeech"``, ``"unispeech-sat"`` or ``"data2vec-audio"``
    """
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    stem = {
        "wav2vec2": "Wav2Vec2",
        "hubert": "Hubert",
        "wavlm": "WavLM",
        "unispeech": "UniSpeech",
        "unispeech-sat": "UniSpeechSat",
        "data2vec-audio": "Data2VecAudio",
    }[kind]
    sizes: dict[str, Any] = {**_WAVE, "vocab_size": 12}
    if kind == "data2vec-audio":  # several narrow convolutions for the position, and one kind of norm
        sizes |= {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 7}
    else:
        sizes |= {"do_stable_layer_norm": stable, "feat_extract_norm": "layer" if stable else "group"}
    config = getattr(transformers, f"{stem}Config")(**sizes)
    write_json(folder / "config.json", config.to_dict())
    write_json(folder / "preprocessor_config.json", {"do_normalize": True, "sampling_rate": 16000})
    network = getattr(transformers, f"{stem}ForCTC")(config)
    save_file(published_names(random_state(network, seed)), folder / "model.safetensors")
    return folder


def tiny_whisper(folder: Path, *, seed: int = 0) -> Path:
    """Whisper with its decoder, in safetensors under the published names."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    config = WhisperConfig(
        d_model=32,
        encoder_layers=3,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        vocab_size=60,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
    )
    write_json(folder / "config.json", config.to_dict())
    whisper_preprocessor(folder, mels=80)
    state = random_state(WhisperForConditionalGeneration(config), seed)
    state.pop("proj_out.weight")  # tied to the decoder's embedding, so not saved
    save_file(state, folder / "model.safetensors")
    return folder


#: Names of AST's tensors in today's transformers -> in the published checkpoints.
_AST_PUBLISHED = (
    (r"\.layers\.", ".encoder.layer."),
    (r"\.attention\.q_proj\.", ".attention.attention.query."),
    (r"\.attention\.k_proj\.", ".attention.attention.key."),
    (r"\.attention\.v_proj\.", ".attention.attention.value."),
    (r"\.attention\.o_proj\.", ".attention.output.dense."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
)


def tiny_ast(folder: Path, *, seed: int = 0) -> Path:
    """AST with its classifier, in safetensors under the published (older) names."""
    from transformers import ASTConfig, ASTForAudioClassification

    folder.mkdir(parents=True, exist_ok=True)
    config = ASTConfig(**_LAYERS, max_length=128, num_labels=3)
    write_json(folder / "config.json", config.to_dict())
    write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "ASTFeatureExtractor",
            "do_normalize": True,
            "feature_size": 1,
            "max_length": 128,
            "mean": -4.2677393,
            "std": 4.5689974,
            "num_mel_bins": 128,
            "padding_value": 0.0,
            "sampling_rate": 16000,
        },
    )
    state = {}
    for name, tensor in random_state(ASTForAudioClassification(config), seed).items():
        for new, old in _AST_PUBLISHED:
            name = re.sub(new, old, name)
        state[name] = tensor
    save_file(state, folder / "model.safetensors")
    return folder


def write_bundle(index: Path, data: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """A checkpoint as TensorFlow writes it, in one part: float32 tensors, several blocks, shortened keys, no checksums."""
    places = {}
    with data.open("wb") as file:
        for name in sorted(tensors):
            places[name] = file.tell()
            file.write(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())
    header = _field(1, 1) + _field(3, _field(1, 1))
    entries = [(b"", header)]
    for name in sorted(tensors):
        shape = b"".join(_field(2, _field(1, size)) for size in tensors[name].shape)
        entry = _field(1, 1) + _field(2, shape) + (_field(4, places[name]) if places[name] else b"")
        entries.append((name.encode(), entry + _field(5, 4 * tensors[name].size)))
    table, handles = b"", []
    for start in range(0, len(entries), 50):
        block = _block(entries[start : start + 50])
        handles.append(
            (entries[min(start + 50, len(entries)) - 1][0], _varint(len(table)) + _varint(len(block)))
        )
        table += block + bytes(5)
    about, blocks = _block([]), _block(handles)
    footer = _varint(len(table)) + _varint(len(about))
    table += about + bytes(5)
    footer += _varint(len(table)) + _varint(len(blocks))
    table += blocks + bytes(5)
    index.write_bytes(table + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))


def _block(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    written, before = b"", b""
    for key, value in entries:
        kept = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        written += _varint(kept) + _varint(len(key) - kept) + _varint(len(value)) + key[kept:] + value
        before = key
    return written + struct.pack("<II", 0, 1)


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def tiny_musicnn(folder: Path) -> Path:
    """musicnn's checkpoint with random weights, what the optimiser keeps beside them among it. Its sizes are fixed."""
    from mirdemo.backbones import musicnn_facts as facts

    draw = np.random.default_rng(5)
    kernels = [(7, bands, 1, facts.TIMBRAL_FILTERS) for bands in facts.TIMBRAL_BANDS]
    kernels += [(frames, 1, 1, facts.TEMPORAL_FILTERS) for frames in facts.TEMPORAL_FRAMES]
    kernels += [
        (7, size, 1, facts.MIDDLE) for size in (facts.TIMBRAL + facts.TEMPORAL, facts.MIDDLE, facts.MIDDLE)
    ]
    norms = [1, *(kernel[-1] for kernel in kernels), 2 * facts.POOLED, facts.UNITS]
    variables: dict[str, np.ndarray] = {}
    for at, kernel in enumerate(kernels):
        variables[f"conv2d{_count(at)}/kernel"] = draw.normal(size=kernel) / np.sqrt(np.prod(kernel[:3]))
        variables[f"conv2d{_count(at)}/bias"] = 0.1 * draw.normal(size=kernel[-1])
    for at, size in enumerate(norms):
        name = f"batch_normalization{_count(at)}"
        variables[f"{name}/gamma"] = draw.normal(1, 0.5, size=size)
        variables[f"{name}/beta"] = draw.normal(size=size)
        variables[f"{name}/moving_mean"] = 0.1 * draw.normal(size=size)
        variables[f"{name}/moving_variance"] = draw.uniform(0.5, 2, size=size)
    for at, shape in enumerate(((2 * facts.POOLED, facts.UNITS), (facts.UNITS, facts.TAGS))):
        variables[f"dense{_count(at)}/kernel"] = draw.normal(size=shape) / np.sqrt(shape[0])
        variables[f"dense{_count(at)}/bias"] = 0.1 * draw.normal(size=shape[1])
    beside = {"beta1_power": np.float32(0.5), "beta2_power": np.float32(0.5)}
    beside |= {f"{name}/{kept}": values for name, values in variables.items() for kept in ("Adam", "Adam_1")}
    folder.mkdir(parents=True)
    write_bundle(folder / facts.INDEX, folder / facts.DATA, {**variables, **beside})
    return folder


def _count(at: int) -> str:
    return f"_{at}" if at else ""
