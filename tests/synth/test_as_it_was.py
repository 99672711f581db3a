"""A seed plays what it played on 1 December 2026: a change of the music, which figures and whitenings that ship rest on, is seen.

``PYTHONPATH=. python tests/synth/test_as_it_was.py`` writes ``as_it_was.json`` anew. Whoever changes the music on purpose measures
again what ``assets/`` holds of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from mirdemo.synth import MODES, TRADITIONS, Performance, festival, plan, render
from mirdemo.synth.draws import generator
from mirdemo.synth.drums import KITS
from mirdemo.synth.events import Note, Part, Stroke
from mirdemo.synth.instruments import INSTRUMENTS
from mirdemo.synth.performance import draw_parameters
from mirdemo.synth.render import render_part

#: All that a note can do.
ORNAMENTS = (
    "plain",
    "vibrato",
    "slide",
    "grace",
    "mordent",
    "turn",
    "trill",
    "gamaka",
    "meend",
    "fall",
    "andolan",
)
FILE = Path(__file__).with_name("as_it_was.json")
RATE = 16_000


def _sums(*rows) -> list[float]:
    """Of each column, a row counting by its place, so that no two can be exchanged; nothing of no rows."""
    if not rows:
        return []
    table = np.array(rows, np.float64).reshape(len(rows), -1)
    return [float(f"{value:.7g}") for value in (table * (1 + np.arange(len(table))[:, None])).sum(0)]


def numbers(performances: Iterable[Performance]) -> list[list[float]]:
    """The players, their notes and strokes, and where it was recorded."""
    found = []
    for performance in performances:
        parts = performance.parts
        notes = [note for part in parts for note in part.notes]
        strokes = [stroke for part in parts for stroke in part.strokes]
        found += [
            _sums(*[(part.octave, part.gain, sum(part.parameters.values())) for part in parts]),
            _sums(
                *[(n.start, n.seconds, n.cents, n.velocity, n.reach, n.tied, len(n.ornament)) for n in notes]
            ),
            _sums(*[(s.start, ord(s.letter), s.velocity) for s in strokes], (0, 0, 0)),
            _sums((performance.tonic, performance.tempo or 0, *vars(performance.acoustics).values())),
        ]
    return found


def played(tradition: str, mode: str) -> list[list[float]]:
    return numbers(plan(tradition, seed, mode=mode) for seed in (1, 2))


def demonstrated() -> list[list[float]]:
    """Of every recording of the demonstration set, every take."""
    return numbers(
        festival._performance(recording, number)
        for recording in festival._RECORDINGS
        for number in range(len(recording.takes))
    )


def levels(sound: np.ndarray) -> list[float]:
    """dB in five bands of each of six parts of the time, and of the whole; -100 at the least."""
    power = [np.abs(np.fft.rfft(part.astype(np.float64))) ** 2 for part in np.array_split(sound, 6)]
    bands = [
        band.mean()
        for one in power
        for band in np.split(one, (np.array([0.02, 0.06, 0.15, 0.4]) * len(one)).astype(int))
    ]
    return [
        round(float(10 * np.log10(max(value, 1e-10))), 2)
        for value in (*bands, np.square(sound.astype(np.float64)).sum())
    ]


def sampled(sound: np.ndarray) -> list[float]:
    """Sums over all samples, each counting by its place: what is a sample longer, or begins one later, is another."""
    places = np.sin(np.outer((1, 7, 31), 1 + np.arange(len(sound))))
    power = float(np.square(sound.astype(np.float64)).sum()) ** 0.5
    return [float(f"{value:.6g}") for value in (*(places @ sound.astype(np.float64)), power)]


def heard(name: str) -> list[float]:
    return levels(_played_by(name))


def _played_by(name: str) -> np.ndarray:
    notes = strokes = ()
    if name in KITS:
        strokes = tuple(Stroke(0.05 + 0.15 * i, letter, 0.9) for i, letter in enumerate("DTk"))
    else:
        notes = (
            Note(0.05, 0.2, 0.0, 0.9, "gamaka", 200.0),
            Note(0.3, 0.2, 400.0, 0.6, "meend", -400.0, True),
        )
    parameters = draw_parameters(generator("as it was", name), name, "train")
    part = Part("melody", name, parameters, 0, 0.0, notes, strokes)
    return render_part(part, 220.0, RATE * 6 // 10, RATE, generator("as it was", name))


def to_the_sample(name: str) -> list[list[float]]:
    """What was heard, and a longer phrase: every ornament, chords, notes that are tied and notes that end before others."""
    found = [sampled(_played_by(name))]
    if name in KITS:
        return found
    notes = tuple(
        Note(
            0.02 + 0.11 * i,
            0.1 + 0.05 * (i % 4),
            100.0 * (i % 5),
            0.4 + 0.05 * i,
            ornament,
            150.0,
            i % 3 == 1,
        )
        for i, ornament in enumerate(ORNAMENTS)
    )
    chord = tuple(Note(0.9, 0.3, cents, 0.7) for cents in (0.0, 300.0, 700.0))
    part = Part(
        "melody",
        name,
        draw_parameters(generator("to the sample", name), name, "test"),
        0,
        0.0,
        (*notes, *chord),
        (),
    )
    return [*found, sampled(render_part(part, 196.0, RATE * 13 // 10, RATE, generator("sample", name)))]


def mixed(tradition: str) -> list[float]:
    return levels(render(plan(tradition, 3, seconds=1.5), RATE))


def everything() -> dict[str, list]:
    return {
        **{f"{tradition} {mode}": played(tradition, mode) for tradition in TRADITIONS for mode in MODES},
        "demonstration": demonstrated(),
        **{f"sound of {name}": heard(name) for name in sorted(INSTRUMENTS)},
        **{f"samples of {name}": to_the_sample(name) for name in sorted(INSTRUMENTS)},
        **{f"sound of {tradition}": mixed(tradition) for tradition in TRADITIONS},
    }


@pytest.fixture(scope="module")
def kept() -> dict[str, list]:
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tradition", TRADITIONS)
def test_a_seed_plays_what_it_played(tradition: str, mode: str, kept: dict[str, list]):
    for found, was in zip(played(tradition, mode), kept[f"{tradition} {mode}"], strict=True):
        assert found == pytest.approx(was, rel=1e-6, abs=1e-6)


def test_the_demonstration_set_is_what_it_was(kept: dict[str, list]):
    for found, was in zip(demonstrated(), kept["demonstration"], strict=True):
        assert found == pytest.approx(was, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_an_instrument_sounds_as_it_sounded(name: str, kept: dict[str, list]):
    assert heard(name) == pytest.approx(kept[f"sound of {name}"], abs=0.1)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_an_instrument_plays_to_the_sample_as_it_played(name: str, kept: dict[str, list]):
    """To a two-hundredth of its root power: single precision adds in another order on another machine."""
    for found, was in zip(to_the_sample(name), kept[f"samples of {name}"], strict=True):
        assert found == pytest.approx(was, abs=max(0.005 * was[-1], 1e-6))


@pytest.mark.parametrize("tradition", TRADITIONS)
def test_a_recording_sounds_as_it_sounded(tradition: str, kept: dict[str, list]):
    assert mixed(tradition) == pytest.approx(kept[f"sound of {tradition}"], abs=0.1)


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in everything().items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
