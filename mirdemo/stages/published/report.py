"""What the published fine-tuning found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mirdemo.backbones.spec import Identity
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Estimate
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.probing.report import MacroReport, TagReport, everything_but


@dataclass(frozen=True, eq=False)
class PublishedReport:
    """One run on one split, without a comparison: the live protocol's ``FineTuneReport`` has one.

    identity, title: of the backbone; n_blocks: how many trailing blocks were trained
    layer: what the head read, ``"mean"`` over all layers or the last one's name
    macro, tags: as in a ``ProbeReport`` of the published protocol; ``by_layer`` and ``best_layer`` name ``layer``
    labels: uint8 (n_test, n_tags), recordings: names (n_test,), scores: 0..1 (n_test, n_tags): the test recordings,
        each score the mean over the recording's windows
    n_recordings: side -> how many; n_clips, n_windows: of all sides
    epochs: how many were trained; best_epoch: the one whose weights were tested, validation_roc_auc: its figure;
        0 and NaN where no epoch had one
    curve: every epoch; ``held_out_auc`` is of the validation side
    seconds: phase (prefix, start, training, test) -> wall time, what killed processes had completed included
    cache: where the prefix's output lay: place, precision, bytes
    estimates: metric -> Estimate (2, n_tags), as in ``ProbeReport``
    """

    identity: Identity
    title: str
    n_blocks: int
    trainable_parameters: int
    layer: str
    macro: MacroReport
    tags: tuple[TagReport, ...]
    labels: np.ndarray
    recordings: np.ndarray
    scores: np.ndarray
    n_clips: int
    n_recordings: Mapping[str, int]
    n_windows: int
    epochs: int
    best_epoch: int
    validation_roc_auc: float
    curve: tuple[Epoch, ...]
    level: float
    settings: Mapping[str, Any]
    seeds: tuple[int, ...]
    seconds: Mapping[str, float]
    cache: Mapping[str, Any]
    device: str
    versions: Mapping[str, str]
    warnings: tuple[Sentence, ...]
    estimates: Mapping[str, Estimate] = field(repr=False)
    protocol: str = "papaioannou2025"

    @property
    def tag_names(self) -> tuple[str, ...]:
        return tuple(report.tag for report in self.tags)

    def tag(self, name: str) -> TagReport:
        """One tag's report. Raises KeyError for a tag that was not there."""
        return {report.tag: report for report in self.tags}[name]

    def as_dict(self) -> dict[str, Any]:
        """All of it but the estimates, as JSON takes it: lists, numbers, strings and None."""
        return everything_but(self, "identity", "estimates") | {"identity": self.identity.as_dict()}
