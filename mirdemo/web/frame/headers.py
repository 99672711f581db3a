"""What browsers are told with every answer: what a page may load and run, and who may show it in a frame.

The content security policy is as strict as Gradio's page allows. Its inline scripts are named by their SHA-256, so no
other one runs; but its HTML component makes functions of text (``'unsafe-eval'``, as does ``static/plotly.js`` where a page is
printed before a chart was in sight), and Gradio, Svelte and Plotly set styles inline (``'unsafe-inline'``, for styles alone).
Everything comes from this server.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from functools import lru_cache

#: Who may show the page in a frame besides itself: a Space is shown within the Hub's page.
FRAMES = ("https://huggingface.co",)

_ORIGIN = re.compile(r"https?://[A-Za-z0-9*.-]+(:[0-9]{1,5})?\Z")
_INLINE = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}

#: For answers that come one by one: proxies that know this header hand each on at once.
OF_EVENTS = {"X-Accel-Buffering": "no"}


def framed_by() -> tuple[str, ...]:
    """Origins that may show the page in a frame; ``MIRDEMO_FRAMED_BY`` adds some, e.g. a town's own site."""
    own = os.environ.get("MIRDEMO_FRAMED_BY", "").split()
    return (*FRAMES, *(origin for origin in own if _ORIGIN.match(origin)))


def inline_scripts(page: bytes) -> list[str]:
    """The sources ``'sha256-...'`` of the scripts that stand in an HTML page."""
    found = dict.fromkeys(match[1] for match in _INLINE.finditer(page))
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in found]


@lru_cache(maxsize=8)
def _policy(page: bytes, framers: tuple[str, ...]) -> str:
    scripts = inline_scripts(page)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' {' '.join(scripts)}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "frame-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors 'self' {' '.join(framers)}",
        ]
    )


def of_page(page: bytes) -> dict[str, str]:
    """For the page itself. page: its HTML as it is sent"""
    return _ALWAYS | {"Content-Security-Policy": _policy(page, framed_by())}


def of_framed() -> dict[str, str]:
    """For a page of ours that is shown in a frame of the page; what it may load and run stands in itself."""
    return _ALWAYS | {"Content-Security-Policy": f"frame-ancestors 'self' {' '.join(framed_by())}"}


def of_rest() -> dict[str, str]:
    """For all that is no page: if a browser is made to show it as one, it loads and runs nothing."""
    return _ALWAYS | {
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }
