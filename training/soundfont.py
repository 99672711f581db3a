"""Western bands played by a General MIDI soundfont: sampled instruments for training and validation.

The arrangements are drawn here from scratch (key, scale, chords, bass, comping, tune, drums), not by
``mirdemo.synth``, so they also serve as music that synthesiser never made. Debian's packages
``fluidsynth`` and ``fluid-soundfont-gm`` play them; nothing at run time needs either. Every fourth General
MIDI program never plays a tune or its chords in the train split, only in the valid split; basses, pads and drums are common
to both.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 24_000
FAMILIES = (
    "piano", "chromatic", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "pipe", "lead", "pad", "effects", "ethnic", "percussive",
)  # fmt: skip
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic-minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "major-pentatonic": (0, 2, 4, 7, 9),
}
METERS = {"4/4": (4, 1.0), "3/4": (3, 1.0), "6/8": (2, 1.5), "5/4": (5, 1.0)}  # beats a bar, quarters a beat
KITS = (0, 8, 16, 24, 25, 32, 40)
KICK, SNARE, STICK, HAT, OPEN_HAT, RIDE, CRASH, CLAP, LOW_TOM, HIGH_TOM, SHAKER = (
    36, 38, 37, 42, 46, 51, 49, 39, 45, 50, 70,
)  # fmt: skip


@dataclass
class Band:
    """One arrangement: notes as (start in quarters, length, channel, pitch, velocity), and what it is.

    A pitch with a fraction is bent to it, so a channel that plays such pitches plays one note at a time.
    tags: family -> tags; bpm: quarters a minute; tonic: pitch class, 0 = C
    """

    bpm: float
    tonic: int
    tags: dict[str, list[str]]
    programs: dict[int, int]
    notes: list[tuple[float, float, int, float, int]] = field(default_factory=list)
    cents: float = 0.0


def draw_band(rng: Generator, seconds: float, split: str = "train", like: Band | None = None) -> Band:
    """Draw an arrangement of ``seconds``. split: ``"train"`` leaves every fourth program out, any other
    split uses only those for tune and comping. like: a band whose metre and parts it takes."""
    scale_name = str(rng.choice(list(SCALES)))
    scale = SCALES[scale_name]
    tonic = int(rng.integers(12))
    meter = str(rng.choice(list(METERS), p=[0.6, 0.18, 0.16, 0.06]))
    if like is not None:
        meter = like.tags["meter"][0]
    beats, quarters = METERS[meter]
    bpm = float(np.exp(rng.uniform(np.log(62), np.log(185))))
    band = Band(bpm, tonic, {"scale": [scale_name], "meter": [meter]}, {})
    band.cents = float(rng.uniform(-40, 40))
    bar = beats * quarters
    n_bars = int(np.ceil(seconds / 60 * bpm / bar)) + 1
    swing = float(rng.choice([0.5, 0.5, 0.6, 0.667]))
    if like is not None:
        swing = 0.667 if "swing" in like.tags["meter"] else 0.5
    if swing > 0.55:
        band.tags["meter"].append("swing")
    roots = _progression(rng, len(scale), n_bars)
    parts = {
        "drums": rng.random() < 0.68,
        "bass": rng.random() < 0.75,
        "comp": rng.random() < 0.75,
        "pad": rng.random() < 0.3,
        "tune": rng.random() < 0.8,
    }
    if not any(parts[p] for p in ("bass", "comp", "pad", "tune")):
        parts["tune"] = True
    if like is not None:
        parts = {part: f"has-{part}" in like.tags["texture"] for part in parts}
    families: set[str] = set()
    for channel, part in enumerate(("bass", "comp", "pad", "tune")):
        if not parts[part]:
            continue
        program = _program(rng, part, split)
        band.programs[channel] = program
        families.add(FAMILIES[program // 8] if program < 120 else "effects")
        writer = {"bass": _bass, "comp": _comp, "pad": _pad, "tune": _tune}[part]
        writer(band, channel, rng, scale, roots, bar, beats, quarters, swing)
    if parts["drums"]:
        band.programs[9] = int(rng.choice(KITS))
        style = _drums(band, rng, n_bars, bar, beats, quarters, swing)
        band.tags["rhythm"] = [style]
        families |= {"drums", f"kit-{band.programs[9]}"}
    band.tags["instrument"] = sorted(families)
    band.tags["texture"] = [f"has-{part}" for part, there in parts.items() if there]
    return band


def render_bands(bands: list[Band], seconds: float, room: bool) -> list[NDArray[np.float32]]:
    """Play the bands one after another in one pass of fluidsynth; mono float32 waves at 24 kHz."""
    gap = 1.5
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "bands.mid"), Path(folder, "bands.wav")
        midi.write_bytes(_midi(bands, seconds, gap))
        command = ["fluidsynth", "-ni", "-q", "-g", "0.4", "-r", str(RATE), "-R", str(int(room)), "-C", "0"]
        subprocess.run([*command, "-T", "wav", "-F", str(wav), str(SOUNDFONT), str(midi)], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        import soundfile

        samples, rate = soundfile.read(wav, dtype="float32")
    assert rate == RATE
    mono = samples.mean(axis=1)
    step, length = round((seconds + gap) * RATE), round(seconds * RATE)
    mono = np.pad(mono, (0, max(0, step * len(bands) - len(mono))))
    return [mono[i * step : i * step + length].copy() for i in range(len(bands))]


def _program(rng: Generator, part: str, split: str) -> int:
    ranges = {
        "bass": [*range(32, 40)],
        "comp": [*range(0, 32), *range(40, 56), *range(104, 108)],
        "pad": [*range(48, 55), *range(88, 96), *range(16, 21)],
        "tune": [*range(0, 32), *range(40, 47), *range(52, 88), *range(104, 112)],
    }[part]
    if part in ("comp", "tune"):
        ranges = [p for p in ranges if (p % 4 == 3) != (split == "train")]
    return int(rng.choice(ranges))


def _progression(rng: Generator, degrees: int, n_bars: int) -> list[int]:
    """Scale degree of the chord of each bar: loops of two or four bars that start on the tonic."""
    common = [d for d in (3, 4, 5, 1, 2) if d < degrees]
    loop = [0, *(int(rng.choice(common)) for _ in range(int(rng.choice([1, 3]))))]
    if rng.random() < 0.15:
        loop = [0]
    return [loop[i % len(loop)] for i in range(n_bars)]


def _pitch(band: Band, scale: tuple[int, ...], degree: int, base: int) -> int:
    return base + band.tonic + scale[degree % len(scale)] + 12 * (degree // len(scale))


def _swung(position: float, swing: float) -> float:
    whole, part = divmod(position, 1.0)
    return whole + (swing if abs(part - 0.5) < 1e-6 else part)


def _bass(band, channel, rng, scale, roots, bar, beats, quarters, swing):
    style = rng.choice(["root", "eighths", "walking", "offbeat", "octaves"])
    for i, root in enumerate(roots):
        step = {"root": quarters * 2, "eighths": quarters / 2, "octaves": quarters / 2}.get(style, quarters)
        for n, t in enumerate(np.arange(0, bar - 1e-6, step)):
            degree = root
            if style == "walking":
                degree = root + int(rng.choice([0, 2, 4, 1, -1]))
            start = t + (quarters / 2 if style == "offbeat" else 0)
            pitch = _pitch(band, scale, degree, 28 + (12 if style == "octaves" and n % 2 else 0))
            band.notes.append(
                (i * bar + _swung(start, swing), step * 0.85, channel, pitch, 85 + rng.integers(25))
            )


def _comp(band, channel, rng, scale, roots, bar, beats, quarters, swing):
    style = rng.choice(["held", "beats", "offbeats", "arpeggio", "syncopated", "eighths"])
    voices = [(0, 2, 4), (0, 4, 7), (0, 2, 4, 6)][int(rng.integers(3))]
    hits = {
        "held": [0.0],
        "beats": list(np.arange(0, bar, quarters)),
        "offbeats": list(np.arange(quarters / 2, bar, quarters)),
        "eighths": list(np.arange(0, bar, quarters / 2)),
        "syncopated": sorted({float(t) for t in rng.choice(np.arange(0, bar, 0.5), size=max(2, int(bar)))}),
    }.get(str(style))
    base = 48 + 12 * int(rng.integers(2))
    for i, root in enumerate(roots):
        if hits is None:
            for n, t in enumerate(np.arange(0, bar - 1e-6, quarters / 2)):
                pitch = _pitch(band, scale, root + voices[n % len(voices)], base)
                band.notes.append((i * bar + _swung(t, swing), 0.6, channel, pitch, 70 + rng.integers(25)))
            continue
        ends = [*hits[1:], bar + hits[0]]
        for t, end in zip(hits, ends, strict=True):
            length = (end - t) * (0.9 if style in ("held", "beats") else 0.5)
            for voice in voices:
                pitch = _pitch(band, scale, root + voice, base)
                band.notes.append((i * bar + _swung(t, swing), length, channel, pitch, 60 + rng.integers(30)))


def _pad(band, channel, rng, scale, roots, bar, beats, quarters, swing):
    for i, root in enumerate(roots):
        for voice in (0, 2, 4):
            band.notes.append((i * bar, bar * 0.98, channel, _pitch(band, scale, root + voice, 48), 60))


def _tune(band, channel, rng, scale, roots, bar, beats, quarters, swing):
    motif = [float(x) for x in rng.choice([0.5, 0.5, 1.0, 1.5, 2.0, 0.25], size=int(rng.integers(3, 8)))]
    base = int(rng.choice([60, 60, 72]))
    degree, t, n = int(rng.integers(0, 7)), 0.0, 0
    total = len(roots) * bar
    while t < total:
        length = motif[n % len(motif)]
        degree = int(np.clip(degree + rng.choice([-2, -1, -1, 0, 1, 1, 2, 3, -4]), -4, 10))
        strong = abs(t / bar - round(t / bar)) < 1e-6
        if strong:  # land on the chord
            degree = roots[min(round(t / bar), len(roots) - 1)] + int(rng.choice([0, 2, 4]))
        if rng.random() > 0.12:
            pitch = _pitch(band, scale, degree, base)
            band.notes.append(
                (_swung(t, swing), length * rng.uniform(0.6, 1.0), channel, pitch, 80 + rng.integers(40))
            )
        t, n = t + length, n + 1


def _drums(band, rng, n_bars, bar, beats, quarters, swing) -> str:
    style = str(rng.choice(["backbeat", "four-on-floor", "half-time", "ride", "latin", "blast", "brushes"]))
    top = {"ride": RIDE, "brushes": RIDE, "latin": SHAKER}.get(style, int(rng.choice([HAT, HAT, RIDE])))
    step = {"blast": quarters / 4, "latin": quarters / 4}.get(
        style, float(rng.choice([quarters / 2, quarters]))
    )
    snare = CLAP if style == "four-on-floor" and rng.random() < 0.5 else SNARE
    for i in range(n_bars):
        hits = [(float(t), top, 60) for t in np.arange(0, bar - 1e-6, step)]
        for b in range(beats):
            t = b * quarters
            if style == "four-on-floor" or (style != "half-time" and b % 2 == 0) or (b == 0):
                hits.append((t, KICK, 110))
            if style == "blast":
                hits += [(t, KICK, 115), (t + quarters / 2, KICK, 115), (t + quarters / 4, SNARE, 100)]
            elif style == "half-time":
                if b == beats // 2:
                    hits.append((t, snare, 115))
            elif b % 2 == 1 or (beats % 2 and b == beats - 1):
                hits.append(
                    (t, STICK if style in ("latin", "ride") else snare, 60 if style == "brushes" else 105)
                )
        if rng.random() < 0.3:
            hits.append((float(rng.choice(np.arange(0, bar, 0.5))), KICK, 95))
        if i % 4 == 0 and rng.random() < 0.4:
            hits.append((0.0, CRASH, 95))
        if i % 4 == 3 and rng.random() < 0.5:
            hits += [(bar - 1 + k / 4, HIGH_TOM if k < 2 else LOW_TOM, 100) for k in range(4)]
        for t, pitch, velocity in hits:
            loud = int(np.clip(velocity + rng.integers(-12, 12), 20, 127))
            band.notes.append((i * bar + _swung(t, swing), 0.1, 9, pitch, loud))
    return style


def _midi(bands: list[Band], seconds: float, gap: float) -> bytes:
    """A one-track MIDI file at 1000 ticks a second, band after band."""
    events: list[tuple[int, float, bytes]] = []
    for i, band in enumerate(bands):
        origin = i * (seconds + gap)
        at = round(origin * 1000)
        bend = _bend(band.cents)
        for channel in range(16):
            events.append((at, 0, bytes([0xB0 | channel, 120, 0])))
            if channel != 9:
                events.append((at, 1, bytes([0xE0 | channel, *bend])))
        for channel, program in band.programs.items():
            events.append((at, 1, bytes([0xC0 | channel, program])))
        for start, length, channel, pitch, velocity in band.notes:
            on = start * 60 / band.bpm
            if on >= seconds - 0.05 or on < 0:
                continue
            off = min(on + max(length * 60 / band.bpm, 0.03), seconds)
            fraction = float(pitch) - round(float(pitch))
            if fraction:
                bent = bytes([0xE0 | channel, *_bend(band.cents + 100 * fraction)])
                events.append((round((origin + on) * 1000), 2.5, bent))
            pitch, velocity = int(np.clip(round(float(pitch)), 0, 127)), int(np.clip(velocity, 1, 127))
            events.append((round((origin + on) * 1000), 3, bytes([0x90 | channel, pitch, velocity])))
            events.append((round((origin + off) * 1000), 2, bytes([0x80 | channel, pitch, 0])))
    events.sort(key=lambda e: e[:2])
    track, now = bytearray(b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")), 0
    for tick, _, message in events:
        track += _variable(tick - now) + message
        now = tick
    track += _variable(max(0, round(len(bands) * (seconds + gap) * 1000) - now)) + b"\xff\x2f\x00"
    header = b"MThd" + (6).to_bytes(4, "big") + (0).to_bytes(2, "big") + (1).to_bytes(2, "big")
    return header + (1000).to_bytes(2, "big") + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)


def _bend(cents: float) -> tuple[int, int]:
    """The two bytes of a pitch bend, with General MIDI's reach of 200 cents to each side."""
    value = int(8192 + cents / 200 * 8191)
    return value & 127, value >> 7


def _variable(number: int) -> bytes:
    out = [number & 127]
    while number := number >> 7:
        out.append(number & 127 | 128)
    return bytes(reversed(out))
