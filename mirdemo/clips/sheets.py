"""Labels in a sheet: ``file,tags,recording`` and, if you like, ``session,start,end``, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from mirdemo.base import spreadsheets
from mirdemo.clips.encodings import Decoded, decode
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.tags import clean_text, same, typed_tags, written_tags
from mirdemo.sound.files import SOUND_SUFFIXES

#: What files a sheet may come in.
SHEET_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".psv", ".xlsx", ".xlsm"})
#: Files that may hold labels and are not read: how people call their kind. Left out, their clips would count as "none of these".
OTHER_SHEETS = {
    ".xls": "Excel 97",
    ".xlsb": "Excel, binary",
    ".ods": "OpenDocument",
    ".numbers": "Numbers",
    ".gsheet": "Google Sheets",
    ".json": "JSON",
    ".jsonl": "JSON",
    ".parquet": "Parquet",
    ".eaf": "ELAN",
    ".rttm": "RTTM",
    ".aup": "Audacity project",
    ".aup3": "Audacity project",
}

#: What columns are called.
COLUMNS = {
    "file": "file|filename|file name|filepath|file path|path|audio|audio file|audio filename|sound|sound file|begin file|begin path|"
    "in file|wav|wav file|ファイル|ファイル名|音声ファイル|音源ファイル|datei|dateiname|fichier|nom du fichier|archivo|ficheiro|arquivo|"
    "dosya|dosya adı|plik|soubor|файл|文件|文件名|檔案|파일",
    "tags": "tags|tag|labels|label|annotation|annotations|keywords|event label|event labels|event|class|class label|category|"
    "categories|タグ|ラベル|schlagworte|schlagwörter|étiquettes|étiquette|mots clés|etiquetas|etiqueta|etiketler|etiket|tagi|теги|"
    "метки|标签|標籤|태그",
    "recording": "recording|recordings|source|recording id|録音|音源|録音名|aufnahme|enregistrement|grabación|gravação|kayıt|"
    "nagranie|запись|录音|녹음",
    "session": "session|performer|performers|performance|artist|ensemble|band|group|セッション|演奏者|出演者|団体|演奏会|"
    "sitzung|séance|sesión|sessão|oturum|sanatçı|interpret|artiste|исполнитель|연주자",
    "start": "start|begin|start time|begin time|time start|onset|onset time|event onset|segment start|clip start|from|t0|tmin|xmin|"
    "開始|開始時刻|開始時間|beginn|anfang|début|inicio|início|başlangıç|začátek|początek|начало",
    "end": "end|stop|end time|stop time|time end|event offset|segment end|clip end|to|t1|tmax|xmax|finish|"
    "終了|終了時刻|終了時間|ende|fin|final|fim|bitiş|konec|koniec|конец",
    "duration": "duration|length|dur|delta time|長さ|dauer|durée|duración|duração|süre",
}
_MEANT = {name: column for column, names in COLUMNS.items() for name in names.split("|")}
#: Behind the name of a column of times: its unit.
_UNIT = re.compile(
    r"\s*[(\[（]?\b(?P<unit>s|sec|secs|second|seconds|秒|sekunden|secondes|segundos|ms|msec|milliseconds|millis|ミリ秒)[)\]）]?$"
)
_MILLISECONDS = frozenset({"ms", "msec", "milliseconds", "millis", "ミリ秒"})
_TIMES = frozenset({"start", "end", "duration"})
#: Behind the name of one of several columns of tags: its number.
_NUMBERED = re.compile(r"[\s.#]*\d+$")
#: A column with such a name holds times in a way that we do not know.
_LIKE_TIMES = re.compile(r"(?:start|begin|onset|end|stop|offset)\b|times?$")
#: Titles and remarks that may stand above the line with the columns.
LINES_ABOVE = 10
#: Columns of BirdNET's tables, whose labels stand there and are read as annotations.
_SPECIES = frozenset({"common name", "scientific name", "species"})
#: Raven's column of the time within its own file, where a table is about several.
_OFFSET = "file offset (s)"
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
    unread: the column whose tags were read, and others that may hold tags too and were not read; none where there is but one
    nameless: how many lines have tags and name no file
    marked: columns that are a tag each (``clips.marks``); aside: columns that are not and were not read
    """

    rows: tuple[Row, ...]
    encoding: str = "utf-8"
    others: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    nameless: int = 0
    marked: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


def read_sheet(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Sheet:
    """The rows of a sheet that name a file, in order.

    Text separated by commas, tabs, semicolons or bars (a line ``sep=;`` may say which), in UTF-8, UTF-16 or what
    ``encodings.decode`` finds; or an Excel workbook (its first sheet with such columns). The first line names the
    columns, if need be below a title; only ``file`` and one of ``tags`` and ``start`` must be there. Times are seconds, or
    milliseconds where their column says so. names: of the files it may name.
    Raises ``ClipsError``.
    """
    for text, table, delimiter in tables(data, name, limits, names):
        header = _find_header(table, name)
        if header is not None:
            return read_rows(table, header, text, name, limits, delimiter)
    raise _no_header(name)


def tables(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Iterator[tuple[Decoded, Iterator[list[str]], str]]:
    """What a sheet's lines may be, one reading after another: how its letters were read, the cells of each line, and what parts
    them ("" in a workbook). See ``read_sheet``. Raises ``ClipsError``, while lines are read, too."""
    if len(data) > limits.max_sheet_bytes:
        raise ClipsError(
            "{name} has more than {max_mb:g} MB. Split the sheet.",
            code="clips.sheet_too_big",
            name=name,
            max_mb=limits.max_sheet_bytes / 1_000_000,
        )
    if data.startswith(b"PK\x03\x04"):
        for table in _workbook(data, name, limits):
            yield Decoded("", "utf-8"), iter(table), ""
        return
    text = decode(data, names)
    if text is None or "\0" in text.text:
        raise _damaged(name)
    lines = text.text.lstrip("\r\n")
    told = re.match(r'"?sep=(.)"?\r?\n?', lines)
    lines = lines[told.end() :] if told else lines
    for delimiter in dict.fromkeys([*(told[1] if told else ""), *",\t;|"]):
        yield text, _lines(lines, delimiter, name), delimiter


def _lines(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    except csv.Error:
        raise _damaged(name) from None


def read_rows(
    table: Iterable[Sequence[str]],
    header: Header,
    text: Decoded,
    name: str,
    limits: ClipLimits,
    delimiter: str,
) -> Sheet:
    """The lines behind the one that names the columns, as ``tables`` gives them. Raises ``ClipsError``."""
    rows = list(_rows(table, header, name, limits, delimiter))
    named = tuple(row for row in rows if row.file)
    return Sheet(named, text.encoding, text.others, header.unread, len(rows) - len(named))


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
    if not found:  # as programs write small numbers
        return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{0,20})?[eE][-+]?\d{1,2}", text) else None
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


@dataclass(frozen=True)
class Header:
    """The line that names the columns: where each is that we know, seconds of one unit of its times, how many there are, its
    number (1 is the first), and the columns of tags (``tag``, ``tag``; ``tag 1``, ``tag 2``) and of files (``path``,
    ``filename``). unread: see ``Sheet``"""

    place: dict[str, int]
    unit: dict[str, float]
    width: int
    line: int
    tags: tuple[int, ...] = ()
    files: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()


def _rows(
    table: Iterable[Sequence[str]], header: Header, name: str, limits: ClipLimits, delimiter: str = ""
) -> Iterator[Row]:
    """Each line that names a file or, with a blank name, has tags. A span without a name is of the file above, as cells that were
    put together leave it."""
    count, above = 0, ""
    tags_are_last = header.width - 1 in header.tags
    between = ";" if delimiter == "\t" else delimiter  # a tab is no sign between tags
    for line, told in enumerate(table, header.line + 1):
        cells = [spreadsheets.unguarded(cell) for cell in told] if delimiter else told
        beyond = [cell for cell in cells[header.width :] if cell.strip()]
        if beyond and not tags_are_last:
            raise ClipsError(
                "Line {line} of {name} has more cells than there are columns. Put what holds the separator into quotes.",
                code="clips.sheet_cells",
                name=name,
                line=line,
            )
        found = {column: cells[at].strip() if at < len(cells) else "" for column, at in header.place.items()}
        found["file"] = _file_of([cells[at].strip() for at in header.files if at < len(cells)])
        spans = bool(found.get("start") or found.get("end"))
        found["file"] = found["file"] or above * spans
        above = found["file"] or above
        if not found["file"] and not any(cells[at].strip() for at in header.tags if at < len(cells)):
            continue
        its_tags = [cells[at].strip() for at in header.tags if at < len(cells)]
        if beyond:  # tags that nobody put into quotes
            its_tags[-1] = between.join([its_tags[-1], *beyond])
        found["tags"] = _together(its_tags, limits)
        count += 1
        limits.check_entries(name, count)
        start, end = _span(found, header.unit, name)
        yield Row(
            found["file"],
            found["tags"],
            found.get("recording", ""),
            found.get("session", ""),
            start,
            end,
        )


def _span(found: dict[str, str], unit: dict[str, float], name: str) -> tuple[float | None, float | None]:
    """The part of its file that a row is about. Raises ``ClipsError`` where it is none."""
    cells = {column: found.get(column, "") for column in ("start", "end", "duration")}
    if not cells["start"] and not cells["end"]:
        return None, None
    told = {column: seconds_of(cell) if cell else None for column, cell in cells.items()}
    start, end, duration = (
        None if one is None else one * unit.get(column, 1.0) for column, one in told.items()
    )
    if end is None and start is not None and duration is not None:
        end = start + duration
    if start is None or end is None or not start <= end:
        raise ClipsError(
            "{name} says that {file} is labelled from {start} to {end}. Give a beginning and a later end in seconds.",
            code="clips.sheet_span",
            name=name,
            file=found["file"][:80],
            start=cells["start"][:20] or "?",
            end=cells["end"][:20] or cells["duration"][:20] or "?",
        )
    return start, end


def _file_of(cells: Sequence[str]) -> str:
    """What file is named, where several columns may: the first that ends as sound does, in the folder that another one names."""
    filled = [cell for cell in cells if cell]
    sounds = [cell for cell in filled if names_sound(cell)]
    if not sounds or filled[0] == sounds[0]:
        return "".join(filled[:1])
    return f"{filled[0]}/{sounds[0]}"


def names_sound(cell: str, *others: str) -> bool:
    """Whether a cell ends as a file of sound does, or as one of the others."""
    return PurePosixPath(cell.strip().replace("\\", "/")).suffix.lower() in {*SOUND_SUFFIXES, *others}


def _together(cells: Sequence[str], limits: ClipLimits) -> str:
    """Cells of tags as one."""
    filled = [cell for cell in cells if cell]
    if len(filled) < 2:
        return "".join(filled)
    try:
        return written_tags(tag for cell in filled for tag in typed_tags(cell, limits))
    except ClipsError:  # said of its row, where the row is read
        return ";".join(filled)


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


def _find_header(lines: Iterator[Sequence[str]], name: str) -> Header | None:
    """The line that names the columns, among the first; None if there is none. Raises ``ClipsError`` for one that names times
    in a way that we do not know: a label of a part must not become one of the whole."""
    for line, cells in enumerate(islice(lines, LINES_ABOVE), 1):
        meant = [column_meant(cell) for cell in cells]
        place = places(cells, meant)
        known = {column: at for column, at in place.items() if column in COLUMNS}
        if "file" not in known or not known.keys() & {"tags", "start"}:
            continue
        others = [
            cell
            for column, cell in zip(meant, cells, strict=True)
            if column[0] not in COLUMNS and cell.strip()
        ]
        if "start" in known and ("tags" not in known or _SPECIES & place.keys()) and others:
            return None  # the labels stand in a column of another name
        if _OFFSET in place:
            return None  # Raven counts its times through all files of a table
        odd = next(
            (cell for cell in others if _LIKE_TIMES.match(_plain(cell)) and "date" not in _plain(cell)), None
        )
        if odd is not None and not known.keys() >= {"start", "end"} and "duration" not in known:
            raise ClipsError(
                "{name} has a column {column}, and we do not know how its times are meant. Call it start or end, in seconds.",
                code="clips.sheet_times",
                name=name,
                column=odd.strip()[:40],
            )
        tags, unread = _columns_of_tags(cells, meant)
        units = {column: meant[at][1] for column, at in known.items()}
        files = tuple(at for at, (column, _) in enumerate(meant) if column == "file")
        return Header(known, units, len(cells), line, tags, files, unread)
    return None


def places(cells: Sequence[str], meant: Sequence[tuple[str, float]]) -> dict[str, int]:
    """Where each column of a header is, the first of several; an offset beside an onset is an end."""
    place = {column: at for at, (column, _) in reversed(list(enumerate(meant)))}
    if "offset" in place and any(_plain(cell).startswith("onset") for cell in cells):
        place.setdefault("end", place["offset"])
    return place


def _columns_of_tags(
    cells: Sequence[str], meant: Sequence[tuple[str, float]]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Where the tags are: in all columns that are called as the first one is, but for a number; and the names of that one and of
    others that mean tags, where there are any."""
    places = [at for at, (column, _) in enumerate(meant) if column == "tags"]
    names = {at: _NUMBERED.sub("", _plain(cells[at])) for at in places}
    own = tuple(at for at in places if names[at] == names[places[0]])
    others = [cells[at].strip()[:40] for at in places if at not in own]
    return own, (cells[own[0]].strip()[:40], *others) if others else ()


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


def column_meant(cell: str) -> tuple[str, float]:
    """The column that a header cell means, or the cell itself; and the seconds of a unit of its times."""
    text = _plain(cell)
    if text in _MEANT:
        return _MEANT[text], 1.0
    if _MEANT.get(_NUMBERED.sub("", text)) == "tags":
        return "tags", 1.0
    unit = _UNIT.search(text)
    column = _MEANT.get(text[: unit.start()].strip()) if unit else None
    if unit is None or column not in _TIMES:
        return text, 1.0
    return column, 0.001 if unit["unit"] in _MILLISECONDS else 1.0


def _plain(cell: str) -> str:
    """A header cell without case, underscores and hyphens."""
    try:
        return " ".join(re.sub(r"[_\-]", " ", same(clean_text(cell))).split())
    except ClipsError:
        return cell
