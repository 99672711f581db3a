"""One clip, or one tag, is changed; or all clips go."""

from __future__ import annotations

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.tags import typed_tags
from mirdemo.web.changing import change
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.tabs.clips.desk import ClipsDesk


def tag(visitor: Visitor, act: Act) -> None:
    row, typed = row_of(visitor, act), typed_tags(act.text("value"), CLIP_LIMITS)
    visitor.hold(visitor.clips.relabel(row, [*visitor.clips.tags_of(row), *typed]))


def untag(visitor: Visitor, act: Act) -> None:
    row, tag = row_of(visitor, act), act.text("tag")
    clips = visitor.clips
    change(
        visitor,
        clips.relabel(row, [t for t in clips.tags_of(row) if t != tag]),
        Sentence(
            "{tag} was taken from {name}.", "clips.untagged", {"tag": tag, "name": clips.clips[row].name}
        ),
    )


def recording(visitor: Visitor, act: Act) -> None:
    visitor.hold(visitor.clips.set_recording(row_of(visitor, act), act.text("value")))


def rename(visitor: Visitor, act: Act) -> None:
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


def remove(visitor: Visitor, act: Act) -> None:
    change(visitor, visitor.clips.remove([row_of(visitor, act)]), removed(1))


def clear(visitor: Visitor, act: Act) -> None:
    desk = visitor.desk(ClipsDesk)
    was = desk.problems

    def again() -> None:
        desk.problems = was

    change(visitor, LabelledClips(limits=CLIP_LIMITS), removed(len(visitor.clips)), again)
    desk.problems = ()


def removed(count: int) -> Sentence:
    return Sentence("Clips removed: {n}.", "clips.removed", {"n": count})


def row_of(visitor: Visitor, act: Act) -> int:
    ids = [clip.sha256 for clip in visitor.clips.clips]
    return ids.index(act.one_of("clip", ids))


ACTS = (tag, untag, recording, rename, remove, clear)
