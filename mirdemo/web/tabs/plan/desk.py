"""What the Plan tab remembers of a visitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mirdemo.planning import Assumptions, Plan
from mirdemo.planning.panel import Answers, Listeners, Panel, Results
from mirdemo.planning.panel.drawing import USUAL
from mirdemo.planning.panel.page import expected_bytes, quality
from mirdemo.web.tabs.plan.new_clips import New

if TYPE_CHECKING:
    from mirdemo.base.sentences import Sentence
    from mirdemo.clips import LabelledClips
    from mirdemo.sound.audio import Clip


@dataclass
class PlanDesk:
    """Of the plan.

    assumptions: as they set them; plan: the last one, made of ``of``; drawn: what was last drawn of it in a language
    seen: whether they have been shown a plan; typed: how often a number was typed
    """

    assumptions: Assumptions = field(default_factory=Assumptions)
    plan: Plan | None = None
    of: tuple = ()
    drawn: dict[str, tuple[Plan, dict[str, Any]]] = field(default_factory=dict)
    seen: bool = False
    typed: int = 0

    @property
    def has_typed(self) -> bool:
        return self.assumptions != Assumptions()


@dataclass(frozen=True, eq=False)
class Listening:
    """A panel and what came of it. Never changed: every act gives a new one.

    page: what is sent, None where it was not made here; clips: of the panel, as far as they are here
    """

    panel: Panel | None = None
    page: str | None = None
    clips: tuple[Clip, ...] = ()
    answers: tuple[Answers, ...] = ()
    found: Results | None = None

    @property
    def all_here(self) -> bool:
        """Whether every clip can be heard here."""
        return self.panel is not None and {c.sha256 for c in self.panel.clips} <= {
            c.sha256 for c in self.clips
        }

    @cached_property
    def megabytes(self) -> float | None:
        """What the page that is sent weighs, or will weigh when it is asked for; None where there can be none."""
        if self.page is not None:
            return len(self.page.encode()) / 1e6
        if self.panel is None or not self.all_here:
            return None
        kilobits = quality(self.panel.seconds, len(self.panel.clips))
        return (
            None
            if kilobits is None
            else expected_bytes(self.panel.seconds, len(self.panel.clips), kilobits) / 1e6
        )

    @property
    def can_be_sent(self) -> bool:
        return self.megabytes is not None

    @property
    def listeners(self) -> Listeners | None:
        return None if self.found is None else Listeners.of(self.found)


@dataclass(frozen=True, eq=False)
class Before:
    """What an act on the panel changed, as it was.

    seconds: assumptions that a panel measures; labels: the clips before and after, where the act labelled them
    """

    panel: Listening
    seconds: Mapping[str, float]
    labels: tuple[LabelledClips, LabelledClips] | None = None

    def labels_back(self, clips: LabelledClips) -> LabelledClips:
        """These clips without the labels that the act gave; what else was done to them since stays."""
        if self.labels is None:
            return clips
        old, new = self.labels
        if clips is new:
            return old
        at = {
            clip.sha256: row for row, clip in enumerate(new.clips)
        }  # an act that labels moves no row of the old
        came = []
        for row, clip in enumerate(clips.clips):
            was = at.get(clip.sha256)
            if was is None or set(clips.tags_of(row)) != set(new.tags_of(was)):
                continue
            if was >= len(old):
                came.append(row)
            elif set(old.tags_of(was)) != set(new.tags_of(was)):
                clips = clips.relabel(row, old.tags_of(was))
        return clips.remove(came) if came else clips


@dataclass
class PanelDesk:
    """Of the listening panel.

    machine, beside: keys of the taggers to judge, "" for the first and for none; most: clips
    new: recordings that nobody has labelled, asked about instead of the labelled clips; empty for none
    now: the panel; past: what was before each act, the last last
    notes: what was to be said about the files that came last; listeners: of ``now``, kept so that it is one object
    """

    machine: str = ""
    beside: str = ""
    most: int = USUAL
    new: New = field(default_factory=New)
    now: Listening = field(default_factory=Listening)
    past: list[Before] = field(default_factory=list)
    notes: tuple[tuple[str, Sentence], ...] = ()
    listeners: Listeners | None = None

    def sounds(self) -> list[Clip]:
        return [*self.now.clips, *self.new.clips]
