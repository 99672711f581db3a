"""What comes in, looked over: clips, labels, recordings, folds, and the probe to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.stages.finetuning.errors import FineTuneError

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.probing import ProbeReport

#: Divisions to choose the folds of one training from.
_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Labelling:
    """What n clips are labelled with.

    labels: uint8 (n_clips, n_tags); recordings: int (n_clips,), numbered in the order of ``recording_names``
    """

    labels: np.ndarray
    tags: tuple[str, ...]
    recordings: np.ndarray
    recording_names: tuple[str, ...]
    warnings: tuple[Sentence, ...]


@dataclass(frozen=True, eq=False)
class Material(Labelling):
    """One set of labelled clips."""

    clips: tuple[Clip, ...]


def look_over(
    clips: Any, labels: np.ndarray | None, recordings: Sequence[str] | None, tags: Sequence[str] | None
) -> Material:
    """From ``LabelledClips``, or from clips with labels and recordings beside them. Raises FineTuneError."""
    if labels is None and hasattr(clips, "labels"):
        labels, recordings, tags = clips.labels, clips.recordings, clips.tags
        clips = clips.clips
    clips = tuple(clips)
    return Material(**vars(labelling(len(clips), labels, recordings, tags)), clips=clips)


def labelling(
    n_clips: int, labels: np.ndarray | None, recordings: Sequence[str] | None, tags: Sequence[str] | None
) -> Labelling:
    """Looked over: do labels, recordings and tags fit so many clips, and is there anything to learn?

    Raises FineTuneError.
    """
    truth = np.asarray([] if labels is None else labels)
    if not n_clips or truth.ndim != 2 or truth.shape[1] == 0:
        raise FineTuneError(
            "Fine-tuning needs clips with tags. Give some clips tags.", code="finetuning.no_tags"
        )
    names = tuple(map(str, tags)) if tags is not None else tuple(map(str, range(truth.shape[1])))
    given = [] if recordings is None else [str(name) for name in recordings]
    fits = len(truth) == len(given) == n_clips and len(set(names)) == len(names) == truth.shape[1]
    if not fits or not np.isin(truth, (0, 1)).all():
        raise FineTuneError(
            "Clips, labels, recordings and tags do not fit together. Give each clip a recording and a row of 0 and 1, "
            "one for each tag.",
            code="finetuning.differ",
        )
    recording_names, codes = np.unique(given, return_inverse=True)
    if len(recording_names) < 2:
        raise FineTuneError(
            "Fine-tuning needs clips from at least two recordings, and there is one. Add clips from other recordings.",
            code="finetuning.one_recording",
        )
    one_sided = [
        Sentence(
            "Every clip says the same of {tag}: it cannot be learned. Add clips with it and without it.",
            "finetuning.one_sided",
            {"tag": tag},
        )
        for tag, column in zip(names, truth.T, strict=True)
        if column.min() == column.max()
    ]
    if len(one_sided) == len(names):
        raise FineTuneError(
            "No tag is on some clips and missing on others, so there is nothing to learn. Add clips without the tag.",
            code="finetuning.nothing_to_learn",
        )
    return Labelling(truth.astype(np.uint8), names, codes, tuple(map(str, recording_names)), tuple(one_sided))


def choose_folds(material: Material, probes: Sequence[ProbeReport], n_folds: int, seed: int) -> np.ndarray:
    """The fold that tests each clip, int (n_clips,): of the draws that a probe used, else of its own, the most complete.

    A training takes one draw only, so the one from whose training sides the most tags can be learned.
    """
    from mirdemo.scoring.folds import content_folds, most_complete

    for probed in probes:
        if probed.folds is not None and probed.folds.shape[-1] == len(material.labels):
            return most_complete(probed.folds, material.labels)
    keys = [clip.sha256 for clip in material.clips]
    n_folds = min(n_folds, len(material.recording_names))
    draws = [content_folds(material.recordings, keys, n_folds, draw) for draw in range(seed, seed + _DRAWS)]
    return most_complete(draws, material.labels)


def best_probe(probes: Sequence[ProbeReport], material: Material, identity: Identity) -> ProbeReport:
    """The probe to beat: of those that were made, whitened or not, the one with the highest macro ROC-AUC.

    Raises FineTuneError unless each was live, of this backbone and on these clips.
    """
    for probed in probes:
        check_probe(probed, material, identity)
    return max(probes, key=lambda probed: probed.macro.figures.roc_auc.value or 0.0)


def check_probe(probed: ProbeReport, material: Material, identity: Identity) -> None:
    """Raise FineTuneError unless the probe was live, of this backbone and on these clips."""
    own = probed.identity
    same_backbone = own is None or own["fingerprint"] == identity.fingerprint
    names = np.array(material.recording_names)[material.recordings]
    if not (
        same_backbone
        and probed.protocol == "live"
        and probed.tag_names == material.tags
        and np.array_equal(probed.labels, material.labels)
        and np.array_equal(probed.recordings, names)
    ):
        raise FineTuneError(
            "The probe to compare with is of other clips or another backbone. Probe these clips with this backbone.",
            code="finetuning.other_probe",
        )
