"""Tagging a whole archive into one table, a line a file, however many files there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mirdemo.base.files import expanded
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.clips.tags import written_tags
from mirdemo.tagger.file import TaggerError
from mirdemo.tagger.table import Line, Table, cell_of
from mirdemo.tagger.tagger import Decided
from mirdemo.words.joining import in_a_row

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.sound.audio import Clip
    from mirdemo.tagger.tagger import Tagger

Source = TypeVar("Source")


@dataclass(frozen=True)
class ArchiveReport:
    """What became of the files.

    tagged: files tagged now; kept: files that were in the table already, tagged
    failed: files that could not be read, now or when they were tried before; incomplete: tagged, but a part is missing
    """

    tagged: int
    kept: int
    failed: int = 0
    incomplete: int = 0


def tag_archive(
    paths: Iterable[str | PathLike[str]],
    tagger: Tagger,
    csv_path: str | PathLike[str],
    progress: Progress | None = None,
    *,
    backbone: Backbone | None = None,
    track: int | None = None,
    store: EmbeddingStore | None = None,
    retry: bool = False,
    say: Callable[[Sentence], str] = str,
    tell: Callable[[Sentence], None] | None = None,
    then: Callable[[Line], None] | None = None,
) -> ArchiveReport:
    """Tag files into a CSV table (UTF-8 with the mark that spreadsheets look for), going on where it stopped.

    Columns: file (as given), seconds, tags (as one cell of a label sheet has them), unknown and incomplete (yes or no),
    warnings (what is to be known of the file), problem (why it could not be read; then the others are blank), tagger
    (first 12 digits of its SHA-256), then one score a tag. A killed program loses no line that it wrote, a loss of power
    those of a second; a torn last line is removed. Files in the table are not read again, with ``retry`` those that
    could not be read are. Cells that a spreadsheet would take for a formula begin with ``'``.

    progress: told (files done, files in all, ``"tagging"``); a ``Cancelled`` it raises passes, the table stays whole
    backbone: loaded already; else the tagger's own is loaded
    track: of files with several sound tracks, as ``load_clip`` takes it
    say: how sentences stand in the table (another language); tell: told each file's problem and warnings at once
    then: called with each file's line once it is in the table, also with those that were there

    Memory grows by the files' names alone. Raises TaggerError if the table was made by another tagger or is something
    else, is being written by another program, or cannot be written.
    """
    progress, tell, then = progress or silent, tell or (lambda _: None), then or (lambda _: None)
    files = list(dict.fromkeys(os.fspath(path) for path in paths))
    path = expanded(csv_path)
    counts = {"tagged": 0, "kept": 0, "failed": 0, "incomplete": 0}
    try:
        with Table.opened(path, tagger.tags, tagger.fingerprint[:12], retry=retry) as table:
            asked = {cell_of(file): file for file in files}
            done = set()
            for cell, line in table.lines():
                if cell in asked and cell not in done:
                    done.add(cell)
                    _count(counts, line, "kept")
                    then(replace(line, file=asked[cell]))  # a cell may hold a name otherwise than it is
            todo = [file for cell, file in asked.items() if cell not in done]
            number = len(asked) - len(todo)
            progress(number, len(asked), "tagging")
            lines = tagged_lines(
                todo, tagger, backbone=backbone, track=track, store=store, say=say,
                tick=lambda: progress(number, len(asked), "tagging"),
            )  # fmt: skip
            for line, said in lines:
                table.append(line)
                number += 1
                for sentence in said:
                    tell(sentence)
                _count(counts, line, "tagged")
                then(line)
                progress(number, len(asked), "tagging")
    except OSError as error:
        raise TaggerError(
            "{name} cannot be written ({reason}). Choose another place.",
            code="tagger.csv_cannot_write",
            name=path.name,
            reason=os.strerror(error.errno) if error.errno else type(error).__name__,
        ) from error
    return ArchiveReport(**counts)


def tagged_lines(
    files: Iterable[str],
    tagger: Tagger,
    *,
    backbone: Backbone | None = None,
    track: int | None = None,
    store: EmbeddingStore | None = None,
    say: Callable[[Sentence], str] = str,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Line, list[Sentence]]]:
    """Each file's line with what is to be said of it, in order, as ``tag_archive`` writes them."""
    from mirdemo.embedding.streaming import file_size
    from mirdemo.sound.audio import load_clip

    found = tagged(
        files,
        lambda file: load_clip(file, track=track),
        tagger,
        backbone=backbone,
        size=file_size,
        store=store,
        tick=tick,
    )
    for one in found:
        yield line_of(one, one.source, say), _said(one.clip)


@dataclass(frozen=True, eq=False)
class Tagged(Generic[Source]):
    """What became of one source.

    clip: or the sentence that says why there is none; given: its tags; unknown: unlike all that the tagger was made from
    scores: one a tag of the tagger
    """

    source: Source
    clip: Clip | Sentence
    given: tuple[str, ...] = ()
    unknown: bool = False
    scores: tuple[float, ...] = ()


def tagged(
    sources: Iterable[Source],
    read: Callable[[Source], Clip],
    tagger: Tagger,
    *,
    backbone: Backbone | None = None,
    size: Callable[[Source], int] = lambda source: 0,
    store: EmbeddingStore | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Tagged[Source]]:
    """Whatever ``read`` makes a clip of, tagged in order, a few in memory at a time. As ``embed_stream``."""
    from mirdemo.embedding.streaming import embed_stream

    groups = embed_stream(sources, read, tagger.listening(backbone), size=size, store=store, tick=tick)
    for group in groups:
        decided = tagger.decide_clips(group.embeddings) if len(group.embeddings) else Decided.none()
        for source, clip, row in group.rows():
            if isinstance(clip, Sentence):
                yield Tagged(source, clip)
                continue
            given = tuple(tag for tag, has in zip(tagger.tags, decided.given[row], strict=True) if has)
            unknown, scores = bool(decided.unknown[row]), tuple(decided.scores[row].tolist())
            yield Tagged(source, clip, given, unknown, scores)


def line_of(one: Tagged[Any], file: str, say: Callable[[Sentence], str] = str) -> Line:
    """How the table tells it. file: what it calls the source"""
    clip = one.clip
    if isinstance(clip, Sentence):
        return Line(file, None, problem=say(clip))
    warnings = in_a_row(map(say, clip.warnings))
    tags = written_tags(one.given)
    return Line(file, clip.seconds, tags, one.unknown, clip.incomplete, warnings, scores=one.scores)


def _said(clip: Clip | Sentence) -> list[Sentence]:
    """What is to be said of a file at once: its problem, or its warnings with its name."""
    from mirdemo.sound.audio import of_file

    if isinstance(clip, Sentence):
        return [clip]
    return [of_file(clip.name, warning) for warning in clip.warnings]


def _count(counts: dict[str, Any], line: Line, read: str) -> None:
    counts["failed" if line.seconds is None else read] += 1
    counts["incomplete"] += line.incomplete
