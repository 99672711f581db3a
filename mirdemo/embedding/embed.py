"""Clips x backbone -> embeddings: exact windows, batches, every layer pooled, nothing large kept.

A ladder of small steps, each usable alone: ``windows`` (where to cut), ``cut`` (the waves), ``embed`` (everything).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mirdemo.base import threads
from mirdemo.base.progress import Progress, silent
from mirdemo.base.sentences import MirdemoError
from mirdemo.embedding.store import ClipEmbedding, Store

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone, BackboneSpec, Identity, Layer
    from mirdemo.sound.audio import Clip

#: Seconds of sound in one batch where the caller does not choose. One window fills a CPU; more only costs memory, as
#: the convolutions of a MERT take a quarter of a gigabyte a window (benchmarks/embedding_speed.py, _memory.py). A GPU
#: wants more at once.
CPU_BATCH_SECONDS = 5.0
GPU_BATCH_SECONDS = 160.0


class EmbeddingError(MirdemoError):
    """Clips cannot be embedded, or an embedding cannot be read as asked. One sentence."""


def windows(n_samples: int, rate: int, spec: BackboneSpec) -> list[tuple[int, int]]:
    """Where to cut ``n_samples`` at ``rate`` Hz into the backbone's exact windows.

    Returns (start, stop) in samples, at least one. Windows follow each other without overlap; the last one is
    shifted back so that it too is whole. Less than a window is one window of its own length: nothing is padded,
    because padding moves the states of networks that normalise over time. Raises ValueError for no samples.
    """
    if n_samples < 1:
        raise ValueError("a clip needs at least one sample")
    length = round(spec.window_seconds * rate)
    if n_samples <= length:
        return [(0, n_samples)]
    starts = [*range(0, n_samples - length, length), n_samples - length]
    return [(start, start + length) for start in starts]


def cut(wave: np.ndarray, spec: BackboneSpec) -> tuple[np.ndarray, list[np.ndarray]]:
    """The windows of a wave at the backbone's rate.

    wave: float32 (n,) at ``spec.sample_rate``, n >= 1
    Returns the windows' starts in seconds, float64 (n_windows,), and their waves, each float32. A wave shorter than
    ``spec.min_samples`` is repeated up to that length, the least the backbone can take.
    """
    places = windows(len(wave), spec.sample_rate, spec)
    if len(wave) < spec.min_samples:
        return np.zeros(1), [np.resize(wave, spec.min_samples)]
    starts = np.array([start for start, _ in places], dtype=np.float64) / spec.sample_rate
    return starts, [wave[start:stop] for start, stop in places]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Embeddings of clips, in the order the clips were given.

    identity: exactly which backbone made them
    layer_names: from input to output
    layers: layer name -> float32 (n_clips, size), the mean over a clip's windows (whitened: that mean, whitened)
    clip_ids: the clips' SHA-256 (n_clips,)
    per_clip: the rows of each clip's windows (n_clips,)
    """

    identity: Identity
    layer_names: tuple[str, ...]
    layers: Mapping[str, np.ndarray]
    clip_ids: tuple[str, ...]
    per_clip: tuple[ClipEmbedding, ...] = field(repr=False)

    @classmethod
    def of(
        cls,
        identity: Identity,
        sizes: Mapping[str, int],
        clip_ids: Sequence[str],
        per_clip: Sequence[ClipEmbedding],
    ) -> Embeddings:
        """From the windows' rows. sizes: layer name -> size, in order (needed where there is no clip)."""
        layers = {}
        for name, size in sizes.items():
            matrix = np.empty((len(per_clip), size), dtype=np.float32)
            for row, entry in zip(matrix, per_clip, strict=True):
                row[:] = entry.layers[name].mean(axis=0, dtype=np.float64)
            layers[name] = matrix
        return cls(identity, tuple(sizes), layers, tuple(clip_ids), tuple(per_clip))

    def __len__(self) -> int:
        return len(self.clip_ids)

    @property
    def window_seconds(self) -> float:
        """Length of a window; a clip that is shorter has one window of its own length."""
        return self.identity.window_seconds

    def windows(self, i: int) -> Mapping[str, np.ndarray]:
        """Clip i: layer name -> float32 (n_windows, size)."""
        return self.per_clip[i].layers

    def window_starts(self, i: int) -> np.ndarray:
        """Clip i: where its windows begin, in seconds, float64 (n_windows,)."""
        return self.per_clip[i].starts

    def select(self, indices: Sequence[int] | np.ndarray) -> Embeddings:
        """These clips only, in this order (an index may come twice)."""
        chosen = [int(i) for i in indices]
        return Embeddings(
            self.identity,
            self.layer_names,
            {name: matrix[chosen] for name, matrix in self.layers.items()},
            tuple(self.clip_ids[i] for i in chosen),
            tuple(self.per_clip[i] for i in chosen),
        )

    def matrix(self, layer: str) -> np.ndarray:
        """One layer, float32 (n_clips, size); ``"mean"`` is the mean over all layers, where their sizes are equal.

        Raises EmbeddingError for a layer that the backbone does not have.
        """
        if layer in self.layers:
            return self.layers[layer]
        if layer != "mean":
            raise EmbeddingError(
                "{backbone} has no layer named {layer}. Choose one of: {names}.",
                code="embedding.no_layer",
                backbone=self.identity.name,
                layer=layer,
                names=", ".join(self.layer_names),
            )
        matrices = list(self.layers.values())
        if len({matrix.shape[1] for matrix in matrices}) != 1:
            raise EmbeddingError(
                "The layers of {backbone} differ in size and have no mean. Choose one of: {names}.",
                code="embedding.no_mean",
                backbone=self.identity.name,
                names=", ".join(self.layer_names),
            )
        return np.asarray(np.mean(matrices, axis=0, dtype=np.float64), np.float32)


def embed(
    clips: Sequence[Clip],
    backbone: Backbone,
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    batch_size: int | None = None,
) -> Embeddings:
    """Embed clips: windows of equal length go through the backbone together, whatever clip they belong to.

    store: looked up first; only what it lacks is computed, and each clip is kept as soon as it is complete
    progress: called as ``progress(windows done, windows in all, "embedding")`` before and after each batch; a
        ``Cancelled`` that it raises passes, and complete clips stay in the store
    batch_size: windows at once; chosen for the device if None, and halved where a GPU runs out of memory

    Returns float32 rows in the order of ``clips``. A row does not depend on the clips beside it (1e-5 in float32).
    Memory stays bounded by one clip's wave and one batch's states, those of up to eight windows where a backbone gains
    more from windows side by side than from threads within one (``window_threads``). It computes in as many threads as
    the caller has (``torch.get_num_threads()``); torch's thread settings are left as they were.
    Raises EmbeddingError if the backbone gives values that are not finite or one window does not fit in memory.
    """
    spec, identity = backbone.spec, backbone.identity
    run = _Run(backbone, progress or silent, batch_size or _batch_size(backbone))

    entries: dict[str, ClipEmbedding] = {}
    missing: dict[str, Clip] = {}
    for clip in clips:
        if clip.sha256 in entries or clip.sha256 in missing:
            continue
        known = store.get(identity, clip.sha256) if store is not None else None
        if known is None:
            missing[clip.sha256] = clip
        else:
            entries[clip.sha256] = known
            run.done += len(known.starts)
    run.total = run.done + sum(_expected_windows(clip, spec) for clip in missing.values())
    run.report()

    # Clips of one length beside each other, so that windows shorter than a whole one meet their equals too.
    for clip, entry in run.embed_all(sorted(missing.values(), key=lambda clip: clip.seconds)):
        entries[clip.sha256] = entry
        if store is not None:
            store.put(identity, clip.sha256, entry)

    ids = [clip.sha256 for clip in clips]
    sizes = {layer.name: layer.size for layer in spec.layers}
    return Embeddings.of(identity, sizes, ids, [entries[clip_id] for clip_id in ids])


def _batch_size(backbone: Backbone) -> int:
    seconds = CPU_BATCH_SECONDS if backbone.device.type == "cpu" else GPU_BATCH_SECONDS
    return max(1, int(seconds / backbone.spec.window_seconds))


def _expected_windows(clip: Clip, spec: BackboneSpec) -> int:
    """How many windows the clip will have at the backbone's rate, without resampling it yet."""
    resampled = math.ceil(len(clip.samples) * spec.sample_rate / clip.sample_rate)
    return len(windows(resampled, spec.sample_rate, spec))


class _Clip:
    """One clip under way: rows arrive window by window.

    They are copied to where they stay: small arrays kept from among the large ones of every batch would leave
    the heap in pieces that cannot be used again (700 MB over the 120 windows of ten minutes).
    """

    def __init__(self, clip: Clip, starts: np.ndarray, layers: Sequence[Layer]) -> None:
        self.clip = clip
        self.entry = ClipEmbedding(
            starts, {layer.name: np.empty((len(starts), layer.size), np.float32) for layer in layers}
        )
        self.missing = len(starts)

    def take(self, index: int, rows: Sequence[np.ndarray]) -> None:
        """The rows of window ``index``, one a layer."""
        for kept, row in zip(self.entry.layers.values(), rows, strict=True):
            kept[index] = row
        self.missing -= 1


#: A window under way: its clip, which of the clip's windows it is, and its wave.
_Part = tuple[_Clip, int, np.ndarray]
#: Windows that went through the backbone together, and what it made of them: one float32 (batch, size) array a layer.
_Made = tuple[list[_Part], list[np.ndarray]]


class _Run:
    """One call of ``embed``: its batch, its counts."""

    def __init__(self, backbone: Backbone, progress: Progress, batch_size: int) -> None:
        self.backbone = backbone
        self.progress = progress
        self.batch_size = batch_size
        self.done = 0
        self.total = 0

    def report(self) -> None:
        self.progress(self.done, self.total, "embedding")

    def embed_all(self, clips: Sequence[Clip]) -> Iterator[tuple[Clip, ClipEmbedding]]:
        """Each clip with its entry, as soon as it is complete, in the order given."""
        with closing(self._computed(self._batches(clips))) as computed:
            for part, rows in computed:
                for k, (under_way, index, _) in enumerate(part):
                    under_way.take(index, [layer[k] for layer in rows])
                self.done += len(part)
                yield from (
                    (item.clip, item.entry) for item in dict.fromkeys(p[0] for p in part) if not item.missing
                )
                self.report()

    def _batches(self, clips: Sequence[Clip]) -> Iterator[list[_Part]]:
        """Windows of one length, at most a batch of them."""
        spec = self.backbone.spec
        batch: list[_Part] = []
        for clip in clips:
            starts, waves = cut(clip.at(spec.sample_rate), spec)
            under_way = _Clip(clip, starts, spec.layers)
            for index, wave in enumerate(waves):
                if batch and len(batch[0][2]) != len(wave):
                    yield batch
                    batch = []
                # A copy, so that the batch does not keep the whole clip's wave alive.
                batch.append((under_way, index, wave.copy()))
                if len(batch) >= self.batch_size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _computed(self, batches: Iterator[list[_Part]]) -> Iterator[_Made]:
        """Batches with their rows, in the same order: computed side by side where the backbone gains from it, and
        while the next ones are resampled. One batch is under way for each lane, and one more waits."""
        lanes = self._lanes()
        if lanes == 0:
            for batch in batches:
                yield from self._forward(batch)
            return
        with ThreadPoolExecutor(lanes, thread_name_prefix="mirdemo-lane") as pool:
            under_way: deque[Future[list[_Made]]] = deque()
            try:
                for batch in batches:
                    under_way.append(pool.submit(lambda batch: list(self._forward(batch)), batch))
                    if len(under_way) > lanes:
                        yield from under_way.popleft().result()
                while under_way:
                    yield from under_way.popleft().result()
            finally:  # stopped, or one of them failed: what has not begun never does
                pool.shutdown(wait=False, cancel_futures=True)

    def _lanes(self) -> int:
        """Threads beside the caller's that forward passes run in. 0: they run in the caller's own, as a single window
        may, and a network that takes every core anyway."""
        left = self.total - self.done
        if left < 2:
            return 0
        if self.backbone.device.type == "cuda":
            return 1
        lanes = min(left, threads.lanes(self.backbone.window_threads))
        return lanes if lanes > 1 else 0

    def _forward(self, batch: list[_Part]) -> Iterator[_Made]:
        """A batch's rows, in several parts if the GPU ran out of memory for the whole."""
        while batch:
            part = batch[: self.batch_size]
            rows = self._rows(part)
            if rows is not None:  # else the batch size is halved: try again
                batch = batch[len(part) :]
                yield part, rows

    def _rows(self, part: list[_Part]) -> list[np.ndarray] | None:
        """One float32 (batch, size) array a layer; None if the GPU ran out of memory and less may fit."""
        import torch

        waves = torch.from_numpy(np.stack([wave for _, _, wave in part]))
        try:
            with torch.inference_mode(), self.backbone.computing():
                pooled = self.backbone.pool(self.backbone.hidden_states(waves))
                rows = [layer.float().cpu().numpy() for layer in pooled]
        except torch.OutOfMemoryError as error:
            if len(part) == 1:
                raise EmbeddingError(
                    "One window of {backbone} does not fit in the device's memory. Choose a smaller backbone or the CPU.",
                    code="embedding.memory",
                    backbone=self.backbone.identity.name,
                ) from error
            rows = None
        if rows is None:  # outside the handler, whose traceback still holds the states
            self.batch_size = max(1, len(part) // 2)
            torch.cuda.empty_cache()
            return None
        for k, (under_way, _, _) in enumerate(part):
            if not all(np.isfinite(layer[k]).all() for layer in rows):
                raise EmbeddingError(
                    "{backbone} gave values that are not finite for {name} in {dtype}. Leave the clip out or choose float32.",
                    code="embedding.not_finite",
                    backbone=self.backbone.identity.name,
                    name=under_way.clip.name,
                    dtype=self.backbone.identity.dtype,
                )
        return rows
