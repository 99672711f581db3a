"""Segments in the annotation files of the field: read, and written from any answer over time.

Audacity label tracks, Raven selection tables, BirdNET results, Sonic Visualiser layers (``.svl`` and exported CSV), tab
exports of ELAN, JAMS and Praat TextGrids; read only: MIREX's and HTK's ``.lab``. Formats:
https://manual.audacityteam.org/man/importing_and_exporting_labels.html,
https://ravensoundsoftware.com (selection tables are tab-separated, a row a view), https://jams.readthedocs.io,
https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html, https://www.sonicvisualiser.org.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from mirdemo.base import spreadsheets
from mirdemo.clips.encodings import decode
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.segments import NEAR, Segment
from mirdemo.clips.sheets import Row, Sheet, column_meant, names_sound, places, seconds_of
from mirdemo.clips.tags import written_tags

#: What annotation files are called, beside those of sheets.
ANNOTATION_SUFFIXES = frozenset({".txt", ".svl", ".jams", ".textgrid", ".lab"})

#: kind -> how people call it.
NAMES = {
    "csv": "CSV",
    "audacity": "Audacity",
    "raven": "Raven",
    "birdnet": "BirdNET",
    "sonic-visualiser": "Sonic Visualiser",
    "elan": "ELAN",
    "jams": "JAMS",
    "textgrid": "Praat TextGrid",
}

#: kind -> how its files end; what ``write_annotations`` writes.
KINDS = {
    "csv": ".csv",
    "audacity": ".txt",
    "raven": ".selections.txt",
    "birdnet": ".BirdNET.results.csv",
    "sonic-visualiser": ".svl",
    "elan": ".elan.txt",
    "jams": ".jams",
    "textgrid": ".TextGrid",
}

_ENDINGS = re.compile(
    r"(?:\.table\.\d+)?\.selections?$|\.birdnet\.(?:results|selection\.table)$|\.elan$|[ _.-]labels?$|[ _.-]annotations?$|"
    r"\.wav$|\.mp3$|\.flac$|\.ogg$|\.m4a$",
    re.IGNORECASE,
)
_RATE = 44_100  # frames that a Sonic Visualiser layer counts in


def annotated_stem(name: str) -> str:
    """The recording that an annotation file is about, by its own name: ``night.Table.1.selections.txt`` is of ``night``."""
    stem = PurePosixPath(name).name
    stem = stem[: -len(PurePosixPath(stem).suffix) or None]
    while _ENDINGS.search(stem):
        stem = _ENDINGS.sub("", stem)
    return stem


def read_annotations(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Sheet | None:
    """The segments of an annotation file of any known kind; None if it is none.

    names: of files and labels that are there, which tell its encoding. A row's ``file`` is the one that the file names, or the stem of its own name (``annotated_stem``). Raises
    ``ClipsError`` for a file of a known kind that cannot be used.
    """
    if len(data) > limits.max_sheet_bytes:
        return None
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".xlsx" or data.startswith(b"PK"):
        return None
    decoded = decode(data, names)
    if decoded is None:
        return None
    text, stem = decoded.text.lstrip("\ufeff"), annotated_stem(name)
    try:
        for read in _READERS:
            found = read(text, suffix)
            if found is not None:
                rows = [_row(*one, stem) for one in found]
                if len(rows) > limits.max_entries:
                    raise ValueError
                return Sheet(tuple(rows), decoded.encoding, decoded.others)
    except csv.Error:
        return None
    except _Unlabelled:
        raise ClipsError(
            "{name} is a selection table without labels. Put them into a column called Annotation.",
            code="clips.no_annotation_column",
            name=name,
        ) from None
    except _EndOrLength:
        raise ClipsError(
            "{name} does not say whether its second column tells where a label ends or how long it lasts. Write a line above "
            "that names the columns: start,end,label or start,duration,label.",
            code="clips.end_or_length",
            name=name,
        ) from None
    except (
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        ArithmeticError,
        ElementTree.ParseError,
        IndexError,
    ):
        raise ClipsError(
            "{name} looks like an annotation file, but its segments cannot be read. Export it again.",
            code="clips.annotations_damaged",
            name=name,
        ) from None
    return None


class _Unlabelled(Exception):
    """A table of Raven's in which no column holds labels."""


class _EndOrLength(Exception):
    """Two numbers before each label, of which the second may be where it ends or how long it lasts."""


#: What a reader finds: start, end, label and the file it names ("" for none).
_Found = Iterable[tuple[float, float, str, str]]


def _row(start: float, end: float, label: str, file: str, stem: str) -> Row:
    if not 0 <= start <= end < 1e7:
        raise ValueError
    return Row(file or stem, label, "", "", round(start, 6), round(end, 6))


def _jams(text: str, suffix: str) -> _Found | None:
    if not text.lstrip().startswith("{") or '"annotations"' not in text:
        return None
    told = json.loads(text)
    found = []
    for annotation in told["annotations"]:
        data = annotation["data"]
        if isinstance(data, dict):  # the older layout: a list a column
            data = [dict(zip(data, values, strict=True)) for values in zip(*data.values(), strict=True)]
        for one in data:
            label = one["value"].get("label") if isinstance(one["value"], dict) else one["value"]
            if isinstance(label, str):
                start, length = float(one["time"]), float(one.get("duration") or 0.0)
                found.append((start, start + length, label, ""))
    return found


_TEXTGRID_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|![^\n]*|\[\d*\]|(?<![\w"])(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w"])'
)


def _textgrid(text: str, suffix: str) -> _Found | None:
    if "ooTextFile" not in text[:200] or "TextGrid" not in text[:400]:
        return None
    # Long and short files hold the same values in the same order: numbers, quoted texts and flags; all else is decoration.
    values: list[str | float] = []
    for one in _TEXTGRID_TOKEN.finditer(text[text.index("TextGrid") + 8 :].lstrip('"')):
        if one["text"] is not None:
            values.append(one["text"].replace('""', '"'))
        elif one["number"] is not None:
            values.append(float(one["number"]))
    at, found = 3, []
    for _ in range(int(values[2])):
        kind, count = values[at], int(values[at + 4])
        at += 5
        for _ in range(count):
            if kind == "IntervalTier":
                start, end, label = values[at : at + 3]
                at += 3
                if not isinstance(label, str) or isinstance(start, str) or isinstance(end, str):
                    raise ValueError
                if label.strip():
                    found.append((start, end, label, ""))
            elif kind == "TextTier":
                moment, label = values[at : at + 2]
                at += 2
                if not isinstance(label, str) or isinstance(moment, str):
                    raise ValueError
                if label.strip():
                    found.append((moment, moment, label, ""))
            else:
                raise ValueError
    return found


def _svl(text: str, suffix: str) -> _Found | None:
    if "<sv>" not in text[:2000] and "sonic-visualiser" not in text[:2000]:
        return None
    if "<!ENTITY" in text:
        raise ValueError
    root, found = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text)), []
    rates = {model.get("dataset"): float(model.get("sampleRate", "0")) for model in root.iter("model")}
    for dataset in root.iter("dataset"):
        rate = rates.get(dataset.get("id")) or next((rate for rate in rates.values() if rate), 0.0)
        for point in dataset.iter("point"):
            if point.get("label"):
                start = int(point.get("frame", "")) / rate
                length = int(point.get("duration") or 0) / rate
                found.append((start, start + length, point.get("label", ""), ""))
    return found


def _tables(text: str, suffix: str) -> _Found | None:
    """Tables with a header: Raven, BirdNET and its layout for Kaleidoscope."""
    first = text.lstrip().splitlines()[0] if text.strip() else ""
    delimiter = "\t" if "\t" in first else ","
    header = [cell.strip().casefold() for cell in next(csv.reader([first], delimiter=delimiter), [])]

    def column(*names: str) -> int | None:
        return next((header.index(name) for name in names if name in header), None)

    offset, start = column("file offset (s)"), column("begin time (s)", "start (s)", "offset")
    end, length = column("end time (s)", "end (s)"), column("delta time (s)", "duration")
    if start is None and column("common_name") is not None:  # BirdNET's table for R
        start, end = column("start"), column("end")
    label = column(
        "annotation",
        "species",
        "label",
        "common name",
        "common_name",
        "scientific name",
        "scientific_name",
        "tags",
    )
    file = column("begin path", "begin file", "filepath", "file", "in file")
    if start is None or (end is None and length is None):
        return None
    if label is None:
        if column("selection") is not None:
            raise _Unlabelled
        return None
    species = header[label] in ("common name", "common_name", "scientific name", "scientific_name", "species")
    found, seen = [], set()
    selection = column("selection")
    plain = (
        delimiter == "\t" and selection is not None
    )  # Raven's tables know no quotes: one is a sign like others
    lines = io.StringIO(text.lstrip(), newline="")
    for cells in csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL
    ):
        if cells and [cell.strip().casefold() for cell in cells] != header and any(cells):
            begin = float(cells[start].replace(",", "."))
            if end is not None:
                lasts = float(cells[end].replace(",", ".")) - begin
            else:
                lasts = float(cells[length or 0].replace(",", "."))
            if selection is not None:  # Raven writes a selection once a view
                if cells[selection] in seen:
                    continue
                seen.add(cells[selection])
            named = cells[file] if file is not None and file < len(cells) else ""
            if offset is not None and named and cells[offset].strip():
                begin = float(cells[offset].replace(",", "."))  # within its own file of several
            said = cells[label] if label < len(cells) else ""
            said = said if plain else spreadsheets.unguarded(said)
            found.append(
                (begin, begin + lasts, written_tags([said]) if species and said.strip() else said, named)
            )
    return found


def _headed(text: str, suffix: str) -> _Found | None:
    """A table of one recording: a line that names the columns as sheets do (``start,end,label``), but no file."""
    lines = text.lstrip()
    for delimiter in ",\t;|":
        cells = next(csv.reader(lines.splitlines()[:1], delimiter=delimiter, skipinitialspace=True), [])
        meant = [column_meant(cell) for cell in cells]
        place = places(cells, meant)
        if "file" in place or not place.keys() >= {"start", "tags"} or not place.keys() & {"end", "duration"}:
            continue
        last = "end" if "end" in place else "duration"
        found: list[tuple[float, float, str, str]] = []
        table = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, skipinitialspace=True)
        for row in [one for one in table if any(cell.strip() for cell in one)][1:]:
            if not found and any(_names_a_file(cell) for cell in row):
                return None  # of several recordings, in a column of another name
            start, end = seconds_of(row[place["start"]]), seconds_of(row[place[last]])
            if start is None or end is None:
                raise ValueError
            start, end = start * meant[place["start"]][1], end * meant[place[last]][1]
            said = row[place["tags"]] if place["tags"] < len(row) else ""
            found.append((start, end + start * (last == "duration"), spreadsheets.unguarded(said), ""))
        return found
    return None


def _elan(text: str, suffix: str) -> _Found | None:
    """Tab export: tier, (participant,) begin, end and duration in one to three formats each, text; the header is optional."""
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    if suffix not in (".txt", ".tsv", ".tab", ".csv") or len(rows) == 0 or min(map(len, rows)) < 4:
        return None
    if any("begin time" in cell.casefold() for cell in rows[0]):
        rows = rows[1:]
    elif all(_decimal(cells[0]) is not None and ":" not in "".join(cells[1:-1]) for cells in rows):
        return None  # times stand first: a layer of Sonic Visualiser
    found = []
    last = all(len(cells) > 4 and _names_a_file(cells[-1]) for cells in rows)
    first = not last and all(_names_a_file(cells[0]) for cells in rows)
    for cells in rows:
        file = ""
        if last or first:  # a table of several recordings
            file, cells = (cells[-1], cells[:-1]) if last else (cells[0], cells)
            file = re.sub(r"\.eaf\s*$", "", file, flags=re.IGNORECASE)
        times = [cell.strip() for cell in cells[1:-1] if re.fullmatch(r"\s*[\d:]*\d(?:\.\d*)?\s*", cell)]
        values = [_clock(cell) for cell in times]
        # begin, end and perhaps duration, in as many formats each; the text comes last
        size = len(values) // 3 if values and len(values) % 3 == 0 and _lasts(values) else len(values) / 2
        if not size or size != int(size):
            return None
        found.append((values[0], values[int(size)], cells[-1], file))
    return found


def _names_a_file(cell: str) -> bool:
    """Whether a cell is the name of a recording, or of what ELAN keeps its annotations in."""
    return names_sound(cell, ".eaf")


def _lasts(values: list[float]) -> bool:
    """Whether these are beginnings, ends and durations."""
    size = len(values) // 3
    return abs(values[size] - values[0] - values[2 * size]) < 0.01


def _clock(cell: str) -> float:
    """Seconds of ``00:00:01.500``, ``1.5``, or of milliseconds in a whole number."""
    if ":" not in cell and "." not in cell:
        return int(cell) / 1000
    seconds = seconds_of(cell)
    if seconds is None:
        raise ValueError
    return seconds


def _audacity(text: str, suffix: str) -> _Found | None:
    """start, end, label between tabs; a line that begins with a backslash holds frequencies."""
    if suffix != ".txt":
        return None
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("\\"):
            continue
        cells = line.split("\t")
        if any(cells[3:]):
            return None  # time, value, length and label: a layer of Sonic Visualiser
        start, end = (_decimal(cell) for cell in (*cells, "", "")[:2])
        if start is None or end is None:
            return None
        found.append((start, end, "\t".join(cells[2:3]), ""))
    return found or None


def _lab(text: str, suffix: str) -> _Found | None:
    """start, end, label between blanks, as MIREX and HTK have it; HTK counts in 100 ns, whole numbers."""
    if suffix != ".lab":
        return None
    lines = [line.split(maxsplit=2) for line in text.splitlines() if line.strip()]
    if not lines or any(len(line) < 2 for line in lines):
        return None
    cells = [cell for line in lines for cell in line[:2]]
    htk = all(re.fullmatch("[0-9]{1,14}", cell) for cell in cells) and int(cells[-1]) >= 1_000_000
    times = [int(cell) * 1e-7 if htk else _decimal(cell) for cell in cells]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return None
    labels = [line[2].strip() if len(line) > 2 else "" for line in lines]
    parts = zip(known[::2], known[1::2], labels, strict=True)
    return [(start, end, label, "") for start, end, label in parts]


def _layer(text: str, suffix: str) -> _Found | None:
    """Sonic Visualiser's exported layer: time, (value,) duration, (level,) label between commas or tabs, without a header."""
    if suffix not in (".csv", ".tsv", ".txt"):
        return None
    found: list[tuple[float, float, str, str]] = []
    named = doubtful = False
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text else ","):
        if not cells:
            continue
        if not found and [cell.strip().upper() for cell in cells][:1] == ["TIME"]:
            named = True
            continue
        numbers = [_decimal(cell) for cell in cells]
        if len(cells) < 3 or numbers[0] is None or numbers[-1] is not None or not cells[-1].strip():
            return None
        if len(cells) > 3 and numbers[2] is not None:  # time, value, duration, ..., label
            start, length = numbers[0], numbers[2]
        elif numbers[1] is not None:
            start, length = numbers[0], numbers[1]
            doubtful = not named
        else:
            return None
        found.append((start, start + length, cells[-1], ""))
    if doubtful and all(end > 2 * start for start, end, _, _ in found):
        return _to_their_ends(found)
    return found or None


def _to_their_ends(found: list[tuple[float, float, str, str]]) -> _Found:
    """Labels whose second numbers were taken for lengths and are ends: they lie one behind the other, as those of such lengths
    would not. Raises ``_EndOrLength`` where that does not tell."""
    ends = sorted((start, end - start, label, file) for start, end, label, file in found)
    as_ends = all(one[1] <= other[0] + NEAR for one, other in pairwise(ends))
    as_lengths = all(one[0] + one[1] <= other[0] + NEAR for one, other in pairwise(ends))
    if as_lengths or not as_ends:
        raise _EndOrLength
    return ends


def _decimal(cell: str) -> float | None:
    cell = cell.strip().replace(",", ".")
    return float(cell) if re.fullmatch(r"-?\d{1,9}(?:\.\d*)?(?:[eE][-+]?\d{1,2})?", cell) else None


_READERS: tuple[Callable[[str, str], _Found | None], ...] = (
    _jams,
    _textgrid,
    _svl,
    _tables,
    _headed,
    _audacity,
    _lab,
    _elan,
    _layer,
)


# ---- writing --------------------------------------------------------------------------------------------


def write_annotations(
    segments: Sequence[Segment], kind: str, file: str = "clip.wav", seconds: float = 0.0
) -> bytes:
    """Segments as an annotation file (one of ``KINDS``), times to a microsecond, in their order; UTF-8.

    file: name of the recording, for the kinds that name it
    seconds: its length, for the kinds that say it; where the last segment ends later, that is said

    A label's tabs and line breaks become blanks; one that would be read as several tags, or as none, is put into quotes, but for
    BirdNET, whose species are read whole. TextGrids have a tier a label, and one tier more for each overlap of a
    label with itself. Raises ValueError for another kind.
    """
    clean = [
        Segment(round(one.start, 6), round(max(one.end, one.start), 6), " ".join(one.label.split()))
        for one in segments
    ]
    told = [replace(one, label=written_tags([one.label])) for one in clean]
    length = max((one.end for one in clean), default=0.0)
    length = max(length, round(seconds, 6))
    writers = {
        "csv": lambda: _segments_sheet(clean, file),
        "audacity": lambda: _lines(f"{one.start:.6f}\t{one.end:.6f}\t{one.label}" for one in told),
        "raven": lambda: _raven(told, file),
        "birdnet": lambda: _birdnet(clean, file),
        "sonic-visualiser": lambda: _write_svl(told),
        "elan": lambda: _lines(
            f"tags\t\t{one.start:.6f}\t{one.end:.6f}\t{one.end - one.start:.6f}\t{one.label}" for one in told
        ),
        "jams": lambda: _write_jams(told, file, length),
        "textgrid": lambda: _write_textgrid(told, length or 1.0),
    }
    if kind not in writers:
        raise ValueError(f"no kind of annotation file: {kind}")
    return writers[kind]()


def _segments_sheet(segments: Sequence[Segment], file: str) -> bytes:
    """``file,start,end,label``, as ``read_sheet`` reads it and spreadsheets open it: UTF-8 with a byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["file", "start", "end", "label"])
    for one in segments:
        label = spreadsheets.cell(written_tags([one.label]))
        writer.writerow([spreadsheets.cell(file), f"{one.start:.6f}", f"{one.end:.6f}", label])
    return out.getvalue().encode("utf-8-sig")


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _raven(segments: Sequence[Segment], file: str) -> bytes:
    head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tAnnotation"
    rows = (
        f"{number}\tSpectrogram 1\t1\t{one.start:.6f}\t{one.end:.6f}\t0.0\t22050.0\t{file}\t{one.label}"
        for number, one in enumerate(segments, start=1)
    )
    return _lines((head, *rows))


def _birdnet(segments: Sequence[Segment], file: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Start (s)", "End (s)", "Scientific name", "Common name", "Confidence", "File"])
    for one in segments:
        label = spreadsheets.cell(one.label)
        writer.writerow([f"{one.start:.6f}", f"{one.end:.6f}", label, label, "", spreadsheets.cell(file)])
    return out.getvalue().encode()


def _write_svl(segments: Sequence[Segment]) -> bytes:
    """A region layer. Its times are whole frames, of a microsecond here, so that nothing is rounded."""
    rate = 1_000_000
    points = "".join(
        f'<point frame="{round(one.start * rate)}" value="0" duration="{round(one.end * rate) - round(one.start * rate)}" '
        f"label={quoteattr(one.label)}/>"
        for one in segments
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sonic-visualiser>\n<sv><data>'
        f'<model id="1" name="" sampleRate="{rate}" start="0" end="0" type="sparse" dimensions="3" resolution="1" '
        'notifyOnAdd="true" dataset="2" subtype="region" valueQuantization="0" minimum="0" maximum="0" units=""/>'
        f'<dataset id="2" dimensions="3">{points}</dataset></data>'
        '<display><layer id="3" type="regions" name="Regions" model="1"/></display></sv>\n'
    ).encode()


def _write_jams(segments: Sequence[Segment], file: str, seconds: float) -> bytes:
    data = [
        {"time": one.start, "duration": round(one.end - one.start, 6), "value": one.label, "confidence": None}
        for one in segments
    ]
    metadata = {
        "title": file,
        "artist": "",
        "release": "",
        "duration": seconds,
        "identifiers": {},
        "jams_version": "0.3.4",
    }
    annotation = {
        "annotation_metadata": {
            "curator": {"name": "", "email": ""},
            "annotator": {},
            "version": "",
            "corpus": "",
            "annotation_tools": "mirdemo",
            "annotation_rules": "",
            "validation": "",
            "data_source": "program",
        },
        "namespace": "tag_open",
        "data": data,
        "sandbox": {},
        "time": 0,
        "duration": seconds,
    }
    told = {"annotations": [annotation], "file_metadata": metadata, "sandbox": {}}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _write_textgrid(segments: Sequence[Segment], total: float) -> bytes:
    tiers: list[tuple[str, list[Segment]]] = []
    for one in sorted(segments, key=lambda one: (one.start, one.end)):
        if one.end <= one.start or not one.label:
            continue  # an interval has a length, and one without a text is a pause
        for name, those in tiers:
            if name == one.label and those[-1].end <= one.start:
                those.append(one)
                break
        else:
            tiers.append((one.label, [one]))
    tiers = tiers or [("tags", [])]  # Praat reads none without a tier
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {total:.6f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, those) in enumerate(tiers, start=1):
        filled, at = [], 0.0
        for one in those:
            filled += [Segment(at, one.start, "")] * (one.start > at) + [one]
            at = one.end
        filled += [Segment(at, total, "")] * (total > at)
        quoted = name.replace('"', '""')
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{quoted}"']
        lines += [
            "        xmin = 0",
            f"        xmax = {total:.6f}",
            f"        intervals: size = {len(filled)}",
        ]
        for at_interval, one in enumerate(filled, start=1):
            quoted = one.label.replace('"', '""')
            lines += [f"        intervals [{at_interval}]:", f"            xmin = {one.start:.6f}"]
            lines += [f"            xmax = {one.end:.6f}", f'            text = "{quoted}"']
    return _lines(lines)
