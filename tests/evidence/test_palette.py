"""Traditions that have no colour of their own: a stranger's corpus shows, each in its own way."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mirdemo.evidence import palette


def test_as_many_strange_traditions_as_there_are_pairs_of_colour_and_shape_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
):
    strangers = [f"tradition {n}" for n in range(len(palette.MORE) * len(palette.MORE_SYMBOLS))]
    monkeypatch.setattr(
        palette, "catalogue", lambda: {name: SimpleNamespace(tradition=name) for name in strangers}
    )
    pairs = {(palette.colour(name), palette.symbol(name)) for name in strangers}
    assert len(pairs) == len(strangers)
    assert {colour for colour, _ in pairs} == set(palette.MORE)
    assert {symbol for _, symbol in pairs} == set(palette.MORE_SYMBOLS)
    assert not set(palette.MORE) & set(palette.COLOURS.values())
    assert not set(palette.MORE_SYMBOLS) & set(palette.SYMBOLS.values())
