"""A network of blocks, and its split for fine-tuning: a frozen prefix, and a tail that is trained.

The prefix's output, the states at the boundary, never changes while the tail is trained: it can be computed once
and kept. ``tail(prefix(waves))`` is the pooled last layer of the whole backbone.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from mirdemo.backbones.loading import prepared
from mirdemo.backbones.spec import Backbone, BackboneError, BackboneSpec, Identity, TailSizes


class Engine(Protocol):
    """What computes the states of every layer in torch's place (``backbones.engine.Engine``)."""

    def takes(self, samples: int, spec: BackboneSpec) -> bool:
        """Whether it computes waves of this length."""

    def states(self, features: Tensor) -> list[Tensor]:
        """What ``NeuralBackbone.features`` gives -> the states of every layer."""


class Trunk(nn.Module):
    """Blocks in a row and what follows the last: all of a backbone's, or the last few as a tail.

    blocks: modules that each take and give states (batch, frames, dim)
    """

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def step(self, index: int, states: Tensor) -> Tensor:
        """States after block ``index``, given those before it."""
        return self.blocks[index](states)

    def finish(self, states: Tensor) -> Tensor:
        """The last layer: what follows the last block, here nothing."""
        return states

    def audible(self, states: Tensor, samples: int | None) -> Tensor:
        """The frames that hold sound, where the network pads waves of ``samples`` to a fixed length: here all.

        samples: None for a whole window
        """
        return states

    def cut(self, blocks: Sequence[nn.Module]) -> Trunk:
        """The same trunk with only these blocks, sharing every module with this one."""
        return type(self)(blocks)

    def tail(self, n_blocks: int) -> Trunk:
        """A float32 copy of the last ``n_blocks`` blocks and what follows them, free to be trained."""
        part = copy.deepcopy(self.cut(list(self.blocks)[-n_blocks:])).float()
        return part.requires_grad_(True).eval()

    def forward(self, boundary: Tensor, samples: int | None = None) -> Tensor:
        """Boundary states (batch, frames, dim) -> (batch, size), the pooled last layer.

        samples: length of the waves the boundary came from; None for whole windows. Only networks that pad
        (Qwen2-Audio, Whisper, AST) need it.
        """
        states = boundary.to(next(self.parameters()).dtype)
        for index in range(len(self.blocks)):
            states = self.step(index, states)
        return self.audible(self.finish(states), samples).mean(dim=1)


class Split:
    """A backbone cut in two for training.

    n_blocks: how many trailing blocks the tail holds
    tail: float32, on the backbone's device, in eval mode (dropouts are 0 either way, and statistics of batch norm
        must stay as they are); its parameters require gradients. ``tail(boundary, samples=None)`` -> (batch, size)
    """

    def __init__(self, backbone: NeuralBackbone, n_blocks: int) -> None:
        self._backbone = backbone
        self.n_blocks = n_blocks
        self.tail = backbone.trunk.tail(n_blocks)

    def prefix(self, waves: Tensor) -> Tensor:
        """Waves as for ``hidden_states`` -> the states at the boundary (batch, frames, dim), without gradient.

        In the backbone's precision, on its device. All frames, also those that only padding reached: the tail's
        attention sees them too.
        """
        for states in self.frozen(waves):
            boundary = states
        return boundary

    def frozen(self, waves: Tensor) -> Iterator[Tensor]:
        """The states of every frozen layer, from the input to the boundary, one after the other; as ``prefix``."""
        backbone = self._backbone
        with torch.no_grad():
            states = backbone.front(prepared(waves, backbone.device, backbone.spec))
        yield states
        for index in range(len(backbone.trunk.blocks) - self.n_blocks):
            with torch.no_grad():
                states = backbone.trunk.step(index, states)
            yield states


class NeuralBackbone(Backbone):
    """A pretrained network: a front that turns waves into the first states, then a trunk of blocks.

    engine: what computes the states in torch's place (``backbones.engine``), None: torch
    """

    trunk: Trunk
    engine: Engine | None = None
    tail_sizes: TailSizes

    def __init__(
        self, spec: BackboneSpec, identity: Identity, trunk: Trunk, device: torch.device, dtype: torch.dtype
    ) -> None:
        # Facts that name no tail leave the last block: 0 is a number that split would refuse.
        published = max(1, min(spec.tail_blocks, len(trunk.blocks)))
        self.spec = replace(spec, tail_blocks=published)
        self.identity = identity
        self.trunk = trunk
        self.device = device
        self.dtype = dtype
        self.tail_sizes = TailSizes(self.spec.tail_blocks, 1, len(trunk.blocks))

    def features(self, waves: Tensor) -> Tensor:
        """float32 waves (batch, samples) on the device -> what the network itself reads: here the waves."""
        return waves

    @abstractmethod
    def enter(self, features: Tensor) -> Tensor:
        """What ``features`` gives -> states before the first block (batch, frames, dim)."""

    def front(self, waves: Tensor) -> Tensor:
        """float32 waves (batch, samples) on the device -> states before the first block (batch, frames, dim)."""
        return self.enter(self.features(waves))

    def in_products(self) -> Self:
        """Itself, or a copy with the same weights that computes as much as it can by products of matrices: the same states to
        rounding, for an engine that is fast at these."""
        return self

    def in_float32(self) -> Self:
        """A copy that computes in float32, with the weights as they are rounded here."""
        other = copy.deepcopy(self)
        other.dtype = torch.float32
        for module in other.modules():
            module.float()
        return other

    def modules(self) -> list[nn.Module]:
        """All that ``enter`` and ``trunk`` hold."""
        held = [self.trunk, *vars(self).values()]
        return [one for one in held if isinstance(one, nn.Module)]

    def states(self, first: Tensor) -> list[Tensor]:
        """The states before the first block -> those of every layer."""
        states = [first]
        for index in range(len(self.trunk.blocks)):
            states.append(self.trunk.step(index, states[-1]))
        return self._layers(states)

    def hidden_states(self, waves: Tensor) -> list[Tensor]:
        waves = prepared(waves, self.device, self.spec)
        with torch.no_grad():
            if self.engine is not None and self.engine.takes(waves.shape[1], self.spec):
                states = self.engine.states(self.features(waves))
            else:
                states = self.states(self.front(waves))
            return [self.trunk.audible(state, waves.shape[1]) for state in states]

    def _layers(self, states: list[Tensor]) -> list[Tensor]:
        """The layers out of the states before, between and after the blocks: the last one is finished."""
        return [*states[:-1], self.trunk.finish(states[-1])]

    def split(self, n_blocks: int | None = None) -> Split:
        """See ``Backbone.split``. Raises BackboneError if the number of blocks is out of range."""
        sizes = self.tail_sizes
        count = sizes.published if n_blocks is None else n_blocks
        if not sizes.minimum <= count <= sizes.maximum:
            raise BackboneError(
                "{name} can train its last {minimum} to {maximum} blocks, not {count}. Choose a number between.",
                code="backbone.tail_size",
                name=self.spec.title,
                minimum=sizes.minimum,
                maximum=sizes.maximum,
                count=count,
            )
        return Split(self, count)
