"""Samples on the disk, in a file without a name: nobody can open it, and it is gone with its process, even a killed one.

On systems where an open file keeps its name (Windows) it has one until it is closed, and goes then.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mirdemo.sound.decoding.limits import AudioError

#: Called with the bytes that are about to be added; raises where there is no room for them.
Room = Callable[[int], None]


def anywhere(more: int) -> None:
    """A room without walls."""


class Spool:
    """Mono samples, written once from front to back and read anywhere. Safe to use from several threads.

    folder: on whose disk they lie (None: the system's for temporary files); name: of the recording, for refusals
    """

    def __init__(self, folder: Path | None = None, name: str = "", room: Room = anywhere) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this object
        except OSError:
            raise disk_full(name) from None
        self._name = name
        self._room = room
        self._lock = threading.Lock()
        self._count = 0
        self.close = weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._count

    @property
    def bytes(self) -> int:
        """What it takes of the disk."""
        return 4 * self._count

    def append(self, samples: np.ndarray) -> None:
        """Add float32 (n,). Raises ``AudioError`` where the disk is full, and what ``room`` raises."""
        self._room(samples.nbytes)
        try:
            with self._lock:
                self._file.seek(self.bytes)
                self._file.write(np.ascontiguousarray(samples, "<f4").data)
                self._file.flush()
                self._count += len(samples)
        except OSError:
            raise disk_full(self._name) from None

    def read(self, start: int, stop: int) -> np.ndarray:
        """The samples from ``start`` to ``stop``, float32; fewer where it ends before, none once closed."""
        start, stop = max(start, 0), min(stop, self._count)
        if stop <= start:
            return np.zeros(0, np.float32)
        with self._lock:
            if not self.close.alive:
                return np.zeros(0, np.float32)
            self._file.seek(4 * start)
            data = self._file.read(4 * (stop - start))
        return np.frombuffer(data, "<f4").astype(np.float32, copy=False)


def disk_full(name: str) -> AudioError:
    """What is said where the disk has no room for a recording of this name."""
    return AudioError(
        "The disk of this machine has no room to open {name}. Make room, or open a shorter recording.",
        code="audio.no_disk",
        name=name,
    )
