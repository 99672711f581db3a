"""A tagger on recordings of one's own that are labelled: by a sheet, or by the folders that they lie in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from pathlib import Path, PurePath, PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.files import called, expanded
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.clips.counting import Groups, counted, grouped, in_question, said_by_names
from mirdemo.clips.finding import Finder
from mirdemo.clips.gathering import grouped_by_name
from mirdemo.clips.heard import MOST_COMPARED, listen
from mirdemo.clips.in_question import InQuestion
from mirdemo.clips.label_files import notes_on, read_labels, said_of, spans_of
from mirdemo.clips.limits import CLIP_LIMITS, ClipsError
from mirdemo.clips.segments import pieces
from mirdemo.clips.tags import same
from mirdemo.clips.unread import unread
from mirdemo.evaluation.errors import EvaluationError
from mirdemo.sound.audio import display_name

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.clips.recordings import ByName
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
    own: clips that were left out, for the tagger was made from their recordings; tells: whether it tells what it was made from
    in_question: of the others, clips that count as one recording because nobody has said whether they are
    """

    score: Score
    absent: tuple[str, ...]
    foreign: dict[str, int]
    unknown: int
    failed: int
    incomplete: int
    own: int = 0
    tells: bool = True
    in_question: InQuestion | None = None


def by_folders(files: Sequence[str], named: Iterable[str]) -> list[Labelled]:
    """Labels by the names of folders: those between a file and the folder that was named; of a file that was named itself, or
    by a pattern, the one that it lies in. A file directly in the folder that was named has none of the tags."""
    folders = [expanded(one) for one in named]
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
    name = display_name(called(sheet))
    try:
        with expanded(sheet).open("rb") as stream:
            data = stream.read(CLIP_LIMITS.max_sheet_bytes + 1)
    except OSError:
        raise unread(expanded(sheet), name) from None
    paths = [PurePosixPath(file.replace("\\", "/")) for file in files]
    read = read_labels(data, name, CLIP_LIMITS, [part for path in paths for part in path.parts])
    for note in notes_on(read, name):
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
    found = []
    for start, end, tags in cut:
        its, evening = said_of(rows, start, end, recording, session)
        found.append(Labelled(file, tags, its or "", evening, start, None if end == inf else end))
    return found


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
    without all of them; so does an answer "unknown". Recordings are counted as labelled clips are (``clips.counting``); they
    are listened to for that while they are as few as a set of labelled clips holds. Those that the tagger was made from are
    left out, with all clips of theirs. Memory grows by scores and labels alone, beyond such a set.
    progress: told (recordings done, in all, ``"tagging"``); tell: told each file's problem and warnings
    Raises EvaluationError where nothing could be read, all is of the tagger's own recordings, or no recording has any of its
    tags.
    """
    from mirdemo.stages.fewshot.scoring import score

    told = _tagged(labelled, tagger, backbone, track, progress or silent, tell or (lambda _: None))
    if not told.kept:
        raise EvaluationError(
            "None of these recordings could be read, so the tagger was not tested.",
            code="evaluation.none_read",
        )
    recordings = told.hearing.counted(told.kept)
    if recordings.named.grouped and tell is not None:
        tell(_by_their_names(recordings.named))
    left = _without_own(recordings.groups, told.own)
    if not left:
        raise EvaluationError(
            "The tagger was made from all of these recordings ({count} clips), so nothing here tests it. Give recordings that it "
            "was not made from.",
            code="evaluation.own_only",
            count=len(told.kept),
        )
    labels, foreign = _labels(told.kept, left, tagger.tags)
    there = np.flatnonzero(labels.any(axis=0))
    if not len(there):
        raise EvaluationError(
            "None of these recordings has a tag of this tagger ({tags}). Name them as it does: by folders, or in a sheet (--labels SHEET).",
            code="evaluation.no_common_tag",
            tags=", ".join(tagger.tags[:10]),
        )
    found = score(
        labels[:, there],
        np.array(told.said)[left][:, there],
        [recordings.groups[row] for row in left],
        [tagger.tags[at] for at in there],
        np.array(told.scores)[left][:, there],
    )
    return TaggerReport(
        found,
        tuple(tag for at, tag in enumerate(tagger.tags) if at not in set(there.tolist())),
        foreign,
        sum(told.unknown[row] for row in left),
        told.failed,
        told.incomplete,
        len(told.kept) - len(left),
        bool(tagger.learned),
        recordings.only(left),
    )


@dataclass
class _Told:
    """What a tagger said of recordings, clip by clip: those that could be read, whether it was made from them, its tags and
    scores, whether it knows nothing like them."""

    hearing: _Hearing
    kept: list[Labelled] = field(default_factory=list)
    own: list[bool] = field(default_factory=list)
    said: list[np.ndarray] = field(default_factory=list)
    scores: list[tuple[float, ...]] = field(default_factory=list)
    unknown: list[bool] = field(default_factory=list)
    failed: int = 0
    incomplete: int = 0


def _tagged(
    labelled: Sequence[Labelled],
    tagger: Tagger,
    backbone: Backbone | None,
    track: int | None,
    progress: Progress,
    tell: Callable[[Sentence], None],
) -> _Told:
    from mirdemo.embedding.streaming import file_size
    from mirdemo.sound.audio import load_clip, of_file
    from mirdemo.tagger.archive import tagged

    one_at_a_time, whole = Lock(), lru_cache(maxsize=1)(load_clip)

    def read(one: Labelled) -> Clip:
        if one.start is None and one.end is None:
            return load_clip(one.file, track=track)
        with one_at_a_time:  # the pieces of a file follow one another, and are asked for by several threads
            clip = whole(one.file, track=track)
        return clip.cut(one.start or 0.0, clip.seconds if one.end is None else one.end)

    answers = tagged(labelled, read, tagger, backbone=backbone, size=lambda one: file_size(one.file))
    told = _Told(_Hearing(labelled))
    progress(0, len(labelled), "tagging")
    for done, one in enumerate(answers, start=1):
        progress(done, len(labelled), "tagging")
        if isinstance(one.clip, Sentence):
            told.failed += 1
            tell(one.clip)
            continue
        for warning in one.clip.warnings:
            tell(of_file(one.clip.name, warning))
        told.incomplete += one.clip.incomplete
        told.kept.append(one.source)
        told.own.append(tagger.has_learned(one.clip))
        told.hearing.take(one.clip)
        told.unknown.append(one.unknown)
        given = np.zeros(len(tagger.tags), np.uint8)
        given[[tagger.tags.index(tag) for tag in one.given]] = 1
        told.said.append(given)
        told.scores.append(one.scores)
    return told


def _by_their_names(named: ByName) -> Sentence:
    """What the names of files put together, which decides how sure the figures are, and where to say otherwise."""
    return Sentence(
        "By the names of their files, {clips} clips were put together. Recordings that they are pieces of: {count} ({names}). If "
        "they are not, say of which they are in the column recording of a sheet (--labels SHEET).",
        "evaluation.by_their_names",
        grouped_by_name(named).values,
    )


def _labels(
    kept: Sequence[Labelled], rows: Sequence[int], tags: Sequence[str]
) -> tuple[np.ndarray, dict[str, int]]:
    """Of these rows: 0/1 (n_rows, n_tags), and labels that are none of the tags, with how many clips have them."""
    column = {same(tag): at for at, tag in enumerate(tags)}
    labels = np.zeros((len(rows), len(tags)), np.uint8)
    foreign: dict[str, int] = {}
    for place, row in enumerate(rows):
        for tag in kept[row].tags:
            if (at := column.get(same(tag))) is not None:
                labels[place, at] = 1
            else:
                foreign[tag] = foreign.get(tag, 0) + 1
    return labels, foreign


def _without_own(groups: Sequence[str], own: Sequence[bool]) -> list[int]:
    """Rows of recordings of which the tagger was made from no clip."""
    known = {group for group, is_own in zip(groups, own, strict=True) if is_own}
    return [row for row, group in enumerate(groups) if group not in known]


@dataclass(frozen=True)
class _Counted:
    """recordings: of each clip, as said or by its name (``named``); counted: with those in question as one; groups: sessions over them"""

    recordings: tuple[str, ...]
    in_question: Groups
    counted: tuple[str, ...]
    groups: tuple[str, ...]
    named: ByName

    def only(self, rows: Sequence[int]) -> InQuestion | None:
        """What is in question of these rows."""
        place = {row: at for at, row in enumerate(rows)}
        there = [tuple(place[row] for row in those if row in place) for those in self.in_question]
        several = tuple(those for those in there if len(those) > 1)
        return InQuestion.of_rows(
            several, [self.counted[row] for row in rows], [self.recordings[row] for row in rows]
        )


class _Hearing:
    """Listens to the clips as the stages do, to count their recordings: while they are as few as a set of labelled clips may
    be, and not all recordings are said."""

    def __init__(self, labelled: Sequence[Labelled]) -> None:
        self._clips: list[Clip] | None = [] if not all(one.recording for one in labelled) else None
        self._seconds, self._bytes = 0.0, 0

    def take(self, clip: Clip) -> None:
        if self._clips is None:
            return
        self._seconds, self._bytes = self._seconds + clip.seconds, self._bytes + clip.samples.nbytes
        self._clips.append(clip)
        many = len(self._clips) > min(MOST_COMPARED, CLIP_LIMITS.max_clips)
        if many or self._seconds > CLIP_LIMITS.max_seconds or self._bytes > CLIP_LIMITS.max_decoded_bytes:
            self._clips = None

    def counted(self, kept: Sequence[Labelled]) -> _Counted:
        given = [bool(one.recording) for one in kept]
        files = [str(one.file) for one in kept]
        named = said_by_names([Path(one).name for one in files], [one.tags for one in kept], files, given)
        unsaid = iter(named.recordings)
        recordings = tuple(one.recording or next(unsaid) for one in kept)
        asked = (
            () if not self._clips else listen(self._clips).groups([c.sha256 for c in self._clips], recordings)
        )
        doubtful = in_question(asked, named.pieces, given)
        as_counted = counted(recordings, doubtful)
        groups = grouped(as_counted, [one.session for one in kept])
        return _Counted(recordings, doubtful, as_counted, groups, named)
