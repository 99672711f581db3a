"""How a mode moves: where a line begins, which degree it dwells on, and its characteristic turns.

A mode is more than its scale: Yaman and Kalyani share one, and so do Bhairav and Mayamalavagaula. Each
has here its path (seyir: ascending from the tonic, descending from the octave, or both from the middle),
the degree it dwells on (güçlü, vadi, dominant, Koizumi's nuclear tone) and a few characteristic turns,
written as scale degrees. The turns are the common teaching examples, in our own abridgement: for makam
after İ. H. Özkan 1984 and M. E. Aydemir, "Turkish Music Makam Guide" (2010); for Hindustani raga after
Bhatkhande's pakad and Jairazbhoy 1971; for Carnatic raga after S. Bhagyalekshmy 1990; for dromoi after
Pennanen 1999; for Japan after Koizumi 1958 (a line hangs on the outer tones of its tetrachords).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.synth.draws import phrase_owner, pick
from mirdemo.synth.tuning import Scale


@dataclass(frozen=True)
class Movement:
    """How lines of one mode go. All numbers are degrees of its scale.

    path: where successive phrases come to rest before the last, which rests on the tonic
    start: first degree
    vadi: the degree that is dwelt on
    turns: characteristic turns
    """

    path: tuple[int, ...]
    start: int
    vadi: int
    turns: tuple[tuple[int, ...], ...]


MOVEMENTS: dict[str, Movement] = {
    # Western: degrees 0-6 (Blues 0-5)
    "Major": Movement((4, 2), 0, 4, ((0, 2, 4, 2), (4, 3, 2, 1, 0), (5, 4, 2, 4), (0, 1, 2, 4))),
    "Minor": Movement((4, 2), 0, 4, ((0, 2, 4, 5, 4), (4, 3, 2, 1, 0), (0, -1, 0, 2), (7, 5, 4, 2))),
    "Dorian": Movement((4, 3), 0, 3, ((0, 2, 3, 5, 4), (5, 6, 5, 3), (3, 2, 1, 0), (0, -1, 0, 2, 3))),
    "Mixolydian": Movement((4, 6), 0, 4, ((0, 2, 4, 6), (7, 6, 5, 4), (4, 3, 2, 0), (0, -1, 0))),
    "Blues": Movement((4, 2), 4, 0, ((0, 1, 2, 1, 0), (4, 3, 2, 1, 0), (5, 6, 5, 4), (2, 3, 2, 1))),
    # Greek
    "Dromos Rast": Movement((4, 2), 0, 4, ((0, 1, 2, 3, 4), (8, 6, 5, 4, 3), (4, 3, 2, 1, 0), (8, 7, 8))),
    "Ousak": Movement((3, 2), 2, 3, ((0, 1, 2, 3, 2), (3, 2, 1, 0), (0, -1, 0, 1), (4, 3, 2, 3))),
    "Hitzaz": Movement((4, 3), 0, 3, ((0, 1, 2, 3), (3, 2, 1, 0), (4, 5, 4, 3, 2), (2, 1, 2, 3, 2, 1, 0))),
    "Niaventi": Movement((4, 4), 4, 4, ((4, 3, 4, 5, 4), (4, 3, 2, 1, 0), (7, 6, 5, 4), (0, 2, 3, 4))),
    "Pireotikos": Movement((4, 3), 4, 3, ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (3, 4, 5, 4, 3), (7, 6, 7))),
    # Makam: rast, uşşak, segah rise; hicaz, saba, nihavend move from the middle
    "Rast": Movement((4, 2), 0, 4, ((0, -1, 0, 1, 2), (4, 3, 2, 1, 0), (2, 3, 4, 5, 4), (0, -3, -1, 0))),
    "Uşşak": Movement((3, 1), 0, 3, ((0, 1, 2, 3, 2), (3, 2, 1, 0), (0, -1, 0, 1), (1, 2, 1, 0))),
    "Hicaz": Movement((3, 4), 3, 3, ((3, 2, 1, 0), (3, 4, 5, 4, 3), (2, 3, 2, 1, 0), (0, 1, 2, 3))),
    "Segah": Movement((2, 4), 0, 2, ((0, 1, 2, 1, 0), (2, 1, 0, -1, 0), (0, -1, 0), (4, 3, 2, 1, 0))),
    "Saba": Movement((2, 3), 2, 2, ((2, 3, 2, 1, 0), (0, 1, 2, 3, 2), (5, 4, 3, 2), (2, 1, 0, -1, 0))),
    "Nihavend": Movement((4, 3), 4, 4, ((4, 5, 4, 3, 2), (0, 1, 2, 3, 4), (2, 1, 0, -1, 0), (7, 6, 5, 4))),
    # Hindustani
    "Yaman": Movement((2, 4), -1, 2, ((-1, 1, 2), (2, 3, 5, 6), (4, 3, 2, 1, 0), (-1, 1, 2, 1, 0), (6, 5, 4, 3, 2))),
    "Bhairav": Movement((4, 1), 0, 5, ((2, 3, 5, 4), (2, 3, 1, 0), (0, 1, 2, 3), (5, 5, 4), (3, 2, 1, 0))),
    "Miyan ki Todi": Movement((5, 2), 0, 5, ((5, -1, 0, 1, 2), (2, 1, 0), (3, 5, 6, 5), (5, 3, 2, 1, 0), (1, 2, 3, 5))),
    "Bhupali": Movement((3, 4), 0, 2, ((2, 1, 0, -1, 0), (0, 1, 2, 3, 2), (3, 4, 3, 2), (2, 3, 4, 5), (1, 2, 1, 0))),
    "Malkauns": Movement((2, 3), 2, 2, ((2, 1, 2, 1, 0), (1, 2, 3, 4, 5), (3, 2, 1, 0), (-1, -2, 0, 2), (4, 3, 2))),
    "Kafi": Movement((4, 2), 0, 4, ((0, 0, 1, 1, 2, 2, 3, 3, 4), (4, 3, 2, 1, 0), (3, 4, 5, 6, 5), (2, 1, 0, -1, 0))),
    # Carnatic
    "Kalyani": Movement((4, 2), 0, 2, ((0, -1, 1, 2), (2, 3, 5, 6), (5, 4, 3, 2, 1), (4, 5, 6, 7), (1, 0, -1, -2, 0))),
    "Mayamalavagaula": Movement((4, 2), 0, 4, ((0, 1, 2, 3), (4, 5, 6, 7), (7, 6, 5, 4), (3, 2, 1, 0), (2, 1, 2, 3, 4))),
    "Hanumatodi": Movement((3, 2), 2, 3, ((2, 3, 5, 6), (5, 3, 2, 1, 0), (-1, 0, 1, 2), (2, 1, 0), (4, 3, 2, 3))),
    "Mohanam": Movement((3, 4), 2, 2, ((2, 3, 4, 5), (4, 3, 2, 1), (0, 1, 2, 3), (2, 2, 3, 2, 1, 0), (5, 6, 5, 4))),
    "Hindolam": Movement((2, 3), 0, 2, ((0, 1, 2, 3), (3, 4, 5), (4, 3, 2, 1, 0), (2, 1, 0, -1, 0), (5, 4, 3, 2))),
    "Kharaharapriya": Movement((4, 1), 1, 4, ((1, 2, 3, 4), (4, 5, 6, 5, 4), (3, 2, 1, 0), (1, 2, 1, 0), (4, 3, 2, 1))),
    # Japanese festival: In and Yo have six pitches an octave, of which a line uses five
    "In": Movement((3, 2), 3, 3, ((3, 2, 1, 0), (2, 3, 5, 6), (4, 3, 2), (0, 1, 2, 1, 0), (6, 4, 3))),
    "Yo": Movement((3, 2), 3, 3, ((3, 2, 1, 0), (2, 3, 5, 6), (4, 3, 2, 3), (0, 1, 2, 3), (6, 4, 3, 2))),
    "Miyako-bushi": Movement((3, 2), 2, 3, ((4, 3, 2), (2, 1, 0), (5, 4, 3), (3, 4, 3, 2, 1, 0), (0, 1, 0))),
    "Ritsu": Movement((3, 2), 0, 3, ((0, 1, 2, 3), (4, 3, 2), (3, 4, 5), (2, 1, 0), (3, 2, 3, 4, 3))),
    "Min'yo": Movement((2, 4), 2, 2, ((2, 1, 0), (0, 1, 2, 3, 2), (4, 3, 2), (5, 4, 3, 2), (3, 4, 5, 4))),
    # What every tradition plays in "timbre only" mode
    "plain": Movement((3, 2), 0, 2, ((0, 1, 2), (4, 3, 2), (2, 1, 0), (2, 3, 4))),
}  # fmt: skip

_TURN, _ONWARD, _LEAP = 0.5, 0.7, 0.12  # how often: a turn, a step towards the goal, a leap to the vadi
_PATIENCE, _TRIES = 40, 1000


def line(rng: np.random.Generator, scale: Scale, count: int, start: int, goal: int) -> list[int]:
    """Degrees of one phrase.

    scale: its name has an entry in ``MOVEMENTS``
    count: notes, at least 1
    start, goal: first degree, and the one it rests on at last
    Returns ``count`` degrees that move by turns of the mode, by its ascent and descent, seldom by leap.
    """
    movement = MOVEMENTS[scale.name]
    size = len(scale.cents)
    low, high = min(start, goal, -2), max(start, goal, size + 2)
    degrees = [start]
    while len(degrees) < count:
        here = degrees[-1]
        left = count - len(degrees)
        turns = [turn for turn in movement.turns if abs(turn[0] - here) <= 1 and len(turn) <= left]
        if turns and rng.random() < _TURN:
            turn = pick(rng, turns)
            degrees.extend(turn[1:] if turn[0] == here else turn)
        elif abs(here - movement.vadi) > 1 and left > 2 and rng.random() < _LEAP:
            degrees.append(movement.vadi)
        else:
            onward = 1 if goal > here else -1 if goal < here else int(pick(rng, (-1, 1)))
            direction = onward if rng.random() < _ONWARD or left <= abs(goal - here) else -onward
            step = scale.neighbour(here, direction)
            degrees.append(step if low <= step <= high else scale.neighbour(here, -direction))
    degrees[-1] = goal
    if count > 2 and abs(degrees[-2] - goal) > 2:
        degrees[-2] = scale.neighbour(goal, 1 if degrees[-2] > goal else -1)
    return degrees


def phrase(
    rng: np.random.Generator, scale: Scale, lengths: list[float], start: int, goal: int, split: str
) -> list[tuple[int, float]]:
    """A phrase as (degree, length in pulses) pairs that belongs to the split and to no other.

    lengths: of its notes, in pulses. Where they leave too little choice for the split to own a phrase, the
    longest note becomes two.
    """
    for attempt in range(_TRIES):
        if attempt and attempt % _PATIENCE == 0:
            place = lengths.index(max(lengths))
            lengths = [*lengths[:place], lengths[place] / 2, lengths[place] / 2, *lengths[place + 1 :]]
        candidate = list(zip(line(rng, scale, len(lengths), start, goal), lengths, strict=True))
        if phrase_owner(candidate) == split:
            return candidate
    raise RuntimeError(f"no phrase in {scale.name} from {start} to {goal} belongs to {split}")
