"""What visitors' long recordings take of the disk, counted over all of them."""

from __future__ import annotations

import shutil
import threading
import weakref
from pathlib import Path

from mirdemo.sound.spool import Spool
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.receiving import DISK_RESERVE

#: How often the disk itself is asked, in bytes written.
_ASKED = 64 * 2**20


class Spools:
    """The spools of all visitors that are alive. Safe to use from several threads.

    most: bytes of all; reserve: bytes that stay free on the disk
    """

    def __init__(self, most: int = LIMITS.long_disk_bytes, reserve: int = DISK_RESERVE) -> None:
        self._most = most
        self._reserve = reserve
        self._lock = threading.Lock()
        self._alive: weakref.WeakSet[Spool] = weakref.WeakSet()

    def make(self, folder: Path, name: str) -> Spool:
        """An empty one. Raises AudioError, and PageError on writing where there is no room any more."""
        asked = [0]

        def room(more: int) -> None:
            asked[0] -= more
            if self.bytes() + more > self._most or (asked[0] < 0 and not self.disk_has(folder, more)):
                raise no_room(name)
            if asked[0] < 0:
                asked[0] = _ASKED

        spool = Spool(folder, name, room)
        with self._lock:
            self._alive.add(spool)
        return spool

    def bytes(self) -> int:
        """What they take now."""
        with self._lock:
            return sum(spool.bytes for spool in self._alive if spool.close.alive)

    def disk_has(self, folder: Path, more: int) -> bool:
        """Whether so many bytes more leave the disk its reserve."""
        return shutil.disk_usage(folder).free >= more + _ASKED + self._reserve


def no_room(name: str) -> PageError:
    """What is said where the disk has no room for a recording of this name."""
    return PageError(
        "This machine has no room on its disk to open {name} now. Try again in some minutes, or open a shorter recording.",
        code="page.no_room_for_long",
        name=name,
    )


#: Those of this process.
SPOOLS = Spools()


def own_folder() -> Path:
    """Where this process keeps what passes through the disk."""
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder
