"""The published protocol's one training loop: its rates fall, it ends, and its best epoch is kept, by a validation figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from mirdemo.stages.published.settings import MlpTraining


class Course:
    """One run on its way: some modules, and the optimiser that trains them.

    best: its best validation figure, of ``best_epoch`` (from 1); NaN, and 0, if none was a number; epochs: how many it had
    """

    def __init__(
        self, modules: Sequence[nn.Module], optimiser: torch.optim.Optimizer, settings: MlpTraining
    ) -> None:
        self.modules, self.optimiser = tuple(modules), optimiser
        self.best, self.best_epoch, self.epochs = math.nan, 0, 0
        self._kept = [_copied(module) for module in modules]
        self._stop_patience = settings.stop_patience
        never = settings.plateau_factor == 1  # which torch takes no factor for
        self._plateau = ReduceLROnPlateau(
            optimiser,
            "max",
            factor=0.5 if never else settings.plateau_factor,
            patience=settings.epochs if never else settings.plateau_patience,
            threshold=0.0,
            eps=0.0,
        )

    @property
    def over(self) -> bool:
        return self.epochs - self.best_epoch >= self._stop_patience

    def note(self, figure: float) -> None:
        """An epoch is done, and validation says so much of it: higher is better."""
        self.epochs += 1
        if figure > (self.best if self.best_epoch else -math.inf):
            self.best, self.best_epoch = figure, self.epochs
            self._kept = [_copied(module) for module in self.modules]
        self._plateau.step(figure)

    def back_to_best(self) -> None:
        """The modules as they were after their best epoch; as they began if there was none."""
        for module, kept in zip(self.modules, self._kept, strict=True):
            module.load_state_dict(kept)

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on."""
        return {
            "modules": [module.state_dict() for module in self.modules],
            "optimiser": self.optimiser.state_dict(),
            "plateau": self._plateau.state_dict(),
            "kept": self._kept,
            "at": (self.best, self.best_epoch, self.epochs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another one was."""
        for module, values in zip(self.modules, state["modules"], strict=True):
            module.load_state_dict(values)
        self.optimiser.load_state_dict(state["optimiser"])
        self._plateau.load_state_dict(state["plateau"])
        self._kept = state["kept"]
        self.best, self.best_epoch, self.epochs = state["at"]


def train(
    courses: Sequence[Course],
    epoch: Callable[[int, Sequence[Course]], None],
    validate: Callable[[Sequence[Course]], Iterable[float]],
    settings: MlpTraining,
    done: Callable[[int], None] = lambda number: None,
) -> None:
    """Train side by side until all are over; at the end each is as it was after its best epoch.

    epoch: called as ``epoch(number, those not over)``, trains these, all of whose earlier epochs are done; numbers count
        from 1
    validate: their figures as they stand, higher is better
    done: called with the epoch's number when all of it is noted
    """
    for number in range(1 + max(course.epochs for course in courses), settings.epochs + 1):
        going = [course for course in courses if not course.over]
        if not going:
            break
        epoch(number, going)
        for course, figure in zip(going, validate(going), strict=True):
            course.note(float(figure))
        done(number)
    for course in courses:
        course.back_to_best()


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
