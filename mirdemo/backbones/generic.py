"""``hf:OWNER/REPO``: wav2vec 2.0, HuBERT, WavLM, Whisper and AST encoders that transformers knows natively.

``model_type`` in config.json decides. Heads that were trained on top of the encoder, and Whisper's decoder, may lie
beside it in the weights and are left out; they are listed here one by one, and any other tensor is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mirdemo.backbones import loading, logmel, spectrogram, waveform
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
    "whisper": _Kind(
        "WhisperEncoder",
        ("model.encoder.", "encoder."),
        ("model.decoder.", "decoder.", "proj_out.", "projector.", "classifier.", "layer_weights"),
    ),
    "audio-spectrogram-transformer": _Kind("ASTModel", ("audio_spectrogram_transformer.",), ("classifier.",)),
}
#: Only used to mask while pretraining: some published checkpoints have it, some do not.
_MASK = "masked_spec_embed"


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> Backbone:
    """Load from a folder with config.json, preprocessor_config.json and weights. Raises BackboneError.

    The loaded backbone's spec has the layers, the sample rate and the window that the files give.
    """
    import transformers

    values = loading.read_json(checkpoint, "config.json", spec.title)
    kind = _KINDS.get(str(values.get("model_type")))
    if kind is None:
        raise BackboneError(
            "{name} is of the kind {kind}, which cannot be loaded. Choose a wav2vec 2.0, HuBERT, WavLM, Whisper or "
            "AST repository.",
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
    return waveform.assemble(*given, values, paths, state, device, dtype)


def _encoder(state: Mapping[str, Tensor], kind: _Kind) -> dict[str, Tensor]:
    """The encoder's tensors under their own names: known heads left out, the prefix taken off where there is one."""
    kept = {
        name: tensor
        for name, tensor in state.items()
        if not name.startswith(kind.beside) and not name.endswith(_MASK)
    }
    for prefix in kind.prefixes:
        if any(name.startswith(prefix) for name in kept):
            return {name.removeprefix(prefix): tensor for name, tensor in kept.items()}
    return kept
