"""Numbers as people type them: a decimal comma is no thousands comma."""

from __future__ import annotations

import pytest

from mirdemo.base.typed import typed_number


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("3.5", 3.5),
        ("3,5", 3.5),
        ("0,05", 0.05),
        ("0,500", 0.5),
        ("1,500", 1500),
        ("1,000,000", 1e6),
        ("1,500.25", 1500.25),
        ("1500,25", 1500.25),
        (" -2 ", -2),
        ("\u22122", -2),
        ("\uff13\uff0e\uff15", 3.5),
        ("1e3", 1000),
    ],
)
def test_a_number_is_read_as_it_was_meant(typed: str, meant: float):
    assert typed_number(typed) == meant


@pytest.mark.parametrize("typed", ["", "three", "1.500,25", "1,2,3", "3,5 min"])
def test_what_is_none_or_could_be_two_is_not_guessed(typed: str):
    with pytest.raises(ValueError, match=r"^"):
        typed_number(typed)
