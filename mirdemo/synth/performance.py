"""The plan of a performance: everything that is played, as symbols, drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from mirdemo.base.sentences import MirdemoError
from mirdemo.synth import draws
from mirdemo.synth import score as writing
from mirdemo.synth.events import Acoustics, Note, Part, Stroke
from mirdemo.synth.instruments import FIXED_PITCH, INSTRUMENTS
from mirdemo.synth.ornaments import stepped
from mirdemo.synth.rhythm import PLAIN_CYCLE, Cycle, cycles_of, tempo_word
from mirdemo.synth.traditions import (
    FACTS,
    FORMS,
    PLAIN_DRUM,
    PLAIN_MELODY,
    TRADITIONS,
    Tradition,
)
from mirdemo.synth.tuning import PLAIN_SCALE, Scale, scales_of

#: full: as the tradition plays; pitch: its pitches and rhythms on timbres common to all; timbre: its
#: instruments playing pitches and rhythms common to all.
MODES: tuple[str, ...] = ("full", "pitch", "timbre")

_LOWEST_TONIC = 130.8128  # Hz, C3; tonics lie within the octave above it
_SHORTEST_SECONDS = 1.0
_LEAD_IN = 0.06  # s before the first downbeat
_PHRASE_SECONDS = 2.6  # about what a phrase lasts; whole cycles
_FORM_WEIGHTS = (1.0, 1.0, 0.8, 1.0)

Event = TypeVar("Event", Note, Stroke)
Named = TypeVar("Named", Scale, Cycle)


class ControlledError(MirdemoError):
    """A controlled performance was asked for that cannot be made."""


@dataclass(frozen=True)
class Wanted:
    """What is fixed instead of drawn; None leaves a thing to the seed.

    form, scale, cycle: names; tempo: pulses per minute (need not belong to the split)
    melody: the leading instrument, then those that answer or shadow it
    percussion, backing: drums, and kinds of accompaniment as in ``Tradition.backing``
    """

    form: str | None = None
    scale: str | None = None
    cycle: str | None = None
    tempo: float | None = None
    melody: tuple[str, ...] | None = None
    percussion: tuple[str, ...] | None = None
    backing: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Performance:
    """One performance, complete but for the sound. ``render`` makes samples of it.

    tonic: Hz; tempo: pulses per minute and cycle: a name (0.0 and "" where unmetered)
    downbeat: seconds at which the first cycle begins, negative where the clip begins within it
    tags: sorted, each ``family--Name``
    phrases: the leading line's, each as (scale degree, length) pairs; lengths in pulses, or in seconds
        where unmetered
    """

    tradition: str
    mode: str
    split: str
    seed: int
    seconds: float
    tonic: float
    tempo: float
    scale: Scale
    cycle: str
    downbeat: float
    form: str
    parts: tuple[Part, ...]
    acoustics: Acoustics
    tags: tuple[str, ...]
    phrases: tuple[tuple[tuple[int, float], ...], ...] = field(repr=False)

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """The tags by family."""
        families: dict[str, list[str]] = {}
        for tag in self.tags:
            families.setdefault(tag.split("--", 1)[0], []).append(tag)
        return {family: tuple(tags) for family, tags in families.items()}

    @property
    def recording(self) -> str:
        """The name of the recording: unique among all performances of one length."""
        return f"{self.tradition}-{self.mode}-{self.split}-{self.seed}"


def draw_parameters(rng: np.random.Generator, instrument: str, split: str) -> dict[str, float]:
    """An instrument's parameters, each from the part of its range that the split owns."""
    ranges = INSTRUMENTS[instrument].ranges
    return {
        name: low if low == high else draws.between(rng, split, low, high)
        for name, (low, high) in ranges.items()
    }


def draw_tonic(rng: np.random.Generator, split: str) -> float:
    """A tonic in Hz, between C3 and C4, on no tuning fork's pitch in particular."""
    return _LOWEST_TONIC * draws.tonic_ratio(rng, split)


def draw_acoustics(rng: np.random.Generator, split: str) -> Acoustics:
    """A room, an equaliser, noise and a level."""
    return Acoustics(
        rt60=math.exp(draws.between(rng, split, math.log(0.15), math.log(2.2))),
        wet=draws.between(rng, split, 0.04, 0.45),
        brightness=draws.between(rng, split, 1800.0, 6000.0),
        tilt=draws.between(rng, split, -2.5, 1.5),
        bell_hz=math.exp(draws.between(rng, split, math.log(150.0), math.log(5000.0))),
        bell_db=draws.between(rng, split, -6.0, 6.0),
        low_cut=draws.between(rng, split, 25.0, 140.0),
        high_cut=draws.between(rng, split, 5500.0, 14000.0),
        noise_db=draws.between(rng, split, -62.0, -26.0),
        noise_tilt=draws.between(rng, split, -6.0, -1.0),
        level=draws.between(rng, split, -32.0, -15.0),
    )


def plan(
    tradition: str,
    seed: int,
    *,
    mode: str = "full",
    split: str = "train",
    seconds: float = 10.0,
    wanted: Wanted = Wanted(),
) -> Performance:
    """Draw a performance.

    tradition: one of ``TRADITIONS``
    seed: any integer; the same arguments give the same performance
    mode: one of ``MODES``
    split: "train", "valid" or "test": tonics, tempi, timbre parameters, rooms and phrases are never shared
    seconds: length, at least 1
    Raises ControlledError when a name is unknown or the length too short.
    """
    _check(tradition, mode, split, seconds)
    facts = FACTS[tradition]
    # What a mode holds equal is drawn from a key that does not name the tradition.
    pitch_rng = draws.generator("pitch", "common" if mode == "timbre" else tradition, mode, split, seed)
    texture_rng = draws.generator("texture", tradition, mode, split, seed)
    timbre_rng = draws.generator("timbre", "common" if mode == "pitch" else tradition, mode, split, seed)
    tonic = draw_tonic(draws.generator("tonic", mode, split, seed), split)
    ground = _ground(pitch_rng, tradition, mode, split, wanted)
    score, rhythms = ground.score, ground.rhythms(pitch_rng)
    spans = [sum(rhythm) for rhythm in rhythms]
    # The clip is cut from a longer performance: it begins on a downbeat or anywhere within the first phrase.
    downbeat = _LEAD_IN - (
        0.0 if pitch_rng.random() < 0.5 else float(pitch_rng.random()) * spans[0] * score.pulse
    )
    count = math.ceil((seconds - downbeat) / (score.pulse * min(spans)))
    phrases = writing.phrases(pitch_rng, score, ground.form, rhythms, count)
    ensemble = _Ensemble(facts, mode, split, seconds, downbeat, tonic, timbre_rng)
    lead = _play_melody(ensemble, pitch_rng, ground, phrases, wanted)
    _accompany(ensemble, pitch_rng, texture_rng, ground, lead, wanted)
    _drum(ensemble, pitch_rng, texture_rng, ground, wanted)
    return Performance(
        tradition=tradition,
        mode=mode,
        split=split,
        seed=seed,
        seconds=seconds,
        tonic=tonic,
        tempo=ground.tempo or 0.0,
        scale=ground.scale,
        cycle=ground.cycle.name if ground.metred else "",
        downbeat=downbeat,
        form=ground.form,
        parts=tuple(ensemble.parts),
        acoustics=draw_acoustics(draws.generator("acoustics", mode, split, seed), split),
        tags=_tags(facts, mode, ground.scale, ground.cycle, ground.form, ground.tempo, ensemble.parts),
        phrases=tuple(tuple(melodic) for melodic in phrases),
    )


@dataclass(frozen=True)
class _Ground:
    """What all parts share. tempo: pulses per minute; None in an improvisation, which has no metre"""

    scale: Scale
    cycle: Cycle
    form: str
    tempo: float | None
    score: writing.Score

    @property
    def metred(self) -> bool:
        return self.tempo is not None

    def rhythms(self, rng: np.random.Generator) -> list[list[float]]:
        """The lengths of a phrase's notes in pulses, of two phrases."""
        if not self.metred:
            return [writing.free_lengths(rng) for _ in range(2)]
        per_phrase = max(1, round(_PHRASE_SECONDS / self.score.time(self.cycle.pulses)))
        return [writing.lengths(rng, self.cycle, self.score.pulse, per_phrase) for _ in range(2)]

    def cycles(self, seconds: float) -> range:
        """The numbers of the cycles that so many seconds touch; none without metre."""
        return range(math.ceil(seconds / self.score.time(self.cycle.pulses))) if self.metred else range(0)


def _ground(rng: np.random.Generator, tradition: str, mode: str, split: str, wanted: Wanted) -> _Ground:
    if mode == "timbre":
        scale, cycle, form = PLAIN_SCALE, PLAIN_CYCLE, "Song"
    else:
        scale = _named(rng, scales_of(tradition), wanted.scale, "scale")
        cycle = _named(rng, cycles_of(tradition), wanted.cycle, "cycle")
        form = wanted.form or str(draws.pick(rng, FORMS, _FORM_WEIGHTS))
    metred = form != "Improvisation"
    drawn_tempo = draws.tempo(rng, split, *cycle.pulses_per_minute)
    tempo = wanted.tempo or drawn_tempo
    score = writing.Score(
        scale,
        split,
        None if mode == "timbre" else FACTS[tradition],
        60.0 / tempo if metred else 1.0,
        cycle.swing if metred else 0.0,
    )
    return _Ground(scale, cycle, form, tempo if metred else None, score)


def _others(ensemble: _Ensemble, wanted: Wanted) -> tuple[str, ...]:
    """Who may answer or shadow the leading instrument."""
    if not wanted.melody:
        return ensemble.facts.melody
    return wanted.melody[1:] or wanted.melody


def _play_melody(
    ensemble: _Ensemble,
    rng: np.random.Generator,
    ground: _Ground,
    phrases: list[list[tuple[int, float]]],
    wanted: Wanted,
) -> list[Note]:
    """The phrases in turn, every second one as an answer where the form has answers. Returns what leads."""
    lead: list[Note] = []
    answer: list[Note] = []
    begin = 0.0
    for number, melodic in enumerate(phrases):
        line = answer if ground.form == "Call and response" and number % 2 else lead
        line.extend(ground.score.notes(rng, melodic, begin))
        begin += sum(length for _, length in melodic)
    ensemble.play("melody", wanted.melody[:1] if wanted.melody else ensemble.facts.melody, 0.0, lead)
    ensemble.play("answer", _others(ensemble, wanted), -1.0, answer)
    return lead


def _accompany(
    ensemble: _Ensemble,
    pitch_rng: np.random.Generator,
    texture_rng: np.random.Generator,
    ground: _Ground,
    lead: list[Note],
    wanted: Wanted,
) -> None:
    """All that sounds under the melody but the drums."""
    facts, seconds, downbeat = ensemble.facts, ensemble.seconds, ensemble.downbeat
    backing = wanted.backing
    if backing is None:
        backing = tuple(kind for kind, chance in facts.backing if texture_rng.random() < chance)
    if "shadow" in backing:
        ensemble.play("shadow", _others(ensemble, wanted), -6.0, writing.shadow(pitch_rng, lead))
    cycles = ground.cycles(seconds - downbeat)
    chords = writing.chords(texture_rng, ground.scale, ground.cycle, ground.score, cycles)
    if "chords" in backing:
        ensemble.play("chords", facts.chord_instruments, -9.0, chords)
    if "bass" in backing:
        ensemble.play("bass", ("Bass guitar",), -5.0, writing.bass(chords))
    if "drone" in backing:
        drone = writing.drone(texture_rng, ground.scale, downbeat, seconds)
        ensemble.play("drone", ("Tanpura",), -9.0, drone)
    if "hold" in backing:
        sustained = tuple(n for n in facts.melody if INSTRUMENTS[n].model == "wind" and n != "Voice")
        ensemble.play("hold", sustained, -13.0, [Note(0.02 - downbeat, seconds - 0.05, 0.0, 0.6)])
    if "calls" in backing and ensemble.mode != "pitch":
        period = ground.score.time(ground.cycle.pulses) if ground.metred else _PHRASE_SECONDS
        period /= math.ceil(period / 3.5)
        ensemble.play("calls", ("Kakegoe",), -3.0, writing.calls(texture_rng, period, seconds - downbeat))


def _drum(
    ensemble: _Ensemble,
    pitch_rng: np.random.Generator,
    texture_rng: np.random.Generator,
    ground: _Ground,
    wanted: Wanted,
) -> None:
    drums = wanted.percussion
    if drums is None:
        drums = tuple(
            str(draws.pick(texture_rng, group))
            for group, chance in ensemble.facts.percussion
            if texture_rng.random() < chance
        )
    cycles = ground.cycles(ensemble.seconds - ensemble.downbeat)
    fill = 0.0 if ensemble.mode == "timbre" else 0.5 if ground.form == "Dance" else 0.12
    for drum in drums[:1] if ensemble.mode == "pitch" else drums:
        strokes = writing.strokes(pitch_rng, ground.cycle, ground.score, cycles, fill)
        ensemble.play("percussion", (drum,), -4.0, strokes=strokes)


@dataclass
class _Ensemble:
    """The players as they are chosen."""

    facts: Tradition
    mode: str
    split: str
    seconds: float
    downbeat: float
    tonic: float
    rng: np.random.Generator
    parts: list[Part] = field(default_factory=list)

    def play(
        self,
        role: str,
        pool: tuple[str, ...],
        gain: float,
        notes: list[Note] | None = None,
        strokes: list[Stroke] | None = None,
    ) -> None:
        """Give a part to an instrument of the pool that nobody plays yet; nobody is given an empty part.

        Notes and strokes are timed from the downbeat.
        """
        inside, struck = self._inside(notes or []), self._inside(strokes or [])
        if not inside and not struck:
            return
        if self.mode == "pitch":
            pool = {"percussion": (PLAIN_DRUM,), "hold": PLAIN_MELODY[1:]}.get(role) or (
                PLAIN_MELODY[:1] if role in ("chords", "bass", "drone") else PLAIN_MELODY
            )
        used = {part.instrument for part in self.parts}
        name = str(draws.pick(self.rng, [name for name in pool if name not in used] or pool))
        if name in FIXED_PITCH:
            inside = tuple(replace(note, ornament=stepped(note.ornament)) for note in inside)
        parameters = draw_parameters(self.rng, name, self.split)
        level = gain + draws.between(self.rng, self.split, -3.0, 3.0)
        self.parts.append(Part(role, name, parameters, self._octave(role, name), level, inside, struck))

    def _octave(self, role: str, instrument: str) -> int:
        """Octaves to shift the tonic by: a melody's middle, a fifth above it, meets the instrument's register."""
        centre = INSTRUMENTS[instrument].centre_hz
        if centre == 0.0:
            return 0
        if self.mode == "timbre" and role in ("melody", "answer", "shadow"):
            return 1
        return round(math.log2(centre / (self.tonic * 1.5)))

    def _inside(self, events: list[Event]) -> tuple[Event, ...]:
        """What begins within the clip, in order, timed from the clip's beginning."""
        shifted = (replace(event, start=event.start + self.downbeat) for event in events)
        kept = [event for event in shifted if 0.0 <= event.start < self.seconds - 0.03]
        return tuple(sorted(kept, key=lambda event: event.start))


def _tags(
    facts: Tradition, mode: str, scale: Scale, cycle: Cycle, form: str, tempo: float | None, parts: list[Part]
) -> tuple[str, ...]:
    """What may be said of the performance: only what its mode leaves to be heard. tempo: None where unmetered."""
    tags = {f"tradition--{facts.label}"}
    if mode != "pitch":
        tags |= {f"instrument--{part.instrument}" for part in parts}
    if mode != "timbre":
        tags |= {f"mode--{scale.name}", f"form--{form}"}
        if tempo is not None:
            tags.add(f"tempo--{tempo_word(tempo)}")
            if any(part.role in ("percussion", "chords") for part in parts):
                tags.add(f"rhythm--{cycle.name}")
    return tuple(sorted(tags))


def _named(rng: np.random.Generator, options: tuple[Named, ...], name: str | None, kind: str) -> Named:
    drawn = draws.pick(rng, options)
    if name is None:
        return drawn
    for option in options:
        if option.name == name:
            return option
    raise _unknown(kind, name, (option.name for option in options))


def _check(tradition: str, mode: str, split: str, seconds: float) -> None:
    for kind, name, known in (
        ("tradition", tradition, TRADITIONS),
        ("mode", mode, MODES),
        ("split", split, draws.SPLITS),
    ):
        if name not in known:
            raise _unknown(kind, name, known)
    if not seconds >= _SHORTEST_SECONDS:
        raise ControlledError(
            "A performance of {seconds} s is too short. Ask for at least {shortest} s.",
            code="controlled.short",
            seconds=seconds,
            shortest=_SHORTEST_SECONDS,
        )


def _unknown(kind: str, name: str, known: Iterable[str]) -> ControlledError:
    return ControlledError(
        "There is no {kind} {name} here. Choose one of: {known}.",
        code="controlled.unknown",
        kind=kind,
        name=name,
        known=", ".join(known),
    )
