"""Rhythm cycles: how many pulses, how they group, and what a drum plays on them.

A pattern is one letter a pulse: D low (düm, don, kick), T high (tek, na, snare), B both at once (dha),
k light filler, ``.`` silence.

Sources
- Western: the backbeat (snare on two and four), four-on-the-floor, the waltz, the 12/8 shuffle:
  common practice of drum-kit playing (A. F. Moore, "Song Means", 2012).
- Greek: kalamatianos 3+2+2, syrtos 3+3+2, karsilamas and (slow) zeibekiko 2+2+2+3, tsifteteli and
  hasapiko: R. P. Pennanen 1999 (see tuning.py); S. Baud-Bovy, "Essai sur la chanson populaire grecque" (1983).
- Makam usuls with their düm, tek, te-ke: aksak 9 (2+2+2+3), sofyan 4, düyek 8, curcuna 10 (3+2+2+3),
  devr-i hindi 7 (3+2+2): İ. H. Özkan, "Türk Mûsıkîsi Nazariyatı ve Usûlleri" (1984).
- Hindustani talas by their theka, one pulse a matra: tintal 16, jhaptal 10, rupak 7, keherwa 8:
  M. Clayton, "Time in Indian Music" (2000).
- Carnatic talas, two pulses an akshara: adi 8, rupaka 6, misra chapu 7 (3+2+2), khanda chapu 5 (2+3):
  P. Sambamurthy, "South Indian Music", book 3. The strokes are ours, laid on those accents.
- Japanese festival: four stylised patterns (ours) in the manner of Tokyo and Chichibu matsuri-bayashi and
  of bon dances, for the playing of which see W. P. Malm, "Japanese Music and Musical Instruments"
  (1959, chapter 2), and "Shoden: A Study in Tokyo Festival Music", Yearbook of the IFMC 7 (1975).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cycle:
    """One rhythm cycle.

    name: as in its tag
    tradition: whose it is
    groups: lengths of its groups, in pulses; accents fall where they begin
    patterns: ways to play it, one letter a pulse
    pulses_per_minute: (slowest, fastest)
    swing: how far every second pulse comes late, as a fraction of a pulse
    """

    name: str
    tradition: str
    groups: tuple[int, ...]
    patterns: tuple[str, ...]
    pulses_per_minute: tuple[float, float]
    swing: float = 0.0

    @property
    def pulses(self) -> int:
        """Pulses in one cycle."""
        return sum(self.groups)

    @property
    def accents(self) -> tuple[int, ...]:
        """Pulses at which a group begins."""
        return tuple(sum(self.groups[:i]) for i in range(len(self.groups)))


CYCLES: dict[str, Cycle] = {
    cycle.name: cycle
    for cycle in (
        Cycle("Backbeat 4/4", "western", (4, 4), ("DkTkDkTk", "DkTkDDTk", "DkTDkDTk"), (130, 340)),
        Cycle("Four on the floor 4/4", "western", (2, 2, 2, 2), ("DkBkDkBk", "DkDkDkDk"), (130, 340)),
        Cycle("Waltz 3/4", "western", (2, 2, 2), ("D.T.T.", "DkTkTk"), (130, 340)),
        Cycle("Shuffle 12/8", "western", (3, 3, 3, 3), ("D.kT.kD.kT.k", "D.kT.kD.DT.k"), (150, 400)),
        Cycle("Kalamatianos 7/8", "greek", (3, 2, 2), ("D.kT.T.", "D.TT.Tk", "D.kD.T."), (130, 360)),
        Cycle("Karsilamas 9/8", "greek", (2, 2, 2, 3), ("D.T.D.T.T", "DkT.DkTkT"), (170, 400)),
        Cycle(
            "Zeibekiko 9/4", "greek", (4, 4, 4, 6), ("D.kkT...D.kkT.T.T.", "D..kT.k.D..kT.T.k."), (130, 320)
        ),
        Cycle("Tsifteteli 4/4", "greek", (2, 2, 2, 2), ("DT.TD.T.", "DTkTDkT."), (130, 340)),
        Cycle("Syrtos 4/4", "greek", (3, 3, 2), ("D..T..T.", "D.kT.kT."), (140, 360)),
        Cycle("Aksak 9/8", "makam", (2, 2, 2, 3), ("D.kkD.T.T", "D.kkD.T.k"), (170, 400)),
        Cycle("Sofyan 4/4", "makam", (4, 4), ("D...T.k.", "D.k.T.kk"), (130, 340)),
        Cycle("Düyek 8/8", "makam", (1, 2, 1, 2, 2), ("DT.TD.T.", "DTkTD.Tk"), (130, 340)),
        Cycle("Curcuna 10/8", "makam", (3, 2, 2, 3), ("D.TT.D.T.k", "DkTT.D.TkT"), (180, 400)),
        Cycle("Devr-i hindi 7/8", "makam", (3, 2, 2), ("DTTD.T.", "D.TD.Tk"), (130, 360)),
        Cycle("Tintal", "hindustani", (4, 4, 4, 4), ("BBBBBBBBBTTTTBBB",), (110, 360)),
        Cycle("Jhaptal", "hindustani", (2, 3, 2, 3), ("BTBBTTTBBT",), (110, 320)),
        Cycle("Rupak", "hindustani", (3, 2, 2), ("TTkBTBT", "TTTBTBT"), (110, 320)),
        Cycle("Keherwa", "hindustani", (4, 4), ("BDTTkkBT", "BDTTTkBT"), (150, 380)),
        Cycle("Adi", "carnatic", (8, 4, 4), ("D.T.kkT.D.T.TkT.", "DkT.D.TkD.kTDkTk"), (120, 380)),
        Cycle("Rupaka", "carnatic", (4, 8), ("D.T.D.kTT.k.", "DkT.D.T.kTkT"), (120, 380)),
        Cycle("Misra chapu", "carnatic", (6, 4, 4), ("T.k.k.D.T.D.T.", "T.kkTkD.TkD.T."), (120, 380)),
        Cycle("Khanda chapu", "carnatic", (4, 6), ("D.T.D.kkT.", "DkT.D.T.Tk"), (120, 380)),
        Cycle("Yatai-bayashi", "festival", (4, 4), ("DkkkDkkk", "DkDkDDkk", "DkkDkDDk"), (170, 400)),
        Cycle("Ondo", "festival", (3, 3, 2), ("D..D.TD.", "D.kD.TDk"), (140, 320), 0.22),
        Cycle("Shoden", "festival", (4, 4, 4, 4), ("D...D.T.D.DDT...", "D.k.D.T.DkDDT.k."), (150, 360)),
        Cycle("Nagashi", "festival", (2, 2, 2), ("D.T.k.", "D.D.T."), (130, 320)),
    )
}


def cycles_of(tradition: str) -> tuple[Cycle, ...]:
    """The cycles of one tradition, in the order of the table."""
    return tuple(cycle for cycle in CYCLES.values() if cycle.tradition == tradition)


#: What every tradition plays in "timbre only" mode.
PLAIN_CYCLE = Cycle("plain", "", (2, 2, 2, 2), ("D.T.D.T.",), (150, 330))

_SLOW, _FAST = 185.0, 270.0


def tempo_word(pulses_per_minute: float) -> str:
    """Slow, Medium or Fast: how quick the pulses are, whatever the cycle."""
    if pulses_per_minute < _SLOW:
        return "Slow"
    return "Fast" if pulses_per_minute > _FAST else "Medium"
