"""``hf:OWNER/REPO``: encoders that transformers knows natively, and copies of the families that have loaders here.

``model_type`` in config.json decides. MERT, CLAP and Qwen2-Audio go to their own modules. Of the others, what lies beside
the encoder in the weights (heads, decoders, what only pretraining used) is never used and no reason to refuse: where the
encoder's tensors have transformers' own prefix, everything without it is left out; where they have none, known heads are.
A tensor that would belong to the encoder and is not known there is refused. ``docs/backbones.md`` tells why other kinds
are not loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mirdemo.backbones import clap, loading, logmel, mert, qwen2_audio, registry, spectrogram, waveform
from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Kind:
    """How a model type's weights are named.

    network: transformers' class
    prefixes: what may stand before the names of the encoder's tensors, tried in order
    beside: how the full names of known heads' and decoders' tensors begin
    """

    network: str
    prefixes: tuple[str, ...]
    beside: tuple[str, ...]


_HEADS = ("lm_head.", "projector.", "classifier.", "layer_weights")
_PRETRAINING = ("quantizer.", "project_q.", "project_hid.")
# "feature_extractor.weight" and ".bias": the linear layer of an x-vector head, not the convolutions
_X_VECTOR = ("tdnn.", "objective.", "feature_extractor.weight", "feature_extractor.bias")
_KINDS = {
    "wav2vec2": _Kind("Wav2Vec2Model", ("wav2vec2.",), (*_HEADS, *_PRETRAINING, *_X_VECTOR)),
    "hubert": _Kind("HubertModel", ("hubert.",), _HEADS),
    "wavlm": _Kind("WavLMModel", ("wavlm.",), (*_HEADS, *_X_VECTOR)),
    "unispeech": _Kind("UniSpeechModel", ("unispeech.",), (*_HEADS, *_PRETRAINING, "ctc_proj.")),
    "unispeech-sat": _Kind(
        "UniSpeechSatModel",
        ("unispeech_sat.",),
        (*_HEADS, *_PRETRAINING, *_X_VECTOR, "speaker_proj.", "label_embeddings_concat", "layer_norm_for_"),
    ),
    "data2vec-audio": _Kind("Data2VecAudioModel", ("data2vec_audio.",), (*_HEADS, *_X_VECTOR)),
    "whisper": _Kind(
        "WhisperEncoder",
        ("model.encoder.", "encoder."),
        ("model.decoder.", "decoder.", "proj_out.", "projector.", "classifier.", "layer_weights"),
    ),
    "audio-spectrogram-transformer": _Kind("ASTModel", ("audio_spectrogram_transformer.",), ("classifier.",)),
}
#: model_type -> the backbone of the registry whose loader and manners it has
_FAMILIES = {"mert_model": "mert-95m", "clap": "clap-music", "qwen2_audio": "qwen2-audio"}
_LOADERS = {"mert": mert.load, "clap": clap.load, "qwen2_audio": qwen2_audio.load}
#: Only used to mask while pretraining: some published checkpoints have it, some do not.
_MASK = "masked_spec_embed"


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> Backbone:
    """Load from a folder with config.json, preprocessor_config.json and weights. Raises BackboneError.

    The loaded backbone's spec has the layers, the sample rate and the window that the files give.
    """
    import transformers

    values = loading.read_json(checkpoint, "config.json", spec.title)
    like = _FAMILIES.get(str(values.get("model_type")))
    if like is not None:
        known = registry.spec(like)
        copied = replace(
            spec,
            family=known.family,
            sample_rate=known.sample_rate,
            window_seconds=known.window_seconds,
            min_samples=known.min_samples,
            pooling=known.pooling,
            usual_layer=known.usual_layer,
            tail_blocks=known.tail_blocks,
            states_a_second=known.states_a_second,
        )
        return _LOADERS[known.family](copied, checkpoint=checkpoint, device=device, dtype=dtype)
    kind = _KINDS.get(str(values.get("model_type")))
    if kind is None:
        raise BackboneError(
            "{name} is of the kind {kind}, which cannot be loaded. Choose a wav2vec 2.0, HuBERT, WavLM, UniSpeech, "
            "data2vec, Whisper, AST, MERT, CLAP or Qwen2-Audio repository.",
            code="backbone.kind",
            name=spec.title,
            kind=str(values.get("model_type"))[:40],
        )
    paths = loading.weight_files(spec, checkpoint)
    state = _encoder(loading.read_state(paths, spec.title), kind)
    if kind.network == "WhisperEncoder":
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        config = loading.configure(transformers.WhisperConfig, values, spec.title, **logmel.DETERMINISTIC)
        return logmel.assemble(spec, checkpoint, WhisperEncoder, config, paths, state, device, dtype)
    given = (spec, checkpoint, getattr(transformers, kind.network))
    if kind.network == "ASTModel":
        return spectrogram.assemble(*given, values, paths, state, device, dtype)
    # A mask embedding is made where masking is possible; nothing is ever masked here.
    values = values | {"mask_time_prob": 0.0, "mask_feature_prob": 0.0}
    if kind.network == "UniSpeechSatModel":  # which makes one all the same
        size = values.get("hidden_size", transformers.UniSpeechSatConfig().hidden_size)
        state[_MASK] = torch.zeros(size if isinstance(size, int) and 0 < size < 1_000_000 else 1)
    return waveform.assemble(*given, values, paths, state, device, dtype)


def _encoder(state: Mapping[str, Tensor], kind: _Kind) -> dict[str, Tensor]:
    """The encoder's tensors under their own names: the prefix taken off where there is one, all else left out."""
    for prefix in kind.prefixes:
        inside = {name: tensor for name, tensor in state.items() if name.startswith(prefix)}
        if inside:
            return {
                name.removeprefix(prefix): tensor
                for name, tensor in inside.items()
                if not name.endswith(_MASK)
            }
    return {
        name: tensor
        for name, tensor in state.items()
        if not name.startswith(kind.beside) and not name.endswith(_MASK)
    }
