"""From labelled clips to a verdict: probe first if need be, then train, with the epochs told as they end."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import MirdemoError
from mirdemo.stages.finetuning import Cost, Epoch, FineTuneReport, FineTuneSettings, cost
from mirdemo.web import gpu
from mirdemo.web.models import Memory
from mirdemo.web.tabs.finetune.order import Broken, Order, Step
from mirdemo.web.tabs.probe.running import Asked, Run
from mirdemo.web.tabs.probe.running import run as probe_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirdemo.clips import LabelledClips


@dataclass(frozen=True)
class Wanted:
    """What was chosen before the start."""

    backbone: str
    blocks: int
    settings: FineTuneSettings


@dataclass
class Watched:
    """A training under way. since: when its first step was made (monotonic), None before that."""

    wanted: Wanted
    epochs: list[Epoch] = field(default_factory=list)
    since: float | None = None

    def seconds_left(self, fraction: float | None) -> float | None:
        """At most so many, for early stopping may end sooner. None while nobody can say."""
        if self.since is None or not fraction or fraction == 1:
            return None
        return (time.monotonic() - self.since) * (1 - fraction) / fraction


@dataclass(frozen=True, eq=False)
class Result:
    """A verdict with all that stands behind it.

    asked: the clips as they were; run: the probe it was compared with
    """

    asked: Asked
    wanted: Wanted
    run: Run
    report: FineTuneReport

    @property
    def probe_seconds(self) -> float:
        """Embedding and probing. The embeddings may have been there already; they cost at least what running the
        frozen layers over the same windows cost here."""
        probing = sum(self.run.report.seconds.values())
        return probing + max(self.run.seconds - probing, self.report.seconds["prefix"])

    def costs(self, hardware: str | None, prices: Mapping[str, float]) -> dict[str, Cost]:
        """``"probed"`` and ``"fine_tuned"``, at these prices."""
        return {
            "probed": cost(self.probe_seconds, hardware, prices),
            "fine_tuned": cost(self.report.costs["fine_tuned"].seconds, hardware, prices),
        }


def train(
    clips: LabelledClips,
    wanted: Wanted,
    kept: Run | None,
    memory: Memory,
    progress: Progress,
    watched: Watched,
) -> Result:
    """Fine-tune and compare.

    kept: a probe of the same clips and backbone, in the same folds; None: one is made first
    Raises whatever probing and ``fine_tune`` refuse, or PageError; ``progress`` may raise Cancelled, and then the
    training process is gone before this returns.
    """
    run = kept or probe_run(clips, wanted.backbone, False, memory, progress)
    order = Order(clips, wanted.backbone, wanted.blocks, wanted.settings, run.report)
    now = Step(0, 0, "starting")
    progress(0, 0, "starting")
    with closing(gpu.messages(order)) as stream:
        for message in stream:
            if isinstance(message, Step):
                now = message
                if now.phase == "training" and watched.since is None:
                    watched.since = time.monotonic()
            elif isinstance(message, Epoch):
                watched.epochs.append(message)
            elif isinstance(message, FineTuneReport):
                return Result(Asked.of(clips), wanted, run, message)
            elif isinstance(message, MirdemoError):
                raise message
            elif isinstance(message, Broken):
                raise RuntimeError(message.traceback)
            progress(now.done, now.total, now.phase)
    raise RuntimeError("the training said nothing at its end")
