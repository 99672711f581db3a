"""Whisper-like networks: log-mel frames of a fixed length, two convolutions, transformer layers, a norm.

Waves shorter than the fixed length are padded with silence, as published, and only the frames that hold sound are
given out. Whisper's and Voxtral's attention sees the padding. The towers of Qwen2-Audio and of the Flamingos, whose frames
are averaged in pairs before the norm, mask it (``Qwen2AudioForConditionalGeneration`` and
``AudioFlamingo3ForConditionalGeneration``, transformers 5.23): there the padded frames never enter the layers, which
computes the same for the frames that remain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading, preprocessing
from mirdemo.backbones.spec import BackboneSpec, Identity, state_layers
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import PreTrainedModel, WhisperFeatureExtractor

DETERMINISTIC = {
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
}


class LogMelTrunk(Trunk):
    """Transformer layers, frames averaged in pairs where the network does so, and a norm.

    hop: samples between mel frames; masked: the padding has been left out before the layers
    """

    def __init__(
        self, blocks: Sequence[nn.Module], pairs: nn.Module | None, norm: nn.Module, hop: int, masked: bool
    ) -> None:
        super().__init__(blocks)
        self.pairs = pairs
        self.norm = norm
        self.masked = masked
        self._hop = hop

    def step(self, index: int, states: Tensor) -> Tensor:
        return self.blocks[index](states, None)

    def finish(self, states: Tensor) -> Tensor:
        if self.pairs is not None:
            states = self.pairs(states.transpose(1, 2)).transpose(1, 2)
        return self.norm(states)

    def audible(self, states: Tensor, samples: int | None) -> Tensor:
        if samples is None or self.masked:
            return states
        return states[:, : sounding_frames(samples, self._hop)]

    def cut(self, blocks: Sequence[nn.Module]) -> LogMelTrunk:
        return LogMelTrunk(blocks, self.pairs, self.norm, self._hop, self.masked)


class LogMelBackbone(NeuralBackbone):
    """``network`` is a ``WhisperEncoder``, or a tower of its build, with its weights; ``mel`` makes its input.

    masked: its attention never sees the padding; pairs: its frames are averaged in pairs before the norm
    """

    convertible = True

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: Any,
        mel: WhisperFeatureExtractor,
        device: torch.device,
        dtype: torch.dtype,
        *,
        masked: bool = False,
        pairs: bool = False,
    ) -> None:
        loading.place(network, device, dtype)
        self._network = network
        self._mel = mel
        trunk = LogMelTrunk(
            list(network.layers),
            network.avg_pooler if pairs else None,
            network.layer_norm,
            mel.hop_length,
            masked,
        )
        super().__init__(spec, identity, trunk, device, dtype)

    def features(self, waves: Tensor) -> Tensor:
        mel = loading.extracted(self._mel, waves, device=str(self.device))["input_features"]
        return mel.to(device=self.device, dtype=self.dtype)

    def enter(self, features: Tensor) -> Tensor:
        states = nn.functional.gelu(self._network.conv1(features))
        states = nn.functional.gelu(self._network.conv2(states))
        return states.transpose(1, 2) + self._network.embed_positions.weight

    def front(self, waves: Tensor) -> Tensor:
        states = super().front(waves)
        if not cast(LogMelTrunk, self.trunk).masked:
            return states
        return states[:, : sounding_frames(waves.shape[1], self._mel.hop_length)]


def sounding_frames(samples: int, hop: int) -> int:
    """Frames after the second convolution that begin in sound, of a wave padded after ``samples``."""
    mels = -(-samples // hop)
    return (mels - 1) // 2 + 1


def assemble(
    spec: BackboneSpec,
    checkpoint: Path,
    network_class: type[PreTrainedModel],
    config: Any,
    paths: Sequence[Path],
    state: Mapping[str, Tensor],
    device: str,
    dtype: str,
    *,
    masked: bool = False,
    pairs: bool = False,
) -> LogMelBackbone:
    """Build the network, fill it with ``state``, and check its health. Raises BackboneError.

    masked, pairs: as for ``LogMelBackbone``
    Obeys the folder's preprocessor_config.json (mel bands, hop, length of the window).
    """
    from transformers import WhisperFeatureExtractor

    mel = loading.feature_extractor(
        WhisperFeatureExtractor, preprocessing.read(checkpoint, spec.title, preprocessing.WHISPER)
    )
    frames = mel.chunk_length * mel.sampling_rate // mel.hop_length
    preprocessing.check_fits(
        checkpoint, spec.title, "feature_size", mel.feature_size, mel.feature_size == config.num_mel_bins
    )
    # The second convolution halves the frames; each state has a position of its own.
    preprocessing.check_fits(
        checkpoint,
        spec.title,
        "chunk_length",
        mel.chunk_length,
        sounding_frames(frames, 1) == config.max_source_positions,
    )
    target, precision = loading.resolve(device, dtype)
    spec = replace(
        spec,
        layers=state_layers(config.encoder_layers, config.d_model),
        parameters=loading.count(state),
        sample_rate=mel.sampling_rate,
        window_seconds=float(mel.chunk_length),
        min_samples=max(
            spec.min_samples, 2 * mel.hop_length + 1
        ),  # two states, so that a pair can be averaged
        pads=not masked,
    )
    identity = loading.identify(spec, paths, state, precision)
    if network_class.__name__ == "Qwen2AudioEncoder":
        # Rows that were stored while the padding was not masked are another function of the same weights.
        of_masked = hashlib.sha256(f"{identity.fingerprint}|padding masked".encode()).hexdigest()
        identity = replace(identity, fingerprint=of_masked)
    with loading.memory(spec.title, state, target, precision):
        network = loading.fill(loading.build(network_class, config), state, spec.title)
        backbone = LogMelBackbone(spec, identity, network, mel, target, precision, masked=masked, pairs=pairs)
        backbone.health = health.check(backbone)
    return backbone
