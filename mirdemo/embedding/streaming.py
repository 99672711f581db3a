"""Any number of recordings through a backbone, a few in memory at a time: files are decoded beside the model.

A hundred thousand clips neither fit in memory nor should wait for each other: while the model computes, the next files
are read by threads (decoders give up Python's lock), and short clips share batches as in ``embed``.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from mirdemo.base import threads
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.embedding.embed import Embeddings, embed

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Backbone
    from mirdemo.embedding.store import Store
    from mirdemo.sound.audio import Clip

#: Seconds of sound that are embedded together, and clips at most: enough to fill batches with short clips, few enough
#: that what is under way is soon written down.
GROUP_SECONDS = 60.0
GROUP_CLIPS = 32
#: Files that are read ahead, and bytes of them. A compressed file grows tenfold when it is decoded.
AHEAD = 48
AHEAD_BYTES = 32_000_000
#: Threads that read: more than the machine has to spare only wait.
MOST_READERS = 4

Source = TypeVar("Source")


@dataclass(frozen=True, eq=False)
class Group(Generic[Source]):
    """Some sources, in order, with what became of each.

    clips: the clip, or the sentence that says why there is none
    embeddings: of the clips, in order
    """

    sources: tuple[Source, ...]
    clips: tuple[Clip | Sentence, ...]
    embeddings: Embeddings

    def rows(self) -> Iterator[tuple[Source, Clip | Sentence, int]]:
        """Each source with its clip and its row in ``embeddings``; with a sentence and -1 where it has none."""
        row = 0
        for source, clip in zip(self.sources, self.clips, strict=True):
            if isinstance(clip, Sentence):
                yield source, clip, -1
            else:
                yield source, clip, row
                row += 1


def embed_stream(
    sources: Iterable[Source],
    read: Callable[[Source], Clip],
    backbone: Backbone,
    *,
    size: Callable[[Source], int] = lambda source: 0,
    store: Store | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Group[Source]]:
    """Embed what ``read`` makes of each source, in order, group by group.

    read: called in other threads; what it refuses (a ``MirdemoError``) becomes a sentence
    size: bytes of a source's file, so that few large ones are read ahead
    tick: called at least after each batch; what it raises passes, and nothing of the group is given

    Memory is bounded by one group and what is read ahead, not by the number of sources. A clip that the backbone cannot
    take becomes a sentence, too. The rows are those of ``embed`` (1e-5).
    """
    readers = max(1, min(MOST_READERS, threads.cores()))
    with ThreadPoolExecutor(readers, thread_name_prefix="mirdemo-reading") as pool:
        under_way: deque[tuple[Source, int, Future[Clip | Sentence]]] = deque()
        bytes_ahead, waiting = 0, iter(sources)
        held: list[tuple[Source, Clip | Sentence]] = []
        seconds = 0.0
        try:
            while True:
                while len(under_way) < AHEAD and (bytes_ahead < AHEAD_BYTES or not under_way):
                    try:
                        source = next(waiting)
                    except StopIteration:
                        break
                    weight = size(source)
                    bytes_ahead += weight
                    under_way.append((source, weight, pool.submit(_read, read, source)))
                if not under_way:
                    break
                source, weight, future = under_way.popleft()
                clip = future.result()
                bytes_ahead -= weight
                held.append((source, clip))
                seconds += 0.0 if isinstance(clip, Sentence) else clip.seconds
                tick()
                if seconds >= GROUP_SECONDS or len(held) >= GROUP_CLIPS:
                    yield _embedded(held, backbone, store, tick)
                    held, seconds = [], 0.0
            if held:
                yield _embedded(held, backbone, store, tick)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def file_size(path: str | os.PathLike[str]) -> int:
    """Bytes of a file; 0 where it cannot be asked."""
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _read(read: Callable[[Source], Clip], source: Source) -> Clip | Sentence:
    try:
        return read(source)
    except Cancelled:
        raise
    except MirdemoError as refusal:
        return refusal.sentence


def _embedded(
    held: list[tuple[Source, Clip | Sentence]],
    backbone: Backbone,
    store: Store | None,
    tick: Callable[[], None],
) -> Group[Source]:
    """All together; one by one where together they are refused, so that the one that cannot be embedded is named."""

    def progress(done: int, total: int, phase: str) -> None:
        tick()

    clips = [clip for _, clip in held if not isinstance(clip, Sentence)]
    outcome = [clip for _, clip in held]
    try:
        made = embed(clips, backbone, store=store, progress=progress)
    except Cancelled:
        raise
    except MirdemoError:
        outcome = [_alone(clip, backbone, store, tick) for clip in outcome]
        clips = [clip for clip in outcome if not isinstance(clip, Sentence)]
        made = embed(clips, backbone, store=store, progress=progress)
    return Group(tuple(source for source, _ in held), tuple(outcome), made)


def _alone(
    clip: Clip | Sentence, backbone: Backbone, store: Store | None, tick: Callable[[], None]
) -> Clip | Sentence:
    if isinstance(clip, Sentence):
        return clip
    try:
        embed([clip], backbone, store=store)
    except Cancelled:
        raise
    except MirdemoError as refusal:
        return refusal.sentence
    tick()
    return clip
