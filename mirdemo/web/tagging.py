"""From labelled clips to prototypes, and from a query to an answer that can be shown: for the tab and the endpoints."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.clips.segments import Segment, over_windows, runs
from mirdemo.web.hearing import listened
from mirdemo.web.models import SHELF, Memory, embed_here, whitening_of

if TYPE_CHECKING:
    from mirdemo.base.sentences import Sentence
    from mirdemo.clips import LabelledClips
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.fewshot import LayerChoice, LCPrototypes, Score, SelfCheck


#: A tag that holds for less than this share of a query in which the tags change is not one of the query's.
BRIEF = 1 / 8


@dataclass(frozen=True, eq=False)
class Built:
    """Prototypes made from labelled clips.

    clips: the support set they were made from
    backbone, layer: names; ``layer`` may be ``"mean"``; whitening: applied to support set and queries, None for none
    embeddings: of the support set, before whitening; rows: what the prototypes are means of, float32 (n_clips, size)
    asking: prototypes of the tagged clips alone, to ask about the clips without tags
    check: the support set tagged without each clip's own recording; None where all are from one recording or nobody asked
    choice: the comparison that this way of listening was chosen by, None where it was not chosen by looking
    seconds: of embedding and building from nothing, whatever was embedded already
    """

    clips: LabelledClips
    backbone: str
    layer: str
    whitening: Whitening | None
    embeddings: Embeddings
    rows: np.ndarray
    prototypes: LCPrototypes
    asking: LCPrototypes
    check: SelfCheck | None
    seconds: float
    choice: LayerChoice | None = None

    @property
    def score(self) -> Score | None:
        """What to expect of these prototypes: of the choice, where they were chosen by looking. None as ``check``."""
        if self.check is None:
            return None
        return self.check.score if self.choice is None else self.choice.chosen

    @property
    def strange(self) -> Sentence | None:
        """What to say where the support set is unlike the sound that the whitening was fitted on."""
        return None if self.whitening is None else self.whitening.strange(self.embeddings, self.layer)

    @property
    def label_sets(self) -> int:
        return len(self.prototypes.label_sets)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the prototypes say about one query.

    nearest_tags: those of the nearest prototype; tags: given to it; none where it is unknown or like the clips without tags
    unknown: too far from every prototype; threshold: the farthest distance that still gets tags, None if not known
    distance: of the nearest prototype; margin: how much farther the next one is, runner_up: its tags
    row: the query as the prototypes see it, float32 (size,)
    per_tag: for every tag of the support set, the distance of the nearest prototype that carries it, nearest first
    nearest: rows of the support set behind the winning prototype with their own distances, nearest first
    starts: seconds (n_windows,), where each window begins; window_seconds: its length
    labels: uint8 (n_windows, n_tags), what each window by itself would get; unknown_windows: bool (n_windows,)
    """

    clip: Clip
    built: Built
    nearest_tags: tuple[str, ...]
    tags: tuple[str, ...]
    unknown: bool
    threshold: float | None
    distance: float
    margin: float
    runner_up: tuple[str, ...] | None
    per_tag: tuple[tuple[str, float], ...]
    nearest: tuple[tuple[int, float], ...]
    starts: np.ndarray
    window_seconds: float
    labels: np.ndarray
    unknown_windows: np.ndarray
    row: np.ndarray

    @property
    def changes(self) -> bool:
        """Whether different windows get different tags, in a query of three windows or more."""
        sure = self.labels[~self.unknown_windows]
        return len(self.starts) > 2 and len(np.unique(sure, axis=0)) > 1

    @property
    def given(self) -> tuple[str, ...]:
        """The tags to show for the whole query: where it changes, those of its parts that last an eighth of it or more.

        The mean over a procession resembles none of the players that go by.
        """
        if self.unknown or not self.changes:
            return self.tags
        share = self.labels[~self.unknown_windows].sum(axis=0) / len(self.starts)
        return tuple(
            tag for tag, part in zip(self.built.prototypes.tags, share, strict=True) if part >= BRIEF
        )


def layers_of(backbone: str) -> tuple[str, ...]:
    """Layers to choose from, the mean over them first where there are several of one size."""
    layers = spec(backbone).layers
    names = tuple(layer.name for layer in layers)
    return ("mean", *names) if len(names) > 1 and len({layer.size for layer in layers}) == 1 else names


def usual_layer(backbone: str) -> str:
    """Where to begin: the mean over layers, as published; the backbone's usual one where sizes differ."""
    return "mean" if layers_of(backbone)[0] == "mean" else spec(backbone).first_layer


def build(
    clips: LabelledClips,
    backbone: str,
    layer: str,
    memory: Memory,
    progress: Progress,
    *,
    whitened: bool = False,
    checked: bool = True,
    choice: LayerChoice | None = None,
) -> Built:
    """Prototypes of labelled clips, and how well each recording is tagged by the others.

    whitened: with the backbone's whitening; checked: False to leave that check out
    choice: the comparison on these clips that all this was chosen by, if any
    Raises FewShotError, EmbeddingError, BackboneError, or PageError where there is no whitening.
    """
    loaded = SHELF.take(backbone, progress)  # loading is not part of what is timed
    whitening = whitening_of(backbone, loaded.identity) if whitened else None
    embeddings = embed_here(clips.clips, backbone, memory, progress)
    listened(clips, memory, progress)
    began = time.monotonic()
    progress(0, 0, "building")
    built = built_of(clips, backbone, layer, whitening, embeddings, choice=choice)
    check = _check(built.rows, clips) if checked else None
    seconds = memory.from_nothing(loaded, clips.clips) + time.monotonic() - began
    return replace(built, check=check, seconds=seconds)


def built_of(
    clips: LabelledClips,
    backbone: str,
    layer: str,
    whitening: Whitening | None,
    embeddings: Embeddings,
    *,
    check: SelfCheck | None = None,
    seconds: float = 0.0,
    choice: LayerChoice | None = None,
) -> Built:
    """Prototypes of clips that were embedded before. Raises FewShotError or EmbeddingError."""
    from mirdemo.stages.fewshot import LCPrototypes

    rows = heard(embeddings, whitening).matrix(layer)
    prototypes = LCPrototypes().fit(rows, clips.labels, clips.groups, clips.tags)
    tagged = clips.labels.any(axis=1)
    asking = prototypes
    if not tagged.all():
        asking = LCPrototypes().fit(
            rows[tagged], clips.labels[tagged], np.asarray(clips.groups)[tagged], clips.tags
        )
    return Built(
        clips, backbone, layer, whitening, embeddings, rows, prototypes, asking, check, seconds, choice
    )


def heard(embeddings: Embeddings, whitening: Whitening | None) -> Embeddings:
    """Embeddings as prototypes see them, whitened where they are."""
    return embeddings if whitening is None else whitening.apply(embeddings)


def _check(rows: np.ndarray, clips: LabelledClips) -> SelfCheck | None:
    from mirdemo.stages.fewshot import LCPrototypes, leave_recordings_out

    if len(set(clips.groups)) < 2:
        return None
    return leave_recordings_out(rows, clips.labels, clips.groups, LCPrototypes, tags=clips.tags)


def answer(built: Built, query: Clip, memory: Memory, progress: Progress) -> Answer:
    """What the prototypes say about a query. Raises EmbeddingError or BackboneError."""
    embeddings = heard(embed_here([query], built.backbone, memory, progress), built.whitening)
    progress(0, 0, "tagging")
    prototypes, whole = built.prototypes, embeddings.matrix(built.layer)
    why = prototypes.explain(whole[0])
    windows = prototypes.decide(windows_of(embeddings, built.layer))
    return Answer(
        clip=query,
        built=built,
        nearest_tags=why.tags,
        tags=() if why.unknown else why.tags,
        unknown=why.unknown,
        threshold=why.threshold,
        distance=why.distance,
        margin=why.margin,
        runner_up=why.runner_up,
        per_tag=_per_tag(prototypes, whole),
        nearest=tuple((one.row, one.distance) for one in why.supporting),
        starts=embeddings.window_starts(0),
        window_seconds=min(embeddings.window_seconds, query.seconds),
        labels=windows.labels,
        unknown_windows=windows.unknown,
        row=whole[0],
    )


def windows_of(embeddings: Embeddings, layer: str, i: int = 0) -> np.ndarray:
    """Clip i's windows in one layer, float32 (n_windows, size)."""
    by_layer = embeddings.windows(i)
    return np.mean(list(by_layer.values()), axis=0) if layer == "mean" else by_layer[layer]


def _per_tag(prototypes: LCPrototypes, query: np.ndarray) -> tuple[tuple[str, float], ...]:
    from mirdemo.stages.fewshot.nearest import NearestPrototype

    size = float(np.linalg.norm(prototypes.embeddings, axis=1).max())
    distances = NearestPrototype(prototypes.prototypes, prototypes.distance, size).distances(
        np.asarray(query, np.float64)
    )[0]
    has = prototypes.label_sets.astype(bool)
    found = [(tag, float(distances[has[:, i]].min())) for i, tag in enumerate(prototypes.tags)]
    return tuple(sorted(found, key=lambda one: one[1]))


def spans(answer: Answer, chosen: np.ndarray) -> list[tuple[float, float]]:
    """Where chosen windows are, bool (n_windows,), as (start, end) in seconds, neighbours joined."""
    return runs(answer.starts.tolist(), answer.window_seconds, answer.clip.seconds, chosen.tolist())


def over_time(answer: Answer) -> list[Segment]:
    """An answer's tags over time, as segments that annotation files can hold."""
    tags = answer.built.prototypes.tags
    return over_windows(
        answer.starts.tolist(), answer.window_seconds, answer.clip.seconds, answer.labels.tolist(), tags
    )
