"""What takes a moment: how the tagger grows with more recordings, and which layer of which backbone hears best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mirdemo.backbones.registry import specs
from mirdemo.backbones.spec import BackboneError
from mirdemo.base.progress import Progress
from mirdemo.web.models import SHELF, Memory, embed_here, learn
from mirdemo.web.tagging import Answer, Built, layers_of

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.stages.fewshot import Candidate, CurveSoFar, LayerChoice, LearningCurve, Suggestion

#: The kind of work of comparing settings whose clips are heard (``embedding.pace``).
COMPARING = "comparing layers"
#: Clips suggested to be labelled next.
SUGGESTIONS = 5


class Setting(NamedTuple):
    """How one listens: a backbone, one of its layers, and whether whitened."""

    backbone: str
    layer: str
    whitened: bool


@dataclass(frozen=True, eq=False)
class Curve:
    """The learning curve of prototypes."""

    built: Built
    report: LearningCurve


@dataclass(frozen=True, eq=False)
class CurveDraft:
    """A learning curve that is being measured, or was stopped half way."""

    built: Built
    so_far: CurveSoFar


@dataclass(frozen=True, eq=False)
class LayersDraft:
    """A comparison of layers under way, or stopped half way: those scored so far, in the order they came, of ``settings``."""

    clips: LabelledClips
    candidates: tuple[Candidate, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers compared on a support set: candidates are named by ``Setting``. missing: backbones that cannot be used."""

    clips: LabelledClips
    choice: LayerChoice
    missing: tuple[str, ...]

    @property
    def any_good(self) -> bool:
        """Whether the best one's macro-F1 exceeds that of giving every tag to every clip."""
        best = self.choice[self.choice.best].score
        return (best.macro_f1.value or 0.0) > best.chance_macro_f1


def curve_size(built: Built) -> float:
    """What the time of a learning curve grows with: numbers in the rows of all clips, once for each tag."""
    return float(built.rows.size * len(built.clips.tags))


def comparing_size(settings: Sized, clips: LabelledClips) -> float:
    """What the time of comparing grows with: settings, each with all clips."""
    return float(len(settings) * len(clips))


def measure_curve(
    built: Built, progress: Progress, told: Callable[[CurveDraft], None] | None = None
) -> Curve:
    """told: the points so far. Raises FewShotError where no tag has two recordings; ``progress`` may raise Cancelled."""
    from mirdemo.stages.fewshot import learning_curve

    clips = built.clips
    interim = None if told is None else lambda so_far: told(CurveDraft(built, so_far))
    report = learning_curve(
        built.rows, clips.labels, clips.groups, tags=clips.tags, progress=progress, interim=interim
    )
    return Curve(built, report)


def measure_layers(
    clips: LabelledClips,
    settings: Sequence[Setting],
    memory: Memory,
    progress: Progress,
    told: Callable[[LayersDraft], None] | None = None,
) -> Layers:
    """Score every setting by leaving each recording out of the support set; no query is looked at.

    A backbone's settings are scored as soon as it has heard the clips, before the next one hears them. An embedded backbone
    that cannot be loaded here is left out and named. told: what is scored so far, one setting after another
    Raises FewShotError for clips of one recording only; ``progress`` may raise Cancelled.
    """
    from mirdemo.embedding.whitening import whitening_for
    from mirdemo.stages.fewshot import Comparing

    comparing = Comparing(len(clips), clips.labels, clips.groups, tags=clips.tags)
    missing, scoring = [], 0.0
    for backbone in dict.fromkeys(setting.backbone for setting in settings):
        mine = [setting for setting in settings if setting.backbone == backbone]
        try:
            identity = SHELF.take(backbone, progress).identity
            plain = embed_here(clips.clips, backbone, memory, progress)
        except BackboneError:
            missing.append(backbone)
            continue
        whitening = whitening_for(identity) if any(setting.whitened for setting in mine) else None
        white = whitening.apply(plain) if whitening is not None else None
        for setting in mine:
            heard = white if setting.whitened else plain
            if heard is None:
                continue
            progress(len(comparing.candidates), len(settings), "layers")
            scoring += comparing.score(setting, heard.matrix(setting.layer)).seconds
            if told is not None:
                told(LayersDraft(clips, comparing.candidates, tuple(settings)))
    progress(len(settings), len(settings), "layers")
    began = time.monotonic()
    choice = comparing.choice()
    learn(COMPARING, comparing_size(choice.candidates, clips), scoring + time.monotonic() - began)
    return Layers(clips, choice, tuple(missing))


def candidates(chosen: str, whitening: Mapping[str, bool]) -> list[Setting]:
    """Every layer of the chosen backbone and of the embedded ones, plain and, where there is one, with whitening.

    A chosen one that is not embedded comes last: it may take minutes where the others take seconds.
    whitening: backbone -> whether it has one
    """
    embedded = [name for name, spec in specs().items() if spec.embedded]
    backbones = dict.fromkeys([chosen, *embedded] if chosen in embedded else [*embedded, chosen])
    return [
        Setting(backbone, layer, whitened)
        for backbone in backbones
        for whitened in ((False, True) if whitening.get(backbone) else (False,))
        for layer in layers_of(backbone)
    ]


@dataclass(frozen=True, eq=False)
class Waiting:
    """A clip worth labelling: of the support set (``row``) or a query (``answer``), and what it hesitates between."""

    suggestion: Suggestion
    row: int | None
    answer: Answer | None


def to_label_next(built: Built, answers: Sequence[Answer]) -> list[Waiting]:
    """Of the clips without tags and the queries, those whose tags would teach most, the most doubtful first."""
    from mirdemo.stages.fewshot import label_next

    untagged = np.flatnonzero(~built.clips.labels.any(axis=1)).tolist()
    asked = [one for one in answers if one.built is built]
    if not untagged and not asked:
        return []
    rows = np.vstack([built.rows[untagged], *(one.row[None] for one in asked)])
    recordings = [f"clip {built.clips.recordings[i]}" for i in untagged] + [
        f"query {i}" for i in range(len(asked))
    ]
    found = []
    for one in label_next(built.asking, rows, recordings, count=SUGGESTIONS):
        inside = one.row < len(untagged)
        found.append(
            Waiting(
                one,
                untagged[one.row] if inside else None,
                None if inside else asked[one.row - len(untagged)],
            )
        )
    return found
