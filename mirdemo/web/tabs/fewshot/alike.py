"""More like this: the windows of a visitor's clips and open long recordings that are nearest to a clip, a query or a moment.

Heard as the Few-shot tab listens now, and compared by the cosine, as its prototypes are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mirdemo.backbones.registry import spec, status
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.labelled import default_recording
from mirdemo.clips.tags import typed_tags
from mirdemo.web.alike import JOB, SHOWN, AlikeDesk, Asked, Place, Rows
from mirdemo.web.changing import change
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.models import SHELF, Memory, embed_here, expected_of, whitening_of
from mirdemo.web.tabs.clips.long import SHORTEST_SPAN, LongDesk, check_room, hold_more
from mirdemo.web.tabs.fewshot.desk import FewShotDesk, built_with
from mirdemo.web.tabs.fewshot.long import hear_long
from mirdemo.web.tagging import Built, heard, windows_of

if TYPE_CHECKING:
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.sound.audio import Clip
    from mirdemo.sound.long import LongRecording
    from mirdemo.web.frame.act import Act
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.frame.wire import Wire
    from mirdemo.web.tabs.fewshot.studies import Setting

#: A long recording that is heard in fewer seconds is searched without being asked for.
AT_ONCE = 10.0
#: Windows that are no farther from each other (seconds) touch: they are one place.
TOUCHING = 0.05

_Sound = TypeVar("_Sound", "Clip", "LongRecording")


@dataclass(frozen=True, eq=False)
class Found:
    """What a search gives: the places, what it newly heard of long recordings, and the windows that were compared."""

    places: list[Place]
    rows: dict[LongRecording, Rows]
    windows: int


@dataclass(frozen=True, eq=False)
class Field:
    """Where one looks: clips, what of the long recordings was heard, those still to be heard; and by which ear.

    taken: spans of long recordings that count as places already: clips, and what was asked about
    """

    clips: Sequence[Clip]
    known: dict[LongRecording, Rows]
    to_hear: Sequence[LongRecording]
    taken: dict[LongRecording, list[tuple[float, float]]]
    how: Setting
    built: Built | None
    memory: Memory


class Alike:
    """What can be done: ask, search what takes longer too, tag what was found, close the list."""

    def __init__(
        self,
        wire: Wire,
        how: Callable[[Visitor], Setting],
        prototypes: Callable[[Visitor], Built | None],
    ) -> None:
        """how: the way a visitor listens now; prototypes: theirs, where they are of now"""
        self._wire, self._how, self._prototypes = wire, how, prototypes
        for name in ("find", "more", "tag", "close"):
            wire.on(f"alike.{name}", getattr(self, name))

    # ---- acts --------------------------------------------------------------------------------------------

    def find(self, visitor: Visitor, act: Act) -> None:
        """The nearest to a clip, to an answer's query, or to a moment or span of either kind of recording."""
        asked = self._asked(visitor, act)
        how, desk = self._how(visitor), visitor.desk(AlikeDesk)
        _require_here(how.backbone)
        known = self._known(visitor, how)
        longs = dict.fromkeys(visitor.long_sounds().values())
        unknown = [one for one in longs if one not in known]
        took = expected_of(how.backbone, [one.seconds for one in unknown])
        to_hear = unknown if took is not None and took < AT_ONCE else []
        unheard = tuple(one for one in unknown if one not in to_hear)
        self._search(visitor, asked, self._field(visitor, asked, how, known, to_hear), "model")
        desk.number += 1
        desk.asked, desk.places, desk.unheard, desk.ear = asked, None, unheard, (how.backbone, how.layer)

    def more(self, visitor: Visitor, act: Act) -> None:
        """Hear the long recordings that were left out, and search them too. It waits with what takes long."""
        desk, how = visitor.desk(AlikeDesk), self._how(visitor)
        asked = desk.asked
        if asked is None:
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        _require_here(how.backbone)
        known = self._known(visitor, how)
        unknown = [one for one in dict.fromkeys(visitor.long_sounds().values()) if one not in known]
        self._search(visitor, asked, self._field(visitor, asked, how, known, unknown), "training")
        desk.ear = how.backbone, how.layer

    def tag(self, visitor: Visitor, act: Act) -> None:
        """Give tags to what was found; a place in a long recording becomes a clip by it."""
        desk = visitor.desk(AlikeDesk)
        ids = {f"{desk.number}-{index}": index for index in range(len(desk.places or ()))}
        index = ids[act.one_of("place", ids)]
        assert desk.places is not None
        place, tags = desk.places[index], typed_tags(act.text("value"), CLIP_LIMITS)
        if not tags:
            raise PageError("Type a tag first.", code="page.no_tag_typed")
        clips = visitor.clips
        rows = [row for row, clip in enumerate(clips.clips) if clip.sha256 == place.clip]
        if rows:
            name = clips.clips[rows[0]].name
            told = Sentence(
                "{name} has the tag {tags}.", "page.alike_tagged", {"name": name, "tags": ", ".join(tags)}
            )
            change(visitor, clips.tag(rows, list(tags)), told)
            return
        if isinstance(place.of, str) or place.of not in visitor.long_sounds().values():
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        self._make(visitor, desk, index, place.of, tags)

    def _make(
        self, visitor: Visitor, desk: AlikeDesk, index: int, sound: LongRecording, tags: Sequence[str]
    ) -> None:
        assert desk.places is not None
        place = desk.places[index]
        check_room(visitor, place.end - place.start)
        self._wire.visitors.check_room()
        names = [one.recording for one in visitor.desk(LongDesk).open.values() if one.sound is sound]
        name = names[0] if names else default_recording(sound.name)
        added = LabelledClips.from_long(sound, [(place.start, place.end, tags)], name, limits=CLIP_LIMITS)
        if len(added):
            desk.places[index] = replace(place, clip=added.clips[0].sha256)
        hold_more(visitor, added)

    def close(self, visitor: Visitor, act: Act) -> None:
        """Put the list away. What was heard is kept."""
        job = visitor.jobs.get(JOB)
        if job is not None and job.active:
            job.cancel()
        desk = visitor.desk(AlikeDesk)
        desk.asked, desk.places, desk.unheard = None, None, ()

    # ---- what is asked about -----------------------------------------------------------------------------

    def _asked(self, visitor: Visitor, act: Act) -> Asked:
        clips, desk = visitor.clips, visitor.desk(FewShotDesk)
        if act.has("clip"):
            ids = [clip.sha256 for clip in clips.clips]
            row = ids.index(act.one_of("clip", ids))
            clip = clips.clips[row]
            return Asked(
                f"clip-{clip.sha256}", clip.name, clip, None, clips.tags_of(row), frozenset([clip.sha256])
            )
        if act.has("answer"):
            answers = {one.clip.sha256: one for one in desk.answers}
            one = answers[act.one_of("answer", answers)]
            own = frozenset([one.clip.sha256])
            anchor, name = f"answer-{one.clip.sha256}", one.clip.name
            if not act.flag("moment"):
                return Asked(anchor, name, one.clip, None, one.given, own)
            sound, span = self._part(visitor, act, one.clip)
            here = [
                tag
                for column, tag in enumerate(one.built.prototypes.tags)
                if any(
                    label and start < span[1] and start + one.window_seconds > span[0]
                    for start, label in zip(one.starts, one.labels[:, column], strict=True)
                )
            ]
            return Asked(anchor, name, sound, span, tuple(here), own)
        longs = visitor.long_sounds()
        id = act.one_of("long", longs)
        sound, span = self._part(visitor, act, longs[id])
        answered = desk.long.get(id)
        tags: tuple[str, ...] = ()
        if answered is not None:
            at = (one for one in answered.segments if one.start < span[1] and one.end > span[0])
            tags = tuple(dict.fromkeys(one.label for one in at))
        anchor = f"{'open' if answered is None else 'long'}-{id}"
        return Asked(anchor, longs[id].name, sound, span, tags, frozenset(), longs[id])

    def _part(self, visitor: Visitor, act: Act, of: _Sound) -> tuple[Clip, tuple[float, float]]:
        """The span that an act names, or the window around the moment that it names."""
        if act.text("start") and act.text("end"):
            start, end = act.number("start", 0.0, of.seconds), min(act.number("end", 0.0, 1e9), of.seconds)
            if end - start >= SHORTEST_SPAN:
                return of.cut(start, end), (start, end)
        if not act.text("at"):
            raise PageError("Play the recording to the moment that you mean first.", code="page.no_moment")
        window = spec(self._how(visitor).backbone).window_seconds
        middle = act.number("at", 0.0, of.seconds + 1.0)
        start = max(min(middle - window / 2, of.seconds - window), 0.0)
        end = min(start + window, of.seconds)
        return of.cut(start, end), (start, end)

    # ---- searching ---------------------------------------------------------------------------------------

    def _known(self, visitor: Visitor, how: Setting) -> dict[LongRecording, Rows]:
        """What was heard of the long recordings in this way of listening."""
        desk, open_ = visitor.desk(AlikeDesk), set(visitor.long_sounds().values())
        desk.rows = {key: rows for key, rows in desk.rows.items() if key[0] in open_}
        known = {sound: rows for (sound, heard_by), rows in desk.rows.items() if heard_by == how}
        for one in visitor.desk(FewShotDesk).long.values():
            if built_with(one.built) == how:
                known[one.sound] = Rows(one.starts, one.window_seconds, one.rows)
        return known

    def _field(
        self,
        visitor: Visitor,
        asked: Asked,
        how: Setting,
        known: dict[LongRecording, Rows],
        to_hear: Sequence[LongRecording],
    ) -> Field:
        clips = visitor.clips
        taken = {
            one.sound: [
                (clips.clips[row].start_seconds, clips.clips[row].start_seconds + clips.clips[row].seconds)
                for row in visitor.desk(LongDesk).rows_of(one, clips)
            ]
            for one in visitor.desk(LongDesk).open.values()
        }
        if asked.within is not None and asked.span is not None:
            taken.setdefault(asked.within, []).append(asked.span)
        others = [clip for clip in clips.clips if clip.sha256 not in asked.whole]
        built = self._prototypes(visitor)
        return Field(others, known, to_hear, taken, how, built, visitor.memory)

    def _search(self, visitor: Visitor, asked: Asked, field: Field, resource: str) -> None:
        def take(found: Found) -> None:
            desk = visitor.desk(AlikeDesk)
            desk.rows |= {(sound, field.how): rows for sound, rows in found.rows.items()}
            if desk.asked is asked:
                desk.places, desk.windows = found.places, found.windows
                heard_now = {*field.known, *found.rows}
                desk.unheard = tuple(one for one in desk.unheard if one not in heard_now)

        self._wire.start(
            visitor, JOB, lambda progress: search(asked, field, progress), take, resource=resource
        )


def search(asked: Asked, field: Field, progress: Progress) -> Found:
    """The nearest windows of the field. Raises BackboneError, EmbeddingError or PageError."""
    from mirdemo.search import similarity_to_any

    how = field.how
    loaded = SHELF.take(how.backbone, progress)
    whitening = whitening_of(how.backbone, loaded.identity) if how.whitened else None
    memory = field.memory if asked.whole and asked.span is None else Memory()
    query = heard(embed_here([asked.sound], how.backbone, memory, progress), whitening)
    queries = windows_of(query, how.layer)
    new = {one: _hear(one, how, whitening, progress) for one in field.to_hear}
    rows: list[np.ndarray] = []
    places: list[Place] = []
    for clip, windows, starts, length in _of_clips(field, whitening, progress):
        rows.append(windows)
        places += [
            Place(clip.sha256, start, min(start + length, clip.seconds), 0.0, None, clip.sha256)
            for start in starts
        ]
    for sound, known in {**field.known, **new}.items():
        rows.append(known.rows)
        places += [
            Place(sound, start, min(start + known.seconds, sound.seconds), 0.0, None)
            for start in known.starts.tolist()
        ]
    if not places:
        return Found([], new, 0)
    every = np.concatenate(rows)
    progress(0, 0, "searching")
    cosines = similarity_to_any(every, queries)
    chosen = apart(cosines, places, field.taken, SHOWN)
    said = _said(field.built, every[chosen])
    found = [
        replace(places[i], cosine=float(cosines[i]), said=tags) for i, tags in zip(chosen, said, strict=True)
    ]
    return Found(found, new, len(every))


def apart(
    cosines: np.ndarray,
    places: Sequence[Place],
    taken: dict[LongRecording, list[tuple[float, float]]],
    count: int,
) -> list[int]:
    """The nearest, the first first: of a clip its nearest window alone, of a long recording none that touches a nearer one or
    lies for the most part in what is taken."""
    chosen: list[int] = []
    spans: dict[str | LongRecording, list[tuple[float, float]]] = {}
    for i in np.argsort(-cosines, kind="stable").tolist():
        one = places[i]
        before = spans.setdefault(one.of, [])
        if isinstance(one.of, str):
            out = bool(before)
        else:
            out = any(one.start <= end + TOUCHING and one.end >= start - TOUCHING for start, end in before)
            half = (one.end - one.start) / 2
            out = out or any(
                min(one.end, end) - max(one.start, start) > half for start, end in taken.get(one.of, ())
            )
        if out:
            continue
        before.append((one.start, one.end))
        chosen.append(i)
        if len(chosen) == count:
            break
    return chosen


def _hear(sound: LongRecording, how: Setting, whitening: Whitening | None, progress: Progress) -> Rows:
    parts = list(hear_long(sound, how.backbone, how.layer, whitening, progress))
    starts = np.array([start for part, _ in parts for start in part])
    length = min(spec(how.backbone).window_seconds, sound.seconds)
    return Rows(starts, length, np.concatenate([rows for _, rows in parts]))


def _of_clips(
    field: Field, whitening: Whitening | None, progress: Progress
) -> list[tuple[Clip, np.ndarray, list[float], float]]:
    """Each clip with its windows' rows, their starts and their length in seconds."""
    how = field.how
    embeddings = heard(embed_here(field.clips, how.backbone, field.memory, progress), whitening)
    found = []
    for i, clip in enumerate(field.clips):
        starts = embeddings.window_starts(i).tolist()
        rows = windows_of(embeddings, how.layer, i)
        found.append((clip, rows, starts, embeddings.window_seconds))
    return found


def _said(built: Built | None, rows: np.ndarray) -> list[tuple[str, ...] | None]:
    """What the prototypes say of each row."""
    if built is None or not len(rows):
        return [None] * len(rows)
    decided, tags = built.prototypes.decide(rows), built.prototypes.tags
    return [
        None if unknown else tuple(tag for tag, has in zip(tags, labels, strict=True) if has)
        for labels, unknown in zip(decided.labels, decided.unknown, strict=True)
    ]


def _require_here(backbone: str) -> None:
    """Raises PageError where the backbone is not on this server yet: fetching it is asked for elsewhere."""
    if not status(backbone).fetched:
        raise PageError(
            "{backbone} is not on this server yet. Build the prototypes on the tab Few-shot first: that fetches it.",
            code="page.alike_not_fetched",
            backbone=spec(backbone).title,
        )
