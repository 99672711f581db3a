"""Skins, wood and metal by modal synthesis: each stroke is a handful of decaying partials and a burst of noise.

Where the ratios come from: an ideal round membrane has partials at 1, 1.59, 2.14, 2.30, 2.65, 2.92 of its
lowest (zeros of Bessel functions; N. H. Fletcher and T. D. Rossing, "The Physics of Musical Instruments",
1998); the loaded skins of tabla and mridangam are nearly harmonic (C. V. Raman, "The Indian musical drums",
Proc. Indian Acad. Sci. A1, 1934); a free bar has 1, 2.76, 5.40, 8.93; cymbals and the atarigane dish are
inharmonic. A hard blow stretches a large skin, whose pitch then falls (taiko, kick drum); on the tabla's bayan
the heel of the hand lets it rise. Frequencies and decays are set by ear for each instrument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.synth.events import Stroke

Modes = tuple[tuple[float, float, float], ...]  # (ratio, level, seconds to fall by 60 dB)


@dataclass(frozen=True)
class Hit:
    """One sound of a drum.

    hz: lowest mode; modes: (ratio, level, T60 in s)
    bend, bend_s: the pitch starts at (1 + bend) times its own and settles with this time constant
    noises: (level, centre Hz, relative bandwidth, T60 in s)
    """

    hz: float
    modes: Modes = ()
    bend: float = 0.0
    bend_s: float = 0.04
    noises: tuple[tuple[float, float, float, float], ...] = ()


def _skin(t60: float, *levels: float) -> Modes:
    ratios = (1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50)
    return tuple((r, level, t60 / r**1.3) for r, level in zip(ratios, levels, strict=False))


def _tuned(t60: float, *levels: float) -> Modes:
    return tuple((k + 1.0, level, t60 / (1.0 + 0.3 * k)) for k, level in enumerate(levels))


def _bar(t60: float, *levels: float) -> Modes:
    return tuple((r, level, t60 / r**0.7) for r, level in zip((1.0, 2.76, 5.40, 8.93), levels, strict=False))


def _metal(t60: float, *levels: float) -> Modes:
    ratios = (1.0, 1.47, 2.09, 2.56, 3.39, 4.08, 5.21, 6.63)
    return tuple((r, level, t60 / r**0.6) for r, level in zip(ratios, levels, strict=False))


Kit = dict[str, tuple[Hit, ...]]
_HAT = Hit(6200.0, _metal(0.06, 0.10, 0.08, 0.06), noises=((0.30, 8500.0, 0.9, 0.09),))

#: Instrument -> letter of a pattern -> the sounds struck together.
KITS: dict[str, Kit] = {
    "Drum kit": {
        "D": (Hit(50.0, _skin(0.40, 1.0, 0.18, 0.08), 1.4, 0.022, ((0.25, 2600.0, 0.8, 0.03),)), _HAT),
        "T": (Hit(190.0, _skin(0.20, 0.75, 0.5, 0.3, 0.2), 0.12, 0.02, ((0.8, 3600.0, 1.4, 0.26),)),),
        "k": (_HAT,),
    },
    "Tambourine": {
        "D": (Hit(240.0, _skin(0.12, 0.5, 0.3), noises=((0.5, 900.0, 0.9, 0.05),)), Hit(5300.0, _metal(0.28, 0.35, 0.3, 0.25))),
        "T": (Hit(4900.0, _metal(0.22, 0.5, 0.45, 0.3), noises=((0.45, 7500.0, 0.7, 0.12),)),),
        "k": (Hit(5600.0, _metal(0.13, 0.4, 0.3, 0.2), noises=((0.35, 8200.0, 0.7, 0.07),)),),
    },
    "Goblet drum": {
        "D": (Hit(82.0, _skin(0.55, 1.0, 0.35, 0.15), 0.12, 0.03, ((0.15, 700.0, 1.0, 0.04),)),),
        "T": (Hit(430.0, _skin(0.16, 0.5, 0.8, 0.6, 0.5, 0.4), 0.02, 0.02, ((0.7, 4200.0, 1.0, 0.035),)),),
        "k": (Hit(470.0, _skin(0.09, 0.4, 0.6, 0.5, 0.3), noises=((0.5, 4600.0, 1.0, 0.025),)),),
    },
    "Frame drum": {
        "D": (Hit(66.0, _skin(0.8, 1.0, 0.5, 0.3, 0.2), 0.06, 0.04, ((0.12, 500.0, 1.2, 0.05),)),),
        "T": (Hit(215.0, _skin(0.22, 0.5, 0.6, 0.5, 0.4, 0.3), noises=((0.5, 2300.0, 1.2, 0.06),)),),
        "k": (Hit(240.0, _skin(0.12, 0.4, 0.5, 0.3), noises=((0.35, 2700.0, 1.2, 0.04),)),),
    },
    "Davul": {
        "D": (Hit(56.0, _skin(1.1, 1.0, 0.6, 0.35, 0.25), 0.22, 0.05, ((0.3, 1500.0, 1.0, 0.03),)),),
        "T": (Hit(310.0, _skin(0.10, 0.3, 0.3), noises=((1.0, 3400.0, 0.8, 0.05),)),),
        "k": (Hit(330.0, _skin(0.07, 0.2, 0.2), noises=((0.8, 3800.0, 0.8, 0.035),)),),
    },
    "Kudüm": {
        "D": (Hit(135.0, _skin(0.30, 1.0, 0.6, 0.3), 0.05, 0.02, ((0.3, 1700.0, 1.0, 0.02),)),),
        "T": (Hit(205.0, _skin(0.24, 1.0, 0.6, 0.3), 0.05, 0.02, ((0.35, 2100.0, 1.0, 0.02),)),),
        "k": (Hit(210.0, _skin(0.15, 0.8, 0.4), noises=((0.25, 2200.0, 1.0, 0.015),)),),
    },
    "Finger cymbals": {
        "D": (Hit(2450.0, _metal(1.3, 0.8, 0.7, 0.5, 0.3)),),
        "T": (Hit(2550.0, _metal(0.20, 0.7, 0.6, 0.4, 0.3)),),
        "k": (Hit(2550.0, _metal(0.10, 0.5, 0.5, 0.3)),),
    },
    "Tabla": {
        "D": (Hit(84.0, _tuned(0.75, 1.0, 0.35, 0.12, 0.05), -0.22, 0.12, ((0.1, 600.0, 1.0, 0.03),)),),
        "T": (Hit(292.0, _tuned(0.75, 0.5, 1.0, 0.55, 0.3, 0.2), 0.0, 0.02, ((0.5, 3200.0, 1.0, 0.02),)),),
        "k": (Hit(340.0, _skin(0.07, 0.6, 0.6, 0.5, 0.4), noises=((0.7, 2600.0, 1.1, 0.03),)),),
    },
    "Pakhavaj": {
        "D": (Hit(68.0, _skin(0.75, 1.0, 0.5, 0.25), 0.08, 0.04, ((0.2, 700.0, 1.0, 0.05),)),),
        "T": (Hit(215.0, _tuned(0.8, 0.8, 1.0, 0.45, 0.2), noises=((0.35, 2200.0, 1.0, 0.025),)),),
        "k": (Hit(250.0, _skin(0.10, 0.7, 0.5, 0.4), noises=((0.5, 1800.0, 1.1, 0.04),)),),
    },
    "Mridangam": {
        "D": (Hit(98.0, _skin(0.35, 1.0, 0.4, 0.2), 0.05, 0.03, ((0.15, 800.0, 1.0, 0.04),)),),
        "T": (Hit(242.0, _tuned(0.5, 0.6, 1.0, 0.6, 0.45, 0.3), noises=((0.6, 3600.0, 1.0, 0.018),)),),
        "k": (Hit(390.0, _skin(0.06, 0.7, 0.7, 0.6, 0.5), noises=((0.9, 3400.0, 1.0, 0.025),)),),
    },
    "Ghatam": {
        "D": (Hit(118.0, ((1.0, 1.0, 0.28),), -0.1, 0.03, ((0.2, 900.0, 1.0, 0.03),)),),
        "T": (Hit(820.0, _metal(0.22, 0.8, 0.7, 0.5, 0.3), noises=((0.4, 4200.0, 1.0, 0.02),)),),
        "k": (Hit(1350.0, _metal(0.10, 0.8, 0.6, 0.4), noises=((0.4, 5000.0, 1.0, 0.012),)),),
    },
    "Taiko": {
        "D": (Hit(66.0, _skin(1.25, 1.0, 0.55, 0.35, 0.25, 0.18, 0.12), 0.32, 0.05, ((0.45, 1300.0, 1.1, 0.035), (0.2, 3500.0, 0.8, 0.012))),),
        "T": (Hit(690.0, _bar(0.10, 0.7, 0.6, 0.3), noises=((0.5, 2600.0, 1.0, 0.02),)),),
        "k": (Hit(72.0, _skin(0.6, 0.8, 0.5, 0.3, 0.2), 0.12, 0.04, ((0.2, 1200.0, 1.1, 0.03),)),),
    },
    "Shime-daiko": {
        "D": (Hit(330.0, _skin(0.22, 1.0, 0.8, 0.5, 0.4, 0.25), 0.07, 0.015, ((0.6, 3000.0, 0.9, 0.02),)),),
        "T": (Hit(345.0, _skin(0.18, 1.0, 0.9, 0.6, 0.5, 0.3), 0.09, 0.015, ((0.7, 3300.0, 0.9, 0.02),)),),
        "k": (Hit(325.0, _skin(0.12, 0.8, 0.5, 0.3), noises=((0.4, 2800.0, 0.9, 0.015),)),),
    },
    "Kane": {
        "D": (Hit(1150.0, _metal(0.75, 0.5, 1.0, 0.8, 0.6, 0.5, 0.35), noises=((0.3, 5000.0, 0.8, 0.015),)),),
        "T": (Hit(1500.0, _metal(0.16, 0.4, 0.8, 0.9, 0.7, 0.5), noises=((0.5, 5600.0, 0.8, 0.02),)),),
        "k": (Hit(1540.0, _metal(0.10, 0.3, 0.6, 0.8, 0.6, 0.4), noises=((0.4, 6000.0, 0.8, 0.015),)),),
    },
    "Hyoshigi": {
        "D": (Hit(1420.0, _bar(0.14, 1.0, 0.7, 0.3), noises=((0.4, 3500.0, 0.9, 0.01),)),),
        "T": (Hit(1500.0, _bar(0.12, 1.0, 0.8, 0.3), noises=((0.4, 3800.0, 0.9, 0.01),)),),
        "k": (Hit(1480.0, _bar(0.07, 0.9, 0.5), noises=((0.3, 3500.0, 0.9, 0.008),)),),
    },
    "plain drum": {
        "D": (Hit(96.0, _skin(0.35, 1.0, 0.3), 0.1, 0.03, ((0.2, 1500.0, 1.0, 0.03),)),),
        "T": (Hit(310.0, _skin(0.18, 1.0, 0.5, 0.3), noises=((0.4, 3000.0, 1.0, 0.03),)),),
        "k": (Hit(330.0, _skin(0.08, 0.8, 0.4), noises=((0.4, 3300.0, 1.0, 0.02),)),),
    },
}  # fmt: skip

_VARIANTS = 2  # no two blows are alike; these take turns


def hit_sound(hit: Hit, parameters: dict[str, float], rate: int, rng: np.random.Generator) -> np.ndarray:
    """One sound as float32, as long as it rings.

    parameters: as in ``instruments.DRUM``
    """
    ring, pitch = parameters["ring"], parameters["pitch"]
    decays = [t60 * ring for _, _, t60 in hit.modes] + [t60 for *_, t60 in hit.noises]
    length = int(rate * min(1.8, max(decays)) * 0.9) + 1
    t = np.arange(length, dtype=np.float32) / np.float32(rate)
    # Cycles of the lowest mode so far: pitch settles exponentially from its bent start.
    turns = t + np.float32(hit.bend * hit.bend_s) * (1.0 - np.exp(t * np.float32(-1.0 / hit.bend_s)))
    sound = np.zeros(length, dtype=np.float32)
    for ratio, level, t60 in hit.modes:
        hz = hit.hz * pitch * ratio * float(rng.uniform(0.995, 1.005))
        if hz > 0.45 * rate:
            continue
        ringing = min(length, int(rate * t60 * ring * 1.1) + 1)
        mode = np.sin(np.float32(2 * np.pi * hz) * turns[:ringing])
        mode *= np.exp(t[:ringing] * np.float32(-6.91 / (t60 * ring)))
        sound[:ringing] += np.float32(level * float(rng.uniform(0.8, 1.2))) * mode
    for level, centre, width, t60 in hit.noises:
        ringing = min(length, int(rate * t60 * 1.3) + 16)
        burst = _band_noise(ringing, centre, width, rate, rng)
        burst *= np.exp(t[:ringing] * np.float32(-6.91 / t60))
        sound[:ringing] += np.float32(level * parameters["snap"]) * burst
    rise = min(length, max(2, int(0.0006 * rate)))
    sound[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    fade = max(2, length // 10)
    sound[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return sound


def _band_noise(length: int, centre: float, width: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Noise about a centre; width: bandwidth over centre. RMS 1, float32 (length,)."""
    size = 1 << max(6, (length - 1).bit_length())
    spectrum = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    hz = np.linspace(0.0, 0.5 * rate, size // 2 + 1, dtype=np.float32)
    distance = (hz - min(centre, 0.42 * rate)) / np.float32(0.5 * width * centre)
    noise = np.fft.irfft(spectrum / (1.0 + distance**2), size)[:length]
    return noise / np.float32(np.sqrt(np.mean(noise * noise)) + 1e-9)


def drums(
    strokes: tuple[Stroke, ...],
    instrument: str,
    parameters: dict[str, float],
    samples: int,
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """A part for one drum, as float32 (samples,)."""
    out = np.zeros(samples, dtype=np.float32)
    kit = KITS[instrument]
    sounds: dict[str, list[list[np.ndarray]]] = {
        letter: [[hit_sound(hit, parameters, rate, rng) for hit in kit[letter]] for _ in range(_VARIANTS)]
        for letter in sorted({stroke.letter for stroke in strokes})
    }
    for number, stroke in enumerate(strokes):
        begin = int(stroke.start * rate)
        for sound in sounds[stroke.letter][number % _VARIANTS]:
            piece = sound[: samples - begin]
            out[begin : begin + len(piece)] += np.float32(stroke.velocity) * piece
    return out
