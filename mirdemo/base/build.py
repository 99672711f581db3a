"""Which build of mirdemo this is: its version, and the commit it was made of where that can be known."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import mirdemo

#: Beside the package in a copy without git, e.g. a Space that ``mirdemo publish`` has filled.
COMMIT_FILE = "COMMIT"
_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

_SPACE = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


def source() -> str | None:
    """Where this software is had: the Space that it runs in; None elsewhere, where only whoever runs it knows."""
    space = os.environ.get("SPACE_ID", "")
    return f"https://huggingface.co/spaces/{space}" if _SPACE.fullmatch(space) else None


@cache
def commit() -> str | None:
    """The full hash of the commit, read from files without git; None where none is told."""
    return commit_of(Path(mirdemo.__file__).resolve().parents[1])


def commit_of(root: Path) -> str | None:
    """The same of a checkout, a worktree, or a copy with a file ``COMMIT``."""
    try:
        told = _hash(root / COMMIT_FILE)
        return told if told is not None else _checked_out(root / ".git")
    except (OSError, ValueError):
        return None


def _checked_out(git: Path) -> str | None:
    if git.is_file():  # a worktree: where its own files lie
        git = Path(git.parent, git.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref: "):
        return head if _HASH.fullmatch(head) else None
    name = head.removeprefix("ref: ")
    common = git / "commondir"
    homes = [git, git / common.read_text(encoding="utf-8").strip()] if common.is_file() else [git]
    for home in homes:
        if (found := _hash(home / name)) is not None:
            return found
    for home in homes:
        packed = home / "packed-refs"
        for line in packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else ():
            value, _, of = line.partition(" ")
            if of == name and _HASH.fullmatch(value):
                return value
    return None


def _hash(file: Path) -> str | None:
    if not file.is_file():
        return None
    found = file.read_text(encoding="utf-8").strip()
    return found if _HASH.fullmatch(found) else None
