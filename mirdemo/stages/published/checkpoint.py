"""A training that was killed goes on where it was: all that it needs, in one file."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import torch

from mirdemo.base.files import whole

#: Seconds of training that a kill may cost, and an epoch.
SAVE_SECONDS = 30.0


class Checkpoint:
    """Everything a training needs to go on, in one file.

    of: says which training; a file of another one, or one that cannot be read, is passed over
    """

    def __init__(self, path: Path, of: str) -> None:
        self._path, self._of = path, of
        self._saved = time.monotonic()

    def save(self, state: dict[str, Any]) -> None:
        """Keep it, unless the last one is younger than ``SAVE_SECONDS``. A full disk only means that none is kept."""
        if time.monotonic() - self._saved < SAVE_SECONDS:
            return
        with contextlib.suppress(OSError, RuntimeError), whole(self._path) as part:
            torch.save({"of": self._of, **state}, part)
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        try:
            state = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # what a torn archive raises has no common base class
            return None
        return state if isinstance(state, dict) and state.get("of") == self._of else None
