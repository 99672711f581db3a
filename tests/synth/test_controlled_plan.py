"""What is played: scales, cycles, lines, tags, and what the modes and splits hold apart."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.synth import (
    MODES,
    TAG_FAMILIES,
    TRADITIONS,
    ControlledError,
    Performance,
    Wanted,
    corpus,
    draws,
    melody,
    plan,
)
from mirdemo.synth.draws import SPLITS, generator, owner, phrase_owner
from mirdemo.synth.instruments import FIXED_PITCH, INSTRUMENTS
from mirdemo.synth.melody import MOVEMENTS, line, phrase
from mirdemo.synth.ornaments import CONTOURS, contour
from mirdemo.synth.rhythm import CYCLES, cycles_of, tempo_word
from mirdemo.synth.score import Score, chords
from mirdemo.synth.traditions import FACTS, FORMS, PLAIN_DRUM, PLAIN_MELODY
from mirdemo.synth.tuning import KOMA, SCALES, scales_of

PER_TRADITION = 180


@pytest.fixture(scope="module")
def performances() -> dict[str, list[Performance]]:
    """Many full performances of each tradition."""
    return {key: [plan(key, seed) for seed in range(PER_TRADITION)] for key in TRADITIONS}


# ---- tuning and rhythm --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "degree", "cents"),
    [
        ("Major", 2, 400.0),
        ("Rast", 2, 17 * 1200 / 53),
        ("Hicaz", 1, 5 * 1200 / 53),
        ("Hicaz", 2, 17 * 1200 / 53),
        ("Saba", 3, 18 * 1200 / 53),
        ("Yaman", 2, 1200 * math.log2(5 / 4)),
        ("Yaman", 3, 1200 * math.log2(45 / 32)),
        ("Bhairav", 1, 1200 * math.log2(16 / 15)),
        ("Hanumatodi", 2, 1200 * math.log2(6 / 5)),
        ("Hitzaz", 1, 100.0),
        ("In", 1, 1200 * math.log2(16 / 15)),
        ("Miyako-bushi", 1, 1200 * math.log2(256 / 243)),
        ("Yo", 2, 1200 * math.log2(4 / 3)),
        ("Ritsu", 3, 1200 * math.log2(3 / 2)),
        ("Min'yo", 5, 1200.0),
        ("Rast", -1, -5 * 1200 / 53),
    ],
)
def test_a_scale_has_the_intervals_of_its_theory(name: str, degree: int, cents: float):
    assert SCALES[name].cents_of(degree) == pytest.approx(cents, abs=1e-6)


@pytest.mark.parametrize("scale", SCALES.values(), ids=lambda scale: scale.name)
def test_a_scale_rises_within_the_octave_and_its_lines_stay_on_it(scale):
    assert scale.cents[0] == 0.0
    assert all(before + 40 < after for before, after in zip(scale.cents, scale.cents[1:], strict=False))
    assert scale.cents[-1] < 1160
    if scale.tradition == "makam":
        assert np.allclose(np.array(scale.cents) / KOMA, np.round(np.array(scale.cents) / KOMA))
    for direction, allowed in ((1, scale.ascent), (-1, scale.descent)):
        reached = scale.neighbour(0, direction)
        assert reached % len(scale.cents) in allowed
        assert np.sign(reached) == direction


def test_ways_up_and_down_differ_where_the_mode_has_it_so():
    rising, falling = SCALES["In"].neighbour(3, 1), SCALES["In"].neighbour(6, -1)
    assert SCALES["In"].cents_of(rising) == pytest.approx(1200 * math.log2(16 / 9))
    assert SCALES["In"].cents_of(falling) == pytest.approx(1200 * math.log2(8 / 5))
    assert SCALES["Dromos Rast"].cents_of(SCALES["Dromos Rast"].neighbour(8, -1)) == 1000.0


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("Kalamatianos 7/8", (3, 2, 2)),
        ("Karsilamas 9/8", (2, 2, 2, 3)),
        ("Aksak 9/8", (2, 2, 2, 3)),
        ("Curcuna 10/8", (3, 2, 2, 3)),
        ("Tintal", (4, 4, 4, 4)),
        ("Jhaptal", (2, 3, 2, 3)),
        ("Rupak", (3, 2, 2)),
        ("Adi", (8, 4, 4)),
        ("Misra chapu", (6, 4, 4)),
    ],
)
def test_a_cycle_groups_as_its_theory_says(name: str, groups: tuple[int, ...]):
    assert CYCLES[name].groups == groups


@pytest.mark.parametrize("cycle", CYCLES.values(), ids=lambda cycle: cycle.name)
def test_every_pattern_fills_its_cycle_and_every_split_owns_some_of_its_tempi(cycle):
    for pattern in cycle.patterns:
        assert len(pattern) == cycle.pulses
        assert set(pattern) <= set("DTBk.")
    low, high = cycle.pulses_per_minute
    assert high / low >= 1.5


def test_every_tradition_has_several_modes_cycles_and_instruments():
    for key in TRADITIONS:
        assert len(scales_of(key)) >= 5
        assert len(cycles_of(key)) >= 4
        assert len(FACTS[key].melody) >= 4
    assert len(SCALES) == sum(len(scales_of(key)) for key in TRADITIONS)


# ---- lines and ornaments ------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(sorted(SCALES)),
    count=st.integers(2, 30),
    start=st.integers(-2, 7),
    goal=st.integers(-2, 7),
    seed=st.integers(0, 10**6),
)
def test_a_line_starts_and_rests_where_told_and_stays_in_range(name, count, start, goal, seed):
    scale = SCALES[name]
    degrees = line(np.random.default_rng(seed), scale, count, start, goal)
    assert len(degrees) == count
    assert degrees[-1] == goal
    assert count == 1 or degrees[0] == start
    assert min(degrees) >= -8
    assert max(degrees) <= len(scale.cents) + 6


@pytest.mark.parametrize("name", ["Major", "Yo", "Hitzaz"])
def test_where_a_line_only_walks_it_keeps_to_two_degrees_around_its_octave(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(melody, "_TURN", 0.0)
    monkeypatch.setattr(melody, "_LEAP", 0.0)
    octave = len(SCALES[name].cents)
    for start, goal in ((0, 0), (octave, octave), (-4, 1), (0, octave + 4)):
        walks = [line(np.random.default_rng(seed), SCALES[name], 60, start, goal) for seed in range(40)]
        ends = (min(map(min, walks)), max(map(max, walks)))
        low, high = min(start, -2), max(goal, octave + 2)
        assert low <= ends[0] < ends[1] <= high
        assert ends[0] == low or start > 0
        assert ends[1] == high or goal < octave


def turns_in(name: str) -> int:
    """How often the turns of a mode occur in sixty of its lines."""
    found = 0
    for seed in range(60):
        degrees = line(np.random.default_rng(seed), SCALES[name], 24, MOVEMENTS[name].start, 0)
        for turn in MOVEMENTS[name].turns:
            found += sum(tuple(degrees[i : i + len(turn)]) == turn for i in range(len(degrees)))
    return found


@pytest.mark.parametrize("name", ["Major", "Hitzaz", "Hicaz", "Yaman", "Kalyani", "In"])
def test_lines_move_by_the_turns_of_their_mode(name: str, monkeypatch: pytest.MonkeyPatch):
    """The turns of a mode occur far more often than where lines only walk up and down its scale."""
    found = turns_in(name)
    monkeypatch.setattr(melody, "_TURN", 0.0)
    assert found > 1.7 * turns_in(name)


@pytest.mark.parametrize("split", SPLITS)
def test_even_the_sparsest_rhythm_gives_every_split_a_phrase(split: str):
    for seed in range(20):
        melodic = phrase(np.random.default_rng(seed), SCALES["Bhupali"], [2.0, 2.0, 2.0, 2.0], 0, 2, split)
        assert phrase_owner(melodic) == split
        assert sum(length for _, length in melodic) == 8.0


@pytest.mark.parametrize("name", sorted(CONTOURS))
def test_an_ornament_is_finite_bounded_and_in_proportion_to_its_reach(name: str):
    t = np.linspace(0.0, 0.6, 400)
    bend = contour(name, t, 0.6, 200.0)
    assert bend.shape == t.shape
    assert np.isfinite(bend).all()
    assert np.abs(bend).max() <= 205.0
    assert (name == "plain") == (not bend.any())


def test_slides_come_from_the_note_before_and_gamaka_returns_to_its_own():
    t = np.linspace(0.0, 1.0, 1001)
    for name in ("slide", "meend"):
        bend = contour(name, t, 1.0, -300.0)
        assert bend[0] == pytest.approx(-300.0)
        assert bend[-1] == pytest.approx(0.0, abs=1e-6)
        assert (np.diff(bend) >= -1e-9).all()
    gamaka = contour("gamaka", t, 1.0, 200.0)
    assert gamaka[0] == pytest.approx(0.0, abs=1e-6)
    assert gamaka.max() == pytest.approx(200.0, abs=1.0)
    assert gamaka.min() == pytest.approx(0.0, abs=1.0)
    swings = np.sum((gamaka[1:-1] > gamaka[:-2]) & (gamaka[1:-1] >= gamaka[2:]))
    assert 4 <= swings <= 6
    assert (
        contour("meend", np.array([0.2]), 1.0, -300.0)[0] < contour("slide", np.array([0.2]), 1.0, -300.0)[0]
    )


def test_keys_and_free_strings_never_bend(performances):
    bends = {"vibrato", "slide", "meend", "gamaka", "andolan", "fall"}
    played = {part.instrument: set() for many in performances.values() for p in many for part in p.parts}
    for part in (part for many in performances.values() for p in many for part in p.parts):
        played[part.instrument] |= {note.ornament for note in part.notes}
    for instrument in FIXED_PITCH:
        assert not played[instrument] & bends
        assert "plain" in played[instrument]
    assert played["Violin"] & bends
    assert set(INSTRUMENTS) >= FIXED_PITCH


# ---- tags ---------------------------------------------------------------------------------------------


def test_tags_are_known_sorted_and_true_to_the_plan(performances):
    known = {tag for tags in TAG_FAMILIES.values() for tag in tags}
    for performance in (p for many in performances.values() for p in many):
        assert set(performance.tags) <= known
        assert list(performance.tags) == sorted(set(performance.tags))
        families = performance.families
        assert families["mode"] == (f"mode--{performance.scale.name}",)
        assert set(families["instrument"]) == {f"instrument--{part.instrument}" for part in performance.parts}
        assert ("tempo" in families) == (performance.form != "Improvisation")
        if "rhythm" in families:
            assert families["rhythm"] == (f"rhythm--{performance.cycle}",)
            assert families["tempo"] == (f"tempo--{tempo_word(performance.tempo)}",)
            assert any(part.strokes or part.role == "chords" for part in performance.parts)
        assert {tag for family in families.values() for tag in family} == set(performance.tags)


def test_every_tag_occurs(performances):
    seen = {tag for many in performances.values() for p in many for tag in p.tags}
    assert seen == {tag for tags in TAG_FAMILIES.values() for tag in tags}


def test_no_tag_implies_another_outside_the_hierarchy(performances):
    for key, many in performances.items():
        counts = Counter(tag for p in many for tag in p.tags)
        pairs = Counter((a, b) for p in many for a in p.tags for b in p.tags)
        for (a, b), together in pairs.items():
            if a != b and not b.startswith("tradition--") and counts[a] >= 25:
                assert together / counts[a] <= 0.93, (key, a, b)


def test_tags_tell_little_of_one_another_within_a_tradition(performances):
    """Mutual information of any two tags stays below half a bit; across families below 0.45."""
    for key, many in performances.items():
        tags = sorted({tag for p in many for tag in p.tags if not tag.startswith("tradition")})
        held = np.array([[tag in p.tags for tag in tags] for p in many], dtype=bool)
        for a, b in combinations(range(len(tags)), 2):
            assert _information(held[:, a], held[:, b]) < 0.45, (key, tags[a], tags[b])


def _information(x: np.ndarray, y: np.ndarray) -> float:
    joint = np.array([[np.mean((x == i) & (y == j)) for j in (False, True)] for i in (False, True)])
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    here = joint > 0
    return float(np.sum(joint[here] * np.log2(joint[here] / apart[here])))


def test_traditions_share_instruments_forms_and_tempi(performances):
    homes: dict[str, set[str]] = {}
    for key, many in performances.items():
        for performance in many:
            for tag in performance.tags:
                homes.setdefault(tag, set()).add(key)
    assert all(homes[f"form--{form}"] == set(TRADITIONS) for form in FORMS)
    assert all(homes[f"tempo--{word}"] == set(TRADITIONS) for word in ("Slow", "Medium", "Fast"))
    shared = [tag for tag, where in homes.items() if tag.startswith("instrument") and len(where) > 1]
    assert len(shared) >= 14
    assert homes["instrument--Voice"] == set(TRADITIONS)


# ---- modes --------------------------------------------------------------------------------------------


def test_pitch_only_gives_all_traditions_the_same_timbres():
    plain = {*PLAIN_MELODY, PLAIN_DRUM}
    for seed in range(25):
        leaders = [plan(key, seed, mode="pitch").parts[0] for key in TRADITIONS]
        assert len({part.instrument for part in leaders}) == 1
        assert all(part.parameters == leaders[0].parameters for part in leaders)
        for key in TRADITIONS:
            performance = plan(key, seed, mode="pitch")
            assert {part.instrument for part in performance.parts} <= plain
            assert "instrument" not in performance.families
            assert performance.scale in scales_of(key)


def test_timbre_only_gives_all_traditions_the_same_pitches_and_rhythms():
    for seed in range(25):
        all_six = [plan(key, seed, mode="timbre") for key in TRADITIONS]
        assert len({(p.tonic, p.tempo, p.downbeat, p.phrases) for p in all_six}) == 1
        assert all(p.parts[0].notes == all_six[0].parts[0].notes for p in all_six)
        assert all(p.parts[0].octave == all_six[0].parts[0].octave for p in all_six)
        for performance in all_six:
            assert set(performance.families) == {"instrument", "tradition"}
            assert performance.parts[0].instrument in FACTS[performance.tradition].melody


def test_the_tonic_says_nothing_about_the_tradition():
    for mode in MODES:
        assert len({plan(key, 5, mode=mode).tonic for key in TRADITIONS}) == 1


@pytest.mark.parametrize("name", ["Major", "Yo"])
def test_a_chord_is_strummed_quickly_on_the_accents_of_its_cycle(name: str):
    cycle, score = CYCLES["Waltz 3/4"], Score(SCALES[name], "train", None, 0.5, 0.0)
    notes = chords(generator("chords"), SCALES[name], cycle, score, range(2))
    accents = [score.time(pulse + accent) for pulse in (0, cycle.pulses) for accent in cycle.accents]
    assert [note.start for note in notes[::3]] == pytest.approx(accents)
    pitches = {note.cents for note in notes}
    if name == "Major":  # thirds over each degree that is a root
        assert {cents % 1200 for cents in pitches} <= set(SCALES[name].cents)
        assert len(pitches) > 3
    else:
        assert pitches == {0.0, 700.0, 1200.0}
    gaps = [b.start - a.start for at in range(0, len(notes), 3) for a, b in pairwise(notes[at : at + 3])]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    assert 0.004 <= gaps[0] <= 0.02


# ---- splits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_every_draw_belongs_to_its_split(split: str):
    for key in TRADITIONS:
        for seed in range(25):
            performance = plan(key, seed, split=split)
            assert owner(math.log2(performance.tonic / 130.8128)) == split
            if performance.tempo:
                assert owner(math.log2(performance.tempo)) == split
            assert {phrase_owner(melodic) for melodic in performance.phrases} == {split}
            for part in performance.parts:
                for name, (low, high) in INSTRUMENTS[part.instrument].ranges.items():
                    if high > low:
                        assert owner((part.parameters[name] - low) / (high - low)) == split, (
                            part.instrument,
                            name,
                        )


def test_splits_share_no_tonic_tempo_or_phrase():
    drawn: dict[str, tuple[set, set, set]] = {split: (set(), set(), set()) for split in SPLITS}
    for split, (tonics, tempi, phrases) in drawn.items():
        for key in TRADITIONS:
            for seed in range(12):
                performance = plan(key, seed, split=split)
                tonics.add(int(1200 * math.log2(performance.tonic / 130.8128)))
                phrases.update(performance.phrases)
                if performance.tempo:
                    tempi.add(int(performance.tempo * 4))
    for a, b in combinations(SPLITS, 2):
        for ours, theirs in zip(drawn[a], drawn[b], strict=True):
            assert len(ours) >= 10
            assert not ours & theirs


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    split=st.sampled_from(SPLITS),
    low=st.floats(-5, 5),
    width=st.floats(0.01, 100),
)
def test_a_draw_between_two_numbers_lies_between_them_in_the_splits_part(seed, split, low, width):
    value = draws.between(np.random.default_rng(seed), split, low, low + width)
    assert low < value < low + width
    assert owner((value - low) / width) == split


def test_the_splits_own_the_shares_they_should():
    places = np.linspace(0, 1, 1200, endpoint=False) + 1 / 2400
    shares = Counter(owner(float(place)) for place in places)
    assert shares == {"train": 800, "valid": 200, "test": 200}


# ---- asking for one -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_plan_and_another_seed_another():
    assert plan("makam", 3) == plan("makam", 3)
    assert plan("makam", 3) != plan("makam", 4)
    assert plan("makam", 3) != plan("makam", 3, split="test")


def test_what_is_wanted_is_played():
    wanted = Wanted(
        form="Dance",
        scale="Rast",
        cycle="Aksak 9/8",
        tempo=300.0,
        melody=("Ney", "Lute"),
        percussion=("Kudüm",),
        backing=("shadow",),
    )
    performance = plan("makam", 1, wanted=wanted)
    assert (performance.form, performance.scale.name, performance.cycle) == ("Dance", "Rast", "Aksak 9/8")
    assert performance.tempo == 300.0
    assert [part.instrument for part in performance.parts] == ["Ney", "Lute", "Kudüm"]


def test_notes_and_strokes_lie_within_the_clip_in_order():
    for key in TRADITIONS:
        for seed in range(20):
            performance = plan(key, seed, seconds=6.0)
            assert performance.parts
            for part in performance.parts:
                assert bool(part.notes) != bool(part.strokes)
                starts = [event.start for event in (*part.notes, *part.strokes)]
                assert starts == sorted(starts)
                assert 0.0 <= starts[0] <= starts[-1] < 6.0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("klezmer", 1, {}), "controlled.unknown"),
        (("greek", 1, {"mode": "loud"}), "controlled.unknown"),
        (("greek", 1, {"split": "dev"}), "controlled.unknown"),
        (("greek", 1, {"wanted": Wanted(scale="Rast")}), "controlled.unknown"),
        (("greek", 1, {"wanted": Wanted(cycle="Tintal")}), "controlled.unknown"),
        (("greek", 1, {"seconds": 0.5}), "controlled.short"),
        (("greek", 1, {"seconds": float("nan")}), "controlled.short"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(arguments, code: str):
    tradition, seed, rest = arguments
    with pytest.raises(ControlledError) as caught:
        plan(tradition, seed, **rest)
    assert caught.value.sentence.code == code


def test_a_corpus_names_each_recording_once_and_a_longer_one_begins_with_a_shorter():
    short = list(corpus("carnatic", "valid", 3, seed=2, mode="pitch", seconds=2.0))
    long = list(corpus("carnatic", "valid", 4, seed=2, mode="pitch", seconds=2.0))
    assert len({clip.recording for clip in long}) == 4
    for before, after in zip(short, long, strict=False):
        assert before.recording == after.recording
        assert before.tags == after.tags
        assert np.array_equal(before.samples, after.samples)
    other = {clip.recording for clip in corpus("carnatic", "test", 3, seed=2, mode="pitch", seconds=2.0)}
    assert not other & {clip.recording for clip in long}
