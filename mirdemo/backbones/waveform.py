"""Networks that read the raw wave through convolutions: HuBERT (and so MERT), wav2vec 2.0, WavLM, UniSpeech, data2vec."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing
from mirdemo.backbones.products import products
from mirdemo.backbones.spec import BackboneSpec, Identity, state_layers
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import (
        HubertModel,
        PreTrainedModel,
        SEWDModel,
        SEWModel,
        Wav2Vec2ConformerModel,
        Wav2Vec2Model,
        WavLMModel,
    )
    from transformers.models.wavlm.modeling_wavlm import WavLMAttention

Made = TypeVar("Made", bound="WaveReader")

#: Configuration that makes training and evaluation compute the same, and masks nothing.
DETERMINISTIC = {
    "hidden_dropout": 0.0,
    "activation_dropout": 0.0,
    "attention_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "final_dropout": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
}


class WaveTrunk(Trunk):
    """Transformer layers; a final norm where the layers normalise before they act; WavLM's position bias.

    norm: applied to the last states, None in networks that normalise after each sub-layer
    position: the module that computes WavLM's relative position bias, shared by all layers, None elsewhere
    """

    def __init__(
        self, blocks: Sequence[nn.Module], norm: nn.Module | None, position: WavLMAttention | None
    ) -> None:
        super().__init__(blocks)
        self.norm = norm
        self.position = position

    def step(self, index: int, states: Tensor) -> Tensor:
        if self.position is None:
            return self.blocks[index](states)
        batch, frames, _ = states.shape
        bias = self.position.compute_bias(frames, frames).repeat(batch, 1, 1)
        return self.blocks[index](states, position_bias=bias, index=index)[0]

    def finish(self, states: Tensor) -> Tensor:
        return states if self.norm is None else self.norm(states)

    def cut(self, blocks: Sequence[nn.Module]) -> WaveTrunk:
        return WaveTrunk(blocks, self.norm, self.position)

    def tail(self, n_blocks: int) -> Trunk:
        part = super().tail(n_blocks)
        owned = [getattr(block, "attention", None) for block in part.blocks]
        if part.position is not None and part.position not in owned:
            part.position.requires_grad_(False)  # the first layer's, which stays frozen
        return part


class WaveReader(NeuralBackbone):
    """What begins with wav2vec 2.0's convolutions over the wave.

    network: with its weights
    normalise: bring every wave to zero mean and unit variance, as the preprocessor file says
    """

    #: In the convolutions' place, in the copy that ``in_products`` gives.
    _products: nn.Module | None = None

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: HubertModel | Wav2Vec2Model | WavLMModel | SEWModel | SEWDModel | Wav2Vec2ConformerModel,
        trunk: Trunk,
        device: torch.device,
        dtype: torch.dtype,
        *,
        normalise: bool,
    ) -> None:
        loading.fuse_weight_norm(network)
        loading.place(network, device, dtype)
        self._convolutions = network.feature_extractor.conv_layers
        # The first layer takes the wave itself, whose quiet parts half precision would round away; it is cheap.
        self._convolutions[0].float()
        self._normalise = normalise
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        if not self._normalise:
            return waves
        variance, mean = torch.var_mean(waves, dim=1, keepdim=True, correction=0)
        return (waves - mean) / torch.sqrt(variance + 1e-7)

    def in_products(self) -> Self:
        other = copy.copy(self)
        other._products = products(self._convolutions)
        return other

    def convolved(self, features: Tensor) -> Tensor:
        """Waves -> what the convolutions give (batch, frames, channels)."""
        if self._products is not None:
            return self._products(features)
        states = self._convolutions[0](features[:, None]).to(self.dtype)
        for convolution in self._convolutions[1:]:
            states = convolution(states)
        return states.transpose(1, 2)


class WaveBackbone(WaveReader):
    """``network`` is a ``HubertModel``, ``Wav2Vec2Model`` or ``WavLMModel`` with its weights."""

    convertible = True

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: HubertModel | Wav2Vec2Model | WavLMModel,
        device: torch.device,
        dtype: torch.dtype,
        *,
        normalise: bool,
    ) -> None:
        self._projection = network.feature_projection
        self._encoder = network.encoder
        self._norm_last = getattr(
            network.config, "do_stable_layer_norm", False
        )  # data2vec has no such choice
        layers = self._encoder.layers
        position = layers[0].attention if network.config.model_type == "wavlm" else None
        trunk = WaveTrunk(layers, self._encoder.layer_norm if self._norm_last else None, position)
        super().__init__(spec, identity, network, trunk, device, dtype, normalise=normalise)
        self._position = exact_position(network.encoder.pos_conv_embed)

    def enter(self, features: Tensor) -> Tensor:
        states = self._projection(self.convolved(features))
        if isinstance(states, tuple):  # wav2vec 2.0 and WavLM also give what they project
            states = states[0]
        position = self._position(states.to(next(self._position.parameters()).dtype))
        states = states + position.to(self.dtype)
        return states if self._norm_last else self._encoder.layer_norm(states)


def exact_position(embedding: nn.Module) -> nn.Module:
    """The positional convolution, in a precision in which it is computed right.

    oneDNN (3.10, in torch 2.11) gives unrelated numbers for grouped bfloat16 convolutions with fewer than 16 channels a
    group on processors with AMX; such narrow ones cost little in float32. See ``findings/narrow_groups_on_amx.sh``.
    """
    convolutions = [module for module in embedding.modules() if isinstance(module, nn.Conv1d)]
    if any(conv.in_channels // conv.groups < 16 for conv in convolutions):
        embedding.float()
    return embedding


def assemble(
    spec: BackboneSpec,
    checkpoint: Path,
    network_class: type[PreTrainedModel],
    values: Mapping[str, Any],
    paths: Sequence[Path],
    state: Mapping[str, Tensor],
    device: str,
    dtype: str,
    *,
    backbone_class: Callable[..., Made],
    prepare: Callable[[Any], None] = lambda network: None,
) -> Made:
    """Build the network from its configuration's ``values``, fill it with ``state``, and check its health.

    backbone_class: ``WaveBackbone``, or what takes the same
    prepare: changes the network before it is filled
    Obeys the folder's preprocessor_config.json. Raises BackboneError.
    """
    preprocessor = preprocessing.read(checkpoint, spec.title, preprocessing.WAVE)
    config = loading.configure(network_class.config_class, values, spec.title, **DETERMINISTIC)
    target, precision = loading.resolve(device, dtype)
    spec = replace(
        spec,
        layers=state_layers(config.num_hidden_layers, config.hidden_size),
        parameters=loading.count(state),
        sample_rate=preprocessor.get("sampling_rate", spec.sample_rate),
        min_samples=_receptive_field(config),
    )
    identity = loading.identify(spec, paths, state, precision)
    with loading.memory(spec.title, state, target, precision):
        network = loading.build(network_class, config)
        prepare(network)
        network = loading.fill(network, state, spec.title)
        backbone = backbone_class(
            spec, identity, network, target, precision, normalise=preprocessor.get("do_normalize", True)
        )
        backbone.health = health.check(backbone)
    return backbone


def _receptive_field(config: Any) -> int:
    """Samples that the first frame sees: the least the network can take. SEW makes one of ``squeeze_factor`` of them."""
    samples = getattr(config, "squeeze_factor", 1)
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples
