"""``mini-west`` and ``mini-world``: one small network trained twice, on Western music and on all traditions.

Their weights lie in ``assets/backbones``: nothing is fetched. A row of an embedding is the mean of a layer's states
over a window beside their deviation, because how much a small network's states move says as much as where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mirdemo.backbones import health, loading
from mirdemo.backbones.frontend import Frontend
from mirdemo.backbones.mini_facts import WEIGHTS
from mirdemo.backbones.mini_network import MiniConfig, MiniNetwork
from mirdemo.backbones.spec import BackboneError, BackboneSpec, Identity
from mirdemo.backbones.split import NeuralBackbone, Trunk


class MiniTrunk(Trunk):
    """The transformer blocks, the norm after the last, and the pooling."""

    def __init__(self, blocks: Sequence[nn.Module], norm: nn.Module) -> None:
        super().__init__(blocks)
        self.norm = norm

    def finish(self, states: Tensor) -> Tensor:
        return self.norm(states)

    def cut(self, blocks: Sequence[nn.Module]) -> MiniTrunk:
        return MiniTrunk(blocks, self.norm)

    def forward(self, boundary: Tensor, samples: int | None = None) -> Tensor:
        """As ``Trunk.forward``, pooled by mean and deviation. Nothing is padded, so ``samples`` does not matter."""
        states = boundary.float()
        for index in range(len(self.blocks)):
            states = self.step(index, states)
        return mean_and_deviation(self.finish(states))


class Mini(NeuralBackbone):
    """A loaded mini backbone."""

    window_threads = 1

    def __init__(
        self, spec: BackboneSpec, identity: Identity, network: MiniNetwork, device: torch.device
    ) -> None:
        self._frontend = Frontend().to(device)
        self._network = network.to(device)
        trunk = MiniTrunk(network.blocks, network.norm)
        super().__init__(spec, identity, trunk, device, torch.float32)

    def enter(self, features: Tensor) -> Tensor:
        return self._network.front(*self._frontend(features))[0]

    def pool(self, states: list[Tensor]) -> list[Tensor]:
        """(batch, frames, 192) -> (batch, 384) a layer: mean, then deviation."""
        return [mean_and_deviation(layer) for layer in states]


def mean_and_deviation(states: Tensor) -> Tensor:
    """(batch, frames, dim) -> (batch, 2 * dim); a single frame has deviation 0."""
    return torch.cat([states.mean(dim=1), states.std(dim=1, correction=0)], dim=1)


def load(spec: BackboneSpec, *, checkpoint: Path | None, device: str, dtype: str) -> Mini:
    """Load the weights that came with the software, or those in ``checkpoint`` (a folder that
    ``training/train_mini.py`` wrote).

    Raises BackboneError if weights are missing, damaged or not those their ``config.json`` names, and for a dtype
    other than float32: the network is small enough to need no other.
    """
    loading.float32_only(dtype, spec.title)
    folder = WEIGHTS / spec.name if checkpoint is None else Path(checkpoint)
    file = folder / "model.safetensors"
    config = loading.read_json(folder, "config.json", spec.title)
    if not file.is_file():
        raise BackboneError(
            "The weights of {backbone} are missing. Install the software again.",
            code="mini.missing",
            backbone=spec.title,
        )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != config.get("sha256"):
        raise BackboneError(
            "The weights of {backbone} are not the ones its config.json names. Install the software again.",
            code="mini.changed",
            backbone=spec.title,
        )
    sizes = MiniConfig(
        **{name: int(config[name]) for name in MiniConfig.__dataclass_fields__ if name in config}
    )
    state = {name: tensor.float() for name, tensor in loading.read_state([file], spec.title).items()}
    network = MiniNetwork(sizes)
    loading.fill(network, state, spec.title)
    identity = Identity(
        name=spec.name,
        revision=spec.revision if checkpoint is None else "local",
        fingerprint=digest,
        dtype="float32",
        sample_rate=spec.sample_rate,
        window_seconds=spec.window_seconds,
        pooling=spec.pooling,
    )
    facts = replace(spec, parameters=sum(p.numel() for p in network.parameters()))
    backbone = Mini(facts, identity, network, loading.resolve_device(device))
    backbone.health = health.check(backbone)
    return backbone
