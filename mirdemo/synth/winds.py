"""Everything sustained: bowed strings, reeds, flutes and voices, as one line of sound.

A pitch and a loudness contour are drawn at 500 Hz through all notes, so that slides, gamaka and
portamento are continuous; the phase runs through a wavetable whose harmonics were weighted by the
source's slope and by the body's or the vowel's resonances at that note's pitch (additive synthesis in the
source-filter sense: G. Fant, "Acoustic Theory of Speech Production", 1960; formant values after G. E.
Peterson and H. L. Barney, "Control methods used in a study of the vowels", 1952). Breath and bow noise
follow the loudness. Clarinet and other cylindrical reed pipes have weak even harmonics (A. H. Benade,
"Fundamentals of Musical Acoustics", 1976).
"""

from __future__ import annotations

import numpy as np

from mirdemo.synth.events import Note
from mirdemo.synth.instruments import Peaks
from mirdemo.synth.ornaments import contour
from mirdemo.synth.strings import peaks_gain

_TABLE = 8192  # points in one period; a nearest look-up is then 70 dB clean
_CONTROL_HZ = 500
_HARMONICS = 90
_TOP = 0.46  # of the rate: no harmonic above
_FREE_VIBRATO = ("plain", "vibrato", "slide", "grace", "mordent", "turn")

#: Formants of five vowels: (Hz, bandwidth Hz, gain dB).
VOWELS: tuple[Peaks, ...] = (
    ((730.0, 110.0, 26.0), (1090.0, 120.0, 22.0), (2440.0, 170.0, 17.0), (3400.0, 250.0, 14.0)),
    ((530.0, 90.0, 26.0), (1840.0, 150.0, 20.0), (2480.0, 180.0, 17.0), (3400.0, 250.0, 14.0)),
    ((300.0, 70.0, 26.0), (2290.0, 170.0, 20.0), (3010.0, 220.0, 18.0), (3600.0, 260.0, 13.0)),
    ((570.0, 90.0, 26.0), (840.0, 100.0, 22.0), (2410.0, 180.0, 14.0), (3300.0, 250.0, 12.0)),
    ((330.0, 70.0, 26.0), (870.0, 100.0, 19.0), (2240.0, 180.0, 13.0), (3300.0, 250.0, 11.0)),
)


def _ease(x: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0))


def _table(
    hz: float,
    velocity: float,
    kind: str,
    parameters: dict[str, float],
    resonances: Peaks,
    colour: np.ndarray,
    rate: int,
) -> np.ndarray:
    """One period, float32 (``_TABLE``,), RMS 1. colour: gains that make this instrument's harmonics uneven."""
    count = int(max(1, min(_HARMONICS, _TOP * rate / (hz * 1.12))))
    harmonic = np.arange(1, count + 1, dtype=np.float64)
    tilt = parameters["tilt"] + 2.5 * (velocity - 0.7)
    level = harmonic ** (tilt / 6.02) * colour[:count]
    if parameters["even"] < 0.0:
        suppressed = parameters["even"] * np.clip(1.0 - harmonic / 14.0, 0.0, 1.0)
        level *= np.where(harmonic % 2 == 0, 10.0 ** (suppressed / 20.0), 1.0)
    level *= peaks_gain(harmonic * hz, resonances, parameters["body_scale"])
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=np.complex64)
    # Bows and voices let go once a period, so their harmonics start together; flutes and reeds do not.
    phase = np.zeros(count) if kind in ("bow", "voice") else 0.7 * harmonic**2
    spectrum[1 : count + 1] = level * np.exp(-1j * phase)
    wave = np.fft.irfft(spectrum, _TABLE)
    return wave / np.float32(np.sqrt(np.mean(wave * wave)))


def _voices(notes: tuple[Note, ...]) -> list[list[Note]]:
    """Notes that sound together are given to different voices, each of which plays one at a time."""
    voices: list[list[Note]] = []
    for note in notes:
        for voice in voices:
            if (
                voice[-1].start + voice[-1].seconds <= note.start + 0.12
                and voice[-1].start + 0.03 < note.start
            ):
                voice.append(note)
                break
        else:
            voices.append([note])
    return voices


def _controls(
    notes: list[Note], parameters: dict[str, float], points: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cents above the tonic, loudness, breath and place among the wavetables, each (points,) at 500 Hz."""
    cents = np.zeros(points)
    loud = np.zeros(points)
    breath = np.zeros(points)
    table = np.zeros(points)
    attack, release = parameters["attack"], parameters["release"]
    glide = parameters["glide"]
    previous: Note | None = None
    for number, note in enumerate(notes):
        following = notes[number + 1] if number + 1 < len(notes) else None
        begin = int(note.start * _CONTROL_HZ)
        joined = (
            following is not None and following.tied and following.start - note.start - note.seconds < 0.15
        )
        until = following.start if joined and following is not None else note.start + note.seconds
        seconds = max(until - note.start, 0.04)
        stop = min(points, int(until * _CONTROL_HZ) + (0 if joined else int(3 * release * _CONTROL_HZ)))
        if following is not None:
            stop = min(stop, int(following.start * _CONTROL_HZ))
        if stop <= begin:
            continue
        t = np.arange(stop - begin) / _CONTROL_HZ
        bend = contour(note.ornament, t, seconds, note.reach)
        if note.ornament in _FREE_VIBRATO and seconds > 0.22:
            onset = float(rng.uniform(0.08, 0.25))
            turns = parameters["vibrato_hz"] * float(rng.uniform(0.95, 1.05)) * t + float(rng.random())
            bend = bend + parameters["vibrato"] * _ease((t - onset) / 0.3) * np.sin(2 * np.pi * turns)
        tied = note.tied and previous is not None
        if (
            note.tied
            and previous is not None
            and note.ornament in ("plain", "vibrato", "trill", "fall", "andolan", "mordent")
        ):
            bend = bend + (previous.cents - note.cents) * (1.0 - _ease(t / glide))
        cents[begin:] = note.cents
        cents[begin:stop] += bend
        swell = 1.0 + 0.12 * np.sin(np.pi * np.clip(t / seconds, 0.0, 1.0))
        rise = 0.72 + 0.28 * _ease(t / 0.05) if tied else _ease(t / attack)
        fall = (
            np.ones_like(t)
            if joined
            else np.where(t < seconds, 1.0, np.exp(-np.maximum(t - seconds, 0.0) / (0.5 * release)))
        )
        loud[begin:stop] = note.velocity * swell * rise * fall
        # A tongued note or a new syllable begins with more air than tone.
        puff = 0.0 if tied else float(rng.uniform(0.4, 1.6))
        breath[begin:stop] = loud[begin:stop] + note.velocity * puff * np.exp(-t / 0.035) * (t > 0.003)
        morph = _ease(t / 0.03) if number else np.ones_like(t)
        table[begin:] = number
        table[begin:stop] = max(number - 1, 0) + (morph if number else 0.0)
        previous = note
    walk = np.cumsum(rng.standard_normal(points))
    trend = np.linspace(walk[0], walk[-1], points)
    spread = float(np.std(walk - trend)) + 1e-9
    cents += parameters["drift"] * (walk - trend) / spread
    return cents, loud, breath, table


def _sound(
    cents: np.ndarray,
    loud: np.ndarray,
    place: np.ndarray,
    tables: np.ndarray,
    tonic: float,
    samples: int,
    rate: int,
) -> np.ndarray:
    """Run the phase through the tables: float32 (samples,)."""
    step = rate // _CONTROL_HZ
    rows = len(cents) - 1
    hz = tonic * 2.0 ** (cents / 1200.0)
    # Pitch is linear within a step, so phase is the running sum of means plus a parabola.
    mean = 0.5 * (hz[:-1] + hz[1:]) * (step / rate)
    start = np.concatenate(([0.0], np.cumsum(mean)[:-1]))
    start -= np.floor(start)
    # Within a step phase stays small enough for single precision: 1/500 of a table's point.
    inner = np.arange(step, dtype=np.float32) / np.float32(rate)
    bend = ((hz[1:] - hz[:-1]) * (0.5 * rate / step)).astype(np.float32)
    phase = bend[:, None] * inner
    phase += hz[:-1, None].astype(np.float32)
    phase *= inner
    phase += start[:, None].astype(np.float32)
    phase *= np.float32(_TABLE)
    index = phase.astype(np.int32)
    index &= _TABLE - 1
    lower = np.minimum(place.astype(np.int64), len(tables) - 1)[:rows]
    weight = (place[:rows] - lower).astype(np.float32)
    flat = tables.reshape(-1)
    out = flat[index + (lower * _TABLE).astype(np.int32)[:, None]]
    mixed = np.flatnonzero((weight > 0.0) & (lower + 1 < len(tables)))
    if len(mixed):
        upper = flat[index[mixed] + ((lower[mixed] + 1) * _TABLE).astype(np.int32)[:, None]]
        out[mixed] += weight[mixed, None] * (upper - out[mixed])
    out *= _ramp(loud, step)
    return out.reshape(-1)[:samples]


def _ramp(values: np.ndarray, step: int) -> np.ndarray:
    """Control values (n,) joined by straight lines at the audio rate: float32 (n - 1, step)."""
    values = values.astype(np.float32)
    inner = np.arange(step, dtype=np.float32) / np.float32(step)
    return values[:-1, None] + (values[1:] - values[:-1])[:, None] * inner


def _air(white: np.ndarray, centre: float, rate: int) -> np.ndarray:
    """White noise through one broad resonance, RMS about 1."""
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * 0.9 * centre / rate)
    angle = 2 * np.pi * min(centre, 0.45 * rate) / rate
    pole = np.array([1.0, -2.0 * radius * np.cos(angle), radius * radius], dtype=np.float32)
    zero = np.array([1.0, 0.0, -1.0], dtype=np.float32) * np.float32(0.5 * (1.0 - radius * radius))
    coloured = lfilter(zero, pole, white)
    return coloured / np.float32(np.sqrt(np.mean(coloured * coloured)) + 1e-9)


def winds(
    notes: tuple[Note, ...],
    tonic: float,
    parameters: dict[str, float],
    body: Peaks,
    kind: str,
    samples: int,
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """A part for a sustained instrument, as float32 (samples,).

    tonic: Hz, in the octave in which the part is played; kind: as in ``Instrument.kind``
    """
    step = rate // _CONTROL_HZ
    points = samples // step + 2
    out = np.zeros(samples, dtype=np.float32)
    white = rng.standard_normal(samples, dtype=np.float32)
    colour = 10.0 ** (rng.normal(0.0, 2.0, _HARMONICS) / 20.0)
    if kind == "flute":
        colour[1] *= 1.6  # a flute's octave is strong
    for voice in _voices(notes):
        cents, loud, breath, place = _controls(voice, parameters, points, rng)
        vowels = (
            rng.integers(0, len(VOWELS), len(voice)) if kind == "voice" else np.zeros(len(voice), dtype=int)
        )
        drawn: dict[tuple[int, int, int], np.ndarray] = {}
        stack = []
        for note, vowel in zip(voice, vowels.tolist(), strict=True):
            middle = note.cents + (0.5 * note.reach if note.ornament in ("gamaka", "trill") else 0.0)
            key = (round(middle), round(note.velocity * 4), vowel)
            if key not in drawn:
                hz = tonic * 2.0 ** (middle / 1200.0)
                resonances = VOWELS[vowel] if kind == "voice" else body
                drawn[key] = _table(hz, key[1] / 4, kind, parameters, resonances, colour, rate)
            stack.append(drawn[key])
        tables = np.stack(stack)
        if parameters["unison"] > 0.0:
            half = 0.5 * parameters["unison"]
            out += _sound(cents - half, loud, place, tables, tonic, samples, rate)
            out += _sound(cents + half, loud, place, tables, tonic, samples, rate)
        else:
            out += _sound(cents, loud, place, tables, tonic, samples, rate)
        if parameters["noise"] > 0.005:
            air = _air(white, parameters["noise_hz"], rate)
            out += np.float32(parameters["noise"]) * air * _ramp(breath, step).reshape(-1)[:samples]
    return out
