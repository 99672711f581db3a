"""The audio towers of Qwen2.5-Omni and Qwen3-Omni, alone: log-mel frames in short chunks, attention within spans of them.

Convolutions and positions begin anew in every chunk of 2 s (Qwen2.5) or 1 s (Qwen3). Qwen2.5's attention stays within the
chunk, Qwen3's within 8 s; both average nothing across. So a window is as many whole spans as fit into 30 s, and its states are
those that the model gives to such a stretch of sound, but for the floor of the log-mel frames, which is set by the loudest
frame of all the sound that is read at once. The last layer is the final norm's, before the projection to the language model
(Qwen2.5's averaged in pairs), as for Qwen2-Audio.

A short last chunk of Qwen3's is padded to a whole one where there are whole ones before it, as its own code does for a sound
alone; only in a lot beside longer sounds would it pad the others too, and rows here never depend on their neighbours.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from mirdemo.backbones import files, health, loading, preprocessing
from mirdemo.backbones.logmel import DETERMINISTIC
from mirdemo.backbones.spec import BackboneSpec, Identity, state_layers
from mirdemo.backbones.split import NeuralBackbone, Trunk

if TYPE_CHECKING:
    from transformers import WhisperFeatureExtractor
    from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniAudioEncoder
    from transformers.models.qwen3_omni_moe.modeling_qwen3_omni_moe import Qwen3OmniMoeAudioEncoder

_MOST_SECONDS = 30


class SpanTrunk(Trunk):
    """Transformer layers whose attention stays within spans of states, then a norm.

    span: states; pairs: states are averaged in pairs before the norm
    """

    def __init__(self, blocks: Sequence[nn.Module], norm: nn.Module, span: int, pairs: bool) -> None:
        super().__init__(blocks)
        self.norm = norm
        self._span, self._pairs = span, pairs

    def step(self, index: int, states: Tensor) -> Tensor:
        rows, frames, _ = states.shape
        spans = [self._span] * (frames // self._span)
        spans += [frames % self._span] * (frames % self._span > 0)
        ends = torch.tensor([0, *spans * rows], device=states.device).cumsum(0, dtype=torch.int32)
        packed = self.blocks[index](states.flatten(0, 1), cu_seqlens=ends, max_seqlen=self._span)[0]
        return packed.unflatten(0, (rows, frames))

    def finish(self, states: Tensor) -> Tensor:
        if self._pairs:
            whole = states.shape[1] // 2
            states = states[:, : 2 * whole].unflatten(1, (whole, 2)).sum(dim=2) / 2
        return self.norm(states)

    def cut(self, blocks: Sequence[nn.Module]) -> SpanTrunk:
        return SpanTrunk(blocks, self.norm, self._span, self._pairs)


class OmniBackbone(NeuralBackbone):
    """``network`` is a tower with its weights; ``mel`` makes its input."""

    pairs: ClassVar[bool]

    def __init__(
        self,
        spec: BackboneSpec,
        identity: Identity,
        network: Any,
        mel: WhisperFeatureExtractor,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        loading.place(network, device, dtype)
        self._network = network
        self._mel = mel
        self._chunk = 2 * network.n_window
        trunk = SpanTrunk(list(network.layers), network.ln_post, self._span(), self.pairs)
        super().__init__(spec, identity, trunk, device, dtype)

    @abstractmethod
    def _span(self) -> int:
        """States that attend to each other."""


class Omni25Backbone(OmniBackbone):
    """``network`` is a ``Qwen2_5OmniAudioEncoder``."""

    pairs = True

    def _span(self) -> int:
        return self._network.n_window

    def features(self, waves: Tensor) -> Tensor:
        samples = waves.shape[1]
        padded = samples + 2 * self._mel.n_fft  # as far as a frame of sound sees; published: 300 s
        mel = _log_mel(self._mel, waves, padding="max_length", max_length=padded)
        return mel[..., : -(-samples // self._mel.hop_length)].to(device=self.device, dtype=self.dtype)

    def enter(self, features: Tensor) -> Tensor:
        pieces = []
        for chunks in _chunks(features, self._chunk):
            states = nn.functional.gelu(self._network.conv1(chunks.flatten(0, 1)))
            states = nn.functional.gelu(self._network.conv2(states)).transpose(1, 2)
            states = states + self._network.positional_embedding(states.shape[1]).to(states.dtype)
            pieces.append(states.unflatten(0, chunks.shape[:2]).flatten(1, 2))
        return torch.cat(pieces, dim=1)


class Omni3Backbone(OmniBackbone):
    """``network`` is a ``Qwen3OmniMoeAudioEncoder``."""

    pairs = False

    def _span(self) -> int:
        return _shortened(self._chunk) * (self._network.n_window_infer // self._chunk)

    def features(self, waves: Tensor) -> Tensor:
        mel = _log_mel(self._mel, waves, padding="longest", truncation=False)
        return mel.to(device=self.device, dtype=self.dtype)

    def enter(self, features: Tensor) -> Tensor:
        pieces = []
        for chunks in _chunks(features, self._chunk):
            frames = chunks.shape[-1]
            if features.shape[-1] > self._chunk:
                chunks = nn.functional.pad(chunks, (0, self._chunk - frames))
            states = chunks.flatten(0, 1)[:, None]
            for convolution in (self._network.conv2d1, self._network.conv2d2, self._network.conv2d3):
                states = nn.functional.gelu(convolution(states))
            states = self._network.conv_out(states.permute(0, 3, 1, 2).flatten(2))
            states = states + self._network.positional_embedding(states.shape[1]).to(states.dtype)
            states = states[:, : _shortened(frames)]
            pieces.append(states.unflatten(0, chunks.shape[:2]).flatten(1, 2))
        return torch.cat(pieces, dim=1)


def _log_mel(mel: WhisperFeatureExtractor, waves: Tensor, **how: Any) -> Tensor:
    """float32 (rows, bands, frames)."""
    return loading.extracted(mel, waves, device=str(waves.device), **how)["input_features"]


def _chunks(features: Tensor, size: int) -> list[Tensor]:
    """(rows, bands, frames) -> the whole chunks of ``size`` frames and the rest, as (rows, chunks, bands, frames)."""
    whole = features.shape[-1] // size * size
    parts = [features[..., :whole].unflatten(-1, (whole // size, size)).transpose(1, 2)] if whole else []
    return [*parts, features[:, None, :, whole:]] if features.shape[-1] > whole else parts


def _shortened(frames: int) -> int:
    """Frames behind three convolutions that each halve them."""
    for _ in range(3):
        frames = (frames - 1) // 2 + 1
    return frames


def load(spec: BackboneSpec, *, checkpoint: Path, device: str, dtype: str) -> Omni25Backbone | Omni3Backbone:
    """Load from a folder with config.json, preprocessor_config.json and the shards (or the one file) that hold the tower.

    Layers: ``input``, ``1``, ``2``, ... Raises BackboneError.
    """
    from transformers import WhisperFeatureExtractor

    values = loading.read_json(checkpoint, "config.json", spec.title)
    kind = str(values.get("model_type"))
    thinker = values.get("thinker_config", values)
    sizes = thinker.get("audio_config") if isinstance(thinker, dict) else None
    if kind in files.TOWERS:
        sizes = values
    newer = kind.startswith("qwen3")
    network_class: type[Qwen2_5OmniAudioEncoder] | type[Qwen3OmniMoeAudioEncoder]
    if newer:
        from transformers.models.qwen3_omni_moe.modeling_qwen3_omni_moe import Qwen3OmniMoeAudioEncoder

        network_class = Qwen3OmniMoeAudioEncoder
    else:
        from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniAudioEncoder

        network_class = Qwen2_5OmniAudioEncoder
    config = loading.configure(
        network_class.config_class, sizes if isinstance(sizes, dict) else {}, spec.title, **DETERMINISTIC
    )
    mel = loading.feature_extractor(
        WhisperFeatureExtractor,
        preprocessing.read(checkpoint, spec.title, preprocessing.WHISPER_BESIDE_IMAGES),
    )
    preprocessing.check_fits(
        checkpoint, spec.title, "feature_size", mel.feature_size, mel.feature_size == config.num_mel_bins
    )
    second = mel.sampling_rate / mel.hop_length
    chunk = 2 * config.n_window
    span = chunk * max(config.n_window_infer // chunk, 1) if newer else chunk
    target, precision = loading.resolve(device, dtype)
    paths = loading.weight_files(spec, checkpoint)
    state = loading.read_state(paths, spec.title, files.PARTS[kind])
    spec = replace(
        spec,
        layers=state_layers(config.encoder_layers, config.d_model),
        parameters=loading.count(state),
        sample_rate=mel.sampling_rate,
        window_seconds=span / second * max(int(_MOST_SECONDS * second) // span, 1),
        # Two states, so that a pair can be averaged.
        min_samples=max(spec.min_samples, 2 * mel.hop_length + 1),
        states_a_second=(_shortened(chunk) / chunk if newer else 0.5) * second,
    )
    identity = loading.identify(spec, paths, state, precision)
    backbone_class: Any = Omni3Backbone if newer else Omni25Backbone
    with loading.memory(spec.title, state, target, precision):
        network = loading.build(network_class, config)
        # Its table is computed, and in no file.
        positions = type(network.positional_embedding)
        network.positional_embedding = positions(config.max_source_positions, config.d_model)
        network = loading.fill(network, state, spec.title)
        backbone = backbone_class(spec, identity, network, mel, target, precision)
        backbone.health = health.check(backbone)
    return backbone
