"""Sheets with a column for each tag: a sign, such as 1 or x, where a recording has it, as MagnaTagATune's and many a hall's list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.sheets import COLUMNS, LINES_ABOVE, Row, Sheet, column_meant, span_of, tables
from mirdemo.clips.tags import clean_text, same, written_tags
from mirdemo.sound.files import SOUND_SUFFIXES

_YES = frozenset(
    [
        "1",
        "1.0",
        "x",
        "✓",
        "✔",
        "☑",
        "y",
        "yes",
        "t",
        "true",
        "j",
        "ja",
        "oui",
        "si",
        "sí",
        "sim",
        "evet",
        "tak",
        "да",
        "はい",
        "有",
        "あり",
        "有り",
        "○",
        "〇",
        "◯",
        "●",
        "◎",
        "是",
        "예",
    ]
)
_NO = frozenset(
    [
        "",
        *[
            "0",
            "0.0",
            "-",
            "–",
            "—",
            "☐",
            "n",
            "no",
            "f",
            "false",
            "nein",
            "non",
            "não",
            "hayır",
            "nie",
            "нет",
            "いいえ",
            "無",
            "なし",
            "無し",
            "否",
            "아니요",
            "na",
            "n/a",
            "nan",
        ],
    ]
)
#: Says no beside circles, and yes where a hand made a cross.
_CROSS = "×"
_CIRCLES = frozenset("○〇◯●◎")


def read_marked(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Sheet | None:
    """The rows of such a sheet, as ``sheets.read_sheet`` gives them; None if it is none. Raises ``ClipsError``.

    A column is a tag if all its cells say yes or no; both must be said somewhere. The file stands in a column that is called so, or in which
    each cell ends as sound does. Recording, session and times are read as in other sheets.
    """
    for text, table, _ in tables(data, name, limits, names):
        lines = list(table)
        for at, header in enumerate(lines[:LINES_ABOVE]):
            body = [cells for cells in lines[at + 1 :] if any(cell.strip() for cell in cells)]
            found = _find(header, body)
            if found is not None:
                rows = _rows(found, body, name, limits)
                named = tuple(row for row in rows if row.file)
                return Sheet(
                    named,
                    text.encoding,
                    text.others,
                    nameless=len(rows) - len(named),
                    marked=tuple(found.tags.values()),
                    aside=found.aside,
                )
    return None


@dataclass(frozen=True)
class _Columns:
    """place, unit: of the columns that we know; tags: where a column is a tag -> its name; yes: the signs that say yes"""

    place: dict[str, int]
    unit: dict[str, float]
    tags: dict[int, str]
    yes: frozenset[str]
    aside: tuple[str, ...]


def _find(header: Sequence[str], body: Sequence[Sequence[str]]) -> _Columns | None:
    if len(header) < 2 or not body:
        return None
    cells = [[_sign(row[at]) if at < len(row) else "" for row in body] for at in range(len(header))]
    crossed = any(_CROSS in column for column in cells)
    circled = crossed and any(not _CIRCLES.isdisjoint(column) for column in cells)
    yes, no = (_YES, _NO | {_CROSS}) if circled else (_YES | {_CROSS}, _NO)
    place, unit, tags, aside = dict[str, int](), dict[str, float](), dict[int, str](), list[str]()
    for at, head in enumerate(header):
        meant, seconds = column_meant(head)
        if meant in COLUMNS and meant != "tags":
            place.setdefault(meant, at)
            unit.setdefault(meant, seconds)
        elif _sign(head) and _sign(head) not in yes | no and any(cells[at]) and set(cells[at]) <= yes | no:
            tags[at] = head.strip()
        elif "file" not in place and _all_sound([row[at] for row in body if at < len(row)]):
            place["file"] = at
        elif head.strip():
            aside.append(head.strip()[:40])
    said = {cell for at in tags for cell in cells[at]}
    # Without a no, x may be what a genre is called.
    is_one = "file" in place and not said.isdisjoint(yes) and not said.isdisjoint(no)
    return _Columns(place, unit, tags, yes, tuple(aside)) if is_one else None


@lru_cache(4096)
def _sign(cell: str) -> str:
    """A cell as signs are compared: without case and Unicode width."""
    try:
        return same(clean_text(cell)).casefold()
    except ClipsError:
        return cell


def _all_sound(cells: Collection[str]) -> bool:
    named = [cell.strip().replace("\\", "/") for cell in cells if cell.strip()]
    return bool(named) and all(PurePosixPath(cell).suffix.lower() in SOUND_SUFFIXES for cell in named)


def _rows(found: _Columns, body: Sequence[Sequence[str]], name: str, limits: ClipLimits) -> list[Row]:
    rows: list[Row] = []
    for cells in body:
        own = {column: cells[at].strip() if at < len(cells) else "" for column, at in found.place.items()}
        tags = [tag for at, tag in found.tags.items() if at < len(cells) and _sign(cells[at]) in found.yes]
        start, end = span_of(own, found.unit, name)
        rows.append(
            Row(own["file"], written_tags(tags), own.get("recording", ""), own.get("session", ""), start, end)
        )
        limits.check_entries(name, len(rows))
    return rows
