"""The published probe: the head alone, on frozen representations, once for each seed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.scoring.permutation import PValues, fixed_test
from mirdemo.stages.probing.figures import by_seed, macro_report, measure, tag_reports
from mirdemo.stages.probing.inputs import MEAN, Question
from mirdemo.stages.probing.report import ProbeReport
from mirdemo.stages.probing.settings import MlpSettings
from mirdemo.stages.published.sides import Sides

if TYPE_CHECKING:
    import torch


def probe_published(
    embeddings: Any,
    question: Question,
    *,
    split: Mapping[str, Sequence[Any]] | None,
    seeds: Sequence[int],
    settings: MlpSettings,
    permutations: int,
    level: float,
    device: str,
    progress: Progress,
    facts: dict[str, Any],
) -> ProbeReport:
    """Train on ``train``, stop by ``valid``, report on ``test``. facts: fields that do not depend on the protocol."""
    import torch

    start = time.perf_counter()
    layer, own = _layer(question, settings)
    rows, clip_of = _rows(embeddings, own, learned=settings.layer_weights == "learned")
    sides = Sides.of(question.labelling, clip_of, split)
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    scores, trained = _scores(rows, question.labels[clip_of], sides, seeds, settings, place, progress)
    seconds = {"train": time.perf_counter() - start}
    truth, tested, tags = sides.truth["test"], sides.tested, question.tags
    estimates, deviation = measure(np.stack([scores, scores], 1), truth, tested)
    seconds["intervals"] = time.perf_counter() - start - sum(seconds.values())
    p_values = None
    if permutations:
        p_values = _permuted(scores, sides, question, permutations, seeds[0], progress)
        seconds["permutations"] = time.perf_counter() - start - sum(seconds.values())
    shares = trained.pop("layer_shares")
    return ProbeReport(
        protocol="papaioannou2025",
        layer_names=(layer,),
        tags=tag_reports(estimates, p_values, truth, tested, tags, (layer,), [layer] * len(tags), level),
        macro=macro_report(estimates, p_values, truth, (layer,), layer, level),
        labels=truth,
        recordings=np.array(question.recording_names)[tested],
        scores=scores.mean(0).T,
        folds=None,
        n_clips=sum(len(clips) for clips in sides.clips.values()),
        n_recordings=sum(len(table) for table in sides.truth.values()),
        n_folds=None,
        seeds=tuple(seeds),
        seed_deviation=deviation,
        permutations=permutations,
        level=level,
        settings={
            "method": "MLP",
            **asdict(settings),
            **trained,
            "recordings": {name: len(table) for name, table in sides.truth.items()},
            "layer_shares": None if shares is None else dict(zip(own, shares.tolist(), strict=True)),
        },
        seconds=seconds,
        device=torch.cuda.get_device_name(place) if place.type == "cuda" else str(place),
        warnings=question.warnings,
        estimates=estimates,
        by_seed=by_seed(scores, truth, tested, seeds, level) if len(seeds) > 1 else {},
        **{**facts, "versions": {**facts["versions"], "torch": version("torch")}},
    )


def _scores(
    rows: np.ndarray,
    labels: np.ndarray,
    sides: Sides,
    seeds: Sequence[int],
    settings: MlpSettings,
    device: torch.device,
    progress: Progress,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Of the test recordings: 0..1 (n_seeds, n_tags, n_test); and what is to be told of the training.

    rows: of windows, as ``_rows`` gives them; labels: 0/1 (n_windows, n_tags)
    """
    import torch

    from mirdemo.stages.published import mlp

    if settings.standardise:
        taught = rows[sides.windows["train"]]
        deviation = taught.std(0)
        rows = (rows - taught.mean(0)) / np.where(deviation > 0, deviation, 1)
    of = {side: torch.from_numpy(rows[index]).to(device) for side, index in sides.windows.items()}
    targets = torch.from_numpy(labels[sides.windows["train"]].astype(np.float32)).to(device)
    mlps, courses = mlp.train(
        of["train"],
        targets,
        seeds,
        settings,
        settings.rate,
        settings.batch,
        lambda some: sides.validation(mlp.scores(some, of["valid"])),
        progress,
    )
    shares = [one.layer_shares for one in mlps if one.layer_shares is not None]
    return sides.means("test", mlp.scores(mlps, of["test"])), {
        "epochs_trained": [course.epochs for course in courses],
        "validation_roc_auc": [course.best for course in courses],
        "layer_shares": np.mean(shares, axis=0) if shares else None,
    }


def _permuted(
    scores: np.ndarray, sides: Sides, question: Question, permutations: int, seed: int, progress: Progress
) -> PValues:
    """The permutation test on the test recordings, groups of them kept whole."""
    held, tested = question.labelling, sides.tested
    group_of = np.zeros(len(held.recording_names), int)
    group_of[held.recordings] = held.groups
    groups = np.unique(group_of[tested], return_inverse=True)[1]
    rng, whole = np.random.default_rng(seed), np.arange(len(tested))
    return fixed_test(scores[:, None], sides.truth["test"], whole, permutations, rng, progress, groups)


def _layer(question: Question, settings: MlpSettings) -> tuple[str, tuple[str, ...]]:
    """What the report calls the layer, and the backbone's own layers behind it. Layers that differ in size have no
    mean: the last one is taken.
    """
    own = tuple(name for name in question.layers if name != MEAN) or (MEAN,)
    if len({question.layers[name].shape[1] for name in own}) > 1:
        own = own[-1:]
    if len(own) == 1:
        return own[0], own
    return (MEAN if settings.layer_weights == "mean" else "learned"), own


def _rows(embeddings: Any, own: Sequence[str], *, learned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Windows float32 (n_windows, d), or (n_windows, n_layers, d) for learned weights, and the clip of each.

    Embeddings without windows count each clip as one.
    """
    layers = getattr(embeddings, "layers", embeddings)
    windowed = hasattr(embeddings, "windows") and all(name in layers for name in own)
    if windowed:
        parts = [embeddings.windows(i) for i in range(len(embeddings))]
        clip_of = np.repeat(np.arange(len(parts)), [len(part[own[0]]) for part in parts])
        stacked = [np.concatenate([part[name] for part in parts]) for name in own]
    else:
        stacked = [np.asarray(layers[name] if name in layers else embeddings.matrix(name)) for name in own]
        clip_of = np.arange(len(stacked[0]))
    if learned and len(own) > 1:
        return np.stack(stacked, 1).astype(np.float32), clip_of
    return np.asarray(np.mean(stacked, axis=0, dtype=np.float32)), clip_of
