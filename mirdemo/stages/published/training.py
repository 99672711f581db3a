"""The published fine-tuning's training: tail and MLP head together.

After every epoch all that the next one depends on can be saved, so that a run which was killed goes on where it was
and ends as if it never had been: order of windows and dropout are drawn from the seed and the epoch's number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np

from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.settings import PublishedSettings
from mirdemo.stages.finetuning.step import Step
from mirdemo.stages.published import courses
from mirdemo.stages.published.checkpoint import Checkpoint
from mirdemo.stages.published.courses import Course
from mirdemo.stages.published.mlp import Mlp


def train(
    step: Step,
    mlp: Mlp,
    learn: np.ndarray,
    validate: Callable[[], tuple[float, float]],
    settings: PublishedSettings,
    checkpoint: Checkpoint,
    tick: Callable[[int, int], None],
    on_epoch: Callable[[Epoch], None],
) -> tuple[Course, list[Epoch]]:
    """Train ``step``'s tail and head in place; at the end they are as they were after their best epoch.

    mlp: the head's part with dropout; learn: indices of the windows to train on
    validate: loss and ROC-AUC on the validation side, as things stand
    tick: called as ``tick(windows done, windows in all)``; what it raises passes
    """
    course = Course([step.tail, step.head], step.optimiser, settings)
    curve, losses, began = [], [], time.perf_counter()
    found = checkpoint.load()
    if found is not None:
        course.load_state_dict(found["course"])
        step.scaler.load_state_dict(found["scaler"])
        curve = [Epoch(**one) for one in found["curve"]]
        began -= curve[-1].seconds
    total = settings.epochs * len(learn)

    def epoch(number: int, _: Sequence[Course]) -> None:
        mlp.draw.manual_seed(settings.seed * 100_003 + number)
        step.head.train()
        shuffled = np.random.default_rng([settings.seed, number]).permutation(learn)
        summed, before = 0.0, (number - 1) * len(learn)
        for first in range(0, len(shuffled), settings.batch):
            batch = shuffled[first : first + settings.batch]
            summed += len(batch) * step(batch, partial(tick, before + first, total))
        losses.append(summed / len(shuffled))

    def figure(_: Sequence[Course]) -> list[float]:
        held_out_loss, auc = validate()
        seconds = time.perf_counter() - began
        curve.append(Epoch(0, 1, len(curve) + 1, settings.epochs, losses[-1], held_out_loss, auc, seconds))
        on_epoch(curve[-1])
        return [auc]

    def done(_: int) -> None:
        checkpoint.save(
            {
                "course": course.state_dict(),
                "scaler": step.scaler.state_dict(),
                "curve": [asdict(one) for one in curve],
            }
        )

    courses.train([course], epoch, figure, settings, done)
    tick(total, total)
    return course, curve
