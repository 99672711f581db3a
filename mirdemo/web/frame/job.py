"""One long step, as its visitor's page sees it: its state, how far it is, what it has found so far, and its end."""

from __future__ import annotations

import threading
import time
from typing import Any

from mirdemo.base.sentences import Cancelled, Sentence


class Draft:
    """What a step has found so far, for its visitor's page to show until it is done. ``put`` replaces it whole."""

    def __init__(self, latest: Any = None) -> None:
        self.latest = latest
        self.count = 0

    def put(self, latest: Any) -> None:
        self.latest = latest
        self.count += 1


class Job:
    """One long step.

    state: waiting, running, done, failed, stopped;  phase: what is being done, a short code
    done, total: progress within the phase (total 0: not known);  ahead: jobs that go first while waiting
    draft: what it has found so far, where it tells
    """

    def __init__(self, name: str, resource: str, draft: Draft | None = None) -> None:
        self.name = name
        self.resource = resource
        self.draft = draft or Draft()
        self.state = "waiting"
        self.phase = "waiting"
        self.done = 0
        self.total = 0
        self.error: Sentence | None = None
        self.began = time.monotonic()
        self.order = 0
        self._stop = threading.Event()

    @property
    def active(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def fraction(self) -> float | None:
        """Share done, 0 to 1; None if not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def cancel(self) -> None:
        self._stop.set()
        if self.state == "waiting":
            self.state = "stopped"

    def progress(self, done: int, total: int, phase: str) -> None:
        """What the work calls (a ``mirdemo.base.progress.Progress``). Raises Cancelled when the visitor has stopped it."""
        if self._stop.is_set():
            raise Cancelled()
        self.done, self.total, self.phase = int(done), int(total), phase
