"""Fit the fixed constants of the spectral backbone on synthetic sound, and write them into the package.

    python training/fit_spectral_scale.py [--sounds 600] [--seed 0]

The statistics come in decibels, shares and correlations, so a cosine over them would be ruled by whichever is
largest. Each is therefore brought to mean 0 and deviation 1 over a set of sounds that belongs to nobody: random
ensembles of plucked, bowed and blown tones on random scales (five to eight steps of 53 equal ones an octave),
drums and rattles in random cycles and tempi, in random rooms, behind random filters, over random noise. Nothing is
learned: two numbers a statistic, and one pair for the bins of a circle (a pitch class is no louder than another).
Takes about two minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.signal import fftconvolve, lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones.descriptors import statistics
from mirdemo.backbones.spectral_facts import SPEC

RATE = SPEC.sample_rate
SECONDS = SPEC.window_seconds
TARGET = Path(__file__).parent.parent / "mirdemo" / "backbones" / "spectral_scale.py"


def tone(rng: np.random.Generator, frequency: float, seconds: float, voice: dict[str, float]) -> np.ndarray:
    """One note: harmonics that fall off with their number, an attack, a decay or a sustain, some vibrato."""
    t = np.arange(int(seconds * RATE)) / RATE
    vibrato = voice["vibrato"] * np.sin(2 * np.pi * voice["vibrato_rate"] * t + rng.uniform(0, 6.3))
    phase = 2 * np.pi * np.cumsum(frequency * 2 ** (vibrato / 1200)) / RATE
    count = max(1, min(int(voice["partials"]), int(0.45 * RATE / frequency)))
    numbers = np.arange(1, count + 1)
    stretch = numbers * np.sqrt(1 + voice["inharmonicity"] * numbers**2)
    weights = numbers ** -voice["slope"] * np.where(numbers % 2, 1.0, voice["even"])
    wave = sum(w * np.sin(phase * s + rng.uniform(0, 6.3)) for w, s in zip(weights, stretch, strict=True))
    wave = wave + voice["breath"] * rng.standard_normal(len(t))
    envelope = np.minimum(t / voice["attack"], 1.0) * np.exp(-t / voice["decay"])
    return wave * envelope * np.minimum((seconds - t) / 0.02, 1.0)


def beat(rng: np.random.Generator, drum: dict[str, float]) -> np.ndarray:
    """One stroke: a falling low tone and a burst of coloured noise."""
    t = np.arange(int(min(4 * drum["decay"], 1.5) * RATE)) / RATE
    skin = np.sin(2 * np.pi * drum["pitch"] * (t - 0.1 * drum["fall"] * np.exp(-t / 0.1)))
    noise = lfilter([1.0], [1.0, -drum["colour"]], rng.standard_normal(len(t)))
    noise /= noise.std()
    return (drum["skin"] * skin + (1 - drum["skin"]) * noise) * np.exp(-t / drum["decay"])


def ensemble(rng: np.random.Generator) -> np.ndarray:
    """A random piece, float32 (samples,)."""
    mix = np.zeros(int((SECONDS + 2) * RATE))
    pulse = 60.0 / rng.uniform(60, 220)
    tonic = 55 * 2 ** rng.uniform(0, 2)
    scale = np.sort(rng.choice(np.arange(1, 53), rng.integers(4, 8), replace=False))
    scale = np.concatenate([[0], scale])
    density = rng.dirichlet(np.full(len(scale), 1.5))

    def add(wave: np.ndarray, at: float, level: float) -> None:
        start = int(at * RATE)
        stop = min(start + len(wave), len(mix))
        if start < stop:
            mix[start:stop] += level * wave[: stop - start]

    voices = rng.integers(0, 4)
    drums = rng.integers(0, 4) if voices else rng.integers(1, 4)
    for _ in range(voices):
        voice = {
            "partials": rng.integers(1, 30),
            "slope": rng.uniform(0.3, 2.5),
            "even": rng.uniform(0, 1),
            "inharmonicity": 10 ** rng.uniform(-6, -3),
            "vibrato": rng.choice([0.0, rng.uniform(5, 80)]),
            "vibrato_rate": rng.uniform(4, 7),
            "breath": 10 ** rng.uniform(-3, -0.5),
            "attack": 10 ** rng.uniform(-2.5, -0.8),
            "decay": 10 ** rng.uniform(-1, 1),
        }
        octave, level = 2.0 ** rng.integers(0, 4), 10 ** rng.uniform(-1, 0)
        step, notes = pulse * 2.0 ** rng.integers(-1, 3), rng.integers(1, 4)
        at = rng.uniform(0, step)
        while at < SECONDS + 1:
            length = step * rng.choice([0.5, 0.95, 1.5])
            for degree in rng.choice(scale, notes, p=density) if rng.uniform() < 0.85 else []:
                add(tone(rng, tonic * octave * 2 ** (degree / 53), length, voice), at, level / notes)
            at += step * rng.choice([0.5, 1, 1, 1, 2])
    for _ in range(drums):
        drum = {
            "decay": 10 ** rng.uniform(-2, -0.4),
            "pitch": 10 ** rng.uniform(1.7, 2.7),
            "fall": rng.uniform(0, 1),
            "colour": rng.uniform(-0.8, 0.98),
            "skin": rng.uniform(0, 1),
        }
        cycle = rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16])
        strokes = rng.uniform(0, 1, cycle) * (rng.uniform(0, 1, cycle) < rng.uniform(0.2, 0.9))
        level, unit = 10 ** rng.uniform(-1, 0.3), pulse / 2.0 ** rng.integers(0, 3)
        for k in range(int((SECONDS + 1) / unit)):
            if strokes[k % cycle] > 0:
                add(beat(rng, drum), max(0.0, k * unit + rng.normal(0, 0.008)), level * strokes[k % cycle])

    if not mix.any():  # every stroke fell on a rest
        return ensemble(rng)
    mix /= mix.std()
    tail = 10 ** rng.uniform(-1.3, 0.3)
    t = np.arange(int(tail * RATE)) / RATE
    room = rng.standard_normal(len(t)) * np.exp(-6.9 * t / tail)
    wet = fftconvolve(mix, room)[: len(mix)]
    mix = mix + rng.uniform(0, 0.7) * wet / wet.std()
    hiss = lfilter([1.0], [1.0, -rng.uniform(0, 0.99)], rng.standard_normal(len(mix)))
    mix = mix / mix.std() + 10 ** rng.uniform(-4, -0.7) * hiss / hiss.std()

    spectrum = np.fft.rfft(mix)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(mix), 1 / RATE), 20) / 1000)
    bends = np.interp(
        octaves, np.linspace(-5.7, 3.5, 8), rng.normal(0, 4, 8) + rng.uniform(-6, 3) * np.arange(-4, 4)
    )
    cutoff = np.log2(rng.uniform(4, 16))
    bends = bends - np.maximum(octaves - cutoff, 0) * 60
    mix = np.fft.irfft(spectrum * 10 ** (bends / 20), len(mix))
    squash = rng.choice([0.0, rng.uniform(0.3, 2)])  # a compressor, as loud records have
    mix = mix / mix.std()
    mix = np.tanh(squash * mix) if squash else mix
    return mix[int(1.0 * RATE) : int((1.0 + SECONDS) * RATE)].astype(np.float32)


def constants(groups: dict[str, torch.Tensor]) -> dict[str, tuple[list[float], list[float]]]:
    """group name -> (centres, scales), each (size,)."""
    fitted = {}
    for name, values in groups.items():
        values = values.double()
        centre, scale = values.mean(0), values.std(0)
        if name == "chroma":
            for half in centre.split(36):
                half[:] = half.mean()
            for half in scale.split(36):
                half[:] = half.square().mean().sqrt()
        fitted[name] = (
            [float(f"{v:.4g}") for v in centre],
            [float(f"{max(v, 1e-4):.4g}") for v in scale],
        )
    return fitted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sounds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows: dict[str, list[torch.Tensor]] = {}
    for _ in range(options.sounds):
        for name, row in statistics(torch.from_numpy(ensemble(rng))[None]).items():
            rows.setdefault(name, []).append(row)
    fitted = constants({name: torch.cat(parts) for name, parts in rows.items()})

    lines = [
        f'"""Centre and scale of every spectral statistic. Written by training/{Path(__file__).name}: do not edit."""',
        "",
        "# fmt: off",
        f"#: Fitted on {options.sounds} synthetic sounds, seed {options.seed}. Group -> one number a statistic.",
    ]
    for title, which in (("CENTRES", 0), ("SCALES", 1)):
        lines.append(f"{title}: dict[str, tuple[float, ...]] = {{")
        for name, pair in fitted.items():
            lines.append(f'    "{name}": (')
            values = [str(v) for v in pair[which]]
            lines += [f"        {', '.join(values[i : i + 8])}," for i in range(0, len(values), 8)]
            lines.append("    ),")
        lines.append("}")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
