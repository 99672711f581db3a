"""Backbones in use on this page, and each visitor's embeddings.

Loaded backbones are shared by all visitors, for they hold nothing of anyone. Embeddings are the visitor's own and
stay in memory: the store on disk would outlive the visit. Only the endpoints, which know no visitors, keep some rows
for a few minutes (``SUPPORT``).
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from mirdemo.backbones.registry import spec, status
from mirdemo.base.progress import Progress, silent
from mirdemo.embedding import pace
from mirdemo.embedding.pace import Pace, Spent, sound
from mirdemo.web.frame.errors import PageError

if TYPE_CHECKING:
    from mirdemo.backbones import Backbone
    from mirdemo.backbones.spec import Identity
    from mirdemo.embedding.embed import Embeddings
    from mirdemo.embedding.store import ClipEmbedding
    from mirdemo.embedding.whitening import Whitening
    from mirdemo.sound.audio import Clip

#: Backbones kept loaded; the one not used for longest goes first.
KEPT_LOADED = 2
Made = TypeVar("Made")
#: How long things take on this server.
PACE = Pace()
#: For how long, and in how much memory, rows of the endpoints' support clips are kept between two calls.
KEPT_SECONDS, KEPT_BYTES = 600.0, 64 * 2**20


class Shelf:
    """Loaded backbones, at most ``kept`` of them."""

    def __init__(self, kept: int = KEPT_LOADED) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._loaded: OrderedDict[tuple[str, bool], Backbone] = OrderedDict()
        self._loading: dict[tuple[str, bool], threading.Lock] = {}

    def take(self, name: str, progress: Progress, identity: Identity | None = None) -> Backbone:
        """A backbone, loaded (and fetched) if need be. Raises BackboneError.

        identity: what a tagger was made with; in eight bits, which only a processor computes, it is another network
        """
        from mirdemo.backbones import load_backbone
        from mirdemo.web.zero import ZERO

        again = identity.again() if identity is not None and identity.dtype == "int8" else {}
        wanted = name, bool(again)
        found = self._find(wanted)
        if found is not None:
            return found
        progress(0, 0, "loading")
        with self._lock:
            loading = self._loading.setdefault(wanted, threading.Lock())
        with loading:  # who wants another backbone does not wait for this one
            found = self._find(wanted)
            if found is None:
                device = "cpu" if ZERO or again else "auto"  # on ZeroGPU the page's own process has no GPU
                self._make_room()
                here, began = status(name).fetched, time.monotonic()
                found = load_backbone(name, device=device, progress=progress, **again)
                if here:  # else the line to the Hub was timed
                    PACE.learn(pace.loading(name), 1.0, time.monotonic() - began)
                with self._lock:
                    self._loaded[wanted] = found
                self._make_room(0)
        return found

    def holds(self, name: str) -> bool:
        """Whether a backbone of this name is loaded, as the page uses it."""
        with self._lock:
            return (name, False) in self._loaded

    def _find(self, wanted: tuple[str, bool]) -> Backbone | None:
        with self._lock:
            if wanted in self._loaded:
                self._loaded.move_to_end(wanted)
            return self._loaded.get(wanted)

    def _make_room(self, places: int = 1) -> None:
        with self._lock:
            while len(self._loaded) > self._kept - places:
                self._loaded.popitem(last=False)


SHELF = Shelf()


def whitening_of(backbone: str, identity: Identity) -> Whitening:
    """The whitening of a loaded backbone. Raises PageError where there is none of its version."""
    from mirdemo.embedding.whitening import whitening_for

    found = whitening_for(identity)
    if found is None:
        raise PageError(
            "There is no whitening for this version of {backbone} on this server. Do without it.",
            code="page.no_whitening",
            backbone=spec(backbone).title,
        )
    return found


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
    """One visitor's embeddings: what ``embed`` takes as a store, in memory, bounded.

    seconds: how long an entry that is not asked for stays; None: as long as there is room
    """

    def __init__(self, max_bytes: int = 256 * 2**20, seconds: float | None = None) -> None:
        self._max = max_bytes
        self._seconds = seconds
        self._bytes = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Identity, str], ClipEmbedding] = OrderedDict()
        self._asked: dict[tuple[Identity, str], float] = {}
        self._latest: dict[str, Identity] = {}
        self._spent = Spent()

    def spent(self, identity: Identity, sound: float, seconds: float) -> None:
        """Remember that embedding ``sound`` seconds of clips (``pace.sound``) took ``seconds``."""
        with self._lock:
            self._spent.add(identity, sound, seconds)

    def from_nothing(self, loaded: Backbone, clips: Sequence[Clip]) -> float:
        """Seconds that embedding these clips takes if nothing is there yet, in the mean of this visit; 0 where nothing was."""
        with self._lock:
            return self._spent.of(loaded.identity, sound(loaded.spec, clips))

    def lacking(self, backbone: str, clips: Sequence[Clip]) -> list[Clip]:
        """Those that the backbone of this name has not heard yet, as it was last used here."""
        with self._lock:
            identity = self._latest.get(backbone)
        return list(clips) if identity is None else [c for c in clips if self.get(identity, c.sha256) is None]

    def get(self, identity: Identity, clip_sha256: str) -> ClipEmbedding | None:
        key = identity, clip_sha256
        with self._lock:
            self._let_go()
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
                self._asked[key] = time.monotonic()
            return entry

    def put(self, identity: Identity, clip_sha256: str, entry: ClipEmbedding) -> bool:
        """Keep an entry, letting the oldest go. Returns whether it is kept."""
        key = identity, clip_sha256
        with self._lock:
            if key not in self._entries:
                self._bytes += _size(entry)
                self._entries[key] = entry
                self._latest[identity.name] = identity
                self._asked[key] = time.monotonic()
            self._let_go()
            return key in self._entries

    def tidy(self) -> None:
        """Let go what nobody has asked for in time."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        """The longest unasked first: those there is no room for, then those whose time is over."""
        oldest = -math.inf if self._seconds is None else time.monotonic() - self._seconds
        while self._entries:
            key = next(iter(self._entries))
            if self._bytes <= self._max and self._asked[key] >= oldest:
                return
            self._bytes -= _size(self._entries.pop(key))
            del self._asked[key]


def _size(entry: ClipEmbedding) -> int:
    return entry.starts.nbytes + sum(rows.nbytes for rows in entry.layers.values())


#: Rows of support clips of recent calls of the endpoints, found again by the sound's own hash, so that a program that
#: tags a hundred recordings by the same few examples waits for them once. Whoever has no such sound finds nothing.
SUPPORT = Memory(KEPT_BYTES, KEPT_SECONDS)


def embed_here(clips: Sequence[Clip], backbone: str, memory: Memory, progress: Progress) -> Embeddings:
    """Embed a visitor's clips with a backbone by its name; what ``memory`` has is not computed again.

    Raises BackboneError or EmbeddingError; ``progress`` may raise Cancelled.
    """
    from mirdemo.embedding.embed import embed

    loaded = SHELF.take(backbone, progress)
    new = sound(loaded.spec, [clip for clip in clips if memory.get(loaded.identity, clip.sha256) is None])
    began = time.monotonic()
    made = embed(clips, loaded, store=memory, progress=progress)
    if new:
        took = time.monotonic() - began
        PACE.learn(pace.embedding(backbone), new, took)
        memory.spent(loaded.identity, new, took)
    return made


def timed(kind: str, size: float, work: Callable[[Progress], Made]) -> Callable[[Progress], Made]:
    """``work`` of so many units of a kind: what it takes is learned when it has ended, so that the next one can be told."""

    def run(progress: Progress) -> Made:
        began = time.monotonic()
        made = work(progress)
        learn(kind, size, time.monotonic() - began)
        return made

    return run


def learn(kind: str, size: float, took: float) -> None:
    """So many units of a kind of work took so many seconds."""
    PACE.learn(kind, size, took)
    if size > 0 and PACE.expected(kind, size) is None:  # too short to learn from: known to be short
        PACE.told(kind, took / size)


def expected(backbone: str, clips: Sequence[Clip], memory: Memory) -> float | None:
    """Seconds until the backbone has heard these clips, begun now: loading included, fetching not; None where nothing is
    known of it on this machine."""
    return _with_loading(backbone, sound(spec(backbone), memory.lacking(backbone, clips)))


def expected_of(
    backbone: str, seconds: Sequence[float], clips: Sequence[Clip] = (), memory: Memory | None = None
) -> float | None:
    """The same of recordings of so many seconds each, nothing of which was heard, and of what ``memory`` lacks of clips."""
    there = sound(spec(backbone), memory.lacking(backbone, clips)) if memory is not None else 0.0
    return _with_loading(backbone, there + sum(pace.work(spec(backbone), each) for each in seconds))


def _with_loading(backbone: str, work: float) -> float | None:
    takes = PACE.expected(pace.embedding(backbone), work)
    if takes is None or SHELF.holds(backbone):
        return takes
    return takes + (PACE.expected(pace.loading(backbone), 1.0) or 0.0)
