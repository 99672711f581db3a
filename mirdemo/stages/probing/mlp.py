"""An MLP probe, all seeds trained at once: every weight has a leading axis of seeds.

Each seed draws its own beginning, order of rows and dropout from its own generators, has its own learning rate, and
stops on its own, so it ends the same whichever seeds are trained beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from mirdemo.base.progress import Progress
from mirdemo.stages.probing.settings import MlpSettings

#: Rows scored at once.
ROWS = 4096
_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # Adam's published constants


@dataclass(eq=False)
class SeedsOfMlp:
    """MLPs with one hidden layer, one a seed.

    weights: mix (s, n_layers) or absent; hidden (s, d, h), hidden_bias (s, 1, h), out (s, h, t), out_bias (s, 1, t)
    epochs: how many each seed was trained; best: its best validation figure
    """

    weights: dict[str, torch.Tensor]
    dropout: float
    epochs: list[int] = field(default_factory=list)
    best: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, shape: torch.Size, n_tags: int, seeds: Sequence[int], settings: MlpSettings) -> SeedsOfMlp:
        """shape: of the rows, (n, d) or (n, n_layers, d) for learned layer weights."""
        size, drawn = shape[-1], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)

            def uniform(*dims: int, fan: int, source: torch.Generator = generator) -> torch.Tensor:
                return (2 * torch.rand(*dims, generator=source) - 1) / fan**0.5

            one = {
                "hidden": uniform(size, settings.hidden, fan=size),
                "hidden_bias": uniform(1, settings.hidden, fan=size),
                "out": uniform(settings.hidden, n_tags, fan=settings.hidden),
                "out_bias": uniform(1, n_tags, fan=settings.hidden),
            }
            if len(shape) == 3:
                one["mix"] = torch.zeros(shape[1])
            drawn.append(one)
        return cls({name: torch.stack([one[name] for one in drawn]) for name in drawn[0]}, settings.dropout)

    def to(self, device: torch.device) -> SeedsOfMlp:
        self.weights = {name: weight.to(device) for name, weight in self.weights.items()}
        return self

    def layer_shares(self) -> torch.Tensor | None:
        """Softmax over layers (s, n_layers); None for rows of one layer."""
        return self.weights["mix"].softmax(-1) if "mix" in self.weights else None

    def logits(self, rows: torch.Tensor, keep: torch.Tensor | None = None) -> torch.Tensor:
        """rows: (s, b, d) or (s, b, n_layers, d); keep: (s, b, h) what dropout keeps, None for none. (s, b, t)."""
        shares = self.layer_shares()
        if shares is not None:
            rows = torch.einsum("sl,sbld->sbd", shares, rows)
        hidden = torch.baddbmm(self.weights["hidden_bias"], rows, self.weights["hidden"]).relu()
        if keep is not None:
            hidden = hidden * keep / (1 - self.dropout)
        return torch.baddbmm(self.weights["out_bias"], hidden, self.weights["out"])

    @torch.no_grad()
    def scores(self, rows: torch.Tensor) -> np.ndarray:
        """rows: (n, ...) on the weights' device -> 0..1 (s, n_tags, n)."""
        n_seeds = len(self.weights["out"])
        parts = [
            self.logits(part.expand(n_seeds, *part.shape)).sigmoid().transpose(1, 2).cpu()
            for part in rows.split(ROWS)
        ]
        return torch.cat(parts, 2).double().numpy()


def train(
    rows: torch.Tensor,
    targets: torch.Tensor,
    seeds: Sequence[int],
    settings: MlpSettings,
    validate: Callable[[SeedsOfMlp], np.ndarray],
    progress: Progress,
) -> SeedsOfMlp:
    """Train with Adam on binary cross-entropy; keep each seed's weights from its best epoch.

    rows: float32 (n, d) or (n, n_layers, d); targets: float32 (n, n_tags), both on the device to train on
    validate: (s,) figures of the present weights, higher is better
    """
    device, n_seeds = rows.device, len(seeds)
    model = SeedsOfMlp.start(rows.shape, targets.shape[1], seeds, settings).to(device)
    order = [torch.Generator().manual_seed(seed + 1) for seed in seeds]
    drop = [torch.Generator(device).manual_seed(seed + 2) for seed in seeds]
    rate = torch.full((n_seeds,), settings.rate, device=device)
    adam = _Adam(model.weights)
    kept = {name: weight.clone() for name, weight in model.weights.items()}
    best, waited, stale = np.full(n_seeds, -np.inf), np.zeros(n_seeds, int), np.zeros(n_seeds, int)
    epochs = np.zeros(n_seeds, int)
    for epoch in range(settings.epochs):
        progress(epoch, settings.epochs, "training")
        shuffled = torch.stack([torch.randperm(len(rows), generator=g) for g in order]).to(device)
        for batch in shuffled.split(settings.batch, dim=1):
            shape = (batch.shape[1], settings.hidden)
            keep = (
                torch.stack([torch.rand(shape, generator=g, device=device) for g in drop]) >= settings.dropout
            )
            for weight in model.weights.values():
                weight.requires_grad_(True)
            loss = functional.binary_cross_entropy_with_logits(
                model.logits(rows[batch], keep), targets[batch], reduction="none"
            )
            gradients = torch.autograd.grad(loss.mean((1, 2)).sum(), list(model.weights.values()))
            adam.step(model.weights, dict(zip(model.weights, gradients, strict=True)), rate)
        going = waited < settings.stop_patience
        epochs += going
        figure = validate(model)
        better = going & (figure > best)
        best = np.where(better, figure, best)
        waited, stale = np.where(better, 0, waited + 1), np.where(better, 0, stale + 1)
        chosen = torch.from_numpy(better).to(device)
        for name, weight in model.weights.items():
            kept[name][chosen] = weight.detach()[chosen]
        slower = torch.from_numpy(stale > settings.plateau_patience).to(device)
        rate = torch.where(slower, rate * settings.plateau_factor, rate)
        stale[stale > settings.plateau_patience] = 0
        if (waited >= settings.stop_patience).all():
            break
    model.weights, model.epochs, model.best = kept, epochs.tolist(), best.tolist()
    return model


class _Adam:
    """Adam (Kingma and Ba 2015) with a learning rate for each seed, which torch's own has only for whole tensors."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        self.mean = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.square = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.steps = 0

    @torch.no_grad()
    def step(
        self, weights: dict[str, torch.Tensor], gradients: dict[str, torch.Tensor], rate: torch.Tensor
    ) -> None:
        self.steps += 1
        first, second = (1 - beta**self.steps for beta in _BETAS)
        for name, gradient in gradients.items():
            mean, square = self.mean[name], self.square[name]
            mean.lerp_(gradient, 1 - _BETAS[0])
            square.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
            own = (rate / first).view(-1, *[1] * (gradient.ndim - 1))
            weights[name].sub_(own * mean / ((square / second).sqrt() + _EPSILON))
