"""Zero-shot: what a backbone with a joint audio-text space says to the words themselves, without any example.

A clip's place in the space is the mean over its windows; a tag's score is the cosine between it and the tag's prompt.
Nothing is trained, so every clip is scored and no folds are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.intervals import Interval, estimate
from mirdemo.metrics import roc_auc_influence
from mirdemo.progress import Progress
from mirdemo.sentences import Sentence
from mirdemo.web.errors import PageError
from mirdemo.web.models import SHELF, Memory, embed_here
from mirdemo.web.probe.running import Asked

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips

#: Where a tag's own word stands in a prompt.
PLACE = "{tag}"
TEMPLATE = "the sound of {tag}"
#: The layer that holds a clip's place in the joint space.
JOINT = "joint"


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """Scores and figures of the prompts.

    prompts: tag -> prompt; cosine: float (n_clips, n_tags), None for a sick backbone, whose scores mean nothing
    figures: tag -> ROC-AUC; macro: the mean over tags, both None for a sick backbone
    sick: what the health check found, None if it passed
    """

    asked: Asked
    backbone: str
    prompts: Mapping[str, str]
    cosine: np.ndarray | None
    figures: Mapping[str, Interval] | None
    macro: Interval | None
    sick: Sentence | None


def checked_template(text: str) -> str:
    """A template with its place for the tag. Raises PageError without one."""
    if PLACE not in text:
        raise PageError(
            "The prompt needs the word {place} where each tag should stand.",
            code="probe.no_place",
            place=PLACE,
        )
    return text


def ask(
    clips: LabelledClips, backbone: str, prompts: Mapping[str, str], memory: Memory, progress: Progress
) -> ZeroShot:
    """Score every clip against each tag's prompt. Raises BackboneError or EmbeddingError; may be cancelled."""
    asked, loaded = Asked.of(clips), SHELF.take(backbone, progress)
    if loaded.health is not None and not loaded.health.ok:
        sick = loaded.health.reason(loaded.spec.title)
        return ZeroShot(asked, backbone, dict(prompts), None, None, None, sick)
    places = embed_here(clips.clips, backbone, memory, progress).matrix(JOINT)
    progress(0, 0, "prompts")
    words = loaded.text([prompts[tag] for tag in asked.tags]).float().cpu().numpy()
    cosine = _unit(places) @ _unit(words).T
    truth = asked.labels.T
    found = estimate(*roc_auc_influence(truth, cosine.T), truth, asked.recordings, pairs=True)
    intervals = found.intervals()
    return ZeroShot(
        asked,
        backbone,
        dict(prompts),
        cosine,
        {tag: intervals.at(k) for k, tag in enumerate(asked.tags)},
        found.macro().intervals().at(),
        None,
    )


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
