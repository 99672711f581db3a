"""Many recordings through a brought tagger into one sheet: a few files at a time, so that others have their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirdemo.base.sentences import Cancelled, Sentence
from mirdemo.clips.tags import written_tags
from mirdemo.tagger.table import Line, sheet
from mirdemo.web.frame.uploads import size_of
from mirdemo.web.models import PACE, SHELF, expected_of, learn
from mirdemo.words.joining import in_a_row

if TYPE_CHECKING:
    from mirdemo.base.progress import Progress
    from mirdemo.sound.audio import Clip
    from mirdemo.tagger import Tagger
    from mirdemo.tagger.archive import Tagged
    from mirdemo.web.brought import Brought
    from mirdemo.web.frame.uploads import Upload

#: What is tagged before others have their turn.
PART_FILES, PART_BYTES = 16, 16_000_000


@dataclass(frozen=True)
class Row:
    """What became of one file.

    sound: SHA-256 of what was decoded, blank where nothing was; seconds: its length, None where it could not be read
    problem: why not; warnings: what else is to be known of it; scores: one a tag of the tagger
    """

    name: str
    sound: str
    seconds: float | None
    given: tuple[str, ...]
    unknown: bool
    incomplete: bool
    warnings: tuple[Sentence, ...]
    problem: Sentence | None
    scores: tuple[float, ...]

    @classmethod
    def of(cls, one: Tagged[Upload]) -> Row:
        clip, name = one.clip, one.source.name
        if isinstance(clip, Sentence):
            return cls(name, "", None, (), False, False, (), clip, ())
        return cls(
            name,
            clip.sha256,
            clip.seconds,
            one.given,
            one.unknown,
            clip.incomplete,
            clip.warnings,
            None,
            one.scores,
        )


@dataclass(frozen=True)
class Part:
    """files: that were done, and are deleted; rows: of them; stopped: before all that were asked for were done"""

    files: tuple[Upload, ...]
    rows: tuple[Row, ...]
    stopped: bool


def part_of(waiting: Sequence[Upload]) -> list[Upload]:
    """The next few files: at least one."""
    part: list[Upload] = []
    size = 0
    for upload in waiting[:PART_FILES]:
        size += size_of(upload)
        if part and size > PART_BYTES:
            break
        part.append(upload)
    return part


def tagging(brought: Brought) -> str:
    """The kind of work (``embedding.pace``) whose unit is a second of sound, read and tagged."""
    return f"tagging {brought.card.backbone}{' fine-tuned' if brought.card.fine_tuned else ''}"


def expected_tagging(brought: Brought, seconds: float) -> float | None:
    """Seconds until so much sound is tagged, by what tagging took here or, before the first time, what hearing takes."""
    known = PACE.expected(tagging(brought), seconds)
    return expected_of(brought.card.backbone, [seconds]) if known is None else known


def tag_part(brought: Brought, files: Sequence[Upload], done: int, total: int, progress: Progress) -> Part:
    """Tag some files, each deleted as soon as it is. done, total: of all files, before these

    Stopped by the visitor, it gives what it has. Raises BackboneError or TaggerError, and then has done nothing.
    """
    from mirdemo.tagger.archive import tagged

    progress(done, total, "tagging")
    tagger, rows, ready = brought.tagger, [], []
    backbone = SHELF.take(brought.card.backbone, progress, tagger.needs)
    at, began = done, time.monotonic()

    def tick() -> None:
        progress(at, total, "tagging")

    try:
        for one in tagged(files, _read, tagger, backbone=backbone, size=size_of, tick=tick):
            rows.append(Row.of(one))
            ready.append(one.source)
            one.source.delete()
            at += 1
            tick()
    except Cancelled:
        return Part(tuple(ready), tuple(rows), stopped=True)
    finally:
        tagger.rest()
    learn(tagging(brought), sum(row.seconds or 0.0 for row in rows), time.monotonic() - began)
    return Part(tuple(ready), tuple(rows), stopped=False)


def joined(before: Sequence[Row], more: Sequence[Row]) -> tuple[Row, ...]:
    """All rows in the order they came; a sound that came again under its name stands once, as it was tagged last."""
    rows = {(row.name, row.sound): row for row in before}
    for row in more:
        rows.pop((row.name, ""), None)  # it could not be read before
        rows[row.name, row.sound] = row
    return tuple(rows.values())


def sheet_of(rows: Sequence[Row], tagger: Tagger, say: Callable[[Sentence], str]) -> bytes:
    """The sheet that ``tag --csv`` writes of the same files. say: how sentences stand in it"""
    return sheet([_line(row, say) for row in rows], tagger.tags, tagger.fingerprint[:12])


def _line(row: Row, say: Callable[[Sentence], str]) -> Line:
    if row.problem is not None:
        return Line(row.name, None, problem=say(row.problem))
    return Line(
        row.name,
        row.seconds,
        written_tags(row.given),
        row.unknown,
        row.incomplete,
        in_a_row(map(say, row.warnings)),
        scores=row.scores,
    )


def _read(upload: Upload) -> Clip:
    from mirdemo.sound.audio import load_clip

    return load_clip(upload.path, upload.name)
