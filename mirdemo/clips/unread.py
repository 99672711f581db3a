"""Why a file that somebody named could not be opened."""

from __future__ import annotations

from pathlib import Path

from mirdemo.clips.limits import ClipsError


def unread(path: Path, name: str) -> ClipsError:
    """To be raised where opening it failed. name: what it is called in a sentence"""
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except (OSError, ValueError):
        is_folder = is_there = False
    if is_folder:
        return ClipsError("{name} is a folder. Choose a file in it.", code="clips.folder", name=name)
    if is_there:
        return ClipsError(
            "{name} is there but may not be read. Change its rights, or choose another file.",
            code="clips.unread",
            name=name,
        )
    return ClipsError("{name} cannot be found. Choose a file that exists.", code="clips.missing", name=name)
