"""What is downloaded is exactly what is shown."""

from __future__ import annotations

import csv
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.corpora.catalogue import catalogue
from mirdemo.evidence import download, drawing, opened, selection
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.words.language import speaker

CHOSEN = Selection(metric="map", corpora=("lyra",))


def test_csv_and_json_hold_the_same_figures_as_the_view():
    chosen = CHOSEN
    shown = list(selection.shown(selection.base(), chosen))
    assert len(shown) == drawing.view(chosen, "en").n_figures > 0
    rows = list(csv.DictReader(io.StringIO(download.as_csv(chosen))))
    assert [float(r["value"]) for r in rows] == [r.value for r in shown]
    assert [results.from_dict(r) for r in json.loads(download.as_json(chosen))] == shown
    assert {r["low"] for r in rows} == {""}


@pytest.mark.parametrize("chosen", [CHOSEN, Selection(metric="macro_f1"), Selection()])
def test_a_download_holds_what_is_drawn_and_nothing_of_another_metric(chosen):
    everything = [results.from_dict(r) for r in json.loads(download.as_json(chosen))]
    rows = [r for r in everything if not r.apart]  # those have charts of their own, whatever metric is chosen
    assert {r.metric for r in rows if r.tag is None and r.method != "fewshot"} == {chosen.metric}
    assert {r.metric for r in rows if r.method == "fewshot"} == {"macro_f1"}
    assert {r.metric for r in rows if r.tag is not None} == {"f1", "precision", "recall"}
    charts = dict(drawing.view(chosen, "en").charts)
    cells = [cell.value for _, row in charts["overview"].table.rows for cell in row if cell is not None]
    probes = [r for r in rows if r.corpus not in catalogue()]
    overall = [r for r in rows if r.tag is None and r.method != "fewshot" and r not in probes]
    assert sorted(cells) == sorted(r.value for r in overall)
    assert {(r.method, r.whitening) for r in probes} <= {("probe", None)}
    lines = [t for t in json.loads(charts["fewshot"].json)["data"] if t["x"] != [None]]
    points = {(r.corpus, r.setting["few_shot"], r.setting["n_way"]) for r in rows if r.method == "fewshot"}
    assert sum(len(line["x"]) for line in lines) == len(points)
    key = next(f"{r.corpus}/{r.tag}" for r in rows if r.tag is not None)
    told = opened.opened(selection.base(), key, results.citations(), speaker("en"))
    of_tag = [r for r in rows if f"{r.corpus}/{r.tag}" == key]
    assert sum(len(line.figures) for line in told.lines) == len(of_tag)


def test_a_report_that_forty_ask_for_at_once_is_made_once(monkeypatch: pytest.MonkeyPatch):
    from mirdemo.evidence import report

    made: list[tuple[selection.Selection, str]] = []

    def make(chosen: selection.Selection, language: str, own: object = None) -> str:
        made.append((chosen, language))
        time.sleep(0.02)  # long enough for others to ask meanwhile
        return f"report in {language}"

    monkeypatch.setattr(report, "evidence_report", make)
    report._everybodys.clear()
    try:
        client = TestClient(Starlette(routes=[report.report_route()]))

        def ask(number: int) -> str:
            language = ("en", "ja")[number % 2]
            return client.get(f"/evidence/report.html?metric=map&language={language}&utm={number}").text

        with ThreadPoolExecutor(8) as asking:
            told = set(asking.map(ask, range(40)))
        assert sorted(language for _, language in made) == ["en", "ja"]
        assert told == {"report in en", "report in ja"}
    finally:
        report._everybodys.clear()
