"""The live protocol's training: one tail and a linear head, stopped by the loss on held-out recordings."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.stages.finetuning.boundary import BoundaryStates
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.heads import Head, Prevalence, new_head
from mirdemo.stages.finetuning.memory import Room
from mirdemo.stages.finetuning.settings import FineTuneSettings
from mirdemo.stages.finetuning.step import Step, pooled


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


def clip_means(values: np.ndarray, clip_of: np.ndarray, n_clips: int) -> np.ndarray:
    """Mean over each clip's windows: (n_windows, k) -> (n_clips, k), NaN for clips without one here."""
    sums = np.zeros((n_clips, values.shape[1]))
    np.add.at(sums, clip_of, values)
    counts = np.bincount(clip_of, minlength=n_clips)[:, None]
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def train(
    source: BoundaryStates,
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
    head = new_head(start[torch.from_numpy(learn).to(device)], prevalence)
    step = Step(source, tail, head, labels, prevalence, settings, room, title)
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
            losses.append(step(batch, partial(tick, done, total)))
            schedule.step()
            done += len(batch)
        trained.losses += losses
        sizes = [min(settings.batch, len(learn) - b) for b in range(0, len(learn), settings.batch)]
        loss = auc = None
        if held_out is not None:
            tick(done, total)
            loss, auc = _check(step, held_out)
        on_epoch(
            Epoch(
                run,
                runs,
                epoch,
                settings.epochs,
                float(np.average(losses, weights=sizes)),
                loss,
                auc,
                time.perf_counter() - began,
            )
        )
        trained.epochs = epoch
        if loss is None:
            trained.best_epoch = epoch
            continue
        if loss < best:  # the loss, because few recordings let ROC-AUC move in jumps only
            best, waited, trained.best_epoch = loss, 0, epoch
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


def _check(step: Step, held_out: np.ndarray) -> tuple[float, float]:
    """Mean loss over windows, and macro ROC-AUC over clips (0.5 where no tag has both kinds of clips)."""
    rows = pooled(step.tail, step.source, held_out, step.room, step.title)
    with torch.no_grad():
        values = step.head(rows)
        loss = float(step.losses(values, held_out).mean())
    clip_of = step.source.windows.clip_of[held_out]
    clips = np.unique(clip_of)
    means = clip_means(values.double().cpu().numpy(), clip_of, len(step.labels))[clips]
    known = step.known.cpu().numpy() > 0
    auc = float(macro(roc_auc(step.labels[clips][:, known].T, means[:, known].T)))
    return loss, auc if math.isfinite(auc) else 0.5


def _schedule(optimiser: torch.optim.Optimizer, settings: FineTuneSettings, steps_an_epoch: int) -> Any:
    """Linear rise, then a cosine down to zero at the end of the last epoch."""
    total = settings.epochs * steps_an_epoch
    rise = max(1, round(settings.warm_up * total))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def _to_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def tail_state(tail: nn.Module) -> Iterator[tuple[str, np.ndarray]]:
    """The tail's tensors by name, as float32 arrays (integers as they are)."""
    for name, tensor in tail.state_dict().items():
        value = tensor.detach().cpu()
        yield name, (value.float() if value.is_floating_point() else value).numpy()
