"""CSV and JSON of exactly the figures that a selection shows, under one address a selection."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from mirdemo.base.spreadsheets import cell
from mirdemo.evidence import drawing, selection
from mirdemo.evidence.selection import YOURS, Selection
from mirdemo.results.records import Result, Results

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

COLUMNS = (
    *("model", "corpus", "method", "protocol", "split", "metric", "tag", "value", "low", "high", "level"),
    *(
        "n",
        "n_unit",
        "seed",
        "source",
        "citation",
        "revision",
        "layer",
        "pooling",
        "whitening",
        "seconds",
        "date",
    ),
)


def as_csv(chosen: Selection, own: Results | None = None) -> str:
    """One row a figure; settings as JSON in the last column; blanks blank; a visitor's own have the source ``yours``."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "setting"])
    for record in _shown(chosen, own):
        setting = json.dumps(dict(record.setting), ensure_ascii=False) if record.setting else ""
        cells = {c: cell(getattr(record, c)) for c in COLUMNS}
        if record.corpus == YOURS:
            cells["source"] = "yours"
        writer.writerow([*cells.values(), setting])
    return out.getvalue()


def as_json(chosen: Selection, own: Results | None = None) -> str:
    """The records as they are kept; a visitor's own have the corpus ``yours``."""
    return json.dumps([r.as_dict() for r in _shown(chosen, own)], ensure_ascii=False)


def _shown(chosen: Selection, own: Results | None) -> list[Result]:
    """Exactly the figures of the view."""
    mine = selection.shown_of_visitor(own, chosen) if own is not None else ()
    return [*selection.shown(selection.base(), chosen), *mine]


def download_routes() -> list[Route]:
    """``evidence/figures.csv`` and ``.json``, filtered by the same query as the page."""
    from starlette.routing import Route

    def csv_of(request: Request) -> Response:
        return answer_csv(drawing.selected(request.query_params))

    def json_of(request: Request) -> Response:
        return answer_json(drawing.selected(request.query_params))

    return [
        Route("/evidence/figures.csv", csv_of, methods=["GET"]),
        Route("/evidence/figures.json", json_of, methods=["GET"]),
    ]


def answer_csv(chosen: Selection, own: Results | None = None) -> Response:
    """The table as a file, with a byte-order mark, so that spreadsheets read the names of ragas and makams as UTF-8."""
    return _answer("\ufeff" + as_csv(chosen, own), "text/csv; charset=utf-8", "csv")


def answer_json(chosen: Selection, own: Results | None = None) -> Response:
    """The records as a file."""
    return _answer(as_json(chosen, own), "application/json", "json")


def _answer(text: str, kind: str, suffix: str) -> Response:
    from starlette.responses import Response

    headers = {"Content-Disposition": f'attachment; filename="mirdemo-figures.{suffix}"'}
    return Response(text, media_type=kind, headers=headers)
