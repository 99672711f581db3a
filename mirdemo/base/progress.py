"""What long steps report while they run, and how they are stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Called as ``progress(done, total, phase)`` with ``phase`` a short code such as ``"embedding"``.
#: Called often (at least once a second where the work can be cut that fine). To stop the step, the
#: callee raises ``Cancelled``; the step lets it pass and leaves nothing half-done.
Progress: TypeAlias = Callable[[int, int, str], None]


def silent(done: int, total: int, phase: str) -> None:
    """A progress that tells nobody."""
