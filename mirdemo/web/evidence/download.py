"""CSV and JSON of exactly the figures that a selection shows, under one address a selection."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from mirdemo.web.evidence import drawing, selection
from mirdemo.web.evidence.selection import Selection

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


def as_csv(chosen: Selection) -> str:
    """One row a figure; settings as JSON in the last column; blanks blank."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "setting"])
    for record in selection.choose(selection.base(), chosen):
        setting = json.dumps(dict(record.setting), ensure_ascii=False) if record.setting else ""
        writer.writerow([*(_cell(getattr(record, c)) for c in COLUMNS), setting])
    return out.getvalue()


def as_json(chosen: Selection) -> str:
    """The records as they are kept."""
    return json.dumps([r.as_dict() for r in selection.choose(selection.base(), chosen)], ensure_ascii=False)


def _cell(value: object) -> object:
    """Blank for missing; text that a spreadsheet would run is quoted."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in "=+-@\t\r":
        return "'" + value
    return value


def download_routes() -> list[Route]:
    """``evidence/figures.csv`` and ``.json``, filtered by the same query as the page."""
    from starlette.responses import Response
    from starlette.routing import Route

    def answer(text: str, kind: str, suffix: str) -> Response:
        headers = {"Content-Disposition": f'attachment; filename="mirdemo-figures.{suffix}"'}
        return Response(text, media_type=kind, headers=headers)

    def csv_of(request: Request) -> Response:
        # A byte-order mark, so that spreadsheets read the names of ragas and makams as UTF-8.
        return answer(
            "\ufeff" + as_csv(drawing.selected(request.query_params)), "text/csv; charset=utf-8", "csv"
        )

    def json_of(request: Request) -> Response:
        return answer(as_json(drawing.selected(request.query_params)), "application/json", "json")

    return [
        Route("/evidence/figures.csv", csv_of, methods=["GET"]),
        Route("/evidence/figures.json", json_of, methods=["GET"]),
    ]
