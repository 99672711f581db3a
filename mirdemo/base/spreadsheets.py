"""Cells that a spreadsheet takes for text: one rule for every table that leaves here."""

from __future__ import annotations

from typing import Any

#: What a formula may begin with, blanks before it or not.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def unguarded(text: str) -> str:
    """A cell that was read, without the quote that ``cell`` put before it."""
    return text[1:] if text[1:] and cell(text[1:]) == text else text


def cell(value: Any) -> Any:
    """Blank for missing; a quote before a text that a spreadsheet would run as a formula; anything else as it is."""
    if value is None:
        return ""
    if isinstance(value, str) and (value.startswith(FORMULA) or value.lstrip().startswith(FORMULA)):
        return "'" + value
    return value
