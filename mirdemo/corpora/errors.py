"""What the corpora refuse."""

from __future__ import annotations

from collections.abc import Sequence

from mirdemo.base.sentences import MirdemoError

#: How many names a sentence lists before it only counts.
NAMED = 5


class CorpusError(MirdemoError):
    """A corpus cannot be read as asked. One sentence: what is wrong, what to do."""


def first_few(names: Sequence[str]) -> str:
    """The first names of a list, for a sentence that also states how many there are."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def bad_file(name: str) -> CorpusError:
    """The error for a file that is not what its corpus published under that name."""
    return CorpusError(
        "{name} is not the file that was published. Get it again from the corpus's repository.",
        code="corpora.bad_file",
        name=name,
    )
