"""The table of figures: one row a tag and backbone, sorted as the visitor likes, and its downloads.

A download is a link that holds its own content (a ``data:`` address): it has no address on the server, so that nobody
else can ask for it, and it is exactly the table beside it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mirdemo.base.spreadsheets import cell
from mirdemo.scoring.intervals import Interval
from mirdemo.stages.probing import WORDS
from mirdemo.stages.probing.report import as_json
from mirdemo.web.tabs.probe.running import Result, Run

METRICS = ("roc_auc", "average_precision", "f1")


@dataclass(frozen=True)
class Row:
    """One figure with all that is needed to read it. The mean over tags has no ``tag`` and no counts.

    chance: what can be had without listening, in the same metric; difference: to the first backbone
    """

    tag: str | None
    run: Run
    verdict: str | None
    figure: Interval
    positive_clips: int | None
    positive_recordings: int | None
    prevalence: float | None
    chance: float | None
    p_value: float | None
    best_layer: str
    difference: Interval | None


def rows(result: Result, metric: str) -> list[Row]:
    """A row for every tag and run, tags in order, runs within."""
    found = []
    for k, tag in enumerate(result.asked.tags):
        for i, run in enumerate(result.runs):
            one = run.report.tags[k]
            found.append(
                Row(
                    tag,
                    run,
                    one.verdict,
                    getattr(one.figures, metric),
                    one.positive_clips,
                    one.positive_recordings,
                    one.prevalence,
                    getattr(one.chance, metric),
                    one.p_value,
                    one.best_layer,
                    getattr(result.differences[i - 1].tags[tag], metric) if i else None,
                )
            )
    return found


def macro_rows(result: Result, metric: str) -> list[Row]:
    """A row for each run: the mean over tags."""
    found = []
    for i, run in enumerate(result.runs):
        macro = run.report.macro
        found.append(
            Row(
                None,
                run,
                None,
                getattr(macro.figures, metric),
                None,
                None,
                None,
                getattr(macro.chance, metric),
                macro.p_value,
                macro.best_layer,
                getattr(result.differences[i - 1].macro, metric) if i else None,
            )
        )
    return found


_ORDER = {code: place for place, code in enumerate(WORDS)}  # from heard to too few recordings to say
#: What a column sorts by. Missing goes last either way.
SORTS: dict[str, Callable[[Row], Any]] = {
    "tag": lambda row: (row.tag or "").casefold(),
    "backbone": lambda row: row.run.key,
    "word": lambda row: _ORDER[row.verdict] if row.verdict else None,
    "figure": lambda row: row.figure.value,
    "chance": lambda row: row.chance,
    "recordings": lambda row: row.positive_recordings,
    "prevalence": lambda row: row.prevalence,
    "p_value": lambda row: row.p_value,
    "layer": lambda row: row.best_layer,
    "difference": lambda row: row.difference.value if row.difference else None,
}


def in_order(unsorted: Iterable[Row], column: str, descending: bool) -> list[Row]:
    """Sorted by a column of ``SORTS``; equal ones stay as they were."""
    unsorted, value = list(unsorted), SORTS[column]
    known = [row for row in unsorted if value(row) is not None]
    return sorted(known, key=value, reverse=descending) + [row for row in unsorted if value(row) is None]


def plain(row: Row, metric: str) -> dict[str, Any]:
    """A row as a file has it: codes instead of words, missing as None."""
    gap = row.difference
    return {
        "tag": row.tag if row.tag is not None else "(mean over tags)",
        "backbone": row.run.backbone,
        "whitening": row.run.report.whitening,
        "protocol": row.run.report.protocol,
        "verdict": row.verdict,
        "metric": metric,
        "value": row.figure.value,
        "low": row.figure.low,
        "high": row.figure.high,
        "level": row.figure.level,
        "n": row.figure.n,
        "n_unit": row.figure.unit,
        "positive_recordings": row.positive_recordings,
        "positive_clips": row.positive_clips,
        "prevalence": row.prevalence,
        "chance": row.chance,
        "p_value": row.p_value,
        "layer": row.best_layer,
        "difference": gap.value if gap else None,
        "difference_low": gap.low if gap else None,
        "difference_high": gap.high if gap else None,
    }


def as_csv(shown: Iterable[Row], metric: str, note: str = "") -> str:
    """The rows in their order, under one line of names. note: in the last column, what is to be known of every figure"""
    lines = [plain(row, metric) | {"note": note} for row in shown]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(lines[0])
    for line in lines:
        writer.writerow([cell(value) for value in line.values()])
    return out.getvalue()


def as_json_text(shown: Iterable[Row], metric: str, result: Result, note: str = "") -> str:
    """The same rows, each with its layers, and how each backbone was probed. note: what is to be known of every figure"""
    figures = []
    for row in shown:
        report = row.run.report
        layers = (report.tag(row.tag) if row.tag is not None else report.macro).by_layer
        figures.append(
            plain(row, metric)
            | {"layers": {name: _bounds(getattr(found, metric)) for name, found in layers.items()}}
        )
    runs = [
        {
            "backbone": run.report.identity,
            "whitening": run.report.whitening,
            "protocol": run.report.protocol,
            "settings": run.report.settings,
            "folds": run.report.n_folds,
            "seeds": run.report.seeds,
            "permutations": run.report.permutations,
            "clips": run.report.n_clips,
            "recordings": run.report.n_recordings,
            "device": run.report.device,
            "versions": run.report.versions,
            "seconds": run.seconds,
        }
        for run in result.runs
    ]
    return json.dumps(
        as_json({"figures": figures, "runs": runs, "note": note}), ensure_ascii=False, allow_nan=False
    )


def _bounds(figure: Interval) -> dict[str, float | None]:
    """A layer's figure; n and level are those of its row."""
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def link(text: str, media_type: str) -> str:
    """An address that holds the text itself."""
    return f"data:{media_type};charset=utf-8,{quote(text)}"


def downloads(shown: list[Row], metric: str, result: Result, note: str = "") -> dict[str, str]:
    """Kind of file -> link. note: what is to be known of every figure"""
    # A byte-order mark, so that spreadsheets read Japanese tags as UTF-8.
    return {
        "csv": link("\ufeff" + as_csv(shown, metric, note), "text/csv"),
        "json": link(as_json_text(shown, metric, result, note), "application/json"),
    }
