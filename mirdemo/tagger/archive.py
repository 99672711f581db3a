"""Tagging a whole archive into a CSV file: one line a file, written as soon as it is known, resumed where it stopped."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import Sentence
from mirdemo.base.spreadsheets import cell
from mirdemo.tagger.file import TaggerError

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.tagger.tagger import Tagger

#: Spreadsheets take a cell that begins so for a formula.
_FIXED = ("file", "seconds", "tags", "unknown", "tagger", "warnings")


@dataclass(frozen=True)
class ArchiveReport:
    """What became of the files.

    tagged: files tagged now; kept: files that were in the table already; problems: one sentence a failed file
    warnings: name and sentence of what should be known of files that were tagged
    incomplete: how many of them lack a part
    """

    tagged: int
    kept: int
    problems: tuple[Sentence, ...]
    warnings: tuple[tuple[str, Sentence], ...] = ()
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
) -> ArchiveReport:
    """Tag files into a CSV table (UTF-8 with the mark that spreadsheets look for), going on where it stopped.

    Columns: file (as given), seconds, tags (joined by ``|``), unknown (yes or no), tagger (first 12 digits of its
    SHA-256), warnings (what is to be known of the file, such as a missing end), then one score a tag. Each line is on the disk before the next file is begun; a torn last line, left
    by a crash, is removed. Files in the table already are not tagged again; files that failed are not in the
    table and are tried again next time. Cells that a spreadsheet would take for a formula begin with ``'``.

    progress: told (files done, files in all, ``"tagging"``); a ``Cancelled`` it raises passes, the table stays whole
    backbone: loaded already; else the tagger's own is loaded
    track: of files with several sound tracks, as ``load_clip`` takes it

    Raises TaggerError if the table was made by another tagger or is something else, or cannot be written.
    """
    from mirdemo.sound.audio import AudioError, load_clip

    progress = progress or silent
    files = [os.fspath(path) for path in paths]
    table = Path(csv_path).expanduser()
    mark = tagger.fingerprint[:12]
    header = [*_FIXED, *(f"score: {_flat(tag)}" for tag in tagger.tags)]
    tagged = incomplete = 0
    problems: list[Sentence] = []
    warnings: list[tuple[str, Sentence]] = []
    try:
        done = _resume(table, header, mark)
        kept = sum(_cell(file) in done for file in files)
        with table.open("ab") as out:
            for number, file in enumerate(files):
                progress(number, len(files), "tagging")
                if _cell(file) in done:
                    continue
                try:
                    clip = load_clip(file, track=track)
                except AudioError as refusal:
                    problems.append(refusal.sentence)
                    continue
                decision = tagger.decide(clip, backbone=backbone, store=store)
                given = [tag for tag, has in zip(tagger.tags, decision.given[0], strict=True) if has]
                row = [
                    file,
                    f"{clip.seconds:.2f}",
                    "|".join(given),
                    "yes" if decision.unknown[0] else "no",
                    mark,
                    " ".join(str(warning) for warning in clip.warnings),
                ]
                out.write(_line([*row, *(f"{score:.4f}" for score in decision.scores[0])]))
                out.flush()
                os.fsync(out.fileno())
                done.add(_cell(file))
                tagged += 1
                warnings.extend((clip.name, warning) for warning in clip.warnings)
                incomplete += clip.incomplete
    except OSError as error:
        raise TaggerError(
            "{name} cannot be written ({reason}). Choose another place.",
            code="tagger.csv_cannot_write",
            name=table.name,
            reason=os.strerror(error.errno) if error.errno else type(error).__name__,
        ) from error
    progress(len(files), len(files), "tagging")
    return ArchiveReport(tagged, kept, tuple(problems), tuple(warnings), incomplete)


def _resume(table: Path, header: Sequence[str], mark: str) -> set[str]:
    """Start the table or mend it; the file cells that are in it already."""
    content = table.read_bytes() if table.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        if content and not _line(header, start=True).startswith(content):
            raise _foreign(table)
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_bytes(_line(header, start=True))
        return set()
    try:
        rows = list(csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise _foreign(table) from None
    if rows[0] != [_cell(cell) for cell in header] or any(len(row) != len(header) for row in rows):
        raise _foreign(table)
    if any(row[4] != mark for row in rows[1:]):
        raise TaggerError(
            "{name} was written with another tagger. Choose another file for this one.",
            code="tagger.csv_other_tagger",
            name=table.name,
        )
    if len(whole) < len(content):
        with table.open("r+b") as file:
            file.truncate(len(whole))
    return {row[0] for row in rows[1:]}


def _foreign(table: Path) -> TaggerError:
    return TaggerError(
        "{name} is there already and is not a table of this tagger. Choose another file.",
        code="tagger.csv_foreign",
        name=table.name,
    )


def _line(cells: Sequence[str], *, start: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig" if start else "utf-8", "backslashreplace")


def _cell(text: str) -> str:
    """One line that no spreadsheet takes for a formula, the same whenever it is written."""
    flat = _flat(text).encode("utf-8", "backslashreplace").decode()
    return cell(flat)


def _flat(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
