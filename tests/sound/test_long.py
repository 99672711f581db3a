"""Long recordings: the samples, warnings and refusals of a whole decode, in memory that does not grow with the length."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdemo.base.sentences import Cancelled
from mirdemo.sound import long
from mirdemo.sound.audio import AudioError, AudioLimits, Clip, load_clip
from mirdemo.sound.decoding import Source, announced_seconds
from mirdemo.sound.long import LongRecording, long_of, open_long

RATE = 16_000
SOUND = (np.random.default_rng(5).normal(size=(40 * RATE, 2)) * 0.1).astype(np.float32)


def packed(kind: str, samples: np.ndarray = SOUND, rate: int = RATE) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind)
    return out.getvalue()


def with_ffmpeg(format: str, codec: str) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=format) as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        for start in range(0, len(SOUND), 1_024):
            frame = av.AudioFrame.from_ndarray(SOUND[start : start + 1_024, 0][None].copy(), "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def silent_track_then_sound() -> bytes:
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        streams = [file.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        for stream, level in zip(streams, (0, 9_000), strict=True):
            frame = av.AudioFrame.from_ndarray(np.full((1, RATE), level, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = RATE, 0
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    return out.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "WAV": lambda: packed("WAV"),
    "FLAC": lambda: packed("FLAC"),
    "MP3": lambda: packed("MP3"),
    "OGG": lambda: packed("OGG"),
    "film": lambda: with_ffmpeg("mp4", "aac"),
    "webm": lambda: with_ffmpeg("matroska", "aac"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_has_the_samples_of_a_whole_decode_in_every_kind_of_file(kind: str):
    data = KINDS[kind]()
    whole, recording = load_clip(data, "a.x"), open_long(data, "a.x")
    assert (recording.frames, recording.sample_rate) == (len(whole.samples), whole.sample_rate)
    assert recording.warnings == whole.warnings
    for start, end in ((0.0, 1.0), (13.37, 14.9), (39.0, 99.0)):
        cut, part = whole.cut(start, end), recording.cut(start, end)
        assert (part.sha256, part.start_seconds, part.name) == (cut.sha256, cut.start_seconds, "a.x")
    assert recording.seconds == pytest.approx(announced_seconds(Source.of(data)), abs=0.1)


def test_files_joined_at_another_rate_go_on_at_the_first_ones():
    """Streams of different rates behind each other: what ``load_clip`` makes of them, brought over piece by piece."""
    t = np.arange(50 * 24_000) / 24_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    data = packed("FLAC", SOUND[:RATE]) + packed("FLAC", tone, 24_000)
    whole, recording = load_clip(data, "a.flac"), open_long(data, "a.flac")
    assert recording.frames == len(whole.samples) == 51 * RATE
    np.testing.assert_allclose(recording.read(0, 60), whole.samples, atol=1e-4)


def test_a_file_cut_off_says_so_in_every_span():
    recording = open_long(packed("WAV")[: 4 * 25 * RATE], "a.wav")
    assert [warning.code for warning in recording.cut(1, 2).warnings] == ["audio.cut_short"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audio.empty"),
        (b"this is no sound", "audio.unknown"),
        (packed("WAV", SOUND[:0]), "audio.no_sound"),
    ],
)
def test_what_is_no_sound_is_refused_as_ever(data: bytes, code: str):
    with pytest.raises(AudioError) as refused:
        open_long(data, "a")
    assert refused.value.sentence.code == code
    assert announced_seconds(Source.of(data)) is None


def test_what_is_longer_than_its_limit_is_refused():
    with pytest.raises(AudioError) as refused:
        open_long(packed("WAV"), "a", limits=AudioLimits(max_seconds=30.0))
    assert refused.value.sentence.code == "audio.too_long"


@pytest.mark.parametrize("kind", ["WAV", "MP3"])
def test_it_is_stopped_when_its_progress_says_so(kind: str):
    seen: list[tuple[int, int, str]] = []

    def stop(*step) -> None:
        seen.append(step)
        raise Cancelled

    with pytest.raises(Cancelled):
        open_long(KINDS[kind](), "a", progress=stop)
    assert 0 < seen[0][0] <= seen[0][1]
    assert {phase for *_, phase in seen} == {"opening"}


@pytest.mark.parametrize(("start", "end"), [(-1.0, 2.0), (3.0, 3.0), (40.0, 41.0)])
def test_a_span_outside_is_refused(start: float, end: float):
    with pytest.raises(AudioError) as refused:
        open_long(packed("WAV"), "a").cut(start, end)
    assert refused.value.sentence.code == "audio.cut"


def test_an_outline_is_of_the_samples_themselves_where_the_drawing_is_too_coarse():
    clip = Clip.of(np.linspace(-1, 1, 10 * RATE, dtype=np.float32), RATE, "a")
    recording = long_of(clip)
    fine = recording.outline(5.0, 5.01, 160)
    np.testing.assert_allclose(fine[:, 0], clip.samples[5 * RATE : 5 * RATE + 160])
    coarse = recording.outline(0.0, 10.0, 20)
    assert (coarse[0, 0], coarse[-1, 1]) == (-1, 1)
    assert (coarse[:, 0] <= coarse[:, 1]).all()
    behind = recording.outline(9.999, 10.002, 48)
    assert behind[:10].all()
    assert not behind[32:].any()


CHILD = """
import json, resource, sys
from pathlib import Path
from mirdemo.sound.long import open_long
from mirdemo.sound.audio import load_clip
import mirdemo.sound.decoding.with_soundfile, mirdemo.sound.decoding.with_pyav
open_long(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
recording = open_long(Path(sys.argv[2]))
recording.outline(0, recording.seconds, 2000)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([recording.seconds, (after - before) / 1024]))
"""


def test_memory_does_not_grow_with_the_length(tmp_path: Path):
    """Two hours, 230 MB of samples, take no 24 MB more than a minute does."""
    rate, short, long = 8_000, tmp_path / "short.wav", tmp_path / "long.wav"
    minute = (3_000 * np.random.default_rng(0).normal(size=60 * rate)).astype("<i2").tobytes()
    for path, minutes in ((short, 1), (long, 120)):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            for _ in range(minutes):
                file.writeframes(minute)
    if sys.platform == "win32":
        pytest.skip("no getrusage there")
    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(short), str(long)], capture_output=True, text=True, check=True
    )
    seconds, megabytes = json.loads(said.stdout)
    assert seconds == 7_200
    assert megabytes < 24


def test_what_grows_can_be_read_and_drawn_and_becomes_what_is_returned():
    seen: list[tuple[float, float, bool]] = []
    parts: list[np.ndarray] = []

    def look(recording: LongRecording) -> None:
        if not seen or recording.seconds >= seen[-1][0] + 1.0:
            seen.append((recording.seconds, recording.seconds_in_all, recording.whole))
            parts.append(recording.read(0.0, 0.5))
            assert recording.outline(0.0, recording.seconds_in_all, 50).any()
            assert len(recording.levels) == pytest.approx(recording.seconds / recording.level_seconds, abs=1)

    data = packed("WAV")
    recording = open_long(data, "a", growing=look)
    assert len(seen) > 5, "it is seen while it grows"
    assert {whole for *_, whole in seen} == {False}
    assert {length for _, length, _ in seen} == {recording.seconds}, "the file says how long it is"
    assert recording.whole
    assert all(np.array_equal(part, recording.read(0.0, 0.5)) for part in parts)


def test_a_track_without_sound_is_not_seen_growing():
    seen: dict[int, LongRecording] = {}
    recording = open_long(
        silent_track_then_sound(), "a.mkv", growing=lambda one: seen.setdefault(id(one), one)
    )
    assert list(seen.values()) == [recording]


def test_a_path_may_be_text_and_what_is_not_there_is_told(tmp_path: Path):
    path = tmp_path / "night.wav"
    path.write_bytes(packed("WAV"))
    assert open_long(str(path)).name == open_long(path).name == "night.wav"
    with pytest.raises(AudioError) as refused:
        open_long(str(tmp_path / "gone.wav"))
    assert (refused.value.sentence.code, refused.value.sentence.values["name"]) == (
        "audio.missing",
        "gone.wav",
    )


@pytest.mark.parametrize(
    ("frames", "seconds"), [(None, None), (0, None), (4 * RATE, 4.0), (5 * RATE, 5.0), (5 * RATE + 1, None)]
)
def test_a_length_is_expected_as_the_first_part_says_where_the_file_has_room_for_it(frames, seconds):
    seen: list[float | None] = []
    told = {"spool": lambda: long.new_spool("a"), "report": lambda: None}
    spooling = long._Spooling(
        "a", long.LONG_LIMITS, 5, None, growing=lambda one: seen.append(one.expected_seconds), **told
    )
    spooling.begin(RATE, 1, frames, exact=False)
    spooling.begin(RATE, 1, RATE)  # of a part behind it nobody says more than its own length
    spooling.add(np.full((RATE, 1), 0.1, np.float32))
    spooling.finish()
    assert set(seen) == {seconds}
