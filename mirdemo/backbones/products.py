"""wav2vec 2.0's convolutions over the wave, written as products of matrices, for engines that are fast at products alone.

The same numbers to rounding (float32, 1e-4 of the largest). Frames lie before channels from the first layer on, so that nothing
is turned round between layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def products(layers: Sequence[nn.Module]) -> nn.Module:
    """transformers' convolution layers -> a module that takes waves (batch, samples) and gives (batch, frames, channels)."""
    first = _FoldedNorm if isinstance(getattr(layers[0], "layer_norm", None), nn.GroupNorm) else _FirstAsItIs
    return nn.Sequential(first(layers[0]), *map(_Product, layers[1:]))


def _taps(states: Tensor, convolution: nn.Conv1d) -> list[Tensor]:
    """What each place of the kernel meets of (batch, frames, ...), a tensor a place."""
    (size,), (stride,), frames = convolution.kernel_size, convolution.stride, states.shape[1]
    return [states[:, at : frames - (size - 1 - at) : stride] for at in range(size)]


class _FirstAsItIs(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, waves: Tensor) -> Tensor:
        return self.layer(waves[:, None]).transpose(1, 2)


class _FoldedNorm(nn.Module):
    """The first layer where each channel is normalised over time: its weights, a set for each wave, hold the norm.

    A channel is linear in the patches of the wave, so its mean and variance over time follow from theirs (10 numbers and 10 x 10);
    the states, 512 a patch, are written once and normalised by nobody.
    """

    convolution: nn.Conv1d
    norm: nn.GroupNorm
    activation: nn.Module

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.convolution, self.norm, self.activation = layer.conv, layer.layer_norm, layer.activation

    def forward(self, waves: Tensor) -> Tensor:
        weight = self.convolution.weight[:, 0]
        patches = torch.stack(_taps(waves, self.convolution), 2)
        mean = patches.mean(1, keepdim=True)
        centred = patches - mean
        covariance = torch.matmul(centred.transpose(1, 2), centred) / patches.shape[1]
        variance = (torch.matmul(weight, covariance) * weight).sum(-1)
        scaled = weight * (self.norm.weight / torch.sqrt(variance + self.norm.eps))[:, :, None]
        # The convolution's own bias, where there is one, is what the norm takes away.
        moved = self.norm.bias - torch.matmul(scaled, mean.transpose(1, 2))[:, :, 0]
        return self.activation(torch.matmul(patches, scaled.transpose(1, 2)) + moved[:, None])


class _Product(nn.Module):
    """A later layer: the frames that a kernel meets side by side, times its weights."""

    convolution: nn.Conv1d
    activation: nn.Module
    weight: Tensor

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.convolution, self.activation = layer.conv, layer.activation
        self.norm = getattr(layer, "layer_norm", None) or nn.Identity()
        weight = self.convolution.weight.detach()
        self.register_buffer("weight", weight.transpose(1, 2).flatten(1).contiguous())

    def forward(self, states: Tensor) -> Tensor:
        met = torch.cat(_taps(states, self.convolution), 2)
        return self.activation(self.norm(nn.functional.linear(met, self.weight, self.convolution.bias)))
