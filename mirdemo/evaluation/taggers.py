"""A tagger on recordings of one's own that are labelled: by a sheet, or by the folders that they lie in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from pathlib import Path, PurePath, PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.clips.gathering import Finder, encoding_note, read_labels, spans_of
from mirdemo.clips.limits import CLIP_LIMITS, ClipsError
from mirdemo.clips.recordings import by_name
from mirdemo.clips.segments import pieces
from mirdemo.clips.tags import same
from mirdemo.evaluation.errors import EvaluationError
from mirdemo.sound.audio import display_name

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.clips.sheets import Row
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.fewshot.scoring import Score
    from mirdemo.tagger import Tagger


@dataclass(frozen=True)
class Labelled:
    """A recording, or a span of one, with what is in it.

    start, end: seconds, None for the whole; recording, session: "" where not said
    """

    file: str
    tags: tuple[str, ...]
    recording: str = ""
    session: str = ""
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class TaggerReport:
    """How good a tagger is on labelled recordings.

    score: figures with intervals over recordings (sessions, where the sheet names them), of the tagger's tags that occur
    absent: its tags that no recording has; foreign: labels that it does not know, with how many recordings have them
    unknown: recordings that it left without an answer; failed: that could not be read; incomplete: that lack a part
    """

    score: Score
    absent: tuple[str, ...]
    foreign: dict[str, int]
    unknown: int
    failed: int
    incomplete: int


def by_folders(files: Sequence[str], named: Iterable[str]) -> list[Labelled]:
    """Labels by the names of folders: those between a file and the folder that was named; of a file that was named itself, or
    by a pattern, the one that it lies in. A file directly in the folder that was named has none of the tags."""
    folders = [Path(one).expanduser() for one in named]
    folders = sorted((one for one in folders if one.is_dir()), key=lambda one: -len(one.parts))
    found = []
    for file in files:
        path = PurePath(file)
        above = next((one for one in folders if path.is_relative_to(one)), None)
        if above is not None:
            names = path.relative_to(above).parent.parts
        else:
            names = (Path(file).absolute().parent.name,)
        found.append(Labelled(file, tuple(name for name in names if name)))
    return found


def by_sheet(
    sheet: str | os.PathLike[str], files: Sequence[str], tell: Callable[[Sentence], None]
) -> list[Labelled]:
    """Labels by a sheet (``file,tags`` and, where wanted, ``recording``, ``session``, ``start``, ``end``) or an annotation
    file, found by the longest common end of paths. Several rows of one file are read as labelled clips are: their tags are
    together where they are about the whole of it, else they cut it into pieces, each with all tags that hold there.
    tell: told of names that are not there, and of files that it does not name. Raises ClipsError if it cannot be used."""
    name = display_name(Path(sheet).name)
    try:
        with Path(sheet).expanduser().open("rb") as stream:
            data = stream.read(CLIP_LIMITS.max_sheet_bytes + 1)
    except OSError:
        raise ClipsError(
            "{name} cannot be found. Choose a file that exists.", code="clips.missing", name=name
        ) from None
    paths = [PurePosixPath(file.replace("\\", "/")) for file in files]
    read = read_labels(data, name, CLIP_LIMITS, [part for path in paths for part in path.parts])
    for note in encoding_note(read, name):
        tell(note)
    finder = Finder(paths)
    rows_of: dict[int, list[Row]] = {}
    spans: dict[int, list[tuple[float, float, tuple[str, ...]]]] = {}
    for row in read.rows:
        try:
            at = finder.find(row.file)
            spans.setdefault(at, []).extend(spans_of([row], CLIP_LIMITS))
            rows_of.setdefault(at, []).append(row)
        except ClipsError as error:
            tell(error.sentence)
    found = [one for at, its in rows_of.items() for one in _parts(files[at], its, spans[at])]
    if len(spans) < len(files):
        tell(
            Sentence(
                "Sound files left out because the sheet does not name them: {count}.",
                "clips.not_in_sheet",
                {"count": len(files) - len(spans)},
            )
        )
    return found


def _parts(
    file: str, rows: Sequence[Row], spans: Sequence[tuple[float, float, tuple[str, ...]]]
) -> list[Labelled]:
    recording = next((row.recording for row in rows if row.recording), "")
    session = next((row.session for row in rows if row.session), "")
    if all(row.start is None for row in rows):
        tags = tuple({same(tag): tag for _, _, tags in spans for tag in tags}.values())
        return [Labelled(file, tags, recording, session)]
    cut = [(piece.start, piece.end, piece.labels) for piece in pieces(spans, inf)]
    cut += [span for span in spans if span[0] == span[1]]  # of a moment: refused when it is cut
    return [
        Labelled(file, tags, recording, session, start, None if end == inf else end)
        for start, end, tags in cut
    ]


def evaluate_tagger(
    labelled: Sequence[Labelled],
    tagger: Tagger,
    *,
    backbone: Backbone | None = None,
    track: int | None = None,
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] | None = None,
) -> TaggerReport:
    """Tag labelled recordings, each as a whole, and compare.

    Tags are the same where case and width alone differ. A recording without a tag that the tagger knows counts as one
    without all of them; so does an answer "unknown". Memory grows by scores and labels alone.
    progress: told (recordings done, in all, ``"tagging"``); tell: told each file's problem and warnings
    Raises EvaluationError where nothing could be read, or no recording has any of the tagger's tags.
    """
    from mirdemo.embedding.streaming import file_size
    from mirdemo.sound.audio import load_clip, of_file
    from mirdemo.stages.fewshot.scoring import score
    from mirdemo.tagger.archive import tagged

    progress, tell = progress or silent, tell or (lambda _: None)
    column = {same(tag): at for at, tag in enumerate(tagger.tags)}

    one_at_a_time, whole = Lock(), lru_cache(maxsize=1)(load_clip)

    def read(one: Labelled) -> Clip:
        if one.start is None and one.end is None:
            return load_clip(one.file, track=track)
        with one_at_a_time:  # the pieces of a file follow one another, and are asked for by several threads
            clip = whole(one.file, track=track)
        return clip.cut(one.start or 0.0, clip.seconds if one.end is None else one.end)

    answers = tagged(labelled, read, tagger, backbone=backbone, size=lambda one: file_size(one.file))
    kept: list[Labelled] = []
    said: list[np.ndarray] = []
    scores: list[tuple[float, ...]] = []
    failed = incomplete = unknown = 0
    progress(0, len(labelled), "tagging")
    for done, one in enumerate(answers, start=1):
        progress(done, len(labelled), "tagging")
        if isinstance(one.clip, Sentence):
            failed += 1
            tell(one.clip)
            continue
        for warning in one.clip.warnings:
            tell(of_file(one.clip.name, warning))
        incomplete += one.clip.incomplete
        unknown += one.unknown
        kept.append(one.source)
        given = np.zeros(len(tagger.tags), np.uint8)
        given[[tagger.tags.index(tag) for tag in one.given]] = 1
        said.append(given)
        scores.append(one.scores)
    labels = np.zeros((len(kept), len(tagger.tags)), np.uint8)
    foreign: dict[str, int] = {}
    for row, source in enumerate(kept):
        for tag in source.tags:
            if (at := column.get(same(tag))) is not None:
                labels[row, at] = 1
            else:
                foreign[tag] = foreign.get(tag, 0) + 1
    there = np.flatnonzero(labels.any(axis=0))
    if not len(there):
        raise EvaluationError(
            "None of these recordings has a tag of this tagger ({tags}). Name them as it does: by folders, or in a sheet (--labels SHEET).",
            code="evaluation.no_common_tag",
            tags=", ".join(tagger.tags[:10]),
        )
    names = [tagger.tags[at] for at in there]
    found = score(
        labels[:, there], np.array(said)[:, there], _groups(kept), names, np.array(scores)[:, there]
    )
    absent = tuple(tag for at, tag in enumerate(tagger.tags) if at not in set(there.tolist()))
    return TaggerReport(found, absent, foreign, unknown, failed, incomplete)


def _groups(kept: Sequence[Labelled]) -> list[str]:
    """What is kept together in intervals: sessions where they are named, else recordings, else what the names say."""
    named = by_name([Path(one.file).name for one in kept]).recordings
    whole: dict[str, str] = {}
    return [
        f"s {one.session}"
        if one.session
        else f"r {one.recording}"
        if one.recording
        else whole.setdefault(one.file, f"n {Path(one.file).parent} {name}")
        for one, name in zip(kept, named, strict=True)
    ]
