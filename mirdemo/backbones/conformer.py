"""Conformers as transformers knows them: wav2vec2-conformer on the wave, wav2vec2-BERT on log-mel frames.

Positions are rotations or sines of distances, computed here for as many frames as there are, or learnt within the layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing, waveform
from mirdemo.backbones.spec import BackboneSpec, Identity, state_layers
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertModel, Wav2Vec2ConformerModel

#: Kaldi's frames, which the feature extractor computes at 16 kHz.
_FRAME_SAMPLES, _HOP_SAMPLES = 400, 160
_HEADS = ("lm_head.", "projector.", "classifier.", "layer_weights", "tdnn.", "objective.")
_X_VECTOR = ("feature_extractor.weight", "feature_extractor.bias")
_DETERMINISTIC = {**waveform.DETERMINISTIC, "conformer_conv_dropout": 0.0}
_UNMASKED = {"mask_time_prob": 0.0, "mask_feature_prob": 0.0}


class ConformerTrunk(Trunk):
    """Conformer layers and, in wav2vec2-conformer, a norm.

    kind: of positions: ``"rotary"``, ``"relative"``, or another that the layers themselves hold
    size: of a state; heads: of the attention; base: of the rotations
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        norm: nn.Module | None,
        kind: str | None,
        size: int,
        heads: int,
        base: float,
    ) -> None:
        super().__init__(blocks)
        self.norm = norm
        self._positions = (kind, size, heads, base)

    @classmethod
    def of(
        cls, network: Wav2Vec2BertModel | Wav2Vec2ConformerModel, norm: nn.Module | None
    ) -> ConformerTrunk:
        config = network.config
        return cls(
            list(network.encoder.layers),
            norm,
            config.position_embeddings_type,
            config.hidden_size,
            config.num_attention_heads,
            config.rotary_embedding_base,
        )

    def step(self, index: int, states: Tensor) -> Tensor:
        return self.blocks[index](states, relative_position_embeddings=self._encoded(states))

    def finish(self, states: Tensor) -> Tensor:
        return states if self.norm is None else self.norm(states)

    def cut(self, blocks: Sequence[nn.Module]) -> ConformerTrunk:
        return ConformerTrunk(blocks, self.norm, *self._positions)

    def train(self, mode: bool = True) -> ConformerTrunk:
        """Batch norms keep the statistics that the network was raised with."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self

    def _encoded(self, states: Tensor) -> Tensor | None:
        """The positions of the frames as the layers read them."""
        kind, size, heads, base = self._positions
        frames, device = states.shape[1], states.device
        if kind == "rotary":
            each = size // heads
            rates = base ** -(torch.arange(0, each, 2, device=device).float() / each)
            angles = (torch.arange(frames, device=device).float()[:, None] * rates).repeat(1, 2)
            return torch.stack([angles.cos(), angles.sin()])[:, :, None, None].to(states.dtype)
        if kind == "relative":  # from the furthest frame before to the furthest after
            rates = torch.exp(-math.log(10_000.0) / size * torch.arange(0, size, 2, device=device).float())
            angles = torch.arange(frames - 1, -frames, -1, device=device).float()[:, None] * rates
            return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[None].to(states.dtype)
        return None


def _without_positions(network: Any) -> None:
    """Drop the module whose tables no file holds and ``ConformerTrunk`` computes."""
    network.encoder.embed_positions = None


class ConformerBackbone(waveform.WaveReader):
    """``network`` is a ``Wav2Vec2ConformerModel`` with its weights."""

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: Wav2Vec2ConformerModel,
        device: torch.device,
        dtype: torch.dtype,
        *,
        normalise: bool,
    ) -> None:
        trunk = ConformerTrunk.of(network, network.encoder.layer_norm)
        super().__init__(spec, identity, network, trunk, device, dtype, normalise=normalise)
        self._projection = network.feature_projection

    def enter(self, features: Tensor) -> Tensor:
        return self._projection(self.convolved(features))[0]


class MelConformerBackbone(NeuralBackbone):
    """``network`` is a ``Wav2Vec2BertModel`` with its weights; ``mel`` makes its input.

    The extractor brings every mel band of a wave to zero mean and unit variance and stacks frames in pairs; half a pair at
    the end, which is masked as published, is left out. An adapter behind the layers is not used.
    """

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: Wav2Vec2BertModel,
        mel: SeamlessM4TFeatureExtractor,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        loading.place(network, device, dtype)
        self._projection = network.feature_projection
        self._mel = mel
        super().__init__(spec, identity, ConformerTrunk.of(network, None), device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        read = loading.extracted(self._mel, waves)
        whole = int(read["attention_mask"][0].sum())
        return read["input_features"][:, :whole].to(device=self.device, dtype=self.dtype)

    def enter(self, features: Tensor) -> Tensor:
        return self._projection(features)[0]


def load(
    spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str
) -> ConformerBackbone | MelConformerBackbone:
    """Load from a folder with config.json, preprocessor_config.json and weights.

    Layers: ``input`` (what the first layer reads), ``1``, ``2``, ... Raises BackboneError.
    """
    from transformers import Wav2Vec2ConformerModel

    values = loading.read_json(checkpoint, "config.json", spec.title) | _UNMASKED
    paths = loading.weight_files(spec, checkpoint)
    read = loading.read_state(paths, spec.title)
    if values.get("model_type") == "wav2vec2-bert":
        state = loading.encoder_state(read, ("wav2vec2_bert.",), (*_HEADS, *_X_VECTOR))
        return _mel_conformer(spec, checkpoint, values, paths, state, device, dtype)
    beside = (*_HEADS, *_X_VECTOR, "quantizer.", "project_q.", "project_hid.")
    state = loading.encoder_state(read, ("wav2vec2_conformer.",), beside)
    state.pop("encoder.embed_positions.inv_freq", None)
    return waveform.assemble(
        spec,
        checkpoint,
        Wav2Vec2ConformerModel,
        values | {"conformer_conv_dropout": 0.0},
        paths,
        state,
        device,
        dtype,
        backbone_class=ConformerBackbone,
        prepare=_without_positions,
    )


def _mel_conformer(
    spec: BackboneSpec,
    checkpoint: Path,
    values: dict[str, Any],
    paths: Sequence[Path],
    state: dict[str, Tensor],
    device: str,
    dtype: str,
) -> MelConformerBackbone:
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

    mel = loading.feature_extractor(
        SeamlessM4TFeatureExtractor, preprocessing.read(checkpoint, spec.title, preprocessing.SEAMLESS)
    )
    config = loading.configure(Wav2Vec2BertConfig, values, spec.title, **_DETERMINISTIC)
    if mel.num_mel_bins * mel.stride != config.feature_projection_input_dim:
        raise loading.damaged("preprocessor_config.json", spec.title)
    target, precision = loading.resolve(device, dtype)
    spec = replace(
        spec,
        layers=state_layers(config.num_hidden_layers, config.hidden_size),
        parameters=loading.count(state),
        sample_rate=mel.sampling_rate,
        # A band's variance needs two frames.
        min_samples=_FRAME_SAMPLES + (max(mel.stride, 2) - 1) * _HOP_SAMPLES,
        states_a_second=mel.sampling_rate / _HOP_SAMPLES / mel.stride,
    )
    identity = loading.identify(spec, paths, state, precision)
    with loading.memory(spec.title, state, target, precision):
        network = loading.build(Wav2Vec2BertModel, config)
        _without_positions(network)
        network = loading.fill(network, state, spec.title)
        backbone = MelConformerBackbone(spec, identity, network, mel, target, precision)
        backbone.health = health.check(backbone)
    return backbone
