"""The published protocol's head, and its training by itself with several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mirdemo.base.progress import Progress
from mirdemo.stages.published import courses
from mirdemo.stages.published.courses import Course
from mirdemo.stages.published.settings import MlpTraining

#: Rows scored at once.
ROWS = 4096


class Mlp(nn.Module):
    """One hidden layer with ReLU and dropout; weights begin uniform within one over the root of their inputs.

    seed: they are drawn from it, on the CPU; ``outputs_first``: an output after the other, as torch lays them, or an input
        after the other. It only says which draw a seed stands for
    n_layers: rows are (b, n_layers, size), and a softmax over layers, equal at first, is learned along; None: (b, size)
    draw: what dropout draws from; whoever trains it seeds it
    """

    def __init__(
        self,
        size: int,
        n_tags: int,
        settings: MlpTraining,
        seed: int,
        device: torch.device,
        *,
        n_layers: int | None = None,
        outputs_first: bool = False,
    ) -> None:
        super().__init__()
        drawn = torch.Generator().manual_seed(seed)

        def uniform(inputs: int, *shape: int) -> Tensor:
            return ((2 * torch.rand(shape, generator=drawn) - 1) / inputs**0.5).to(device)

        def weight(inputs: int, outputs: int) -> nn.Parameter:
            laid = uniform(inputs, outputs, inputs).T if outputs_first else uniform(inputs, inputs, outputs)
            return nn.Parameter(laid.contiguous())

        hidden = settings.hidden
        self.hidden_weight, self.hidden_bias = weight(size, hidden), nn.Parameter(uniform(size, hidden))
        self.weight, self.bias = weight(hidden, n_tags), nn.Parameter(uniform(hidden, n_tags))
        self.mix = None if n_layers is None else nn.Parameter(torch.zeros(n_layers, device=device))
        self.dropout = settings.dropout
        self.draw = torch.Generator(device)

    @property
    def layer_shares(self) -> np.ndarray | None:
        """(n_layers,), adding up to 1; None for rows of one layer."""
        return None if self.mix is None else self.mix.detach().softmax(-1).cpu().numpy()

    def forward(self, rows: Tensor) -> Tensor:
        """(b, ...) -> logits float32 (b, n_tags)."""
        return side_by_side([self], rows[None])[0]


def side_by_side(mlps: Sequence[Mlp], rows: Tensor) -> Tensor:
    """Logits (s, b, n_tags) of MLPs of one kind, each on rows of its own, (s, b, ...): one product for all of them."""
    first = mlps[0]

    def every(name: str) -> Tensor:
        return torch.stack([getattr(mlp, name) for mlp in mlps])

    if first.mix is not None:
        rows = torch.einsum("sl,sbld->sbd", every("mix").softmax(-1), rows)
    hidden = torch.baddbmm(every("hidden_bias")[:, None], rows, every("hidden_weight")).relu()
    if first.training and first.dropout:
        drawn = [torch.rand(hidden.shape[1:], generator=mlp.draw, device=hidden.device) for mlp in mlps]
        hidden = hidden * (torch.stack(drawn) >= first.dropout) / (1 - first.dropout)
    return torch.baddbmm(every("bias")[:, None], hidden, every("weight"))


@torch.no_grad()
def scores(mlps: Sequence[Mlp], rows: Tensor) -> np.ndarray:
    """rows: (n, ...) on the weights' device -> 0..1 (s, n_tags, n)."""
    for mlp in mlps:
        mlp.eval()
    parts = [
        side_by_side(mlps, part.expand(len(mlps), *part.shape)).sigmoid().transpose(1, 2).cpu()
        for part in rows.split(ROWS)
    ]
    return torch.cat(parts, 2).double().numpy()


def train(
    rows: Tensor,
    targets: Tensor,
    seeds: Sequence[int],
    settings: MlpTraining,
    rate: float,
    batch: int,
    validate: Callable[[Sequence[Mlp]], Iterable[float]],
    progress: Progress,
) -> tuple[list[Mlp], list[Course]]:
    """Train with Adam on binary cross-entropy, one MLP a seed, each as after its best epoch at the end.

    Each seed draws its own beginning, order of rows and dropout from its own generators and stops on its own, so it ends
    the same whichever are trained beside it.
    rows: float32 (n, size) or (n, n_layers, size); targets: float32 (n, n_tags), both on the device to train on
    validate: figures of these MLPs as they stand, higher is better
    """
    n_layers = rows.shape[1] if rows.ndim == 3 else None
    mlps = [
        Mlp(rows.shape[-1], targets.shape[1], settings, seed, rows.device, n_layers=n_layers)
        for seed in seeds
    ]
    order = {mlp: torch.Generator().manual_seed(seed + 1) for mlp, seed in zip(mlps, seeds, strict=True)}
    for mlp, seed in zip(mlps, seeds, strict=True):
        mlp.draw.manual_seed(seed + 2)

    def of(going: Sequence[Course]) -> list[Mlp]:
        return [mlp for course in going for mlp in course.modules if isinstance(mlp, Mlp)]

    def epoch(number: int, going: Sequence[Course]) -> None:
        progress(number - 1, settings.epochs, "training")
        trained = of(going)
        for mlp in trained:
            mlp.train()
        shuffled = torch.stack([torch.randperm(len(rows), generator=order[mlp]) for mlp in trained])
        for index in shuffled.to(rows.device).split(batch, dim=1):
            for course in going:
                course.optimiser.zero_grad(set_to_none=True)
            logits = side_by_side(trained, rows[index])
            each = functional.binary_cross_entropy_with_logits(logits, targets[index], reduction="none")
            each.mean((1, 2)).sum().backward()
            for course in going:
                course.optimiser.step()

    ways = [Course([mlp], torch.optim.Adam(mlp.parameters(), rate, fused=True), settings) for mlp in mlps]
    courses.train(ways, epoch, lambda going: validate(of(going)), settings)
    return mlps, ways
