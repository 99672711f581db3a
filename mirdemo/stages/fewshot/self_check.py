"""The honest score: tag the support set itself, each recording by what the others teach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.stages.fewshot.errors import (
    FewShotError,
    check_embeddings,
    check_labels,
    check_recordings,
    check_tags,
)
from mirdemo.stages.fewshot.methods import FewShotMethod
from mirdemo.stages.fewshot.prototypes import LCPrototypes
from mirdemo.stages.fewshot.scoring import Score, score


@dataclass(frozen=True, eq=False)
class SelfCheck:
    """The support set tagged without each clip's own recording.

    predicted: uint8 (n, n_tags); scores: float64 (n, n_tags); score: figures with intervals
    """

    predicted: np.ndarray
    scores: np.ndarray
    score: Score


def leave_one_recording_out(
    embeddings: np.ndarray,
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None,
    make: Callable[[], FewShotMethod],
    *,
    tags: Sequence[str] | None = None,
    progress: Progress = silent,
) -> SelfCheck:
    """Tag each recording's clips by a tagger made from all other recordings.

    embeddings: (n, dim); labels: 0/1 (n, n_tags); recordings: (n,), None: each clip its own
    make: a fresh, unfitted method, e.g. ``LCPrototypes``. LC-prototypes are not fitted again for each
        recording but changed, which is exact (see ``LCPrototypes.leave_one_recording_out``).

    A tag that only one recording carries cannot be found by the others and counts as missed: so it is for a
    new recording. Raises FewShotError for fewer than two recordings.
    """
    rows = check_embeddings(embeddings)
    table = check_labels(labels, len(rows))
    codes = check_recordings(recordings, len(rows))
    names = check_tags(tags, table.shape[1])
    groups = np.unique(codes)
    if len(groups) < 2:
        raise FewShotError(
            "All clips come from one recording, so none can be left out. Add clips of another recording.",
            code="fewshot.one_recording",
        )
    method = make()
    if isinstance(method, LCPrototypes):
        predicted, scores = method.fit(rows, table, codes, names).leave_one_recording_out()
        progress(len(groups), len(groups), "self-check")
    else:
        predicted, scores = np.zeros(table.shape, np.uint8), np.zeros(table.shape)
        for done, recording in enumerate(groups):
            progress(done, len(groups), "self-check")
            mine = codes == recording
            if table[~mine].any():
                method = make().fit(rows[~mine], table[~mine], codes[~mine], names)
                predicted[mine], scores[mine] = method.predict(rows[mine]), method.scores(rows[mine])
        progress(len(groups), len(groups), "self-check")
    return SelfCheck(predicted, scores, score(table, predicted, codes, names, scores))
