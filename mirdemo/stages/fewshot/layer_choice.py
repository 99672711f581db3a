"""Which layer (of which backbone) to tag with, decided by the support set alone."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import Interval, by_recording, difference, estimate
from mirdemo.scoring.metrics import f1_influence
from mirdemo.stages.fewshot.closed_sets import closed_sets
from mirdemo.stages.fewshot.errors import FewShotError, check_labels, check_recordings, check_tags
from mirdemo.stages.fewshot.nearest import Distance
from mirdemo.stages.fewshot.prototypes import LCPrototypes
from mirdemo.stages.fewshot.scoring import Score, score


@dataclass(frozen=True)
class Candidate:
    """One layer: its leave-one-recording-out score. name: as given, a layer or (backbone, layer)."""

    name: Hashable
    dim: int
    score: Score
    seconds: float


@dataclass(frozen=True)
class LayerChoice:
    """All candidates in the order given, and the choice.

    best: name of the candidate with the highest macro F1 (then ROC-AUC, then the one given first)
    ahead: macro F1 of the best minus that of the next best, paired by recording
    clear: the interval of ``ahead`` leaves out zero; otherwise say that several layers are about as good
    chosen: what to expect of the choice: each recording tagged by the layer that is best on the others. The
        best candidate's own score is a little too good, because it was picked for it
    """

    candidates: tuple[Candidate, ...]
    best: Hashable
    ahead: Interval | None
    clear: bool
    chosen: Score

    def __getitem__(self, name: Hashable) -> Candidate:
        return next(c for c in self.candidates if c.name == name)


def choose_layer(
    layers: Mapping[Hashable, np.ndarray],
    labels: np.ndarray,
    recordings: Sequence | np.ndarray | None = None,
    *,
    tags: Sequence[str] | None = None,
    distance: Distance = "cosine",
    progress: Progress = silent,
) -> LayerChoice:
    """Score every layer by tagging the support set, each recording by the others, with LC-prototypes.

    layers: name -> (n, dim), e.g. ``embeddings.layers``, or (backbone, layer) -> (n, dim) over several
        backbones; the same n clips. labels: 0/1 (n, n_tags). recordings: (n,), None: each clip its own.

    The label combinations are found once for all layers. Raises FewShotError for no layer or one recording.
    """
    if not layers:
        raise FewShotError(
            "There is no layer to choose from. Embed the clips first.", code="fewshot.no_layers"
        )
    n = len(next(iter(layers.values())))
    table = check_labels(labels, n)
    codes = check_recordings(recordings, n)
    names = check_tags(tags, table.shape[1])
    if len(np.unique(codes)) < 2:
        raise FewShotError(
            "All clips come from one recording, so none can be left out. Add clips of another recording.",
            code="fewshot.one_recording",
        )
    sets = closed_sets(table)
    candidates, said, ranked = [], [], []
    for done, (name, matrix) in enumerate(layers.items()):
        progress(done, len(layers), "layers")
        started = time.perf_counter()
        method = LCPrototypes(distance).fit(matrix, table, codes, names, sets=sets)
        predicted, scores = method.leave_one_recording_out()
        said.append(predicted)
        ranked.append(scores)
        figures = score(table, predicted, codes, names, scores)
        candidates.append(Candidate(name, method.embeddings.shape[1], figures, time.perf_counter() - started))
    progress(len(layers), len(layers), "layers")

    order = sorted(range(len(candidates)), key=lambda i: _merit(candidates[i]), reverse=True)
    ahead = None
    if len(order) > 1:
        two = [_macro_estimate(table, said[i], codes) for i in order[:2]]
        ahead = difference(*two).at()
    each = _best_on_the_others(table, np.stack(said), codes)
    rows = np.arange(n)
    return LayerChoice(
        candidates=tuple(candidates),
        best=candidates[order[0]].name,
        ahead=ahead,
        clear=ahead is not None and ahead.low is not None and ahead.low > 0,
        chosen=score(table, np.stack(said)[each, rows], codes, names, np.stack(ranked)[each, rows]),
    )


def _merit(candidate: Candidate) -> tuple[float, float]:
    auc = candidate.score.roc_auc
    return candidate.score.macro_f1.value or 0.0, (auc.value if auc else None) or 0.0


def _macro_estimate(table: np.ndarray, said: np.ndarray, codes: np.ndarray):
    value, influence = f1_influence(table.T, said.T)
    return estimate(value, influence, table.T, codes, pairs=False).macro()


def _best_on_the_others(table: np.ndarray, said: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """For each clip the layer with the best macro F1 on the other recordings: (n, t), (layers, n, t), (n,) -> (n,)."""
    truth, given = table.T.astype(np.float64), said.transpose(0, 2, 1).astype(np.float64)
    hits, marks = by_recording(truth * given, codes), by_recording(truth + given, codes)
    carried = by_recording(truth, codes)
    hits, marks = hits.sum(-1, keepdims=True) - hits, marks.sum(-1, keepdims=True) - marks
    known = np.broadcast_to(carried.sum(-1, keepdims=True) - carried > 0, hits.shape)
    f1 = np.divide(2 * hits, marks, out=np.zeros_like(hits), where=known)
    macro = f1.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return macro.argmax(axis=0)[np.unique(codes, return_inverse=True)[1]]
