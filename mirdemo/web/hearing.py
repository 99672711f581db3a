"""Listening to a visitor's clips for which may be of one recording, before anything is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.sentences import Cancelled, MirdemoError
from mirdemo.clips.heard import Heard
from mirdemo.clips.labelled import unanswered
from mirdemo.clips.likeness import BACKBONE, FEWEST, LAYER
from mirdemo.web.frame.errors import PageError
from mirdemo.web.models import embed_here

if TYPE_CHECKING:
    from mirdemo.base.progress import Progress
    from mirdemo.clips import LabelledClips
    from mirdemo.sound.audio import Clip
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.models import Memory

#: Begins the names of jobs that listen to a visitor's clips.
JOB = "listening-"


def listen(clips: tuple[Clip, ...], memory: Memory, progress: Progress) -> Heard:
    """Measure the clips; what ``memory`` holds is not measured again. May raise what ``embed_here`` does."""
    made = embed_here(clips, BACKBONE, memory, progress)
    import scipy.cluster.hierarchy  # noqa: F401 - what drawing the page needs next is loaded here, not there

    return Heard.of(clips, np.asarray(made.layers[LAYER]))


def listened(clips: LabelledClips, memory: Memory, progress: Progress) -> LabelledClips:
    """These clips, heard: who makes words of them goes through here, so that all count recordings alike.

    Clips that cannot be heard are counted as they are; ``progress`` may raise Cancelled.
    """
    if not clips.listened:
        try:
            clips.hear(listen(clips.clips, memory, progress))
        except Cancelled:
            raise
        except MirdemoError:
            pass
    return clips


def leaves_one(clips: LabelledClips) -> bool:
    """Whether nothing can be measured until somebody says of which recordings the clips are, for all count as one."""
    return bool(clips.in_question) and len(set(clips.groups)) < 2


def refuse_one(clips: LabelledClips) -> None:
    """Raise PageError where all clips count as one recording until somebody says of which they are."""
    if leaves_one(clips):
        said = unanswered(clips)
        raise PageError(said.template, code=said.code, **said.values)


def is_awaited(visitor: Visitor) -> bool:
    """Whether clips are being listened to that may have to be asked about; of fewer than ``FEWEST`` only copies are."""
    clips = visitor.clips
    if len(clips) < FEWEST or clips.heard.are_said_different(clip.sha256 for clip in clips.clips):
        return False
    return any(job.active for name, job in list(visitor.jobs.items()) if name.startswith(JOB))


def question(visitor: Visitor) -> dict[str, Any]:
    """What a stage shows of recordings that count as one until it is answered.

    awaited: whether more of it may come, for which room is kept; sentence: what is counted, None where nothing is in question
    groups: how many groups are asked about by their sound; pieces: clips that do not say of what
    first: whether nothing can be measured before it is answered
    """
    clips = visitor.clips
    pieces = clips.by_name.pieces
    return {
        "awaited": is_awaited(visitor),
        "sentence": unanswered(clips) if clips.in_question else None,
        "groups": len([rows for rows in clips.in_question if rows != pieces]),
        "pieces": len(pieces) if len(pieces) > 1 else 0,
        "first": leaves_one(clips),
    }
