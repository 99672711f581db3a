"""``hf:OWNER/REPO``: encoders that transformers knows natively, and copies of the families that have loaders here.

``model_type`` in config.json decides. MERT, CLAP and Qwen2-Audio go to their own modules as the registry knows them; SEW,
conformers, EnCodec and the towers of audio language models to theirs; what is built like wav2vec 2.0, Whisper or AST is told
apart here. What lies beside the encoder in the weights (heads, decoders, what only pretraining used) is never used and no
reason to refuse: where the encoder's tensors have transformers' own prefix, everything without it is left out; where they
have none, known heads are. A tensor that would belong to the encoder and is not known there is refused. Every other kind of
sound network in transformers is refused with its reason (``unloadable.py``); ``docs/backbones.md`` tells them all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import torch

from mirdemo.backbones import loading, logmel, registry, spectrogram, unloadable, waveform
from mirdemo.backbones.spec import Backbone, BackboneSpec


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
_FAMILIES = {
    "mert_model": "mert-95m",
    "clap": "clap-music",
    "qwen2_audio": "qwen2-audio",
    "qwen2_audio_encoder": "qwen2-audio",
}
#: model_type -> the module that loads it
_MODULES = {
    "sew": "sew",
    "sew-d": "sew",
    "wav2vec2-conformer": "conformer",
    "wav2vec2-bert": "conformer",
    "encodec": "encodec",
    "audioflamingo3": "towers",
    "musicflamingo": "towers",
    "audioflamingo3_encoder": "towers",
    "voxtral": "towers",
    "voxtral_encoder": "towers",
    "qwen2_5_omni": "omni",
    "qwen2_5_omni_thinker": "omni",
    "qwen2_5_omni_audio_encoder": "omni",
    "qwen3_omni_moe": "omni",
    "qwen3_omni_moe_thinker": "omni",
    "qwen3_omni_moe_audio_encoder": "omni",
}
#: All that are loaded.
KINDS = frozenset({*_KINDS, *_FAMILIES, *_MODULES})


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> Backbone:
    """Load from a folder with config.json, preprocessor_config.json and weights. Raises BackboneError.

    The loaded backbone's spec has the layers, the sample rate and the window that the files give.
    """
    import transformers

    values = loading.read_json(checkpoint, "config.json", spec.title)
    named = str(values.get("model_type"))
    like = _FAMILIES.get(named)
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
        module = import_module(f"mirdemo.backbones.{known.family}")
        return module.load(copied, checkpoint=checkpoint, device=device, dtype=dtype)
    if named in _MODULES:
        module = import_module(f"mirdemo.backbones.{_MODULES[named]}")
        return module.load(spec, checkpoint=checkpoint, device=device, dtype=dtype)
    kind = _KINDS.get(named)
    if kind is None:
        raise unloadable.refusal(spec.title, named, KINDS)
    paths = loading.weight_files(spec, checkpoint)
    state = loading.encoder_state(loading.read_state(paths, spec.title), kind.prefixes, kind.beside)
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
        state[loading.MASK] = torch.zeros(size if isinstance(size, int) and 0 < size < 1_000_000 else 1)
    return waveform.assemble(
        *given, values, paths, state, device, dtype, backbone_class=waveform.WaveBackbone
    )
