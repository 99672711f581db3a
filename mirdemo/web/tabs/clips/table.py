"""The table of clips: sorted, ticked, and many changed at once."""

from __future__ import annotations

from collections.abc import Sequence

from mirdemo.base.sentences import Sentence
from mirdemo.web.changing import change
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitor
from mirdemo.web.tabs.clips.desk import COLUMNS, ClipsDesk
from mirdemo.web.tabs.clips.editing import removed


def pick(visitor: Visitor, act: Act) -> None:
    id = act.one_of("clip", [clip.sha256 for clip in visitor.clips.clips])
    picked = visitor.desk(ClipsDesk).picked
    (picked.add if act.flag("value") else picked.discard)(id)


def pick_range(visitor: Visitor, act: Act) -> None:
    """All from one clip to another, as the table has them."""
    clips = visitor.clips
    ids = [clips.clips[row].sha256 for row in visitor.desk(ClipsDesk).order(clips)]
    first, last = sorted((ids.index(act.one_of("from", ids)), ids.index(act.one_of("clip", ids))))
    picked, those = visitor.desk(ClipsDesk).picked, ids[first : last + 1]
    (picked.update if act.flag("value") else picked.difference_update)(those)


def sort(visitor: Visitor, act: Act) -> None:
    """By a column; once more from its end, and once more as the clips were added."""
    desk, column = visitor.desk(ClipsDesk), act.one_of("column", COLUMNS)
    after = {None: (column, False), (column, False): (column, True)}
    desk.sort = after.get(desk.sort if desk.sort and desk.sort[0] == column else None)


def pick_many(visitor: Visitor, act: Act) -> None:
    """All clips, none, or those of one tag."""
    desk, clips = visitor.desk(ClipsDesk), visitor.clips
    which = act.one_of("which", ("all", "none", "tag"))
    tag = act.one_of("tag", clips.tags) if which == "tag" else ""
    desk.picked = {
        clip.sha256
        for row, clip in enumerate(clips.clips)
        if which == "all" or (which == "tag" and tag in clips.tags_of(row))
    }


def tag_picked(visitor: Visitor, act: Act) -> None:
    rows, typed = _picked(visitor), act.text("value")
    after = visitor.clips.tag(rows, typed)
    change(visitor, after, Sentence("Clips tagged: {n}.", "clips.tagged", {"n": len(rows)}))


def record_picked(visitor: Visitor, act: Act) -> None:
    rows = _picked(visitor)
    change(visitor, visitor.clips.set_recording(rows, act.text("value")), _changed(rows))


def session_picked(visitor: Visitor, act: Act) -> None:
    rows = _picked(visitor)
    change(visitor, visitor.clips.set_session(rows, act.text("value")), _changed(rows))


def part_picked(visitor: Visitor, act: Act) -> None:
    rows = _picked(visitor)
    change(visitor, visitor.clips.part(rows), _changed(rows))


def remove_picked(visitor: Visitor, act: Act) -> None:
    rows = _picked(visitor)
    change(visitor, visitor.clips.remove(rows), removed(len(rows)))


def _picked(visitor: Visitor) -> list[int]:
    picked = visitor.desk(ClipsDesk).picked
    rows = [row for row, clip in enumerate(visitor.clips.clips) if clip.sha256 in picked]
    if not rows:
        raise PageError("Tick the clips that are meant first.", code="clips.none_picked")
    return rows


def _changed(rows: Sequence[int]) -> Sentence:
    return Sentence("Clips changed: {n}.", "clips.changed", {"n": len(rows)})


ACTS = (
    pick,
    pick_range,
    pick_many,
    sort,
    tag_picked,
    record_picked,
    session_picked,
    part_picked,
    remove_picked,
)
