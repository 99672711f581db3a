"""What fine-tuning found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Estimate
from mirdemo.scoring.verdicts import verdict as heard
from mirdemo.stages.finetuning.curve import Epoch
from mirdemo.stages.finetuning.verdict import in_words
from mirdemo.stages.probing.report import Chance, Figures, everything_but

if TYPE_CHECKING:
    from mirdemo.backbones.spec import BackboneSpec, Identity
    from mirdemo.stages.finetuning.tuned import TunedHead


@dataclass(frozen=True)
class TagGain:
    """One tag, or the mean over tags (then ``tag`` is None and the counts are of all clips).

    figures: by fine-tuning; untrained: by the same head on the same layer before any training, in the same folds;
        probed: by the best probe, as it was shown
    recordings_without: that have a clip without the tag
    added: fine-tuned minus untrained, what training adds; gain: fine-tuned minus probed; both paired by recording
    verdict: worth_it, not_worth_it or cannot_tell (``verdict.RULE``)
    """

    tag: str | None
    positive_clips: int
    positive_recordings: int
    recordings_without: int
    chance: Chance
    figures: Figures
    untrained: Figures
    probed: Figures
    added: Figures
    gain: Figures
    verdict: str

    @property
    def sentence(self) -> Sentence:
        """The verdict in words."""
        return in_words(self.verdict, self.added.roc_auc, self.gain.roc_auc)

    @property
    def heard(self) -> str:
        """Whether the fine-tuned layers hear the tag, by the one scale of all stages (``mirdemo.scoring.verdicts``)."""
        return heard(self.figures.roc_auc, None, self.positive_recordings, self.recordings_without)


@dataclass(frozen=True, eq=False)
class FineTuneReport:
    """What training one or two layers added, and what it bought over probing, on the same recordings.

    identity, title: of the backbone; n_blocks: how many trailing blocks were trained
    macro: the mean over tags, with the verdict; tags: each by itself
    labels: uint8 (n_clips, n_tags); recordings: names (n_clips,); folds: int (1, n_clips), which fold tested a clip
    scores, untrained_scores, probed_scores: 0..1 (n_clips, n_tags) by models that had not seen the clip's recording,
        NaN where a tag could not be learned
    given: 0/1 (n_clips, n_tags), what each fold's model decides with its own intercept, as the one that is taken home does;
        None in reports of older visits
    probe_whitening: name of the whitening of the probe that it is compared with, None if that was plain
    epochs: how many each fold's best model was trained; final_epochs: of the model in ``head``, their median
    curve: every epoch of every run, the last run on all recordings
    seconds: phase (prefix, start, folds, final, and embedding, probing where they were done here) -> wall time that
        this call took; embeddings may have been there already
    from_nothing: ``"fine_tuned"`` and ``"probed"`` -> seconds that each takes from nothing, whatever was there already.
        The probe's embedding counts no less than the same windows took through the same layers here
    cache: where the prefix's output was kept: place, precision, bytes
    head: trained on all recordings, with its tail
    estimates: metric -> Estimate (1, n_tags), as in ``ProbeReport``
    """

    identity: Identity
    title: str
    n_blocks: int
    trainable_parameters: int
    macro: TagGain
    tags: tuple[TagGain, ...]
    labels: np.ndarray
    recordings: np.ndarray
    folds: np.ndarray
    scores: np.ndarray
    untrained_scores: np.ndarray
    probed_scores: np.ndarray
    probe_whitening: str | None
    n_clips: int
    n_recordings: int
    n_windows: int
    epochs: tuple[int, ...]
    final_epochs: int
    curve: tuple[Epoch, ...]
    smallest_gain: float
    level: float
    settings: Mapping[str, Any]
    seeds: tuple[int, ...]
    seconds: Mapping[str, float]
    from_nothing: Mapping[str, float]
    cache: Mapping[str, Any]
    device: str
    versions: Mapping[str, str]
    warnings: tuple[Sentence, ...]
    spec: BackboneSpec = field(repr=False)
    head: TunedHead = field(repr=False)
    estimates: Mapping[str, Estimate] = field(repr=False)
    protocol: str = "live"
    given: np.ndarray | None = None

    @property
    def n_folds(self) -> int:
        """Of the cross-validation."""
        return int(self.folds.max()) + 1

    @property
    def verdict(self) -> str:
        return self.macro.verdict

    @property
    def sentence(self) -> Sentence:
        """The verdict in words."""
        return self.macro.sentence

    @property
    def tag_names(self) -> tuple[str, ...]:
        return tuple(gain.tag for gain in self.tags)

    def tag(self, name: str) -> TagGain:
        """One tag's gain. Raises KeyError for a tag that was not there."""
        return {gain.tag: gain for gain in self.tags}[name]

    def as_dict(self) -> dict[str, Any]:
        """All of it but the weights and estimates, as JSON takes it: lists, numbers, strings and None."""
        return everything_but(self, "identity", "spec", "head", "estimates") | {
            "identity": self.identity.as_dict(),
            "verdict": self.verdict,
            "sentence": str(self.sentence),
        }
