"""Files for one visitor: at addresses that only they know, and that no cache keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.frame.session import Visitor, Visitors

Kept = TypeVar("Kept")

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def place(tab: str, visitor: Visitor) -> str:
    """The folder of a visitor's files, relative to the page; its name is the secret their clips are heard by."""
    return f"{tab}/{visitor.sounds.key}"


def route(
    visitors: Visitors,
    tab: str,
    file: str,
    kept: Callable[[Visitor], Kept | None],
    answer: Callable[[Request, Kept], Response],
) -> Route:
    """What answers for one file in every visitor's folder.

    kept: what a visitor has now to make it of, None if nothing (then it is not found); called under their lock
    answer: makes it, outside the lock, for that may take a while
    """
    from starlette.responses import Response
    from starlette.routing import Route

    def take(request: Request) -> Response:
        visitor = visitors.by_sound_key(request.path_params["key"])
        if visitor is None:
            return Response(status_code=404)
        with visitor.lock:
            found = None if visitor.gone else kept(visitor)
        if found is None:
            return Response(status_code=404)
        response = answer(request, found)
        response.headers.update(_HEADERS)
        return response

    return Route(f"/{tab}/{{key}}/{file}", take, methods=["GET"])
