"""MERT and CultureMERT: transformers' own HuBERT with the published weights, no remote code.

The published remote code and ``HubertModel`` agree on every hidden state when the network is built from the
checkpoint's own configuration and every key is matched, the weight-normalised positional convolution included.
"""

from __future__ import annotations

from pathlib import Path

from mirdemo.backbones import loading, waveform
from mirdemo.backbones.spec import BackboneError, BackboneSpec

#: Options of the published code that transformers' HuBERT has no equivalent of.
_FOREIGN = ("deepnorm", "feature_extractor_cqt", "conv_pos_batch_norm")

#: What may stand before every name, where the network was saved inside another.
_PREFIXES = ("model.", "mert_model.")


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> waveform.WaveBackbone:
    """Load from a folder with config.json, preprocessor_config.json and weights.

    Layers: ``input`` (what the first transformer layer reads), then ``1``, ``2``, ...; the last one after the final
    norm where there is one (330M). Raises BackboneError.
    """
    from transformers import HubertModel

    values = loading.read_json(checkpoint, "config.json", spec.title)
    for option in _FOREIGN:
        if values.get(option):
            raise BackboneError(
                "{name} uses {option}, which transformers cannot compute. Choose another backbone.",
                code="backbone.foreign_option",
                name=spec.title,
                option=option,
            )
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title)
    for prefix in _PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    # The embedding of masked frames is there or not, whatever the configuration says; nothing is ever masked here.
    state.pop("masked_spec_embed", None)
    values = values | {"mask_time_prob": 0.0, "mask_feature_prob": 0.0}
    return waveform.assemble(
        spec,
        checkpoint,
        HubertModel,
        values,
        paths,
        state,
        device,
        dtype,
        backbone_class=waveform.WaveBackbone,
    )
