"""What a performance is made of: notes, drum strokes, the players' parts, and how it was recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A note of a part. start, seconds: when and how long; cents: above the tonic; velocity: (0, 1];
    ornament: key of ``ornaments.CONTOURS``; reach: signed cents to the pitch that it touches; tied: joined to the note before."""

    start: float
    seconds: float
    cents: float
    velocity: float
    ornament: str = "plain"
    reach: float = 0.0
    tied: bool = False


@dataclass(frozen=True)
class Stroke:
    """A drum stroke. start: s; letter: D low, T high, k light (rhythm.py); velocity: (0, 1]."""

    start: float
    letter: str
    velocity: float


@dataclass(frozen=True)
class Part:
    """What one player does.

    instrument: key of ``INSTRUMENTS``
    parameters: its model's parameters, name -> value
    octave: octaves by which this player transposes the tonic
    gain: level in dB against the leading part
    notes or strokes: one of them is empty
    role: "melody", "answer", "shadow", "chords", "bass", "drone", "hold", "calls" or "percussion"
    """

    role: str
    instrument: str
    parameters: dict[str, float]
    octave: int
    gain: float
    notes: tuple[Note, ...] = ()
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True)
class Acoustics:
    """Where and how it was recorded. rt60 s; wet 0-1; brightness: Hz above which the room dulls; tilt dB per
    octave about 1 kHz; bell_hz, bell_db: one broad EQ band; low_cut, high_cut Hz; noise_db: noise against the
    music; noise_tilt dB per octave; level: RMS in dBFS."""

    rt60: float
    wet: float
    brightness: float
    tilt: float
    bell_hz: float
    bell_db: float
    low_cut: float
    high_cut: float
    noise_db: float
    noise_tilt: float
    level: float
