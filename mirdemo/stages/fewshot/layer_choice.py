"""Which layer (of which backbone) to tag with, decided by the support set alone."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirdemo.base.progress import Progress, silent
from mirdemo.scoring.intervals import Estimate, Interval, difference, estimate
from mirdemo.stages.fewshot.closed_sets import closed_sets
from mirdemo.stages.fewshot.errors import FewShotError, check_labelling
from mirdemo.stages.fewshot.nearest import Distance
from mirdemo.stages.fewshot.pairs import PairsOut, deal, leave_pairs_out
from mirdemo.stages.fewshot.prototypes import LCPrototypes
from mirdemo.stages.fewshot.scoring import Score, f1_moved, score_pairs, taught_too

#: The layer to expect something of is chosen anew for every pair of so many parts of the recordings.
BLOCKS = 5


@dataclass(frozen=True)
class Candidate:
    """One layer: its score with recordings left out in pairs. name: as given, a layer or (backbone, layer)."""

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
    chosen: what to expect of the choice: each pair of recordings left out is tagged by the layer that is best on the
        others. The best candidate's own score is too good, because it was picked for it
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
    n = len(next(iter(layers.values()), labels))
    comparing = Comparing(n, labels, recordings, tags=tags, distance=distance)
    for done, (name, matrix) in enumerate(layers.items()):
        progress(done, len(layers), "layers")
        comparing.score(name, matrix)
    progress(len(layers), len(layers), "layers")
    return comparing.choice()


class Comparing:
    """Layers scored one after another, as they come, and the choice among those that came: ``choose_layer`` in steps.

    n: clips; the rest as there. Raises FewShotError for one recording.
    """

    def __init__(
        self,
        n: int,
        labels: np.ndarray,
        recordings: Sequence | np.ndarray | None = None,
        *,
        tags: Sequence[str] | None = None,
        distance: Distance = "cosine",
    ) -> None:
        self._table, self._codes, self._names = check_labelling(labels, n, recordings, tags)
        if len(np.unique(self._codes)) < 2:
            raise FewShotError(
                "All clips come from one recording, so none can be left out. Add clips of another recording.",
                code="fewshot.one_recording",
            )
        self._distance: Distance = distance
        self._sets = closed_sets(self._table)
        self._layers: dict[Hashable, np.ndarray] = {}
        self._candidates: list[Candidate] = []
        self._said: list[np.ndarray] = []
        self._pairs: list[PairsOut] = []

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those scored so far, in the order they came."""
        return tuple(self._candidates)

    def score(self, name: Hashable, matrix: np.ndarray) -> Candidate:
        """Score one more layer, (n, dim), by tagging each recording by the others."""
        table, codes, names = self._table, self._codes, self._names
        started = time.perf_counter()
        method = LCPrototypes(self._distance).fit(matrix, table, codes, names, sets=self._sets)
        self._layers[name] = matrix
        self._said.append(method.given_without_own_recording())
        pairs = leave_pairs_out(method.embeddings, table, codes, names, LCPrototypes, method=method)
        self._pairs.append(pairs)
        figures = score_pairs(table, pairs, self._said[-1], codes, names)
        made = Candidate(name, method.embeddings.shape[1], figures, time.perf_counter() - started)
        self._candidates.append(made)
        return made

    def choice(self) -> LayerChoice:
        """The choice among all that were scored. Raises FewShotError where none was."""
        table, codes, names, pairs = self._table, self._codes, self._names, self._pairs
        candidates = self._candidates
        if not candidates:
            raise FewShotError(
                "There is no layer to choose from. Embed the clips first.", code="fewshot.no_layers"
            )
        order = sorted(range(len(candidates)), key=lambda i: _merit(candidates[i]), reverse=True)
        ahead = None
        if len(order) > 1:
            two = [_macro_estimate(table, pairs[i], codes) for i in order[:2]]
            ahead = difference(two[0], two[1]).at()
        groups = pairs[0].groups
        best = _best_on_the_others(self._layers, table, codes, groups, self._distance)
        rows, others = np.arange(len(table)), np.arange(pairs[0].n_groups)
        each = best[groups]  # (n, n_groups): the layer of each clip's pairs
        mixed = PairsOut(
            groups,
            np.stack([one.given for one in pairs])[each, rows[:, None], others],
            np.stack([one.clear for one in pairs])[each, rows[:, None], others],
        )
        decided = np.stack(self._said)[best[groups, groups], rows]
        return LayerChoice(
            candidates=self.candidates,
            best=candidates[order[0]].name,
            ahead=ahead,
            clear=ahead is not None and ahead.low is not None and ahead.low > 0,
            chosen=score_pairs(table, mixed, decided, codes, names),
        )


def _merit(candidate: Candidate) -> tuple[float, float]:
    auc = candidate.score.roc_auc
    return candidate.score.macro_f1.value or 0.0, (auc.value if auc else None) or 0.0


def _macro_estimate(table: np.ndarray, pairs: PairsOut, codes: np.ndarray) -> Estimate:
    truth = table.T
    moved = f1_moved(truth, pairs.decided(table).T)
    return taught_too(estimate(*moved, truth, codes, pairs=False)).macro()


def _best_on_the_others(
    layers: Mapping[Hashable, np.ndarray],
    table: np.ndarray,
    codes: np.ndarray,
    groups: np.ndarray,
    distance: Distance,
) -> np.ndarray:
    """The layer that is best without a pair of groups, by nothing they taught: -> int64 (n_groups, n_groups).

    Groups are dealt to ``BLOCKS`` blocks, and a layer is chosen once for every pair of blocks, by the macro F1 of leaving
    out one recording at a time of all others. That a recording is near to one with its tags would otherwise speak for
    a layer twice, when the layer is chosen and when it is scored. The first layer where too little is left to choose by.
    """
    blocks = deal(groups, table, BLOCKS)
    n_blocks = int(blocks.max()) + 1
    chosen = np.zeros((n_blocks, n_blocks), np.int64)
    for one in range(n_blocks):
        for two in range(one, n_blocks):
            kept = np.flatnonzero((blocks != one) & (blocks != two))
            labels = table[kept]
            if not labels.any() or len(np.unique(codes[kept])) < 2:
                continue
            sets, merits = closed_sets(labels), []
            for matrix in layers.values():
                method = LCPrototypes(distance, unknown=False)
                method.fit(np.asarray(matrix)[kept], labels, codes[kept], sets=sets)
                said = method.given_without_own_recording()
                merits.append(np.nanmean(f1_moved(labels.T, said.T)[0]))
            chosen[one, two] = chosen[two, one] = int(np.argmax(np.round(merits, 9)))
    block_of = np.zeros(int(groups.max()) + 1, np.int64)
    block_of[groups] = blocks
    return chosen[np.ix_(block_of, block_of)]
