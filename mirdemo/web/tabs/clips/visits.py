"""A visit as a file: saved for its visitor only, opened in the place of what they have."""

from __future__ import annotations

import io
import threading
import time
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mirdemo.base.sentences import Sentence
from mirdemo.clips.visit import Visit, write_visit
from mirdemo.web.frame import own_files
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.keeping import Kept
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.models import PACE, timed
from mirdemo.web.tabs.clips.long import LongDesk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.base.progress import Progress
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.act import Act
    from mirdemo.web.frame.session import Visitor, Visitors
    from mirdemo.web.frame.wire import Wire

SAVE_JOB = "visit-save"
#: The kind of work of saving one with its sound, whose unit is a second of sound (``embedding.pace``).
SAVING = "saving a visit"
#: Its address, relative to the visitor's own; the name it is saved under tells the day.
FILE = "visit.zip"
#: How long a saved visit waits to be fetched, and how much all of them may hold; the oldest goes first.
WAITS_SECONDS, ALL_BYTES = 300.0, 512 * 2**20
#: Missing files that are named.
_NAMED = 5


class Saved:
    """A visit's file, in memory until it has waited long enough."""

    def __init__(self, content: bytes, with_sound: bool) -> None:
        self.content: bytes | None = content
        self.bytes = len(content)
        self.with_sound = with_sound
        self.number = time.monotonic_ns()
        self.name = time.strftime("mirdemo-visit-%Y-%m-%d.zip", time.gmtime())
        forget = threading.Timer(WAITS_SECONDS, self.drop)
        forget.daemon = True
        forget.start()
        with _LOCK:
            _HELD.add(self)
            held = sorted(_HELD, key=lambda one: one.number)
            while sum(one.bytes for one in held if one.content is not None) > ALL_BYTES and len(held) > 1:
                held.pop(0).content = None

    def drop(self) -> None:
        self.content = None


_HELD: weakref.WeakSet[Saved] = weakref.WeakSet()
_LOCK = threading.Lock()


@dataclass
class VisitDesk:
    """What is under way with a visitor's file.

    ready: to be fetched; waiting: a visit that was saved without sound, until its files are here
    """

    ready: Saved | None = None
    waiting: Visit | None = field(default=None, repr=False)


class Visits:
    """The handlers."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        for name in ("save", "go_on", "give_up"):
            wire.on(f"visit.{name}", getattr(self, name))

    def shown(self, visitor: Visitor) -> dict[str, Any]:
        desk, job = visitor.desk(VisitDesk), visitor.jobs.get(SAVE_JOB)
        ready = desk.ready if desk.ready is not None and desk.ready.content is not None else None
        missing = desk.waiting.missing if desk.waiting is not None else ()
        return {
            "saving": (job, self._wire.jobs.ahead(job)) if job is not None and job.active else None,
            "takes": PACE.expected(SAVING, visitor.clips.seconds),
            "ready": ready,
            "address": f"{own_files.place('clips', visitor)}/{FILE}",
            "waiting": desk.waiting,
            "missing": [one.name for one in missing[:_NAMED]],
            "more_missing": max(0, len(missing) - _NAMED),
            "n_missing": len(missing),
            "n_found": sum(one.labelled for one in desk.waiting.entries) - len(missing)
            if desk.waiting
            else 0,
        }

    def save(self, visitor: Visitor, act: Act) -> None:
        """Make the file of all there is now."""
        with_sound = act.flag("sound")
        if not len(visitor.clips):
            raise PageError("There is nothing to save yet. Add clips first.", code="page.visit_empty")
        kept, keeping = self._wire.keeping.keep(visitor), self._wire.keeping

        def take(made: Saved) -> None:
            visitor.desk(VisitDesk).ready = made

        def make(progress: Progress) -> Saved:
            progress(0, 0, "saving")
            parts, arrays, sounds = keeping.told(kept)
            return Saved(_written(kept, parts, arrays, sounds, with_sound, progress), with_sound)

        seconds = visitor.clips.seconds
        work = timed(SAVING, seconds, make) if with_sound else make
        self._wire.start(visitor, SAVE_JOB, work, take, resource="sound")

    def arrived(self, visitor: Visitor, visit: Visit) -> bool:
        """A visit was read: open it, or wait for its sounds. Whether it is open now."""
        visit = visit.found_among(visitor.clips.clips, visitor.desk(LongDesk).long_sounds().values())
        if visit.missing:
            visitor.desk(VisitDesk).waiting = visit
            visitor.tell(
                Sentence(
                    "This visit was saved without its sound. Add the files that it names ({n}).",
                    "page.visit_waits",
                    {"n": len({one.name for one in visit.missing})},
                )
            )
            return False
        self._open(visitor, visit)
        return True

    def sounds_arrived(self, visitor: Visitor, clips: tuple[Clip, ...]) -> bool:
        """Clips were read while a visit waits for its sounds: whether they, or some, are meant for it."""
        return self._found(visitor, clips, ())

    def long_arrived(self, visitor: Visitor) -> bool:
        """Long recordings were opened while a visit waits for its sounds: whether some of those are spans of them."""
        return self._found(visitor, (), visitor.desk(LongDesk).long_sounds().values())

    def _found(self, visitor: Visitor, clips: Iterable[Clip], longs: Iterable[LongRecording]) -> bool:
        desk = visitor.desk(VisitDesk)
        if desk.waiting is None:
            return False
        before = len(desk.waiting.missing)
        found = desk.waiting.found_among(clips, longs)
        if len(found.missing) == before:
            return False
        if found.missing:
            desk.waiting = found
            here = before - len(found.missing)
            visitor.tell(
                Sentence(
                    "Found: {n}. Still missing: {left}.",
                    "page.visit_found",
                    {"n": here, "left": len(found.missing)},
                )
            )
        else:
            self._open(visitor, found)
        return True

    def go_on(self, visitor: Visitor, act: Act) -> None:
        """Open the visit with the sounds that are here; what was measured on all of them is left out."""
        visit = _waiting(visitor).without_missing()
        visit = replace(visit, parts={name: part for name, part in visit.parts.items() if name == "plan"})
        if not visit.entries:
            raise PageError("None of its files is here yet. Add some first.", code="page.visit_none_here")
        self._open(visitor, visit)

    def give_up(self, visitor: Visitor, act: Act) -> None:
        desk, waited = visitor.desk(VisitDesk), _waiting(visitor)
        desk.waiting = None

        def undo() -> None:
            desk.waiting = waited

        visitor.tell(
            Sentence("{name} was not opened.", "page.visit_given_up", {"name": waited.name}), undo=undo
        )

    def _open(self, visitor: Visitor, visit: Visit) -> None:
        before, longs = visitor.everything(), visitor.desk(LongDesk).open
        self._wire.keeping.restore(visitor, visit, self._wire.draw_all)
        visitor.desk(LongDesk).go_on_with(longs, visitor.clips)
        for job in visitor.jobs.values():
            if job.name != SAVE_JOB and job.state == "waiting":
                job.cancel()  # it is about what was here before
        visitor.tell(
            Sentence(
                "Opened: {name}. Clips: {n}.",
                "page.visit_opened",
                {"name": visit.name, "n": len(visitor.clips)},
            ),
            undo=(lambda: visitor.take_back(before)) if len(before.clips) or longs else None,
        )


def download_route(visitors: Visitors) -> Route:
    """Where a visitor fetches the file of their visit."""
    from starlette.responses import Response

    def answer(request: Request, saved: tuple[bytes, str]) -> Response:
        content, name = saved
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, headers=headers, media_type="application/zip")

    def kept(visitor: Visitor) -> tuple[bytes, str] | None:
        ready = visitor.desk(VisitDesk).ready
        content = None if ready is None else ready.content
        return None if ready is None or content is None else (content, ready.name)

    return own_files.route(visitors, "clips", FILE, kept, answer)


def _written(
    kept: Kept, parts: dict, arrays: dict, sounds: list[Clip], with_sound: bool, progress: Progress
) -> bytes:
    out = io.BytesIO()
    write_visit(out, kept.clips, parts, arrays, sounds, with_sound=with_sound, progress=progress)
    content = out.getvalue()
    if len(content) > min(LIMITS.upload_bytes, CLIP_LIMITS.max_archive_bytes):
        raise PageError(
            "With its sound this visit has {size} MB; files up to {most} MB can be opened again. Save it without the sound, "
            "and keep your recordings.",
            code="page.visit_too_big",
            size=len(content) // 2**20,
            most=LIMITS.upload_bytes // 2**20,
        )
    return content


def _waiting(visitor: Visitor) -> Visit:
    waiting = visitor.desk(VisitDesk).waiting
    if waiting is None:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    return waiting
