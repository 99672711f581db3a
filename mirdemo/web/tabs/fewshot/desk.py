"""What the few-shot tab remembers of a visitor, and the answer about a long recording that it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.clips.segments import Segment, over_windows, runs
from mirdemo.web.frame.job import Draft
from mirdemo.web.tabs.fewshot.studies import Curve, Layers, Setting
from mirdemo.web.tagging import Answer, Built

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording


@dataclass
class Kept:
    """The last value of each computation, so that drawing the page again costs nothing."""

    _values: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def get(self, name: str, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gave for this key, made only if the key has changed."""
        known = self._values.get(name)
        if known is None or known[0] != key:
            known = self._values[name] = (key, make())
        return known[1]


@dataclass(frozen=True, eq=False)
class LongAnswer:
    """What prototypes say about each window of a long recording.

    starts: seconds (n_windows,), where each begins; window_seconds: its length
    labels: uint8 (n_windows, n_tags); unknown_windows: bool (n_windows,)
    rows: float32 (n_windows, size), what the prototypes saw of each
    """

    sound: LongRecording
    built: Built
    starts: np.ndarray
    window_seconds: float
    labels: np.ndarray
    unknown_windows: np.ndarray
    rows: np.ndarray

    def places(self, chosen: np.ndarray) -> list[tuple[float, float]]:
        """Where chosen windows are, bool (n_windows,), as (start, end) in seconds, neighbours joined."""
        return runs(self.starts.tolist(), self.window_seconds, self.sound.seconds, chosen.tolist())

    @property
    def segments(self) -> list[Segment]:
        """Its tags over time, as annotation files hold them."""
        tags = self.built.prototypes.tags
        labels = self.labels.tolist()
        return over_windows(self.starts.tolist(), self.window_seconds, self.sound.seconds, labels, tags)

    @cached_property
    def seconds(self) -> dict[str, float]:
        """For each tag that is there, how long it holds, the longest first."""
        there = {
            tag: sum(end - start for start, end in self.places(self.labels[:, column] > 0))
            for column, tag in enumerate(self.built.prototypes.tags)
        }
        return dict(sorted(((t, s) for t, s in there.items() if s), key=lambda one: -one[1]))

    @property
    def given(self) -> tuple[str, ...]:
        """The tags that hold anywhere, the longest first."""
        return tuple(self.seconds)


@dataclass
class FewShotDesk:
    """What this tab remembers of a visitor: how to listen, the prototypes, the answers, what was measured.

    layer: backbone -> layer; whiten: as the visitor chose, None where it was left as measured
    looked: the comparison of layers that was on the page when the visitor last chose how to listen, None for none
    asked: how many recordings were asked about so far; judged: clip -> ``"right"`` or ``"wrong"``, as the visitor said
    long: the answer about a long recording, by what it is called, which no other has been: the browser keeps its sound by it,
        also where a saved visit takes the place of this one; one at a time, for its sound takes the disk
    long_asked: how many were asked about when that came
    curve_draft, layers_draft: what the last measurement of each has found, kept where it was stopped half way
    played: clip -> tags of a demonstration query; kept: what is drawn from all that
    """

    layer: dict[str, str] = field(default_factory=dict)
    whiten: bool | None = None
    looked: Layers | None = None
    built: Built | None = None
    answers: list[Answer] = field(default_factory=list)
    played: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: int = 0
    judged: dict[str, str] = field(default_factory=dict)
    long: dict[str, LongAnswer] = field(default_factory=dict)
    long_asked: int = 0
    curve: Curve | None = None
    layers: Layers | None = None
    curve_draft: Draft = field(default_factory=Draft)
    layers_draft: Draft = field(default_factory=Draft)
    kept: Kept = field(default_factory=Kept)

    def sounds(self) -> list[Clip]:
        return [one.clip for one in self.answers]

    def long_sounds(self) -> dict[str, LongRecording]:
        return {id: one.sound for id, one in self.long.items()}

    def let_go(self) -> None:
        """Give the disk back."""
        for one in self.long.values():
            one.sound.close()


def built_with(built: Built) -> Setting:
    """How prototypes listen."""
    return Setting(built.backbone, built.layer, built.whitening is not None)
