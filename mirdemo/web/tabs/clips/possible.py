"""What can be said of a tag with the recordings that are there, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, SCALE, TOO_FEW, best_possible, more_for
from mirdemo.stages.side_by_side import FEW_SHOT, best_words

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips

#: Fine-tuning and few-shot, where they say the same.
BOTH = "both"


@dataclass(frozen=True)
class Possible:
    """The best word that a tag can have, and what the next better one takes.

    better: that word, None where there is none; having, lacking: more recordings with the tag and without it
    others: (stage, or ``BOTH``, and its best word) of those whose figures are less sure than the probe's, where that makes a difference
    """

    word: str
    better: str | None = None
    having: int = 0
    lacking: int = 0
    others: tuple[tuple[str, str], ...] = ()

    @property
    def sign(self) -> str:
        return {HEARD: "full", PARTLY_HEARD: "half"}.get(self.word, "empty")


def possible(clips: LabelledClips, column: int) -> Possible:
    """For the tag of one column, by the probe, and by the other stages where they can say less. Sessions count as one recording each, as folds and permutations keep them whole."""
    groups, has = np.array(clips.groups), clips.labels[:, column] == 1
    there, absent = len(np.unique(groups[has])), len(np.unique(groups[~has]))
    whole = there + absent == len(np.unique(groups))
    word = best_possible(there, absent, whole)
    better = {PARTLY_HEARD: HEARD, TOO_FEW: PARTLY_HEARD}.get(word)
    more = more_for(better, there, absent, whole) if better is not None else None
    lower = {
        one: best for one, best in best_words(there, absent).items() if SCALE.index(best) > SCALE.index(word)
    }
    others = tuple(lower.items())
    if len(lower) == 2 and len(set(lower.values())) == 1:
        others = ((BOTH, lower[FEW_SHOT]),)
    return Possible(word, None, 0, 0, others) if more is None else Possible(word, better, *more, others)
