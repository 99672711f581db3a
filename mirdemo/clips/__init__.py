"""Clips with their tags and recordings: read from files, folders, zips and sheets, edited, counted.

>>> clips = LabelledClips.from_folder("festival")         # festival/taiko/01.wav has the tag "taiko"
>>> clips = clips.add(LabelledClips.from_files(["call.mp3"], tags="voice, slow"))
>>> clips.tags, clips.counts(), [str(sentence) for sentence in clips.problems]
"""

from mirdemo.clips.labelled import FEWEST_RECORDINGS, LabelledClips, TagCount
from mirdemo.clips.limits import CLIP_LIMITS, ClipLimits, ClipsError

__all__ = [
    "CLIP_LIMITS",
    "FEWEST_RECORDINGS",
    "ClipLimits",
    "ClipsError",
    "LabelledClips",
    "TagCount",
]
