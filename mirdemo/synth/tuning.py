"""Scales with their real intervals, in cents above the tonic.

Sources
- Western: twelve equal semitones.
- Greek dromoi: played on fretted, equally tempered bouzouki and guitar, so semitones of 100 cents, in the
  forms that R. P. Pennanen describes ("Westernisation and Modernisation in Greek Popular Music", 1999;
  "The development of chordal harmony in Greek rebetika and laika music", British Journal of
  Ethnomusicology 6, 1997). Rast takes the major seventh going up and the minor one coming down.
- Makam: the Arel-Ezgi-Uzdilek theory in Holdrian commas, 53 to the octave, with the tetrachords and
  pentachords as it joins them. Uşşak's second is set one comma below its notation: measured
  performances put it lower than the theory does (B. Bozkurt, "An automatic pitch analysis method for
  Turkish maqam music", Journal of New Music Research 37(1), 2008; B. Bozkurt, O. Yarman, M. K.
  Karaosmanoğlu and C. Akkoç, "Weighing diverse theoretical models on Turkish maqam music against pitch
  measurements", Journal of New Music Research 38(1), 2009).
- Hindustani raga: just ratios over the drone for the twelve svaras; pitch sets and movement after
  V. N. Bhatkhande, "Hindustani Sangeet Paddhati", and N. A. Jairazbhoy, "The Rags of North Indian
  Music" (1971).
- Carnatic raga: the same twelve just positions in Venkatamakhin's melakarta scheme of 72 scales
  (S. Bhagyalekshmy, "Ragas in Carnatic Music", 1990).
- Japanese: in and yo with their different seventh and sixth going up and down, after Uehara Rokushirō,
  "Zokugaku senritsu kō" (1895); miyako-bushi, ritsu and min'yō built of two like tetrachords a whole
  tone apart, whose outer tones are fixed and whose inner tone is movable, after Koizumi Fumio, "Nihon
  dentō ongaku no kenkyū" (1958). Fixed tones are Pythagorean; the miyako-bushi semitone is the narrow
  Pythagorean one (256/243).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

KOMA = 1200.0 / 53.0  # Holdrian comma in cents


@dataclass(frozen=True)
class Scale:
    """One octave of a mode.

    name: as in its tag
    tradition: the tradition it belongs to
    cents: all pitches of one octave above the tonic, rising from 0, in cents
    ascent, descent: indices into ``cents`` that a rising and a falling line use
    """

    name: str
    tradition: str
    cents: tuple[float, ...]
    ascent: tuple[int, ...]
    descent: tuple[int, ...]

    def cents_of(self, degree: int) -> float:
        """Cents above the tonic of a degree (0 is the tonic, ``len(cents)`` its octave, -1 below it)."""
        octave, index = divmod(degree, len(self.cents))
        return 1200.0 * octave + self.cents[index]

    def neighbour(self, degree: int, direction: int) -> int:
        """The next degree up (direction > 0, by the ascent) or down (by the descent)."""
        allowed = self.ascent if direction > 0 else self.descent
        step = 1 if direction > 0 else -1
        degree += step
        while degree % len(self.cents) not in allowed:
            degree += step
        return degree


def _scale(
    name: str,
    tradition: str,
    cents: list[float],
    ascent: tuple[int, ...] | None = None,
    descent: tuple[int, ...] | None = None,
) -> Scale:
    every = tuple(range(len(cents)))
    return Scale(name, tradition, tuple(cents), ascent or every, descent or every)


def _semitones(*steps: float) -> list[float]:
    return [100.0 * step for step in steps]


def _komas(*intervals: int) -> list[float]:
    """Successive steps in commas (they fill the octave of 53) as cents above the tonic."""
    places, total = [], 0
    for interval in intervals:
        places.append(total * KOMA)
        total += interval
    if total != 53:
        raise ValueError(f"steps sum to {total} commas, not to an octave of 53")
    return places


def _ratios(*ratios: tuple[int, int]) -> list[float]:
    return [1200.0 * math.log2(above / below) for above, below in ratios]


# The twelve svaras as just ratios; capitals are the raised form (komal re = r, shuddha re = R).
_SVARA = {
    "S": (1, 1), "r": (16, 15), "R": (9, 8), "g": (6, 5), "G": (5, 4), "m": (4, 3), "M": (45, 32),
    "P": (3, 2), "d": (8, 5), "D": (5, 3), "n": (9, 5), "N": (15, 8),
}  # fmt: skip


def _svaras(names: str) -> list[float]:
    return _ratios(*(_SVARA[name] for name in names))


_LIMMA, _TONE, _FOURTH, _FIFTH = (256, 243), (9, 8), (4, 3), (3, 2)

SCALES: dict[str, Scale] = {
    scale.name: scale
    for scale in (
        _scale("Major", "western", _semitones(0, 2, 4, 5, 7, 9, 11)),
        _scale("Minor", "western", _semitones(0, 2, 3, 5, 7, 8, 10)),
        _scale("Dorian", "western", _semitones(0, 2, 3, 5, 7, 9, 10)),
        _scale("Mixolydian", "western", _semitones(0, 2, 4, 5, 7, 9, 10)),
        _scale("Blues", "western", _semitones(0, 3, 5, 6, 7, 10)),
        _scale(
            "Dromos Rast",
            "greek",
            _semitones(0, 2, 4, 5, 7, 9, 10, 11),
            (0, 1, 2, 3, 4, 5, 7),
            (0, 1, 2, 3, 4, 5, 6),
        ),
        _scale("Ousak", "greek", _semitones(0, 1, 3, 5, 7, 8, 10)),
        _scale("Hitzaz", "greek", _semitones(0, 1, 4, 5, 7, 8, 10)),
        _scale("Niaventi", "greek", _semitones(0, 2, 3, 6, 7, 8, 11)),
        _scale("Pireotikos", "greek", _semitones(0, 1, 4, 6, 7, 8, 11)),
        _scale("Rast", "makam", _komas(9, 8, 5, 9, 9, 8, 5)),
        _scale("Uşşak", "makam", _komas(7, 6, 9, 9, 4, 9, 9)),
        _scale("Hicaz", "makam", _komas(5, 12, 5, 9, 8, 5, 9)),
        _scale("Segah", "makam", _komas(5, 9, 8, 9, 5, 12, 5)),
        _scale("Saba", "makam", _komas(8, 5, 5, 12, 5, 9, 9)),
        _scale("Nihavend", "makam", _komas(9, 4, 9, 9, 4, 13, 5)),
        _scale("Yaman", "hindustani", _svaras("SRGMPDN"), (1, 2, 3, 5, 6)),
        _scale("Bhairav", "hindustani", _svaras("SrGmPdN")),
        _scale("Miyan ki Todi", "hindustani", _svaras("SrgMPdN"), (0, 1, 2, 3, 5, 6)),
        _scale("Bhupali", "hindustani", _svaras("SRGPD")),
        _scale("Malkauns", "hindustani", _svaras("Sgmdn")),
        _scale("Kafi", "hindustani", _svaras("SRgmPDn")),
        _scale("Kalyani", "carnatic", _svaras("SRGMPDN")),
        _scale("Mayamalavagaula", "carnatic", _svaras("SrGmPdN")),
        _scale("Hanumatodi", "carnatic", _svaras("SrgmPdn")),
        _scale("Mohanam", "carnatic", _svaras("SRGPD")),
        _scale("Hindolam", "carnatic", _svaras("Sgmdn")),
        _scale("Kharaharapriya", "carnatic", _svaras("SRgmPDn")),
        _scale(
            "In",
            "festival",
            _ratios((1, 1), (16, 15), _FOURTH, _FIFTH, (8, 5), (16, 9)),
            (0, 1, 2, 3, 5),
            (0, 1, 2, 3, 4),
        ),
        _scale(
            "Yo",
            "festival",
            _ratios((1, 1), _TONE, _FOURTH, _FIFTH, (27, 16), (16, 9)),
            (0, 1, 2, 3, 5),
            (0, 1, 2, 3, 4),
        ),
        _scale("Miyako-bushi", "festival", _ratios((1, 1), _LIMMA, _FOURTH, _FIFTH, (128, 81))),
        _scale("Ritsu", "festival", _ratios((1, 1), _TONE, _FOURTH, _FIFTH, (27, 16))),
        _scale("Min'yo", "festival", _ratios((1, 1), (32, 27), _FOURTH, _FIFTH, (16, 9))),
    )
}


def scales_of(tradition: str) -> tuple[Scale, ...]:
    """The scales of one tradition, in the order of the table."""
    return tuple(scale for scale in SCALES.values() if scale.tradition == tradition)


#: What every tradition plays in "timbre only" mode: an equal-tempered pentatonic that belongs to none of them.
PLAIN_SCALE = _scale("plain", "", _semitones(0, 2, 4, 7, 9))
