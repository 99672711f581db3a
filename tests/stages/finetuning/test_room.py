"""How much is computed at once, and what is given up where memory runs out."""

from __future__ import annotations

import pytest
import torch

from mirdemo.stages.finetuning.errors import FineTuneError
from mirdemo.stages.finetuning.memory import CPU_PART_SECONDS, Room, attempt


@pytest.mark.parametrize(
    ("device", "window", "batch", "most"),
    [
        ("cpu", CPU_PART_SECONDS / 4, 64, 4),
        ("cpu", CPU_PART_SECONDS / 4, 3, 3),
        ("cpu", CPU_PART_SECONDS, 64, 1),
        ("cpu", 2 * CPU_PART_SECONDS, 64, 1),
        ("cuda", 2 * CPU_PART_SECONDS, 64, 64),
    ],
)
def test_a_processor_takes_so_many_seconds_at_once_and_a_gpu_the_batch(device, window, batch, most):
    assert Room.on(torch.device(device), window, batch).most == most


def test_it_is_halved_until_one_window_does_not_fit():
    room, sizes = Room(13), [13]
    while room.most > 1:
        room.shrink("A network")
        sizes.append(room.most)
    assert sizes == [13, 6, 3, 1]
    with pytest.raises(FineTuneError) as refused:
        room.shrink("A network")
    assert refused.value.sentence.code == "finetuning.memory"


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError()],
)
def test_running_out_of_memory_is_no_answer_and_any_other_failure_is_one(error):
    def fail(one: Exception):
        raise one

    assert attempt(lambda: 7) == 7
    assert attempt(lambda: fail(error)) is None
    with pytest.raises(RuntimeError, match="shapes"):
        attempt(lambda: fail(RuntimeError("shapes differ")))
