"""What goes to the process that trains, and what comes back. All of it can be pickled; none of it is a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mirdemo.backbones.registry import spec
from mirdemo.base.sentences import MirdemoError
from mirdemo.stages.finetuning import Epoch, FineTuneReport, FineTuneSettings

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.stages.probing import ProbeReport


@dataclass(frozen=True, eq=False)
class Order:
    """One fine-tuning.

    backbone: its name in the registry; blocks: trailing blocks to train
    probes: of the same clips and backbone, the best of which is to be beaten; embedding_seconds: that theirs took
    """

    clips: LabelledClips
    backbone: str
    blocks: int
    settings: FineTuneSettings
    probes: tuple[ProbeReport, ...]
    embedding_seconds: float | None = None

    @property
    def n_windows(self) -> int:
        return count_windows(self.clips, self.backbone)


def count_windows(clips: LabelledClips, backbone: str) -> int:
    """How many windows the backbone hears, counted without resampling. 0 where its window is not known yet."""
    from mirdemo.embedding.embed import windows

    facts = spec(backbone)
    return sum(len(windows(len(clip.samples), clip.sample_rate, facts)) for clip in clips.clips)


@dataclass(frozen=True)
class Step:
    """Progress, as ``mirdemo.base.progress.Progress`` is called."""

    done: int
    total: int
    phase: str


@dataclass(frozen=True)
class Broken:
    """Something nobody expected. traceback: as Python prints it."""

    traceback: str


#: What the training process says. The last message is a report, a refusal or Broken; None is said while there is
#: nothing to say, so that whoever listens can stop.
Message: TypeAlias = Step | Epoch | FineTuneReport | MirdemoError | Broken | None
LAST = (FineTuneReport, MirdemoError, Broken)
