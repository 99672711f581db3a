"""How many workers, with what, and where."""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.bulk.errors import BulkError


@dataclass(frozen=True)
class Workers:
    """What to ask Ray for.

    count: workers at once, at least 1
    gpus: for each. 0: the CPU; a part of one (0.5: two workers share a GPU, so that one decodes while the other
        computes); a whole number: the worker holds a backbone on each of them
    cpus: processors for each, at least 1; a worker without a GPU computes with as many threads
    address: of a running Ray cluster, ``"auto"`` for the one this machine belongs to; None: a cluster of this
        machine alone, started for the run and ended with it

    Raises BulkError for numbers that Ray cannot give.
    """

    count: int = 2
    gpus: float = 0
    cpus: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.cpus < 1:
            raise BulkError(
                "{count} workers with {cpus} processors each cannot work. Ask for at least one of both.",
                code="bulk.too_few",
                count=self.count,
                cpus=self.cpus,
            )
        if not 0 <= self.gpus < float("inf") or (self.gpus > 1 and self.gpus % 1):
            raise BulkError(
                "A worker cannot hold {gpus:g} GPUs. Ask for 0, for a part of one such as 0.5, or for whole ones.",
                code="bulk.gpus",
                gpus=self.gpus,
            )

    @property
    def devices(self) -> tuple[str, ...]:
        """Where a worker holds a backbone; Ray shows each worker its own GPUs alone, counted from 0."""
        if not self.gpus:
            return ("cpu",)
        return tuple(f"cuda:{number}" for number in range(max(1, int(self.gpus))))
