"""From labelled clips to a verdict: probe first if need be, then train, with the epochs told as they end."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import MirdemoError
from mirdemo.planning.prices import Cost, cost
from mirdemo.stages.finetuning import Epoch, FineTuneReport, FineTuneSettings
from mirdemo.web import gpu
from mirdemo.web.hearing import listened, refuse_one
from mirdemo.web.models import Memory
from mirdemo.web.tabs.finetune.order import Broken, Order, Step
from mirdemo.web.tabs.probe.running import Asked, Run, whitening_offered
from mirdemo.web.tabs.probe.running import run as probe_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

    asked: the clips as they were; run: the probe it was compared with, the best that was there
    """

    asked: Asked
    wanted: Wanted
    run: Run
    report: FineTuneReport

    def took(self, stage: str) -> float:
        """Seconds that ``"probed"`` or ``"fine_tuned"`` took this time, where embeddings may have been there."""
        if stage == "probed":
            return self.run.seconds
        return sum(self.report.seconds[phase] for phase in ("prefix", "start", "folds", "final"))

    def costs(self, hardware: str | None, prices: Mapping[str, float]) -> dict[str, Cost]:
        """``"probed"`` and ``"fine_tuned"``: from nothing, at these prices."""
        return {
            stage: cost(self.report.from_nothing[stage], hardware, prices)
            for stage in ("probed", "fine_tuned")
        }


def train(
    clips: LabelledClips,
    wanted: Wanted,
    kept: Sequence[Run],
    memory: Memory,
    progress: Progress,
    watched: Watched,
) -> Result:
    """Fine-tune and compare.

    kept: probes of the same clips and backbone, whitened or not; none: they are made first, plain and whitened where
        there is a whitening
    Raises whatever probing and ``fine_tune`` refuse, or PageError; ``progress`` may raise Cancelled, and then the
    training process is gone before this returns.
    """
    refuse_one(listened(clips, memory, progress))
    runs = tuple(kept) or tuple(
        probe_run(clips, wanted.backbone, whitened, memory, progress)
        for whitened in ((False, True) if whitening_offered(wanted.backbone) else (False,))
    )
    embedding = max(run.seconds - sum(run.report.seconds.values()) for run in runs)
    reports = tuple(run.report for run in runs)
    order = Order(clips, wanted.backbone, wanted.blocks, wanted.settings, reports, embedding)
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
                best = next(run for run in runs if run.report.whitening == message.probe_whitening)
                return Result(Asked.of(clips), wanted, best, message)
            elif isinstance(message, MirdemoError):
                raise message
            elif isinstance(message, Broken):
                raise RuntimeError(message.traceback)
            progress(now.done, now.total, now.phase)
    raise RuntimeError("the training said nothing at its end")
