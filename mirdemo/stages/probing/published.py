"""The published protocol (Papaioannou et al. 2025, arXiv 2506.17055), as far as it is known.

Known: an MLP on frozen representations, layers averaged, binary cross-entropy, five seeds; macro ROC-AUC and mAP,
micro- and macro-F1 at 0.5; the scores of a recording's windows are averaged. Not known, and ours: the settings
(``MlpSettings``: MARBLE's where it has them), windows as the backbone cuts them, each trained with its clip's tags, the
last layer where layers differ in size, a recording having a tag if any of its clips has, early stopping on macro
ROC-AUC of validation recordings, and, where no split is given, about three fifths, one fifth and one fifth of the
recordings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.scoring.permutation import fixed_test
from mirdemo.stages.probing.errors import ProbeError
from mirdemo.stages.probing.figures import by_seed, macro_report, measure, tag_reports
from mirdemo.stages.probing.inputs import MEAN, Question
from mirdemo.stages.probing.report import ProbeReport
from mirdemo.stages.probing.settings import MlpSettings
from mirdemo.stages.probing.sides import check_validation, parted, recording_labels, recording_means


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

    from mirdemo.stages.probing.mlp import train

    start = time.perf_counter()
    held = question.labelling
    sides = parted(held.recordings, held.recording_names, held.labels, split, held.groups)
    layer, own = _layer(question, settings)
    rows, clip_of = _rows(embeddings, own, learned=settings.layer_weights == "learned")
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    windows = {name: np.flatnonzero(np.isin(clip_of, clips)) for name, clips in sides.items()}
    if settings.standardise:
        taught = rows[windows["train"]]
        deviation = taught.std(0)
        rows = (rows - taught.mean(0)) / np.where(deviation > 0, deviation, 1)
    side_rows = {name: torch.from_numpy(rows[index]).to(place) for name, index in windows.items()}
    recording_of = {name: question.recordings[clip_of[index]] for name, index in windows.items()}
    truth = {
        name: recording_labels(question.labels[clips], question.recordings[clips])
        for name, clips in sides.items()
    }
    check_validation(truth["valid"])

    def validate(model: Any) -> np.ndarray:
        return macro(
            roc_auc(
                truth["valid"].T, recording_means(model.scores(side_rows["valid"]), recording_of["valid"])
            )
        )

    targets = torch.from_numpy(question.labels[clip_of[windows["train"]]].astype(np.float32)).to(place)
    model = train(side_rows["train"], targets, seeds, settings, validate, progress)
    scores = recording_means(model.scores(side_rows["test"]), recording_of["test"])  # (s, t, n)
    seconds = {"train": time.perf_counter() - start}
    tested = np.unique(question.recordings[sides["test"]])
    estimates, deviation = measure(np.stack([scores, scores], 1), truth["test"], tested)
    seconds["intervals"] = time.perf_counter() - start - sum(seconds.values())
    p_values = None
    if permutations:
        rng = np.random.default_rng(seeds[0])
        whole = np.arange(len(tested))
        group_of = np.zeros(len(held.recording_names), int)
        group_of[held.recordings] = held.groups
        groups = np.unique(group_of[tested], return_inverse=True)[1]
        p_values = fixed_test(scores[:, None], truth["test"], whole, permutations, rng, progress, groups)
        seconds["permutations"] = time.perf_counter() - start - sum(seconds.values())
    shares = model.layer_shares()
    n_tags = len(question.tags)
    return ProbeReport(
        protocol="papaioannou2025",
        layer_names=(layer,),
        tags=tag_reports(
            estimates, p_values, truth["test"], tested, question.tags, (layer,), [layer] * n_tags, level
        ),
        macro=macro_report(estimates, p_values, truth["test"], (layer,), layer, level),
        labels=truth["test"],
        recordings=np.array(question.recording_names)[tested],
        scores=scores.mean(0).T,
        folds=None,
        n_clips=sum(len(clips) for clips in sides.values()),
        n_recordings=sum(len(table) for table in truth.values()),
        n_folds=None,
        seeds=tuple(seeds),
        seed_deviation=deviation,
        permutations=permutations,
        level=level,
        settings={
            "method": "MLP",
            **asdict(settings),
            "epochs_trained": model.epochs,
            "validation_roc_auc": model.best,
            "recordings": {name: len(table) for name, table in truth.items()},
            "layer_shares": None if shares is None else dict(zip(own, shares.mean(0).tolist(), strict=True)),
        },
        seconds=seconds,
        device=torch.cuda.get_device_name(place) if place.type == "cuda" else str(place),
        warnings=question.warnings,
        estimates=estimates,
        by_seed=by_seed(scores, truth["test"], tested, seeds, level) if len(seeds) > 1 else {},
        **{**facts, "versions": {**facts["versions"], "torch": version("torch")}},
    )


def _layer(question: Question, settings: MlpSettings) -> tuple[str, tuple[str, ...]]:
    """What the report calls the layer, and the backbone's own layers behind it. Layers that differ in size have no
    mean: the last one is taken.
    """
    if settings.layer_weights not in ("mean", "learned"):
        raise ProbeError(
            "Layer weights are mean or learned, not {given}.",
            code="probing.layer_weights",
            given=settings.layer_weights,
        )
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
    return np.mean(stacked, axis=0, dtype=np.float32), clip_of
