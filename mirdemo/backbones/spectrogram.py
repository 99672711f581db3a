"""AST: a transformer over patches of a fixed-length log-mel spectrogram.

A wave shorter than the fixed length is padded, as published; only patches that begin in sound are given out. The
two summary tokens in front of the patches take part in the attention but are no frames, and are left out.
"""

from __future__ import annotations

import re
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
    from transformers import ASTFeatureExtractor, ASTModel

#: Kaldi's frames, which the feature extractor computes at 16 kHz.
_FRAME_SAMPLES, _HOP_SAMPLES = 400, 160
_SUMMARY_TOKENS = 2

#: Names in the published checkpoints -> names in today's transformers, applied in this order.
_RENAMED = (
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.attention\.query\.", ".attention.q_proj."),
    (r"\.attention\.attention\.key\.", ".attention.k_proj."),
    (r"\.attention\.attention\.value\.", ".attention.v_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
)


class PatchTrunk(Trunk):
    """Transformer layers and a norm over (batch, summary tokens + bands x times, dim).

    bands, times: patches along frequency and time; hop: mel frames between patches; size: mel frames of a patch
    """

    def __init__(
        self, blocks: Sequence[nn.Module], norm: nn.Module, bands: int, times: int, hop: int, size: int
    ) -> None:
        super().__init__(blocks)
        self.norm = norm
        self._bands, self._times, self._hop, self._size = bands, times, hop, size

    def finish(self, states: Tensor) -> Tensor:
        return self.norm(states)

    def audible(self, states: Tensor, samples: int | None) -> Tensor:
        patches = states[:, _SUMMARY_TOKENS:].unflatten(1, (self._bands, self._times))
        if samples is not None:
            frames = 1 + (samples - _FRAME_SAMPLES) // _HOP_SAMPLES
            patches = patches[:, :, : max((frames - self._size) // self._hop + 1, 1)]
        return patches.flatten(1, 2)

    def cut(self, blocks: Sequence[nn.Module]) -> PatchTrunk:
        return PatchTrunk(blocks, self.norm, self._bands, self._times, self._hop, self._size)


class PatchBackbone(NeuralBackbone):
    """``network`` is an ``ASTModel`` with its weights; ``mel`` makes its input."""

    convertible = True

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: ASTModel,
        mel: ASTFeatureExtractor,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        loading.place(network, device, dtype)
        self._embeddings = network.embeddings
        self._mel = mel
        config = network.config
        bands, times = network.embeddings.get_shape(config)
        trunk = PatchTrunk(
            list(network.layers), network.layernorm, bands, times, config.time_stride, config.patch_size
        )
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        mel = loading.extracted(self._mel, waves)["input_values"]
        return mel.to(device=self.device, dtype=self.dtype)

    def enter(self, features: Tensor) -> Tensor:
        return self._embeddings(features)


def assemble(
    spec: BackboneSpec,
    checkpoint: Path,
    network_class: type[ASTModel],
    values: Mapping[str, Any],
    paths: Sequence[Path],
    state: Mapping[str, Tensor],
    device: str,
    dtype: str,
) -> PatchBackbone:
    """Build the network from its configuration's ``values``, fill it with ``state``, and check its health.

    Obeys the folder's preprocessor_config.json. Raises BackboneError.
    """
    from transformers import ASTFeatureExtractor

    mel = loading.feature_extractor(
        ASTFeatureExtractor, preprocessing.read(checkpoint, spec.title, preprocessing.AST)
    )
    config = loading.configure(
        network_class.config_class,
        values,
        spec.title,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        max_length=mel.max_length,
    )
    preprocessing.check_fits(
        checkpoint, spec.title, "num_mel_bins", mel.num_mel_bins, mel.num_mel_bins == config.num_mel_bins
    )
    preprocessing.check_fits(
        checkpoint, spec.title, "max_length", mel.max_length, mel.max_length >= config.patch_size
    )
    target, precision = loading.resolve(device, dtype)
    samples = (mel.max_length - 1) * _HOP_SAMPLES + _FRAME_SAMPLES
    spec = replace(
        spec,
        layers=state_layers(config.num_hidden_layers, config.hidden_size),
        parameters=loading.count(state),
        sample_rate=mel.sampling_rate,
        window_seconds=samples / mel.sampling_rate,
        min_samples=_FRAME_SAMPLES,
        pads=True,
    )
    identity = loading.identify(spec, paths, state, precision)
    renamed = {_today(name): tensor for name, tensor in state.items()}
    with loading.memory(spec.title, state, target, precision):
        network = loading.fill(loading.build(network_class, config), renamed, spec.title)
        backbone = PatchBackbone(spec, identity, network, mel, target, precision)
        backbone.health = health.check(backbone)
    return backbone


def _today(name: str) -> str:
    for old, new in _RENAMED:
        name = re.sub(old, new, name)
    return name
