"""How long something takes, as one says it."""

from __future__ import annotations

from mirdemo.base.sentences import Sentence


def time_of(minutes: float) -> Sentence:
    """``20 seconds``, ``8 minutes``, ``2.5 hours``; no finer than such figures are."""
    size = abs(minutes)
    if size < 0.95:
        seconds = max(round(60 * size), int(size > 0))
        if seconds == 1:
            return Sentence("1 second", "base.time.second")
        return Sentence("{n} seconds", "base.time.seconds", {"n": str(seconds)})
    if size < 4.95:
        return Sentence("{n} minutes", "base.time.minutes", {"n": f"{size:.1f}"})
    if size < 90:
        return Sentence("{n} minutes", "base.time.minutes", {"n": f"{size:.0f}"})
    if size < 6000:
        return Sentence("{n} hours", "base.time.hours", {"n": f"{size / 60:.1f}"})
    return Sentence("{n} hours", "base.time.hours", {"n": f"{size / 60:,.0f}"})
