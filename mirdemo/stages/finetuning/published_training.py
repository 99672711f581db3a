"""The published protocol's training: tail and MLP head together, stopped by ROC-AUC on the validation side.

After every epoch all that the next one depends on can be saved, so that a run which was killed goes on where it was
and ends as if it never had been: order of windows and dropout are drawn from the seed and the epoch's number.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mirdemo.base.files import whole
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.heads import MlpHead
from mirdemo.stages.finetuning.settings import PublishedSettings
from mirdemo.stages.finetuning.step import Step

#: Seconds of training that a kill may cost, and an epoch.
SAVE_SECONDS = 30.0


@dataclass(eq=False)
class Course:
    """How a training went. best: its best validation ROC-AUC, in ``best_epoch`` (from 1); curve: every epoch"""

    best: float = -math.inf
    best_epoch: int = 0
    curve: list[Epoch] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        return len(self.curve)


class Checkpoint:
    """Everything a training needs to go on, in one file.

    of: says which training; a file of another one, or one that cannot be read, is passed over
    """

    def __init__(self, path: Path, of: str) -> None:
        self._path, self._of = path, of
        self._saved = time.monotonic()

    def save(self, state: dict[str, Any]) -> None:
        """Keep it, unless the last one is younger than ``SAVE_SECONDS``. A full disk only means that none is kept."""
        if time.monotonic() - self._saved < SAVE_SECONDS:
            return
        with contextlib.suppress(OSError, RuntimeError), whole(self._path) as part:
            torch.save({"of": self._of, **state}, part)
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        try:
            state = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # what a torn archive raises has no common base class
            return None
        return state if isinstance(state, dict) and state.get("of") == self._of else None


def train_published(
    step: Step,
    learn: np.ndarray,
    validate: Callable[[], tuple[float, float]],
    settings: PublishedSettings,
    checkpoint: Checkpoint,
    tick: Callable[[int, int], None],
    on_epoch: Callable[[Epoch], None],
) -> Course:
    """Train ``step``'s tail and head in place; at the end they are as they were after their best epoch.

    learn: indices of the windows to train on; validate: loss and ROC-AUC on the validation side, as things stand
    tick: called as ``tick(windows done, windows in all)``; what it raises passes
    """
    tail, head, optimiser = step.tail, step.head, step.optimiser
    course, kept, stale, began = Course(), None, 0, time.perf_counter()
    found = checkpoint.load()
    if found is not None:
        tail.load_state_dict(found["tail"])
        head.load_state_dict(found["head"])
        optimiser.load_state_dict(found["optimiser"])
        step.scaler.load_state_dict(found["scaler"])
        kept, stale = found["kept"], found["stale"]
        course = Course(found["best"], found["best_epoch"], [Epoch(**one) for one in found["curve"]])
        began -= course.curve[-1].seconds
    total = settings.epochs * len(learn)
    for number in range(course.epochs + 1, settings.epochs + 1):
        if number - 1 - course.best_epoch >= settings.stop_patience:
            break
        loss = _epoch(
            step, learn, settings, number, lambda done, n=number: tick((n - 1) * len(learn) + done, total)
        )
        held_out_loss, auc = validate()
        course.curve.append(
            Epoch(0, 1, number, settings.epochs, loss, held_out_loss, auc, time.perf_counter() - began)
        )
        on_epoch(course.curve[-1])
        if auc > course.best:
            course.best, course.best_epoch, stale = auc, number, 0
            kept = [_copied(tail), _copied(head)]
        else:
            stale += 1
        if stale > settings.plateau_patience:
            stale = 0
            for group in optimiser.param_groups:
                group["lr"] *= settings.plateau_factor
        checkpoint.save(
            {
                "tail": tail.state_dict(),
                "head": head.state_dict(),
                "optimiser": optimiser.state_dict(),
                "scaler": step.scaler.state_dict(),
                "kept": kept,
                "stale": stale,
                "best": course.best,
                "best_epoch": course.best_epoch,
                "curve": [asdict(one) for one in course.curve],
            }
        )
    tail.load_state_dict(kept[0])
    head.load_state_dict(kept[1])
    tick(total, total)
    return course


def _epoch(
    step: Step, learn: np.ndarray, settings: PublishedSettings, number: int, tick: Callable[[int], None]
) -> float:
    """All windows once; their mean loss."""
    head = step.head
    assert isinstance(head, MlpHead)
    head.begin(number)
    shuffled = np.random.default_rng([settings.seed, number]).permutation(learn)
    summed = 0.0
    for first in range(0, len(shuffled), settings.batch):
        batch = shuffled[first : first + settings.batch]
        summed += len(batch) * step(batch, partial(tick, first))
    head.eval()
    return summed / len(shuffled)


def _copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
