"""Which clips are of one recording: what was put together by names, and what the sound makes us ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirdemo.clips import LabelledClips
    from mirdemo.web.frame.session import Visitor

#: Clips of a group that are shown by name and can be heard.
SHOWN = 8


def shown(visitor: Visitor) -> dict[str, Any]:
    """What the view shows of recordings: groups made by name, groups to ask about, and stems that were left apart."""
    clips, sounds = visitor.clips, visitor.sounds

    def group(rows: tuple[int, ...]) -> dict[str, Any]:
        return {
            "key": clips.clips[rows[0]].sha256,
            "tracks": [sounds.track(clips.clips[row], bars=24) for row in rows[:SHOWN]],
            "more": max(0, len(rows) - SHOWN),
            "clips": len(rows),
        }

    asked, pieces = clips.asked, clips.by_name.pieces
    in_question = {row for rows in asked for row in rows}
    return {
        "named": [{"name": name, **group(rows)} for name, rows in clips.by_name.grouped.items()],
        "asked": [
            group(rows) | {"copies": clips.heard.are_copies([clips.clips[row].sha256 for row in rows])}
            for rows in asked
        ],
        "pieces": group(pieces) if len(pieces) > 1 else None,
        "apart": [
            {"name": name, **group(rows)}
            for name, rows in clips.by_name.apart.items()
            if len({clips.recordings[row] for row in rows}) > 1 and not in_question & set(rows)
        ],
    }


def superfluous(
    before: LabelledClips, after: LabelledClips, groups: Sequence[tuple[int, ...]], pieces: bool
) -> int:
    """How many other questions are no longer asked after an answer that moved no clip.

    groups: of ``asked`` that it answered; pieces: whether it answered of what the parts of nothing are
    """
    others = [(rows, after.asked) for rows in before.asked if rows not in groups]
    if len(before.by_name.pieces) > 1 and not pieces:
        others.append((before.by_name.pieces, (after.by_name.pieces,)))
    return sum(all(len({*rows} & {*those}) < 2 for those in now) for rows, now in others)
