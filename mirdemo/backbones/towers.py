"""Whisper-like towers of audio language models, alone: Audio Flamingo 3, Music Flamingo, Voxtral.

Their tensors are picked out of the shards that hold them. The last layer is what the language model's projection reads:
for the Flamingos, which mask the padding, frames averaged in pairs and normalised, as Qwen2-Audio's; for Voxtral, which
does not, normalised only (its tower has a layer that would average them and never calls it, transformers 5.23).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mirdemo.backbones import files, loading, logmel
from mirdemo.backbones.spec import BackboneSpec


@dataclass(frozen=True)
class _Tower:
    """network: transformers' class, whose configuration is of the same name; masked, pairs: as for ``LogMelBackbone``"""

    network: str
    masked: bool
    pairs: bool


_TOWERS = {
    "audioflamingo3": _Tower("AudioFlamingo3Encoder", masked=True, pairs=True),
    "musicflamingo": _Tower("AudioFlamingo3Encoder", masked=True, pairs=True),
    "voxtral": _Tower("VoxtralEncoder", masked=False, pairs=False),
}


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> logmel.LogMelBackbone:
    """Load from a folder with config.json, a preprocessor's file and the shards (or the one file) that hold the tower.

    Layers: ``input``, ``1``, ``2``, ... Raises BackboneError.
    """
    import transformers

    values = loading.read_json(checkpoint, "config.json", spec.title)
    kind = str(values.get("model_type"))
    tower = _TOWERS[files.TOWERS.get(kind, kind)]
    network = getattr(transformers, tower.network)
    sizes = values if kind in files.TOWERS else values.get("audio_config")
    config = loading.configure(
        network.config_class, sizes if isinstance(sizes, dict) else {}, spec.title, **logmel.DETERMINISTIC
    )
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title, files.PARTS[kind])
    return logmel.assemble(
        spec,
        checkpoint,
        network,
        config,
        paths,
        state,
        device,
        dtype,
        masked=tower.masked,
        pairs=tower.pairs,
    )
