"""What can be said of a tag with the recordings that are there, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, TOO_FEW, best_possible, more_for

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips


@dataclass(frozen=True)
class Possible:
    """The best word that a tag can have, and what the next better one takes.

    better: that word, None where there is none; having, lacking: more recordings with the tag and without it
    """

    word: str
    better: str | None = None
    having: int = 0
    lacking: int = 0

    @property
    def sign(self) -> str:
        return {HEARD: "full", PARTLY_HEARD: "half"}.get(self.word, "empty")


def possible(clips: LabelledClips, column: int) -> Possible:
    """For the tag of one column. Sessions count as one recording each, as folds and permutations keep them whole."""
    groups, has = np.array(clips.groups), clips.labels[:, column] == 1
    there, absent = len(np.unique(groups[has])), len(np.unique(groups[~has]))
    whole = there + absent == len(np.unique(groups))
    word = best_possible(there, absent, whole)
    better = {PARTLY_HEARD: HEARD, TOO_FEW: PARTLY_HEARD}.get(word)
    more = more_for(better, there, absent, whole) if better is not None else None
    return Possible(word) if more is None else Possible(word, better, *more)
