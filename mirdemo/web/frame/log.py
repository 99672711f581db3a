"""What the process says while it runs: a line an event, of our own names and of counts.

No name of a file, no tag and no address of a visitor gets into it. Nor do the words of an unexpected error, for they may
quote any of these: of such an error its kind and the places in our code are written down.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

events = logging.getLogger("mirdemo.events")


def event(kind: str, name: str, outcome: str, **counts: float) -> None:
    """One line. kind, name, outcome: words of our own, never a visitor's"""
    if events.isEnabledFor(logging.INFO):
        told = " ".join(f"{key}={value:.6g}" for key, value in counts.items())
        events.info("%s %s %s%s", kind, name, outcome, f" {told}" if told else "")


class Reticent(logging.Formatter):
    """Errors by their kind and place, without their words."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        kind, error, _ = ei
        lines: list[str] = []
        while error is not None and kind is not None:
            lines.append(f"{type(error).__name__} at")
            lines += [
                f"  {at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


def write_to_stderr() -> None:
    """Write ours there, once, however often the page is served."""
    ours = logging.getLogger("mirdemo")
    if not any(isinstance(handler.formatter, Reticent) for handler in ours.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Reticent("%(asctime)s %(levelname)s %(message)s"))
        ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
