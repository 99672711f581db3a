"""Sound files of every kind become clips, or one useful sentence."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
import soundfile
from sound_files import ENCODERS, by_pyav, by_soundfile, tone
from waiting import PATIENCE

from mirdemo.sound.audio import LIMITS, AudioError, AudioLimits, Clip, display_name, load_clip
from mirdemo.sound.decoding import MonoCollector, Source

RATE = 48_000
SHARED = Path(os.environ.get("MIRDEMO_TEST_RECORDINGS", ""))
LOSSY = ("mp3", "ogg", "aac", "mp4", "webm", "wma", "adpcm", "mts", "mpg", "avi")


def codes(clip: Clip) -> list[str]:
    return [warning.code for warning in clip.warnings]


def code_of(data: bytes | Path, name: str | None = None, limits: AudioLimits = LIMITS) -> str:
    """The code of the error that loading raises; its sentence must be one sentence of readable length."""
    with pytest.raises(AudioError) as caught:
        load_clip(data, name, limits=limits)
    text = str(caught.value)
    assert text.endswith(".")
    assert 20 < len(text) < 220
    assert "\n" not in text
    return caught.value.sentence.code


def strongest_hertz(clip: Clip) -> float:
    return float(np.abs(np.fft.rfft(clip.samples)).argmax()) / clip.seconds


# ---- formats --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ENCODERS)
def test_every_kind_of_file_keeps_its_pitch_length_and_level(kind: str, channels: int):
    clip = load_clip(ENCODERS[kind](tone(1.0, RATE, channels), RATE), kind)
    assert clip.sample_rate == RATE
    assert clip.samples.dtype == np.float32
    assert clip.seconds == pytest.approx(1.0, abs=0.06)
    assert strongest_hertz(clip) == pytest.approx(440, abs=2)
    mono = 0.5 * (1 if channels == 1 else (1 + 0.75) / 2)
    middle = clip.samples[len(clip.samples) // 4 : -len(clip.samples) // 4]
    assert float(np.sqrt(2 * (middle**2).mean())) == pytest.approx(mono, rel=0.06)
    assert codes(clip) == []


@pytest.mark.parametrize("kind", [kind for kind in ENCODERS if not any(word in kind for word in LOSSY)])
def test_lossless_files_give_back_the_mean_of_their_channels(kind: str):
    wave = tone(0.2, RATE, 2)
    clip = load_clip(ENCODERS[kind](wave, RATE))
    assert np.abs(clip.samples - wave.mean(axis=1)).max() <= 1 / 32_768


def test_the_extension_and_capitals_do_not_matter_and_unicode_names_work(tmp_path: Path):
    for name, kind in (
        ("太鼓 – fête.WAV", "flac"),
        ("Kane.MP3", "m4a aac"),
        ("no extension", "ogg vorbis"),
        ("笛.raw", "wav"),  # soundfile alone would take .raw for headerless sound
    ):
        path = tmp_path / name
        path.write_bytes(ENCODERS[kind](tone(0.3, RATE), RATE))
        for given in (path, str(path)):
            clip = load_clip(given)
            assert clip.name == name
            assert strongest_hertz(clip) == pytest.approx(440, abs=4)


def test_an_id3_tag_before_mp3_aac_and_flac_is_passed():
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + b"\x00" * 256
    for kind in ("mp3 cbr", "aac", "flac"):
        assert load_clip(tag + ENCODERS[kind](tone(0.5, RATE), RATE)).seconds == pytest.approx(0.5, abs=0.06)


def test_the_same_sound_has_the_same_hash_whatever_it_was_packed_in():
    wave = np.round(tone(0.3, RATE) * 32_767) / 32_768
    hashes = {
        load_clip(ENCODERS[kind](wave, RATE), kind).sha256 for kind in ("wav", "flac", "aiff", "caf", "w64")
    }
    assert len(hashes) == 1
    assert load_clip(by_soundfile(wave, RATE // 2, "WAV", "PCM_16")).sha256 not in hashes


@pytest.mark.skipif(
    not SHARED.is_dir() or not str(SHARED).strip("."), reason="MIRDEMO_TEST_RECORDINGS is not set"
)
def test_real_recordings_load_without_warnings():
    paths = [p for p in sorted(SHARED.rglob("*")) if p.suffix in (".wav", ".mp3", ".ogg", ".flac")]
    assert paths
    for path in paths:
        clip = load_clip(path)
        assert clip.seconds > 0.2
        assert codes(clip) == [], path.name


# ---- broken and hostile files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        k
        for k in ENCODERS
        if k not in ("m4a aac", "m4a alac", "mp4", "aac", "wma", "webm video", "mts", "mpg")
    ],
)
def test_a_file_cut_off_gives_what_is_there_and_says_so(kind: str):
    whole = ENCODERS[kind](tone(8.0, RATE) + 0.01 * np.random.default_rng(0).normal(size=(8 * RATE, 1)), RATE)
    clip = load_clip(whole[: len(whole) * 6 // 10], kind)
    assert 3.0 < clip.seconds < 6.5
    assert codes(clip)[0] in ("audio.cut_short", "audio.lacks_end")
    if codes(clip)[0] == "audio.cut_short":
        assert clip.warnings[0].values["claimed"] == pytest.approx(8.0, abs=0.4)
        assert clip.warnings[0].values["read"] == clip.seconds
        assert "of 8." in str(clip.warnings[0]) or "of 7." in str(clip.warnings[0])


@pytest.mark.parametrize("kind", ["aac", "wma", "webm video", "mts", "mpg"])
def test_a_stream_cut_off_gives_what_is_there(kind: str):
    whole = ENCODERS[kind](tone(8.0, RATE), RATE)
    assert 3.0 < load_clip(whole[: len(whole) * 6 // 10]).seconds < 6.5


@pytest.mark.parametrize("kind", ["m4a aac", "m4a alac", "mp4"])
def test_an_mp4_that_ends_before_its_index_says_so(kind: str):
    whole = ENCODERS[kind](tone(1.0, RATE), RATE)
    index = whole.rindex(b"moov") - 4
    assert index > whole.index(b"mdat")
    for length in (len(whole) // 2, index, *range(index + 6, index + 480, 17)):
        assert code_of(whole[:length], "take.m4a") == "audio.no_index"


@pytest.mark.parametrize(
    "size",
    [
        b"\x00\x00\x00\x00mdat",  # to the end of the file, as FFmpeg begins
        b"????mdat",  # a place left for the size
        b"\x00\x00\x00\x01mdat????????",  # the same for files beyond 4 GB
    ],
)
def test_a_recording_that_was_cut_off_before_its_sizes_were_filled_in_says_so(size: bytes):
    whole = ENCODERS["m4a aac"](tone(1.0, RATE), RATE)
    begin, end = whole.index(b"mdat"), whole.rindex(b"moov") - 4
    assert code_of(whole[: begin - 4] + size + whole[begin + 4 : end]) == "audio.no_index"


def test_an_mp4_with_its_index_in_front_gives_what_is_there_of_the_sound(tmp_path: Path):
    place = tmp_path / "streamed.m4a"
    packed = io.BytesIO(ENCODERS["m4a aac"](tone(8.0, RATE), RATE))
    with av.open(packed) as given, av.open(str(place), "w", options={"movflags": "faststart"}) as made:
        track = made.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(given.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = track
                made.mux(packet)
    whole = place.read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")
    assert 3.0 < load_clip(whole[: len(whole) * 6 // 10]).seconds < 6.5
    assert code_of(whole[: whole.index(b"moov") + 200]) == "audio.no_index"


def test_an_mp4_that_is_whole_but_spoilt_is_damaged_and_not_cut_off():
    whole = ENCODERS["m4a aac"](tone(1.0, RATE), RATE)
    spoilt = bytearray(whole)
    index = whole.rindex(b"moov") + 4
    spoilt[index:] = bytes(len(whole) - index)
    assert code_of(bytes(spoilt)) == "audio.no_track"
    no_box = whole[:28] + b"\x00\x00\x00\x04mdat" + whole[36:]  # it ends before its own header does
    for data in (no_box, whole[:36]):
        assert code_of(data) == "audio.damaged"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audio.empty"),
        (b"\x00", "audio.unknown"),
        (b"RIFF\x24\x00\x00\x00WAVE", "audio.damaged"),
        (b"Dear sir, this is no sound at all. " * 40, "audio.unknown"),
        ("これは音ではありません。".encode(), "audio.unknown"),
        (b"PK\x03\x04" + bytes(100), "audio.archive"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "audio.playlist"),
        (b"\xef\xbb\xbf#EXTM3U\nhttp://127.0.0.1/a.mp3\n", "audio.playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "audio.playlist"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 1 RTP/AVP 0\r\n", "audio.playlist"),
        (b"[playlist]\nFile1=/etc/passwd\n", "audio.playlist"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"#EXTM3U\n/etc/passwd\n" * 9, "audio.damaged"),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence_of_its_own(data: bytes, code: str):
    assert code_of(data, "take 1.mp3") == code


def test_a_file_without_frames_is_refused():
    assert code_of(by_soundfile(tone(0.0), RATE, "WAV")) in ("audio.no_sound", "audio.damaged")


def test_one_sample_is_a_clip():
    clip = load_clip(by_soundfile(np.array([[0.25]], np.float32), RATE, "WAV", "FLOAT"))
    assert clip.samples.tolist() == [0.25]
    assert len(clip.at(16_000)) == 1


def test_eight_channels_are_mixed_by_their_mean():
    wave = tone(0.1, RATE, 8)
    clip = load_clip(by_soundfile(wave, RATE, "WAV", "FLOAT"))
    assert np.allclose(clip.samples, wave.mean(axis=1), atol=1e-6)


def test_too_many_channels_are_refused():
    assert code_of(by_soundfile(tone(0.01, RATE, 40), RATE, "WAV")) == "audio.channels"


@pytest.mark.parametrize("rate", [0, 50, 900_000])
def test_a_rate_out_of_range_is_refused(rate: int):
    data = bytearray(by_soundfile(tone(0.1), RATE, "WAV", "PCM_16"))
    struct.pack_into("<I", data, 24, rate)
    assert code_of(bytes(data)) in (("audio.rate",) if rate else ("audio.rate", "audio.damaged"))


def test_a_silent_file_is_a_clip_with_a_warning():
    assert codes(load_clip(by_soundfile(tone(0.2) * 0, RATE, "WAV"))) == ["audio.silent"]


def test_channels_that_cancel_are_told_from_silence():
    wave = tone(0.2) * np.array([[1, -1]], np.float32)
    assert codes(load_clip(by_soundfile(wave, RATE, "FLAC"))) == ["audio.cancels"]


def test_a_few_values_that_are_not_numbers_become_silence_with_a_warning():
    wave = tone(0.1, RATE)
    wave[10:13] = [[np.nan], [np.inf], [1e30]]
    clip = load_clip(by_soundfile(wave, RATE, "WAV", "FLOAT"))
    assert codes(clip) == ["audio.replaced"]
    assert clip.warnings[0].values["count"] == 3
    assert clip.samples[10:13].tolist() == [0, 0, 0]
    assert np.isfinite(clip.samples).all()


def test_nothing_but_nan_is_refused():
    assert code_of(by_soundfile(tone(0.1) * np.nan, RATE, "WAV", "FLOAT")) == "audio.not_finite"


def test_levels_above_full_scale_are_kept_and_extreme_ones_warned_about():
    clip = load_clip(by_soundfile(tone(0.1) * 3, RATE, "WAV", "FLOAT"))
    assert float(np.abs(clip.samples).max()) == pytest.approx(1.5, rel=0.01)
    assert codes(clip) == []
    assert codes(load_clip(by_soundfile(tone(0.1) * 32_768, RATE, "WAV", "FLOAT"))) == ["audio.loud"]


def test_a_film_without_sound_says_so():
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as file:
        track = file.add_stream("mpeg4", rate=10)
        track.width = track.height = 32
        file.mux(track.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        file.mux(track.encode(None))
    assert code_of(stream.getvalue()) == "audio.no_track"


def test_a_codec_that_is_not_on_the_list_is_refused():
    assert code_of(by_pyav(tone(0.3, 16_000), 16_000, "flv", "nellymoser")) == "audio.codec"
    # WAV has one track, and is tried by libsndfile first
    assert code_of(by_pyav(tone(0.3, 22_050), 22_050, "wav", "adpcm_swf")) == "audio.codec"


def test_what_libsndfile_read_is_kept_where_ffmpeg_may_not_go_on(monkeypatch: pytest.MonkeyPatch):
    from mirdemo.sound.decoding import with_soundfile

    whole = with_soundfile.read

    def breaking(*args: object) -> None:
        whole(*args)
        raise RuntimeError("damaged further on")

    data = by_soundfile(tone(0.5, 8_000), 8_000, "AU", "G721_32")
    monkeypatch.setattr(with_soundfile, "read", breaking)
    assert load_clip(data).seconds == pytest.approx(0.5, abs=0.06)


def test_ffmpeg_opens_no_decoder_that_is_not_on_the_list_to_look_ahead():
    film = ENCODERS["mp4"](tone(0.3, RATE), RATE)
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as said:
            assert load_clip(film).seconds == pytest.approx(0.3, abs=0.06)
    finally:
        av.logging.set_level(None)
    refused = [message for _, _, message in said if "not on whitelist" in message]
    assert refused
    assert all("(mpeg4)" in message for message in refused)


def test_a_missing_file_a_folder_and_a_path_that_is_none_are_refused(tmp_path: Path):
    assert code_of(tmp_path / "nowhere.wav") == "audio.missing"
    assert code_of(tmp_path) == "audio.unreadable"
    assert code_of(Path("a\0b.wav")) in ("audio.unreadable", "audio.missing")
    assert code_of(Path("x" * 5_000)) in ("audio.unreadable", "audio.missing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are for Unix")
def test_a_named_pipe_does_not_hang(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert code_of(tmp_path / "pipe.wav") == "audio.unreadable"


def test_the_given_name_is_never_used_as_a_path(tmp_path: Path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(ENCODERS["wav"](tone(0.2, RATE), RATE))
    assert code_of(b"not sound at all", str(secret)) == "audio.unknown"
    assert load_clip(secret.read_bytes(), "../../etc/passwd").name == "passwd"


# ---- limits ---------------------------------------------------------------------------------------------


def test_too_many_bytes_are_refused_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    huge = tmp_path / "huge.wav"
    with huge.open("wb") as file:
        file.write(ENCODERS["wav"](tone(0.1, RATE), RATE))
        file.truncate(6_000_000_000)  # sparse: takes no room
    monkeypatch.setattr(Source, "read", lambda *told: pytest.fail("read"))
    assert code_of(huge) == "audio.too_big"
    with pytest.raises(AudioError, match=f"has 6000 MB; at most {LIMITS.max_bytes // 1_000_000} MB"):
        load_clip(huge)


def test_a_header_that_claims_ten_hours_of_a_short_file_is_not_believed():
    data = bytearray(ENCODERS["wav"](tone(1.0, RATE), RATE))
    struct.pack_into("<I", data, 40, 36_000 * 2 * RATE)
    clip = load_clip(bytes(data))
    assert clip.seconds == pytest.approx(1.0)
    assert clip.warnings[0].values["claimed"] == pytest.approx(36_000)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_header_of_a_stream_of_unknown_length_is_no_claim(size: int):
    data = bytearray(ENCODERS["wav"](tone(1.0, RATE), RATE))
    struct.pack_into("<I", data, 40, size)
    clip = load_clip(bytes(data))
    assert clip.seconds == pytest.approx(1.0)
    assert codes(clip) == []


@pytest.mark.parametrize("kind", ["ogg", "webm", "mp3"])
def test_ten_hours_of_little_data_are_refused_undecoded_and_in_little_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(MonoCollector, "add", lambda *told: pytest.fail("decoded"))
    path = tmp_path / "night"
    path.write_bytes(_ten_hours(kind))
    assert path.stat().st_size < 60_000_000  # the sound of it would take 1 to 7 GB
    before = psutil.Process().memory_info().rss
    assert code_of(path) == "audio.too_long"
    assert psutil.Process().memory_info().rss - before < 600e6


def _ten_hours(kind: str) -> bytes:
    """Ten real hours, made by repeating one packet of silence."""
    stream = io.BytesIO()
    codec, rate, options = (
        ("libmp3lame", 8_000, {}) if kind == "mp3" else ("libopus", RATE, {"frame_duration": "120"})
    )
    with av.open(stream, "w", format=kind, options={"write_xing": "0"} if kind == "mp3" else {}) as file:
        track = file.add_stream(codec, rate=rate, layout="mono", options=options)
        track.bit_rate = 8_000
        track.codec_context.open()
        size = track.codec_context.frame_size
        frame = av.AudioFrame(track.codec_context.format.name, "mono", size)
        frame.sample_rate = rate
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        packets = [*track.codec_context.encode(frame), *track.codec_context.encode(None)]
        content = bytes(packets[-1])
        for number in range(36_000 * rate // size):
            packet = av.Packet(content)
            packet.stream = track
            packet.pts = packet.dts = number * size
            packet.duration = size
            packet.time_base = track.codec_context.time_base
            file.mux_one(packet)
    return stream.getvalue()


def test_an_mp4_that_announces_more_packets_than_it_has_costs_no_memory():
    data = bytearray(ENCODERS["m4a aac"](tone(1.0, RATE), RATE))
    count = 60_000_000  # their index would take 2 GB
    for box, offset, values in (
        (b"stsz", 8, (1, count)),
        (b"stts", 8, (1, count, 1_024)),
        (b"stsc", 8, (1, 1, count, 1)),
    ):
        struct.pack_into(f">{len(values)}I", data, data.index(box) + offset, *values)
    before = psutil.Process().memory_info().rss
    peak = _peak_while(lambda: load_clip(bytes(data)))
    assert peak - before < 200e6


def _peak_while(work: Callable[[], object]) -> int:
    """The largest resident size (bytes) seen while ``work`` runs, whether or not it raises ``AudioError``."""
    seen = [psutil.Process().memory_info().rss]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            seen.append(psutil.Process().memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    except AudioError:
        pass
    finally:
        done.set()
        watcher.join()
    return max(*seen, psutil.Process().memory_info().rss)


def test_limits_are_told_with_their_numbers():
    short = AudioLimits(max_seconds=30, max_bytes=1_000_000)
    with pytest.raises(AudioError, match=r"0\.5 minutes"):
        load_clip(ENCODERS["ogg vorbis"](tone(31, RATE), RATE), limits=short)
    with pytest.raises(AudioError, match="1 MB"):
        load_clip(bytes(1_000_001), limits=short)
    with pytest.raises(AudioError, match="4000 to 384000 Hz"):
        load_clip(by_soundfile(tone(0.5, 1_000), 1_000, "WAV"))
    assert load_clip(ENCODERS["flac"](tone(30, RATE), RATE), limits=short).seconds == 30


def test_high_rates_are_bounded_in_frames():
    few = AudioLimits(max_frames=10_000)
    assert code_of(by_soundfile(tone(0.3), RATE, "WAV"), limits=few) == "audio.too_long"


# ---- the clip -------------------------------------------------------------------------------------------


def test_a_clip_is_read_only_and_survives_pickling():
    clip = Clip.of(tone(0.1)[:, 0], 44_100, "a/b\\c.wav")
    assert clip.name == "c.wav"
    with pytest.raises(ValueError, match="read-only"):
        clip.samples[0] = 1
    again = pickle.loads(pickle.dumps(clip))
    assert again.sha256 == clip.sha256
    assert np.array_equal(again.samples, clip.samples)


def test_a_clip_does_not_change_with_the_array_it_was_made_from():
    wave = tone(0.1)[:, 0].copy()
    clip = Clip.of(wave, 44_100)
    wave[:] = 0
    assert float(np.abs(clip.samples).max()) > 0.4


def test_a_clip_refuses_what_is_no_finite_wave():
    for bad, code in (
        (np.zeros((2, 2)), "audio.no_sound"),
        (np.zeros(0), "audio.no_sound"),
        (np.array([1.0, np.nan]), "audio.not_finite"),
        (np.array([1.0, np.inf]), "audio.not_finite"),
    ):
        with pytest.raises(AudioError) as caught:
            Clip.of(bad, 44_100)
        assert caught.value.sentence.code == code


def test_a_cut_is_the_part_and_remembers_where_it_was():
    clip = Clip.of(np.arange(1_000) / 1_000, 8_000, "x.wav")
    part = clip.cut(0.05, 0.1)
    assert np.array_equal(part.samples, clip.samples[400:800])
    assert part.name == clip.name
    assert part.start_seconds == pytest.approx(0.05)
    assert part.cut(0.01, 9).start_seconds == pytest.approx(0.06)
    assert part.sha256 != clip.sha256
    assert clip.cut(0, clip.seconds).sha256 == clip.sha256


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (0.5, 0.5), (0.1, 0.05), (2, 3)])
def test_a_cut_outside_the_clip_is_refused(start: float, end: float):
    with pytest.raises(AudioError) as caught:
        Clip.of(np.zeros(1_000), 8_000).cut(start, end)
    assert caught.value.sentence.code == "audio.cut"


def test_names_are_made_safe_to_show():
    assert display_name("/a/b/太鼓.wav") == "太鼓.wav"
    assert display_name("C:\\x\\y.wav") == "y.wav"
    assert display_name("a\x00b\n\u202egpj.wav") == "abgpj.wav"
    assert display_name("///") == "clip"
    assert len(display_name("x" * 5_000 + ".wav")) <= 120
    assert display_name("x" * 5_000 + ".wav").endswith(".wav")


# ---- quiet ----------------------------------------------------------------------------------------------


def test_damaged_files_print_nothing_and_reading_needs_no_torch(tmp_path: Path):
    for kind in ("mp3 cbr", "mp3 vbr", "ogg vorbis", "flac", "aac", "webm opus"):
        data = bytearray(ENCODERS[kind](tone(1.0, RATE), RATE))
        data[len(data) // 3 : len(data) // 3 + 40] = b"\xff" * 40
        (tmp_path / kind).write_bytes(data[: len(data) * 4 // 5])
    script = (
        "import sys, pathlib\n"
        "from mirdemo.sound.audio import load_clip, AudioError\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try: load_clip(path)\n"
        "    except AudioError: pass\n"
        "assert not {'torch', 'scipy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_lossy_copy_that_is_louder_than_full_scale_keeps_its_sign(subtype: str):
    """As 16-bit integers soundfile 0.14.0 turns such samples round (findings/loud_vorbis_as_integers_wraps.sh)."""
    t = np.arange(48_000) / 48_000
    limited = np.clip(np.sin(2 * np.pi * 220 * t) + 0.4 * np.sin(2 * np.pi * 331 * t), -0.99, 0.99)
    out = io.BytesIO()
    soundfile.write(out, limited, 48_000, format="OGG", subtype=subtype)
    clip = load_clip(out.getvalue(), "a.ogg")
    assert clip.samples.max() > 1
    sure = np.flatnonzero(np.abs(limited[:47_000]) > 0.5)  # libsndfile fades the very end of Opus
    assert np.array_equal(np.sign(clip.samples[sure]), np.sign(limited[sure]))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_each_microphone_has_its_share_whichever_library_orders_the_channels(subtype: str):
    """soundfile 0.14.0 and FFmpeg number the channels of Ogg differently (findings/six_channels_in_ogg.sh)."""
    tones = [300, 600, 900]
    parts = 0.3 * np.sin(2 * np.pi * np.outer(np.arange(48_000) / 48_000, tones))
    ogg, film = io.BytesIO(), io.BytesIO()
    soundfile.write(ogg, parts, 48_000, format="OGG", subtype=subtype)
    ogg.seek(0)
    with av.open(ogg) as source, av.open(film, "w", format="matroska") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    for data, name in ((ogg, "a.ogg"), (film, "a.mka")):
        clip = load_clip(data.getvalue(), name)
        middle = clip.samples[12_000:36_000] * np.hanning(24_000)
        levels = np.abs(np.fft.rfft(middle))[[tone // 2 for tone in tones]] / 6_000
        assert levels == pytest.approx(0.1, rel=0.05), name
