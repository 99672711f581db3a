"""Plucked and struck strings: the Karplus-Strong loop, evaluated in the frequency domain.

K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum timbres", Computer Music Journal
7(2), 1983; D. Jaffe and J. O. Smith, "Extensions of the Karplus-Strong plucked-string algorithm", same
issue. A string is a delay of one period closed through a gentle low-pass: y = x + H z^-D y. Its sound is
the excitation's spectrum divided by 1 - H z^-D, so one inverse transform renders a note exactly in tune,
without a loop over samples or a filter for the fraction of the delay; stiffness merely bends the delay's
phase. The transform is taken on a circle slightly larger than the unit circle, which damps what would
wrap round from behind the block's end.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mirdemo.synth.events import Note
from mirdemo.synth.instruments import Peaks
from mirdemo.synth.ornaments import contour

_WRAP_DB = 24.0  # how much the block's end is attenuated while it is transformed
_DAMPED_SECONDS = 0.09  # how long a finger takes to stop a string at the end of a note
_LONGEST_SECONDS = 4.0
_SMEAR_SECONDS = 0.003
_ENVELOPE_STEP = 256  # samples; divides every length of _SIZES
_LOUD = 0.25  # RMS of a fresh note
_SHADES = 6  # steps of brightness between the softest and the hardest pluck
_SIZES = tuple(base << power for power in range(11, 17) for base in (2, 3))


def peaks_gain(hz: np.ndarray, peaks: Peaks, scale: float) -> np.ndarray:
    """Linear gain of a row of resonances over frequency; scale multiplies their frequencies."""
    decibels = np.zeros_like(hz)
    for centre, bandwidth, gain in peaks:
        decibels += gain / (1.0 + ((hz - centre * scale) / (0.5 * bandwidth * scale)) ** 2)
    return 10.0 ** (decibels / 20.0)


def loop_response(
    omega: np.ndarray, delay: float, gain: float, damping: float, stiffness: float, growth: float
) -> np.ndarray:
    """1 / (1 - H z^-D) on the circle of radius e^growth.

    omega: radians per sample, (n,) from 0 to pi
    delay: the period D in samples, any real number above 2
    gain: loss per period, below 1
    damping: s of the low-pass s/2, 1-s, s/2 inside the loop, 0 to 1
    stiffness: inharmonicity B; partial k lies at k * f0 * sqrt(1 + B k^2)
    growth: natural logarithm of the circle's radius
    """
    partial = omega * np.float32(delay / (2.0 * np.pi))
    if stiffness > 0.0:
        # partial number k at which k * sqrt(1 + B k^2) reaches this frequency, in the form that cancels nothing
        square = partial * partial
        partial = np.sqrt(2.0 * square / (1.0 + np.sqrt(1.0 + np.float32(4.0 * stiffness) * square)))
    turn = partial - np.floor(partial)
    loss = np.float32(gain * np.exp(-growth * delay)) * (
        np.float32(1.0 - damping) + np.float32(damping) * np.cos(omega)
    )
    angle = np.float32(-2.0 * np.pi) * turn
    loop = np.empty(omega.shape, dtype=np.complex64)
    loop.real = 1.0 - loss * np.cos(angle)
    loop.imag = -loss * np.sin(angle)
    return 1.0 / loop


@lru_cache(maxsize=64)
def _grid(size: int, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(omega in radians per sample, Hz, the finger's smear) of a real transform.

    No finger lets all frequencies go at one instant: the smear delays the highest by 3 ms, which keeps the
    string from being a row of needles.
    """
    omega = np.linspace(0.0, np.pi, size // 2 + 1)
    smear = np.exp(-1j * (_SMEAR_SECONDS * rate / (2.0 * np.pi)) * omega**2)
    return (
        omega.astype(np.float32),
        (omega * (rate / (2.0 * np.pi))).astype(np.float32),
        smear.astype(np.complex64),
    )


def pluck(
    hz: float,
    size: int,
    rate: int,
    parameters: dict[str, float],
    velocity: float,
    body: np.ndarray | None = None,
) -> np.ndarray:
    """One plucked note.

    hz: pitch; size: length in samples, one that ``block`` gives
    parameters: as in ``instruments.STRING``; velocity: (0, 1]: how bright
    body: linear gain over the frequencies of a real transform of this size, or None
    Returns float32 (size,) of RMS 0.25 over its first 0.2 s.
    """
    omega, frequencies, smear = _grid(size, rate)
    growth = _WRAP_DB / 20.0 * np.log(10.0) / size
    delay = rate / hz
    gain = 10.0 ** (-3.0 / (hz * parameters["t60"]))
    hardness = parameters["hardness"] * (0.55 + 0.6 * velocity)
    half = 0.5 * parameters["course"]
    response = np.zeros(omega.shape, dtype=np.complex64)
    for cents in (-half, half) if half > 0.0 else (0.0,):
        response += loop_response(
            omega,
            delay * 2.0 ** (cents / 1200.0),
            gain,
            parameters["damping"],
            parameters["stiffness"],
            growth,
        )
    away = parameters["position"] * delay
    angle = omega * np.float32(-away)
    reflected = np.float32(np.exp(-growth * away))
    excitation = np.empty(omega.shape, dtype=np.complex64)
    excitation.real = 1.0 - reflected * np.cos(angle)
    excitation.imag = -reflected * np.sin(angle)
    colour = np.exp(frequencies * np.float32(-1.0 / hardness))
    if body is not None:
        colour *= body
    response *= excitation
    response *= smear
    response *= colour
    sound = np.fft.irfft(response, size)
    sound *= np.exp(np.arange(size, dtype=np.float32) * np.float32(growth))
    return sound * np.float32(_LOUD / _rms(sound[: int(0.2 * rate)]))


def block(samples: int) -> int:
    """The length of the transform for a note of so many samples."""
    return next(size for size in _SIZES if size >= samples)


def _buzz(sound: np.ndarray, rate: int) -> np.ndarray:
    """What a curved or grooved bridge adds: a pulse each time the string presses on it, so that high
    partials live as long as the string moves (C. V. Raman, "On some Indian stringed instruments", 1921).

    sound: of a length that ``block`` gives
    """
    blocks = np.sqrt(np.mean(np.square(sound.reshape(-1, _ENVELOPE_STEP)), axis=1)) + np.float32(1e-6)
    places = np.arange(len(blocks)) * _ENVELOPE_STEP + _ENVELOPE_STEP // 2
    envelope = np.interp(np.arange(len(sound)), places, blocks).astype(np.float32)
    pressed = np.maximum(sound / envelope - np.float32(0.6), 0.0)
    pulses = np.diff(pressed * pressed, n=2, prepend=np.zeros(2, dtype=np.float32))
    pulses *= envelope
    return pulses * np.float32(_LOUD / _rms(pulses[: int(0.2 * rate)]))


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound * sound))) + 1e-9


def strings(
    notes: tuple[Note, ...],
    tonic: float,
    parameters: dict[str, float],
    body: Peaks,
    samples: int,
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """A part for a plucked or struck string instrument, as float32 (samples,).

    tonic: Hz, in the octave in which the part is played
    """
    out = np.zeros(samples, dtype=np.float32)
    bodies: dict[int, np.ndarray] = {}
    plucked: dict[tuple[int, int, int], np.ndarray] = {}  # a chord or drone repeats its notes
    damped = int(_DAMPED_SECONDS * rate)
    click_size = int(0.012 * rate)
    click_shape = np.exp(-np.arange(click_size, dtype=np.float32) / np.float32(0.0025 * rate))
    for note in notes:
        begin = int(note.start * rate)
        length = min(int(min(note.seconds, _LONGEST_SECONDS) * rate) + damped, samples - begin)
        hz = min(tonic * 2.0 ** (note.cents / 1200.0), 0.2 * rate)
        where = None
        if note.ornament != "plain":
            t = np.arange(length) / rate
            where = np.cumsum(2.0 ** (contour(note.ornament, t, note.seconds, note.reach) / 1200.0)) - 1.0
        size = block(length if where is None else int(where[-1]) + 2)
        if body and size not in bodies:
            bodies[size] = peaks_gain(_grid(size, rate)[1], body, parameters["body_scale"])
        key = (round(10.0 * note.cents), size, round(_SHADES * note.velocity))
        if key not in plucked:
            string = pluck(hz, size, rate, parameters, key[2] / _SHADES, bodies.get(size))
            if parameters["buzz"] > 0.0:
                string = string + np.float32(parameters["buzz"]) * _buzz(string, rate)
            plucked[key] = string
        if where is None:
            sound = plucked[key][:length].copy()
        else:
            sound = np.interp(where, np.arange(size), plucked[key]).astype(np.float32)
        if length > damped:
            sound[-damped:] *= np.linspace(1.0, 0.0, damped, dtype=np.float32) ** 2
        head = min(click_size, length)
        click = rng.standard_normal(click_size, dtype=np.float32)[:head] * click_shape[:head]
        sound[:head] += np.float32(parameters["click"]) * click
        out[begin : begin + length] += np.float32(note.velocity) * sound
    if parameters["drive"] > 0.0:
        out = np.tanh(out * np.float32(0.3 * parameters["drive"] / _rms(out)))
    return out
