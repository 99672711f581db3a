"""EnCodec's encoder (arXiv 2210.13438), alone: what its codec quantises, and the stages before.

The quantiser and the decoder are never read. Where the codec works in pieces of a second (48 kHz), windows are such pieces,
side by side, and every piece has its own level and its own norms, as published; where it reads two channels, a mono sound is
put on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing
from mirdemo.backbones.spec import BackboneSpec, Identity, Layer
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import EncodecConfig
    from transformers.models.encodec.modeling_encodec import EncodecEncoder

_PREFIX = "encoder."
#: The recurrent layer and the last convolution: what comes after the stages that shorten.
_TAIL_BLOCKS = 2


class CodecTrunk(Trunk):
    """Stages of convolutions that each shorten and widen, a recurrent layer, a last convolution."""

    def step(self, index: int, states: Tensor) -> Tensor:
        return self.blocks[index](states.transpose(1, 2)).transpose(1, 2)


class CodecBackbone(NeuralBackbone):
    """``network`` is EnCodec's encoder with its weights.

    Layers: ``stage-1``, ``stage-2``, ... (behind each shortening), ``recurrent``, and ``latent``, which is quantised.
    """

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: EncodecEncoder,
        config: EncodecConfig,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        loading.fuse_weight_norm(network)
        loading.place(network, device, dtype)
        first, *stages = _stages(list(network.layers), config)
        # What reads the wave, whose quiet parts half precision would round away.
        self._entry = first[0].float()
        self._first = nn.Sequential(*first[1:])
        self._channels = config.audio_channels
        self._levels = config.normalize
        trunk = CodecTrunk([nn.Sequential(*stage) for stage in stages])
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        if self._levels:
            waves = waves / (waves.square().mean(dim=1, keepdim=True).sqrt() + 1e-8)
        return waves[:, None].expand(-1, self._channels, -1)

    def enter(self, features: Tensor) -> Tensor:
        return self._first(self._entry(features).to(self.dtype)).transpose(1, 2)


def _stages(layers: Sequence[nn.Module], config: EncodecConfig) -> list[list[nn.Module]]:
    """The encoder's modules by stage; the first one also has the convolution that reads the wave."""
    each = config.num_residual_layers + 2  # residual blocks, activation, shortening convolution
    bounds = [1 + each * i for i in range(len(config.upsampling_ratios) + 1)]
    stages = [list(layers[start:end]) for start, end in pairwise(bounds)]
    stages[0].insert(0, layers[0])
    return [*stages, [layers[bounds[-1]]], list(layers[bounds[-1] + 1 :])]


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> CodecBackbone:
    """Load from a folder with config.json, preprocessor_config.json and weights. Raises BackboneError."""
    from transformers import EncodecConfig
    from transformers.models.encodec.modeling_encodec import EncodecEncoder

    values = loading.read_json(checkpoint, "config.json", spec.title)
    config = loading.configure(EncodecConfig, values, spec.title)
    prepared = preprocessing.read(checkpoint, spec.title, preprocessing.ENCODEC)
    rate = prepared.get("sampling_rate", 24_000)
    said = (rate, prepared.get("feature_size", 1), prepared.get("chunk_length_s"))
    if said != (config.sampling_rate, config.audio_channels, config.chunk_length_s):
        raise loading.damaged("preprocessor_config.json", spec.title)
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title, (_PREFIX,))
    target, precision = loading.resolve(device, dtype)
    widths = [config.num_filters * 2 ** (i + 1) for i in range(len(config.upsampling_ratios))]
    spec = replace(
        spec,
        layers=(
            *(Layer(f"stage-{i}", width) for i, width in enumerate(widths, start=1)),
            Layer("recurrent", widths[-1]),
            Layer("latent", config.hidden_size),
        ),
        parameters=loading.count(state),
        sample_rate=rate,
        window_seconds=config.chunk_length_s or spec.window_seconds,
        min_samples=config.hop_length,
        tail_blocks=_TAIL_BLOCKS,
        states_a_second=rate / config.hop_length,
    )
    identity = loading.identify(spec, paths, state, precision)
    with loading.memory(spec.title, state, target, precision):
        # Its convolutions compute their strides into tables, so it is not built without memory; it is small.
        network = loading.fill(EncodecEncoder(config), state, spec.title)
        backbone = CodecBackbone(spec, identity, network, config, target, precision)
        backbone.health = health.check(backbone)
    return backbone
