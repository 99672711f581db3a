"""What reads a tail's pooled output: a linear head for the live protocol, an MLP for the published one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class Head(nn.Module):
    """Linear, on pooled tail output standardised as the untrained tail gives it for the training windows.

    It begins at zero, with each tag's own log-odds as its bias, so that the first gradients into the tail are small.
    centre, scale: (size,); bias: (n_tags,)
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, centre: Tensor, scale: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)
        self.weight = nn.Parameter(torch.zeros(len(bias), len(centre), device=centre.device))
        self.bias = nn.Parameter(bias.clone())

    def forward(self, pooled: Tensor) -> Tensor:
        """(b, size) -> logits float32 (b, n_tags)."""
        return functional.linear((pooled.float() - self.centre) / self.scale, self.weight, self.bias)


class MlpHead(nn.Module):
    """The published probe's head: one hidden layer with ReLU and dropout, on rows standardised as ``Head`` does.

    centre, scale: (size,). Weights begin as the probe's do, uniform within one over the root of their inputs, drawn
    on the CPU from ``seed``; dropout draws from ``seed`` and the epoch, so that a run which goes on after a stop ends
    as one that was never stopped.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self, centre: Tensor, scale: Tensor, n_tags: int, hidden: int, dropout: float, seed: int
    ) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)
        drawn = torch.Generator().manual_seed(seed)

        def uniform(*shape: int, inputs: int) -> nn.Parameter:
            weights = (2 * torch.rand(*shape, generator=drawn) - 1) / inputs**0.5
            return nn.Parameter(weights.to(centre.device))

        self.hidden_weight = uniform(hidden, len(centre), inputs=len(centre))
        self.hidden_bias = uniform(hidden, inputs=len(centre))
        self.weight = uniform(n_tags, hidden, inputs=hidden)
        self.bias = uniform(n_tags, inputs=hidden)
        self._dropout, self._seed = dropout, seed
        self._draw = torch.Generator(centre.device)

    def begin(self, epoch: int) -> None:
        """Training goes on with this epoch."""
        self._draw.manual_seed(self._seed * 100_003 + epoch)
        self.train()

    def forward(self, pooled: Tensor) -> Tensor:
        """(b, size) -> logits float32 (b, n_tags)."""
        rows = (pooled.float() - self.centre) / self.scale
        hidden = functional.linear(rows, self.hidden_weight, self.hidden_bias).relu()
        if self.training and self._dropout:
            kept = torch.rand(hidden.shape, generator=self._draw, device=hidden.device) >= self._dropout
            hidden = hidden * kept / (1 - self._dropout)
        return functional.linear(hidden, self.weight, self.bias)


@dataclass(frozen=True, eq=False)
class Prevalence:
    """How common each tag is on a training side.

    log_odds: (n_tags,), NaN for a tag that all windows have or none has: it cannot be learned
    weight: (n_tags,) of the positives, negatives over positives within bounds
    """

    log_odds: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, largest: float) -> Prevalence:
        """labels: 0/1 (n_windows, n_tags) of the training windows."""
        positives = labels.sum(0, dtype=np.float64)
        negatives = len(labels) - positives
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(positives) - np.log(negatives)
            weight = np.clip(negatives / positives, 1 / largest, largest)
        known = np.isfinite(odds)
        return cls(np.where(known, odds, np.nan), np.where(known, weight, 1.0))

    @property
    def known(self) -> np.ndarray:
        """bool (n_tags,): tags that can be learned."""
        return np.isfinite(self.log_odds)


def spread(start: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation (size,) of rows (n, size); deviation 1 where a dimension does not vary."""
    scale = start.std(dim=0, correction=0)
    scale = torch.where(scale > 1e-6 * start.abs().max().clamp_min(1e-6), scale, torch.ones_like(scale))
    return start.mean(dim=0), scale


def new_head(start: Tensor, prevalence: Prevalence) -> Head:
    """A linear head that knows nothing yet. start: (n, size), the untrained tail's output for training windows."""
    # With positives weighted by w, the best constant logit is the log-odds plus log w.
    bias = np.nan_to_num(prevalence.log_odds) + np.log(prevalence.weight)
    return Head(*spread(start), torch.from_numpy(bias).float().to(start.device))
