"""One tail and its linear head, trained on boundary states.

A step's batch may be cut into parts (windows of unlike length, or less memory): their gradients add up to the
batch's own, so the losses do not depend on the cutting.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mirdemo.finetuning.curve import Epoch
from mirdemo.finetuning.errors import FineTuneError
from mirdemo.finetuning.memory import give_back, ran_out, too_little
from mirdemo.finetuning.prefix_cache import Windows
from mirdemo.finetuning.settings import FineTuneSettings
from mirdemo.metrics import macro, roc_auc

#: Seconds of sound whose gradients are computed at once on a CPU; more only costs memory, and time until a stop.
CPU_PART_SECONDS = 20.0


class Boundary(Protocol):
    """Where boundary states come from: a ``PrefixCache``."""

    windows: Windows

    def batch(self, indices: np.ndarray) -> Tensor: ...


class Head(nn.Module):
    """Linear, on pooled tail output standardised as the untrained tail gives it for the training windows.

    It begins at zero, with each tag's own log-odds as its bias, so that the first gradients into the tail are small.
    centre, scale: (size,); bias: (n_tags,)
    """

    def __init__(self, centre: Tensor, scale: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)
        self.weight = nn.Parameter(torch.zeros(len(bias), len(centre), device=centre.device))
        self.bias = nn.Parameter(bias.clone())

    def forward(self, pooled: Tensor) -> Tensor:
        """(b, size) -> logits float32 (b, n_tags)."""
        return functional.linear((pooled.float() - self.centre) / self.scale, self.weight, self.bias)


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


@dataclass(eq=False)
class Room:
    """How many windows' gradients are computed at once; shared by all runs, because memory does not come back."""

    most: int

    @classmethod
    def on(cls, device: torch.device, window_seconds: float, batch: int) -> Room:
        most = batch if device.type != "cpu" else max(1, int(CPU_PART_SECONDS / window_seconds))
        return cls(min(batch, most))

    def shrink(self, title: str) -> None:
        """Halve it. Raises FineTuneError if it was one window."""
        if self.most == 1:
            raise too_little(title)
        self.most //= 2
        give_back()


@dataclass(eq=False)
class Trained:
    """A trained tail and head, as they were at their best epoch.

    losses: of every step; best_epoch: from 1; epochs: how many were run
    """

    tail: nn.Module
    head: Head
    prevalence: Prevalence
    best_epoch: int
    epochs: int
    losses: list[float] = field(default_factory=list)


def pooled(tail: nn.Module, source: Boundary, indices: np.ndarray, room: Room, title: str) -> Tensor:
    """The tail's output for windows: float32 (n, size) on the tail's device, without gradient, in full precision."""
    rows: dict[int, Tensor] = {}
    waiting = list(source.windows.alike(indices, room.most))
    while waiting:
        part = waiting.pop(0)
        out = _attempt(lambda part=part: _pool(tail, source, part))
        if out is None:
            room.shrink(title)
            waiting = list(source.windows.alike(np.concatenate([part, *waiting]), room.most))
            continue
        rows.update(zip(part.tolist(), out, strict=True))
    return torch.stack([rows[index] for index in indices.tolist()])


def _pool(tail: nn.Module, source: Boundary, part: np.ndarray) -> Tensor:
    with torch.no_grad():
        return tail(source.batch(part), samples=int(source.windows.samples[part[0]])).float()


def clip_means(values: np.ndarray, clip_of: np.ndarray, n_clips: int) -> np.ndarray:
    """Mean over each clip's windows: (n_windows, k) -> (n_clips, k), NaN for clips without one here."""
    sums = np.zeros((n_clips, values.shape[1]))
    np.add.at(sums, clip_of, values)
    counts = np.bincount(clip_of, minlength=n_clips)[:, None]
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def train(
    source: Boundary,
    tail: nn.Module,
    labels: np.ndarray,
    learn: np.ndarray,
    held_out: np.ndarray | None,
    start: Tensor,
    settings: FineTuneSettings,
    *,
    room: Room,
    title: str,
    stop_after: int | None = None,
    tick: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    run: int = 0,
    runs: int = 1,
) -> Trained:
    """Train a copy of ``tail`` with a new head.

    labels: 0/1 (n_clips, n_tags); learn, held_out: window indices, the latter for early stopping
    start: (n_windows, size), the untrained tail's output for all windows
    stop_after: end after that epoch, though the rates fall as for ``settings.epochs``
    tick: called as ``tick(windows done, windows in all)`` before each part, at the latest every few seconds; what it
        raises passes
    Raises FineTuneError if the loss is no longer a number or one window does not fit in memory.
    """
    began = time.perf_counter()
    device, clip_of = start.device, source.windows.clip_of
    prevalence = Prevalence.of(labels[clip_of[learn]], settings.largest_weight)
    tail = copy.deepcopy(tail)
    head = _new_head(start[torch.from_numpy(learn).to(device)], prevalence)
    step = _Step(source, tail, head, labels, prevalence, settings, room, title)
    schedule = _schedule(step.optimiser, settings, math.ceil(len(learn) / settings.batch))
    order = np.random.default_rng([settings.seed, 1])
    trained = Trained(tail, head, prevalence, best_epoch=0, epochs=0)
    best, kept, waited = math.inf, None, 0
    last = min(settings.epochs, stop_after or settings.epochs)
    total = last * len(learn)
    for epoch in range(1, last + 1):
        done, losses = (epoch - 1) * len(learn), []
        shuffled = order.permutation(learn)
        for begin in range(0, len(learn), settings.batch):
            batch = shuffled[begin : begin + settings.batch]
            losses.append(step(batch, lambda done=done: tick(done, total)))
            schedule.step()
            done += len(batch)
        trained.losses += losses
        sizes = [min(settings.batch, len(learn) - b) for b in range(0, len(learn), settings.batch)]
        figures = (None, None)
        if held_out is not None:
            tick(done, total)
            figures = step.check(held_out)
        on_epoch(
            Epoch(
                run,
                runs,
                epoch,
                settings.epochs,
                float(np.average(losses, weights=sizes)),
                *figures,
                time.perf_counter() - began,
            )
        )
        trained.epochs = epoch
        if held_out is None:
            trained.best_epoch = epoch
            continue
        if figures[0] < best:  # the loss, because few recordings let ROC-AUC move in jumps only
            best, waited, trained.best_epoch = figures[0], 0, epoch
            kept = [_to_cpu(tail.state_dict()), _to_cpu(head.state_dict())]
        else:
            waited += 1
            if waited >= settings.patience:
                break
    if kept is not None:
        tail.load_state_dict(kept[0])
        head.load_state_dict(kept[1])
    tick(total, total)
    return trained


def logits(
    trained: Trained, source: Boundary, indices: np.ndarray, n_clips: int, room: Room, title: str
) -> np.ndarray:
    """Of clips, the mean over their windows, freed of the weighting: float64 (n_clips, n_tags), NaN for a tag that
    could not be learned and for clips without a window among ``indices``.

    Weighting the positives by w moves a logit by log w; that is taken off again, so that a score is an estimate of
    the tag's probability in clips like the training ones.
    """
    rows = pooled(trained.tail, source, indices, room, title)
    with torch.no_grad():
        values = trained.head(rows).double().cpu().numpy()
    values = values - np.log(trained.prevalence.weight)
    values[:, ~trained.prevalence.known] = np.nan
    return clip_means(values, source.windows.clip_of[indices], n_clips)


class _Step:
    """One optimiser step, and the check on held-out windows."""

    def __init__(self, source, tail, head, labels, prevalence, settings, room, title) -> None:
        device = head.weight.device
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
            loss = _attempt(lambda part=part: self._part(part, len(batch)))
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

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Weighted binary cross-entropy (b,), the mean over the tags that can be learned."""
        each = functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=self.weight, reduction="none"
        )
        return (each * self.known).sum(1) / self.known.sum().clamp_min(1)

    def check(self, held_out: np.ndarray) -> tuple[float, float]:
        """Mean loss over windows, and macro ROC-AUC over clips (0.5 where no tag has both kinds of clips)."""
        rows = pooled(self.tail, self.source, held_out, self.room, self.title)
        with torch.no_grad():
            values = self.head(rows)
            loss = float(self._losses(values, self.targets[self._rows(held_out)]).mean())
        clip_of = self.source.windows.clip_of[held_out]
        clips = np.unique(clip_of)
        means = clip_means(values.double().cpu().numpy(), clip_of, len(self.labels))[clips]
        known = self.known.cpu().numpy() > 0
        auc = float(macro(roc_auc(self.labels[clips][:, known].T, means[:, known].T)))
        return loss, auc if math.isfinite(auc) else 0.5

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


def _new_head(start: Tensor, prevalence: Prevalence) -> Head:
    scale = start.std(dim=0, correction=0)
    scale = torch.where(scale > 1e-6 * start.abs().max().clamp_min(1e-6), scale, torch.ones_like(scale))
    # With positives weighted by w, the best constant logit is the log-odds plus log w.
    bias = np.nan_to_num(prevalence.log_odds) + np.log(prevalence.weight)
    return Head(start.mean(dim=0), scale, torch.from_numpy(bias).float().to(start.device))


def _schedule(optimiser: torch.optim.Optimizer, settings: FineTuneSettings, steps_an_epoch: int) -> Any:
    """Linear rise, then a cosine down to zero at the end of the last epoch."""
    total = settings.epochs * steps_an_epoch
    rise = max(1, round(settings.warm_up * total))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


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


def _attempt(compute: Callable[[], Any]) -> Any | None:
    """What ``compute`` returns; None if memory ran out (what it held is free again by then)."""
    try:
        return compute()
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
    return None


def _to_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def tail_state(tail: nn.Module) -> Iterator[tuple[str, np.ndarray]]:
    """The tail's tensors by name, as float32 arrays (integers as they are)."""
    for name, tensor in tail.state_dict().items():
        value = tensor.detach().cpu()
        yield name, (value.float() if value.is_floating_point() else value).numpy()
