"""Networks that read the raw wave through convolutions: HuBERT (and so MERT), wav2vec 2.0, WavLM, UniSpeech, data2vec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing
from mirdemo.backbones.spec import BackboneSpec, Identity, state_layers
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import HubertModel, PreTrainedModel, Wav2Vec2Model, WavLMModel
    from transformers.models.wavlm.modeling_wavlm import WavLMAttention

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


class WaveBackbone(NeuralBackbone):
    """``network`` is a ``HubertModel``, ``Wav2Vec2Model`` or ``WavLMModel`` with its weights.

    normalise: bring every wave to zero mean and unit variance, as the preprocessor file says
    """

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
        loading.fuse_weight_norm(network)
        loading.place(network, device, dtype)
        self._convolutions = network.feature_extractor.conv_layers
        # The first layer takes the wave itself, whose quiet parts half precision would round away; it is cheap.
        self._convolutions[0].float()
        self._projection = network.feature_projection
        self._encoder = network.encoder
        self._position = _position(network.encoder.pos_conv_embed)
        self._normalise = normalise
        self._norm_last = getattr(
            network.config, "do_stable_layer_norm", False
        )  # data2vec has no such choice
        layers = self._encoder.layers
        position = layers[0].attention if network.config.model_type == "wavlm" else None
        trunk = WaveTrunk(layers, self._encoder.layer_norm if self._norm_last else None, position)
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        if not self._normalise:
            return waves
        variance, mean = torch.var_mean(waves, dim=1, keepdim=True, correction=0)
        return (waves - mean) / torch.sqrt(variance + 1e-7)

    def enter(self, features: Tensor) -> Tensor:
        states = self._convolutions[0](features[:, None]).to(self.dtype)
        for convolution in self._convolutions[1:]:
            states = convolution(states)
        states = self._projection(states.transpose(1, 2))
        if isinstance(states, tuple):  # wav2vec 2.0 and WavLM also give what they project
            states = states[0]
        position = self._position(states.to(next(self._position.parameters()).dtype))
        states = states + position.to(self.dtype)
        return states if self._norm_last else self._encoder.layer_norm(states)


def _position(embedding: nn.Module) -> nn.Module:
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
) -> WaveBackbone:
    """Build the network from its configuration's ``values``, fill it with ``state``, and check its health.

    Obeys the folder's preprocessor_config.json. Raises BackboneError.
    """
    preprocessor = preprocessing.read(checkpoint, spec.title, preprocessing.WAVE)
    config = loading.configure(network_class.config_class, values, spec.title, **DETERMINISTIC)
    target = loading.resolve_device(device)
    precision = loading.resolve_dtype(dtype, target)
    spec = replace(
        spec,
        layers=state_layers(config.num_hidden_layers, config.hidden_size),
        parameters=sum(tensor.numel() for tensor in state.values()),
        sample_rate=preprocessor.get("sampling_rate", spec.sample_rate),
        min_samples=_receptive_field(config),
    )
    identity = loading.identify(spec, paths, state, precision)
    with loading.memory(spec.title, state, target, precision):
        network = loading.fill(loading.build(network_class, config), state, spec.title)
        backbone = WaveBackbone(
            spec, identity, network, target, precision, normalise=preprocessor.get("do_normalize", True)
        )
        backbone.health = health.check(backbone)
    return backbone


def _receptive_field(config: Any) -> int:
    """Samples that one frame of the convolutions sees: the least they can take."""
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples
