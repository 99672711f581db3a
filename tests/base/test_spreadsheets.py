"""No table that leaves here holds a formula, and none spoils what is none."""

from __future__ import annotations

import csv
import io

import pytest

from mirdemo.base.spreadsheets import cell


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_would_run_is_quoted(text):
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["", "drum", "1 - 2", "'=1", 0, -0.5, "makam--Hicaz", " raga"])
def test_anything_else_is_left_as_it_is(value):
    assert cell(value) == value


def test_missing_is_blank():
    assert cell(None) == ""


def test_the_three_tables_write_alike():
    from mirdemo.evidence import download
    from mirdemo.tagger import archive
    from mirdemo.web.tabs.probe import table

    assert download.cell is table.cell is archive.cell is cell
    (read,) = csv.reader(io.StringIO(archive._line([" =1+1", ""]).decode()))
    assert read == ["' =1+1", ""]
