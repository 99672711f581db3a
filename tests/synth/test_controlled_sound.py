"""How it sounds: pitches, cycles, models, rooms and views, measured on the samples."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from mirdemo.synth import MODES, TRADITIONS, View, Wanted, generate, plan, render
from mirdemo.synth.draws import generator, owner
from mirdemo.synth.drums import KITS, Hit, _band_noise, hit_sound
from mirdemo.synth.events import Note, Part, Stroke
from mirdemo.synth.instruments import DRUM, INSTRUMENTS
from mirdemo.synth.performance import draw_acoustics, draw_parameters
from mirdemo.synth.render import render_part, seen
from mirdemo.synth.rhythm import CYCLES
from mirdemo.synth.room import impulse_response, record
from mirdemo.synth.strings import loop_response
from mirdemo.synth.tuning import SCALES
from mirdemo.synth.winds import _sound

RATE = 24000
STEADY = {"vibrato": 0.0, "drift": 0.0, "stiffness": 0.0, "course": 0.0, "unison": 0.0, "buzz": 0.0}


def part_of(instrument: str, notes=(), strokes=(), octave: int = 0, **parameters: float) -> Part:
    drawn = draw_parameters(generator("test", instrument), instrument, "train")
    drawn |= {name: value for name, value in parameters.items() if name in drawn}
    return Part("melody", instrument, drawn, octave, 0.0, tuple(notes), tuple(strokes))


def alone(part: Part, tonic: float = 220.0, seconds: float = 1.5) -> np.ndarray:
    return render_part(part, tonic, int(seconds * RATE), RATE, generator("alone"))


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = 1 << 18
    return np.arange(size // 2 + 1) * RATE / size, np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))


def measured_hz(sound: np.ndarray, near: float) -> float:
    """The strongest partial within a quarter tone of ``near`` or of its octave, as a fundamental."""
    hz, power = spectrum(sound)
    best = []
    for harmonic in (1, 2):
        inside = np.flatnonzero(np.abs(np.log2(hz[1:] / (near * harmonic))) < 1 / 24) + 1
        peak = inside[np.argmax(power[inside])]
        a, b, c = np.log(power[peak - 1 : peak + 2])
        best.append((b, (hz[peak] + 0.5 * (a - c) / (a - 2 * b + c) * hz[1]) / harmonic))
    return max(best)[1]


# ---- pitch --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SCALES))
@pytest.mark.parametrize("instrument", ["plain reed", "Guitar"])
def test_a_rendered_scale_has_the_intended_cents(name: str, instrument: str):
    """Through room, equaliser and noise, within 3 cents."""
    scale = SCALES[name]
    wanted = [scale.cents_of(degree) for degree in range(len(scale.cents) + 1)]
    notes = [Note(0.05 + 0.6 * i, 0.5, cents, 0.8) for i, cents in enumerate(wanted)]
    performance = plan(scale.tradition, 11)
    room = replace(performance.acoustics, rt60=0.15, wet=0.05, noise_db=-50.0)
    performance = replace(
        performance,
        parts=(part_of(instrument, notes, **STEADY),),
        seconds=0.6 * len(notes) + 0.3,
        acoustics=room,
    )
    sound = render(performance, RATE)
    for note in notes:
        piece = sound[int((note.start + 0.1) * RATE) : int((note.start + 0.48) * RATE)]
        intended = performance.tonic * 2 ** (note.cents / 1200)
        error = 1200 * np.log2(measured_hz(piece, intended) / intended)
        assert abs(error) < 3.0, (name, note.cents, error)


@pytest.mark.parametrize("name", [name for name, one in INSTRUMENTS.items() if one.model != "drum"])
def test_every_melodic_instrument_plays_in_tune(name: str):
    octave = round(np.log2(INSTRUMENTS[name].centre_hz / 220.0))
    sound = alone(part_of(name, [Note(0.1, 1.0, 0.0, 0.8)], octave=octave, **STEADY))
    intended = 220.0 * 2.0**octave
    error = 1200 * np.log2(measured_hz(sound[int(0.3 * RATE) : int(1.0 * RATE)], intended) / intended)
    assert abs(error) < 4.0


@pytest.mark.parametrize("instrument", ["Sitar", "Violin", "Voice"])
def test_a_meend_glides_from_the_note_before(instrument: str):
    note = Note(0.1, 1.2, 700.0, 0.8, "meend", -700.0)
    sound = alone(part_of(instrument, [note], **STEADY))
    window = int(0.1 * RATE)
    start = measured_hz(sound[int(0.11 * RATE) : int(0.11 * RATE) + window], 221.0)
    end = measured_hz(sound[int(1.0 * RATE) : int(1.0 * RATE) + 2 * window], 330.0)
    assert start == pytest.approx(224.0, rel=0.03)
    assert end == pytest.approx(220.0 * 2 ** (7 / 12), rel=0.003)


# ---- rhythm -------------------------------------------------------------------------------------------


def onset_strength(sound: np.ndarray, hop: int = 120) -> np.ndarray:
    """Rise of the logarithmic energy, every 5 ms."""
    energy = np.add.reduceat(sound.astype(np.float64) ** 2, np.arange(0, len(sound), hop))
    return np.maximum(np.diff(np.log10(energy + 1e-7), prepend=-7.0), 0.0)


@pytest.mark.parametrize("cycle", CYCLES.values(), ids=lambda cycle: cycle.name)
def test_the_sound_repeats_with_its_cycle(cycle):
    """Onsets agree with themselves one cycle later better than a pulse earlier or later."""
    tempo = 0.85 * cycle.pulses_per_minute[1]
    seconds = max(8.0, 4.2 * cycle.pulses * 60 / tempo)
    wanted = Wanted(form="Song", cycle=cycle.name, tempo=tempo, percussion=("plain drum",), backing=())
    performance = plan(cycle.tradition, 3, seconds=seconds, wanted=wanted)
    part = next(part for part in performance.parts if part.strokes)
    sound = render_part(part, 220.0, int(seconds * RATE), RATE, generator("cycle"))
    strength = np.convolve(onset_strength(sound), np.hanning(9), mode="same")
    pulse = 60 / tempo * RATE / 120

    def agreement(pulses: float) -> float:
        lag = round(pulses * pulse)
        return float(np.corrcoef(strength[lag:], strength[:-lag])[0, 1])

    at_cycle = max(agreement(cycle.pulses + off) for off in (-0.05, 0.0, 0.05))
    assert at_cycle > 0.5
    assert at_cycle > agreement(cycle.pulses - 1)
    assert at_cycle > agreement(cycle.pulses + 1)


def test_strokes_sound_when_they_are_planned():
    performance = plan("festival", 5, wanted=Wanted(form="Dance", percussion=("Taiko",), backing=()))
    part = next(part for part in performance.parts if part.strokes)
    sound = render_part(part, 220.0, 10 * RATE, RATE, generator("strokes"))
    strength = onset_strength(sound)
    for stroke in part.strokes:
        if stroke.velocity > 0.6 and stroke.start > 0.05:
            place = int(stroke.start * RATE / 120)
            assert strength[place - 2 : place + 4].max() > 0.15, stroke


# ---- models -------------------------------------------------------------------------------------------


def test_the_string_equals_the_loop_computed_sample_by_sample():
    delay, gain, damping, size, growth = 100, 0.99, 0.2, 4096, 0.002
    out = np.zeros(size + delay + 2)
    for n in range(size):
        now = 1.0 if n == 0 else 0.0
        if n >= delay - 1:
            before = out[n - delay - 1] if n > delay else 0.0
            now += gain * (0.5 * damping * (out[n - delay + 1] + before) + (1 - damping) * out[n - delay])
        out[n] = now
    omega = np.linspace(0, np.pi, size // 2 + 1).astype(np.float32)
    response = loop_response(omega, float(delay), gain, damping, 0.0, growth)
    ours = np.fft.irfft(response, size) * np.exp(growth * np.arange(size))
    # On a circle of radius r the low-pass s/2 (z + 1/z) differs from its value on the unit circle by 1e-6.
    assert np.abs(ours[:2000] - out[:2000]).max() < 2e-3


def test_a_stiff_strings_partials_are_stretched():
    sound = alone(part_of("Piano", [Note(0.02, 1.2, 0.0, 0.9)], **(STEADY | {"stiffness": 0.0008})))
    hz, power = spectrum(sound)
    inside = (hz > 220 * 9.7) & (hz < 220 * 11.2)
    partial = hz[inside][np.argmax(power[inside])]
    assert partial == pytest.approx(2200 * np.sqrt(1 + 0.0008 * 100), rel=0.004)


def test_a_taiko_falls_in_pitch_and_is_struck_with_a_stick():
    parameters = dict.fromkeys(DRUM, 1.0)
    sound = hit_sound(KITS["Taiko"]["D"][0], parameters, RATE, generator("taiko"))
    crossings = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0)) / RATE
    hz, power = spectrum(sound[int(0.4 * RATE) : int(1.0 * RATE)])
    settled = hz[np.argmax(power)]
    hz, power = spectrum(sound[: int(0.06 * RATE)])
    beginning = hz[np.argmax(power)]
    assert 60 < settled < 75
    assert beginning > 1.1 * settled
    assert len(crossings) > 40
    high = np.fft.rfft(sound[: int(0.02 * RATE)])
    low_energy, stick = np.sum(np.abs(high[:8]) ** 2), np.sum(np.abs(high[16:]) ** 2)
    assert stick > 0.02 * low_energy


def test_a_kane_is_inharmonic_and_a_tablas_ring_is_not():
    parameters = dict.fromkeys(DRUM, 1.0)
    for drum, letter, harmonic in (("Kane", "D", False), ("Tabla", "T", True)):
        sound = hit_sound(KITS[drum][letter][0], parameters, RATE, generator(drum))
        hz, power = spectrum(sound[int(0.03 * RATE) :])
        lowest = KITS[drum][letter][0].hz
        peaks = []
        for _ in range(4):
            place = int(np.argmax(power))
            peaks.append(hz[place])
            power[np.abs(hz - hz[place]) < 0.2 * lowest] = 0.0
        ratios = np.sort(peaks) / lowest
        off = np.abs(ratios - np.round(ratios)).max()
        assert (off < 0.05) == harmonic, (drum, ratios)


def harmonics(sound: np.ndarray, hz: float, count: int) -> np.ndarray:
    axis, power = spectrum(sound)
    return np.array([power[np.abs(axis - hz * k) < 12].max() for k in range(1, count + 1)])


def test_a_clarinets_even_harmonics_are_weak_and_a_shawms_are_not():
    note = [Note(0.05, 1.2, 0.0, 0.8)]
    clarinet = harmonics(alone(part_of("Clarinet", note, **STEADY))[6000:24000], 220.0, 6)
    shawm = harmonics(alone(part_of("Shawm", note, **STEADY))[6000:24000], 220.0, 6)
    assert clarinet[1] < 0.5 * clarinet[0]
    assert clarinet[1] < 0.5 * clarinet[2]
    assert shawm[1] > 0.5 * shawm[0]


def test_a_shinobue_has_breath_and_an_accordion_has_none():
    def breath(instrument: str) -> float:
        sound = alone(part_of(instrument, [Note(0.05, 1.2, 0.0, 0.8)], octave=2, **STEADY))[6000:24000]
        hz, power = spectrum(sound)
        between = np.abs(hz / 880.0 - np.round(hz / 880.0)) > 0.15
        return float(np.sum(power[between & (hz > 1000)] ** 2) / np.sum(power**2))

    assert breath("Shinobue") > 30 * breath("Accordion")


def test_a_shamisens_bridge_keeps_its_high_partials_alive():
    notes = [Note(0.05, 1.2, 0.0, 0.8)]

    def late_brightness(**parameters: float) -> float:
        sound = alone(part_of("Shamisen", notes, **(STEADY | {"click": 0.0} | parameters)), 262.0)
        hz, power = spectrum(sound[int(0.35 * RATE) : int(0.55 * RATE)])
        return float(np.sum(power[hz > 3000] ** 2) / np.sum(power**2))

    assert late_brightness(buzz=0.5) > 3 * late_brightness(buzz=0.0)


@pytest.mark.parametrize("place", [0.0, 0.25, 0.9, 1.0])
def test_between_two_wavetables_what_sounds_lies_in_proportion_between_them(place: float):
    lower, upper = np.full(8192, 0.2, np.float32), np.full(8192, -0.6, np.float32)
    many = np.ones(11)
    sound = _sound(0 * many, many, place * many, np.stack([lower, upper]), 220.0, 480, RATE)
    np.testing.assert_allclose(sound, 0.2 + place * (-0.6 - 0.2), atol=1e-6)


def test_a_voice_sings_vowels():
    """Two notes of the same pitch on different vowels have their strongest regions elsewhere."""
    notes = [Note(0.05 + 0.7 * i, 0.6, 0.0, 0.8) for i in range(8)]
    sound = alone(part_of("Voice", notes, **STEADY), 140.0, 6.0)
    shapes = set()
    for note in notes:
        levels = harmonics(sound[int((note.start + 0.15) * RATE) : int((note.start + 0.5) * RATE)], 140.0, 18)
        shapes.add(int(np.argmax(levels[3:]) + 3) * 100 + int(np.argmax(levels[:8])))
    assert len(shapes) >= 3


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_instrument_sounds_and_stays_finite_in_every_split(name: str):
    for split in ("train", "valid", "test"):
        notes = strokes = ()
        if INSTRUMENTS[name].model == "drum":
            assert set(KITS[name]) == {"D", "T", "k"}
            strokes = [Stroke(0.1 + 0.3 * i, letter, 0.9) for i, letter in enumerate("DTk")]
        else:
            notes = [
                Note(0.1, 0.3, 0.0, 0.9, "gamaka", 200.0),
                Note(0.5, 0.3, 400.0, 0.6, "meend", -400.0, True),
            ]
        octave = round(np.log2(max(INSTRUMENTS[name].centre_hz, 220.0) / 220.0))
        parameters = draw_parameters(generator("all", name), name, split)
        part = Part("melody", name, parameters, octave, 0.0, tuple(notes), tuple(strokes))
        sound = alone(part)
        assert sound.dtype == np.float32
        assert sound.shape == (int(1.5 * RATE),)
        assert np.isfinite(sound).all()
        assert np.sqrt(np.mean(sound**2)) > 1e-3
        assert np.abs(sound[: int(0.09 * RATE)]).max() < 1e-6


# ---- rooms, levels ------------------------------------------------------------------------------------


def test_a_room_decays_in_its_reverberation_time():
    acoustics = replace(draw_acoustics(generator("room"), "train"), rt60=1.0, wet=0.4, brightness=6000.0)
    response = impulse_response(acoustics, RATE, generator("room", 1))
    assert response[0] == 1.0
    early = np.sqrt(np.mean(response[int(0.1 * RATE) : int(0.2 * RATE)] ** 2))
    late = np.sqrt(np.mean(response[int(0.5 * RATE) : int(0.6 * RATE)] ** 2))
    assert 20 * np.log10(early / late) == pytest.approx(24.0, abs=4.0)


def test_noise_and_level_are_as_drawn():
    dry = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)
    acoustics = replace(
        draw_acoustics(generator("room"), "train"),
        wet=0.05,
        level=-20.0,
        noise_db=-30.0,
        low_cut=30.0,
        tilt=0.0,
    )
    sound = record(dry, acoustics, RATE, generator("noise"))
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-20.0, abs=0.1)
    power = np.abs(np.fft.rfft(sound)) ** 2
    tone = power[880 - 40 : 880 + 40].sum()
    assert 10 * np.log10((power.sum() - tone) / tone) == pytest.approx(-30.0, abs=2.0)


@pytest.mark.parametrize("tradition", TRADITIONS)
@pytest.mark.parametrize("mode", MODES)
def test_every_clip_is_finite_audible_and_unclipped(tradition: str, mode: str):
    for seed in range(3):
        samples, performance = generate(tradition, seed, mode=mode, seconds=4.0)
        assert samples.dtype == np.float32
        assert samples.shape == (4 * RATE,)
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 0.971
        level = 20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
        assert -46.0 < level <= performance.acoustics.level + 0.1


def test_another_rate_gives_the_same_music():
    performance = plan("greek", 2, seconds=4.0)
    for rate in (16000, 48000):
        assert render(performance, rate).shape == (4 * rate,)
    with pytest.raises(ValueError):
        render(performance, 22050)


# ---- the same bytes, and other views ------------------------------------------------------------------


def digest(tradition: str, seed: int) -> str:
    return hashlib.sha256(generate(tradition, seed, seconds=3.0)[0].tobytes()).hexdigest()


def test_a_seed_gives_the_same_bytes_in_another_process():
    code = (
        "import hashlib; from mirdemo.synth import generate;"
        "print([hashlib.sha256(generate(t, 4, seconds=3.0)[0].tobytes()).hexdigest() for t in ('western', 'festival')])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == str([digest("western", 4), digest("festival", 4)])
    assert digest("western", 4) != digest("western", 5)


def test_a_view_is_the_same_performance_elsewhere():
    for split in ("train", "test"):
        performance = plan("hindustani", 9, seconds=4.0, split=split)
        other = seen(performance, View(1))
        assert other.tags == performance.tags
        assert other.tonic != performance.tonic
        assert abs(np.log2(other.tonic / performance.tonic)) <= 0.51
        assert owner(np.log2(other.tonic / 130.8128)) == split
        assert other.acoustics != performance.acoustics
        for before, after in zip(performance.parts, other.parts, strict=True):
            assert after.notes == before.notes
            assert after.strokes == before.strokes
            assert after.parameters != before.parameters
            for name, (low, high) in INSTRUMENTS[after.instrument].ranges.items():
                assert low == high or owner((after.parameters[name] - low) / (high - low)) == split
        assert np.array_equal(render(performance, view=1), render(performance, view=View(1)))
        assert not np.array_equal(render(performance, view=1), render(performance, view=2))


def test_a_view_of_acoustics_alone_leaves_the_players_untouched():
    performance = plan("carnatic", 9, seconds=4.0)
    view = View(5, tonic=False, instruments=False)
    other = seen(performance, view)
    assert other.acoustics != performance.acoustics
    assert replace(other, acoustics=performance.acoustics) == performance
    # With room, equaliser and noise taken away, both are the same sound.
    clean = replace(performance.acoustics, wet=0.0, noise_db=-200.0, level=-20.0)
    plain = render(replace(performance, acoustics=clean), RATE)
    again = render(replace(performance, acoustics=clean), RATE, view=View(5, False, False, False))
    assert np.abs(plain - again).max() < 1e-6
    assert np.abs(render(performance, RATE) - render(performance, RATE, view=view)).max() > 1e-3


@pytest.mark.parametrize(("length", "size"), [(1, 64), (64, 64), (65, 128), (3000, 4096)])
def test_noise_about_a_centre_is_white_noise_under_a_resonance(length: int, size: int):
    """Written a second time; a power of two is drawn, 64 at the least, so that a seed goes on where it went on."""
    draw, again = np.random.default_rng(3), np.random.default_rng(3)
    found = _band_noise(length, 1000.0, 0.5, 8000, draw)
    white = np.fft.rfft(again.standard_normal(size, dtype=np.float32))
    distance = (np.fft.rfftfreq(size, 1 / 8000) - 1000.0) / (0.25 * 1000.0)
    noise = np.fft.irfft(white / (1 + distance**2), size)[:length]
    np.testing.assert_allclose(found, noise / np.sqrt(np.mean(noise**2)), atol=1e-3)
    assert draw.random() == again.random()
    high = _band_noise(
        4096, 9000.0, 0.5, 8000, np.random.default_rng(0)
    )  # beyond what the rate holds: 0.42 of it
    assert np.abs(np.fft.rfft(high))[1600:].mean() > 2 * np.abs(np.fft.rfft(high))[:400].mean()


def test_a_blow_is_its_modes_and_its_noise_for_as_long_as_they_ring():
    """Written a second time after the description of ``Hit``, sample by sample in double precision."""
    hit = Hit(
        200.0, ((1.0, 1.0, 0.2), (2.1, 0.5, 0.1), (3.0, 0.7, 0.1)), 0.1, 0.02, ((0.3, 400.0, 0.9, 0.05),)
    )
    parameters, rate = {"ring": 1.2, "pitch": 1.1, "snap": 0.8}, 1400
    found = hit_sound(hit, parameters, rate, np.random.default_rng(4))
    draw = np.random.default_rng(4)
    length = int(rate * 0.2 * 1.2 * 0.9) + 1
    assert (found.dtype, len(found)) == (np.float32, length)
    t = np.arange(length) / rate
    turns = t + 0.1 * 0.02 * (1 - np.exp(-t / 0.02))
    expected = np.zeros(length)
    for ratio, level, t60 in hit.modes:
        hz = 200.0 * 1.1 * ratio * draw.uniform(0.995, 1.005)
        if hz > 0.45 * rate:
            continue  # as the third: what the rate cannot hold is left out
        rings = t < (int(rate * t60 * 1.2 * 1.1) + 1) / rate
        mode = np.sin(2 * np.pi * hz * turns) * np.exp(-6.91 * t / (t60 * 1.2)) * rings
        expected += level * draw.uniform(0.8, 1.2) * mode
    rings = min(length, int(rate * 0.05 * 1.3) + 16)
    burst = _band_noise(rings, 400.0, 0.9, rate, draw) * np.exp(-6.91 * t[:rings] / 0.05)
    expected[:rings] += 0.3 * 0.8 * burst
    expected[:2] *= (0, 1)
    fade = length // 10
    expected[-fade:] *= np.linspace(1, 0, fade)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert (
        len(hit_sound(replace(hit, modes=((1.0, 1.0, 9.0),)), parameters, rate, draw)) == 2269
    )  # 1.8 s at most
