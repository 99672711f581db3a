"""Taggers to take home: a download for their visitor only, and the form that sends one to the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame import own_files
from mirdemo.web.frame.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.base.progress import Progress
    from mirdemo.tagger import Tagger
    from mirdemo.web.frame.act import Act
    from mirdemo.web.frame.session import Visitor, Visitors
    from mirdemo.web.frame.wire import Wire

Made = TypeVar("Made")


@dataclass(frozen=True)
class TaggerDownload:
    """A tagger as a zip, made in memory when asked for, never written to this machine's disk.

    tab: which tab offers it; file: the name it is saved under
    """

    tab: str
    file: str

    def address(self, visitor: Visitor) -> str:
        """Where a visitor's tagger lies, relative to the page."""
        return f"{own_files.place(self.tab, visitor)}/{self.file}"

    def route(
        self,
        visitors: Visitors,
        kept: Callable[[Visitor], Made | None],
        tagger: Callable[[Made], Tagger],
    ) -> Route:
        """What answers at the addresses.

        kept: what a visitor has now to make the tagger of, None if nothing; called under the visitor's lock
        tagger: makes it, outside the lock, for that may take a while
        """
        from starlette.responses import Response

        from mirdemo.tagger.file import zipped

        def kept_with(visitor: Visitor) -> tuple[Made, str] | None:
            found = kept(visitor)
            return None if found is None else (found, visitor.language)

        def answer(request: Request, found: tuple[Made, str]) -> Response:
            made, language = found
            saved = {"Content-Disposition": f'attachment; filename="{self.file}"'}
            content = zipped(tagger(made).contents(language))
            return Response(content, headers=saved, media_type="application/zip")

        return own_files.route(visitors, self.tab, self.file, kept_with, answer)


def push(wire: Wire, visitor: Visitor, act: Act, job: str, tagger: Callable[[], Tagger]) -> None:
    """Upload a tagger to the Hub as a job, by what was typed into the form. Raises PageError before any work.

    The token lives in this call and its job only.
    """
    repository, token = _checked(act.text("repository"), act.text("hub_token"))
    private, language = act.flag("private"), visitor.language

    def take(address: str) -> None:
        visitor.tell(Sentence("Uploaded: {address}", "page.uploaded", {"address": address}))

    def upload(progress: Progress) -> str:
        return tagger().push(repository, token, private=private, language=language)

    wire.start(visitor, job, upload, take, resource="sound")


def _checked(repository: str, token: str) -> tuple[str, str]:
    from mirdemo.tagger.hub import is_repository

    if not is_repository(repository) or not token.isascii() or not token or " " in token:
        raise PageError(
            "To upload, give a repository as OWNER/NAME and an access token with write permission.",
            code="page.hub_form",
        )
    return repository, token
