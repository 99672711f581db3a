"""One holder at a time of something on the disk, between threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock that the file ``path`` stands for; the lock goes with the process that held it.

    wait: until it is free; else raise BlockingIOError where someone has it. Raises OSError where no file can lie there.
    """
    from filelock import FileLock, Timeout

    path.open(
        "ab"
    ).close()  # filelock 4.3 waits for ever where the system says that such a file cannot be made
    lock = FileLock(path)
    try:
        lock.acquire(blocking=wait)
    except Timeout as error:
        raise BlockingIOError(f"{path.name} is held by another") from error
    try:
        yield
    finally:
        lock.release()
