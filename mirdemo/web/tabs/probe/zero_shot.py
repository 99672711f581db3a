"""Zero-shot: what a backbone with a joint audio-text space says to the words themselves, without any example.

A clip's place in the space is the mean over its windows; a tag's score is the cosine between it and the tag's prompt.
Nothing is trained, so every clip is scored and no folds are needed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.scoring.intervals import Interval, estimate
from mirdemo.scoring.metrics import roc_auc_influence
from mirdemo.web.models import PACE, SHELF, Memory, embed_here, expected, learn
from mirdemo.web.tabs.probe.running import Asked

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.web.frame.session import Visitor

#: The layer that holds a clip's place in the joint space.
JOINT = "joint"


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """Scores and figures of the prompts.

    vocabulary: ``prompts.OWN``, or the corpus whose words were asked for
    prompts: tag -> prompt; cosine: float (n_clips, n_tags), None for a sick backbone, whose scores mean nothing
    matches: tag -> the visitor's tag of the same meaning, for those that have one
    figures: ROC-AUC of the tags that have one; macro: the mean over them, None where there is none
    sick: what the health check found, None if it passed
    """

    asked: Asked
    backbone: str
    vocabulary: str
    prompts: Mapping[str, str]
    cosine: np.ndarray | None
    matches: Mapping[str, str]
    figures: Mapping[str, Interval]
    macro: Interval | None
    sick: Sentence | None

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.prompts)


@dataclass(frozen=True)
class Question:
    """What to ask for. vocabulary, prompts, matches: as in ``ZeroShot``"""

    vocabulary: str
    prompts: Mapping[str, str]
    matches: Mapping[str, str]


def reading(backbone: str) -> str:
    """The kind of work (``embedding.pace``) whose unit is a prompt that the backbone reads."""
    return f"prompts {backbone}"


def expected_answer(visitor: Visitor, question: Question) -> float | None:
    """Seconds until ``ask`` has answered, begun now; None where something of it was never timed here."""
    backbone = visitor.backbone
    hearing = expected(backbone, visitor.clips.clips, visitor.memory)
    words = PACE.expected(reading(backbone), len(question.prompts))
    return None if hearing is None or words is None else hearing + words


def ask(
    clips: LabelledClips, backbone: str, question: Question, memory: Memory, progress: Progress
) -> ZeroShot:
    """Score every clip against each tag's prompt. Raises BackboneError or EmbeddingError; may be cancelled."""
    asked, loaded = Asked.of(clips), SHELF.take(backbone, progress)
    of = (asked, backbone, question.vocabulary, dict(question.prompts))
    if loaded.health is not None and not loaded.health.ok:
        return ZeroShot(*of, None, {}, {}, None, loaded.health.reason(loaded.spec.title))
    places = embed_here(clips.clips, backbone, memory, progress).matrix(JOINT)
    progress(0, 0, "prompts")
    began = time.monotonic()
    words = loaded.text(list(question.prompts.values())).float().cpu().numpy()
    learn(reading(backbone), len(question.prompts), time.monotonic() - began)
    cosine = _unit(places) @ _unit(words).T
    figures, macro = _figures(asked, tuple(question.prompts), cosine, question.matches)
    return ZeroShot(*of, cosine, dict(question.matches), figures, macro, None)


def _figures(
    asked: Asked, tags: tuple[str, ...], cosine: np.ndarray, matches: Mapping[str, str]
) -> tuple[dict[str, Interval], Interval | None]:
    """ROC-AUC of the tags that the visitor's own labels can judge, and their mean."""
    judged = [tag for tag in tags if tag in matches]
    if not judged:
        return {}, None
    truth = asked.labels.T[[asked.tags.index(matches[tag]) for tag in judged]]
    scores = cosine.T[[tags.index(tag) for tag in judged]]
    found = estimate(*roc_auc_influence(truth, scores), truth, asked.counted or asked.recordings, pairs=True)
    intervals = found.intervals()
    return {tag: intervals.at(k) for k, tag in enumerate(judged)}, found.macro().intervals().at()


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
