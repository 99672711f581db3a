"""Taking uploads in: each request gets a folder of its own, and what did not arrive whole leaves no part behind.

Gradio's own route stores a file under a hash of its content and its name, so that two visitors who send the same
handout share one path, and the first to read it deletes it under the other. This route stands before it at the same
address and lets Gradio's parser write into a folder with a random name: no two uploads meet.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mirdemo.web.frame.limits import LIMITS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

log = logging.getLogger(__name__)

#: Where Gradio's page and ``gradio_client`` send files.
ADDRESS = "/gradio_api/upload"


def upload_route(max_bytes: int = LIMITS.upload_bytes) -> Route:
    """The address files are sent to.

    max_bytes: size of one file
    """
    from gradio.route_utils import MultiPartException, upload_fn
    from gradio.utils import get_upload_folder
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    async def receive(request: Request) -> Response:
        folder = Path(get_upload_folder()) / secrets.token_hex(16)
        whole = False
        try:
            folder.mkdir(parents=True, mode=0o700)
            stored, *_ = await upload_fn(request, str(folder), max_bytes, None)
            paths = _apart(stored)
            whole = bool(paths)
            return JSONResponse(paths)
        except MultiPartException as error:
            large = "maximum allowed size" in error.message
            return PlainTextResponse(error.message, 413 if large else 400)
        except HTTPException as error:
            return PlainTextResponse(str(error.detail), error.status_code)
        except ClientDisconnect:
            return PlainTextResponse("The upload was broken off.", 400)
        finally:
            if not whole:
                shutil.rmtree(folder, ignore_errors=True)

    return Route(ADDRESS, receive, methods=["POST"])


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
