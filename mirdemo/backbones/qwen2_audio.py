"""The audio tower of Qwen2-Audio, alone: its tensors are picked out of the shards that hold them."""

from __future__ import annotations

from pathlib import Path

from mirdemo.backbones import files, loading, logmel
from mirdemo.backbones.spec import BackboneSpec


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> logmel.LogMelBackbone:
    """Load from a folder with config.json, preprocessor_config.json and the shards (or the one file) that hold the
    tower; other shards need not be there.

    Layers: ``input``, ``1``, ... ``32``; the last one is what the language model's projection reads, its frames
    averaged in pairs and normalised. Raises BackboneError.
    """
    from transformers import Qwen2AudioEncoder, Qwen2AudioEncoderConfig

    values = loading.read_json(checkpoint, "config.json", spec.title)
    kind = "qwen2_audio_encoder" if values.get("model_type") == "qwen2_audio_encoder" else "qwen2_audio"
    sizes = values if kind in files.TOWERS else values.get("audio_config")
    config = loading.configure(
        Qwen2AudioEncoderConfig, sizes if isinstance(sizes, dict) else {}, spec.title, **logmel.DETERMINISTIC
    )
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title, files.PARTS[kind])
    return logmel.assemble(
        spec, checkpoint, Qwen2AudioEncoder, config, paths, state, device, dtype, masked=True, pairs=True
    )
