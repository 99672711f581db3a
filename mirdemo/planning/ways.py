"""What the stages measured, in the one shape that planning needs: what each way of tagging got right, recording by recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.planning.errors import PlanError

if TYPE_CHECKING:
    from mirdemo.clips.in_question import InQuestion
    from mirdemo.stages.side_by_side import Cell

#: Kinds of ways, the cheapest to carry on with first.
AS_IT_IS, FEW_SHOT, OTHER, FINE_TUNE = "as_it_is", "few_shot", "other_backbone", "fine_tune"
KINDS = (AS_IT_IS, FEW_SHOT, OTHER, FINE_TUNE)
#: Stages of the procedure; a plan needs the first.
PROBE, TUNING, FEWSHOT, CURVE = "probe", "fine_tune", "few_shot", "curve"
STAGES = (PROBE, TUNING, FEWSHOT, CURVE)


@dataclass(frozen=True, eq=False)
class Way:
    """One way of getting suggestions, as it did on recordings that its model had not seen.

    kind: one of ``KINDS``; backbone: as it is called on the page
    right, wrong, missed: float64 (n_recordings, n_tags), of each recording's clips the share where the tag was given
        and is there, given and is not, not given and is
    machine_seconds: of computing, once; sick: what the backbone's health check found, None if nothing
    learned_from: share of the recordings, above 0, that each judged model had learned from; what is used learns from all
    words: (n_tags,) whether each tag is heard, None where nothing is said of one; empty in plans of before 29 November 2026
    """

    kind: str
    backbone: str
    right: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray
    machine_seconds: float = 0.0
    sick: Sentence | None = None
    learned_from: float = 1.0
    words: tuple[Cell | None, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.backbone}"

    @property
    def said(self) -> np.ndarray:
        """Share of clips each tag is given to: (n_recordings, n_tags)."""
        return self.right + self.wrong

    @classmethod
    def of_decisions(
        cls,
        kind: str,
        backbone: str,
        decided: np.ndarray,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray,
        *,
        machine_seconds: float = 0.0,
        sick: Sentence | None = None,
        learned_from: float = 1.0,
        words: tuple[Cell | None, ...] = (),
    ) -> Way:
        """From decisions about clips.

        decided: (n_clips, n_tags) 0 or 1, or of several models the share, 0..1, that gave the tag: each at its threshold, by
        models that had not heard the clip's recording; labels: 0/1 (n_clips, n_tags); recordings: (n_clips,)
        Raises PlanError if they do not fit together.
        """
        said, truth, names = np.asarray(decided), np.asarray(labels), np.asarray(recordings)
        if said.ndim != 2 or said.shape != truth.shape or len(names) != len(truth) or not len(truth):
            raise PlanError(
                "Decisions, labels and recordings do not fit together. Give one row a clip.",
                code="planning.differ",
            )
        codes = np.unique(names, return_inverse=True)[1]
        counts = np.bincount(codes)[:, None]

        def share(hit: np.ndarray) -> np.ndarray:
            out = np.zeros((len(counts), truth.shape[1]))
            np.add.at(out, codes, hit)
            return out / counts

        said, truth = said.astype(np.float64), truth.astype(bool)
        return cls(
            kind,
            backbone,
            share(said * truth),
            share(said * ~truth),
            share((1 - said) * truth),
            float(machine_seconds),
            sick,
            learned_from,
            words,
        )


@dataclass(frozen=True)
class Growth:
    """What a learning curve says about more recordings, or that it says nothing.

    recordings, f1, low, high: the measured points, macro-F1 with its interval, by recordings learned from
    ceiling, slope, exponent: F1(n) = ceiling - slope n ** -exponent, n recordings; None where it was not carried on
    spread: standard error of the rise over the rise itself; reach: recordings up to which the curve is carried on
    refusal: why it was not
    """

    recordings: tuple[float, ...]
    f1: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    ceiling: float | None = None
    slope: float | None = None
    exponent: float | None = None
    spread: float = 0.0
    reach: float = 0.0
    refusal: Sentence | None = None
    first: tuple[str, ...] = ()

    @property
    def goes_on(self) -> bool:
        return self.exponent is not None

    def at(self, recordings: np.ndarray | float) -> np.ndarray:
        """Macro-F1 expected with so many recordings. Only where the curve goes on."""
        assert self.ceiling is not None
        assert self.slope is not None
        assert self.exponent is not None
        return self.ceiling - self.slope * np.asarray(recordings, np.float64) ** -self.exponent


@dataclass(frozen=True, eq=False)
class Heard:
    """What the probe says about the tags: how many are heard, partly or perhaps heard, not heard, and cannot be judged."""

    heard: int = 0
    partly: int = 0
    not_heard: int = 0
    too_few: int = 0
    perhaps: int = 0


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known when a plan is asked for.

    tags: (n_tags,); having, lacking: recordings with each tag, and without it; n_clips: behind all figures
    ways: measured on the same recordings, in the same order; the first is what one would carry on with as it is
    sessions: (n_recordings,) a number for each recording's session, where sessions are known; else empty
    heard, growth: None where that stage was not run
    seconds: stage -> what it took here
    in_question: clips that count as one recording until somebody says whether they are; None where nothing is in question
    """

    tags: tuple[str, ...]
    having: tuple[int, ...]
    lacking: tuple[int, ...]
    n_clips: int
    ways: tuple[Way, ...]
    heard: Heard | None = None
    growth: Growth | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    sessions: tuple[int, ...] = ()
    in_question: InQuestion | None = None

    def __post_init__(self) -> None:
        shapes = {part.shape for way in self.ways for part in (way.right, way.wrong, way.missed)}
        differ = self.ways and len(self.sessions) not in (0, self.n_recordings)
        if differ or len(shapes) > 1 or any(shape[1] != len(self.tags) for shape in shapes):
            raise PlanError(
                "The stages were run on different recordings or tags. Run them again on the clips as they are now.",
                code="planning.other_clips",
            )

    @property
    def n_recordings(self) -> int:
        return len(self.ways[0].right) if self.ways else 0

    @property
    def n_units(self) -> int:
        """What is independent of one another: sessions where they are known, else recordings."""
        return len(set(self.sessions)) or self.n_recordings

    @property
    def tags_each(self) -> float:
        """Tags that a recording has, in the mean."""
        way = self.ways[0]
        return float((way.right + way.missed).sum(1).mean())

    @property
    def ran(self) -> tuple[str, ...]:
        """The stages there are results of."""
        kinds = {way.kind for way in self.ways}
        there = {
            PROBE: self.heard is not None,
            TUNING: FINE_TUNE in kinds,
            FEWSHOT: FEW_SHOT in kinds,
            CURVE: self.growth is not None,
        }
        return tuple(stage for stage in STAGES if there[stage])
