"""Which clips are of one recording: what was put together by names, and what the sound makes us ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.clips.likeness import BACKBONE, LAYER, copies, look_alikes
from mirdemo.web.models import embed_here

if TYPE_CHECKING:
    from mirdemo.base.progress import Progress
    from mirdemo.clips import LabelledClips
    from mirdemo.sound.audio import Clip
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.models import Memory

#: Beyond this many clips their distances are not compared (their number grows with the square), and nothing is asked.
MOST_COMPARED = 2_000
#: Clips of a group that are shown by name and can be heard.
SHOWN = 8

#: A group of clips, by their SHA-256.
Group = frozenset[str]


@dataclass(frozen=True)
class Heard:
    """What listening found: each clip's row by its SHA-256, and pairs that are one sound in two encodings."""

    rows: dict[str, np.ndarray] = field(default_factory=dict)
    copies: frozenset[Group] = frozenset()


def listen(clips: tuple[Clip, ...], memory: Memory, progress: Progress) -> Heard:
    """Measure the clips; what ``memory`` holds is not measured again. May raise what ``embed_here`` does."""
    made = embed_here(clips, BACKBONE, memory, progress)
    rows = np.asarray(made.layers[LAYER])
    pairs = copies(clips, rows) if len(clips) <= MOST_COMPARED else []
    import scipy.cluster.hierarchy  # noqa: F401 - what drawing the page needs next is loaded here, not there

    return Heard(
        {clip.sha256: row for clip, row in zip(clips, rows, strict=True)},
        frozenset(frozenset((clips[i].sha256, clips[j].sha256)) for i, j in pairs),
    )


@dataclass
class Asking:
    """What a visitor was asked of their recordings, and has answered.

    heard: of the clips as they were last listened to; different: groups that are not of one recording, they say
    """

    heard: Heard = field(default_factory=Heard)
    different: set[Group] = field(default_factory=set)
    _groups: tuple[Any, tuple[tuple[int, ...], ...]] | None = None

    def groups(self, clips: LabelledClips) -> list[tuple[int, ...]]:
        """Rows that may be of one performance, group by group, in order; none where nothing is known or all is answered."""
        if self._groups is None or self._groups[0] is not clips:
            self._groups = clips, self._find(clips)
        ids = [clip.sha256 for clip in clips.clips]
        return [
            rows
            for rows in self._groups[1]
            if not any(said.issuperset(ids[row] for row in rows) for said in self.different)
            and len({clips.recordings[row] for row in rows}) > 1
        ]

    def _find(self, clips: LabelledClips) -> tuple[tuple[int, ...], ...]:
        ids = [clip.sha256 for clip in clips.clips]
        if not ids or len(ids) > MOST_COMPARED or any(id not in self.heard.rows for id in ids):
            return ()
        rows = np.array([self.heard.rows[id] for id in ids])
        joined = {row: {row} for row in range(len(ids))}
        place = {id: row for row, id in enumerate(ids)}
        for pair in self.heard.copies:
            if all(id in place for id in pair):
                _join(joined, [place[id] for id in pair])
        for group in look_alikes(rows, clips.recordings).groups:
            _join(joined, group)
        found = {id(those): tuple(sorted(those)) for those in joined.values()}
        return tuple(
            sorted(rows for rows in found.values() if len({clips.recordings[row] for row in rows}) > 1)
        )

    def are_copies(self, clips: LabelledClips, rows: Iterable[int]) -> bool:
        """Whether a group is nothing but one sound in several encodings."""
        ids = [clips.clips[row].sha256 for row in rows]
        return all(any({one, other} == pair for pair in self.heard.copies for other in ids) for one in ids)

    def say_different(self, clips: LabelledClips, rows: Iterable[int]) -> None:
        self.different.add(frozenset(clips.clips[row].sha256 for row in rows))


def _join(joined: dict[int, set[int]], rows: Iterable[int]) -> None:
    """Put rows, and what each is joined to already, into one set."""
    whole = set().union(*(joined[row] for row in rows))
    for row in whole:
        joined[row] = whole


def shown(visitor: Visitor, asking: Asking) -> dict[str, Any]:
    """What the view shows of recordings: groups made by name, groups to ask about, and stems that were left apart."""
    clips, sounds = visitor.clips, visitor.sounds

    def group(rows: tuple[int, ...]) -> dict[str, Any]:
        return {
            "key": clips.clips[rows[0]].sha256,
            "tracks": [sounds.track(clips.clips[row], bars=24) for row in rows[:SHOWN]],
            "more": max(0, len(rows) - SHOWN),
            "clips": len(rows),
        }

    asked = asking.groups(clips)
    in_question = {row for rows in asked for row in rows}
    return {
        "named": [{"name": name, **group(rows)} for name, rows in clips.by_name.grouped.items()],
        "asked": [group(rows) | {"copies": asking.are_copies(clips, rows)} for rows in asked],
        "apart": [
            {"name": name, **group(rows)}
            for name, rows in clips.by_name.apart.items()
            if len({clips.recordings[row] for row in rows}) > 1 and not in_question & set(rows)
        ],
    }
