"""A visitor with a real probe of a few sounds, and everything the evidence tab is made of."""

from __future__ import annotations

import numpy as np
import pytest

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.stages.probing import probe
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.tabs.probe.running import Asked, Result, Run

RATE = 8000


@pytest.fixture(scope="session")
def labelled() -> LabelledClips:
    """Twelve recordings, every other a "drum"; the other tag tries to be markup."""
    noise = np.random.default_rng(0)
    clips = [
        Clip.of(noise.standard_normal(RATE // 4).astype(np.float32) / 9, RATE, f"{i}.wav") for i in range(12)
    ]
    tags = [("drum",) if i % 2 else ("<b>flute",) for i in range(12)]
    return LabelledClips.from_clips(clips, tags, [f"recording {i}" for i in range(12)], limits=CLIP_LIMITS)


@pytest.fixture(scope="session")
def probed(labelled: LabelledClips) -> Result:
    """A real probe, of rows that tell the tags apart most of the time."""
    rows = np.random.default_rng(1).standard_normal((12, 6)) + 1.2 * labelled.labels[:, :1]
    report = probe({"1": rows}, labelled.labels, labelled.recordings, tags=labelled.tags)
    return Result.of(Asked.of(labelled), (Run("mini-world", report, None, 2.5),))
