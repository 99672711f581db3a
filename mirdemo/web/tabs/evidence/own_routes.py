"""What a visitor downloads with their own results in it: at addresses that only they know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mirdemo.evidence import drawing
from mirdemo.evidence.download import answer_csv, answer_json
from mirdemo.evidence.report import answer_report
from mirdemo.results.records import Results
from mirdemo.web.frame import own_files

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.frame.session import Visitor, Visitors

FILES: dict[str, Callable[[Request, Results], Response]] = {
    "figures.csv": lambda request, own: answer_csv(drawing.selected(request.query_params), own),
    "figures.json": lambda request, own: answer_json(drawing.selected(request.query_params), own),
    "report.html": lambda request, own: answer_report(request, own),
}


def own_routes(visitors: Visitors, records_of: Callable[[Visitor], Results]) -> list[Route]:
    """The same files as everybody's, with the visitor's records among the others.

    records_of: what a visitor has measured so far; called under their lock
    """
    return [own_files.route(visitors, "evidence", file, records_of, answer) for file, answer in FILES.items()]
