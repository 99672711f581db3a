"""Broken and hostile files raise ``AudioError`` or give a clip: no other exception, no hang, no growing memory."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
import psutil
import pytest
from sound_damage import damaged, mutations
from sound_files import ENCODERS, SPEECH, tone

from mirdemo.sound.audio import AudioError, load_clip
from mirdemo.sound.decoding import Source, announced_seconds
from mirdemo.sound.resampling import resample

RATE = 48_000
#: Kinds of which several files joined end to end are told apart by their own sizes.
JOINED = ("wav", "rf64", "aiff", "caf", "wavpack", "tta", "m4a alac", "wma")
KINDS = (
    ENCODERS
    | SPEECH
    | {f"two {kind}": lambda wave, rate, kind=kind: 2 * ENCODERS[kind](wave, rate) for kind in JOINED}
)
#: Kinds of pages and blocks so long that a short sound has one: where that is damaged nothing is left.
OF_PIECES = ("ogg vorbis", "wavpack", "tta", "two wavpack", "two tta")
PER_KIND = mutations(120)
LONGEST_SECONDS = 5.0  # of the processor: others' work does not count
MOST_GROWTH_BYTES = 60e6


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    resample(np.zeros(9, np.float32), 44_100, RATE)  # what is loaded at first use is no hang
    return {
        kind: encode(tone(3.0 if kind in OF_PIECES else 0.25, RATE, 1 + number % 2), RATE)
        for number, (kind, encode) in enumerate(KINDS.items())
    }


def test_the_mutations_are_enough():
    assert PER_KIND * len(KINDS) >= 3_000


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_never_hang_crash_or_grow(kind: str, files: dict[str, bytes]):
    load_clip(files[kind])
    others = list(files.values())
    before = psutil.Process().memory_info().rss
    outcomes = {"clip": 0, "refused": 0}
    for number in range(PER_KIND):
        rng = np.random.default_rng([sum(kind.encode()), number])
        data = damaged(files[kind], others[int(rng.integers(len(others)))], rng)
        start = time.process_time()
        try:
            clip = load_clip(data, kind)
        except AudioError:
            outcomes["refused"] += 1
        else:
            outcomes["clip"] += 1
            assert np.isfinite(clip.samples).all()
            assert len(clip.samples) > 0
            assert all(str(warning) for warning in clip.warnings)
        assert time.process_time() - start < LONGEST_SECONDS, (kind, number)
    assert psutil.Process().memory_info().rss - before < MOST_GROWTH_BYTES
    assert min(outcomes.values()) > 0, f"the damage is too light or too heavy to test anything: {outcomes}"


#: What begins pieces or files of a kind, to be repeated behind a whole one: no reader may look at each anew from there on.
MARKS = {
    "flac": (b"fLaC\0\0\0\x22", b"fLaC\0\0\0\x22" + bytes(12) + b"\x0b\xb8\0\xf0" + bytes(18)),
    "ogg vorbis": (b"OggS", b"OggS\0\x02" + bytes(21), b"OggS" + bytes(22) + b"\xff" + 255 * b"\xff"),
    "webm opus": (b"\xec\x80", b"\x1f\x43\xb6\x75\x80"),
    "wma": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c18") + bytes(7),),
    "wavpack": (b"wvpk\x18\0\0\0" + bytes(24),),
    "m4a aac": (b"\0\0\0\x08ftyp",),
    "caf": (b"free" + bytes(8), b"caff\0\1\0\0"),
    "avi": (b"JUNK\0\0\0\0",),
}


@pytest.mark.parametrize(("kind", "mark"), [(kind, mark) for kind, them in MARKS.items() for mark in them])
def test_a_megabyte_of_what_begins_pieces_is_passed_in_seconds(kind: str, mark: bytes, files: dict):
    data = files[kind] + mark * (1_000_000 // len(mark))
    start = time.process_time()
    with suppress(AudioError):
        assert load_clip(data).seconds == pytest.approx(load_clip(files[kind]).seconds, abs=0.1)
    announced_seconds(Source.of(data))
    assert time.process_time() - start < LONGEST_SECONDS


def test_random_bytes_behind_each_kinds_first_bytes_are_survived(files: dict[str, bytes]):
    rng = np.random.default_rng(7)
    refused = 0
    for kind, whole in files.items():
        for length in (12, 64, 300):
            try:
                load_clip(whole[:length] + rng.bytes(2_000), kind)
            except AudioError:
                refused += 1
    assert refused > len(files)
