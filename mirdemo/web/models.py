"""Backbones in use on this page, and each visitor's embeddings.

Loaded backbones are shared by all visitors, for they hold nothing of anyone. Embeddings are the visitor's own and
stay in memory: the store on disk would outlive the visit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress, silent

if TYPE_CHECKING:
    from mirdemo.backbones import Backbone
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import ClipEmbedding
    from mirdemo.sound.audio import Clip

#: Backbones kept loaded; the one not used for longest goes first.
KEPT_LOADED = 2


class Shelf:
    """Loaded backbones, at most ``kept`` of them."""

    def __init__(self, kept: int = KEPT_LOADED) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Backbone] = OrderedDict()

    def take(self, name: str, progress: Progress) -> Backbone:
        """A backbone, loaded (and fetched) if need be. Raises BackboneError."""
        from mirdemo.backbones import load_backbone
        from mirdemo.web import gpu

        if name not in self._loaded:
            progress(0, 0, "loading")
        with self._lock:
            if name not in self._loaded:
                while len(self._loaded) >= self._kept:
                    self._loaded.popitem(last=False)
                device = "cpu" if gpu.ZERO else "auto"  # there the page's own process has no GPU
                self._loaded[name] = load_backbone(name, device=device, progress=progress)
            self._loaded.move_to_end(name)
            return self._loaded[name]


SHELF = Shelf()


def warm_up(name: str) -> None:
    """Load an embedded backbone in the background, so that it answers at once when it is wanted.

    Others are fetched only when asked for. Errors show up when the backbone is used.
    """
    if not spec(name).embedded:
        return

    def run() -> None:
        with suppress(Exception):
            SHELF.take(name, silent)

    threading.Thread(target=run, name="mirdemo-warm-up", daemon=True).start()


class Memory:
    """One visitor's embeddings: what ``embed`` takes as a store, in memory, bounded."""

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Identity, str], ClipEmbedding] = OrderedDict()

    def get(self, identity: Identity, clip_sha256: str) -> ClipEmbedding | None:
        with self._lock:
            entry = self._entries.get((identity, clip_sha256))
            if entry is not None:
                self._entries.move_to_end((identity, clip_sha256))
            return entry

    def put(self, identity: Identity, clip_sha256: str, entry: ClipEmbedding) -> bool:
        """Keep an entry, letting the oldest go. Returns whether it is kept."""
        with self._lock:
            if (identity, clip_sha256) in self._entries:
                return True
            self._entries[identity, clip_sha256] = entry
            self._bytes += _size(entry)
            while self._bytes > self._max:
                _, gone = self._entries.popitem(last=False)
                self._bytes -= _size(gone)
            return (identity, clip_sha256) in self._entries


def _size(entry: ClipEmbedding) -> int:
    return entry.starts.nbytes + sum(rows.nbytes for rows in entry.layers.values())


def embed_here(clips: Sequence[Clip], backbone: str, memory: Memory, progress: Progress) -> Embeddings:
    """Embed a visitor's clips with a backbone by its name; what ``memory`` has is not computed again.

    Raises BackboneError or EmbeddingError; ``progress`` may raise Cancelled.
    """
    from mirdemo.embedding.embed import embed

    return embed(clips, SHELF.take(backbone, progress), store=memory, progress=progress)
