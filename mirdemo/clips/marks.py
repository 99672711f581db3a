"""Sheets with a column for each tag: a sign, such as 1 or x, where a recording has it, as MagnaTagATune's and many a hall's list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mirdemo.base import spreadsheets
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError
from mirdemo.clips.sheets import (
    COLUMNS,
    LINES_ABOVE,
    Header,
    Sheet,
    column_meant,
    names_sound,
    places,
    read_rows,
    tables,
)
from mirdemo.clips.tags import clean_text, same, written_tags

# fmt: off
_YES = frozenset((
    "1", "1.0", "x", "✓", "✔", "☑", "○", "〇", "◯", "●", "◎", "y", "yes", "t", "true", "ja", "oui", "si", "sí", "sim", "evet",
    "tak", "да", "はい", "有", "あり", "有り", "是", "예",
))
_NO = frozenset((
    "", "0", "0.0", "-", "–", "—", "☐", "n", "no", "f", "false", "na", "n/a", "nan", "nein", "non", "não", "hayır", "nie", "нет",
    "いいえ", "無", "なし", "無し", "否", "아니요",
))
# fmt: on
#: Says no beside circles, and yes where a hand made a cross.
_CROSS = "×"
_CIRCLES = frozenset("○〇◯●◎")
_SIGNS = _YES | _NO | {_CROSS}


def read_marked(
    data: bytes, name: str, limits: ClipLimits = CLIP_LIMITS, names: Collection[str] = ()
) -> Sheet | None:
    """The rows of such a sheet, as ``sheets.read_sheet`` gives them; None if it is none. Raises ``ClipsError``.

    A column is a tag if all its cells say yes or no; both must be said somewhere. The file stands in a column that is called
    so, or in which each cell ends as sound does. Recording, session and times are read as in other sheets.
    """
    for text, table, delimiter in tables(data, name, limits, names):
        lines = list(table)
        for at, cells in enumerate(lines[:LINES_ABOVE]):
            body = lines[at + 1 :]
            found = _find(cells, body)
            if found is None:
                continue
            # Signs become a first column of tags: the rest is a sheet like others.
            told = ([found.tags_of(line), *line] for line in body)
            place = {column: 1 + where for column, where in found.place.items()}
            header = Header(place, found.unit, 1 + len(cells), 1 + at, tags=(0,), files=(place["file"],))
            sheet = read_rows(told, header, text, name, limits, delimiter)
            return replace(sheet, marked=tuple(found.tags.values()), aside=found.aside)
    return None


@dataclass(frozen=True)
class _Columns:
    """place, unit: of the columns that we know; tags: where a column is a tag -> its name; yes: the signs that say yes"""

    place: dict[str, int]
    unit: dict[str, float]
    tags: dict[int, str]
    yes: frozenset[str]
    aside: tuple[str, ...]

    def tags_of(self, cells: Sequence[str]) -> str:
        """One cell for the signs of a line."""
        return written_tags(
            tag for at, tag in self.tags.items() if at < len(cells) and _sign(cells[at]) in self.yes
        )


def _find(header: Sequence[str], body: Sequence[Sequence[str]]) -> _Columns | None:
    meant = [column_meant(head) for head in header]
    place = {
        column: at for column, at in places(header, meant).items() if column in COLUMNS.keys() - {"tags"}
    }
    signs, aside = dict[int, set[str]](), list[str]()
    for at, head in enumerate(header):
        if at in place.values() or not head.strip():
            continue
        cells = (row[at] if at < len(row) else "" for row in body if any(map(str.strip, row)))
        if _sign(head) not in _SIGNS and (said := _signs(cells)):
            signs[at] = said
        elif "file" not in place and _all_sound(row[at] for row in body if at < len(row)):
            place["file"] = at
        else:
            aside.append(head.strip()[:40])
    found = set().union(*signs.values())
    crosses_are_no = not _CIRCLES.isdisjoint(found)
    yes, no = (_YES, _NO | {_CROSS}) if crosses_are_no else (_YES | {_CROSS}, _NO)
    # Without a no, x may be what a genre is called.
    if "file" not in place or found.isdisjoint(yes) or found.isdisjoint(no):
        return None
    unit = {column: meant[at][1] for column, at in place.items()}
    tags = {at: spreadsheets.unguarded(header[at].strip()) for at in signs}
    return _Columns(place, unit, tags, yes, tuple(aside))


def _signs(cells: Iterable[str]) -> set[str]:
    """What a column says, where each cell is a sign and one is not blank; else nothing. Looks no further than to the first other."""
    found = set[str]()
    for cell in cells:
        sign = _sign(cell)
        if sign not in _SIGNS:
            return set()
        found.add(sign)
    return found if found != {""} else set()


@lru_cache(4096)
def _sign(cell: str) -> str:
    """A cell as signs are compared: without case and Unicode width."""
    try:
        return same(clean_text(cell)).casefold()
    except ClipsError:
        return cell


def _all_sound(cells: Iterable[str]) -> bool:
    named = False
    for cell in cells:
        if cell.strip():
            named = True
            if not names_sound(cell):
                return False
    return named
