"""Labels in a CSV sheet: ``file,tags,recording``, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.tags import clean_text, same

_COLUMNS = {
    "file": ("file", "filename", "file name", "path", "ファイル", "ファイル名"),
    "tags": ("tags", "tag", "labels", "label", "タグ"),
    "recording": ("recording", "source", "録音", "音源"),
}


@dataclass(frozen=True)
class Row:
    """One line of a sheet: the file it names, the cell of its tags, and its recording ("" if not given)."""

    file: str
    tags: str
    recording: str


def read_sheet(data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS) -> list[Row]:
    """The rows of a CSV sheet that name a file, in order.

    UTF-8 (with or without BOM), UTF-16 and cp932 (Japanese Excel); separated by commas, tabs or semicolons. The
    first line names the columns; ``recording`` may be missing. Raises ``ClipsError``.
    """
    if len(data) > limits.max_sheet_bytes:
        raise ClipsError(
            "{name} has more than {max_mb:g} MB. Split the sheet.",
            code="clips.sheet_too_big",
            name=name,
            max_mb=limits.max_sheet_bytes / 1_000_000,
        )
    text = _decode(data, name)
    first_line = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    try:
        for delimiter in (",", "\t", ";"):
            header = [_column(cell) for cell in next(csv.reader([first_line], delimiter=delimiter), [])]
            if "file" in header and "tags" in header:
                return _rows(text.lstrip("\r\n"), delimiter, header, name, limits)
    except csv.Error:
        raise _damaged(name) from None
    raise ClipsError(
        "{name} needs a first line that names the columns file and tags (and recording, if you like).",
        code="clips.sheet_header",
        name=name,
    )


def _rows(text: str, delimiter: str, header: list[str], name: str, limits: ClipLimits) -> list[Row]:
    place = {column: header.index(column) for column in _COLUMNS if column in header}
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
        found = {column: cells[at].strip() if at < len(cells) else "" for column, at in place.items()}
        if number and found["file"]:
            rows.append(Row(found["file"], found["tags"], found.get("recording", "")))
        if len(rows) > limits.max_entries:
            raise ClipsError(
                "{name} holds more than {max_entries} files. Split it.",
                code="clips.too_many_files",
                name=name,
                max_entries=limits.max_entries,
            )
    return rows


def _decode(data: bytes, name: str) -> str:
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _damaged(name)


def _damaged(name: str) -> ClipsError:
    return ClipsError(
        "{name} cannot be read as a CSV sheet. Save it as CSV (UTF-8) again.",
        code="clips.sheet_damaged",
        name=name,
    )


def _column(cell: str) -> str:
    """The column that a header cell means, or the cell itself."""
    try:
        text = same(clean_text(cell))
    except ClipsError:
        return cell
    return next((column for column, names in _COLUMNS.items() if text in names), text)
