"""Labels in a sheet: ``file,tags,recording`` and, if you like, ``session,start,end``, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mirdemo.base import spreadsheets
from mirdemo.clips.encodings import decode
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.tags import clean_text, same

#: What files a sheet may come in.
SHEET_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".xlsx"})

_COLUMNS = {
    "file": "file|filename|file name|file_name|filepath|file path|path|audio|audio file|sound|begin file|begin path|in file|"
    "ファイル|ファイル名|音声ファイル|音源ファイル|datei|dateiname|fichier|nom du fichier|archivo|ficheiro|arquivo|dosya|"
    "dosya adı|plik|soubor|файл|文件|文件名|檔案|파일",
    "tags": "tags|tag|labels|label|annotation|annotations|keywords|タグ|ラベル|schlagworte|schlagwörter|étiquettes|étiquette|"
    "mots-clés|etiquetas|etiqueta|etiketler|etiket|tagi|теги|метки|标签|標籤|태그",
    "recording": "recording|recordings|source|recording id|recording_id|録音|音源|録音名|aufnahme|enregistrement|grabación|"
    "gravação|kayıt|nagranie|запись|录音|녹음",
    "session": "session|performer|performers|performance|artist|ensemble|band|group|セッション|演奏者|出演者|団体|演奏会|"
    "sitzung|séance|sesión|sessão|oturum|sanatçı|interpret|artiste|исполнитель|演奏者|연주자",
    "start": "start|begin|start_time|start time|onset|start (s)|begin time (s)|start_seconds|start s|from|開始|開始時刻|開始（秒）|"
    "開始 (秒)|開始(秒)",
    "end": "end|stop|end_time|end time|end (s)|end time (s)|end_seconds|end s|to|終了|終了時刻|終了（秒）|終了 (秒)|終了(秒)",
    "duration": "duration|duration (s)|length|長さ",
}
_MEANT = {name: column for column, names in _COLUMNS.items() for name in names.split("|")}
#: Columns of BirdNET's tables, whose labels stand there and are read as annotations.
_SPECIES = {"common name", "scientific name", "common_name", "scientific_name", "species"}
#: Unpacked, a spreadsheet's parts are at most so large: 100 times a CSV of the largest size.
_MAX_UNPACKED = 100


@dataclass(frozen=True)
class Row:
    """One line of a sheet: the file it names, the cell of its tags, its recording and session ("" if not given).

    start, end: seconds of the part of the file that is meant, None for the whole file
    """

    file: str
    tags: str
    recording: str = ""
    session: str = ""
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Sheet:
    """The rows of a sheet, in order.

    encoding: in which it was read; others: in which it would read as well, so that a person should look
    """

    rows: tuple[Row, ...]
    encoding: str = "utf-8"
    others: tuple[str, ...] = ()


def read_sheet(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Sheet:
    """The rows of a sheet that name a file, in order.

    Text separated by commas, tabs, semicolons or bars (a line ``sep=;`` may say which), in UTF-8, UTF-16 or what
    ``encodings.decode`` finds; or an Excel workbook (its first sheet with such columns). The first line names the
    columns; only ``file`` and one of ``tags`` and ``start`` must be there. names: of the files it may name.
    Raises ``ClipsError``.
    """
    if len(data) > limits.max_sheet_bytes:
        raise ClipsError(
            "{name} has more than {max_mb:g} MB. Split the sheet.",
            code="clips.sheet_too_big",
            name=name,
            max_mb=limits.max_sheet_bytes / 1_000_000,
        )
    if data.startswith(b"PK\x03\x04"):
        for table in _workbook(data, name, limits):
            header = _header(next(iter(table), []))
            if _is_header(header):
                return Sheet(tuple(_rows(table[1:], header, name, limits)))
        raise _no_header(name)
    text = decode(data, names)
    if text is None or "\0" in text.text:
        raise _damaged(name)
    lines = text.text.lstrip("\r\n")
    told = re.match(r'"?sep=(.)"?\r?\n?', lines)
    lines = lines[told.end() :] if told else lines
    try:
        for delimiter in dict.fromkeys([*(told[1] if told else ""), *",\t;|"]):
            reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, skipinitialspace=True)
            header = _header(next(reader, []))
            if _is_header(header):
                told_rows = ([spreadsheets.unguarded(cell) for cell in cells] for cells in reader)
                rows = tuple(_rows(told_rows, header, name, limits))
                return Sheet(rows, text.encoding, text.others)
    except csv.Error:
        raise _damaged(name) from None
    raise _no_header(name)


def write_sheet(rows: Iterable[Row]) -> bytes:
    """The rows as a CSV sheet that spreadsheets open and ``read_sheet`` reads back: UTF-8 with a byte order mark.

    Columns that no row fills are left out, but for file, tags and recording.
    """
    rows = list(rows)
    columns = ["file", "tags", "recording"]
    columns += ["session"] * any(row.session for row in rows)
    columns += ["start", "end"] * any(row.start is not None for row in rows)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        cells = [getattr(row, column) for column in columns]
        writer.writerow([_written(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def seconds_of(cell: str) -> float | None:
    """A time in seconds: ``12.5``, ``12,5``, ``1:02.5`` or ``0:01:02.5``; None if it is none."""
    text = cell.strip().replace(",", ".")
    found = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,9}(?:\.\d*)?|\.\d+)\s*s?", text)
    if not found:
        return None
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


def _rows(table: Iterable[Sequence[str]], header: list[str], name: str, limits: ClipLimits) -> Iterator[Row]:
    place = {column: header.index(column) for column in _COLUMNS if column in header}
    count = 0
    for cells in table:
        found = {column: cells[at].strip() if at < len(cells) else "" for column, at in place.items()}
        if not found["file"]:
            continue
        count += 1
        limits.check_entries(name, count)
        start, end = _span(found, name)
        yield Row(
            found["file"],
            found.get("tags", ""),
            found.get("recording", ""),
            found.get("session", ""),
            start,
            end,
        )


def _span(found: dict[str, str], name: str) -> tuple[float | None, float | None]:
    """The part of its file that a row is about. Raises ``ClipsError`` where it is none."""
    cells = [found.get(column, "") for column in ("start", "end", "duration")]
    if not cells[0] and not cells[1]:
        return None, None
    start, end, duration = (seconds_of(cell) if cell else None for cell in cells)
    if end is None and start is not None and duration is not None:
        end = start + duration
    if start is None or end is None or not start <= end:
        raise ClipsError(
            "{name} says that {file} is labelled from {start} to {end}. Give a beginning and a later end in seconds.",
            code="clips.sheet_span",
            name=name,
            file=found["file"][:80],
            start=cells[0][:20] or "?",
            end=cells[1][:20] or cells[2][:20] or "?",
        )
    return start, end


def _workbook(data: bytes, name: str, limits: ClipLimits) -> Iterator[list[list[str]]]:
    """The sheets of an Excel workbook as text, one after another. Raises ``ClipsError``."""
    try:
        import openpyxl
    except ImportError:
        raise ClipsError(
            "{name} is an Excel workbook, which this installation does not read. Save it as CSV (UTF-8).",
            code="clips.no_workbooks",
            name=name,
        ) from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MAX_UNPACKED * limits.max_sheet_bytes:
                raise _damaged(name)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            table: list[list[str]] = []
            sheet.reset_dimensions()  # what the file says of its size may be wrong
            for cells in sheet.iter_rows(values_only=True, max_col=64):
                if len(table) > limits.max_entries + 1:
                    break
                table.append([_cell(cell) for cell in cells])
            while table and not any(table[0]):
                table.pop(0)
            yield table
    except ClipsError:
        raise
    except Exception:  # openpyxl raises what its XML and its zip raise
        raise _damaged(name) from None


def _cell(value: object) -> str:
    """A workbook's cell as it reads there."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _written(cell: str | float | None) -> str:
    """A cell as it is written; a text that a spreadsheet would compute is guarded, which reading takes away."""
    if isinstance(cell, float):
        return f"{cell:.6f}".rstrip("0").rstrip(".")
    return spreadsheets.cell(cell)


def _header(cells: Sequence[str]) -> list[str]:
    return [_column(cell) for cell in cells]


def _is_header(header: list[str]) -> bool:
    return "file" in header and ("tags" in header or ("start" in header and not _SPECIES & set(header)))


def _no_header(name: str) -> ClipsError:
    return ClipsError(
        "{name} needs a first line that names the columns file and tags (and recording, if you like).",
        code="clips.sheet_header",
        name=name,
    )


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
    return _MEANT.get(text, text)
