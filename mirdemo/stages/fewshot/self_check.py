"""The honest score: tag the support set itself, each recording by what the others teach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.stages.fewshot.errors import (
    FewShotError,
    check_embeddings,
    check_labelling,
)
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.pairs import PairsOut, leave_pairs_out
from mirdemo.stages.fewshot.prototypes import LCPrototypes
from mirdemo.stages.fewshot.scoring import Score, score_pairs


@dataclass(frozen=True, eq=False)
class SelfCheck:
    """The support set tagged by what others of its recordings teach.

    predicted: uint8 (n, n_tags), without each clip's own recording
    pairs: the same without one other recording too; score: figures from these, with intervals
    """

    predicted: np.ndarray
    pairs: PairsOut
    score: Score


def leave_recordings_out(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None,
    make: Callable[[], FewShotMethod],
    *,
    tags: Sequence[str] | None = None,
    progress: Progress = silent,
) -> SelfCheck:
    """Tag each recording's clips by taggers made from others, and score that by pairs.

    embeddings: (n, dim); labels: 0/1 (n, n_tags); recordings: (n,), None: each clip its own
    make: a fresh, unfitted method, e.g. ``LCPrototypes``. LC-prototypes are not fitted again for each
        recording but changed, which is exact (see ``LCPrototypes.leave_pairs_out``).

    What each clip gets is decided without its own recording. The figures come from leaving out pairs (see
    ``mirdemo.stages.fewshot.pairs``): they are those of a tagger made from two recordings fewer, so a little low where
    recordings are few. A tag that only one recording carries cannot be found by the others and counts as missed: so it
    is for a new recording. Raises FewShotError for fewer than two recordings.
    """
    rows = check_embeddings(embeddings)
    table, codes, names = check_labelling(labels, len(rows), recordings, tags)
    groups = np.unique(codes)
    if len(groups) < 2:
        raise FewShotError(
            "All clips come from one recording, so none can be left out. Add clips of another recording.",
            code="fewshot.one_recording",
        )
    made = make()
    method = None
    if isinstance(made, LCPrototypes):
        method = made.fit(rows, table, codes, names)
        predicted = method.given_without_own_recording()
    else:
        predicted = np.zeros(table.shape, np.uint8)
        for recording in groups:
            mine = codes == recording
            if table[~mine].any():
                predicted[mine] = (
                    make().fit(rows[~mine], table[~mine], codes[~mine], names).predict(rows[mine])
                )
    pairs = leave_pairs_out(rows, table, codes, names, make, method=method, progress=progress)
    return SelfCheck(predicted, pairs, score_pairs(table, pairs, predicted, codes, names))
