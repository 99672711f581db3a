"""The live probe: linear, on every layer, cross-validated over recordings, for any small number of clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.scoring.permutation import refit_test
from mirdemo.stages.probing.crossval import choose, solve
from mirdemo.stages.probing.errors import ProbeError
from mirdemo.stages.probing.figures import macro_report, measure, tag_reports
from mirdemo.stages.probing.inputs import Question
from mirdemo.stages.probing.report import ProbeReport

#: The dual solver holds clips x clips; whole corpora go by the published protocol.
MOST_CLIPS = 3000


def probe_live(
    question: Question,
    *,
    n_folds: int,
    seeds: Sequence[int],
    penalty: float,
    permutations: int,
    level: float,
    scale: bool,
    progress: Progress,
    facts: dict[str, Any],
) -> ProbeReport:
    """Train, score, test and report. facts: the report's fields that do not depend on the protocol."""
    n_clips, n_recordings = len(question.labels), len(question.recording_names)
    if n_clips > MOST_CLIPS:
        raise ProbeError(
            "The live probe takes up to {most} clips, and these are {n}. Use the published protocol.",
            code="probing.too_many",
            most=MOST_CLIPS,
            n=n_clips,
        )
    n_folds = min(n_folds, n_recordings)
    folds = np.stack([_fold_of(question, n_folds, seed) for seed in seeds])
    layers, names = list(question.layers.values()), tuple(question.layers)
    seconds: dict[str, float] = {}
    lap = _laps(seconds)
    logits, smoothers, choices = [], [], []
    for done, fold_of in enumerate(folds):
        progress(done, len(folds), "probing")
        every, inner, smoother = [], [], []
        for part in solve(layers, question.labels, fold_of, penalty, scale=scale):
            every.append(part.logits)
            inner.append(part.inner())
            if permutations:
                smoother.append(part.smoother())
        every = np.concatenate(every)
        choice = choose(np.concatenate(inner, axis=1))
        headline = every[choice[fold_of], np.arange(len(question.tags)), np.arange(n_clips)[:, None]].T
        logits.append(np.concatenate([headline[None], every]))
        if permutations:
            smoothers.append(np.concatenate(smoother))
        choices.append(choice)
    scores = 0.5 * (1 + np.tanh(0.5 * np.stack(logits)))
    lap("probe")
    fixed, deviation = measure(scores, question.labels, question.recordings)
    estimates = {name: estimate.trained_again(n_folds) for name, estimate in fixed.items()}
    lap("intervals")
    p_values = None
    if permutations:
        rng = np.random.default_rng(seeds[0])
        p_values = refit_test(smoothers, question.labels, question.recordings, permutations, rng, progress)
        lap("permutations")
    counts = np.apply_along_axis(np.bincount, 0, np.concatenate(choices), minlength=len(names))
    shared = (estimates, p_values, question.labels)
    return ProbeReport(
        protocol="live",
        layer_names=names,
        tags=tag_reports(
            *shared, question.recordings, question.tags, names, [names[i] for i in counts.argmax(0)], level
        ),
        macro=macro_report(*shared, names, names[int(counts.sum(1).argmax())], level),
        labels=question.labels,
        recordings=np.array(question.recording_names)[question.recordings],
        scores=scores[:, 0].mean(0).T,
        folds=folds,
        n_clips=n_clips,
        n_recordings=n_recordings,
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


def _fold_of(question: Question, n_folds: int, seed: int) -> np.ndarray:
    from mirdemo.scoring.folds import recording_folds

    fold_of = np.empty(len(question.labels), dtype=int)
    for fold, (_, test) in enumerate(recording_folds(question.recordings, question.labels, n_folds, seed)):
        fold_of[test] = fold
    return fold_of


def _laps(seconds: dict[str, float]) -> Callable[[str], None]:
    last = time.perf_counter()

    def lap(phase: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[phase] = now - last
        last = now

    return lap
