"""What comes in, looked over: layers and what the clips hold; labels and recordings by ``Labelling``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.base.sentences import Sentence
from mirdemo.scoring.labelling import Labelling
from mirdemo.stages.probing.errors import ProbeError

MEAN = "mean"


@dataclass(frozen=True, eq=False)
class Question:
    """One set of labelled, embedded clips.

    layers: layer name -> (n_clips, size), finite
    keys: (n_clips,) what each clip holds, as text; from it come the folds
    """

    layers: Mapping[str, np.ndarray]
    labelling: Labelling
    keys: tuple[str, ...]
    warnings: tuple[Sentence, ...]

    @property
    def labels(self) -> np.ndarray:
        """uint8 (n_clips, n_tags)"""
        return self.labelling.labels

    @property
    def tags(self) -> tuple[str, ...]:
        return self.labelling.tags

    @property
    def recordings(self) -> np.ndarray:
        """int (n_clips,), numbered in the order of ``recording_names``"""
        return self.labelling.recordings

    @property
    def recording_names(self) -> tuple[str, ...]:
        return self.labelling.recording_names


def ask(
    embeddings: Any,
    labels: np.ndarray,
    recordings: Sequence[str] | np.ndarray,
    tags: Sequence[str] | None,
    layers: Sequence[str] | None,
    groups: Sequence[str] | np.ndarray | None = None,
    keys: Sequence[str] | None = None,
) -> Question:
    """Check everything and pick the layers.

    embeddings: an ``Embeddings`` or a mapping layer name -> (n_clips, size)
    layers: names to use; None: all, and their mean where all have one size
    keys: what each clip holds; None: ``contents`` of the embeddings. Raises LabellingError or ProbeError.
    """
    labelling = Labelling.of(labels, recordings, tags, groups)
    if len(labelling.group_names) < 2:
        raise ProbeError(
            "Probing needs clips from at least two recordings, and there is {n}. Add clips from other recordings (if "
            "sessions or performers are given: from other ones).",
            code="probing.one_recording",
            n=len(labelling.group_names),
        )
    chosen = {name: _rows(embeddings, name, len(labelling)) for name in _layer_names(embeddings, layers)}
    warnings = [
        Sentence(
            "Every clip of a tag says the same: {tag} cannot be probed. Add clips with it and without it.",
            "probing.one_sided",
            {"tag": tag},
        )
        for tag in labelling.one_sided
    ]
    if all(np.ptp(rows, axis=0).max(initial=0) == 0 for rows in chosen.values()):
        warnings.append(
            Sentence("All clips have the same embedding: nothing can be told apart.", "probing.constant")
        )
    held = contents(embeddings) if keys is None else tuple(map(str, keys))
    if len(held) != len(labelling):
        raise ProbeError(
            "There are {clips} clips and {keys} contents of clips. Give one for each clip.",
            code="probing.keys_differ",
            clips=len(labelling),
            keys=len(held),
        )
    return Question(chosen, labelling, held, tuple(warnings))


def contents(embeddings: Any) -> tuple[str, ...]:
    """What each clip holds: the SHA-256 of its sound where the embeddings know it, else of its rows."""
    known = getattr(embeddings, "clip_ids", None)
    if known is not None:
        return tuple(known)
    rows = [np.asarray(of) for of in getattr(embeddings, "layers", embeddings).values()]
    if not rows or len({of.shape[:1] for of in rows}) > 1 or rows[0].ndim == 0:
        return ()  # refused later, with the layer's name
    return tuple(
        hashlib.sha256(b"".join(np.ascontiguousarray(of[i]).tobytes() for of in rows)).hexdigest()
        for i in range(len(rows[0]))
    )


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
