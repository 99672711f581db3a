"""Where uploads lie until they are read: a folder of this process alone, empty at its start and gone with it.

``begin`` makes it, unreadable for other accounts, and points Gradio to it. It goes when the process ends, by SIGTERM too.
A process that was killed outright cannot clean up: its folder is known by a lock that nobody holds any more, and the
next process to start or to sweep removes it. What nobody has read after ``LIMITS.upload_seconds`` is deleted. These
seconds are counted by this process from when it first saw the upload as it lies, so a clock that is set ages nothing.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from mirdemo.base.locks import locked
from mirdemo.web.frame.limits import LIMITS

_NAME = "mirdemo-uploads-"
_ALIVE = "alive.lock"
#: A folder without a holder is left alone for so long: its maker may be about to take the lock.
LEFT_SECONDS = 60.0


class UploadFolder:
    """The folder of one process. Safe to use from several threads."""

    def __init__(self, parent: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Make it, and remove what dead processes left beside it. Raises OSError where there is no room."""
        self._clock = clock
        # upload -> a mark of its times, and when it was first seen with it
        self._seen: dict[Path, tuple[int, float]] = {}
        parent.mkdir(parents=True, exist_ok=True)
        sweep_left(parent)
        self.path = parent / f"{_NAME}{os.getpid()}-{secrets.token_hex(8)}"
        self.path.mkdir(mode=0o700)
        self._alive = ExitStack()
        self._alive.enter_context(locked(self.path / _ALIVE))

    def sweep(self, age: float = LIMITS.upload_seconds) -> int:
        """Delete uploads that nobody has read, written or renewed for ``age`` seconds, whole or broken off. Returns how many.

        The file system's times only tell that something changed, in either direction; how long ago is counted here.
        """
        now, gone = self._clock(), 0
        seen: dict[Path, tuple[int, float]] = {}
        for own in _folders(self.path):
            with suppress(OSError):  # read in this moment
                changed = hash(tuple(sorted((str(p), p.stat().st_mtime_ns) for p in [own, *own.rglob("*")])))
                before, since = self._seen.get(own, (changed, now))
                if before != changed:
                    since = now
                if now - since >= age:
                    shutil.rmtree(own, ignore_errors=True)
                    gone += 1
                else:
                    seen[own] = changed, since
        self._seen = seen
        sweep_left(self.path.parent)
        return gone

    def close(self) -> None:
        """Delete everything. An upload that arrives in this moment finds no folder and is refused."""
        self._alive.close()
        for _ in range(5):  # one may have arrived while the folder was emptied
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                return


def begin() -> UploadFolder:
    """This process's folder, within ``GRADIO_TEMP_DIR`` (or Gradio's usual place), which names it from now on."""
    from gradio.utils import get_upload_folder

    folder = UploadFolder(Path(get_upload_folder()))
    os.environ["GRADIO_TEMP_DIR"] = str(folder.path)
    atexit.register(folder.close)
    for name in ("SIGTERM", "SIGHUP"):  # end the process without a word to atexit
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            _before(number, folder)
    return folder


def _before(number: int, folder: UploadFolder) -> None:
    """Empty the folder when this signal comes, then end as if nobody had caught it."""

    def end(received: int, frame: FrameType | None) -> None:
        signal.signal(received, signal.SIG_DFL)
        folder.close()
        os.kill(os.getpid(), received)

    with suppress(ValueError):  # not in the main thread: whoever runs us there ends us otherwise
        signal.signal(number, end)


def sweep_left(parent: Path, age: float = LEFT_SECONDS) -> int:
    """Remove folders whose processes are dead. Returns how many. A time to come is a clock's that was set back since."""
    gone = 0
    now = time.time()
    for folder in _folders(parent):
        if not folder.name.startswith(_NAME):
            continue
        with suppress(OSError):  # held by the living (BlockingIOError), another account's, or just gone
            if now - age < folder.stat().st_mtime < now + age:
                continue
            with locked(folder / _ALIVE, wait=False):
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return [Path(one.path) for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
