"""The live probe: linear, on every layer, cross-validated over recordings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.scoring.folds import content_folds, content_order, content_seed
from mirdemo.scoring.permutation import exchange, refit_test
from mirdemo.scoring.permutation import p_values as of_permuted
from mirdemo.stages.probing.crossval import DUAL_CLIPS, choose, solve
from mirdemo.stages.probing.figures import macro_report, measure, tag_reports
from mirdemo.stages.probing.inputs import Question
from mirdemo.stages.probing.interim import Interim
from mirdemo.stages.probing.interim import interim as so_far
from mirdemo.stages.probing.report import ProbeReport
from mirdemo.stages.probing.settings import DRAWS


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

    seeds: of the draws of the folds; None: ``DRAWS``, only the first of them where there are more than ``DUAL_CLIPS`` clips
    """
    labelling = question.labelling
    n_clips, n_groups = len(labelling), len(labelling.group_names)
    many = n_clips > DUAL_CLIPS
    if seeds is None:
        seeds = DRAWS[:1] if many else DRAWS
    n_folds = min(n_folds, n_groups)
    folds = np.stack([content_folds(labelling.groups, question.keys, n_folds, seed) for seed in seeds])
    # All work is done in the order of the clips' contents, so that neither their names nor their order decide anything.
    order = content_order(labelling.groups, labelling.recordings, question.keys)
    back = np.argsort(order)
    labels = np.ascontiguousarray(labelling.labels[order])
    names = tuple(question.layers)
    seconds: dict[str, float] = {}
    lap = _laps(seconds)
    unit = "recordings" if n_groups == len(labelling.recording_names) else "sessions"
    logits: list[np.ndarray] = []
    choices: list[np.ndarray] = []

    def tell(parts: list[np.ndarray], inner: list[np.ndarray], fold_of: np.ndarray) -> None:
        """What the draws so far say, the last of them by the layers worked through so far."""
        if interim is None:
            return
        headline, _ = _headline(parts, inner, fold_of)
        interim(
            so_far(
                [*(draw[0] for draw in logits), headline[:, back]],
                labelling.labels,
                labelling.groups,
                n_draws=len(seeds),
                layers=sum(map(len, parts)),
                n_layers=len(names),
                n_folds=n_folds,
                level=level,
                unit=unit,
            )
        )

    rng = np.random.default_rng(content_seed(question.keys))  # the same for any draw of the folds
    units = (_in_order(labelling.recordings[order]), _in_order(labelling.groups[order]))
    if many:
        from mirdemo.stages.probing import primal  # scipy, which the first page does without

        donors = exchange(units[0], permutations, rng, units[1]) if permutations else None
        solved: list[primal.Layer] = []
        for number, rows in enumerate(question.layers.values()):
            tick = partial(progress, number, len(names), "probing")  # which stops it within a layer, too
            solved.append(
                primal.solve(rows[order], labels, folds[:, order], penalty, donors, scale=scale, tick=tick)
            )
            if number + 1 < len(names):
                tell(
                    [one.logits[:1] for one in solved],
                    [one.inner[0][:, None] for one in solved],
                    folds[0, order],
                )
        for draw, fold_of in enumerate(folds[:, order]):
            parts = [one.logits[draw][None] for one in solved]
            headline, choice = _headline(parts, [one.inner[draw][:, None] for one in solved], fold_of)
            logits.append(np.concatenate([headline[None], *parts])[..., back])
            choices.append(choice)
        permuted = [(one.observed, one.under) for one in solved]
        del solved
    layers = [] if many else [rows[order] for rows in question.layers.values()]
    smoother = np.zeros((len(layers) if permutations else 0, n_clips, n_clips))
    for done, fold_of in enumerate([] if many else folds[:, order]):
        progress(done, len(folds), "probing")
        parts, inner, at = [], [], 0
        for part in solve(layers, labels, fold_of, penalty, scale=scale):
            parts.append(part.logits)
            inner.append(part.inner())
            if permutations:
                smoother[at : at + len(part.logits)] += part.smoother()
                at += len(part.logits)
            if done == 0:
                tell(parts, inner, fold_of)
        if done:
            tell(parts, inner, fold_of)
        headline, choice = _headline(parts, inner, fold_of)
        logits.append(np.concatenate([headline[None], *parts])[..., back])
        choices.append(choice)
    scores = 0.5 * (1 + np.tanh(0.5 * np.stack(logits)))
    lap("probe")
    fixed, deviation = measure(scores, labelling.labels, labelling.groups)
    estimates = {name: estimate.trained_again(n_folds, len(seeds)) for name, estimate in fixed.items()}
    lap("intervals")
    p_values = None
    if permutations and many:
        p_values = of_permuted(
            np.stack([one for one, _ in permuted]), np.stack([one for _, one in permuted], 1)
        )
    elif permutations:
        p_values = refit_test(smoother, labels, units[0], permutations, rng, progress, units[1])
        lap("permutations")
    counts = np.apply_along_axis(np.bincount, 0, np.concatenate(choices), minlength=len(names))
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
        folds=folds,
        n_clips=n_clips,
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
