"""Probing a visitor's clips: what was asked, what each backbone answered, and what would be needed to say more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.backbones.registry import spec
from mirdemo.base.home import home
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips.in_question import InQuestion
from mirdemo.scoring.labelling import same_division
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, TOO_FEW, best_possible, more_for
from mirdemo.stages.probing import Comparison, compare, probe
from mirdemo.web.hearing import listened, refuse_one
from mirdemo.web.models import PACE, SHELF, Memory, embed_here, whitening_of

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.stages.probing import Interim, ProbeReport

#: Backbones side by side.
MOST_RUNS = 4
LIVE, PUBLISHED = "live", "papaioannou2025"
PROTOCOLS = (LIVE, PUBLISHED)


@dataclass(frozen=True, eq=False)
class Asked:
    """Clips and labels as they were when the question was put; without the sound, which goes when a clip is removed.

    clip_ids, names, recordings, counted: (n_clips,), see ``LabelledClips.counted``; labels: uint8 (n_clips, n_tags); tags: (n_tags,)
    groups: (n_clips,) sessions where they are known, else ``recordings``; what folds keep whole
    in_question: whether ``counted`` rests on an open question
    """

    clip_ids: tuple[str, ...]
    names: tuple[str, ...]
    recordings: tuple[str, ...]
    tags: tuple[str, ...]
    labels: np.ndarray
    groups: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    in_question: InQuestion | None = None

    @classmethod
    def of(cls, clips: LabelledClips) -> Asked:
        return cls(
            tuple(clip.sha256 for clip in clips.clips),
            tuple(clip.name for clip in clips.clips),
            tuple(clips.recordings),
            tuple(clips.tags),
            clips.labels,
            tuple(clips.groups),
            tuple(clips.counted),
            InQuestion.of(clips),
        )

    def still_in_question(self, clips: LabelledClips) -> InQuestion | None:
        """What is to be said beside figures of these clips now: nothing once the question is answered."""
        return InQuestion.of(clips) if clips.listened and self.is_about(clips) else self.in_question

    def is_about(self, clips: LabelledClips) -> bool:
        """Whether the labelled clips are still these, counted as the same recordings; what files and recordings are called,
        and whether somebody has said what was only assumed, does not matter. While they are not listened to, what they will be
        counted as is not known, and makes no difference."""
        now = Asked.of(clips)
        if (self.clip_ids, self.tags) != (now.clip_ids, now.tags) or not np.array_equal(
            self.labels, now.labels
        ):
            return False
        if same_division(self.counted or self.recordings, now.counted) and same_division(
            self.groups or self.recordings, now.groups
        ):
            return True
        return not clips.listened and same_division(self.recordings, now.recordings)

    def names_as(self, clips: LabelledClips) -> bool:
        """Whether it ``is_about`` these clips and calls their recordings as they are called now: what is measured of them now
        can be paired with what was measured then."""
        names = self.counted or self.recordings
        return self.is_about(clips) and (names == clips.counted or not clips.listened)


@dataclass(frozen=True)
class Need:
    """How many recordings a tag lacks before it could come out as heard.

    best: the best word it can have until then; then: the next better one, which ``having`` more recordings with a clip
        that has the tag, and ``lacking`` more with one that does not, allow
    """

    tag: str
    best: str
    then: str
    having: int
    lacking: int


def needs(asked: Asked) -> tuple[Need, ...]:
    """The tags that cannot come out as heard with so few recordings, however well the model hears them.

    ``best_possible`` says why: the very interval and test of the probe, for a ranking without an error.
    """
    recordings, found = np.array(asked.groups or asked.recordings), []
    for tag, column in zip(asked.tags, asked.labels.T, strict=True):
        there, absent = (len(np.unique(recordings[column == value])) for value in (1, 0))
        whole = there + absent == len(np.unique(recordings))
        best = best_possible(there, absent, whole)
        then = PARTLY_HEARD if best == TOO_FEW else HEARD
        more = more_for(then, there, absent, whole)
        if best != HEARD and more is not None:
            found.append(Need(tag, best, then, *more))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Run:
    """One backbone's answer.

    backbone: its name in the registry; sick: what its health check found, None if it passed or there is none
    seconds: of embedding and probing from nothing, whatever was embedded already
    """

    backbone: str
    report: ProbeReport
    sick: Sentence | None
    seconds: float

    @property
    def key(self) -> str:
        return run_key(self.backbone, self.report.whitening is not None)


def run_key(backbone: str, whitened: bool) -> str:
    """What tells runs apart."""
    return f"{backbone}+whitening" if whitened else backbone


@dataclass(frozen=True, eq=False)
class Result:
    """Answers of one or more backbones about the same clips, by one protocol.

    differences: (n_runs - 1,), each further run minus the first, recording by recording
    """

    asked: Asked
    runs: tuple[Run, ...]
    differences: tuple[Comparison, ...]

    @classmethod
    def of(cls, asked: Asked, runs: tuple[Run, ...]) -> Result:
        return cls(asked, runs, tuple(compare(run.report, runs[0].report) for run in runs[1:]))

    @property
    def protocol(self) -> str:
        return self.runs[0].report.protocol

    def without(self, key: str) -> Result | None:
        """The result without one run; None if it was the only one."""
        rest = tuple(run for run in self.runs if run.key != key)
        return Result.of(self.asked, rest) if rest else None


@dataclass(frozen=True, eq=False)
class SoFar:
    """What a probe under way has found about ``asked``, by run in the order they answer.

    wanted: (backbone, whitened) each; found: key of a run -> its whole answer, or what is known so far; runs that have
        not begun to answer are missing
    """

    asked: Asked
    wanted: tuple[tuple[str, bool], ...]
    found: Mapping[str, Run | Interim]


def probing(protocol: str) -> str:
    """The kind of work (``embedding.pace``) whose unit is ``probing_size``."""
    return f"probing {protocol}"


def probing_size(backbone: str, clips: int) -> float:
    """What probing's time grows with, embedding aside: about the layers, and the clips to the power of 1.5."""
    return (1 + len(spec(backbone).layers)) * max(clips, 1) ** 1.5


def whitening_offered(backbone: str) -> bool:
    """Whether there is a whitening file for a backbone of this name; loading it may still find that it does not fit."""
    from mirdemo.embedding.whitening import SHIPPED

    return (SHIPPED / f"{backbone}.safetensors").is_file() or any(
        (home() / "whitening").glob(f"{backbone}-{'[0-9a-f]' * 16}.safetensors")  # not one of a longer name
    )


def run(
    clips: LabelledClips,
    backbone: str,
    whitened: bool,
    memory: Memory,
    progress: Progress,
    protocol: str = LIVE,
    interim: Callable[[Interim], None] | None = None,
) -> Run:
    """Embed and probe, by one of ``PROTOCOLS``. interim: told what is known so far.
    Raises BackboneError, EmbeddingError, ProbeError or PageError; may be cancelled."""
    loaded = SHELF.take(backbone, progress)  # loading is not part of what is timed
    whitening = whitening_of(backbone, loaded.identity) if whitened else None
    embeddings = embed_here(clips.clips, backbone, memory, progress)
    refuse_one(listened(clips, memory, progress))
    began = time.monotonic()
    report = probe(
        embeddings,
        clips.labels,
        clips.counted,
        tags=clips.tags,
        groups=clips.groups if clips.sessions else None,
        whitening=whitening,
        protocol=protocol,
        progress=progress,
        interim=interim,
    )
    took = time.monotonic() - began
    PACE.learn(probing(protocol), probing_size(backbone, len(clips)), took)
    sick = loaded.health.reason(loaded.spec.title) if loaded.health is not None else None
    seconds = memory.from_nothing(loaded, clips.clips) + took
    return Run(backbone, report, sick, seconds)


def run_all(
    clips: LabelledClips,
    wanted: tuple[tuple[str, bool], ...],
    memory: Memory,
    progress: Progress,
    kept: tuple[Run, ...] = (),
    protocol: str = LIVE,
    told: Callable[[SoFar], None] | None = None,
) -> Result:
    """Probe with each backbone wanted, beside runs that were made of the same clips by the same protocol before.

    wanted: (backbone, whitened) each; told: what is known so far, whenever there is more of it
    """
    asked, found, runs = Asked.of(listened(clips, memory, progress)), {}, []
    for name, whitened in wanted:

        def tell(news: Run | Interim, key: str = run_key(name, whitened)) -> None:
            found[key] = news
            if told is not None:
                told(SoFar(asked, wanted, dict(found)))

        made = run(clips, name, whitened, memory, progress, protocol, tell)
        tell(made)
        runs.append(made)
    return Result.of(asked, (*kept, *runs))
