"""Which of the files a name in a sheet means, and which tags the folders of files say."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from mirdemo.clips.limits import ClipsError
from mirdemo.sound.audio import display_name
from mirdemo.sound.files import SOUND_SUFFIXES


class Finder:
    """Files by the names that sheets give them: by the longest common end of their paths."""

    def __init__(self, paths: Sequence[PurePosixPath]) -> None:
        self._names = [_composed(path.name) for path in paths]
        self._paths = [_parts(str(path)) for path in paths]
        self._by_name: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[int]] = {}
        for at, parts in enumerate(self._paths):
            self._by_name.setdefault(parts[-1], []).append(at)
            self._by_stem.setdefault(PurePosixPath(parts[-1]).stem, []).append(at)

    def find(self, named: str, folder: PurePosixPath | None = None) -> int:
        """The place of the file that is meant. Raises ``ClipsError`` if none or several may be.

        named: as the sheet has it, whatever folders of whatever machine stand before it; folder: where the sheet lies
        """
        for spelling in dict.fromkeys((named, unquote(named.removeprefix("file://")))):
            parts = _parts(spelling)
            if not parts:
                continue
            there = self._by_name.get(parts[-1]) or self._by_stem.get(parts[-1]) or []
            if not there and "." + parts[-1].rpartition(".")[2] in SOUND_SUFFIXES:
                there = self._by_stem.get(
                    PurePosixPath(parts[-1]).stem, []
                )  # exported to another format since
            if there:
                whole = _parts(str((folder or PurePosixPath()) / spelling.replace("\\", "/")))
                ends = [
                    (_common_end(self._paths[at], whole), _common_end(self._paths[at], parts)) for at in there
                ]
                best = [at for at, end in zip(there, ends, strict=True) if end == max(ends)]
                spelt = _composed(spelling.replace("\\", "/").rpartition("/")[2])
                best = [
                    at for at in best if self._names[at] == spelt
                ] or best  # small letters and capitals part some
                if len(best) == 1:
                    return best[0]
                raise ClipsError(
                    "{name} is named in the sheet, but {count} files are called so. Write their folders before the name.",
                    code="clips.several_files",
                    name=display_name(named),
                    count=len(best),
                )
        raise ClipsError(
            "{name} is named in the sheet, but was not found. Add it or correct the sheet.",
            code="clips.file_not_found",
            name=display_name(named),
        )


def _parts(path: str) -> tuple[str, ...]:
    """The parts of a path, in what two spellings of it have in common."""
    text = _composed(path.replace("\\", "/")).casefold()
    return tuple(part for part in text.split("/") if part not in ("", "."))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts two paths have in common, from their ends; their names may differ in the suffix."""
    count = 1
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count


def folder_tags(paths: Sequence[PurePosixPath]) -> list[tuple[str, ...]]:
    """What the folders of a tree say of each of its files where no sheet labels them: a folder that holds all is no tag."""
    wrapped = is_wrapped(paths)
    return [path.parent.parts[wrapped:] for path in paths]


def paths_with(tags: Sequence[tuple[str, ...]], names: Sequence[str]) -> list[PurePosixPath]:
    """Places of files in a tree of which ``folder_tags`` says these tags again, whatever of the tree was left out."""
    paths = [PurePosixPath(*own, name) for own, name in zip(tags, names, strict=True)]
    if is_wrapped(paths):
        paths = ["files" / path for path in paths]
    return paths


def is_wrapped(paths: Sequence[PurePosixPath]) -> bool:
    """Whether one folder holds everything else, as zip programs add it."""
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    return (
        len(tops) == 1
        and all(len(path.parts) > 1 for path in paths)
        and any(len(path.parts) > 2 for path in paths)
    )
