"""Sentences one after another: English parts them by a space; Japanese stops and colons bring their own room.

A template parts them by the space that stands between two of its fields. ``mark_gaps`` marks such a space before the template
is compiled, and ``closed_up`` takes it away behind a Japanese stop: what a visitor has typed is none
of a template's spaces, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Stands before a template's own space until the text is whole: a code point that Unicode gives to no character.
_MARK = "\ufdd0"
_ENDS = ("。", "、", "：", "！", "？")
_GAP = re.compile(r"^\s+|(?<=>)\s+|\s+(?=<)|\s+$")
_AFTER_A_STOP = re.compile(rf"(?<=[{''.join(_ENDS)}])(?:</\w+>|{_MARK}\s+)+")
_MARKED_GAP = re.compile(rf"{_MARK}\s+")


def mark_gaps(source: str) -> str:
    """A piece of a template between two fields, its outer spaces and those beside tags marked."""
    return _GAP.sub(rf"{_MARK}\g<0>", source)


def closed_up(text: str) -> str:
    """What a template with marks gave, without them."""
    if _MARK not in text:
        return text
    return _AFTER_A_STOP.sub(lambda found: _MARKED_GAP.sub("", found[0]), text).replace(_MARK, "")


def in_a_row(sentences: Iterable[str]) -> str:
    """Sentences of one language as one text; empty ones are left out."""
    whole = ""
    for one in filter(None, sentences):
        whole = one if not whole else whole + ("" if whole.endswith(_ENDS) else " ") + one
    return whole
