"""The charts of the figures that ship, and the reports of stated plans, draw and say what they did on 1 December 2026.

``PYTHONPATH=.:tests:tests/planning python tests/evidence/test_evidence_as_it_was.py`` writes ``evidence_as_it_was.json`` anew, as after new
figures: its difference shows which chart moved, and in which of its traces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered
from planned import CASES as PLANS

from mirdemo.evidence import drawing, selection
from mirdemo.evidence.charting import Chart
from mirdemo.evidence.download import as_csv
from mirdemo.evidence.opened import most_lines, opened, worst_first
from mirdemo.evidence.plan_charts import charts
from mirdemo.evidence.plan_report import plan_report
from mirdemo.evidence.selection import YOURS, Selection
from mirdemo.results import records as results
from mirdemo.results.records import Results
from mirdemo.words.language import speaker

FILE = Path(__file__).with_name("evidence_as_it_was.json")
VIEWS = {
    "first": (Selection(), "en"),
    "precision": (Selection(metric="map"), "ja"),
    "one corpus": (Selection(metric="roc_auc", corpora=("lyra",)), "en"),
    "commercial": (Selection(metric="macro_f1", licence="commercial"), "en"),
    "few-shot": (Selection(metric="macro_f1", methods=("fewshot",)), "en"),
}
REPORTED = ("hands", "another and few-shot", "labels first", "tuned", "tags by hand", "sick")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def leaves(plain: Any) -> Iterator[Any]:
    """In order, names with them."""
    if isinstance(plain, dict):
        for name, value in plain.items():
            yield name
            yield from leaves(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from leaves(value)
    else:
        yield plain


def summed(plain: Any) -> list[Any]:
    """The numbers by their sums, the words by their digest."""
    found = list(leaves(plain))
    numbers = [one for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    words = [one for one in found if isinstance(one, bool | str | None)]
    return [remembered.summed(np.float64(numbers)), digest(repr(words))]


def seen(chart: Chart) -> dict[str, Any]:
    said = {name: value for name, value in asdict(chart).items() if isinstance(value, str) and name != "json"}
    drawn = json.loads(chart.json) if chart.json else {"data": [], "layout": {}}
    rest = {name: value for name, value in asdict(chart).items() if name not in said and name != "json"}
    return {
        "said": said,
        "traces": [summed(trace) for trace in drawn["data"]],
        "layout": summed(drawn["layout"]),
        "rest": summed(json.loads(json.dumps(rest, default=str))),
    }


def own() -> Results:
    """A visitor's two rows, one with an interval."""
    one = next(
        r
        for r in results.shipped()
        if r.versions and r.method == "probe" and (r.tag, r.metric) == (None, "roc_auc")
    )
    mine = replace(
        one, corpus=YOURS, protocol="live", n=12, n_unit="recordings", value=0.8, low=0.7, high=0.9
    )
    return Results((mine, replace(mine, model="Spectral statistics", value=0.6, low=None, high=None)))


def viewed(name: str) -> dict[str, Any]:
    chosen, language = VIEWS[name]
    mine = own() if name == "first" else None
    view = drawing.draw(results.shipped(), chosen, language, own=mine)
    return {name: seen(chart) for name, chart in view.charts} | {
        "n": view.n_figures,
        "models": len(view.models),
    }


def reported(name: str) -> dict[str, Any]:
    """A plan's charts, and its report without what draws it."""
    plan = PLANS[name]()
    html = plan_report(plan, "en", date(2026, 12, 1))
    text = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)
    return {
        "charts": {name: seen(chart) for name, chart in charts(plan, speaker("ja"))},
        "report": re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip(),
    }


def rest() -> dict[str, Any]:
    t, cited = speaker("en"), results.citations()
    records = [r for r in results.shipped() if r.corpus == "lyra" and r.tag is not None]
    tags = sorted({r.tag for r in records})[:3]
    return {
        "opened": [
            digest(repr(opened([r for r in records if r.tag == tag], f"lyra/{tag}", cited, t)))
            for tag in tags
        ],
        "most lines": most_lines(records),
        "worst": digest(repr(worst_first(records, t))),
        "csv": [digest(as_csv(Selection(metric="map", corpora=("lyra",)), own=own()))],
        "shown": len(selection.shown(results.shipped(), VIEWS["commercial"][0])),
    }


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_and_says_what_it_did(name: str):
    remembered.hold(viewed(name), remembered.kept(FILE)[name])


@pytest.mark.parametrize("name", REPORTED)
def test_a_plans_report_says_what_it_said(name: str):
    remembered.hold(reported(name), remembered.kept(FILE)[f"plan {name}"])


def test_what_is_opened_and_downloaded_is_what_it_was():
    remembered.hold(rest(), remembered.kept(FILE)["rest"])


def everything() -> dict[str, Any]:
    return {
        **{name: viewed(name) for name in VIEWS},
        **{f"plan {name}": reported(name) for name in REPORTED},
        "rest": rest(),
    }


if __name__ == "__main__":
    remembered.write(FILE, everything())
