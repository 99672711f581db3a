"""The tuned tagger as a download: made in memory when asked for, for its visitor only, gone with the visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.tagger import Tagger
    from mirdemo.web.finetune.running import Result
    from mirdemo.web.session import Visitor, Visitors

FILE = "fine-tuned-tagger.zip"


def made(result: Result) -> Tagger:
    """The final tail and head, with their card."""
    return result.report.tagger("Fine-tuned tagger: " + ", ".join(result.report.head.tags))


def address(visitor: Visitor) -> str:
    """Where a visitor's tagger lies, relative to the page."""
    return f"fine-tune/{visitor.sounds.key}/{FILE}"


def tagger_route(visitors: Visitors, result_of: Callable[[Visitor], Result | None]) -> Route:
    """The address of tuned taggers; its key is the secret the visitor's clips are heard by."""
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.tagger.file import zipped

    def take(request: Request) -> Response:
        visitor = visitors.by_sound_key(request.path_params["key"])
        if visitor is None:
            return Response(status_code=404)
        with visitor.lock:
            result = None if visitor.gone else result_of(visitor)
        if result is None:
            return Response(status_code=404)
        headers = {
            "Content-Disposition": f'attachment; filename="{FILE}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(zipped(made(result).contents()), headers=headers, media_type="application/zip")

    return Route(f"/fine-tune/{{key}}/{FILE}", take, methods=["GET"])
