"""A sheet's letters, or names, that were read in one of several possible encodings: read in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.clips.encodings import reread
from mirdemo.clips.encodings import shown as shown_encoding
from mirdemo.clips.recordings import stem_of
from mirdemo.web.changing import change
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Visitor
from mirdemo.web.tabs.clips.desk import ClipsDesk

#: Notes of letters that were read in one of several possible encodings.
_GUESSED = ("clips.encoding_guessed", "clips.names_guessed")


def as_chosen(problem: Sentence, chosen: Mapping[str, str]) -> Sentence:
    """The note of a guess after another reading was chosen: that one is offered again in its place."""
    if problem.code not in _GUESSED or problem.values["codec"] != chosen["was"]:
        return problem
    others = [one for one in problem.values["others"].split() if one != chosen["encoding"]]
    values = {
        "encoding": shown_encoding(chosen["encoding"]),
        "codec": chosen["encoding"],
        "others": " ".join([chosen["was"], *others]),
        "words": chosen["words"],
    }
    return replace(problem, values={**problem.values, **values})


def respellings(problems: Sequence[Sentence], clips: LabelledClips) -> list[dict[str, str]]:
    """Other encodings that a sheet's letters may be in, each with words as they would read."""
    found = []
    for problem in problems:
        if problem.code not in _GUESSED:
            continue
        was = problem.values["codec"]
        names = [stem_of(clip.name) for clip in clips.clips]
        words = [word for word in (*clips.tags, *clips.recordings, *names) if not word.isascii()]
        for other in problem.values["others"].split():
            would = [read for word in words if (read := reread(word, was, other)) not in (None, word)]
            if would:
                found.append(
                    {"was": was, "encoding": other, "words": ", ".join(list(dict.fromkeys(would))[:3])}
                )
    return found


def respell(visitor: Visitor, act: Act) -> None:
    """The sheet's letters were guessed wrongly: read them in another of the encodings that were possible."""
    desk = visitor.desk(ClipsDesk)
    offered = {one["encoding"]: one for one in respellings(desk.problems, visitor.clips)}
    chosen = offered[act.one_of("encoding", offered)]
    before = desk.problems

    def again() -> None:
        desk.problems = before

    after = visitor.clips.respelt(chosen["was"], chosen["encoding"])
    told = Sentence("Read as {encoding}.", "clips.respelt", {"encoding": shown_encoding(chosen["encoding"])})
    change(visitor, after, told, again)
    desk.problems = tuple(as_chosen(problem, chosen) for problem in before)
