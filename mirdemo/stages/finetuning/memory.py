"""Running out of memory, told apart from other failures."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

from mirdemo.stages.finetuning.errors import FineTuneError

Made = TypeVar("Made")


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
