"""An answer over time to take along: as an annotation file of whatever program one works with."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from mirdemo.clips.annotations import KINDS, NAMES, write_annotations
from mirdemo.web.frame import own_files
from mirdemo.web.tabs.fewshot.desk import FewShotDesk, LongAnswer
from mirdemo.web.tagging import Answer, over_time

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.session import Visitor, Visitors

FILE = "over-time"


def links(visitor: Visitor, one: Answer) -> list[tuple[str, str, str]]:
    """(what it is called, its address relative to the page, the name it is saved under) for each kind."""
    return links_of(visitor, one.clip.sha256, one.clip.name)


def links_of(visitor: Visitor, id: str, name: str) -> list[tuple[str, str, str]]:
    """The same of an answer by its id: a clip's hash, or what a long query is called."""
    place = f"{own_files.place('few-shot', visitor)}/{FILE}?clip={id}&kind="
    return [(NAMES[kind], place + kind, _saved_as(name, kind)) for kind in KINDS]


def _saved_as(name: str, kind: str) -> str:
    return (PurePosixPath(name).stem or "clip") + KINDS[kind]


def route(visitors: Visitors) -> Route:
    """Where a visitor's answers over time are had."""
    from starlette.responses import Response

    def kept(visitor: Visitor) -> tuple[tuple[Answer, ...], dict[str, LongAnswer]]:
        desk = visitor.desk(FewShotDesk)
        return tuple(desk.answers), dict(desk.long)

    def answer(request: Request, told: tuple[tuple[Answer, ...], dict[str, LongAnswer]]) -> Response:
        clip, kind = request.query_params.get("clip", ""), request.query_params.get("kind")
        answers, long = told
        one = next((one for one in answers if one.clip.sha256 == clip), None)
        if kind not in KINDS or (one is None and clip not in long):
            return Response(status_code=404)
        of: Clip | LongRecording
        if one is not None:
            of, segments = one.clip, over_time(one)
        else:
            of, segments = long[clip].sound, long[clip].segments
        saved = f"attachment; filename*=UTF-8''{quote(_saved_as(of.name, kind), safe='')}"
        made = write_annotations(segments, kind, of.name, of.seconds)
        return Response(made, headers={"Content-Disposition": saved}, media_type="application/octet-stream")

    return own_files.route(visitors, "few-shot", FILE, kept, answer)
