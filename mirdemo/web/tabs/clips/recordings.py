"""Which clips are of one recording: what is asked, and what names have put together, is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.web.changing import change
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitor
from mirdemo.web.tabs.clips.asking import superfluous
from mirdemo.web.tabs.clips.desk import ClipsDesk


def together(visitor: Visitor, act: Act) -> None:
    """Yes: the clips of this group, asked about or left apart, are of one recording."""
    rows = _group(visitor, act)
    after = visitor.clips.set_recording(rows, _one_name(visitor.clips, rows))
    _say(visitor, after, _one(rows), [rows])


def all_together(visitor: Visitor, act: Act) -> None:
    clips, groups = visitor.clips, visitor.clips.asked
    for rows in groups:
        clips = clips.set_recording(rows, _one_name(clips, rows))
    told = Sentence(
        "{n} clips count as {recordings} recordings now.",
        "clips.all_together",
        {"n": sum(map(len, groups)), "recordings": len(groups)},
    )
    _say(visitor, clips, told, groups)


def different(visitor: Visitor, act: Act) -> None:
    """No: the clips of this group, or of all that are asked about, are of several recordings."""
    clips = visitor.clips
    groups = clips.asked if act.flag("all") else (_group(visitor, act),)
    for rows in groups:
        clips = clips.say_different(rows)
    n = sum(map(len, groups))
    told = Sentence(
        "{n} clips stay as they are, and are not asked about again.", "clips.stay_apart", {"n": n}
    )
    _say(visitor, clips, told, groups)


def part(visitor: Visitor, act: Act) -> None:
    """What was put together by name is not: each file is a recording of its own."""
    grouped = visitor.clips.by_name.grouped
    rows = grouped[act.one_of("name", grouped)]
    _say(visitor, visitor.clips.part(rows), _each(rows), [])


def pieces(visitor: Visitor, act: Act) -> None:
    """What the clips are whose names call them parts and do not say of what: of one recording, or each of its own."""
    clips, said = visitor.clips, act.one_of("value", ("one", "each"))
    rows = clips.by_name.pieces
    if not rows:
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")
    if said == "each":
        _say(visitor, clips.part(rows), _each(rows), [], pieces=True)
    else:
        one = clips.set_recording(rows, _one_name(clips, rows))
        _say(visitor, one, _one(rows), [], pieces=True)


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


def _group(visitor: Visitor, act: Act) -> tuple[int, ...]:
    """The rows of a group that the view offers, by its first clip. Raises PageError if it is no longer there."""
    clips = visitor.clips
    groups = [*clips.asked, *clips.by_name.apart.values()]
    by_first: dict[str, tuple[int, ...]] = {}
    for rows in groups:
        by_first.setdefault(clips.clips[rows[0]].sha256, rows)
    return by_first[act.one_of("group", by_first)]


def _one_name(clips: LabelledClips, rows: Sequence[int]) -> str:
    """What to call the recording of these clips: as most of them are called already."""
    return Counter(clips.recordings[row] for row in rows).most_common(1)[0][0]


def _one(rows: Sequence[int]) -> Sentence:
    return Sentence("{n} clips count as one recording now.", "clips.together", {"n": len(rows)})


def _each(rows: Sequence[int]) -> Sentence:
    return Sentence("{n} clips count as a recording each now.", "clips.parted", {"n": len(rows)})


ACTS = (together, all_together, different, part, pieces)
