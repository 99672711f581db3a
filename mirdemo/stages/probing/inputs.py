"""What comes in, looked over: layers, labels, recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.stages.probing.errors import ProbeError

MEAN = "mean"


@dataclass(frozen=True, eq=False)
class Question:
    """One set of labelled, embedded clips.

    layers: layer name -> (n_clips, size), finite; labels: uint8 (n_clips, n_tags); tags: (n_tags,)
    recordings: int (n_clips,), numbered in the order of ``recording_names``
    """

    layers: Mapping[str, np.ndarray]
    labels: np.ndarray
    tags: tuple[str, ...]
    recordings: np.ndarray
    recording_names: tuple[str, ...]
    warnings: tuple[Sentence, ...]


def ask(
    embeddings: Any,
    labels: np.ndarray,
    recordings: Sequence[str] | np.ndarray,
    tags: Sequence[str] | None,
    layers: Sequence[str] | None,
) -> Question:
    """Check everything and pick the layers.

    embeddings: an ``Embeddings`` or a mapping layer name -> (n_clips, size)
    layers: names to use; None: all, and their mean where all have one size. Raises ProbeError.
    """
    truth, names = _labels(labels, tags)
    codes, recording_names = _recordings(recordings, len(truth))
    chosen = {name: _rows(embeddings, name, len(truth)) for name in _layer_names(embeddings, layers)}
    warnings = [
        Sentence(
            "Every clip of a tag says the same: {tag} cannot be probed. Add clips with it and without it.",
            "probing.one_sided",
            {"tag": tag},
        )
        for tag, column in zip(names, truth.T, strict=True)
        if column.min() == column.max()
    ]
    if all(np.ptp(rows, axis=0).max(initial=0) == 0 for rows in chosen.values()):
        warnings.append(
            Sentence("All clips have the same embedding: nothing can be told apart.", "probing.constant")
        )
    return Question(chosen, truth, names, codes, recording_names, tuple(warnings))


def _labels(labels: np.ndarray, tags: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    truth = np.asarray(labels)
    if truth.ndim != 2 or truth.shape[1] == 0:
        raise ProbeError(
            "No clip has a tag. Give at least one tag to some of the clips.", code="probing.no_tags"
        )
    if not np.isin(truth, (0, 1)).all():
        raise ProbeError("Labels must be 0 or 1 for each clip and tag.", code="probing.not_binary")
    names = tuple(tags) if tags is not None else tuple(str(i) for i in range(truth.shape[1]))
    if len(names) != truth.shape[1] or len(set(names)) != len(names):
        raise ProbeError(
            "There are {columns} columns of labels and {names} different tags. Name each column once.",
            code="probing.tags_differ",
            columns=truth.shape[1],
            names=len(set(names)),
        )
    return truth.astype(np.uint8), names


def _recordings(recordings: Sequence[str] | np.ndarray, n_clips: int) -> tuple[np.ndarray, tuple[str, ...]]:
    given = np.array([str(name) for name in recordings])
    if len(given) != n_clips:
        raise ProbeError(
            "There are {labels} rows of labels and {recordings} recordings. Give each clip one of both.",
            code="probing.counts_differ",
            labels=n_clips,
            recordings=len(given),
        )
    names, codes = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ProbeError(
            "Probing needs clips from at least two recordings, and there is {n}. Add clips from other recordings.",
            code="probing.one_recording",
            n=len(names),
        )
    return codes, tuple(str(name) for name in names)


def _layer_names(embeddings: Any, layers: Sequence[str] | None) -> tuple[str, ...]:
    own = tuple(getattr(embeddings, "layers", embeddings))
    sizes = {np.shape(_matrix(embeddings, name))[-1] for name in own}
    possible = (*own, MEAN) if MEAN not in own and len(own) > 1 and len(sizes) == 1 else own
    if layers is None:
        layers = possible
    unknown = [name for name in layers if name not in possible]
    if unknown or not layers or len(set(layers)) < len(layers):
        raise ProbeError(
            "{layers} cannot be probed. Choose from these layers, each once: {names}.",
            code="probing.no_layer",
            layers=", ".join(unknown or layers) or "–",
            names=", ".join(possible),
        )
    return tuple(layers)


def _matrix(embeddings: Any, name: str) -> np.ndarray:
    layers = getattr(embeddings, "layers", embeddings)
    if name in layers:
        return np.asarray(layers[name])
    return np.mean([np.asarray(layers[other]) for other in layers], axis=0)


def _rows(embeddings: Any, name: str, n_clips: int) -> np.ndarray:
    rows = _matrix(embeddings, name)
    if rows.ndim != 2 or len(rows) != n_clips or rows.shape[1] == 0:
        raise ProbeError(
            "Layer {layer} has {rows} rows, but {clips} clips have labels. Embed the same clips that have labels.",
            code="probing.rows_differ",
            layer=name,
            rows=len(rows) if rows.ndim else 0,
            clips=n_clips,
        )
    broken = ~np.isfinite(rows).all(1)
    if broken.any():
        raise ProbeError(
            "The embedding of {n} clips is not a number in layer {layer}. Embed them again, or leave them out.",
            code="probing.not_finite",
            n=int(broken.sum()),
            layer=name,
        )
    return rows
