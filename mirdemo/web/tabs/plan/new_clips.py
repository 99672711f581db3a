"""Recordings that nobody has labelled: read for a panel, and tagged by what was measured here, trained on all labelled clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.planning.of_reports import given
from mirdemo.planning.panel import middle
from mirdemo.planning.panel.drawing import MOST
from mirdemo.planning.ways import AS_IT_IS, FEW_SHOT, FINE_TUNE
from mirdemo.web import tagging
from mirdemo.web.frame.errors import PageError
from mirdemo.web.models import SHELF, Memory, embed_here, whitening_of
from mirdemo.web.tabs.clips.reading import read_uploads

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips
    from mirdemo.sound.audio import Clip
    from mirdemo.web.frame.uploads import Upload
    from mirdemo.web.tabs.finetune.running import Result as Tuned
    from mirdemo.web.tabs.probe.running import Run
    from mirdemo.web.tagging import Built


@dataclass(frozen=True, eq=False)
class New:
    """clips: what is heard of them, each sound once; recordings: (n,) as their files' names tell"""

    clips: tuple[Clip, ...] = ()
    recordings: tuple[str, ...] = ()


def read_new(
    uploads: list[Upload], before: New, labelled: LabelledClips, progress: Progress
) -> tuple[New, tuple[tuple[str, Sentence], ...]]:
    """With the recordings in the files, and what is to be said about each that cannot be taken.

    Of a longer one its middle is heard. One that is among the labelled clips is none that the tagger has not heard.
    """
    from mirdemo.clips import LabelledClips

    read = read_uploads(uploads, "", progress)
    if not isinstance(read, LabelledClips):
        raise PageError(
            "This is a saved visit, no recordings. Open it on the tab of the clips.",
            code="panel.new_is_visit",
        )
    known = {clip.sha256 for clip in labelled.clips}
    notes = [("", problem) for problem in read.problems if problem.code != "clips.grouped_by_name"]
    found = {c.sha256: (c, r) for c, r in zip(before.clips, before.recordings, strict=True)}
    for clip, recording in zip(read.clips, read.recordings, strict=True):
        heard = middle(clip)
        if known & {clip.sha256, heard.sha256}:
            notes.append(
                (
                    clip.name,
                    Sentence("This is one of your labelled clips, so it was left out.", "panel.new_known"),
                )
            )
        elif len(found) >= MOST and heard.sha256 not in found:
            notes.append(
                (
                    clip.name,
                    Sentence(
                        "A panel has at most {most} clips; this one was left out.",
                        "panel.new_many",
                        {"most": MOST},
                    ),
                )
            )
        else:
            found[heard.sha256] = heard, recording
    return New(tuple(c for c, _ in found.values()), tuple(r for _, r in found.values())), tuple(notes)


def said_of(
    keys: Sequence[str],
    found: tuple,
    labelled: LabelledClips,
    new: Sequence[Clip],
    memory: Memory,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """What each way says of new clips: key -> 0/1 (n_new, n_tags), tags in the order of ``labelled``.

    found: as ``gathering.sources`` says. A clip that a way knows nothing like gets no tags from it.
    Raises BackboneError, EmbeddingError, ProbeError or PageError.
    """
    probed, built, _, tuned = found
    ways: dict[str, np.ndarray] = {}
    for key in keys:
        kind, _, name = key.partition(":")
        if kind == FEW_SHOT and built is not None:
            ways[key] = _by_examples(built, new, memory, progress)
        elif kind == FINE_TUNE and tuned is not None:
            ways[key] = _by_tuning(tuned, labelled.tags, new, progress)
        elif kind == AS_IT_IS and probed is not None:
            run = next(run for run in probed.runs if run.key == name)
            ways[key] = _by_probe(run, labelled, new, memory, progress)
    return ways


def _by_examples(built: Built, new: Sequence[Clip], memory: Memory, progress: Progress) -> np.ndarray:
    rows = tagging.heard(embed_here(new, built.backbone, memory, progress), built.whitening).matrix(
        built.layer
    )
    decided = built.prototypes.decide(rows)
    return decided.labels * ~decided.unknown[:, None]


def _by_probe(
    run: Run, labelled: LabelledClips, new: Sequence[Clip], memory: Memory, progress: Progress
) -> np.ndarray:
    from mirdemo.stages.probing import apply_probe

    loaded = SHELF.take(run.backbone, progress)
    whitening = whitening_of(run.backbone, loaded.identity) if run.report.whitening is not None else None
    learned, heard = (embed_here(clips, run.backbone, memory, progress) for clips in (labelled.clips, new))
    return given(apply_probe(run.report, learned, heard, whitening))


def _by_tuning(tuned: Tuned, tags: Sequence[str], new: Sequence[Clip], progress: Progress) -> np.ndarray:
    from mirdemo.web.tabs.finetune.taking_home import made

    tagger, backbone = made(tuned, None), SHELF.take(tuned.wanted.backbone, progress)
    out = np.zeros((len(new), len(tags)), np.uint8)
    columns = [list(tags).index(tag) for tag in tagger.tags]
    for row, clip in enumerate(new):
        progress(row, len(new), "tagging")
        decided = tagger.decide(clip, backbone=backbone)
        out[row, columns] = decided.given[0] * (not decided.unknown[0])
    return out
