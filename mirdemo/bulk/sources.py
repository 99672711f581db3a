"""What a worker is given to read: a file every machine sees, or a section of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mirdemo.base.files import expanded
from mirdemo.corpora.section import load_section
from mirdemo.sound.audio import Clip, display_name, load_clip


@dataclass(frozen=True)
class ClipFile:
    """Where the sound of one clip is.

    path: the same on every machine
    start_s, end_s: a section in seconds, read as the corpora are (``corpora.section``), end None: to the end of the
        file; start None: the whole file as a visitor's upload is (``load_clip``)
    track: which sound track of a whole file (1 is the first); None: as ``load_clip`` chooses
    sha256: what it was found to hold, where that is known: then it is not even decoded if the store has it
    """

    path: str
    start_s: float | None = None
    end_s: float | None = None
    sha256: str | None = None
    track: int | None = None

    @classmethod
    def whole(cls, path: str | os.PathLike[str], track: int | None = None) -> ClipFile:
        """A whole file. Its path is made absolute, as workers stand in another folder."""
        return cls(str(expanded(path).absolute()), track=track)

    @property
    def name(self) -> str:
        """For people."""
        return display_name(self.path)

    def clip(self) -> Clip:
        """Decode it. Raises AudioError."""
        if self.start_s is None:
            return load_clip(self.path, track=self.track)
        return load_section(Path(self.path), self.start_s, self.end_s)
