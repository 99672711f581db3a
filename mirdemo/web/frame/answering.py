"""Answers outside the page: who asked, and a refusal in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirdemo.base.sentences import Sentence
from mirdemo.words.language import LANGUAGES, choose, speaker

if TYPE_CHECKING:
    import gradio as gr
    from starlette.requests import Request
    from starlette.responses import Response


def sender(request: Request | gr.Request) -> str:
    """Who sends, as far as it can be told: the address that the nearest proxy saw, or the connection's."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")


def refusal(request: Request, sentence: Sentence, status: int, language: object = None) -> Response:
    """An answer in words, in the language asked for: ``{"detail": ..., "code": ...}``.

    language: what was asked for elsewhere than in the address, or anything else
    """
    from starlette.responses import JSONResponse

    asked = language or request.query_params.get("language")
    language = (
        asked
        if isinstance(asked, str) and asked in LANGUAGES
        else choose(request.headers.get("accept-language"))
    )
    return JSONResponse({"detail": str(speaker(language).say(sentence)), "code": sentence.code}, status)
