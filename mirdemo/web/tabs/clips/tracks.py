"""The sound tracks of a clip's file: which one it is, and how another is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.sound.decoding.limits import LIMITS as SOUND_LIMITS
from mirdemo.web.changing import change
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.clips.desk import ClipsDesk
from mirdemo.web.tabs.clips.editing import row_of

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

#: Sound tracks of one file may differ so much in length (seconds).
TRACKS_DIFFER = 1.0


class Tracks:
    """The handler. look_ahead: what a visitor's new clips are given to"""

    def __init__(self, wire: Wire, look_ahead: Callable[[Visitor], None]) -> None:
        self._wire = wire
        self._look_ahead = look_ahead

    def track(self, visitor: Visitor, act: Act) -> None:
        """Another sound track of a clip's file, which the browser has sent again: nothing of it was kept here."""
        row, wanted = row_of(visitor, act), act.whole("value", 1, 999)
        was = visitor.clips.clips[row]
        if not act.has("files"):
            raise _not_here(was.name)
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
            if tracks_of(clip) != tracks_of(was):  # another file of this name
                raise _not_here(was.name)
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


def track_of(clip: Clip) -> int:
    """Which sound track of its file a clip is."""
    return next((int(w.values["track"]) for w in clip.warnings if w.code == "audio.tracks"), 1)


def tracks_of(clip: Clip) -> int:
    """How many its file has."""
    return next((int(w.values["tracks"]) for w in clip.warnings if w.code == "audio.tracks"), 1)


def _not_here(name: str) -> PageError:
    return PageError(
        "This page has the file {name} no longer. Remove the clip, drop the file again, and choose the track then.",
        code="page.file_not_here",
        name=name,
    )
