"""Seeded damage to texts, zips and JSON, as broken saves and hostile files have it."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sound_damage import damaged

from mirdemo.base.sentences import MirdemoError
from mirdemo.words.language import speaker

Read = TypeVar("Read")

#: What breaks readers of text: numbers that are none, ends of cells and lines, marks of other formats.
_PIECES = (
    *("1e999", "-1", "nan", "inf", "0x10", "1:2:3:4", "99999999999", "", "٣", "１", "\ufeff", "\u2028", "\x00", "\x1a"),
    *(",", "\t", ";", "|", '"', "'", '""', "\r", "\n", "\r\n", "\\", "=1+1", "<", ">", "&amp;", "&#0;", "[", "]", "{", "}"),
    *("file", "tags", "start", "sep=;\n", "xmin = ", "<point frame=", '"annotations":', "]" * 300, "[" * 300, "x" * 5_000),
)  # fmt: skip


def text_damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """One mutation of a text: pieces put in, cells exchanged, lines repeated, taken out or cut; at times of its bytes."""
    if rng.random() < 0.3:
        return damaged(data, b"File,Start (s),End (s)\n0,1,2\n", rng)
    text = data.decode("utf-8-sig")
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(text) + 1))
        lines = text.splitlines(keepends=True) or [""]
        line = int(rng.integers(0, len(lines)))
        match int(rng.integers(0, 5)):
            case 0:
                piece = _PIECES[int(rng.integers(0, len(_PIECES)))]
                text = text[:at] + piece + text[at + int(rng.integers(0, 6)) :]
            case 1:
                text = "".join(lines[:line] + lines[line + 1 :])
            case 2:
                text = "".join(lines[: line + 1] + lines[line : line + 1] * 3 + lines[line + 1 :])
            case 3:
                text = "".join([*lines[line:], *lines[:line]])
            case 4:
                text = text[:at]
    encodings = ("utf-8", "utf-16", "utf-16-be", "cp932", "latin-1", "utf-8-sig")
    return text.encode(encodings[int(rng.integers(0, len(encodings)))], "replace")


def zip_damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """One mutation of a zip: of its bytes; or of one of its files, taken out, twice, under another name or damaged inside."""
    if rng.random() < 0.4:
        return damaged(data, data[::-1], rng)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        names = archive.namelist()
        chosen = names[int(rng.integers(0, len(names)))]
        how = int(rng.integers(0, 5))
        for name in names:
            content = archive.read(name)
            if name != chosen:
                made.writestr(name, content)
            elif how == 0:
                made.writestr(("../" * 3 + name, "/" + name, name + "\x07", "C:/" + name, "x/" * 40 + name)[int(rng.integers(0, 5))], content)  # fmt: skip
            elif how == 1:
                made.writestr(name, content)
                made.writestr(name + " ", content)
            elif how == 2:
                made.writestr(
                    name, text_damaged(content, rng) if content.isascii() else damaged(content, content, rng)
                )
            elif how == 3:
                made.writestr(name, damaged(content, content, rng))
    return out.getvalue()


_VALUES = (
    None,
    True,
    -1,
    2**63,
    1e308,
    "",
    "x" * 5_000,
    "\x00",
    "\ud800",
    [],
    {},
    [[[[]]]],
    {"a": {}},
    "right",
)


def json_damaged(plain: Any, rng: np.random.Generator) -> Any:
    """A copy of which one to three values, anywhere in it, are others, taken out or twice."""
    plain = copy.deepcopy(plain)
    for _ in range(int(rng.integers(1, 4))):
        inside = plain
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                break
            key = keys[int(rng.integers(0, len(keys)))]
            if isinstance(inside[key], (dict, list)) and rng.random() < 0.7:
                inside = inside[key]
                continue
            how = int(rng.integers(0, 4))
            if how == 0:
                del inside[key]
            elif how == 1 and isinstance(inside, list):
                inside.insert(0, inside[key])
            elif how == 2:
                inside[key] = inside[keys[int(rng.integers(0, len(keys)))]]
            else:
                inside[key] = copy.deepcopy(_VALUES[int(rng.integers(0, len(_VALUES)))])
            break
    return plain


def read_or_refused(read: Callable[[], Read], refusal: type[MirdemoError]) -> Read | None:
    """What was read; None where it was refused in a sentence. Whatever else is raised passes."""
    try:
        return read()
    except refusal as error:
        said = error.sentence
    assert str(said).endswith(".")
    assert str(speaker("ja").say(said))
    return None
