"""Files and folders that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How a file that is being written ends; one that is left over was its writer's who was killed.
UNFINISHED = ".tmp"


@contextmanager
def whole(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[Path]:
    """A path to write to that takes the place of the file ``path`` when the block ends well.

    durable: also after a loss of power; else the old or the new file is there after a kill at any moment
    Where the block or the move fails, ``path`` is what it was and nothing lies beside it. Writers at the same time
    do not meet: the last one's file stays. The folder must exist. Raises OSError, at once where ``path`` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    beside = _beside(path)
    try:
        yield beside
        if durable:
            _flush(beside)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    if durable:  # the name too, where the system lets a folder be flushed (Windows does not)
        with contextlib.suppress(OSError):
            _flush(path.parent)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """An empty folder to write to that takes the place of the folder ``path``, with all in it, when the block ends well.

    Where the block or the move fails, ``path`` is what it was. Raises OSError.
    """
    path = Path(path)
    beside = _beside(path)
    old = path.with_name(f"{beside.name}.old")
    beside.mkdir()
    try:
        yield beside
        if path.is_dir():
            path.rename(old)
        try:
            beside.rename(path)
        except OSError:
            if old.is_dir():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def move(path: str | os.PathLike[str], place: str | os.PathLike[str]) -> None:
    """Give a finished file another name on the same disk, at once, also where a file has it already. Raises OSError."""
    Path(path).replace(place)


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path in which ``~`` and ``~NAME`` at the beginning are the folders of users. Where there is no such user it is a name
    like others (``~take.wav``), which ``Path.expanduser`` refuses."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def called(path: str | os.PathLike[str]) -> str:
    """What a path is called in a sentence: its last part, the folder's own name where it is ``.``, ``..`` or the like."""
    path = Path(path)
    return path.name if path.name.strip(".") else path.resolve().name or str(path.resolve())


def _beside(path: Path) -> Path:
    """A name in the same folder that nobody else uses, short enough wherever ``path``'s is."""
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}{UNFINISHED}")


def _flush(path: Path) -> None:
    """Onto the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
