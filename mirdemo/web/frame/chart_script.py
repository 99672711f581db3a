"""Plotly's script for the page: asked for when the first chart comes into sight, and sent compressed once made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.evidence import plotly_script

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

PATH = "assets/plotly.min.js"


def link() -> str:
    """For the page's head: where ``static/plotly.js`` finds the script when the first chart comes into sight."""
    return f'<meta name="mirdemo-plotly" content="{PATH}?v={plotly_script.version()}">'


def route() -> Route:
    """The script under its version's address, so that a browser never asks for it twice."""
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route

    def script(request: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        kind = "text/javascript; charset=utf-8"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(plotly_script.file(), media_type=kind, headers=headers)
        return Response(
            plotly_script.gzipped(), media_type=kind, headers={**headers, "Content-Encoding": "gzip"}
        )

    return Route(f"/{PATH}", script, methods=["GET"])
