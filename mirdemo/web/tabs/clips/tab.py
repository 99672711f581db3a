"""Clips: add, listen, tag, remove; what each tag has, and whether that is enough."""

from __future__ import annotations

import io
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.clips import FEWEST_RECORDINGS, ClipsError, LabelledClips
from mirdemo.clips.archives import list_zip
from mirdemo.clips.encodings import reread
from mirdemo.clips.encodings import shown as shown_encoding
from mirdemo.clips.gathering import may_label
from mirdemo.clips.heard import Heard
from mirdemo.clips.likeness import BACKBONE
from mirdemo.clips.recordings import stem_of
from mirdemo.clips.tags import typed_tags
from mirdemo.clips.visit import Visit, is_visit, read_visit
from mirdemo.scoring.verdicts import WORDS
from mirdemo.sound.decoding.limits import LIMITS as SOUND_LIMITS
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web import alike
from mirdemo.web.brought import bring, is_tagger
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
from mirdemo.web.tabs.clips.asking import shown, superfluous
from mirdemo.web.tabs.clips.long import Growth, LongDesk, LongTab, Parted
from mirdemo.web.tabs.clips.parting import WORTH_OPENING, part_long
from mirdemo.web.tabs.clips.possible import possible
from mirdemo.web.tabs.clips.visits import Visits
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.sound.audio import Clip
    from mirdemo.web.frame.session import Visitors

#: Files may be added while others are still being read: each drop is a job of its own.
JOB = "clips-{number}"
#: The kind of work (``embedding.pace``) whose unit is reading ``AMOUNT`` bytes of files.
ADDING = "adding clips"
AMOUNT = 100 * 2**20
#: What the visitor's labels are called when taken home; without clips it is a template.
SHEET = "labels.csv"
#: Sound tracks of one file may differ so much in length (seconds).
TRACKS_DIFFER = 1.0


#: What the table of clips sorts by: a clip's place in the collection to what is compared.
COLUMNS: dict[str, Callable[[LabelledClips, int], Any]] = {
    "clip": lambda clips, row: clips.clips[row].name.casefold(),
    "tags": lambda clips, row: [tag.casefold() for tag in clips.tags_of(row)],
    "recording": lambda clips, row: clips.recordings[row].casefold(),
}


@dataclass
class ClipsDesk:
    """What this tab remembers of a visitor.

    problems: what the last files added left out, merged or put together; picked: SHA-256 of the clips that are ticked
    sort: by which of ``COLUMNS`` and whether from the end; None: as they were added
    renamed: the tag that was renamed last, as it is called now
    returned: how often an answer about recordings was taken back
    """

    problems: tuple[Sentence, ...] = ()
    drops: int = 0
    picked: set[str] = field(default_factory=set)
    sort: tuple[str, bool] | None = None
    renamed: str = ""
    returned: int = 0

    def order(self, clips: LabelledClips) -> list[int]:
        """The places of the clips in the order of the table."""
        rows = list(range(len(clips)))
        if self.sort is None:
            return rows
        column, from_the_end = self.sort
        return sorted(rows, key=lambda row: COLUMNS[column](clips, row), reverse=from_the_end)

    def next_job(self) -> str:
        self.drops += 1
        return JOB.format(number=self.drops)


def build(wire: Wire) -> None:
    """The tab's view and what can be done in it."""
    tab = ClipsTab(wire)
    wire.view("clips", tab.show)
    wire.keeps("clips", Keeper(_keep, _restore))
    for name in (
        *("add", "festival", "track", "tag", "untag", "recording", "rename", "remove", "clear", "respell"),
        *(
            "together",
            "all_together",
            "different",
            "part",
            "pieces",
            "pick",
            "pick_many",
            "pick_range",
            "sort",
            "tag_picked",
            "record_picked",
        ),
        *("session_picked", "part_picked", "remove_picked"),
    ):
        wire.on(f"clips.{name}", getattr(tab, name))
    wire.on_open("clips", get_ready)


def download_route(visitors: Visitors) -> Route:
    """Where a visitor's labels are had as a sheet."""
    from starlette.responses import Response

    def answer(request: Request, clips: LabelledClips) -> Response:
        saved = {"Content-Disposition": f'attachment; filename="{SHEET}"'}
        return Response(clips.as_sheet(), headers=saved, media_type="text/csv; charset=utf-8")

    return own_files.route(visitors, "clips", SHEET, lambda visitor: visitor.clips, answer)


TAB = Tab("clips", build, step=True, done=lambda visitor: len(visitor.clips.tags) > 0)


class ClipsTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._visits = Visits(wire)
        self._long = LongTab(wire, self._look_ahead)

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
            "respellings": _respellings(desk.problems, clips),
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
                    "sound_track": _track(clip),
                    "tracks": _tracks(clip),
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

    # ---- editing ----------------------------------------------------------------------------------------

    def tag(self, visitor: Visitor, act: Act) -> None:
        row, typed = _row(visitor, act), typed_tags(act.text("value"), CLIP_LIMITS)
        visitor.hold(visitor.clips.relabel(row, [*visitor.clips.tags_of(row), *typed]))

    def untag(self, visitor: Visitor, act: Act) -> None:
        row, tag = _row(visitor, act), act.text("tag")
        clips = visitor.clips
        change(
            visitor,
            clips.relabel(row, [t for t in clips.tags_of(row) if t != tag]),
            Sentence(
                "{tag} was taken from {name}.", "clips.untagged", {"tag": tag, "name": clips.clips[row].name}
            ),
        )

    def track(self, visitor: Visitor, act: Act) -> None:
        """Another sound track of a clip's file, which the browser has sent again: nothing of it was kept here."""
        row, wanted = _row(visitor, act), act.whole("value", 1, 999)
        was = visitor.clips.clips[row]
        if not act.has("files"):
            raise _file_not_here(was.name)
        (upload, *others) = act.uploads()
        for other in others:
            other.delete()
        self._wire.visitors.check_room()

        def read(progress: Progress) -> Clip:
            from mirdemo.sound.audio import load_clip

            progress(0, 0, "decoding")
            try:
                clip = load_clip(upload.path_within(SOUND_LIMITS.max_bytes), was.name, track=wanted)
            finally:
                upload.delete()
            if _tracks(clip) != _tracks(was):  # another file of this name
                raise _file_not_here(was.name)
            if was.start_seconds or clip.seconds > was.seconds + TRACKS_DIFFER:  # a piece stays that piece
                return clip.cut(was.start_seconds, was.start_seconds + was.seconds)
            return clip

        def take(clip: Clip) -> None:
            held = [one.sha256 for one in visitor.clips.clips]
            if was.sha256 not in held:
                return
            after = visitor.clips.exchange(held.index(was.sha256), clip)
            told = {"name": clip.name, "track": wanted}
            change(visitor, after, Sentence("{name}: track {track} was read.", "clips.track_chosen", told))
            self._look_ahead(visitor)

        self._wire.start(visitor, visitor.desk(ClipsDesk).next_job(), read, take, resource="sound")

    def recording(self, visitor: Visitor, act: Act) -> None:
        visitor.hold(visitor.clips.set_recording(_row(visitor, act), act.text("value")))

    def rename(self, visitor: Visitor, act: Act) -> None:
        old, new = act.text("tag"), act.text("value")
        clips = visitor.clips.rename_tag(old, new)
        visitor.desk(ClipsDesk).renamed = new
        if len(clips.tags) == len(visitor.clips.tags):
            visitor.hold(clips)
        else:
            change(
                visitor,
                clips,
                Sentence("{old} and {new} are one tag now.", "clips.merged", {"old": old, "new": new}),
            )

    # ---- recordings --------------------------------------------------------------------------------------

    def together(self, visitor: Visitor, act: Act) -> None:
        """Yes: the clips of this group, asked about or left apart, are of one recording."""
        rows = self._group(visitor, act)
        after = visitor.clips.set_recording(rows, _one_name(visitor.clips, rows))
        self._say(visitor, after, _one(rows), [rows])

    def all_together(self, visitor: Visitor, act: Act) -> None:
        clips, groups = visitor.clips, visitor.clips.asked
        for rows in groups:
            clips = clips.set_recording(rows, _one_name(clips, rows))
        told = Sentence(
            "{n} clips count as {recordings} recordings now.",
            "clips.all_together",
            {"n": sum(map(len, groups)), "recordings": len(groups)},
        )
        self._say(visitor, clips, told, groups)

    def different(self, visitor: Visitor, act: Act) -> None:
        """No: the clips of this group, or of all that are asked about, are of several recordings."""
        clips = visitor.clips
        groups = clips.asked if act.flag("all") else (self._group(visitor, act),)
        for rows in groups:
            clips = clips.say_different(rows)
        n = sum(map(len, groups))
        told = Sentence(
            "{n} clips stay as they are, and are not asked about again.", "clips.stay_apart", {"n": n}
        )
        self._say(visitor, clips, told, groups)

    def part(self, visitor: Visitor, act: Act) -> None:
        """What was put together by name is not: each file is a recording of its own."""
        grouped = visitor.clips.by_name.grouped
        rows = grouped[act.one_of("name", grouped)]
        self._say(visitor, visitor.clips.part(rows), _each(rows), [])

    def pieces(self, visitor: Visitor, act: Act) -> None:
        """What the clips are whose names call them parts and do not say of what: of one recording, or each of its own."""
        clips, said = visitor.clips, act.one_of("value", ("one", "each"))
        rows = clips.by_name.pieces
        if not rows:
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        if said == "each":
            self._say(visitor, clips.part(rows), _each(rows), [], pieces=True)
        else:
            one = clips.set_recording(rows, _one_name(clips, rows))
            self._say(visitor, one, _one(rows), [], pieces=True)

    @staticmethod
    def _say(
        visitor: Visitor,
        after: LabelledClips,
        told: Sentence,
        groups: Sequence[tuple[int, ...]],
        pieces: bool = False,
    ) -> None:
        """What was answered about recordings, and how many other questions go with it; where that is taken back, the question
        comes into sight again. groups: of ``asked``, and pieces: whether the parts of nothing, were answered"""
        gone = superfluous(visitor.clips, after, groups, pieces)
        if gone:
            told = Sentence(
                "{said} Questions that are no longer asked because of it: {gone}.",
                "clips.and_no_longer_asked",
                {"said": told, "gone": gone},
            )

        def again() -> None:
            visitor.desk(ClipsDesk).returned += 1

        change(visitor, after, told, again)

    def _group(self, visitor: Visitor, act: Act) -> tuple[int, ...]:
        """The rows of a group that the view offers, by its first clip. Raises PageError if it is no longer there."""
        clips = visitor.clips
        groups = [*clips.asked, *clips.by_name.apart.values()]
        by_first: dict[str, tuple[int, ...]] = {}
        for rows in groups:
            by_first.setdefault(clips.clips[rows[0]].sha256, rows)
        return by_first[act.one_of("group", by_first)]

    # ---- many at once ------------------------------------------------------------------------------------

    def pick(self, visitor: Visitor, act: Act) -> None:
        id = act.one_of("clip", [clip.sha256 for clip in visitor.clips.clips])
        picked = visitor.desk(ClipsDesk).picked
        (picked.add if act.flag("value") else picked.discard)(id)

    def pick_range(self, visitor: Visitor, act: Act) -> None:
        """All from one clip to another, as the table has them."""
        clips = visitor.clips
        ids = [clips.clips[row].sha256 for row in visitor.desk(ClipsDesk).order(clips)]
        first, last = sorted((ids.index(act.one_of("from", ids)), ids.index(act.one_of("clip", ids))))
        picked, those = visitor.desk(ClipsDesk).picked, ids[first : last + 1]
        (picked.update if act.flag("value") else picked.difference_update)(those)

    def sort(self, visitor: Visitor, act: Act) -> None:
        """By a column; once more from its end, and once more as the clips were added."""
        desk, column = visitor.desk(ClipsDesk), act.one_of("column", COLUMNS)
        after = {None: (column, False), (column, False): (column, True)}
        desk.sort = after.get(desk.sort if desk.sort and desk.sort[0] == column else None)

    def pick_many(self, visitor: Visitor, act: Act) -> None:
        """All clips, none, or those of one tag."""
        desk, clips = visitor.desk(ClipsDesk), visitor.clips
        which = act.one_of("which", ("all", "none", "tag"))
        tag = act.one_of("tag", clips.tags) if which == "tag" else ""
        desk.picked = {
            clip.sha256
            for row, clip in enumerate(clips.clips)
            if which == "all" or (which == "tag" and tag in clips.tags_of(row))
        }

    def tag_picked(self, visitor: Visitor, act: Act) -> None:
        rows, typed = self._picked(visitor), act.text("value")
        after = visitor.clips.tag(rows, typed)
        change(visitor, after, Sentence("Clips tagged: {n}.", "clips.tagged", {"n": len(rows)}))

    def record_picked(self, visitor: Visitor, act: Act) -> None:
        rows = self._picked(visitor)
        change(visitor, visitor.clips.set_recording(rows, act.text("value")), _changed(rows))

    def session_picked(self, visitor: Visitor, act: Act) -> None:
        rows = self._picked(visitor)
        change(visitor, visitor.clips.set_session(rows, act.text("value")), _changed(rows))

    def part_picked(self, visitor: Visitor, act: Act) -> None:
        rows = self._picked(visitor)
        change(visitor, visitor.clips.part(rows), _changed(rows))

    def remove_picked(self, visitor: Visitor, act: Act) -> None:
        rows = self._picked(visitor)
        change(visitor, visitor.clips.remove(rows), _removed(len(rows)))

    @staticmethod
    def _picked(visitor: Visitor) -> list[int]:
        picked = visitor.desk(ClipsDesk).picked
        rows = [row for row, clip in enumerate(visitor.clips.clips) if clip.sha256 in picked]
        if not rows:
            raise PageError("Tick the clips that are meant first.", code="clips.none_picked")
        return rows

    def respell(self, visitor: Visitor, act: Act) -> None:
        """The sheet's letters were guessed wrongly: read them in another of the encodings that were possible."""
        desk = visitor.desk(ClipsDesk)
        offered = {one["encoding"]: one for one in _respellings(desk.problems, visitor.clips)}
        chosen = offered[act.one_of("encoding", offered)]
        before = desk.problems

        def again() -> None:
            desk.problems = before

        after = visitor.clips.respelt(chosen["was"], chosen["encoding"])
        told = Sentence(
            "Read as {encoding}.", "clips.respelt", {"encoding": shown_encoding(chosen["encoding"])}
        )
        change(visitor, after, told, again)
        desk.problems = tuple(_as_chosen(problem, chosen) for problem in before)

    def remove(self, visitor: Visitor, act: Act) -> None:
        change(visitor, visitor.clips.remove([_row(visitor, act)]), _removed(1))

    def clear(self, visitor: Visitor, act: Act) -> None:
        desk = visitor.desk(ClipsDesk)
        was = desk.problems

        def again() -> None:
            desk.problems = was

        change(visitor, LabelledClips(limits=CLIP_LIMITS), _removed(len(visitor.clips)), again)
        desk.problems = ()


def change(
    visitor: Visitor, after: LabelledClips, told: Sentence, again: Callable[[], None] = lambda: None
) -> None:
    """Hold other clips in a way that can be taken back. again: takes back what is not the clips'"""
    before = visitor.clips
    visitor.hold(after)

    def undo() -> None:
        now = visitor.clips
        visitor.hold(before if now is after else before.add(now))  # what came meanwhile stays
        again()

    visitor.tell(told, undo=undo)


def _one(rows: Sequence[int]) -> Sentence:
    return Sentence("{n} clips count as one recording now.", "clips.together", {"n": len(rows)})


def _each(rows: Sequence[int]) -> Sentence:
    return Sentence("{n} clips count as a recording each now.", "clips.parted", {"n": len(rows)})


def _removed(count: int) -> Sentence:
    return Sentence("Clips removed: {n}.", "clips.removed", {"n": count})


def _changed(rows: Sequence[int]) -> Sentence:
    return Sentence("Clips changed: {n}.", "clips.changed", {"n": len(rows)})


def _keep(visitor: Visitor) -> dict[str, Any]:
    """Beside the clips: what they said of groups that are not of one recording."""
    return {"different": [sorted(group) for group in visitor.clips.heard.different]}


def _restore(visitor: Visitor, kept: Mapping[str, Any]) -> None:
    said = frozenset(frozenset(str(id) for id in group) for group in kept["different"])
    visitor.clips.hear(Heard(different=said))


def enough(recordings: int) -> str:
    """What so many recordings of a tag suffice for: ``"check"``, ``"use"`` or ``"little"``."""
    if recordings >= FEWEST_RECORDINGS:
        return "check"
    return "use" if recordings == 2 else "little"


def _one_name(clips: LabelledClips, rows: Sequence[int]) -> str:
    """What to call the recording of these clips: as most of them are called already."""
    return Counter(clips.recordings[row] for row in rows).most_common(1)[0][0]


def _notes(problems: Sequence[Sentence]) -> list[Sentence]:
    """What is noted above the table; what names have put together stands there for itself."""
    return [problem for problem in problems if problem.code != "clips.grouped_by_name"]


#: Notes of letters that were read in one of several possible encodings.
_GUESSED = ("clips.encoding_guessed", "clips.names_guessed")


def _as_chosen(problem: Sentence, chosen: Mapping[str, str]) -> Sentence:
    """The note of a guess after another reading was chosen: that one is offered again in its place."""
    if problem.code not in _GUESSED or problem.values["codec"] != chosen["was"]:
        return problem
    others = [one for one in problem.values["others"].split() if one != chosen["encoding"]]
    values = {
        "encoding": shown_encoding(chosen["encoding"]),
        "codec": chosen["encoding"],
        "others": " ".join([chosen["was"], *others]),
        "words": chosen["words"],
    }
    return replace(problem, values={**problem.values, **values})


def _respellings(problems: Sequence[Sentence], clips: LabelledClips) -> list[dict[str, str]]:
    """Other encodings that a sheet's letters may be in, each with words as they would read."""
    found = []
    for problem in problems:
        if problem.code not in _GUESSED:
            continue
        was = problem.values["codec"]
        names = [stem_of(clip.name) for clip in clips.clips]
        words = [word for word in (*clips.tags, *clips.recordings, *names) if not word.isascii()]
        for other in problem.values["others"].split():
            would = [read for word in words if (read := reread(word, was, other)) not in (None, word)]
            if would:
                found.append(
                    {"was": was, "encoding": other, "words": ", ".join(list(dict.fromkeys(would))[:3])}
                )
    return found


def _track(clip: Clip) -> int:
    """Which sound track of its file a clip is."""
    return next((int(w.values["track"]) for w in clip.warnings if w.code == "audio.tracks"), 1)


def _tracks(clip: Clip) -> int:
    """How many its file has."""
    return next((int(w.values["tracks"]) for w in clip.warnings if w.code == "audio.tracks"), 1)


def _file_not_here(name: str) -> PageError:
    return PageError(
        "This page has the file {name} no longer. Remove the clip, drop the file again, and choose the track then.",
        code="page.file_not_here",
        name=name,
    )


def _row(visitor: Visitor, act: Act) -> int:
    ids = [clip.sha256 for clip in visitor.clips.clips]
    return ids.index(act.one_of("clip", ids))


#: A drop: clips or a visit, None where it held neither, and what of it was opened as long recordings.
Dropped = tuple[LabelledClips | Visit | None, Parted]


def read_drop(
    uploads: list[Upload],
    typed: str,
    room_seconds: float,
    places: int,
    progress: Progress,
    growth: Growth | None = None,
) -> Dropped:
    """All of a drop: long recordings are opened, the rest is read by ``read_uploads``. Each file is deleted as it is read.

    room_seconds: of sound that the visit has room for; places: for more long recordings; growth: shows these meanwhile
    Raises as ``read_uploads`` and ``part_long`` do.
    """
    try:
        typed_tags(typed, CLIP_LIMITS)  # refuses what cannot be a tag, before the work
        parted = part_long(uploads, room_seconds, places, progress, growth)
        if not parted.rest:
            return None, parted
        try:
            return read_uploads(list(parted.rest), typed, progress), parted
        except Cancelled:
            raise
        except MirdemoError as error:
            if not parted.long:
                raise
            return None, replace(parted, problems=(*parted.problems, error.sentence))
    finally:
        for upload in uploads:
            upload.delete()


def read_uploads(uploads: list[Upload], typed: str, progress: Progress) -> LabelledClips | Visit:
    """Clips from uploads, one after another, each file deleted as soon as it is read; or a saved visit, if it is one.

    A zip, a dropped folder and a sheet bring their own tags; ``typed`` is added to every clip.
    Raises ClipsError or PageError where nothing at all can be used; what fails beside other files is a problem.
    """
    try:
        extra = typed_tags(typed, CLIP_LIMITS)  # refuses what cannot be a tag, before the work
        sheets = [one for one in uploads if may_label(one.name)]
        folders = [one for one in uploads if "/" in one.name]
        if sheets or folders:
            read = _read_tree(uploads, progress)
            if isinstance(read, Visit):
                return read
            found = read
        else:
            found = LabelledClips(limits=CLIP_LIMITS)
            for done, upload in enumerate(uploads):
                progress(done, len(uploads), "decoding")
                read = _read_one(upload, progress)
                if isinstance(read, Visit) and len(uploads) == 1:
                    return read
                if isinstance(read, Visit):
                    raise PageError(
                        "{name} is a saved visit. Open it by itself.", code="page.visit_alone", name=read.name
                    )
                found = _join(found, read)
    finally:
        for upload in uploads:
            upload.delete()
    if not extra or not len(found):
        return found
    tagged = LabelledClips.from_clips(found.clips, [extra] * len(found), limits=CLIP_LIMITS)
    return replace(
        found.add(tagged), problems=found.problems
    )  # the same sounds again: only their tags are merged


def _join(found: LabelledClips, more: LabelledClips) -> LabelledClips:
    """Both together, with the problems of both."""
    joined = found.add(more)
    return replace(joined, problems=found.problems + joined.problems)


def _read_one(upload: Upload, progress: Progress) -> LabelledClips | Visit:
    """One file or zip. What it cannot give becomes a problem; a saved visit is read whole or refused."""
    try:
        content = upload.read()
        if not is_visit(content):
            if PurePosixPath(upload.name).suffix.lower() == ".zip":  # or says why it is none
                return LabelledClips.from_zip(content, upload.name, limits=CLIP_LIMITS)
            return LabelledClips.from_files([(upload.name, content)], limits=CLIP_LIMITS)
    except MirdemoError as error:
        return LabelledClips(problems=(error.sentence,), limits=CLIP_LIMITS)
    return read_visit(content, upload.name, limits=CLIP_LIMITS, progress=progress)


def _read_tree(uploads: list[Upload], progress: Progress) -> LabelledClips | Visit:
    """A dropped folder, or files with a sheet: read as a zip of them is, so that both give the same tags."""
    packed, problems = io.BytesIO(), list[Sentence]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for done, upload in enumerate(uploads):
            progress(done, len(uploads), "decoding")
            for path, content in _unpacked(upload, problems):
                archive.writestr(path, content)
            if packed.tell() > LIMITS.upload_bytes:
                raise PageError(
                    "These files are larger than {megabytes} MB together. Send them in parts.",
                    code="page.folder_too_large",
                    megabytes=LIMITS.upload_bytes // 2**20,
                )
    name = uploads[0].name.split("/")[0]
    if is_visit(packed.getvalue()):  # some browsers unpack what they save
        return read_visit(packed.getvalue(), name, limits=CLIP_LIMITS, progress=progress)
    found = LabelledClips.from_zip(packed.getvalue(), name, limits=CLIP_LIMITS, progress=progress)
    return replace(found, problems=(*problems, *found.problems))


def _unpacked(upload: Upload, problems: list[Sentence]) -> Iterator[tuple[str, bytes]]:
    """A file as it stands in its folder; of a zip beside others what is in it, in the zip's place."""
    content = upload.read()
    if PurePosixPath(upload.name).suffix.lower() != ".zip" or is_visit(content):
        yield upload.name, content
        return
    try:
        with list_zip(content, upload.name, SOUND_LIMITS.max_bytes, CLIP_LIMITS) as listing:
            problems += listing.problems
            for entry in listing.entries:
                held = entry.open()
                if isinstance(held, bytes):
                    yield str(PurePosixPath(upload.name).parent / entry.path), held
    except ClipsError as refusal:
        problems.append(refusal.sentence)


def get_ready(visitor: Visitor) -> None:
    """While a visitor without clips reads, prepare what the next click is likely to want."""
    if len(visitor.clips.clips):
        return
    if not festival_is_made():
        threading.Thread(target=festival_set, name="mirdemo-festival", daemon=True).start()
    warm_up(visitor.backbone)


_MAKING = threading.Lock()


def festival_set() -> LabelledClips:
    """The project's own demonstration set, made once for all visitors: it is nobody's secret."""
    with _MAKING:  # two who ask at once wait for one making
        return _festival_set()


def festival_is_made() -> bool:
    """Whether the demonstration set is at hand already."""
    return bool(_festival_set.cache_info().currsize)


@cache
def _festival_set() -> LabelledClips:
    from mirdemo.synth.festival import festival_clips

    return festival_clips()


def festival(progress: Progress) -> LabelledClips:
    """The demonstration set, a small Japanese festival, as labelled clips."""
    progress(0, 0, "synthesising")
    return festival_set()
