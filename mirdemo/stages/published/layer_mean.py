"""A tail whose output is the mean over all layers, as the published probe reads them, not the last one alone.

The frozen layers' rows never change, so they are computed once with the boundary and travel behind its frames, folded
to their width: what keeps and hands out boundary states need not know of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from mirdemo.backbones.split import NeuralBackbone, Split, Trunk


def has_mean(backbone: NeuralBackbone) -> bool:
    """Whether the layers have one size, and so a mean."""
    return len({layer.size for layer in backbone.spec.layers}) == 1


def boundary_with_rows(backbone: NeuralBackbone, split: Split, waves: Tensor) -> Tensor:
    """Waves as for ``hidden_states`` -> (batch, frames + folded, dim): the boundary, then the frozen layers' mean row.

    In the backbone's precision, without gradient.
    """
    total, count = torch.zeros(()), 0
    for states in split.frozen(waves):
        rows = _pooled(backbone.pool, backbone.trunk, states, waves.shape[1])
        total, count = rows + total.to(rows.device), count + 1
    folded = (total / count).reshape(len(states), -1, states.shape[2])
    return torch.cat([states, folded.to(states.dtype)], dim=1)


class LayerMean(nn.Module):
    """``split.tail`` as a part of the mean over layers.

    ``forward(states, samples)``: (batch, frames + folded, dim) as ``boundary_with_rows`` gives them -> (batch, size).
    At the start it gives the mean of the rows that the backbone itself gives for its layers.
    """

    def __init__(self, backbone: NeuralBackbone, split: Split) -> None:
        super().__init__()
        self.tail = split.tail
        self._pool = backbone.pool
        self._frozen = len(backbone.trunk.blocks) - split.n_blocks + 1
        self._size = backbone.spec.layers[-1].size

    def forward(self, boundary: Tensor, samples: int | None = None) -> Tensor:
        folded = self._size // boundary.shape[2]
        states = boundary[:, :-folded].to(next(self.tail.parameters()).dtype)
        total = self._frozen * boundary[:, -folded:].float().flatten(1)
        for index in range(len(self.tail.blocks)):
            states = self.tail.step(index, states)
            layer = self.tail.finish(states) if index == len(self.tail.blocks) - 1 else states
            total = total + _pooled(self._pool, self.tail, layer, samples)
        return total / (self._frozen + len(self.tail.blocks))


def _pooled(
    pool: Callable[[list[Tensor]], list[Tensor]], trunk: Trunk, states: Tensor, samples: int | None
) -> Tensor:
    return pool([trunk.audible(states, samples)])[0]
