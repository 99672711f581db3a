"""Writing the parts: phrases laid on the cycle, and what accompanies them.

All times are in seconds after the performance's first downbeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mirdemo.synth import draws
from mirdemo.synth.events import Note, Stroke
from mirdemo.synth.melody import MOVEMENTS, phrase
from mirdemo.synth.ornaments import FROM_BEFORE
from mirdemo.synth.rhythm import Cycle
from mirdemo.synth.traditions import Tradition
from mirdemo.synth.tuning import Scale


def lengths(rng: np.random.Generator, cycle: Cycle, pulse: float, cycles: int) -> list[float]:
    """Note lengths in pulses that fill a number of cycles: accents are mostly played, the rest by tempo."""
    onsets = []
    busy = float(rng.uniform(0.75, 1.25))
    for number in range(cycles):
        for place in range(cycle.pulses):
            chance = 0.88 if place in cycle.accents else min(0.8, busy * pulse / 0.38)
            if (number == 0 and place == 0) or rng.random() < chance:
                onsets.append(float(number * cycle.pulses + place))
            if pulse > 0.36 and rng.random() < 0.4:
                onsets.append(number * cycle.pulses + place + 0.5)
    edges = [*onsets, float(cycles * cycle.pulses)]
    lengths = [after - before for before, after in pairwise(edges)]
    while len(lengths) < 4:  # a phrase too sparse to have a shape: halve its longest notes
        place = lengths.index(max(lengths))
        lengths[place : place + 1] = [lengths[place] / 2] * 2
    return lengths


def free_lengths(rng: np.random.Generator) -> list[float]:
    """Note lengths in seconds of one unmetered phrase: a long note, runs, a longer rest at the end."""
    count = int(rng.integers(5, 12))
    lengths = [round(float(rng.uniform(0.5, 1.2)), 2)]
    lengths += [
        round(float(rng.choice([0.14, 0.2, 0.28, 0.45, 0.8]) * rng.uniform(0.85, 1.15)), 2)
        for _ in range(count)
    ]
    return [*lengths, round(float(rng.uniform(0.7, 1.4)), 2)]


def _ornament(
    rng: np.random.Generator,
    tradition: Tradition | None,
    scale: Scale,
    degree: int,
    before: int | None,
    seconds: float,
) -> tuple[str, float]:
    """The ornament of a note and its reach in cents."""
    if tradition is None or seconds < 0.14 or rng.random() > tradition.ornamented:
        return "plain", 0.0
    names, weights = zip(*tradition.ornaments, strict=True)
    name = draws.pick(rng, names, weights)
    if name in FROM_BEFORE:
        origin = before if before is not None and before != degree else scale.neighbour(degree, -1)
        return name, scale.cents_of(origin) - scale.cents_of(degree)
    direction = -1 if name in ("gamaka", "fall") and rng.random() < 0.4 else 1
    return name, scale.cents_of(scale.neighbour(degree, direction)) - scale.cents_of(degree)


@dataclass
class Score:
    """The line while it is written: phrases with the times at which they sound."""

    scale: Scale
    split: str
    tradition: Tradition | None
    pulse: float  # seconds
    swing: float = 0.0

    def time(self, pulses: float) -> float:
        """Seconds at which a place in the cycle sounds."""
        late = self.swing if round(pulses * 2) % 4 == 2 else 0.0
        return (pulses + late) * self.pulse

    def notes(self, rng: np.random.Generator, melody: list[tuple[int, float]], begin: float) -> list[Note]:
        """One phrase, in place: begin is its first pulse."""
        notes: list[Note] = []
        before, place = None, begin
        for number, (degree, length) in enumerate(melody):
            start, end = self.time(place), self.time(place + length)
            last = number == len(melody) - 1
            seconds = (end - start) * (0.82 if last else 0.97)
            ornament, reach = _ornament(rng, self.tradition, self.scale, degree, before, seconds)
            velocity = float(np.clip(0.72 + 0.1 * (number == 0) + rng.normal(0.0, 0.09), 0.35, 1.0))
            shift = float(rng.normal(0.0, 0.008))
            tied = number > 0 and rng.random() < 0.7
            notes.append(
                Note(start + shift, seconds, self.scale.cents_of(degree), velocity, ornament, reach, tied)
            )
            before, place = degree, place + length
        return notes


def phrases(
    rng: np.random.Generator, score: Score, form: str, lengths: list[list[float]], count: int
) -> list[list[tuple[int, float]]]:
    """As many phrases as asked for, in the order of the form, each owned by the split.

    lengths: two rhythms to choose from.
    """
    movement = MOVEMENTS[score.scale.name]

    def new(rhythm: int, start: int, goal: int) -> list[tuple[int, float]]:
        return phrase(rng, score.scale, lengths[rhythm], start, goal, score.split)

    first = new(0, movement.start, movement.path[0])
    close = new(0, movement.vadi, 0)
    if form == "Dance":
        kinds = [first, first, close]
    elif form == "Call and response":
        kinds = [first, close]
    elif form == "Song":
        kinds = [first, close, new(1, movement.path[0], movement.path[1]), close]
    else:
        kinds = [
            first,
            new(1, movement.path[0], movement.path[1]),
            new(0, movement.path[1], movement.vadi),
            new(1, movement.vadi, 0),
        ]
    return [kinds[i % len(kinds)] for i in range(count)]


def shadow(rng: np.random.Generator, notes: list[Note]) -> list[Note]:
    """The same line by a second player: a little late, plainer, now and then without a short note."""
    lag = float(rng.uniform(0.01, 0.045))
    kept = [note for note in notes if note.seconds > 0.3 or rng.random() < 0.75]
    return [
        Note(
            note.start + lag + float(rng.normal(0.0, 0.006)),
            note.seconds,
            note.cents,
            0.8 * note.velocity,
            tied=note.tied,
        )
        for note in kept
    ]


def chords(rng: np.random.Generator, scale: Scale, cycle: Cycle, score: Score, cycles: range) -> list[Note]:
    """Chords on the cycle's accents: stacked thirds of the scale where it has seven degrees, else fifths."""
    sevenths = len(scale.ascent) >= 7
    roots = (
        [0, int(draws.pick(rng, (3, 4, 5))), int(draws.pick(rng, (3, 4))), 0] if sevenths else [0, 0, 0, 0]
    )
    strum = float(rng.uniform(0.004, 0.02))
    notes = []
    for number in cycles:
        root = roots[number % len(roots)]
        degrees = [
            scale.ascent[i % len(scale.ascent)] + len(scale.cents) * (i // len(scale.ascent))
            for i in (root, root + 2, root + 4)
        ]
        pitches = [scale.cents_of(degree) for degree in degrees] if sevenths else [0.0, 700.0, 1200.0]
        for accent, following in zip(cycle.accents, (*cycle.accents[1:], cycle.pulses), strict=True):
            begin = score.time(number * cycle.pulses + accent)
            end = score.time(number * cycle.pulses + following)
            velocity = 0.75 if accent == 0 else float(rng.uniform(0.4, 0.65))
            notes += [
                Note(begin + i * strum, 0.95 * (end - begin), cents, velocity)
                for i, cents in enumerate(pitches)
            ]
    return notes


def bass(chords: list[Note]) -> list[Note]:
    """The lowest note of each chord."""
    lowest: dict[int, Note] = {}
    for note in chords:
        key = round(note.start * 20)
        held = next((lowest[k] for k in (key - 1, key) if k in lowest), None)
        if held is None:
            lowest[key] = note
    return list(lowest.values())


def drone(rng: np.random.Generator, scale: Scale, begin: float, seconds: float) -> list[Note]:
    """A tanpura's four strings in turn: fifth (fourth where the scale lacks it), tonic, tonic, tonic below.

    begin: where the downbeat lies in the clip; the strings sound from before the clip's start to its end
    """
    fifth = min(scale.cents, key=lambda cents: abs(cents - 702.0))
    first = fifth if abs(fifth - 702.0) < 30.0 else min(scale.cents, key=lambda cents: abs(cents - 498.0))
    gap = float(rng.uniform(0.55, 0.95))
    pitches = (first - 1200.0, 0.0, 0.0, -1200.0)
    entry = int(rng.integers(4))
    count = int((seconds + 0.5) / gap) + 1
    return [
        Note(0.02 - begin + i * gap, 4.0 * gap, pitches[(entry + i) % 4], float(rng.uniform(0.6, 0.8)))
        for i in range(count)
    ]


def calls(rng: np.random.Generator, period: float, seconds: float) -> list[Note]:
    """Kakegoe: shouts of two syllables just before a downbeat, the second higher and falling.

    period: seconds of a cycle; seconds: how long to go on
    """
    notes, number = [], int(rng.integers(2))
    apart = max(1, round(1.6 / period))
    while number * period < seconds:
        if rng.random() < 0.85:
            start = number * period - float(rng.uniform(0.3, 0.45))
            pitch = float(rng.uniform(-100.0, 400.0))
            notes.append(Note(start, 0.16, pitch, 0.7, "slide", -400.0))
            notes.append(
                Note(start + 0.17, float(rng.uniform(0.3, 0.42)), pitch + 300.0, 1.0, "fall", 600.0, True)
            )
        number += apart + int(rng.integers(apart + 1))
    return notes


_LIGHT = 0.45


def strokes(rng: np.random.Generator, cycle: Cycle, score: Score, cycles: range, fill: float) -> list[Stroke]:
    """Strokes of a cycle, repeated with small changes; fill: the chance of a light stroke in a silent pulse."""
    pattern = str(draws.pick(rng, cycle.patterns))
    strokes = []
    for number in cycles:
        for place, letter in enumerate(pattern):
            start = score.time(number * cycle.pulses + place) + float(rng.normal(0.0, 0.004))
            accent = 1.0 if place == 0 else 0.86 if place in cycle.accents else 0.74
            if letter == ".":
                if rng.random() < fill:
                    strokes.append(Stroke(start, "k", _LIGHT * float(rng.uniform(0.7, 1.1))))
                continue
            loud = (_LIGHT if letter == "k" else accent) * float(rng.uniform(0.85, 1.1))
            for one in "DT" if letter == "B" else letter:
                strokes.append(Stroke(start, one, min(1.0, loud)))
    return strokes
