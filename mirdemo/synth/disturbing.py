"""Rooms, loudspeakers, lines and noise: what must not change how music is represented.

Whitening is fitted on clips disturbed in this way, and the embedded networks were trained with it. Distinct on
purpose from the degradations of ``benchmarks/embedded_on_real_sound.py``, which must not be what either has seen.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft


def disturb(wave: NDArray[np.float32], rate: int, rng: Generator) -> NDArray[np.float32]:
    """A random chain of room, equaliser, band limit, clipping and noise.

    wave: (n,) at ``rate`` Hz. Returns float32 (n,) of about unit power before noise is added.
    """
    n = len(wave)
    size = next_fast_len(n + rate)
    spectrum = rfft(wave, size)
    hz = np.arange(len(spectrum)) * rate / size
    if rng.random() < 0.6:
        spectrum *= rfft(_room(rate, rng), size)
    gain_db = np.zeros_like(hz)
    octaves = np.log2(np.maximum(hz, 20.0))
    if rng.random() < 0.8:
        gain_db += rng.normal(0, 2.5) * (octaves - 10)
        for _ in range(int(rng.integers(1, 5))):
            centre, width = np.log2(np.exp(rng.uniform(np.log(60), np.log(9000)))), rng.uniform(0.3, 2.0)
            gain_db += rng.normal(0, 7) * np.exp(-(((octaves - centre) / width) ** 2))
    if rng.random() < 0.5:
        gain_db -= rng.uniform(12, 60) * np.maximum(0, octaves - np.log2(rng.uniform(1800, 9000)))
    if rng.random() < 0.4:
        gain_db -= rng.uniform(12, 36) * np.maximum(0, np.log2(rng.uniform(80, 500)) - octaves)
    gain_db = np.clip(gain_db, -90, 30)
    out = irfft(spectrum * 10 ** (gain_db / 20), size)[:n]
    out /= max(float(np.sqrt(np.mean(out**2))), 1e-6)
    if rng.random() < 0.2:
        drive = rng.uniform(0.5, 2.0)
        out = np.tanh(out * drive) / drive
    if rng.random() < 0.6:
        out = out + _noise(n, rate, rng) * 10 ** (-rng.uniform(3, 35) / 20)
    return out.astype(np.float32)


def _room(rate: int, rng: Generator) -> NDArray[np.float64]:
    """Exponentially decaying noise, duller as it decays, behind the direct sound."""
    seconds = float(np.exp(rng.uniform(np.log(0.12), np.log(1.8))))
    n = int(min(seconds, 1.0) * rate)
    t = np.arange(n) / rate
    tail = rng.standard_normal(n) * 10 ** (-3 * t / seconds)
    duller = rng.uniform(0.0, 0.85)
    tail = tail + np.concatenate([[0.0], tail[:-1]]) * duller
    tail[: int(rng.uniform(0.001, 0.02) * rate)] *= 0.2
    wet = 10 ** (rng.uniform(-18, 3) / 20)
    out = tail / np.sqrt(np.sum(tail**2)) * wet
    out[0] += 1.0
    return out


def _noise(n: int, rate: int, rng: Generator) -> NDArray[np.float64]:
    """Noise of unit power with a spectral slope from blue to brown, at times swelling, at times hum."""
    slope = rng.uniform(-7.0, 2.0)  # dB an octave
    half = rfft(rng.standard_normal(n))
    hz = np.maximum(np.arange(len(half)) * rate / n, 30.0)
    noise = irfft(half * (hz / 1000) ** (slope / 6.02), n)
    t = np.arange(n) / rate
    if rng.random() < 0.3:
        noise *= 1.0 + 0.9 * np.sin(2 * np.pi * (rng.uniform(0.1, 4.0) * t + rng.random()))
    noise /= np.sqrt(np.mean(noise**2))
    if rng.random() < 0.15:
        hum = sum(np.sin(2 * np.pi * rng.choice([50, 60]) * k * t) / k for k in (1, 2, 3))
        noise = 0.7 * noise + 0.7 * hum
    return noise
