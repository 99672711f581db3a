"""What a probe found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Estimate, Interval
from mirdemo.scoring.metrics import THRESHOLD
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, PERHAPS, PERHAPS_HEARD, by_chance

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Figures:
    """The metrics of one tag, or of all tags together (then ``f1`` is macro-F1, and there is micro-F1)."""

    roc_auc: Interval
    average_precision: Interval
    f1: Interval
    micro_f1: Interval | None = None


@dataclass(frozen=True)
class Chance:
    """What can be had without listening: ROC-AUC and average precision of a random order, F1 of always saying yes."""

    roc_auc: float
    average_precision: float | None
    f1: float | None


@dataclass(frozen=True)
class TagReport:
    """One tag.

    positive_clips, positive_recordings: that have the tag; prevalence: share of the scored rows that do
    figures: the headline. Its layer was chosen on training sides only (live), so no choice flatters it
    by_layer: layer name -> Figures; the best of them is flattered by having been picked
    best_layer: the layer that the training sides chose most often
    p_value: that any labels would do as well, corrected for the choice among layers; None if not tested
    p_page: the same, corrected for the number of tags too (``verdicts.corrected``): what the word goes by
    verdict: a code of ``verdicts.SCALE``, by ``verdicts.RULE``
    """

    tag: str
    positive_clips: int
    positive_recordings: int
    prevalence: float
    chance: Chance
    figures: Figures
    by_layer: Mapping[str, Figures]
    best_layer: str
    p_value: float | None
    p_by_layer: Mapping[str, float | None]
    p_page: float | None
    verdict: str


@dataclass(frozen=True)
class MacroReport:
    """The mean over tags; fields as in ``TagReport``."""

    chance: Chance
    figures: Figures
    by_layer: Mapping[str, Figures]
    best_layer: str
    p_value: float | None
    p_by_layer: Mapping[str, float | None]


@dataclass(frozen=True)
class Mistake:
    """A clip that the probe gets wrong. row: its place among the scored rows; score: 0..1 against ``label``."""

    row: int
    tag: str
    label: int
    score: float


@dataclass(frozen=True, eq=False)
class ProbeReport:
    """What one backbone's frozen embeddings say about the tags.

    protocol: ``"live"`` or ``"papaioannou2025"``
    identity: of the backbone, as a dict; None if the embeddings did not say
    labels: uint8 (n_rows, n_tags), recordings: names (n_rows,), scores: 0..1 (n_rows, n_tags), NaN where the tag could
        not be learned: what was scored, by probes that had not seen it. Live: one row a clip, in the order given, the
        mean over seeds. Published protocol: one row a test recording
    given: 0..1 (n_rows, n_tags), the share of seeds whose model, by itself and with its own intercept, gives the tag at the
        threshold: what may be expected of one model on new clips. The mean over seeds decides better than any one of
        them. Live only; None in reports of older visits too
    folds: int (n_seeds, n_clips), which fold tested a clip; None for the published protocol
    seed_deviation: metric -> standard deviation over seeds of the macro figure; None with one seed
    settings: what the probe was trained with; seconds: phase -> wall time; versions: package -> version
    estimates: metric -> Estimate (1 + n_layers, n_tags), first the headline: what ``compare`` pairs
    by_seed: seed -> the means over tags of that seed alone, where the published protocol used several
    """

    protocol: str
    identity: Mapping[str, Any] | None
    whitening: str | None
    layer_names: tuple[str, ...]
    tags: tuple[TagReport, ...]
    macro: MacroReport
    labels: np.ndarray
    recordings: np.ndarray
    scores: np.ndarray
    folds: np.ndarray | None
    n_clips: int
    n_recordings: int
    n_folds: int | None
    seeds: tuple[int, ...]
    seed_deviation: Mapping[str, float | None]
    permutations: int
    level: float
    settings: Mapping[str, Any]
    seconds: Mapping[str, float]
    device: str
    versions: Mapping[str, str]
    warnings: tuple[Sentence, ...]
    estimates: Mapping[str, Estimate] = field(repr=False)
    by_seed: Mapping[int, Figures] = field(default_factory=dict)
    given: np.ndarray | None = None

    @property
    def found(self) -> int:
        """How many tags are heard or partly heard."""
        return sum(report.verdict in (HEARD, PARTLY_HEARD) for report in self.tags)

    @property
    def by_chance(self) -> float:
        """How many of ``found`` are so by chance, in the mean, at most (``verdicts.by_chance``)."""
        return by_chance([tag.verdict for tag in self.tags], [tag.p_value for tag in self.tags])

    @property
    def perhaps(self) -> int:
        """How many tags are perhaps heard: by themselves better than chance, but not as one of so many."""
        return sum(report.verdict == PERHAPS_HEARD for report in self.tags)

    @property
    def expected_by_luck(self) -> float:
        """How many of the tested tags would be better than chance by themselves if no tag were heard, in the mean."""
        return PERHAPS * sum(report.p_value is not None for report in self.tags)

    @property
    def tag_names(self) -> tuple[str, ...]:
        return tuple(report.tag for report in self.tags)

    def tag(self, name: str) -> TagReport:
        """One tag's report. Raises KeyError for a tag that was not probed."""
        return {report.tag: report for report in self.tags}[name]

    def mistakes(self, tag: str | None = None) -> tuple[Mistake, ...]:
        """Rows on the wrong side of 0.5, the most certain mistakes first; of one tag or of all."""
        wrong = (self.scores >= THRESHOLD) != (self.labels == 1)
        found = [
            Mistake(int(row), self.tag_names[k], int(self.labels[row, k]), float(self.scores[row, k]))
            for row, k in zip(*np.nonzero(wrong & np.isfinite(self.scores)), strict=True)
            if tag in (None, self.tag_names[k])
        ]
        return tuple(sorted(found, key=lambda mistake: -abs(mistake.score - THRESHOLD)))

    def as_dict(self) -> dict[str, Any]:
        """All of it but the estimates, as JSON takes it: lists, numbers, strings and None."""
        return everything_but(self, "estimates")


def everything_but(report: DataclassInstance, *apart: str) -> dict[str, Any]:
    """A dataclass's fields as JSON takes them, without some."""
    return as_json({one.name: getattr(report, one.name) for one in fields(report) if one.name not in apart})


def as_json(value: Any) -> Any:
    """Dataclasses to objects, arrays to lists, numpy numbers to Python's, what is not finite to None."""
    if is_dataclass(value):
        return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
