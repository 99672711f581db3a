"""The label combinations that matter: the support's tag sets closed under intersection.

LC-Protonets (Papaioannou et al., arXiv 2409.11264) gives every non-empty subset of every support item's
tags a prototype: the mean of the items that carry the whole subset. Subsets carried by the same items have
the same prototype, ties go to the larger set, and the largest set that given items share is the intersection
of their tag sets. So a set that is no such intersection can never win, and the others ("closed" sets, in the
sense of formal concept analysis) give the same predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.stages.fewshot.errors import FewShotError, no_tags

#: More closed sets than this are refused: 20,000 prototypes of 768 values are 123 MB.
MAX_SETS = 20_000


@dataclass(frozen=True, eq=False)
class ClosedSets:
    """The closed label sets of a support set, in the order in which the published rule breaks ties.

    sets: uint8 (m, n_tags), each a closed set, larger ones first; among equally large ones the one whose
        first supporting item comes first, then the one with the earlier tags (the order in which the
        published code meets them). The negatives' empty set, if there is one, is last.
    members: bool (n, m), which support rows carry the whole set (for the empty set: which carry no tag)
    """

    sets: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def counts(self) -> np.ndarray:
        """int64 (m,): how many support rows stand behind each set."""
        return self.members.sum(axis=0)


def closed_sets(labels: np.ndarray, *, negatives: bool = True, limit: int = MAX_SETS) -> ClosedSets:
    """The tag sets of a support set closed under intersection.

    labels: uint8 (n, n_tags). Rows may repeat (an item drawn twice counts twice).
    negatives: give the rows without tags an empty set of their own (ours, not the paper's).
    limit: refuse as soon as more sets than this are found, which bounds time and memory: dense labels
        may have exponentially many.

    Raises FewShotError if there are more than ``limit`` sets, or none.
    """
    n_tags = labels.shape[1]
    width = (n_tags + 7) // 8
    codes = [int.from_bytes(row.tobytes(), "big") for row in np.packbits(labels, axis=1)]
    family: set[int] = set()
    for code in sorted(set(codes)):
        family |= {code & known for known in family}
        family.add(code)
        if len(family) > limit + 1:  # the empty set may be among them and does not count
            raise FewShotError(
                "The tags of these clips combine in more than {limit} ways. Use fewer tags at once.",
                code="fewshot.too_many_sets",
                limit=limit,
            )
    family.discard(0)
    found = list(family)
    packed = np.frombuffer(b"".join(code.to_bytes(width, "big") for code in found), dtype=np.uint8)
    sets = np.unpackbits(packed.reshape(-1, width), axis=1, count=n_tags)
    members = _members(labels, sets)
    first = members.argmax(axis=0).tolist() if found else []
    # among bit strings of equally many ones the greater has the earlier tags
    order = sorted(range(len(found)), key=lambda i: (-found[i].bit_count(), first[i], -found[i]))
    sets, members = sets[order], members[:, order]

    empty_rows = ~np.any(labels, axis=1)
    if negatives and empty_rows.any():
        sets = np.vstack([sets, np.zeros((1, n_tags), np.uint8)])
        members = np.hstack([members, empty_rows[:, None]])
    if not len(sets):
        raise no_tags()
    return ClosedSets(sets, np.ascontiguousarray(members))


def _members(labels: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """bool (n, m): which rows carry all tags of a set. Counted by a product of small whole numbers."""
    left = labels.astype(np.float32)
    members = np.empty((len(labels), len(sets)), dtype=bool)
    step = max(1, (1 << 23) // max(1, len(labels)))
    for start in range(0, len(sets), step):
        part = sets[start : start + step].astype(np.float32)
        members[:, start : start + step] = left @ part.T == part.sum(axis=1)
    return members


def prototypes(embeddings: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Mean embedding of each set's members: float64 (n, dim), bool (n, m) -> float64 (m, dim)."""
    means = np.empty((members.shape[1], embeddings.shape[1]))
    step = max(1, (1 << 22) // max(1, len(embeddings)))
    for start in range(0, len(means), step):
        part = members[:, start : start + step].astype(np.float64)
        means[start : start + step] = (part.T @ embeddings) / part.sum(axis=0)[:, None]
    return means
