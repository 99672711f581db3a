"""What reads a tail's pooled output: rows standardised, and the live protocol's linear head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class Standardised(nn.Module):
    """Pooled tail output, standardised as the untrained tail gives it for the training windows.

    centre, scale: (size,)
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, centre: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def forward(self, pooled: Tensor) -> Tensor:
        """(b, size) -> float32 (b, size)."""
        return (pooled.float() - self.centre) / self.scale


class Head(Standardised):
    """Linear, on standardised rows.

    It begins at zero, with each tag's own log-odds as its bias, so that the first gradients into the tail are small.
    bias: (n_tags,)
    """

    def __init__(self, centre: Tensor, scale: Tensor, bias: Tensor) -> None:
        super().__init__(centre, scale)
        self.weight = nn.Parameter(torch.zeros(len(bias), len(centre), device=centre.device))
        self.bias = nn.Parameter(bias.clone())

    def forward(self, pooled: Tensor) -> Tensor:
        """(b, size) -> logits float32 (b, n_tags)."""
        return functional.linear(super().forward(pooled), self.weight, self.bias)


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
