"""What of a visit can be taken home and brought back: each tab says what it keeps, as data and from data.

>>> wire.keeps("plan", Keeper(kinds=(Assumptions,), keep=lambda visitor: ..., restore=lambda visitor, kept: ...))

``keep`` runs under the visitor's lock and hands out what never changes afterwards; it is told elsewhere, later.
``restore`` is given the same on a visitor who has nothing but the clips. Whatever fails on the way, up to drawing every
view once, leaves the visitor as they were.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.plain import Coder, Plain
from mirdemo.clips import LabelledClips
from mirdemo.clips.visit import Visit
from mirdemo.sound.audio import Clip
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS

if TYPE_CHECKING:
    from mirdemo.web.frame.session import Visitor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeper:
    """What one part of the page keeps.

    keep: what it has to keep, None for nothing; restore: takes that back
    kinds, coders: of all that ``keep`` may hand out (``base.plain``), named when first needed
    """

    keep: Callable[[Visitor], Any]
    restore: Callable[[Visitor, Any], None]
    kinds: Callable[[], tuple[type, ...]] = tuple
    coders: Callable[[], tuple[Coder, ...]] = tuple


@dataclass(frozen=True, eq=False)
class Kept:
    """What a visitor had at one moment. parts: name -> what its keeper handed out"""

    clips: LabelledClips
    parts: Mapping[str, Any]


class Keeping:
    """All keepers of a page."""

    def __init__(self) -> None:
        self._keepers: dict[str, Keeper] = {}

    def add(self, name: str, keeper: Keeper) -> None:
        if name in self._keepers:
            raise ValueError(f"two keepers for {name}")
        self._keepers[name] = keeper

    def keep(self, visitor: Visitor) -> Kept:
        """Call it under the visitor's lock."""
        parts = {name: keeper.keep(visitor) for name, keeper in self._keepers.items()}
        return Kept(visitor.clips, {name: part for name, part in parts.items() if part is not None})

    def told(self, kept: Kept) -> tuple[dict[str, Any], dict[str, np.ndarray], list[Clip]]:
        """What is kept as JSON-ready parts, arrays and sounds beside the labelled clips."""
        arrays: dict[str, np.ndarray] = {}
        sounds: dict[str, Clip] = {}
        parts = {
            name: Plain(self._keepers[name].kinds(), self._coders(name, sounds, kept.clips)).tell(
                part, arrays
            )
            for name, part in kept.parts.items()
        }
        return parts, arrays, list(sounds.values())

    def restore(self, visitor: Visitor, visit: Visit, draw: Callable[[Visitor], None]) -> None:
        """Put a visit in the place of what a visitor has. Call it under their lock.

        draw: raises if something cannot be shown
        Raises ClipsError, or PageError where a part does not fit; then nothing has changed.
        """
        clips = visit.labelled(CLIP_LIMITS)
        ids = visit.new_ids()
        sounds = {ids.get(was, was): clip for was, clip in visit.sounds.items()}
        before = visitor.everything()
        try:
            visitor.begin_anew(clips)
            for name, told in visit.parts.items():
                if name in self._keepers:
                    keeper = self._keepers[name]
                    plain = Plain(keeper.kinds(), self._coders(name, sounds, clips))
                    keeper.restore(visitor, plain.make(_renamed(told, ids), visit.arrays))
            visitor.tidy_sounds()
            draw(visitor)
        except Exception as error:
            visitor.take_back(before)
            log.warning("a visit does not fit", exc_info=True)  # its file may be forged, or a keeper wrong
            raise PageError(
                "{name} holds results that this version cannot show. Nothing was opened. Add it as a zip of clips: take "
                "visit.json out of it first.",
                code="page.visit_does_not_fit",
                name=visit.name,
            ) from error

    def _coders(self, name: str, sounds: dict[str, Clip], clips: LabelledClips) -> tuple[Coder, ...]:
        tables = {_key(clips): clips}
        heard = {clip.sha256: clip for clip in clips.clips} | sounds

        def tell_clip(clip: Clip) -> str:
            sounds.setdefault(clip.sha256, clip)
            return clip.sha256

        def tell_table(table: LabelledClips) -> dict[str, Any]:
            if table is clips:
                return {"all": True}
            for clip in table.clips:
                sounds.setdefault(clip.sha256, clip)
            rows = range(len(table))
            return {
                "ids": [clip.sha256 for clip in table.clips],
                "tags": [list(table.tags_of(row)) for row in rows],
                "recordings": list(table.recordings),
                "sessions": [table.session_of(row) for row in rows],
            }

        def make_table(told: Mapping[str, Any]) -> LabelledClips:
            if told.get("all"):
                return clips
            held = [heard[one] for one in told["ids"]]
            made = LabelledClips.from_clips(
                held, told["tags"], told["recordings"], told["sessions"], limits=CLIP_LIMITS
            )
            if len(made) < len(held):
                raise ValueError("clips that do not fit")
            return tables.setdefault(_key(made), replace(made, problems=()))

        return (
            Coder("clip", Clip, tell_clip, heard.get),  # of a query that is not here, None
            Coder("clips", LabelledClips, tell_table, make_table),
            *self._keepers[name].coders(),
        )


def _key(clips: LabelledClips) -> tuple:
    """What two tables that are one have in common."""
    ids = tuple(clip.sha256 for clip in clips.clips)
    return ids, clips.tags, clips.recordings, clips.sessions, clips.labels.tobytes()


def _renamed(told: Any, ids: Mapping[str, str]) -> Any:
    """The same with sounds named by the hash that they have now."""
    if not ids:
        return told
    if isinstance(told, str):
        return ids.get(told, told)
    if isinstance(told, list):
        return [_renamed(one, ids) for one in told]
    if isinstance(told, dict):
        return {key: _renamed(one, ids) for key, one in told.items()}
    return told
