"""How many recordings clips are counted as: one rule for the stages, the page and the evaluation of a tagger.

What somebody has said counts. Where nobody has, the names of the files say; clips that may be of one performance, by their
sound or as parts of nothing that is named, are one until somebody says of which they are; sessions lie over all that.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mirdemo.clips.recordings import ByName, by_name
from mirdemo.sound.audio import Clip

#: Groups of rows.
Groups = tuple[tuple[int, ...], ...]


def files_of(clips: Sequence[Clip]) -> list[str]:
    """What tells the files apart that clips were cut from: their sound, or where pieces were cut out of one of that name, the
    name, for a piece does not know of which."""
    of_pieces = {clip.name for clip in clips if clip.start_seconds}
    return [clip.name if clip.name in of_pieces else clip.sha256 for clip in clips]


def said_by_names(
    names: Sequence[str], tags: Sequence[Sequence[str]], files: Sequence[Hashable], given: Sequence[bool]
) -> ByName:
    """What the files' names say of the clips whose recording nobody has said (``given``), with rows of the whole set;
    ``recordings`` are of those clips alone, in order. files: as in ``by_name``"""
    rows = [row for row, said in enumerate(given) if not said]
    said = by_name([names[row] for row in rows], [tags[row] for row in rows], [files[row] for row in rows])
    there = {
        kind: {name: tuple(rows[at] for at in places) for name, places in getattr(said, kind).items()}
        for kind in ("grouped", "apart")
    }
    return ByName(said.recordings, **there, pieces=tuple(rows[at] for at in said.pieces))


def in_question(asked: Groups, pieces: tuple[int, ...], given: Sequence[bool]) -> Groups:
    """Rows that count as one recording until somebody says of which they are, group by group.

    asked: that may be of one performance by their sound; pieces: that do not say of what. Where a recording is nobody's word:
    counting pieces of one performance as many makes a model hear what it only remembers, in every tag; counting strangers as
    one only makes the words more careful.
    """
    found = tuple(rows for rows in asked if not all(given[row] for row in rows))
    return (*found, pieces) if len(pieces) > 1 else found


def counted(recordings: Sequence[str], in_question: Groups) -> tuple[str, ...]:
    """The recording of each clip as it is counted: those in question as one, under the name of the first."""
    home = {name: name for name in recordings}
    for rows in in_question:
        joined = {home[recordings[row]] for row in rows}
        first = next(name for name in recordings if home[name] in joined)
        home |= {name: home[first] for name in home if home[name] in joined}
    return tuple(home[name] for name in recordings)


def grouped(counted: Sequence[str], sessions: Sequence[str]) -> tuple[str, ...]:
    """The session of each clip, or its recording where that is unknown (""): what folds and permutations may not part.

    Sessions that share a recording are one.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}

    def top(one: tuple[str, str]) -> tuple[str, str]:
        while first.setdefault(one, one) != one:
            one = first[one]
        return one

    for recording, session in zip(counted, sessions, strict=True):
        mine = top(("recording", recording))
        if session:
            first[mine] = top(("session", session))
    return tuple(top(("recording", recording))[1] for recording in counted)
