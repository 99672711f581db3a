"""One step of a tail and its head on boundary states, in as much memory as there is.

A step's batch may be cut into parts (windows of unlike length, or less memory): their gradients add up to the
batch's own, so the losses do not depend on the cutting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mirdemo.stages.finetuning.boundary import BoundaryStates
from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.finetuning.heads import Prevalence
from mirdemo.stages.finetuning.memory import Room, attempt
from mirdemo.stages.finetuning.settings import FineTuneSettings


def pooled(tail: nn.Module, source: BoundaryStates, indices: np.ndarray, room: Room, title: str) -> Tensor:
    """The tail's output for windows: float32 (n, size) on the tail's device, without gradient, in full precision."""
    rows: dict[int, Tensor] = {}
    waiting = list(source.windows.alike(indices, room.most))
    while waiting:
        part = waiting.pop(0)
        out = attempt(partial(_pool, tail, source, part))
        if out is None:
            room.shrink(title)
            waiting = list(source.windows.alike(np.concatenate([part, *waiting]), room.most))
            continue
        rows.update(zip(part.tolist(), out, strict=True))
    return torch.stack([rows[index] for index in indices.tolist()])


def _pool(tail: nn.Module, source: BoundaryStates, part: np.ndarray) -> Tensor:
    with torch.no_grad():
        return tail(source.batch(part), samples=int(source.windows.samples[part[0]])).float()


class Step:
    """One optimiser step after the other.

    source: where boundary states come from; tail, head: trained in place; labels: 0/1 (n_clips, n_tags)
    """

    def __init__(
        self,
        source: BoundaryStates,
        tail: nn.Module,
        head: nn.Module,
        labels: np.ndarray,
        prevalence: Prevalence,
        settings: FineTuneSettings,
        room: Room,
        title: str,
    ) -> None:
        device = next(head.parameters()).device
        self.source, self.tail, self.head = source, tail, head
        self.labels, self.settings, self.room, self.title = labels, settings, room, title
        self.targets = torch.from_numpy(labels[source.windows.clip_of].astype(np.float32)).to(device)
        self.weight = torch.from_numpy(prevalence.weight).float().to(device)
        self.known = torch.from_numpy(prevalence.known).float().to(device)
        self.free = [p for p in tail.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": self.free, "lr": settings.tail_rate},
                {"params": list(head.parameters()), "lr": settings.head_rate},
            ],
            weight_decay=settings.weight_decay,
        )
        precision = _precision(settings.precision, device)
        self.autocast = precision_context(settings.precision, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)
        self.draw = np.random.default_rng([settings.seed, 2])

    def __call__(self, batch: np.ndarray, before_part: Callable[[], None]) -> float:
        """One step on these windows; returns their mean loss."""
        while True:
            loss = self._gradients(batch, before_part)
            if loss is not None:
                break
            self.room.shrink(self.title)
        if not math.isfinite(loss):
            raise FineTuneError(
                "The training of {name} ran away: its loss is no longer a number. Choose lower learning rates, or float32.",
                code="finetuning.diverged",
                name=self.title,
            )
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_([*self.free, *self.head.parameters()], self.settings.clip_norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss

    def _gradients(self, batch: np.ndarray, before_part: Callable[[], None]) -> float | None:
        """Gradients of the batch's mean loss, part by part; None if memory ran out."""
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in self.source.windows.alike(batch, self.room.most):
            before_part()
            loss = attempt(partial(self._part, part, len(batch)))
            if loss is None:
                self.optimiser.zero_grad(set_to_none=True)
                return None
            total += loss
        return total

    def _part(self, part: np.ndarray, batch: int) -> float:
        states, targets = self.source.batch(part), self.targets[self._rows(part)]
        states, targets = augmented(states, targets, self.settings, self.draw)
        with self.autocast():
            rows = self.tail(states, samples=int(self.source.windows.samples[part[0]]))
        loss = self._losses(self.head(rows), targets).sum() / batch
        self.scaler.scale(loss).backward()
        return float(loss.detach())

    def losses(self, logits: Tensor, indices: np.ndarray) -> Tensor:
        """Weighted binary cross-entropy (n,) of windows with these logits (n, n_tags)."""
        return self._losses(logits, self.targets[self._rows(indices)])

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Weighted binary cross-entropy (b,), the mean over the tags that can be learned."""
        each = functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=self.weight, reduction="none"
        )
        return (each * self.known).sum(1) / self.known.sum().clamp_min(1)

    def _rows(self, indices: np.ndarray) -> Tensor:
        return torch.from_numpy(indices).to(self.targets.device)


def augmented(
    states: Tensor, targets: Tensor, settings: FineTuneSettings, draw: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Boundary states (b, frames, dim) and targets (b, n_tags), mixed in pairs and masked as the settings say.

    Mixup (Zhang et al. 2018) and time masking (SpecAugment, Park et al. 2019), here at the boundary: a masked frame
    becomes the window's mean frame.
    """
    if settings.mixup and len(states) > 1:
        share = float(draw.beta(settings.mixup, settings.mixup))
        other = torch.from_numpy(draw.permutation(len(states))).to(states.device)
        states = share * states.float() + (1 - share) * states[other].float()
        targets = share * targets + (1 - share) * targets[other]
    if settings.time_mask:
        states = states.clone()
        frames = states.shape[1]
        for window in states:
            width = int(draw.integers(0, int(settings.time_mask * frames) + 1))
            first = int(draw.integers(0, frames - width + 1))
            window[first : first + width] = window.mean(dim=0)
    return states, targets


def precision_context(name: str, device: torch.device) -> Callable[[], AbstractContextManager]:
    """What to compute the tail in: a maker of contexts. name: as ``FineTuneSettings.precision``."""
    precision = _precision(name, device)
    return nullcontext if precision is None else lambda: torch.autocast(device.type, dtype=precision)


def _precision(name: str, device: torch.device) -> torch.dtype | None:
    """What to autocast to; None for plain float32."""
    from mirdemo.backbones.loading import has_bfloat16

    if name == "auto":
        if device.type != "cuda":
            return None
        return torch.bfloat16 if has_bfloat16(device) else torch.float16
    return {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
