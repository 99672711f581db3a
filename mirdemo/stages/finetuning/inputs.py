"""What comes in, looked over: clips, labels, recordings, folds, and the probe to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.labelling import Labelling
from mirdemo.stages.finetuning.errors import FineTuneError

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.probing import ProbeReport

#: Divisions to choose the folds of one training from.
_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Material(Labelling):
    """One set of labelled clips: (n_clips,)."""

    clips: tuple[Clip, ...]


def look_over(
    clips: Any,
    labels: np.ndarray | None,
    recordings: Sequence[str] | None,
    tags: Sequence[str] | None,
    groups: Sequence[str] | None = None,
) -> Material:
    """From ``LabelledClips``, or from clips with labels, recordings and groups beside them.

    Raises LabellingError for what does not fit together, FineTuneError for what cannot be learned.
    """
    if hasattr(clips, "labels"):
        if any(one is not None for one in (labels, recordings, tags, groups)):
            raise FineTuneError(
                "These clips have labels, recordings and tags of their own. Give none beside them, or give a list of clips.",
                code="finetuning.labelled",
            )
        labels, recordings, tags = clips.labels, clips.counted, clips.tags
        groups = clips.groups if clips.sessions else None
        clips = clips.clips
    clips = tuple(clips)
    return Material(
        **vars(learnable(Labelling.of(labels, recordings, tags, groups), len(clips))), clips=clips
    )


def learnable(labelling: Labelling, n_clips: int) -> Labelling:
    """The same, if there is anything in it to learn about so many clips. Raises FineTuneError."""
    if len(labelling) != n_clips:
        raise FineTuneError(
            "There are {clips} clips and {labels} rows of labels. Give each clip one.",
            code="finetuning.differ",
            clips=n_clips,
            labels=len(labelling),
        )
    if len(labelling.group_names) < 2:
        raise FineTuneError(
            "Fine-tuning needs clips from at least two recordings, and there is one (if sessions or performers are "
            "given: from at least two of them). Add clips from others.",
            code="finetuning.one_recording",
        )
    if len(labelling.one_sided) == len(labelling.tags):
        raise FineTuneError(
            "No tag is on some clips and missing on others, so there is nothing to learn. Add clips without the tag.",
            code="finetuning.nothing_to_learn",
        )
    return labelling


def one_sided(labelling: Labelling) -> tuple[Sentence, ...]:
    """What is to be said of the tags that cannot be learned."""
    return tuple(
        Sentence(
            "Every clip says the same of {tag}: it cannot be learned. Add clips with it and without it.",
            "finetuning.one_sided",
            {"tag": tag},
        )
        for tag in labelling.one_sided
    )


def choose_folds(material: Material, probes: Sequence[ProbeReport], n_folds: int, seed: int) -> np.ndarray:
    """The fold that tests each clip, int (n_clips,): of the draws that a probe used, else of its own, the most complete.

    A training takes one draw only, so the one from whose training sides the most tags can be learned.
    """
    from mirdemo.scoring.folds import content_folds, most_complete

    for probed in probes:
        if probed.folds is not None and probed.folds.shape[-1] == len(material.labels):
            return most_complete(probed.folds, material.labels)
    keys = [clip.sha256 for clip in material.clips]
    n_folds = min(n_folds, len(material.group_names))
    draws = [content_folds(material.groups, keys, n_folds, draw) for draw in range(seed, seed + _DRAWS)]
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
