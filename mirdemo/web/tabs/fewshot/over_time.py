"""An answer over time to take along: as an annotation file of whatever program one works with."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from mirdemo.clips.annotations import KINDS, NAMES, write_annotations
from mirdemo.web.frame import own_files
from mirdemo.web.tagging import Answer, over_time

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.frame.session import Visitor, Visitors

FILE = "over-time"


def links(visitor: Visitor, one: Answer) -> list[tuple[str, str, str]]:
    """(what it is called, its address relative to the page, the name it is saved under) for each kind."""
    place = f"{own_files.place('few-shot', visitor)}/{FILE}?clip={one.clip.sha256}&kind="
    return [(NAMES[kind], place + kind, _name(one, kind)) for kind in KINDS]


def _name(one: Answer, kind: str) -> str:
    return (PurePosixPath(one.clip.name).stem or "clip") + KINDS[kind]


def route(visitors: Visitors) -> Route:
    """Where a visitor's answers over time are had."""
    from starlette.responses import Response

    from mirdemo.web.tabs.fewshot.tab import FewShotDesk

    def kept(visitor: Visitor) -> tuple[Answer, ...]:
        return tuple(visitor.desk(FewShotDesk).answers)

    def answer(request: Request, answers: tuple[Answer, ...]) -> Response:
        clip, kind = request.query_params.get("clip"), request.query_params.get("kind")
        one = next((one for one in answers if one.clip.sha256 == clip), None)
        if one is None or kind not in KINDS:
            return Response(status_code=404)
        told = write_annotations(over_time(one), kind, one.clip.name)
        saved = f"attachment; filename*=UTF-8''{quote(_name(one, kind), safe='')}"
        return Response(told, headers={"Content-Disposition": saved}, media_type="application/octet-stream")

    return own_files.route(visitors, "few-shot", FILE, kept, answer)
