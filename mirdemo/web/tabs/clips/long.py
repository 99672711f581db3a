"""Recordings too long for a clip: opened as a waveform each, on which spans become clips of one recording."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.clips import ClipsError, LabelledClips
from mirdemo.clips.labelled import default_recording
from mirdemo.clips.tags import clean_tags, typed_tags, written_tags
from mirdemo.sound.audio import display_name
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web.frame import own_files
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.spools import SPOOLS, own_folder
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Wire
from mirdemo.web.models import expected_of

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording

#: A span shorter than this (seconds) is a slip of the hand.
SHORTEST_SPAN = 0.1
#: Two decoders' lengths of one recording differ by less (seconds).
SAME_LENGTH = 1.0
#: So many of a saved visit's long recordings are expected again.
MOST_EXPECTED = 100
#: More pieces than this are no preview.
MOST_PIECES = 1_000
#: What a cut is told by: the usual number, the least and the most.
CUTS = {
    "length": (30.0, 1.0, 1_800.0),
    "pause": (1.0, 0.2, 60.0),
    "below": (25.0, 3.0, 80.0),
    "longest": (60.0, 1.0, 1_800.0),
}
_numbers = itertools.count(1)


def next_number() -> int:
    """A number that no other long recording of this process has had."""
    return next(_numbers)


@dataclass(eq=False)
class Open:
    """A long recording on the page. It may still be growing: spans of what is there can be marked.

    recording: what its clips' recording is called; typed: tags that were typed when it was added
    pieces: where it is to be cut, shown before they become clips; cut: the numbers that were last used for that
    """

    sound: LongRecording
    recording: str
    typed: str = ""
    pieces: list[tuple[float, float]] = field(default_factory=list)
    cut: dict[str, float] = field(default_factory=lambda: {name: usual for name, (usual, *_) in CUTS.items()})


@dataclass(frozen=True)
class Expected:
    """A long recording that was open in a saved visit: what is known of it until its file is added again.

    seconds: its length; the others as of ``Open``
    """

    name: str
    seconds: float
    recording: str
    typed: str
    pieces: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Raises ValueError or TypeError for what no page has kept."""
        texts = (self.name, self.recording, self.typed)
        longest = max(CLIP_LIMITS.max_recording_length, LIMITS.text)
        if (
            not all(isinstance(one, str) and len(one) <= longest for one in texts)
            or len(self.pieces) > MOST_PIECES
        ):
            raise ValueError
        if not 0 < self.seconds <= LONG_LIMITS.max_seconds or any(not 0 <= a < b for a, b in self.pieces):
            raise ValueError

    @classmethod
    def of(cls, one: Open) -> Expected:
        return cls(one.sound.name, one.sound.seconds_in_all, one.recording, one.typed, tuple(one.pieces))

    def is_of(self, sound: LongRecording) -> bool:
        """Whether this is it: another decoder may give some samples more or less."""
        return self.name == sound.name and abs(self.seconds - sound.seconds_in_all) < SAME_LENGTH

    def pieces_within(self, seconds: float) -> list[tuple[float, float]]:
        return [(a, min(b, seconds)) for a, b in self.pieces if a < seconds]


@dataclass
class LongDesk:
    """What is open, by a number that no other has had, in the order of opening: the page keeps by it where one was in the
    waveform, and the browser its sound, also where a saved visit takes the place of this one."""

    #: open: exchanged as a whole, for others look through it meanwhile; expected: what a saved visit had open and is not here again
    open: Mapping[str, Open] = field(default_factory=dict)
    expected: list[Expected] = field(default_factory=list)

    @property
    def places(self) -> int:
        """How many more may be opened."""
        return max(LIMITS.long_recordings - len(self.open), 0)

    def add(self, sound: LongRecording, typed: str = "") -> Open:
        """Open one more. Raises PageError if that are too many."""
        if not self.places:
            raise enough_long(sound.name)
        taken = {one.recording for one in self.open.values()}
        name = stem = default_recording(sound.name)[: CLIP_LIMITS.max_recording_length - 6]
        number = 2
        while name in taken:
            name, number = f"{stem} ({number})", number + 1
        one = Open(sound, name, typed)
        self.recognise(one)
        self.open = {**self.open, str(next_number()): one}
        return one

    def opened(self, sound: LongRecording | None) -> Open | None:
        """What shows this recording, if anything does."""
        return next((one for one in self.open.values() if one.sound is sound), None)

    def drop(self, sound: LongRecording) -> None:
        """It could not be opened to its end. Its clips stay."""
        self.open = {id: one for id, one in self.open.items() if one.sound is not sound}

    def recognise(self, one: Open) -> None:
        """Give it what is known of it from a saved visit."""
        for known in [known for known in self.expected if known.is_of(one.sound)]:
            self.expected.remove(known)
            one.recording, one.typed = known.recording, one.typed or known.typed
            one.pieces = one.pieces or known.pieces_within(one.sound.seconds_in_all)
            return

    def go_on_with(self, before: Mapping[str, Open], clips: LabelledClips) -> None:
        """Keep open, of what was open before a saved visit took its place, what the visit had open or has spans of."""
        names = {clip.name for clip in clips.clips}
        for id, one in before.items():
            known = any(known.is_of(one.sound) for known in self.expected)
            if known or one.sound.name in names:
                # another one than before, which stays what it was where the visit is taken back
                again = Open(one.sound, one.recording, one.typed, list(one.pieces), dict(one.cut))
                self.recognise(again)
                self.open = {**self.open, id: again}

    def long_sounds(self) -> dict[str, LongRecording]:
        return {id: one.sound for id, one in self.open.items()}

    def let_go(self) -> None:
        """Give the disk back."""
        for one in self.open.values():
            one.sound.close()

    @property
    def growing(self) -> list[str]:
        """The names of those that are not all there yet."""
        return [one.sound.name for one in self.open.values() if not one.sound.whole]

    def by_recording(self) -> list[tuple[str, LongRecording]]:
        """As ``LabelledClips.label_by`` takes them. Two may be of one recording: clips of it that were opened."""
        return [(one.recording, one.sound) for one in self.open.values()]

    def rows_of(self, one: Open, clips: LabelledClips) -> list[int]:
        """The clips that are spans of a recording."""
        alone = sum(other.sound.name == one.sound.name for other in self.open.values()) == 1
        return [
            row
            for row, clip in enumerate(clips.clips)
            if clip.name == one.sound.name and (alone or clips.recordings[row] == one.recording)
        ]


@dataclass(frozen=True, eq=False)
class Parted:
    """A drop, its long recordings opened. sheets: names and contents of those that may be about them; rest: to be read as ever"""

    long: tuple[LongRecording, ...]
    sheets: tuple[tuple[str, bytes], ...]
    rest: tuple[Upload, ...]
    problems: tuple[Sentence, ...]


def enough_long(name: str) -> PageError:
    return PageError(
        "{name} was not opened: {n} long recordings are open already. Close one first.",
        code="page.enough_long",
        n=LIMITS.long_recordings,
        name=display_name(name),
    )


class Growth:
    """Shows a visitor the long recordings of one drop while they are decoded, one after another."""

    def __init__(self, visitor: Visitor, typed: str) -> None:
        self._visitor = visitor
        self._typed = typed
        self._of_folder: tuple[str, ...] = ()
        self._shown: LongRecording | None = None

    def show(self, sound: LongRecording) -> None:
        """It has grown. Raises PageError where no more may be open, Cancelled where its visitor is gone."""
        if sound is self._shown:
            return
        with self._visitor.lock:
            desk = self._desk()
            before = desk.opened(self._shown)
            if before is None:
                desk.add(sound, self._tags)
            else:  # its reader, or its track, was given up for the next
                before.sound = sound
        self._shown = sound

    def finish(self, sound: LongRecording) -> None:
        """All of it is there, and it is shown from now on: what its file is to be known for reaches the clips that were cut
        meanwhile. Raises as ``show`` does."""
        with self._visitor.lock:
            desk = self._desk()
            one = desk.opened(sound) or desk.add(sound, self._tags)
            desk.recognise(one)
            if sound is self._shown:
                clips = self._visitor.clips
                self._visitor.hold(_warned(clips, desk.rows_of(one, clips), sound))
        self._shown = None

    @contextmanager
    def of_one(self, tags: Sequence[str]) -> Iterator[None]:
        """While one file is decoded: what is shown of it and is not finished goes, whatever ends the work within. tags: what
        its folders say"""
        self._of_folder = tuple(tags)
        try:
            yield
        finally:
            if self._shown is not None:
                with self._visitor.lock:
                    self._visitor.desk(LongDesk).drop(self._shown)
                self._shown = None

    @property
    def _tags(self) -> str:
        """What was typed, and what its folders say, as its clips are to have it."""
        if not self._of_folder:
            return self._typed
        with suppress(ClipsError):  # folders of names that are no tags
            return written_tags(
                clean_tags([*typed_tags(self._typed, CLIP_LIMITS), *self._of_folder], CLIP_LIMITS)
            )
        return self._typed

    def _desk(self) -> LongDesk:
        if self._visitor.gone:
            raise Cancelled()
        return self._visitor.desk(LongDesk)


def _keep(visitor: Visitor) -> list[Expected] | None:
    """What is known of the recordings that are open; their sound is too large for a visit's file."""
    desk = visitor.desk(LongDesk)
    return [*(Expected.of(one) for one in desk.open.values()), *desk.expected][:MOST_EXPECTED] or None


def _restore(visitor: Visitor, kept: Sequence[Expected]) -> None:
    if len(kept) > MOST_EXPECTED or not all(isinstance(one, Expected) for one in kept):
        raise ValueError
    visitor.desk(LongDesk).expected = list(kept)


class LongTab:
    """What can be done with long recordings, and what the Clips tab shows of them."""

    def __init__(self, wire: Wire, changed: Callable[[Visitor], None]) -> None:
        """changed: called when a visitor has new clips"""
        self._changed = changed
        self._visitors = wire.visitors
        for name in ("span", "close", "open", "cut", "drop_piece", "drop_pieces", "take_pieces", "forget"):
            wire.on(f"long.{name}", getattr(self, name))
        wire.keeps("long", Keeper(_keep, _restore, lambda: (Expected,)))

    def shown(self, visitor: Visitor) -> list[dict[str, Any]]:
        """What the template draws of each."""
        desk, clips = visitor.desk(LongDesk), visitor.clips
        left = max(CLIP_LIMITS.max_seconds - clips.seconds, 0.0)
        return [
            {
                "id": id,
                "name": one.sound.name,
                "seconds": one.sound.seconds_in_all,
                "there": one.sound.seconds,
                "growing": not one.sound.whole,
                "takes": expected_of(
                    visitor.backbone, [one.sound.seconds_in_all], clips.clips, visitor.memory
                ),
                "warnings": one.sound.warnings,
                "typed": one.typed,
                "place": f"{own_files.place('long', visitor)}/{id}",
                "marks": json.dumps(_marks(clips, desk.rows_of(one, clips)), ensure_ascii=False),
                "n_marks": len(desk.rows_of(one, clips)),
                "pieces": json.dumps([[round(a, 4), round(b, 4)] for a, b in one.pieces]),
                "n_pieces": len(one.pieces),
                "pieces_minutes": sum(b - a for a, b in one.pieces) / 60,
                "fitting": _fitting(one.pieces, left, CLIP_LIMITS.max_clips - len(clips)),
                "cut": one.cut,
                "cuts": CUTS,
            }
            for id, one in desk.open.items()
        ]

    def take(self, visitor: Visitor, parted: Parted) -> list[Sentence]:
        """Let sheets that came with what was opened label it. Returns what went wrong."""
        desk, problems = visitor.desk(LongDesk), list(parted.problems)
        for name, data in parted.sheets:
            try:
                clips = visitor.clips.label_by(data, name, desk.by_recording())
            except MirdemoError as error:
                problems.append(error.sentence)
                continue
            problems += clips.problems
            visitor.hold(clips)
        return problems

    # ---- acts --------------------------------------------------------------------------------------------

    def span(self, visitor: Visitor, act: Act) -> None:
        """A span becomes a clip, with what was typed as its tags."""
        one = self._one(visitor, act)
        seconds = one.sound.seconds
        start, end = act.number("start", 0.0, seconds), min(act.number("end", 0.0, 1e9), seconds)
        if end - start < SHORTEST_SPAN:
            raise _no_span()
        tags = typed_tags(act.text("value"), CLIP_LIMITS)
        check_room(visitor, end - start)
        self._visitors.check_room()
        added = LabelledClips.from_long(one.sound, [(start, end, tags)], one.recording, limits=CLIP_LIMITS)
        self._add(visitor, added)

    def cut(self, visitor: Visitor, act: Act) -> None:
        """Propose pieces of the marked span, or of the whole where none is marked: even ones, or what lies between pauses."""
        from mirdemo.sound.cutting import between_pauses, even_pieces

        one = self._one(visitor, act)
        how = act.one_of("how", ("even", "pauses"))
        seconds = one.sound.seconds
        start, end = 0.0, seconds
        if act.text("start") and act.text("end"):
            start, end = act.number("start", 0.0, seconds), min(act.number("end", 0.0, 1e9), seconds)
        if end - start < SHORTEST_SPAN:
            raise _no_span()
        numbers = {
            name: act.number(name, least, most)
            for name, (_, least, most) in CUTS.items()
            if (name == "length") == (how == "even")
        }
        if how == "even":
            pieces = even_pieces(start, end, numbers["length"])
        else:
            pieces = between_pauses(one.sound.levels, one.sound.level_seconds, start, end, **numbers)
        if not pieces:
            raise PageError(
                "No pause of {pause:g} s that is {below:g} dB softer than the loud parts was found. Try a shorter pause, "
                "fewer dB, or even pieces.",
                code="page.no_pauses",
                **{name: numbers[name] for name in ("pause", "below")},
            )
        if len(pieces) > MOST_PIECES:
            raise PageError(
                "That would be {n} pieces; at most {most} are proposed at once. Make them longer, or mark a span to cut "
                "first.",
                code="page.too_many_pieces",
                n=len(pieces),
                most=MOST_PIECES,
            )
        one.pieces = pieces
        one.cut |= numbers

    def drop_piece(self, visitor: Visitor, act: Act) -> None:
        """One of the pieces is not wanted."""
        one = self._one(visitor, act)
        at, before = act.number("at", 0.0, one.sound.seconds), one.pieces
        one.pieces = [piece for piece in before if not piece[0] <= at < piece[1]]

        def undo() -> None:
            one.pieces = before

        dropped = len(before) - len(one.pieces)
        if dropped:
            visitor.tell(Sentence("Pieces dropped: {n}.", "page.pieces_dropped", {"n": dropped}), undo=undo)

    def forget(self, visitor: Visitor, act: Act) -> None:
        """A long recording of a saved visit is not waited for any more."""
        desk = visitor.desk(LongDesk)
        before = list(desk.expected)
        gone = before[act.whole("number", 0, len(before) - 1)] if before else None
        if gone is None:
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        desk.expected = [one for one in before if one is not gone]

        def undo() -> None:
            desk.expected = before

        told = Sentence("{name} is not waited for any more.", "page.long_forgotten", {"name": gone.name})
        visitor.tell(told, undo=undo)

    def drop_pieces(self, visitor: Visitor, act: Act) -> None:
        one = self._one(visitor, act)
        before, one.pieces = one.pieces, []

        def undo() -> None:
            one.pieces = before

        visitor.tell(Sentence("Pieces dropped: {n}.", "page.pieces_dropped", {"n": len(before)}), undo=undo)

    def take_pieces(self, visitor: Visitor, act: Act) -> None:
        """The pieces that the visit has room for become clips, with what was typed as the tags of all."""
        one = self._one(visitor, act)
        tags = typed_tags(act.text("value"), CLIP_LIMITS)
        clips, before = visitor.clips, one.pieces
        left = max(CLIP_LIMITS.max_seconds - clips.seconds, 0.0)
        fitting = _fitting(before, left, CLIP_LIMITS.max_clips - len(clips))
        if not fitting:
            check_room(visitor, before[0][1] - before[0][0] if before else SHORTEST_SPAN)
            raise _no_span()
        self._visitors.check_room()
        found = LabelledClips.from_clips(
            [one.sound.cut(*piece) for piece in before[:fitting]],
            [tags] * fitting,
            [one.recording] * fitting,
            limits=CLIP_LIMITS,
        )
        one.pieces = before[fitting:]

        def undo() -> None:
            one.pieces = before

        self._add(visitor, found, undo)

    def close(self, visitor: Visitor, act: Act) -> None:
        """Close a recording; its clips stay."""
        desk = visitor.desk(LongDesk)
        id = act.one_of("long", [id for id, one in desk.open.items() if one.sound.whole])
        before, closed = desk.open, desk.open[id]
        desk.open = {key: one for key, one in before.items() if key != id}

        def undo() -> None:
            kept = {key: one for key, one in before.items() if key in desk.open or key == id}
            desk.open = {**kept, **desk.open}

        told = Sentence("{name} was closed. Its clips stay.", "page.long_closed", {"name": closed.sound.name})
        visitor.tell(told, undo=undo)

    def open(self, visitor: Visitor, act: Act) -> None:
        """A clip that is there becomes a waveform to mark spans in; spans take its place."""
        from mirdemo.sound.long import long_of

        clips = visitor.clips
        row = [clip.sha256 for clip in clips.clips].index(
            act.one_of("clip", [clip.sha256 for clip in clips.clips])
        )
        desk = visitor.desk(LongDesk)
        one = desk.add(long_of(clips.clips[row], partial(SPOOLS.make, own_folder())))
        one.recording = clips.recordings[row]
        after = clips.remove([row])
        visitor.hold(after)

        def undo() -> None:
            desk.open = {key: other for key, other in desk.open.items() if other is not one}
            visitor.hold(clips if visitor.clips is after else clips.add(visitor.clips))

        visitor.tell(
            Sentence(
                "{name} is open as a waveform. Spans that you mark in it take the place of the whole clip.",
                "page.clip_opened",
                {"name": one.sound.name},
            ),
            undo=undo,
        )

    # ---- for these ---------------------------------------------------------------------------------------

    @staticmethod
    def _one(visitor: Visitor, act: Act) -> Open:
        desk = visitor.desk(LongDesk)
        return desk.open[act.one_of("long", desk.open)]

    def _add(self, visitor: Visitor, added: LabelledClips, again: Callable[[], None] = lambda: None) -> None:
        hold_more(visitor, added, again)
        with suppress(PageError):
            self._changed(visitor)


def _warned(clips: LabelledClips, rows: Sequence[int], sound: LongRecording) -> LabelledClips:
    """The clips that were cut while their recording grew, with what is known of its file since."""
    for row in rows:
        clip = clips.clips[row]
        warnings = (*sound.warnings, *(one for one in clip.warnings if one not in sound.warnings))
        if clip.warnings != warnings:
            clips = clips.exchange(row, replace(clip, warnings=warnings))
    return clips


def check_room(visitor: Visitor, seconds: float) -> None:
    """Raise PageError where the visit has no room for a span of so many seconds."""
    clips = visitor.clips
    left = max(CLIP_LIMITS.max_seconds - clips.seconds, 0.0)
    if len(clips) >= CLIP_LIMITS.max_clips or seconds > left + 0.05:
        raise PageError(
            "A visit on this server holds {clips} clips and {minutes:g} minutes; {left:.1f} minutes are left. Mark a "
            "shorter span, remove clips, or run mirdemo on a computer of your own.",
            code="page.no_room_for_span",
            clips=CLIP_LIMITS.max_clips,
            minutes=CLIP_LIMITS.max_seconds / 60,
            left=left / 60,
        )


def hold_more(
    visitor: Visitor,
    added: LabelledClips,
    again: Callable[[], None] = lambda: None,
    then: Callable[[LabelledClips], LabelledClips] = lambda clips: clips,
) -> None:
    """Hold more clips, in a way that can be taken back. again: takes back what is not the clips'; then: done with all of them"""
    before = visitor.clips
    added_to = before.add(added)
    after = replace(then(added_to), problems=added_to.problems)
    visitor.hold(after)
    new = len(after) - len(before)

    def undo() -> None:
        again()
        if visitor.clips is after:
            visitor.hold(before)
            return
        ids = {clip.sha256 for clip in before.clips}
        mine = {clip.sha256 for clip in added.clips} - ids
        now = visitor.clips
        visitor.hold(now.remove([row for row, clip in enumerate(now.clips) if clip.sha256 in mine]))

    if after.problems and not new:
        visitor.tell(after.problems[0], undo=undo)
    else:
        visitor.tell(Sentence("Added: {n}.", "page.added", {"n": new}), undo=undo)


def _no_span() -> PageError:
    return PageError(
        "Mark a span of at least {shortest:g} s first: drag over the waveform, or set its beginning and end.",
        code="page.no_span",
        shortest=SHORTEST_SPAN,
    )


def _fitting(pieces: Sequence[tuple[float, float]], seconds: float, places: int) -> int:
    """How many of the pieces, from the first on, fit into what a visit has left."""
    count = 0
    for start, end in pieces:
        seconds -= end - start
        if count >= places or seconds < -0.05:
            break
        count += 1
    return count


def _marks(clips: LabelledClips, rows: Sequence[int]) -> list[list[Any]]:
    """Spans that are clips: start, end, tags, clip."""
    found = []
    for row in rows:
        clip: Clip = clips.clips[row]
        start = clip.start_seconds
        tags = list(clips.tags_of(row))
        found.append([round(start, 4), round(start + clip.seconds, 4), tags, clip.sha256])
    return sorted(found, key=lambda mark: mark[:2])
