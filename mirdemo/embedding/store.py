"""The embedding cache on disk.

One safetensors file for a clip and a backbone's identity, holding one row a window and layer::

    <root>/<identity>/<first two of the clip's SHA-256>/<clip's SHA-256>.safetensors

An entry appears whole or not at all: it is written beside its place under another name, synced, and moved there
in one step, so neither a killed process nor a second one can leave or see half an entry, and no lock is needed.
What cannot be read back whole, or belongs to something else, counts as missing and is removed. The least
recently used entries go when the store outgrows its limit (a read renews the file's modification time).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mirdemo.base.files import UNFINISHED, whole
from mirdemo.base.home import home

if TYPE_CHECKING:
    from mirdemo.backbones.spec import Identity

log = logging.getLogger(__name__)

_FORMAT = "mirdemo-embedding-2"
_SUFFIX = ".safetensors"
#: A temporary file this old (seconds) belongs to a writer that was killed.
_ABANDONED_AFTER = 600.0
DEFAULT_MAX_BYTES = 4 * 2**30


@dataclass(frozen=True, eq=False)
class ClipEmbedding:
    """What a backbone says about one clip, window by window.

    starts: float64 (n_windows,), where each window begins, in seconds
    layers: layer name -> float32 (n_windows, size), in the backbone's order
    """

    starts: np.ndarray
    layers: dict[str, np.ndarray]


class Store(Protocol):
    """What keeps embeddings of clips: on disk (``EmbeddingStore``) or in memory (the page's, one a visitor)."""

    def get(self, identity: Identity, clip_sha256: str) -> ClipEmbedding | None:
        """The entry of this clip and exactly this backbone, or None."""

    def put(self, identity: Identity, clip_sha256: str, entry: ClipEmbedding) -> bool:
        """Keep an entry. Whether it is kept; a store that cannot keep it says so and does not raise."""


class EmbeddingStore:
    """Embeddings of clips on disk, keyed by the clip's PCM hash and the backbone's whole identity.

    root: the folder (made when first written to); default ``home()/embeddings``
    max_bytes: the store keeps itself below this. A process looks at the whole folder before every sixteenth of
        it that it writes, and evicts down to seven eighths, so two processes writing at once stay within the
        limit and each further one may pass it by a sixteenth. An entry of more than a sixteenth is
        refused rather than allowed to empty the store.

    A cache never stops the work it serves: ``put`` answers False where the disk refuses, ``get`` None.
    """

    def __init__(
        self, root: str | os.PathLike[str] | None = None, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        self.root = Path(root) if root is not None else home() / "embeddings"
        self.max_bytes = int(max_bytes)
        self._step = self.max_bytes // 16
        self._unseen = self._step  # bytes written since the folder was last looked at; at first: never looked

    def get(self, identity: Identity, clip_sha256: str) -> ClipEmbedding | None:
        """The entry of this clip and backbone, or None. Reading it makes it the most recently used."""
        path = self._path(identity, clip_sha256)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        try:
            entry = _decode(content, identity, clip_sha256)
        except Exception as error:  # whatever a damaged file makes the reader raise
            log.warning("removed a damaged entry of the embedding store: %s", type(error).__name__)
            _remove(path)
            return None
        with contextlib.suppress(OSError):
            _touch(path)
        return entry

    def held(self, identity: Identity, clip_sha256s: Iterable[str]) -> set[str]:
        """Which of these clips have an entry of this backbone, which becomes the most recently used, as by ``get``.

        From the names in its folders, without reading an entry: of a million that is seconds. A damaged one shows when it is read.
        """
        found: set[str] = set()
        wanted: dict[str, set[str]] = {}
        for sha256 in clip_sha256s:
            wanted.setdefault(sha256[:2], set()).add(f"{sha256}{_SUFFIX}")
        now = time.time_ns()
        for names in wanted.values():
            folder = str(self._path(identity, next(iter(names)).removesuffix(_SUFFIX)).parent)
            try:
                there = names.intersection(os.listdir(folder))  # noqa: PTH208  # names, no objects
            except OSError:
                continue
            for name in there:
                with contextlib.suppress(OSError):
                    os.utime(f"{folder}/{name}", ns=(now, now))
                    found.add(name.removesuffix(_SUFFIX))
        return found

    def put(self, identity: Identity, clip_sha256: str, entry: ClipEmbedding) -> bool:
        """Keep an entry. True if it is on disk afterwards; False if it is too large or the disk refuses."""
        content = _encode(entry, identity, clip_sha256)
        if len(content) > self._step:
            return False
        self._unseen += len(content)
        if self._unseen > self._step:  # before the write, so that the write cannot pass the limit
            self._evict()
            self._unseen = len(content)
        path = self._path(identity, clip_sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path, durable=True) as temporary:
                temporary.write_bytes(content)
                _touch(temporary)
        except OSError as error:
            log.warning("the embedding store cannot be written: %s", error.strerror)
            return False
        return True

    def forget(self, clip_sha256s: Iterable[str]) -> None:
        """Remove every entry of these clips, whatever backbone made it."""
        wanted = {f"{sha256}{_SUFFIX}" for sha256 in clip_sha256s}
        for path in self._files():
            if path.name in wanted:
                _remove(path)

    def size(self) -> int:
        """Bytes on disk now, abandoned temporary files included."""
        total = 0
        for path in self._files():
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def __len__(self) -> int:
        """Number of entries on disk now."""
        return sum(path.suffix == _SUFFIX for path in self._files())

    def _path(self, identity: Identity, clip_sha256: str) -> Path:
        if len(clip_sha256) != 64 or not set(clip_sha256) <= set("0123456789abcdef"):
            raise ValueError("clip_sha256 must be a SHA-256 in lower-case hexadecimal")
        # The name of a backbone may hold anything ("hf:owner/repo"), so a hash of the identity names the folder.
        folder = hashlib.sha256(_identity_text(identity).encode()).hexdigest()[:32]
        return self.root / folder / clip_sha256[:2] / f"{clip_sha256}{_SUFFIX}"

    def _files(self) -> Iterator[Path]:
        for path in self.root.glob("*/*/*"):
            if path.suffix in (_SUFFIX, UNFINISHED):
                yield path

    def _evict(self) -> None:
        """Remove what killed writers left, then the least recently used entries down to seven eighths."""
        found: list[tuple[int, int, Path]] = []
        total = 0
        oldest_writer = time.time_ns() - int(_ABANDONED_AFTER * 1e9)
        to_come = time.time_ns() + int(_ABANDONED_AFTER * 1e9)
        for path in self._files():
            try:
                stat = path.stat()
            except OSError:  # another process was faster
                continue
            if path.suffix == UNFINISHED:
                if stat.st_mtime_ns < oldest_writer:
                    _remove(path)
                else:
                    total += stat.st_size
                continue
            total += stat.st_size
            # A time to come was noted before the clock was set back: such entries would outlive all that is used now.
            used = stat.st_mtime_ns if stat.st_mtime_ns < to_come else 0
            found.append((used, stat.st_size, path))
        for _, size, path in sorted(found, key=lambda item: item[0]):
            if total <= self.max_bytes - 2 * self._step:
                break
            _remove(path)
            total -= size


def _identity_text(identity: Identity) -> str:
    return json.dumps(identity.as_dict(), sort_keys=True)


def _encode(entry: ClipEmbedding, identity: Identity, clip_sha256: str) -> bytes:
    from safetensors.numpy import save

    names = list(entry.layers)
    # Numbered keys: a layer may bear any name, and the file need not keep its order.
    arrays = {
        str(i): np.ascontiguousarray(entry.layers[name], dtype=np.float32) for i, name in enumerate(names)
    }
    metadata = {
        "format": _FORMAT,
        "identity": _identity_text(identity),
        "clip": clip_sha256,
        "layers": json.dumps(names),
        "starts": json.dumps([float(start) for start in entry.starts]),
    }
    return save(arrays, {**metadata, "crc32": _checksum(arrays, metadata)})


def _decode(content: bytes, identity: Identity, clip_sha256: str) -> ClipEmbedding:
    """Raises whatever a damaged or foreign file leads to; never returns a wrong entry."""
    from safetensors.numpy import load

    arrays = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header["__metadata__"]
    asked = {"format": _FORMAT, "identity": _identity_text(identity), "clip": clip_sha256}
    if any(metadata[key] != value for key, value in asked.items()) or metadata["crc32"] != _checksum(
        arrays, metadata
    ):
        raise ValueError("not the entry that was asked for, or damaged")
    names = json.loads(metadata["layers"])
    starts = np.asarray(json.loads(metadata["starts"]), dtype=np.float64)
    return ClipEmbedding(starts, {name: arrays[str(i)] for i, name in enumerate(names)})


def _checksum(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    """Over the rows, the layers' names and the starts: a flipped bit in a name would else be another layer."""
    checksum = zlib.crc32((metadata["layers"] + metadata["starts"]).encode())
    for key in sorted(arrays, key=int):
        checksum = zlib.crc32(arrays[key].tobytes(), checksum)
    return f"{checksum:08x}"


def _touch(path: Path) -> None:
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
