"""Clips: add, listen, tag, remove; what each tag has, and whether that is enough."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.label_files import may_label
from mirdemo.clips.likeness import BACKBONE
from mirdemo.clips.visit import Visit
from mirdemo.scoring.verdicts import WORDS
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web import alike
from mirdemo.web.brought import bring, is_tagger
from mirdemo.web.festival import festival, festival_is_made, festival_set
from mirdemo.web.frame import own_files
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.uploads import Upload, size_of
from mirdemo.web.frame.wire import Wire
from mirdemo.web.hearing import JOB as LISTENING
from mirdemo.web.hearing import is_awaited, listen
from mirdemo.web.models import PACE, embed_here, expected, timed, warm_up
from mirdemo.web.tabs.clips import editing, recordings, table
from mirdemo.web.tabs.clips.asking import shown
from mirdemo.web.tabs.clips.desk import COLUMNS, JOB, ClipsDesk
from mirdemo.web.tabs.clips.long import Growth, LongDesk, LongTab, Parted
from mirdemo.web.tabs.clips.parting import WORTH_OPENING
from mirdemo.web.tabs.clips.possible import possible
from mirdemo.web.tabs.clips.reading import Dropped, read_drop
from mirdemo.web.tabs.clips.respelling import respell, respellings
from mirdemo.web.tabs.clips.tracks import Tracks, track_of, tracks_of
from mirdemo.web.tabs.clips.visits import Visits
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.frame.session import Visitors

#: The kind of work (``embedding.pace``) whose unit is reading ``AMOUNT`` bytes of files.
ADDING = "adding clips"
AMOUNT = 100 * 2**20
#: What the visitor's labels are called when taken home; without clips it is a template.
SHEET = "labels.csv"


def build(wire: Wire) -> None:
    """The tab's view and what can be done in it."""
    tab = ClipsTab(wire)
    wire.view("clips", tab.show)
    wire.keeps("clips", Keeper(_keep, _restore))
    for handler in (tab.add, tab.festival, tab.track, respell, *editing.ACTS, *recordings.ACTS, *table.ACTS):
        wire.on(f"clips.{handler.__name__}", handler)
    wire.on_open("clips", get_ready)


def download_route(visitors: Visitors) -> Route:
    """Where a visitor's labels are had as a sheet."""
    from starlette.responses import Response

    def answer(request: Request, clips: LabelledClips) -> Response:
        saved = {"Content-Disposition": f'attachment; filename="{SHEET}"'}
        return Response(clips.as_sheet(), headers=saved, media_type="text/csv; charset=utf-8")

    return own_files.route(visitors, "clips", SHEET, lambda visitor: visitor.clips, answer)


def _done(visitor: Visitor) -> bool:
    """Whether the next steps have something to learn from and something to test on."""
    return len(visitor.clips.tags) > 0 and len(set(visitor.clips.counted)) > 1


TAB = Tab("clips", build, step=True, done=_done)


class ClipsTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._visits = Visits(wire)
        self._long = LongTab(wire, self._look_ahead)
        self.track = Tracks(wire, self._look_ahead).track

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        clips, sounds = visitor.clips, visitor.sounds
        names = [JOB.format(number=number) for number in range(1, visitor.desk(ClipsDesk).drops + 1)]
        jobs = [visitor.jobs[name] for name in names if name in visitor.jobs]
        desk = visitor.desk(ClipsDesk)
        desk.picked &= {clip.sha256 for clip in clips.clips}
        return {
            **shown(visitor),
            "returned": desk.returned,
            "awaited": is_awaited(visitor),
            "long": self._long.shown(visitor),
            "long_expected": visitor.desk(LongDesk).expected,
            "long_answer": visitor.has_long_sounds_beside(LongDesk),
            "long_limits": LONG_LIMITS,
            "picked": len(desk.picked),
            "visit": self._visits.shown(visitor),
            "sheet": f"{own_files.place('clips', visitor)}/{SHEET}",
            "respellings": respellings(desk.problems, clips),
            "rows": [
                {
                    "track": sounds.track(clip, bars=40),
                    "tags": clips.tags_of(i),
                    "recording": clips.recordings[i],
                    "session": clips.session_of(i),
                    "picked": clip.sha256 in desk.picked,
                    "span": (clip.start_seconds, clip.start_seconds + clip.seconds)
                    if clip.start_seconds
                    else None,
                    "sound_track": track_of(clip),
                    "tracks": tracks_of(clip),
                    "warnings": clip.warnings,
                    "can_open": clip.seconds >= WORTH_OPENING and not clip.start_seconds,
                }
                for i, clip in ((row, clips.clips[row]) for row in desk.order(clips))
            ],
            "takes": PACE.expected(ADDING, 1.0),
            "amount": AMOUNT // 2**20,
            "hearing": expected(visitor.backbone, clips.clips, visitor.memory),
            "columns": COLUMNS,
            "sort": desk.sort,
            "renamed": desk.renamed,
            "counts": [
                (tag, count, possible(clips, column))
                for column, (tag, count) in enumerate(clips.counts().items())
            ],
            "words": WORDS,
            "warnings": [
                w for w in clips.warnings() if w.code not in ("clips.few_recordings", "clips.in_question")
            ],
            "problems": _notes(desk.problems),
            "minutes": clips.seconds / 60,
            "limits": LIMITS,
            "more_like": alike.shown(visitor, t),
            "jobs": [(job, self._wire.jobs.ahead(job)) for job in jobs if job.active],
        }

    # ---- adding -----------------------------------------------------------------------------------------

    def add(self, visitor: Visitor, act: Act) -> None:
        """Files, folders, zips and sheets that were dropped, chosen or recorded."""
        self._wire.visitors.check_room()
        warm_up(visitor.backbone)
        uploads, typed = act.uploads(), act.text("tags")
        if is_tagger(uploads):
            bring(self._wire, visitor, uploads)
            return
        there = len(visitor.clips) or visitor.desk(LongDesk).open
        if there and all(may_label(one.name) for one in uploads):
            if growing := visitor.desk(LongDesk).growing:
                raise PageError(
                    "{name} is still being opened. Add its labels when all of it is there.",
                    code="page.still_opening",
                    name=growing[0],
                )
            self._label(visitor, uploads)
            return
        room, places = CLIP_LIMITS.max_seconds - visitor.clips.seconds, visitor.desk(LongDesk).places
        growth = Growth(visitor, typed)

        def take(read: Dropped) -> None:
            added, parted = read
            if added is not None:
                take_clips(added)
            if parted.long or parted.problems:
                arrived = bool(parted.long) and self._visits.long_arrived(visitor)
                problems = self._long.take(visitor, parted)
                visitor.desk(ClipsDesk).problems += tuple(problems)
                if problems or not arrived:
                    self._tell_long(visitor, parted, problems)
                if len(visitor.clips):
                    self._look_ahead(visitor)

        def take_clips(added: LabelledClips | Visit) -> None:
            before = len(visitor.clips)
            if isinstance(added, Visit):
                if self._visits.arrived(visitor, added):
                    self._look_ahead(visitor)
                return
            if self._visits.sounds_arrived(visitor, added.clips):
                self._look_ahead(visitor)
                return
            visitor.hold(visitor.clips.add(added))
            self._tell(visitor, len(visitor.clips) - before)
            self._look_ahead(visitor)

        work = timed(
            ADDING,
            sum(map(size_of, uploads)) / AMOUNT,
            lambda progress: read_drop(uploads, typed, room, places, progress, growth),
        )
        self._wire.start(visitor, visitor.desk(ClipsDesk).next_job(), work, take, resource="sound")

    def festival(self, visitor: Visitor, act: Act) -> None:
        """The demonstration set, made by code when asked for."""
        self._wire.visitors.check_room()
        warm_up(visitor.backbone)

        def take(made: LabelledClips) -> None:
            # Which of its clips are of one recording is known: players of one voice sound alike, and nobody is asked.
            visitor.hold(visitor.clips.add(made.say_different(range(len(made)))))
            visitor.desk(ClipsDesk).problems = ()
            self._look_ahead(visitor)

        self._wire.start(visitor, visitor.desk(ClipsDesk).next_job(), festival, take, resource="sound")

    def _label(self, visitor: Visitor, uploads: list[Upload]) -> None:
        """A sheet or annotation files alone: they are about the clips that are there."""

        def take(sheets: list[tuple[str, bytes]]) -> None:
            clips, problems, longs = visitor.clips, [], visitor.desk(LongDesk).by_recording()
            for name, data in sheets:
                clips = clips.label_by(data, name, longs)
                problems += clips.problems
            visitor.hold(clips)
            visitor.desk(ClipsDesk).problems = tuple(problems)
            visitor.tell(Sentence("Labels read: {n}.", "clips.labelled", {"n": len(sheets)}))
            self._look_ahead(visitor)

        def read(progress: Progress) -> list[tuple[str, bytes]]:
            try:
                return [(PurePosixPath(one.name).name, one.read()) for one in uploads]
            finally:
                for one in uploads:
                    one.delete()

        self._wire.start(visitor, visitor.desk(ClipsDesk).next_job(), read, take, resource="sound")

    def _look_ahead(self, visitor: Visitor) -> None:
        """While new clips are being looked at: hear which may be of one recording, and embed them for the next step."""
        clips, memory, desk = visitor.clips.clips, visitor.memory, visitor.desk(ClipsDesk)

        def take(heard: Heard) -> None:
            visitor.clips.hear(heard)

        with suppress(PageError):
            self._wire.start(
                visitor,
                f"{LISTENING}{desk.drops}",
                lambda progress: listen(clips, memory, progress),
                take,
                unasked=True,
            )
        if visitor.backbone != BACKBONE:
            self._embed_ahead(visitor)

    def _embed_ahead(self, visitor: Visitor) -> None:
        """Embed new clips while they are being looked at, so that the next step answers at once.

        Only with an embedded backbone, which costs nobody a download, and only if the machine has time.
        """
        clips, backbone, memory = visitor.clips.clips, visitor.backbone, visitor.memory
        if spec(backbone).embedded:
            name = f"ahead-{visitor.desk(ClipsDesk).drops}"
            with suppress(PageError):
                self._wire.start(
                    visitor,
                    name,
                    lambda progress: embed_here(clips, backbone, memory, progress),
                    lambda made: None,
                    unasked=True,
                )

    @staticmethod
    def _tell_long(visitor: Visitor, parted: Parted, problems: Sequence[Sentence]) -> None:
        if problems:
            visitor.tell(problems[0], refusal=True)
        else:
            names = ", ".join(one.name for one in parted.long)
            visitor.tell(Sentence("Open as a waveform: {names}.", "page.long_opened", {"names": names}))

    @staticmethod
    def _tell(visitor: Visitor, added: int) -> None:
        problems = visitor.clips.problems
        visitor.desk(ClipsDesk).problems = problems
        problems = _notes(problems)
        if problems and not added:
            visitor.tell(problems[0], refusal=True)
        elif problems:
            visitor.tell(
                Sentence(
                    "Added: {n}. Please see the notes above the table ({count}).",
                    "page.added_with_notes",
                    {"n": added, "count": len(problems)},
                )
            )
        else:
            visitor.tell(Sentence("Added: {n}.", "page.added", {"n": added}))


def _keep(visitor: Visitor) -> dict[str, Any]:
    """Beside the clips: what they said of groups that are not of one recording."""
    return {"different": [sorted(group) for group in visitor.clips.heard.different]}


def _restore(visitor: Visitor, kept: Mapping[str, Any]) -> None:
    said = frozenset(frozenset(str(id) for id in group) for group in kept["different"])
    visitor.clips.hear(Heard(different=said))


def _notes(problems: Sequence[Sentence]) -> list[Sentence]:
    """What is noted above the table; what names have put together stands there for itself."""
    return [problem for problem in problems if problem.code != "clips.grouped_by_name"]


def get_ready(visitor: Visitor) -> None:
    """While a visitor without clips reads, prepare what the next click is likely to want."""
    if len(visitor.clips.clips):
        return
    if not festival_is_made():
        threading.Thread(target=festival_set, name="mirdemo-festival", daemon=True).start()
    warm_up(visitor.backbone)
