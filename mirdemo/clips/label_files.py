"""Files that label others: sheets and annotation files, among whatever lies beside the sound, and what to say of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import PurePosixPath

from mirdemo.base.sentences import Sentence
from mirdemo.clips.annotations import ANNOTATION_SUFFIXES, annotated_stem, read_annotations
from mirdemo.clips.archives import Entry, letters_lost
from mirdemo.clips.encodings import shown
from mirdemo.clips.finding import Finder
from mirdemo.clips.limits import ClipLimits, ClipsError
from mirdemo.clips.marks import read_marked
from mirdemo.clips.sheets import OTHER_SHEETS, SHEET_SUFFIXES, Row, Sheet, read_sheet
from mirdemo.clips.tags import typed_tags
from mirdemo.sound.audio import display_name

_WORDS_SHOWN = 3


@dataclass
class Labels:
    """What the sheets and annotation files of a tree say.

    rows: each with the folder of its file; used: the files that these and ``unusable`` come from
    unusable: why some cannot be used, and what is to be known of the others; sheets: how many label whole files
    naming: whether one says itself which files it is about; about: recordings that annotation files are called after
    """

    rows: list[tuple[Row, PurePosixPath]] = field(default_factory=list)
    used: list[Entry] = field(default_factory=list)
    unusable: list[Sentence] = field(default_factory=list)
    sheets: int = 0
    naming: bool = False
    about: set[PurePosixPath] = field(default_factory=set)


def labels_among(tables: Sequence[Entry], rest: Sequence[Entry], limits: ClipLimits) -> Labels:
    """What files that may hold labels say, beside the rest of a tree."""
    names = [part for entry in rest for part in (entry.path.name, *entry.path.parent.parts)]
    found = Labels()
    finder = Finder([entry.path for entry in rest])
    for entry in tables:
        try:
            if entry.size > limits.max_sheet_bytes:
                read_sheet(b"\0" * (limits.max_sheet_bytes + 1), entry.path.name, limits)  # refuses
            content = entry.open()
            data = content if isinstance(content, bytes) else content.read_bytes()
            sheet = read_labels(data, entry.path.name, limits, names)
        except ClipsError as error:
            said = error.sentence.code in (
                "clips.annotations_damaged",
                "clips.end_or_length",
                "clips.no_annotation_column",
                "clips.sheet_empty",
            )
            if said or entry.path.suffix.lower() not in ANNOTATION_SUFFIXES:
                found.unusable.append(error.sentence)
                found.used.append(entry)
            continue
        except OSError:
            continue
        found.used.append(entry)
        own = annotated_stem(entry.path.name)
        if all(row.file == own for row in sheet.rows):
            try:
                found.about.add(rest[finder.find(own, entry.path.parent)].path)
            except ClipsError as error:
                found.unusable.append(_of_nothing(entry, error))
                continue
        else:
            found.naming = True
        found.sheets += any(row.start is None for row in sheet.rows)
        found.rows += [(row, entry.path.parent) for row in sheet.rows]
        found.unusable += notes_on(sheet, entry.path.name)
    return found


def _of_nothing(entry: Entry, error: ClipsError) -> Sentence:
    """Why an annotation file cannot be used whose recording is not found, or is one of several."""
    if error.sentence.code != "clips.file_not_found":
        return error.sentence
    return Sentence(
        "{name} labels parts of a recording, but no recording here is called so. Call it as its recording, or leave it out.",
        "clips.annotates_nothing",
        {"name": display_name(entry.path.name)},
    )


def read_labels(data: bytes, name: str, limits: ClipLimits, names: Collection[str] = ()) -> Sheet:
    """A sheet or an annotation file, of at least one row. Raises ``ClipsError`` if it is neither."""
    kind = OTHER_SHEETS.get(PurePosixPath(name).suffix.lower())
    try:
        found = read_sheet(data, name, limits, names)
    except ClipsError as error:
        annotated = read_annotations(data, name, limits, names)
        if annotated is None and kind is None:
            annotated = read_marked(data, name, limits, names)
        if annotated is None and kind is not None:
            raise ClipsError(
                "{name} is of a kind that we do not read labels from ({kind}). Save them as CSV (UTF-8) or as an Excel "
                "workbook (.xlsx), or leave the file out.",
                code="clips.other_sheet",
                name=name,
                kind=kind,
            ) from None
        if annotated is None:
            raise error from None
        found = annotated
    if not found.rows:
        raise ClipsError(
            "{name} names no file and labels nothing. Fill it in, or leave it out.",
            code="clips.sheet_empty",
            name=name,
        )
    return found


def may_label(name: str) -> bool:
    """Whether a file of this name may hold labels, by its ending; also of a kind that is not read, which is said then."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in SHEET_SUFFIXES or suffix in ANNOTATION_SUFFIXES or suffix in OTHER_SHEETS


def notes_on(sheet: Sheet, name: str) -> list[Sentence]:
    """What a person should know of a sheet: columns that may hold tags and were not read, and how its letters were read where that
    had to be guessed or some are lost."""
    found = _encoding_note(sheet, name)
    if sheet.nameless:
        found.append(
            Sentence(
                "Lines of {name} that have tags but name no file, which were left out: {count}. Write the file's name into each "
                "line.",
                "clips.lines_without_file",
                {"name": name, "count": sheet.nameless},
            )
        )
    if sheet.marked:
        found.append(
            Sentence(
                "{name} has a column for each tag, and a sign where a recording has it: {tags}.",
                "clips.column_a_tag",
                {"name": name, "tags": ", ".join(sheet.marked)},
            )
        )
    if sheet.aside:
        found.append(
            Sentence(
                "Columns of {name} that hold no such signs and were not read: {others}.",
                "clips.columns_aside",
                {"name": name, "others": ", ".join(sheet.aside)},
            )
        )
    if sheet.unread:
        found.append(
            Sentence(
                "{name} has several columns that may hold tags. Read: {column}. Not read: {others}. To read them too, give them "
                "the same name.",
                "clips.columns_unread",
                {"name": name, "column": sheet.unread[0], "others": ", ".join(sheet.unread[1:])},
            )
        )
    return found


def _encoding_note(sheet: Sheet, name: str) -> list[Sentence]:
    odd = [cell for row in sheet.rows for cell in (row.tags, row.recording, row.file) if not cell.isascii()]
    if lost := letters_lost(name, odd):
        return [lost]
    if not sheet.others or not odd:
        return []
    return [
        Sentence(
            "{name} does not say how its letters are written; they were read as {encoding}: {words}. If that is wrong, save "
            "it in UTF-8.",
            "clips.encoding_guessed",
            {
                "name": name,
                "encoding": shown(sheet.encoding),
                "codec": sheet.encoding,
                "others": " ".join(sheet.others),
                "words": ", ".join(list(dict.fromkeys(odd))[:_WORDS_SHOWN]),
            },
        )
    ]


def spans_of(rows: Sequence[Row], limits: ClipLimits) -> list[tuple[float, float, tuple[str, ...]]]:
    """The rows of one file as spans; a row about the whole file spans all. Raises ``ClipsError`` for bad tags."""
    return [
        (row.start or 0.0, inf if row.end is None else row.end, typed_tags(row.tags, limits)) for row in rows
    ]


def said_of(
    rows: Sequence[Row], start: float, end: float, recording: str | None, session: str
) -> tuple[str | None, str]:
    """The recording and the session that a piece of a file is of: those of the first row about it that names one, for a tape may
    hold several; else the ones given."""
    middle = (start + end) / 2
    about = [row for row in rows if (row.start or 0.0) <= middle <= (inf if row.end is None else row.end)]
    return (
        next((row.recording for row in about if row.recording), recording),
        next((row.session for row in about if row.session), session),
    )
