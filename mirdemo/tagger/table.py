"""The table of an archive: one line a file, on the disk as soon as it is known, gone on with where it stopped.

CSV with the mark that spreadsheets look for. A line is written in one piece; what a crash leaves of one is removed. No
cell is a formula, none holds a line break, so that lines can be found from the end of a file of any size.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mirdemo.base.files import called, expanded, whole
from mirdemo.base.home import home
from mirdemo.base.locks import locked
from mirdemo.base.spreadsheets import cell, unguarded
from mirdemo.tagger.file import TaggerError

FIXED = ("file", "seconds", "tags", "unknown", "incomplete", "warnings", "problem", "tagger")
#: Seconds after which lines are not only written but on the disk: what a loss of power can take. A killed program loses
#: none.
SYNC_EVERY = 1.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Line:
    """What the table says of one file.

    seconds: its length, None where it could not be read, as problem says
    tags: those it was given; unknown: unlike all that the tagger was made from
    incomplete: a part of it is missing; warnings: what else is to be known, in one text
    scores: one a tag of the tagger, blank where there is a problem
    """

    file: str
    seconds: float | None
    tags: str = ""
    unknown: bool = False
    incomplete: bool = False
    warnings: str = ""
    problem: str = ""
    scores: Sequence[float] = ()


class Table:
    """One table for one tagger, held by one program at a time. Made by ``opened``."""

    def __init__(self, path: Path, tags: Sequence[str], mark: str) -> None:
        self.path = path
        self._header = _header(tags)
        self._mark = mark
        self._out: BinaryIO | None = None
        self._synced = 0.0

    @classmethod
    @contextmanager
    def opened(cls, path: Path, tags: Sequence[str], mark: str, *, retry: bool = False) -> Iterator[Table]:
        """A table to write to, begun or mended.

        tags: the tagger's; mark: what it is known by
        retry: lines of files that could not be read are taken out, so that these are tried again
        Raises TaggerError if it was made by another tagger, is something else, or is written by another program.
        Raises OSError.
        """
        path = expanded(path)
        table = cls(path, tags, mark)
        with table._held():
            table._begin()
            if retry:
                table._without_problems()
            with path.open("ab", buffering=0) as table._out:
                try:
                    yield table
                finally:
                    os.fsync(table._out.fileno())

    def lines(self) -> Iterator[tuple[str, Line]]:
        """What stands in it, one after another: the cell that names the file, and the line (without scores)."""
        for row in self._rows():
            found = dict(zip(self._header, row, strict=True))
            seconds = found["seconds"]
            yield (
                row[0],
                Line(
                    unguarded(row[0]),
                    float(seconds) if seconds else None,
                    unguarded(found["tags"]),
                    found["unknown"] == "yes",
                    found["incomplete"] == "yes",
                    unguarded(found["warnings"]),
                    unguarded(found["problem"]),
                ),
            )

    def append(self, line: Line) -> None:
        """Write one line. Raises OSError."""
        assert self._out is not None
        rest = memoryview(_bytes(_cells(line, self._mark, len(self._header) - len(FIXED))))
        while rest:  # a disk that is nearly full takes a part, and says that it is full at the next try
            rest = rest[self._out.write(rest) :]
        now = time.monotonic()
        if now - self._synced > SYNC_EVERY:
            os.fsync(self._out.fileno())
            self._synced = now

    @contextmanager
    def _held(self) -> Iterator[None]:
        folder = home() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(os.fsencode(self.path.absolute())).hexdigest()[:32]
        try:
            with locked(folder / f"{name}.lock", wait=False):
                yield
        except BlockingIOError:
            raise TaggerError(
                "{name} is being written by another program. Wait for it, or choose another file.",
                code="tagger.csv_held",
                name=called(self.path),
            ) from None

    def _begin(self) -> None:
        """Start it or mend it."""
        head = _bytes(self._header, start=True)
        end = _end_of_lines(self.path)
        if not end:
            content = self.path.read_bytes()[: len(head) + 1] if self.path.exists() else b""
            if content and not head.startswith(content):
                raise self._foreign()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(head)
            return
        seconds = FIXED.index("seconds")
        try:
            for row in self._rows(end):
                if row[seconds] and not math.isfinite(float(row[seconds])):
                    raise self._foreign()
                if row[FIXED.index("tagger")] != self._mark:
                    raise TaggerError(
                        "{name} was written with another tagger. Choose another file for this one.",
                        code="tagger.csv_other_tagger",
                        name=called(self.path),
                    )
        except (ValueError, csv.Error):  # not UTF-8, or seconds that are no number
            raise self._foreign() from None
        if end < self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(end)

    def _rows(self, end: int | None = None) -> Iterator[list[str]]:
        """Lines but the first, up to a byte. Raises TaggerError where they are not this table's."""
        with self.path.open("rb") as file:
            text = (line.decode("utf-8") for line in _until(file, end))
            rows = csv.reader(text)
            first = next(rows, [])
            first[:1] = [name.removeprefix("\ufeff") for name in first[:1]]
            if first != [_cell(name) for name in self._header]:
                raise self._foreign()
            for row in rows:
                if len(row) != len(self._header):
                    raise self._foreign()
                yield row

    def _without_problems(self) -> None:
        problem = FIXED.index("problem")
        with whole(self.path, durable=True) as part, part.open("wb") as out:
            out.write(_bytes(self._header, start=True))
            for row in self._rows():
                if not row[problem]:
                    out.write(_bytes(row))

    def _foreign(self) -> TaggerError:
        return TaggerError(
            "{name} is there already and is not a table of this tagger. Choose another file.",
            code="tagger.csv_foreign",
            name=called(self.path),
        )


def sheet(lines: Iterable[Line], tags: Sequence[str], mark: str) -> bytes:
    """A whole table in memory, the same bytes as ``Table`` writes. tags: the tagger's; mark: what it is known by"""
    rows = [_bytes(_cells(line, mark, len(tags))) for line in lines]
    return b"".join([_bytes(_header(tags), start=True), *rows])


def _header(tags: Sequence[str]) -> list[str]:
    return [*FIXED, *(f"score: {_flat(tag)}" for tag in tags)]


def _cells(line: Line, mark: str, n_tags: int) -> list[str]:
    read = line.seconds is not None
    return [
        line.file,
        f"{line.seconds:.2f}" if line.seconds is not None else "",
        line.tags,
        _yes(line.unknown) if read else "",
        _yes(line.incomplete) if read else "",
        line.warnings,
        line.problem,
        mark,
        *((f"{score:.4f}" for score in line.scores) if read else [""] * n_tags),
    ]


def cell_of(file: str) -> str:
    """How the table writes a file's name: what its lines are found by."""
    return _cell(file)


def _until(file: BinaryIO, end: int | None) -> Iterator[bytes]:
    for line in file:
        if end is not None and file.tell() > end:
            return
        yield line


def _end_of_lines(path: Path) -> int:
    """The byte behind the last line that is whole; 0 where there is none."""
    try:
        at = path.stat().st_size
    except FileNotFoundError:
        return 0
    with path.open("rb") as file:
        while at > 0:
            start = max(0, at - _CHUNK)
            file.seek(start)
            found = file.read(at - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            at = start
    return 0


def _bytes(cells: Sequence[str], *, start: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig" if start else "utf-8", "backslashreplace")


def _cell(text: str) -> str:
    """One line that no spreadsheet takes for a formula, the same whenever it is written."""
    flat = _flat(text).encode("utf-8", "backslashreplace").decode()
    return cell(flat)


def _flat(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
