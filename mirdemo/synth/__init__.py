"""Controlled corpora: short synthetic performances of six musical traditions, made from a seed.

    performance = plan("makam", 7, split="train")      # what is played: notes, strokes, instruments, tags
    samples = render(performance, rate=24000)          # how it sounds
    samples = render(performance, view=3)              # the same, elsewhere: tonic, instrument, room, level

They let one ask a network what it hears with everything else held equal; they stand in for no real music.
"""

from __future__ import annotations

from mirdemo.synth.corpus import ControlledClip, corpus, generate
from mirdemo.synth.festival import FestivalClip, festival_clips, festival_queries, write_festival
from mirdemo.synth.performance import MODES, ControlledError, Performance, Wanted, plan
from mirdemo.synth.render import View, render
from mirdemo.synth.traditions import TAG_FAMILIES, TRADITIONS

__all__ = [
    "MODES",
    "TAG_FAMILIES",
    "TRADITIONS",
    "ControlledClip",
    "ControlledError",
    "FestivalClip",
    "Performance",
    "View",
    "Wanted",
    "corpus",
    "festival_clips",
    "festival_queries",
    "generate",
    "plan",
    "render",
    "write_festival",
]
