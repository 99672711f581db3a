"""The instruments: which model sounds each, in which register, with parameters between which bounds.

Three models (strings.py, winds.py, drums.py). Every number given as a pair is a range from which a
performance draws; see draws.py for which part of it belongs to which split.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[float, float]
Peaks = tuple[tuple[float, float, float], ...]  # (Hz, bandwidth in Hz, gain in dB)


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    name: as in its tag
    model: "string", "wind" (everything sustained: bow, reed, flute, voice) or "drum"
    centre_hz: middle of its register
    ranges: the model's parameters, each as (low, high)
    body: resonances that colour the sound: (Hz, bandwidth in Hz, gain in dB)
    kind: spectrum of a wind ("bow", "cylinder", "reed", "flute", "voice"), or kit of a drum
    """

    name: str
    model: str
    centre_hz: float
    ranges: dict[str, Range] = field(default_factory=dict)
    body: Peaks = ()
    kind: str = ""


STRING: dict[str, Range] = {
    "t60": (1.2, 2.4),  # s to fall by 60 dB at the lowest partials
    "damping": (0.10, 0.30),  # weight of the loop's low-pass: how much sooner high partials die
    "hardness": (2500.0, 4500.0),  # Hz at which the pluck's spectrum has fallen by 1/e
    "position": (0.10, 0.22),  # plucking point as a fraction of the string
    "stiffness": (0.00002, 0.0001),  # inharmonicity coefficient B
    "course": (0.0, 0.0),  # detuning in cents of a second string plucked with the first; 0 = none
    "buzz": (0.0, 0.0),  # bridge buzz (jivari, sawari): level against the string
    "click": (0.02, 0.06),  # noise of finger or plectrum
    "drive": (0.0, 0.0),  # amplifier distortion
    "body_scale": (0.9, 1.12),  # multiplies the frequencies of the body
}

WIND: dict[str, Range] = {
    "tilt": (-8.0, -6.0),  # dB per octave of the source's harmonics
    "even": (0.0, 0.0),  # dB on even harmonics (negative for a cylindrical reed pipe)
    "noise": (0.01, 0.03),  # breath or bow noise against the tone
    "noise_hz": (1800.0, 3200.0),  # centre of that noise
    "attack": (0.03, 0.06),  # s
    "release": (0.05, 0.10),  # s
    "glide": (0.015, 0.04),  # s of portamento between tied notes
    "vibrato": (6.0, 16.0),  # cents
    "vibrato_hz": (4.8, 6.2),
    "drift": (2.0, 6.0),  # cents of slow unsteadiness
    "unison": (0.0, 0.0),  # cents by which a second reed is detuned; 0 = none
    "body_scale": (0.92, 1.1),
}

DRUM: dict[str, Range] = {
    "pitch": (0.88, 1.14),  # multiplies the frequencies of the kit
    "ring": (0.75, 1.3),  # multiplies its decay times
    "snap": (0.6, 1.5),  # multiplies stick and finger noise
}

#: Instruments whose pitches are fixed by a key or a free string: they play no ornament that bends.
FIXED_PITCH: frozenset[str] = frozenset({"Piano", "Organ", "Accordion", "Harmonium", "Zither"})


def _string(name: str, centre_hz: float, body: Peaks = (), **ranges: Range) -> Instrument:
    return Instrument(name, "string", centre_hz, {**STRING, **ranges}, body)


def _wind(name: str, kind: str, centre_hz: float, body: Peaks = (), **ranges: Range) -> Instrument:
    return Instrument(name, "wind", centre_hz, {**WIND, **ranges}, body, kind)


def _drum(name: str, **ranges: Range) -> Instrument:
    return Instrument(name, "drum", 0.0, {**DRUM, **ranges}, (), name)


_GUITAR = ((110.0, 40.0, 6.0), (210.0, 60.0, 5.0), (420.0, 120.0, 3.0), (2500.0, 900.0, 3.0))
_LUTE = ((150.0, 60.0, 6.0), (320.0, 90.0, 5.0), (700.0, 200.0, 3.0))
_FIDDLE = ((280.0, 60.0, 6.0), (460.0, 80.0, 6.0), (900.0, 200.0, 4.0), (2400.0, 900.0, 7.0))
_GOURD = ((170.0, 70.0, 5.0), (500.0, 150.0, 4.0), (1500.0, 500.0, 4.0), (3200.0, 1000.0, 5.0))
_SKIN = ((380.0, 90.0, 6.0), (850.0, 200.0, 7.0), (1700.0, 400.0, 4.0))
_NASAL = ((1000.0, 250.0, 9.0), (1900.0, 400.0, 7.0), (3100.0, 600.0, 5.0))

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        # strings, plucked or struck
        _string("Guitar", 260.0, _GUITAR, t60=(1.4, 3.0)),
        _string("Electric guitar", 300.0, t60=(2.5, 5.0), damping=(0.05, 0.14), drive=(2.0, 9.0)),
        _string(
            "Bass guitar", 75.0, ((90.0, 60.0, 4.0),), hardness=(700.0, 1600.0), damping=(0.1, 0.3), t60=(1.0, 2.2)
        ),
        _string(
            "Piano", 330.0, ((180.0, 200.0, 3.0), (1200.0, 900.0, 2.0)), t60=(3.0, 6.0), damping=(0.03, 0.10),
            hardness=(1500.0, 3000.0), position=(0.11, 0.14), stiffness=(0.0003, 0.0009), course=(0.6, 2.2),
            click=(0.01, 0.03),
        ),
        _string("Bouzouki", 330.0, _LUTE, t60=(1.3, 2.4), hardness=(5000.0, 8500.0), damping=(0.04, 0.12), course=(3.0, 8.0)),
        _string("Lute", 200.0, _LUTE, t60=(0.7, 1.4), hardness=(1400.0, 2600.0), damping=(0.25, 0.5), course=(2.0, 6.0)),
        _string("Tanbur", 240.0, _SKIN[:1], t60=(2.2, 4.0), hardness=(4000.0, 7000.0), damping=(0.03, 0.1), course=(2.0, 5.0)),
        _string(
            "Zither", 420.0, _SKIN, t60=(1.6, 3.0), hardness=(6000.0, 9500.0), damping=(0.02, 0.08), course=(3.0, 8.0),
            position=(0.06, 0.14), click=(0.04, 0.1),
        ),
        _string(
            "Sitar", 280.0, _GOURD, t60=(2.5, 4.5), hardness=(6000.0, 9000.0), damping=(0.06, 0.14), buzz=(0.5, 0.9),
            position=(0.06, 0.12),
        ),
        _string("Sarod", 230.0, _SKIN, t60=(1.2, 2.4), hardness=(5000.0, 8000.0), damping=(0.06, 0.15), position=(0.05, 0.1)),
        _string("Veena", 200.0, _GOURD, t60=(2.5, 4.5), hardness=(2600.0, 4400.0), damping=(0.08, 0.18), buzz=(0.15, 0.35)),
        _string(
            "Tanpura", 150.0, _GOURD, t60=(4.0, 8.0), hardness=(3000.0, 6000.0), damping=(0.06, 0.12), buzz=(0.6, 1.1),
            click=(0.0, 0.01), position=(0.3, 0.45),
        ),
        _string(
            "Shamisen", 300.0, _SKIN, t60=(0.7, 1.3), hardness=(6000.0, 9500.0), damping=(0.12, 0.28), buzz=(0.4, 0.7),
            click=(0.3, 0.6), position=(0.04, 0.1),
        ),
        # bowed
        _wind("Violin", "bow", 520.0, _FIDDLE, vibrato=(10.0, 26.0), noise=(0.01, 0.04)),
        _wind("Lyra", "bow", 420.0, ((420.0, 80.0, 8.0), (1100.0, 250.0, 8.0)), tilt=(-6.0, -4.5), noise=(0.03, 0.08), vibrato=(0.0, 10.0)),
        _wind("Sarangi", "bow", 330.0, ((550.0, 120.0, 8.0), (1300.0, 300.0, 9.0), (2600.0, 500.0, 5.0)), tilt=(-6.0, -4.0), noise=(0.03, 0.07), glide=(0.05, 0.11)),
        # reeds
        _wind("Clarinet", "cylinder", 330.0, ((1500.0, 600.0, 4.0),), tilt=(-5.5, -3.5), even=(-26.0, -14.0), noise=(0.004, 0.012)),
        _wind("Saxophone", "reed", 260.0, ((500.0, 150.0, 5.0), (1200.0, 350.0, 5.0)), tilt=(-6.5, -4.5), noise=(0.02, 0.05), vibrato=(8.0, 24.0)),
        _wind("Shawm", "reed", 520.0, _NASAL, tilt=(-3.5, -1.5), noise=(0.004, 0.015), attack=(0.012, 0.03)),
        _wind("Accordion", "reed", 400.0, ((1400.0, 700.0, 4.0),), tilt=(-5.0, -3.0), unison=(9.0, 18.0), vibrato=(0.0, 2.0), drift=(0.5, 1.5), noise=(0.003, 0.01)),
        _wind("Harmonium", "reed", 330.0, ((700.0, 300.0, 4.0), (1800.0, 600.0, 4.0)), tilt=(-4.5, -3.0), even=(-8.0, -3.0), unison=(2.0, 5.0), vibrato=(0.0, 1.0), drift=(0.5, 1.5), noise=(0.006, 0.02)),
        _wind("Organ", "flute", 350.0, tilt=(-8.0, -5.0), unison=(1.0, 3.0), vibrato=(2.0, 10.0), drift=(0.2, 0.6), noise=(0.001, 0.004), attack=(0.008, 0.02)),
        # flutes
        _wind("Flute", "flute", 640.0, tilt=(-13.0, -9.0), noise=(0.05, 0.12), vibrato=(8.0, 20.0)),
        _wind("Ney", "flute", 420.0, ((900.0, 500.0, 5.0),), tilt=(-11.0, -8.0), noise=(0.09, 0.20), vibrato=(6.0, 18.0), noise_hz=(1200.0, 2400.0)),
        _wind("Bamboo flute", "flute", 440.0, tilt=(-14.0, -10.0), noise=(0.07, 0.18), glide=(0.04, 0.09), vibrato=(4.0, 14.0)),
        _wind("Shinobue", "flute", 900.0, ((2600.0, 1200.0, 6.0),), tilt=(-9.5, -6.5), noise=(0.07, 0.16), noise_hz=(3200.0, 5200.0), attack=(0.012, 0.03), vibrato=(3.0, 10.0), drift=(5.0, 12.0)),
        # voices
        _wind("Voice", "voice", 230.0, tilt=(-9.0, -6.0), noise=(0.02, 0.05), vibrato=(10.0, 34.0), glide=(0.04, 0.08), drift=(6.0, 14.0), body_scale=(0.86, 1.16)),
        _wind("Kakegoe", "voice", 330.0, tilt=(-5.0, -3.0), noise=(0.05, 0.12), vibrato=(0.0, 6.0), glide=(0.05, 0.1), drift=(12.0, 25.0), body_scale=(0.88, 1.12), attack=(0.015, 0.03)),
        # skins, wood and metal; what their strokes are: drums.py
        *(
            _drum(name)
            for name in (
                "Drum kit", "Tambourine", "Goblet drum", "Frame drum", "Davul", "Kudüm", "Finger cymbals", "Tabla",
                "Pakhavaj", "Mridangam", "Ghatam", "Taiko", "Shime-daiko", "Kane", "Hyoshigi",
            )
        ),
        # what every tradition plays on in "pitch only" mode
        _string("plain pluck", 300.0, _GUITAR, t60=(1.0, 3.0), damping=(0.05, 0.3), hardness=(2000.0, 7000.0)),
        _wind("plain reed", "reed", 400.0, tilt=(-8.0, -4.0)),
        _wind("plain flute", "flute", 500.0, tilt=(-14.0, -8.0), noise=(0.03, 0.15)),
        _drum("plain drum"),
    )
}  # fmt: skip
