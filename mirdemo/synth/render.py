"""From plan to samples, as planned or as another view of the same performance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mirdemo.synth import draws
from mirdemo.synth.drums import drums
from mirdemo.synth.events import Part
from mirdemo.synth.instruments import INSTRUMENTS
from mirdemo.synth.performance import (
    Performance,
    draw_acoustics,
    draw_parameters,
    draw_tonic,
)
from mirdemo.synth.room import record
from mirdemo.synth.strings import strings
from mirdemo.synth.winds import winds

#: What a controlled clip is rendered at unless told: the rate of MERT and of the embedded backbones.
RATE = 24000


@dataclass(frozen=True)
class View:
    """Another rendering of a performance: what is drawn anew from the seed, within the performance's split.

    tonic: transposition; instruments: every instrument's parameters and balance; acoustics: room, EQ,
    noise and level
    """

    seed: int
    tonic: bool = True
    instruments: bool = True
    acoustics: bool = True


def seen(performance: Performance, view: View) -> Performance:
    """The performance as the view has it; notes, strokes and tags are the same."""
    rng = draws.generator("view", performance.recording, view.seed)
    tonic, parts, acoustics = performance.tonic, performance.parts, performance.acoustics
    new_tonic = draw_tonic(rng, performance.split)
    if view.tonic:
        # The nearest octave keeps every player within the instrument's register.
        tonic = min((0.5 * new_tonic, new_tonic, 2.0 * new_tonic), key=lambda hz: abs(np.log2(hz / tonic)))
    if view.instruments:
        parts = tuple(
            replace(
                part,
                parameters=draw_parameters(rng, part.instrument, performance.split),
                gain=part.gain + draws.between(rng, performance.split, -2.0, 2.0),
            )
            for part in parts
        )
    if view.acoustics:
        acoustics = draw_acoustics(
            draws.generator("view acoustics", performance.recording, view.seed), performance.split
        )
    return replace(performance, tonic=tonic, parts=parts, acoustics=acoustics)


def render_part(part: Part, tonic: float, samples: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """One player alone, dry and at no particular level: float32 (samples,)."""
    instrument = INSTRUMENTS[part.instrument]
    hz = tonic * 2.0**part.octave
    if instrument.model == "drum":
        return drums(part.strokes, instrument.kind, part.parameters, samples, rate, rng)
    if instrument.model == "string":
        return strings(part.notes, hz, part.parameters, instrument.body, samples, rate, rng)
    return winds(part.notes, hz, part.parameters, instrument.body, instrument.kind, samples, rate, rng)


def render(performance: Performance, rate: int = RATE, *, view: View | int | None = None) -> np.ndarray:
    """The performance as sound.

    rate: samples per second, a multiple of 500, at least 8000
    view: None for the performance as planned; a View, or its seed for one in which all is drawn anew
    Returns float32 (seconds * rate,), mono, peak at most 0.97. The same arguments give the same bytes on
    one platform.
    """
    if rate < 8000 or rate % 500:
        raise ValueError(f"rate {rate} is not a multiple of 500 of at least 8000")
    if isinstance(view, int):
        view = View(view)
    shown = performance if view is None else seen(performance, view)
    touch = view.seed if view is not None and view.instruments else None
    samples = round(shown.seconds * rate)
    mix = np.zeros(samples, dtype=np.float32)
    for number, part in enumerate(shown.parts):
        rng = draws.generator("touch", shown.recording, number, touch)
        sound = render_part(part, shown.tonic, samples, rate, rng)
        # Loudness between RMS and peak, so that neither a drum nor a drone drowns the other.
        loud = 5.0 * float(np.sqrt(np.mean(sound * sound))) + float(np.abs(sound).max()) + 1e-9
        mix += sound * np.float32(10.0 ** (part.gain / 20.0) / loud)
    room = draws.generator(
        "room", shown.recording, view.seed if view is not None and view.acoustics else None
    )
    return record(mix, shown.acoustics, rate, room)
