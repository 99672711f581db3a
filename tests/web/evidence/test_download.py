"""What is downloaded is exactly what is shown."""

from __future__ import annotations

import csv
import io
import json

from mirdemo import results
from mirdemo.web.evidence import download, selection
from mirdemo.web.evidence.selection import Selection


def test_csv_and_json_hold_the_same_figures_as_the_view():
    chosen = Selection(corpora=("carnatic",), methods=("probe",))
    shown = list(selection.choose(selection.base(), chosen))
    rows = list(csv.DictReader(io.StringIO(download.as_csv(chosen))))
    assert [float(r["value"]) for r in rows] == [r.value for r in shown]
    assert [results.from_dict(r) for r in json.loads(download.as_json(chosen))] == shown
    assert {r["low"] for r in rows} == {""}


def test_a_cell_that_a_spreadsheet_would_run_is_quoted():
    assert download._cell("=1+1") == "'=1+1"
    assert download._cell("Voice") == "Voice"
    assert download._cell(None) == ""
    assert download._cell(0.0) == 0.0
