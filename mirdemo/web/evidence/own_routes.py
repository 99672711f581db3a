"""What a visitor downloads with their own results in it: at addresses that only they know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mirdemo.results import Results
from mirdemo.web.evidence import drawing
from mirdemo.web.evidence.download import answer_csv, answer_json
from mirdemo.web.evidence.report import answer_report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.session import Visitor, Visitors

FILES: dict[str, Callable[[Request, Results], Response]] = {
    "figures.csv": lambda request, own: answer_csv(drawing.selected(request.query_params), own),
    "figures.json": lambda request, own: answer_json(drawing.selected(request.query_params), own),
    "report.html": lambda request, own: answer_report(request, own),
}


def place(visitor: Visitor) -> str:
    """The folder of a visitor's downloads, relative to the page; its name is the secret their clips are heard by."""
    return f"evidence/{visitor.sounds.key}"


def own_routes(visitors: Visitors, records_of: Callable[[Visitor], Results]) -> list[Route]:
    """The same files as everybody's, with the visitor's records among the others.

    records_of: what a visitor has measured so far; called under their lock
    """
    from starlette.responses import Response
    from starlette.routing import Route

    def of(answer: Callable[[Request, Results], Response]) -> Callable[[Request], Response]:
        def take(request: Request) -> Response:
            visitor = visitors.by_sound_key(request.path_params["key"])
            if visitor is None:
                return Response(status_code=404)
            with visitor.lock:
                own = None if visitor.gone else records_of(visitor)
            if own is None:
                return Response(status_code=404)
            found = answer(request, own)
            found.headers["Cache-Control"] = "private, no-store"
            found.headers["Referrer-Policy"] = "no-referrer"
            return found

        return take

    return [Route(f"/evidence/{{key}}/{file}", of(answer), methods=["GET"]) for file, answer in FILES.items()]
