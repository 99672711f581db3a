"""Items of a corpus -> embeddings, a few clips in memory at a time.

Whole corpora do not fit in memory as sound, nor with every layer of every window. So clips are decoded, embedded and
dropped in batches, and of each clip only what the stage needs is kept: one layer, or the mean of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base.progress import Progress
from mirdemo.corpora.reader import Corpus
from mirdemo.embedding.embed import Embeddings, embed
from mirdemo.embedding.store import ClipEmbedding, EmbeddingStore
from mirdemo.evaluation.errors import EvaluationError
from mirdemo.evaluation.sounds import SoundMemory
from mirdemo.sound.audio import AudioError, Clip

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, BackboneSpec
    from mirdemo.base.sentences import Sentence
    from mirdemo.embedding.whitening import Whitening

MEAN = "mean"
#: Seconds of sound decoded before they are embedded together.
BATCH_SECONDS = 300.0


@dataclass(frozen=True, eq=False)
class CorpusEmbeddings:
    """embeddings: of the items that could be read; ids: theirs; unreadable: id -> why, of the others

    computed: how many clips went through the backbone now; the others were in the store
    strange: what to say where they were whitened here and are unlike the sound that the whitening was fitted on
    """

    embeddings: Embeddings
    ids: tuple[str, ...]
    unreadable: Mapping[str, str]
    computed: int
    strange: Sentence | None = None


def embed_corpus(
    corpus: Corpus,
    item_ids: Sequence[str],
    backbone: Backbone,
    *,
    store: EmbeddingStore,
    sounds: SoundMemory,
    layer: str | None,
    whitening: Whitening | None,
    progress: Progress,
) -> CorpusEmbeddings:
    """Embed these items, in their order.

    layer: the one to keep, ``"mean"`` for the mean over layers; None: all of them
    whitening: applied to each layer, before a mean
    progress: told (items done, items in all, ``"embedding"``)
    """
    entries: dict[str, tuple[str, ClipEmbedding]] = {}
    unreadable: dict[str, str] = {}
    pending: list[tuple[str, str, Clip]] = []
    reduce = _Reducer(backbone, layer, whitening)
    computed = 0

    def report() -> None:
        progress(len(entries) + len(unreadable), len(item_ids), "embedding")

    def flush() -> None:
        nonlocal computed
        clips = [clip for _, _, clip in pending]
        made = embed(clips, backbone, store=store, progress=lambda done, total, phase: report())
        computed += len(clips)
        sounds.put({key: clip.sha256 for _, key, clip in pending if not clip.incomplete})
        for (item_id, _, clip), entry in zip(pending, made.per_clip, strict=True):
            entries[item_id] = (clip.sha256, reduce(entry))
        pending.clear()

    def take(item_id: str, found: Clip | AudioError) -> None:
        if isinstance(found, AudioError):
            unreadable[item_id] = str(found)
            return
        key = corpus.sound_key(item_id) or item_id
        kept = store.get(backbone.identity, found.sha256)
        if kept is not None:  # embedded by another program, from another folder, or just before a kill
            sounds.put({key: found.sha256})
            entries[item_id] = (found.sha256, reduce(kept))
            report()
            return
        pending.append((item_id, key, found))
        if sum(clip.seconds for _, _, clip in pending) >= BATCH_SECONDS:
            flush()

    report()
    unheard: list[str] = []
    for item_id in item_ids:
        sha256 = sounds.get(corpus.sound_key(item_id) or item_id)
        kept = None if sha256 is None else store.get(backbone.identity, sha256)
        if sha256 is not None and kept is not None:
            entries[item_id] = (sha256, reduce(kept))
            report()
        else:
            unheard.append(item_id)
    corpus.read(unheard, take)
    if pending:
        flush()
    report()
    ids = tuple(item_id for item_id in item_ids if item_id in entries)
    chosen = [entries[item_id] for item_id in ids]
    sizes = (
        {layer: _size(backbone.spec, layer)} if layer else {la.name: la.size for la in backbone.spec.layers}
    )
    embeddings = Embeddings.of(
        backbone.identity, sizes, [sha for sha, _ in chosen], [entry for _, entry in chosen]
    )
    return CorpusEmbeddings(embeddings, ids, unreadable, computed, reduce.strange())


def usual_layer(spec: BackboneSpec, asked: str | None) -> str:
    """The layer asked for; else the mean over layers as published, where all have one size, else the backbone's usual one.

    Raises EvaluationError for a layer that the backbone does not have.
    """
    names = [layer.name for layer in spec.layers]
    one_size = len({layer.size for layer in spec.layers}) == 1
    if asked is None:
        return MEAN if one_size and len(names) > 1 else spec.first_layer
    if asked not in names and not (asked == MEAN and one_size):
        raise EvaluationError(
            "{backbone} has no layer named {layer}. Choose one of: {names}.",
            code="evaluation.no_layer",
            backbone=spec.title,
            layer=asked,
            names=", ".join([*names, MEAN] if one_size else names),
        )
    return asked


def _size(spec: BackboneSpec, layer: str) -> int:
    return next(found.size for found in spec.layers if layer in (found.name, MEAN))


class _Reducer:
    """A clip's rows -> whitened, and those of the layer that is kept; and how unlike the fit's sound they were."""

    def __init__(self, backbone: Backbone, layer: str | None, whitening: Whitening | None) -> None:
        self._identity, self._layer, self._whitening = backbone.identity, layer, whitening
        self._shares: dict[str, list[float]] = {}

    def __call__(self, entry: ClipEmbedding) -> ClipEmbedding:
        if self._layer is None:
            return replace(entry, layers={name: self._whitened(entry, name) for name in entry.layers})
        if self._layer == MEAN and MEAN not in entry.layers:
            rows = np.asarray(
                np.mean([self._whitened(entry, name) for name in entry.layers], axis=0, dtype=np.float32)
            )
        else:
            rows = np.array(self._whitened(entry, self._layer))  # a copy, so that the other layers can go
        return replace(entry, layers={self._layer: rows})

    def strange(self) -> Sentence | None:
        """What to say of the clips so far; each counts the same."""
        if self._whitening is None:
            return None
        return self._whitening.told({name: float(np.mean(of)) for name, of in self._shares.items()})

    def _whitened(self, entry: ClipEmbedding, name: str) -> np.ndarray:
        rows = entry.layers[name]
        if self._whitening is None:
            return rows
        whitened = self._whitening.matrix(name, rows, self._identity)
        self._shares.setdefault(name, []).append(self._whitening.layers[name].strange(rows))
        return whitened
