"""The tagger as a download and on the Hub: made in memory when asked for, never written to this machine's disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.backbones.registry import spec
from mirdemo.web.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.tagger import Tagger
    from mirdemo.web.session import Visitor, Visitors
    from mirdemo.web.tagging import Built

FILE = "tagger.zip"


def made(built: Built) -> Tagger:
    """The prototypes as a tagger with its card."""
    from mirdemo.tagger import Tagger

    clips = built.clips
    return Tagger.make(
        built.embeddings,
        clips.labels,
        clips.recordings,
        clips.tags,
        layer=built.layer,
        whitening=built.whitening,
        spec=spec(built.backbone),
        title="Tagger: " + ", ".join(clips.tags),
    )


def packed(built: Built) -> bytes:
    """The tagger as a zip."""
    from mirdemo.tagger.file import zipped

    return zipped(made(built).contents())


def address(visitor: Visitor) -> str:
    """Where a visitor's tagger lies, relative to the page."""
    return f"few-shot/{visitor.sounds.key}/{FILE}"


def push(built: Built, repository: str, token: str, private: bool) -> str:
    """To the Hub with the visitor's token, which is used for this and forgotten; returns the page's address there.

    Raises TaggerError.
    """
    return made(built).push(repository, token, private=private)


def checked_hub(repository: str, token: str) -> tuple[str, str]:
    """A repository's name and a token, before any work. Raises PageError."""
    from mirdemo.tagger.hub import is_repository

    if not is_repository(repository) or not token.isascii() or not token or " " in token:
        raise PageError(
            "To upload, give a repository as OWNER/NAME and an access token with write permission.",
            code="page.hub_form",
        )
    return repository, token


def tagger_route(visitors: Visitors, built_of: Callable[[Visitor], Built | None]) -> Route:
    """The address of taggers, known only to their visitor: its key is the one the visitor's clips are heard by.

    built_of: the prototypes a visitor has now
    """
    from starlette.responses import Response
    from starlette.routing import Route

    def take(request: Request) -> Response:
        visitor = visitors.by_sound_key(request.path_params["key"])
        if visitor is None:
            return Response(status_code=404)
        with visitor.lock:
            built = None if visitor.gone else built_of(visitor)
        if built is None:
            return Response(status_code=404)
        headers = {
            "Content-Disposition": f'attachment; filename="{FILE}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(packed(built), headers=headers, media_type="application/zip")

    return Route(f"/few-shot/{{key}}/{FILE}", take, methods=["GET"])
