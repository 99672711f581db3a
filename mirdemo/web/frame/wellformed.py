"""Text from outside that can be written out again: no half of a surrogate pair.

JSON may name one half of a pair (``"\\ud800"``). Python takes it for a character, but it has no UTF-8: every answer
that quotes it would fail, a page that shows it would stay broken for as long as it is remembered.
"""

from __future__ import annotations

import re
from typing import Any

_HALF = re.compile("[\\ud800-\\udfff]")
#: How deep a value may be nested before its inside is dropped; the page sends three levels.
DEPTH = 12


def text(value: str) -> str:
    """The same with U+FFFD for each half of a pair."""
    return _HALF.sub("\ufffd", value)


def value(sent: Any, depth: int = DEPTH) -> Any:
    """The same value, of what JSON has, with ``text`` for every string in it; None for what is nested too deep."""
    if isinstance(sent, str):
        return text(sent)
    if isinstance(sent, dict):
        return {text(str(k)): value(v, depth - 1) for k, v in sent.items()} if depth else None
    if isinstance(sent, list):
        return [value(one, depth - 1) for one in sent] if depth else None
    return sent
