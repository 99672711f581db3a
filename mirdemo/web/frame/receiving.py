"""Taking uploads in: each request gets a folder of its own, and what did not arrive whole leaves no part behind.

Gradio's own route stores a file under a hash of its content and its name, so that two visitors who send the same
handout share one path, and the first to read it deletes it under the other. This route stands before it at the same
address and lets Gradio's parser write into a folder with a random name: no two uploads meet. What waits to be read has
a total, and a sender a share of it. Whatever goes wrong is answered in the sender's language as ``{"detail", "code"}``.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from mirdemo.base.sentences import Sentence
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web.frame.answering import refusal, sender
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import UNEXPECTED
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.log import event
from mirdemo.web.frame.multipart import MalformedError, TooLargeError, files_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import Message, Receive

log = logging.getLogger(__name__)

#: Where Gradio's page and ``gradio_client`` send files.
ADDRESS = "/gradio_api/upload"
#: A sender who is silent for so long has gone.
SILENT_SECONDS = 60.0
#: Bytes that stay free on the disk.
DISK_RESERVE = 256 * 2**20
#: How often the disk is asked for its room while an upload arrives, in bytes.
_ASKED = 16 * 2**20

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Pending:
    """Bytes of uploads that lie on the disk unread, by folder. Safe to use from several threads.

    most: of all senders;  a sender may have half of it
    """

    def __init__(self, most: int = LIMITS.pending_bytes) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[Path, tuple[str, int]] = {}

    def add(self, folder: Path, sender: str, more: int) -> None:
        """Count what arrives. Raises PageError if it is too much; then it is not counted."""
        with self._lock:
            self._held = {path: held for path, held in self._held.items() if path.is_dir()}
            whole = sum(size for _, size in self._held.values())
            own = sum(size for one, size in self._held.values() if one == sender)
            if whole + more > self._most or own + more > self._most // 2:
                raise PageError(
                    "So many uploads wait to be read on this server that there is no room for this one now. Try "
                    "again in a minute.",
                    code="page.uploads_full",
                )
            _, before = self._held.get(folder, (sender, 0))
            self._held[folder] = sender, before + more

    def bytes(self) -> int:
        """How many wait now."""
        with self._lock:
            return sum(size for path, (_, size) in self._held.items() if path.is_dir())


class _Counted:
    """What arrives of one request, counted. Where the request is refused the server reads its rest and forgets it, so
    that a sender in the middle of it hears the answer."""

    def __init__(self, receive: Receive, pending: Pending, folder: Path, sender: str, silent: float) -> None:
        self._receive = receive
        self._pending, self._folder, self._sender = pending, folder, sender
        self._silent = silent
        self._arrived = 0

    async def receive(self) -> Message:
        """The next part. Raises TimeoutError after a silence, PageError where there is no room, OSError where the disk has
        none: others send too, and not everybody says beforehand how much."""
        with anyio.fail_after(self._silent):
            message = await self._receive()
        more = len(message.get("body", b""))
        self._pending.add(self._folder, self._sender, more)
        if self._arrived // _ASKED != (self._arrived + more) // _ASKED:
            _need(self._folder.parent, 0)
        self._arrived += more
        return message


def upload_route(
    max_bytes: int = LONG_LIMITS.max_bytes,
    pending: Pending | None = None,
    *,
    silent_seconds: float = SILENT_SECONDS,
) -> Route:
    """The address files are sent to.

    max_bytes: size of one file;  pending: of what waits to be read;  silent_seconds: until a sender is given up
    """
    from gradio.utils import get_upload_folder
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    waiting = Pending() if pending is None else pending

    async def receive(request: Request) -> Response:
        folder = Path(get_upload_folder()) / secrets.token_hex(16)
        counted = _Counted(request.receive, waiting, folder, sender(request), silent_seconds)
        whole = False
        try:
            _look_for_room(folder.parent, request)
            folder.mkdir(mode=0o700)
            stream = Request(request.scope, counted.receive).stream
            paths = _apart(await files_of(request.headers, stream, folder, max_bytes))
            whole = bool(paths)
            if whole:
                event("upload", "files", "taken", files=len(paths))
                return JSONResponse(paths)
            why, status = _MALFORMED, 400
        except PageError as error:
            why, status = error.sentence, 507
        except TooLargeError:
            why, status = _too_large(max_bytes), 413
        except MalformedError:
            why, status = _MALFORMED, 400
        except (ClientDisconnect, TimeoutError):
            why, status = _BROKEN_OFF, 408
        except FileNotFoundError:  # the folder goes when the process ends
            why, status = _ENDING, 503
        except OSError as error:
            why, status = _DISK_FULL, 507
            if error.errno not in _FULL:
                log.exception("upload")
                why, status = UNEXPECTED, 500
        finally:
            if not whole:
                shutil.rmtree(folder, ignore_errors=True)
        event("upload", "files", why.code, status=status)
        return refusal(request, why, status)

    return Route(ADDRESS, receive, methods=["POST"])


def _look_for_room(folder: Path, request: Request) -> None:
    """Refuse what the disk cannot take before any of it is written. Raises OSError."""
    told = request.headers.get("content-length", "")
    _need(folder, int(told) if told.isascii() and told.isdigit() and len(told) < 16 else 0)


def _need(folder: Path, size: int) -> None:
    """Raise OSError where so many bytes more would take the disk's reserve."""
    if shutil.disk_usage(folder).free < size + DISK_RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_DISK_FULL = Sentence(
    "The disk of this server is full, so the upload was not kept. Try again later, or tell whoever hosts this page.",
    "page.disk_full",
)
_MALFORMED = Sentence(
    "This is no upload that the page understands. Files come as multipart/form-data, in the field files.",
    "page.no_upload",
)
_BROKEN_OFF = Sentence("The upload broke off. Send it again.", "page.upload_broken_off")
_ENDING = Sentence("This page is being restarted. Send the files again in a minute.", "page.restarting")


def _too_large(most: int) -> Sentence:
    return Sentence(
        "This file is larger than {megabytes} MB. Send it in parts.",
        "page.file_too_large",
        {"megabytes": most // 2**20},
    )


def _apart(stored: list[str]) -> list[str]:
    """The same paths, with one of its own for each of several equal files in one request."""
    paths: list[str] = []
    for path in map(str, stored):
        if path in paths:
            held = Path(path)
            own = held.parent.parent.parent / secrets.token_hex(16) / held.parent.name / held.name
            own.parent.mkdir(parents=True, mode=0o700)
            os.link(path, own)
            path = str(own)
        paths.append(path)
    return paths
