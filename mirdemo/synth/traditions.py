"""What each tradition draws from: scales and cycles by name, instruments, ornaments, textures.

Instruments, forms and tempi are drawn independently of scale and cycle, and many instruments and all
forms and tempi are shared between traditions, so that no tag gives another away except where the world
does (a raga belongs to one tradition).
"""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.synth.rhythm import cycles_of
from mirdemo.synth.tuning import scales_of


@dataclass(frozen=True)
class Tradition:
    """One tradition.

    key, label: as in code, as in its tag
    melody: instruments that carry the line
    backing: how the line is accompanied, each with its probability: "chords", "bass", "drone" (a plucked
        drone), "hold" (a sustained one), "shadow" (a second instrument in heterophony), "calls"
    chord_instruments: what plays the chords
    percussion: groups of drums of which each is drawn with its probability
    ornaments: with weights, for notes long enough to carry one
    ornamented: the share of such notes that get one
    """

    key: str
    label: str
    melody: tuple[str, ...]
    backing: tuple[tuple[str, float], ...]
    chord_instruments: tuple[str, ...]
    percussion: tuple[tuple[tuple[str, ...], float], ...]
    ornaments: tuple[tuple[str, float], ...]
    ornamented: float


_TRADITIONS: tuple[Tradition, ...] = (
    Tradition(
        "western",
        "Western",
        ("Voice", "Guitar", "Electric guitar", "Piano", "Saxophone", "Violin", "Flute", "Clarinet"),
        (("chords", 0.75), ("bass", 0.6), ("shadow", 0.2)),
        ("Guitar", "Electric guitar", "Piano", "Organ", "Accordion"),
        ((("Drum kit",), 0.62), (("Tambourine",), 0.4)),
        (("plain", 3.0), ("vibrato", 4.0), ("slide", 1.0), ("grace", 0.7)),
        0.5,
    ),
    Tradition(
        "greek",
        "Greek",
        ("Voice", "Bouzouki", "Violin", "Clarinet", "Lyra", "Lute", "Zither", "Accordion"),
        (("chords", 0.6), ("bass", 0.3), ("hold", 0.15), ("shadow", 0.35)),
        ("Guitar", "Lute", "Accordion"),
        ((("Goblet drum", "Frame drum", "Davul", "Drum kit"), 0.75), (("Finger cymbals", "Tambourine"), 0.3)),
        (("plain", 2.0), ("vibrato", 2.0), ("trill", 1.5), ("mordent", 1.5), ("slide", 1.0), ("grace", 1.0)),
        0.6,
    ),
    Tradition(
        "makam",
        "Makam",
        ("Voice", "Ney", "Lute", "Tanbur", "Zither", "Lyra", "Violin", "Clarinet", "Shawm"),
        (("hold", 0.3), ("shadow", 0.5)),
        (),
        ((("Goblet drum", "Frame drum", "Davul", "Kudüm"), 0.75), (("Finger cymbals", "Tambourine"), 0.3)),
        (("plain", 1.5), ("vibrato", 2.0), ("slide", 2.0), ("mordent", 1.5), ("turn", 1.2), ("trill", 0.8)),
        0.65,
    ),
    Tradition(
        "hindustani",
        "Hindustani",
        ("Voice", "Sitar", "Sarod", "Bamboo flute", "Sarangi", "Violin", "Shawm", "Harmonium"),
        (("drone", 0.65), ("hold", 0.15), ("shadow", 0.3)),
        (),
        ((("Tabla", "Pakhavaj"), 0.75), (("Finger cymbals",), 0.25)),
        (("plain", 1.0), ("meend", 3.5), ("andolan", 1.5), ("grace", 1.5), ("vibrato", 0.7), ("slide", 1.0)),
        0.75,
    ),
    Tradition(
        "carnatic",
        "Carnatic",
        ("Voice", "Violin", "Veena", "Bamboo flute", "Shawm", "Clarinet", "Saxophone"),
        (("drone", 0.65), ("hold", 0.15), ("shadow", 0.4)),
        (),
        ((("Mridangam",), 0.62), (("Ghatam", "Frame drum"), 0.5), (("Finger cymbals",), 0.3)),
        (("plain", 0.8), ("gamaka", 4.5), ("slide", 1.5), ("turn", 0.8), ("mordent", 0.5), ("meend", 0.5)),
        0.8,
    ),
    Tradition(
        "festival",
        "Festival",
        ("Voice", "Shinobue", "Shamisen", "Flute"),
        (("shadow", 0.4), ("calls", 0.4)),
        (),
        ((("Taiko",), 0.65), (("Shime-daiko", "Hyoshigi"), 0.6), (("Kane", "Finger cymbals"), 0.6)),
        (("plain", 2.0), ("slide", 1.5), ("grace", 2.0), ("trill", 1.0), ("fall", 1.0), ("mordent", 1.0)),
        0.6,
    ),
)

FACTS: dict[str, Tradition] = {tradition.key: tradition for tradition in _TRADITIONS}
TRADITIONS: tuple[str, ...] = tuple(FACTS)

#: The forms; every tradition has each.
FORMS: tuple[str, ...] = ("Song", "Dance", "Improvisation", "Call and response")

#: Models that stand for all timbres in "pitch only" mode.
PLAIN_MELODY: tuple[str, ...] = ("plain pluck", "plain reed", "plain flute")
PLAIN_DRUM = "plain drum"


def _instrument_tags() -> tuple[str, ...]:
    names = {"Bass guitar", "Tanpura", "Kakegoe"}
    for tradition in _TRADITIONS:
        names.update(tradition.melody, tradition.chord_instruments)
        for group, _ in tradition.percussion:
            names.update(group)
    return tuple(sorted(names))


def _tag_families() -> dict[str, tuple[str, ...]]:
    families = {
        "instrument": _instrument_tags(),
        "mode": tuple(scale.name for key in TRADITIONS for scale in scales_of(key)),
        "rhythm": tuple(cycle.name for key in TRADITIONS for cycle in cycles_of(key)),
        "form": FORMS,
        "tempo": ("Slow", "Medium", "Fast"),
        "tradition": tuple(tradition.label for tradition in _TRADITIONS),
    }
    return {family: tuple(f"{family}--{name}" for name in names) for family, names in families.items()}


#: Tag family -> all its tags, each written ``family--Name``.
TAG_FAMILIES: dict[str, tuple[str, ...]] = _tag_families()
