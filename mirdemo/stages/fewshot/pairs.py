"""Leaving recordings out in pairs: a score that leaving out does not disturb.

A recording that is left out alone takes its tags' share of the support set with it: the tag it is to be found by has
become rarer and the others more common, so the clip looks less like its own tag than a new clip would. Without any
signal ROC-AUC then falls well below one half (Parker, Guenter and Bedo, BMC Bioinformatics 8, 2007). Left out together with
a recording without the tag, and compared with that one alone, it is judged by what knows neither (Airola, Pahikkala,
Waegeman, De Baets and Salakoski, Computational Statistics and Data Analysis 55, 2011). F1 counts decisions in the same pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.folds import recording_folds
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import LCPrototypes

#: So many groups at most are paired: up to so many recordings every recording is a group of its own. LC-prototypes are
#: updated, the other methods fitted again for every pair.
MOST_UPDATED, MOST_REFITTED = 40, 16
#: Distances held at once while LC-prototypes are updated.
_ROOM = 1 << 22


@dataclass(frozen=True, eq=False)
class PairsOut:
    """Every clip as it is judged by taggers that know neither its group of recordings nor one other group.

    groups: int64 (n,), the group of each clip, 0 ... n_groups - 1; a recording is in one group
    given: uint8 (n, n_groups, n_tags), tags given to clip i without its own group and group h; at its own group,
        without that alone
    clear: float64 of that shape, how clearly each tag fits: comparable only within one pair of groups
    """

    groups: np.ndarray
    given: np.ndarray
    clear: np.ndarray

    @property
    def n_groups(self) -> int:
        return self.given.shape[1]

    def decided(self, labels: np.ndarray) -> np.ndarray:
        """The share of its pairs in which each clip gets each tag: 0/1 (n, n_tags) -> float64 (n, n_tags).

        A clip's pairs are with the clips that differ from it in the tag. A tag that all clips or none have knows no
        pairs; there the clip's own group alone is left out.
        """
        out = np.empty(labels.shape)
        own = self.given[np.arange(len(labels)), self.groups]
        for tag in range(labels.shape[1]):
            for has in (0, 1):
                mine = np.flatnonzero(labels[:, tag] == has)
                other = self.groups[labels[:, tag] != has]
                if len(other):
                    weights = np.bincount(other, minlength=self.n_groups) / len(other)
                    out[mine, tag] = self.given[mine, :, tag] @ weights
                else:
                    out[mine, tag] = own[mine, tag]
        return out

    def above(self, tag: int, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How often ``rows`` fit a tag better than ``others``, ties half: int64 (r,), (o,) -> float64 (r, o)."""
        one = self.clear[np.ix_(rows, self.groups[others], [tag])][:, :, 0]
        two = self.clear[np.ix_(others, self.groups[rows], [tag])][:, :, 0].T
        with np.errstate(invalid="ignore"):
            apart = np.abs(one - two) > 1e-9
        return np.where(apart, one > two, 0.5)


def leave_pairs_out(
    rows: np.ndarray,
    labels: np.ndarray,
    recordings: np.ndarray,
    tags: tuple[str, ...],
    make: Callable[[], FewShotMethod],
    *,
    method: LCPrototypes | None = None,
    progress: Progress = silent,
) -> PairsOut:
    """Judge every clip without its recording and one other, for every other recording.

    rows: float64 (n, dim); labels: 0/1 (n, n_tags); recordings: int64 (n,), at least two different ones
    make: a fresh, unfitted method; method: fitted already to all of this, where it is LC-prototypes

    LC-prototypes are updated, exactly and for all pairs of up to ``MOST_UPDATED`` recordings; other methods are fitted
    again, for up to ``MOST_REFITTED``. More recordings, and so many label sets that updating would need much memory,
    are dealt to as many groups, each tag's recordings to different ones where that is possible.
    """
    if method is None and isinstance(fresh := make(), LCPrototypes):
        method = fresh.fit(rows, labels, recordings, tags)
    if method is not None:
        most = int(np.clip(np.sqrt(_ROOM / len(method.label_sets)), 8, MOST_UPDATED))
        groups = deal(recordings, labels, most)
        return PairsOut(groups, *method.leave_pairs_out(groups))
    groups = deal(recordings, labels, MOST_REFITTED)
    n_groups = int(groups.max()) + 1
    given = np.zeros((len(rows), n_groups, len(tags)), np.uint8)
    clear = np.full(given.shape, -np.inf)
    total = n_groups * (n_groups + 1) // 2
    done = 0
    for one in range(n_groups):
        for two in range(one, n_groups):
            progress(done, total, "self-check")
            done += 1
            out = (groups == one) | (groups == two)
            if labels[~out].any():
                fitted = make().fit(rows[~out], labels[~out], recordings[~out], tags)
                mine = np.flatnonzero(out)
                other = np.where(groups[mine] == one, two, one)
                given[mine, other], clear[mine, other] = fitted.predict(rows[mine]), fitted.scores(rows[mine])
    progress(total, total, "self-check")
    return PairsOut(groups, given, clear)


def deal(recordings: np.ndarray, labels: np.ndarray, most: int) -> np.ndarray:
    """The group of each clip, int64 (n,): one a recording where there are no more than ``most``, else ``most`` of them."""
    codes = np.unique(recordings, return_inverse=True)[1]
    if codes.max() < most:
        return codes
    groups = np.empty(len(codes), np.int64)
    for number, (_, members) in enumerate(recording_folds(codes.astype(str).tolist(), labels, most, seed=0)):
        groups[members] = number
    return groups
