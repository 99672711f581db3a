"""The user's own folder of a corpus, looked through once: stem of a file's name -> the file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mirdemo.corpora.errors import CorpusError

#: What a corpus may be kept as: its own format, or one that it was converted to.
SUFFIXES = frozenset(
    ".mp3 .wav .flac .ogg .opus .m4a .mp4 .aac .webm .aif .aiff .wma .mkv".split()  # noqa: SIM905
)
#: Downloaders of video sites write ``Title [id].webm``.
_BRACKETED = re.compile(r"\[([^\[\]]+)\]$")


class AudioFolder:
    """Finds files by the stem of their names, however deep they lie; ``Title [stem].ext`` counts too.

    Where several files have one stem, the one with the shortest path wins. Raises CorpusError if there is no folder.
    """

    def __init__(self, folder: str | Path, suffixes: frozenset[str] = SUFFIXES) -> None:
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            raise CorpusError(
                "{folder} is not a folder. Give the folder that holds the corpus's files.",
                code="corpora.no_folder",
                folder=self.folder.name or str(folder),
            )
        found: dict[str, Path] = {}
        for parent, _, names in os.walk(self.folder):
            for name in names:
                path = Path(parent, name)
                if name.startswith(".") or path.suffix.lower() not in suffixes:
                    continue
                bracketed = _BRACKETED.search(path.stem)
                for stem in {path.stem, bracketed.group(1) if bracketed else path.stem}:
                    kept = found.get(stem)
                    if kept is None or (len(path.parts), str(path)) < (len(kept.parts), str(kept)):
                        found[stem] = path
        self._found = found

    @classmethod
    def of(cls, folder: str | Path | None) -> AudioFolder | None:
        """The folder looked through, None where there is none."""
        return None if folder is None else cls(folder)

    def find(self, stem: str) -> Path | None:
        """The file with this stem, or None."""
        return self._found.get(stem)

    def __len__(self) -> int:
        return len(self._found)
