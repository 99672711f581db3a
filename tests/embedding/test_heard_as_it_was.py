"""One made-up sound is cut, drawn, brought to other rates and embedded as it was on 1 December 2026, by the backbones that ship.

``PYTHONPATH=.:tests python tests/embedding/test_heard_as_it_was.py`` writes ``heard_as_it_was.json`` anew: rows that are kept in stores, taggers
and whitenings rest on these figures, so whoever moves them says so in CHANGELOG.md.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import remembered

from mirdemo.backbones import load_backbone, specs
from mirdemo.embedding import pace
from mirdemo.embedding.embed import cut, embed, windows
from mirdemo.embedding.whitening import LayerWhitening
from mirdemo.sound.audio import Clip, display_name, part_of
from mirdemo.sound.cutting import between_pauses, even_pieces, loudness
from mirdemo.sound.long import open_long
from mirdemo.sound.resampling import resample
from mirdemo.sound.spectrogram import highest, picture
from mirdemo.sound.waveform import Levels, Peaks, decibels, outline_of

FILE = Path(__file__).with_name("heard_as_it_was.json")
RATE = 16_000
BACKBONES = ("spectral", "mini-west", "mini-world", "mini-world-spectral")


@cache
def sound() -> np.ndarray:
    """Thirteen seconds: a scale over a drone, a roll of clicks, noise that swells, and two pauses."""
    t = np.arange(13 * RATE) / RATE
    drone = 0.1 * sum(np.sin(2 * np.pi * k * 147.0 * t) / k for k in range(1, 6))
    steps = 294.0 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 7, 0])[(t * 2).astype(int) % 10] / 12)
    line = 0.2 * np.sin(2 * np.pi * np.cumsum(steps) / RATE) * np.exp(-3 * (t * 2 % 1))
    clicks = 0.5 * ((t * 6 % 1) < 0.002) * (t > 5)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(t)) * (1 + np.sin(2 * np.pi * 0.4 * t))
    heard = (drone + line + clicks + noise) * ~(((t > 4) & (t < 5.2)) | ((t > 9.5) & (t < 11)))
    return heard.astype(np.float32)


def file() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as one:
        one.setnchannels(1)
        one.setsampwidth(2)
        one.setframerate(RATE)
        one.writeframes(np.round(sound() * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return out.getvalue()


def drawn() -> Any:
    peaks, levels = Peaks(), Levels(RATE)
    for part in np.array_split(sound(), 7):
        peaks.add(part)
        levels.add(part)
    long = open_long(file(), "a.wav")
    so_far = levels.so_far()
    return {
        "peaks": [len(peaks), peaks.frames_per_bin, peaks.top, peaks.outline(1000, 250_000, 40)],
        "outline": [outline_of(sound()[:900], bins) for bins in (7, 1200)],
        "long": [long.outline(*span, 30) for span in ((0.0, 13.0), (1.0, 1.01), (12.99, 13.01), (-0.5, 0.1))],
        "levels": [
            so_far,
            decibels(so_far[:5].astype(float)),
            loudness(so_far),
            long.level_seconds,
            long.levels,
        ],
        "picture": [
            picture(long, *span, columns)
            for span, columns in (((0, 13), 60), ((2.0, 2.1), 9), ((12.5, 14.0), 20))
        ],
        "highest": [highest(rate) for rate in (8_000, 24_000, 44_100)],
        "pauses": [
            between_pauses(so_far, 0.05, *span, **more)
            for span, more in (
                ((0.0, 13.0), {}),
                ((1.0, 12.0), {"longest": 2.0}),
                ((0.0, 13.0), {"pause": 1.3, "shortest": 3.0}),
                ((0.0, 13.0), {"pause": 2.0}),
                ((3.0, 6.0), {"below": 60.0}),
            )
        ],
        "even": [even_pieces(1.0, end, 4.0) for end in (2.0, 6.9, 7.1, 21.0)],
        "parts": [part_of("a", 1000, 100, *span) for span in ((0.0, 99.0), (1.004, 2.006), (9.99, 10.0))],
        "names": [display_name(name) for name in ("x/y.wav", " a ", "x" * 200 + ".wav", "", "a\nb.wav")],
    }


def resampled() -> Any:
    short = sound()[3 * RATE : 3 * RATE + 3000]
    pairs = (
        (16_000, 24_000),
        (16_000, 22_050),
        (44_100, 16_000),
        (48_000, 8_000),
        (11_025, 44_100),
        (16_000, 16_000),
    )
    return {f"{a} to {b}": remembered.summed(resample(short, a, b)) for a, b in pairs}


def whitened() -> Any:
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((60, 8)) @ rng.standard_normal((8, 8)) + 2).astype(np.float32)
    made = LayerWhitening.fit(rows, np.arange(60) // 3, rank=4)
    cut = LayerWhitening.fit(rows, np.arange(60) // 2, 0.3, 8, floor=0.5, limit=2.0)
    return {
        "applied": [made.apply(rows[:9]), cut.apply(rows[:9]), made.keep, cut.keep],
        "standardised": made.standardised(rows[:9]),
        "strange": [made.strange(rows), made.strange(rows + 5), made.strange(100 * rows[:3])],
    }


def measured() -> Any:
    known = specs()
    of = [known[name] for name in ("mini-world", "mert-95m", "clap-music", "musicnn-msd")]
    lengths = (1, 1000, 79_999, 80_000, 80_001, 160_001, 500_000)
    return {
        "windows": [[windows(n, spec.sample_rate, spec) for n in lengths] for spec in of],
        "cut": [
            [starts, [len(one) for one in waves]]
            for spec in of
            for starts, waves in (cut(sound()[:n], spec) for n in (9, 90_000))
        ],
        "work": [[pace.work(spec, seconds) for seconds in (0.0004, 2.0, 5.0, 10.01, 33.3)] for spec in of],
        "rates": [resample(sound()[:100], 16_000, 8_000).shape, Clip.of(sound(), RATE).at(22_050).shape],
    }


def embedded(name: str) -> Callable[[], Any]:
    def found() -> Any:
        clips = [
            Clip.of(sound(), RATE),
            Clip.of(sound()[: RATE // 2], RATE),
            Clip.of(np.zeros(RATE, np.float32), RATE),
        ]
        rows = embed(clips, load_backbone(name, device="cpu"))
        return {
            "layers": {layer: remembered.summed(rows.matrix(layer)) for layer in rows.layer_names},
            "starts": [rows.window_starts(i) for i in range(3)],
        }

    return found


CASES: dict[str, Callable[[], Any]] = {
    "drawn": drawn,
    "resampled": resampled,
    "whitened": whitened,
    "measured": measured,
    **{name: embedded(name) for name in BACKBONES},
}


@pytest.mark.parametrize("name", CASES)
def test_a_sound_is_heard_as_it_was(name: str):
    """Single precision adds in another order on another machine: a ten-thousandth is let pass."""
    remembered.hold(CASES[name](), remembered.kept(FILE)[name], rel=1e-4 if name in BACKBONES else 1e-5)


if __name__ == "__main__":
    remembered.write(FILE, {name: make() for name, make in CASES.items()})
