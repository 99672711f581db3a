"""How much is computed at once, and running out of memory, told apart from other failures."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mirdemo.stages.finetuning.errors import FineTuneError

if TYPE_CHECKING:
    import torch

Made = TypeVar("Made")


#: Seconds of sound whose gradients are computed at once on a CPU; more only costs memory, and time until a stop.
CPU_PART_SECONDS = 20.0


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


def attempt(compute: Callable[[], Made]) -> Made | None:
    """What ``compute`` returns; None if memory ran out (what it held is free again by then)."""
    try:
        return compute()
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
    return None


def ran_out(error: BaseException) -> bool:
    """True if torch could not get memory, on a GPU or on the CPU."""
    import torch

    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def too_little(title: str) -> FineTuneError:
    return FineTuneError(
        "One window of {name} does not fit in memory for training. Choose fewer layers, a smaller backbone, or the CPU.",
        code="finetuning.memory",
        name=title,
    )


def not_finite(title: str) -> FineTuneError:
    return FineTuneError(
        "{name} gives values that are not finite for these clips. Choose float32 or another backbone.",
        code="finetuning.not_finite",
        name=title,
    )


def give_back() -> None:
    """Hand torch's unused GPU memory back to the device."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free() -> None:
    """After a job: also what only refers to itself (an optimiser and its schedule do)."""
    gc.collect()
    give_back()
