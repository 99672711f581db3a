"""The user's own folder of a corpus, looked through once: what a file is named after -> the files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mirdemo.base.files import called, expanded
from mirdemo.corpora.errors import CorpusError

#: What a corpus may be kept as: its own format, or one that it was converted to.
SUFFIXES = frozenset(
    ".mp3 .wav .flac .ogg .opus .m4a .mp4 .aac .webm .aif .aiff .wma .mkv".split()  # noqa: SIM905
)
#: yt-dlp writes ``Title [id].webm``, and ``Title [id].f140.m4a`` where it keeps a format apart; youtube-dl ``Title-id.m4a``.
_BRACKETED = re.compile(r"\[([^\[\]]+)\]$")
_FORMAT = re.compile(r"\.f\d+(?:-\w+)?$")
_VIDEO = re.compile(r"(?<=.-)[A-Za-z0-9_-]{11}$")


class AudioFolder:
    """Finds files by the stem of their names, however deep they lie, behind symbolic links too.

    ``Title [stem].ext``, ``Title [stem].f140.ext`` and, of a YouTube id, ``Title-stem.ext`` count too; ``stem.mp3.mp3``
    counts as ``stem``. Where several files have one stem, the one with the shortest path is the first. Raises CorpusError
    if there is no folder.
    """

    def __init__(self, folder: str | Path, suffixes: frozenset[str] = SUFFIXES) -> None:
        self.folder = expanded(folder)
        if not self.folder.is_dir():
            raise CorpusError(
                "{folder} is not a folder. Give the folder that holds the corpus's files.",
                code="corpora.no_folder",
                folder=called(self.folder),
            )
        self._suffixes = suffixes
        found: dict[str, list[Path]] = {}
        for path in _files(self.folder, suffixes):
            for stem in self._stems(path.stem):
                found.setdefault(stem, []).append(path)
        for paths in found.values():
            if len(paths) > 1:
                paths.sort(key=lambda path: (len(path.parts), str(path)))
        self._found = found

    @classmethod
    def of(cls, folder: str | Path | None) -> AudioFolder | None:
        """The folder looked through, None where there is none."""
        return None if folder is None else cls(folder)

    def find(self, stem: str) -> Path | None:
        """The file with this stem, or None."""
        return next(iter(self._found.get(stem, ())), None)

    def find_all(self, stem: str) -> tuple[Path, ...]:
        """Every file with this stem, shortest path first."""
        return tuple(self._found.get(stem, ()))

    def __iter__(self) -> Iterator[Path]:
        """Every file, each once."""
        return iter(dict.fromkeys(path for paths in self._found.values() for path in paths))

    @property
    def stems(self) -> tuple[str, ...]:
        """Of every file found, sorted."""
        return tuple(sorted(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def _stems(self, stem: str) -> set[str]:
        names = {stem}
        inner, suffix = os.path.splitext(stem)  # noqa: PTH122 - of every file of a corpus
        if suffix.lower() in self._suffixes:
            names.add(inner)  # Title.mp3.mp3
        plain = _FORMAT.sub("", stem)
        names.add(plain)
        bracketed = _BRACKETED.search(plain)
        if bracketed:
            names.add(bracketed.group(1))
        video = _VIDEO.search(plain)
        if video:
            names.add(video.group())
        return names


def _files(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    """Every file of these kinds that is not hidden; a folder that links lead to twice, or back to, is walked once."""
    walked = {os.path.realpath(folder)}
    for parent, inside, names in os.walk(folder, followlinks=True):
        inside.sort()
        for name in [*inside]:
            real = os.path.realpath(Path(parent, name))
            if real in walked:
                inside.remove(name)
            walked.add(real)
        place = Path(parent)
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:  # noqa: PTH122
                yield place / name
