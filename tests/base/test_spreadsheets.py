"""No table that leaves here holds a formula, and none spoils what is none."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from mirdemo.base import spreadsheets
from mirdemo.base.spreadsheets import cell, unguarded


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_would_run_is_quoted(text):
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["", "drum", "1 - 2", "'=1", 0, -0.5, "makam--Hicaz", " raga"])
def test_anything_else_is_left_as_it_is(value):
    assert cell(value) == value


def test_missing_is_blank():
    assert cell(None) == ""


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "\t=1", "drum", "'=1", "'", "", "'quoted'"])
def test_what_was_written_reads_back(text):
    assert text.startswith("'=") or unguarded(cell(text)) == text


#: Tables of words that are all our own.
OURS = {"mirdemo/synth/festival.py"}


def test_every_table_that_leaves_here_is_written_by_that_rule():
    """A module that writes CSV uses ``cell``; one that comes later is seen here without being named."""
    root = Path(spreadsheets.__file__).parents[2]
    found = {}
    for path in sorted((root / "mirdemo").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(r"csv\.(writer|DictWriter)\(|\.to_csv\(", text):
            found[str(path.relative_to(root))] = re.search(
                r"\bspreadsheets\.cell\(|spreadsheets import [^\n]*\bcell\b", text
            )
    assert len(found) >= 6
    assert {name for name, guarded in found.items() if not guarded} == OURS


def test_annotations_as_csv_hold_no_formula_and_read_back():
    from mirdemo.clips.annotations import _birdnet
    from mirdemo.clips.segments import Segment

    out = _birdnet([Segment(0.0, 1.0, "=1+1")], "=x.wav").decode()
    (_, row) = csv.reader(io.StringIO(out))
    assert [value for value in row if value.startswith("=")] == []
