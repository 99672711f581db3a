"""What the clips tab remembers of a visitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips

#: Files may be added while others are still being read: each drop is a job of its own.
JOB = "clips-{number}"


#: What the table of clips sorts by: a clip's place in the collection to what is compared.
COLUMNS: dict[str, Callable[[LabelledClips, int], Any]] = {
    "clip": lambda clips, row: clips.clips[row].name.casefold(),
    "tags": lambda clips, row: [tag.casefold() for tag in clips.tags_of(row)],
    "recording": lambda clips, row: clips.recordings[row].casefold(),
}


@dataclass
class ClipsDesk:
    """What this tab remembers of a visitor.

    problems: what the last files added left out, merged or put together; picked: SHA-256 of the clips that are ticked
    sort: by which of ``COLUMNS`` and whether from the end; None: as they were added
    renamed: the tag that was renamed last, as it is called now
    returned: how often an answer about recordings was taken back
    """

    problems: tuple[Sentence, ...] = ()
    drops: int = 0
    picked: set[str] = field(default_factory=set)
    sort: tuple[str, bool] | None = None
    renamed: str = ""
    returned: int = 0

    def order(self, clips: LabelledClips) -> list[int]:
        """The places of the clips in the order of the table."""
        rows = list(range(len(clips)))
        if self.sort is None:
            return rows
        column, from_the_end = self.sort
        return sorted(rows, key=lambda row: COLUMNS[column](clips, row), reverse=from_the_end)

    def next_job(self) -> str:
        self.drops += 1
        return JOB.format(number=self.drops)
