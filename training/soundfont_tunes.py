"""Tunes in every tradition's scales and cycles that the synthesiser neither wrote nor plays: for validation only.

Nothing here trained a network. Scales (in cents) and cycles (in pulses) are the facts of
``mirdemo.synth``; the tunes are motifs varied by a rule of their own, in even rhythms that the
synthesiser does not use, and sampled instruments of a General MIDI soundfont play them, bent to the scale.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from soundfont import FAMILIES, Band, render_bands

from mirdemo.synth.corpus import ControlledClip
from mirdemo.synth.rhythm import Cycle, cycles_of, tempo_word
from mirdemo.synth.tuning import Scale, scales_of

#: General MIDI families that hold a tune; every fourth program of each plays tunes in the test split only.
MELODIC = ("piano", "organ", "guitar", "strings", "brass", "reed", "pipe", "ethnic")
#: Low stroke, high stroke and filler on General MIDI percussion keys.
DRUMS = ((36, 38, 42), (64, 62, 70), (41, 50, 37), (66, 65, 54), (61, 60, 75))
LENGTHS = (
    (1, 1, 2),
    (2, 1, 1),
    (1, 1, 1, 1),
    (2, 2),
    (3, 1),
    (1, 2, 1),
    (4,),
)  # pulses; a motif is two of them
TUNE, SHADOW, TONIC, FIFTH, DRUM = 0, 1, 2, 3, 9


def tunes(tradition: str, split: str, n: int, seed: int, seconds: float = 10.0) -> list[ControlledClip]:
    """n clips of one tradition: float32 samples at 24 kHz and their tags ``mode--``, ``rhythm--``, ``tempo--`` and
    ``instrument--`` (a General MIDI family). A clip without drums has no rhythm tag, as in the controlled corpora."""
    bands = []
    for number in range(n):
        rng = np.random.default_rng([seed, ("train", "valid", "test").index(split), number])
        bands.append(draw_tune(rng, tradition, split, seconds))
    waves = render_bands(bands, seconds, room=True)
    return [
        ControlledClip(
            wave,
            tuple(sorted(f"{family}--{tag}" for family, names in band.tags.items() for tag in names)),
            f"{tradition}-{split}-{seed}-{number}",
        )
        for number, (band, wave) in enumerate(zip(bands, waves, strict=True))
    ]


def draw_tune(rng: Generator, tradition: str, split: str, seconds: float) -> Band:
    """One arrangement; a quarter of the ``Band`` is a pulse of the cycle. Pitches are fractional MIDI numbers."""
    scales, cycles = scales_of(tradition), cycles_of(tradition)
    scale, cycle = scales[rng.integers(len(scales))], cycles[rng.integers(len(cycles))]
    tempo = math.exp(rng.uniform(*np.log(cycle.pulses_per_minute)))
    tonic = float(rng.uniform(55.0, 67.0))  # G3 to G4
    band = Band(tempo, round(tonic) % 12, {"mode": [scale.name], "tempo": [tempo_word(tempo)]}, {})
    pulses = math.ceil(seconds * tempo / 60)
    channels = [TUNE, SHADOW] if rng.random() < 0.5 else [TUNE]
    families = rng.choice(MELODIC, size=len(channels), replace=False)
    for channel, family in zip(channels, families, strict=True):
        band.programs[channel] = _program(rng, str(family), split)
    band.tags["instrument"] = sorted(map(str, families))
    notes = _melody(rng, scale, pulses)
    for start, length, degree in notes:
        for channel in channels:
            # the shadow an octave below, leaving every other note out
            if channel == TUNE or start % 2 == 0:
                pitch = tonic + scale.cents_of(degree) / 100 - 12 * (channel == SHADOW)
                band.notes.append((start, 0.9 * length, channel, pitch, int(rng.integers(80, 110))))
    if rng.random() < 0.6:
        band.programs |= {TONIC: 48, FIFTH: 48}
        fifth = min(scale.cents, key=lambda cents: abs(cents - 702)) / 100
        band.notes += [(0.0, pulses, TONIC, tonic - 12, 55), (0.0, pulses, FIFTH, tonic - 12 + fifth, 45)]
    if rng.random() < 0.8:
        band.tags["rhythm"] = [cycle.name]
        _strokes(band, rng, cycle, pulses)
    return band


def _program(rng: Generator, family: str, split: str) -> int:
    first = 8 * FAMILIES.index(family)
    return int(rng.choice([p for p in range(first, first + 8) if (p % 4 == 3) == (split == "test")]))


def _melody(rng: Generator, scale: Scale, pulses: int) -> list[tuple[float, float, int]]:
    """(start, length, degree): a motif, then the motif moved, mirrored or reversed, each time back home at the end."""
    lengths = [n for k in rng.integers(len(LENGTHS), size=2) for n in LENGTHS[k]]
    motif = np.clip(np.cumsum(rng.choice([-2, -1, 1, 1, 2], size=len(lengths))), -3, len(scale.cents))
    notes, start = [], 0.0
    while start < pulses:
        line = motif + int(rng.integers(-2, 4))
        line = (line, line[::-1], line[0] + line[0] - line)[rng.integers(3)]
        home = rng.random() < 0.5
        for i, (length, degree) in enumerate(zip(lengths, line, strict=True)):
            degree = (
                0 if home and i == len(lengths) - 1 else _sounding(scale, int(degree), rising=motif[-1] > 0)
            )
            notes.append((start, float(length), degree))
            start += length
    return notes


def _sounding(scale: Scale, degree: int, rising: bool) -> int:
    """The degree itself, or the next one down if lines in this direction leave it out."""
    allowed = scale.ascent if rising else scale.descent
    while degree % len(scale.cents) not in allowed:
        degree -= 1
    return degree


def _strokes(band: Band, rng: Generator, cycle: Cycle, pulses: int) -> None:
    low, high, filler = DRUMS[rng.integers(len(DRUMS))]
    keys = {"D": (low,), "T": (high,), "B": (low, high), "k": (filler,), ".": ()}
    pattern = cycle.patterns[rng.integers(len(cycle.patterns))]
    band.programs[DRUM] = 0
    offset = int(rng.integers(len(pattern)))
    for pulse in range(pulses):
        place = (pulse + offset) % len(pattern)
        late = cycle.swing if place % 2 else 0.0
        loud = 105 if place in cycle.accents else 80
        for key in keys[pattern[place]]:
            band.notes.append((pulse + late, 0.2, DRUM, key, loud + int(rng.integers(-10, 10))))
