"""What arrives as JSON at Gradio's queue, looked at before Gradio does.

Gradio takes every ``{"path": ..., "meta": {"_type": "gradio.FileData"}}`` in a call for a file: it fetches an ``http``
address into its cache and ends with an error without words where it refuses a path. Files reach us as uploads alone,
and ``uploads.py`` refuses what is none in a sentence: so what makes Gradio look is taken out, and nothing is fetched,
copied or opened by a name that came from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.wellformed import DEPTH

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Keys by which Gradio knows a file.
_OF_FILES = ("meta", "url")
#: What the place of an upload is called from here on: whatever has a ``path`` is a file to Gradio, which ends the call without a
#: word (and names the path in the log) where it does not like it.
PLACE = "upload"
NO_CALL = Sentence(
    "This is no call that the page understands. Look the endpoints up with view_api and call again.",
    "page.no_call",
)


def looked_over(body: bytes, inputs: Mapping[int, int]) -> tuple[bytes, dict[str, Any]]:
    """The same call without what Gradio would act on by itself: as bytes, and as it is understood.

    inputs: how many values each function takes, by its index
    Raises PageError if it is no call at all.
    """
    try:
        call = orjson.loads(body)
    except orjson.JSONDecodeError:  # also where it is nested deeper than orjson goes
        raise _no_call() from None
    if not isinstance(call, dict):
        raise _no_call()
    session, index, data = call.get("session_hash"), call.get("fn_index"), call.get("data")
    if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise _no_call()
    if index is not None and (type(index) is not int or inputs.get(index) != _length(data)):
        raise _no_call()
    if "data" in call and not isinstance(data, list | dict):
        raise _no_call()
    if not call:
        raise _no_call()
    plain = {name: _plain(value, DEPTH) for name, value in call.items()}
    return orjson.dumps(plain), plain


def _length(data: Any) -> int:
    return len(data) if isinstance(data, list) else -1


def _plain(value: Any, depth: int) -> Any:
    """Without the marks of files, and without what is nested deeper than anything of ours."""
    if not depth and isinstance(value, dict | list):
        return None
    if isinstance(value, dict):
        file = "path" in value
        return {
            PLACE if k == "path" else k: _plain(v, depth - 1)
            for k, v in value.items()
            if not (file and k in _OF_FILES)
        }
    if isinstance(value, list):
        return [_plain(one, depth - 1) for one in value]
    return value


def _no_call() -> PageError:
    return PageError(NO_CALL.template, code=NO_CALL.code)
