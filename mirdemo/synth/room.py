"""From the players to the file: room, equaliser, noise and level, in one pass through the spectrum.

The room's impulse response is synthetic: direct sound, a few early reflections, and exponentially
decaying noise whose high frequencies die sooner (J. A. Moorer, "About this reverberation business",
Computer Music Journal 3(2), 1979).
"""

from __future__ import annotations

import numpy as np

from mirdemo.synth.events import Acoustics

_EARLY, _EARLY_SECONDS = 6, 0.05
_PEAK = 0.97
_NEPERS = np.log(10.0) / 20.0  # natural logarithm of 1 dB


def impulse_response(acoustics: Acoustics, rate: int, rng: np.random.Generator) -> np.ndarray:
    """float32 (n,): direct sound of 1 at sample 0, early reflections, tail; the room's energy is wet² / (1 - wet)²."""
    length = int(rate * min(acoustics.rt60, 2.2) * 0.75) + int(_EARLY_SECONDS * rate)
    t = np.arange(length, dtype=np.float32) / np.float32(rate)
    tail = rng.standard_normal(length, dtype=np.float32)
    dull = np.empty_like(tail)
    dull[0] = tail[0]
    dull[1:] = 0.5 * (tail[1:] + tail[:-1])
    # High frequencies last a fraction of the reverberation time: less in a dull room.
    share = min(0.9, acoustics.brightness / 7000.0)
    slow = np.exp(t * np.float32(-6.91 / acoustics.rt60))
    fast = np.exp(t * np.float32(-6.91 / (share * acoustics.rt60)))
    tail = dull * slow + (tail - dull) * fast
    tail[: int(0.012 * rate)] = 0.0
    for _ in range(_EARLY):
        place = int(rng.uniform(0.006, _EARLY_SECONDS) * rate)
        tail[place] += float(rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 5.0))
    energy = float(np.sqrt(np.sum(tail * tail))) + 1e-9
    response = tail * np.float32(acoustics.wet / (1.0 - acoustics.wet) / energy)
    response[0] += 1.0
    return response


def equaliser(hz: np.ndarray, acoustics: Acoustics) -> np.ndarray:
    """Linear gain over frequency: tilt, one bell, low and high cut (each 12 dB per octave)."""
    octaves = np.log2(np.maximum(hz, 20.0) / np.float32(1000.0))
    away = (octaves - np.float32(np.log2(acoustics.bell_hz / 1000.0))) / np.float32(0.6)
    decibels = acoustics.tilt * octaves + acoustics.bell_db * np.exp(np.float32(-0.5) * away * away)
    low = (hz / np.float32(acoustics.low_cut)) ** 2
    high = (hz / np.float32(acoustics.high_cut)) ** 2
    return np.exp(decibels * np.float32(_NEPERS)) * low / ((1.0 + low) * (1.0 + high))


def record(dry: np.ndarray, acoustics: Acoustics, rate: int, rng: np.random.Generator) -> np.ndarray:
    """What the recording holds.

    dry: float32 (n,), the players' sum
    Returns float32 (n,): RMS at ``acoustics.level`` dBFS unless that would pass a peak of 0.97.
    """
    response = impulse_response(acoustics, rate, rng)
    size = _fast(len(dry) + len(response))
    hz = np.linspace(0.0, 0.5 * rate, size // 2 + 1, dtype=np.float32)
    spectrum = np.fft.rfft(dry, size) * np.fft.rfft(response, size)
    spectrum *= equaliser(hz, acoustics)
    hiss = rng.standard_normal((2, len(hz)), dtype=np.float32)
    noise = np.empty(len(hz), dtype=np.complex64)
    shape = np.exp(
        np.log(np.maximum(hz, 40.0) / np.float32(1000.0)) * np.float32(acoustics.noise_tilt / 6.02)
    )
    noise.real, noise.imag = hiss * shape
    noise[0] = noise[-1] = 0.0
    # The music's power is spread over the whole block, the noise's too: silence after the clip counts for neither.
    share = _power(spectrum) * size / len(dry) / _power(noise)
    noise *= np.float32(10.0 ** (acoustics.noise_db / 20.0) * np.sqrt(share))
    spectrum += noise
    sound = np.fft.irfft(spectrum, size)[: len(dry)]
    rms = float(np.sqrt(np.mean(sound * sound))) + 1e-12
    peak = float(np.abs(sound).max()) + 1e-12
    scale = min(10.0 ** (acoustics.level / 20.0) / rms, _PEAK / peak)
    return (sound * np.float32(scale)).astype(np.float32)


def _fast(length: int) -> int:
    """The next even length that is quick to transform: a small odd number times a power of two."""
    return min(base << max(1, (-(-length // base) - 1).bit_length()) for base in (1, 3, 5, 9, 15, 25, 27))


def _power(spectrum: np.ndarray) -> float:
    """Mean squared magnitude."""
    return float(np.mean(spectrum.real**2) + np.mean(spectrum.imag**2))
