"""The demonstration set: made once, for whichever tab asks for it."""

from __future__ import annotations

import threading
from functools import cache

from mirdemo.base.progress import Progress
from mirdemo.clips import LabelledClips

_MAKING = threading.Lock()


def festival_set() -> LabelledClips:
    """The project's own demonstration set, made once for all visitors: it is nobody's secret."""
    with _MAKING:  # two who ask at once wait for one making
        return _festival_set()


def festival_is_made() -> bool:
    """Whether the demonstration set is at hand already."""
    return bool(_festival_set.cache_info().currsize)


@cache
def _festival_set() -> LabelledClips:
    from mirdemo.synth.festival import festival_clips

    return festival_clips()


def festival(progress: Progress) -> LabelledClips:
    """The demonstration set, a small Japanese festival, as labelled clips."""
    progress(0, 0, "synthesising")
    return festival_set()
