"""The live probe: linear, on every layer, cross-validated over recordings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.base.threads import side_by_side
from mirdemo.scoring.folds import content_folds, content_order, content_seed
from mirdemo.scoring.permutation import PValues, exchange, refit_test
from mirdemo.scoring.permutation import p_values as of_permuted
from mirdemo.stages.probing.crossval import DUAL_CLIPS, choose, solve
from mirdemo.stages.probing.figures import macro_report, measure, tag_reports
from mirdemo.stages.probing.inputs import Question
from mirdemo.stages.probing.interim import Interim
from mirdemo.stages.probing.interim import interim as so_far
from mirdemo.stages.probing.report import ProbeReport
from mirdemo.stages.probing.settings import draws_of


def probe_live(
    question: Question,
    *,
    n_folds: int,
    seeds: Sequence[int] | None,
    penalty: float,
    permutations: int,
    level: float,
    scale: bool,
    progress: Progress,
    facts: dict[str, Any],
    interim: Callable[[Interim], None] | None = None,
) -> ProbeReport:
    """Train, score, test and report. facts: the report's fields that do not depend on the protocol.

    seeds: of the draws of the folds; None: ``draws_of`` so many clips, only the first where there are more than ``DUAL_CLIPS``
    """
    labelling = question.labelling
    many = len(labelling) > DUAL_CLIPS
    if seeds is None:
        seeds = draws_of(len(labelling))[: 1 if many else None]
    n_folds = min(n_folds, len(labelling.group_names))
    folds = np.stack([content_folds(labelling.groups, question.keys, n_folds, seed) for seed in seeds])
    names = tuple(question.layers)
    seconds: dict[str, float] = {}
    lap = _laps(seconds)
    work = _Work(question, folds, penalty, scale, permutations, progress)
    draws = _Draws(work, n_folds, level, interim)
    p_values_of = _solve_many_clips(work, draws) if many else _solve(work, draws)
    scores = 0.5 * (1 + np.tanh(0.5 * np.stack(draws.logits)))
    lap("probe")
    fixed, deviation = measure(scores, labelling.labels, labelling.groups)
    estimates = {name: estimate.trained_again(n_folds, len(seeds)) for name, estimate in fixed.items()}
    lap("intervals")
    p_values = p_values_of() if permutations else None
    if permutations and not many:
        lap("permutations")
    unit = work.unit
    counts = np.apply_along_axis(np.bincount, 0, np.concatenate(draws.choices), minlength=len(names))
    shared = (estimates, p_values, labelling.labels)
    return ProbeReport(
        protocol="live",
        layer_names=names,
        tags=tag_reports(
            *shared, labelling.groups, question.tags, names, [names[i] for i in counts.argmax(0)], level, unit
        ),
        macro=macro_report(*shared, names, names[int(counts.sum(1).argmax())], level, unit),
        labels=labelling.labels,
        recordings=np.array(question.recording_names)[question.recordings],
        scores=_mean_of_known(scores[:, 0]).T,
        given=np.nan_to_num(_mean_of_known(np.stack(draws.given)).T, nan=0.0),
        folds=folds,
        n_clips=len(labelling),
        n_recordings=len(labelling.recording_names),
        n_folds=n_folds,
        seeds=tuple(seeds),
        seed_deviation=deviation,
        permutations=permutations,
        level=level,
        settings={"method": "logistic regression", "penalty": penalty, "standardised": scale},
        seconds=seconds,
        device="cpu",
        warnings=question.warnings,
        estimates=estimates,
        **facts,
    )


class _Work:
    """What is to be solved. All of it is in the order of the clips' contents, so that neither their names nor their order
    decide anything; ``back`` puts clips into their own order again.

    labels: uint8 (n, n_tags); folds: (draws, n); unit: what is kept whole, ``"recordings"`` or ``"sessions"``
    units: (n,) each, the recordings and what is kept whole, numbered in the order in which they appear
    rng: of the permutations, the same for any draw of the folds
    """

    def __init__(
        self,
        question: Question,
        folds: np.ndarray,
        penalty: float,
        scale: bool,
        permutations: int,
        progress: Progress,
    ) -> None:
        labelling = question.labelling
        self.labelling = labelling
        self._order = content_order(labelling.groups, labelling.recordings, question.keys)
        self._layers = question.layers
        self.back = np.argsort(self._order)
        self.labels = np.ascontiguousarray(labelling.labels[self._order])
        self.folds = folds[:, self._order]
        self.unit = (
            "recordings" if len(labelling.group_names) == len(labelling.recording_names) else "sessions"
        )
        self.units = (
            _in_order(labelling.recordings[self._order]),
            _in_order(labelling.groups[self._order]),
        )
        self.rng = np.random.default_rng(content_seed(question.keys))
        self.penalty, self.scale = penalty, scale
        self.permutations, self.progress = permutations, progress

    def __len__(self) -> int:
        """Layers."""
        return len(self._layers)

    def layers(self) -> Iterator[np.ndarray]:
        """The rows of each layer, (n, size), one layer after the other."""
        return (rows[self._order] for rows in self._layers.values())


class _Draws:
    """What each draw of the folds found: logits (1 + layers, n_tags, n), the headline's first, clips in their own order;
    what its headline's models decide by themselves, 0, 1 or NaN (n_tags, n); and the layers that its folds chose, (n_folds,
    n_tags). ``interim`` is told how far it is."""

    def __init__(
        self, work: _Work, n_folds: int, level: float, interim: Callable[[Interim], None] | None
    ) -> None:
        self.logits: list[np.ndarray] = []
        self.given: list[np.ndarray] = []
        self.choices: list[np.ndarray] = []
        self._work, self._n_folds, self._level, self._interim = work, n_folds, level, interim

    def add(
        self,
        parts: list[np.ndarray],
        inner: list[np.ndarray],
        fold_of: np.ndarray,
        own: list[np.ndarray] | None = None,
    ) -> None:
        """One draw: logits of runs of layers, of the layers' inner folds, and the fold of each clip. own: logits with each
        fold's own intercept; None where there are so many clips that it makes no difference"""
        headline, choice = _headline(parts, inner, fold_of)
        decided = headline if own is None else _headline(own, inner, fold_of)[0]
        self.given.append(np.where(np.isfinite(decided), decided >= 0, np.nan)[:, self._work.back])
        self.logits.append(np.concatenate([headline[None], *parts])[..., self._work.back])
        self.choices.append(choice)

    def tell(self, parts: list[np.ndarray], inner: list[np.ndarray], fold_of: np.ndarray) -> None:
        """What the draws so far say, and the one at work by the layers that it has been through."""
        if self._interim is None:
            return
        work = self._work
        headline, _ = _headline(parts, inner, fold_of)
        self._interim(
            so_far(
                [*(draw[0] for draw in self.logits), headline[:, work.back]],
                work.labelling.labels,
                work.labelling.groups,
                n_draws=len(work.folds),
                layers=sum(map(len, parts)),
                n_layers=len(work),
                n_folds=self._n_folds,
                level=self._level,
                unit=work.unit,
            )
        )


def _solve(work: _Work, draws: _Draws) -> Callable[[], PValues]:
    """Every draw in turn, by the dual: clips by clips. Returns what computes the p-values."""
    layers = list(work.layers())
    n_clips = len(work.labels)
    smoother = np.zeros((len(layers) if work.permutations else 0, n_clips, n_clips))
    for done, fold_of in enumerate(work.folds):
        work.progress(done, len(work.folds), "probing")
        parts: list[np.ndarray] = []
        inner: list[np.ndarray] = []
        own: list[np.ndarray] = []
        at = 0
        for part in solve(layers, work.labels, fold_of, work.penalty, scale=work.scale):
            parts.append(part.logits)
            own.append(part.own)
            inner.append(part.inner())
            if work.permutations:
                smoother[at : at + len(part.logits)] += part.smoother()
                at += len(part.logits)
            if done == 0:
                draws.tell(parts, inner, fold_of)
        if done:
            draws.tell(parts, inner, fold_of)
        draws.add(parts, inner, fold_of, own)

    def p_values() -> PValues:
        recordings, groups = work.units
        return refit_test(
            smoother, work.labels, recordings, work.permutations, work.rng, work.progress, groups
        )

    return p_values


def _solve_many_clips(work: _Work, draws: _Draws) -> Callable[[], PValues]:
    """Every layer in turn, all draws of it, without a matrix of clips by clips. Returns what computes the p-values."""
    from mirdemo.stages.probing import primal  # scipy, which the first page does without

    recordings, groups = work.units
    donors = exchange(recordings, work.permutations, work.rng, groups) if work.permutations else None
    one_layer = partial(
        primal.solve,
        labels=work.labels,
        folds=work.folds,
        penalty=work.penalty,
        donors=donors,
        scale=work.scale,
    )

    def waiting(number: int) -> None:
        work.progress(number, len(work), "probing")

    solved: list[primal.Layer] = []
    tasks = (lambda tick, rows=rows: one_layer(rows, tick=tick) for rows in work.layers())
    with closing(side_by_side(tasks, waiting)) as layers:
        for layer in layers:
            solved.append(layer)
            if len(solved) < len(work):
                inner = [one.inner[0][:, None] for one in solved]
                draws.tell([one.logits[:1] for one in solved], inner, work.folds[0])
    for draw, fold_of in enumerate(work.folds):
        parts = [one.logits[draw][None] for one in solved]
        draws.add(parts, [one.inner[draw][:, None] for one in solved], fold_of)
    observed, under = [one.observed for one in solved], [one.under for one in solved]
    return lambda: of_permuted(np.stack(observed), np.stack(under, 1))


def _headline(
    parts: Sequence[np.ndarray], inner: Sequence[np.ndarray], fold_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each fold by the layer that its training side recommends: logits (n_tags, n_clips), layers (n_folds, n_tags)."""
    every, choice = np.concatenate(parts), choose(np.concatenate(inner, axis=1))
    n_tags, n_clips = every.shape[1:]
    return every[choice[fold_of], np.arange(n_tags), np.arange(n_clips)[:, None]].T, choice


def _in_order(codes: np.ndarray) -> np.ndarray:
    """Numbered anew in the order in which they appear."""
    _, first, again = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[again]


def _mean_of_known(scores: np.ndarray) -> np.ndarray:
    """(draws, n_tags, n) -> (n_tags, n): the mean over the draws in which a tag could be learned, NaN without any."""
    known = np.isfinite(scores)
    total = np.where(known, scores, 0).sum(0)
    return np.divide(total, known.sum(0), out=np.full(total.shape, np.nan), where=known.any(0))


def _laps(seconds: dict[str, float]) -> Callable[[str], None]:
    last = time.perf_counter()

    def lap(phase: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[phase] = now - last
        last = now

    return lap
