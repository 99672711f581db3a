"""What the two sides of a run tell each other through the folder they share.

Its being there proves that a worker sees the store; its going away tells the workers to stop; and a note for each clip
under way survives the worker that wrote it. A killed worker cannot say which clip killed it, but the note can, so that
a clip that ends every worker is given up after a few and does not end them for ever.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from pathlib import Path

from mirdemo.base.sentences import Cancelled


class RunFolder:
    """A folder in the store's root, beside the store's own."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, root: Path) -> RunFolder:
        """A new one. Raises OSError."""
        path = root / f"run-{secrets.token_hex(8)}"
        path.mkdir(parents=True)
        return cls(path)

    def remove(self) -> None:
        """End the run for every worker that still looks. Removing twice is no error."""
        shutil.rmtree(self.path, ignore_errors=True)

    def is_there(self) -> bool:
        return self.path.is_dir()

    def go_on(self, *_: object) -> None:
        """Raises Cancelled once the folder is gone. (As a Progress it ignores what it is told.)"""
        if not self.is_there():
            raise Cancelled

    def begun(self, at: int) -> int:
        """How many times clip number ``at`` was begun and not finished."""
        try:
            return self._note(at).stat().st_size
        except OSError:
            return 0

    def begin(self, at: int) -> None:
        """Note that clip number ``at`` is under way. Raises Cancelled once the folder is gone."""
        try:
            with self._note(at).open("ab") as note:
                note.write(b".")
        except FileNotFoundError:
            raise Cancelled from None

    def finish(self, at: int) -> None:
        with contextlib.suppress(OSError):
            self._note(at).unlink()

    def _note(self, at: int) -> Path:
        return self.path / str(at)
