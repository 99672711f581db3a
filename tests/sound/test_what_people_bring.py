"""Files as recorders, phones, tag editors and ``cat`` leave them: read to their true end, or a true sentence.

The right lengths are those of the sound that was written; each kind is made here with the encoders that soundfile and
PyAV carry.
"""

from __future__ import annotations

import io
import struct
from functools import cache

import av
import numpy as np
import pytest
from sound_files import ENCODERS, by_pyav, by_soundfile, tone

from mirdemo.sound.audio import AudioError, Clip, load_clip
from mirdemo.sound.decoding import Source, announced_seconds, chains
from mirdemo.sound.decoding.containers import TRANSPORT, UNKNOWN, sniff
from mirdemo.words.language import LANGUAGES, speaker

RATE = 44_100
ONSET = 0.25


def music(rate: int = RATE, channels: int = 1) -> np.ndarray:
    """A quarter of a second of silence, half a second of tone, a quarter of silence."""
    wave = np.zeros((rate, channels), np.float32)
    wave[rate // 4 : rate * 3 // 4] = tone(0.5, rate, channels)
    return wave


def codes(clip: Clip) -> list[str]:
    return [warning.code for warning in clip.warnings]


def onset(clip: Clip) -> float:
    return int(np.flatnonzero(np.abs(clip.samples) > 0.1)[0]) / clip.sample_rate


def wav(rate: int = RATE, channels: int = 1) -> bytes:
    return by_soundfile(music(rate, channels), rate, "WAV")


def id3(size: int) -> bytes:
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def ape_tag(size: int) -> bytes:
    return b"APETAGEX" + struct.pack("<IIII", 2_000, size, 1, 0xA0000000) + bytes(8) + bytes(size)


# ---- tags and other bytes in front and behind -----------------------------------------------------------------


@pytest.mark.parametrize("tag", [id3(300), id3(30_000), ape_tag(500), id3(20) + id3(5_000)])
@pytest.mark.parametrize(
    "kind", ["wav", "aiff", "flac", "ogg vorbis", "au", "caf", "mp3 cbr", "ogg opus", "aac"]
)
def test_tags_in_front_of_any_kind_change_nothing(kind: str, tag: bytes):
    data = ENCODERS[kind](music(48_000), 48_000)
    plain, tagged = load_clip(data), load_clip(tag + data)
    np.testing.assert_array_equal(tagged.samples, plain.samples)
    assert codes(tagged) == codes(plain) == []


@pytest.mark.parametrize(
    "behind", [bytes(5_000), b"TAG" + bytes(125), ape_tag(400), b"LYRICSBEGIN" + bytes(90)]
)
@pytest.mark.parametrize("kind", ["mp3 cbr", "wav", "flac", "ogg vorbis", "aiff"])
def test_what_stands_behind_the_sound_is_no_damage(kind: str, behind: bytes):
    clip = load_clip(ENCODERS[kind](music(48_000), 48_000) + behind)
    assert clip.seconds == pytest.approx(1.0, abs=0.06)
    assert codes(clip) == []


@pytest.mark.parametrize("front", [bytes(417), bytes(9_000), b"\x12\x34" * 700])
def test_frames_may_begin_late(front: bytes):
    clip = load_clip(front + ENCODERS["mp3 cbr"](music(), RATE))
    assert clip.seconds == pytest.approx(1.0, abs=0.06)
    assert onset(clip) == pytest.approx(ONSET, abs=0.03)
    assert codes(clip) == []


@pytest.mark.parametrize("cut", [1, 150, 400, 1_000])
@pytest.mark.parametrize("kind", ["mp3 cbr", "aac"])
def test_a_recording_may_begin_within_a_frame(kind: str, cut: int):
    clip = load_clip(ENCODERS[kind](tone(2.0, RATE), RATE)[cut:])
    assert clip.seconds == pytest.approx(2.0, abs=0.2)
    assert codes(clip) == []


@pytest.mark.parametrize(
    ("kind", "codec"), [("ac3", "ac3"), ("eac3", "eac3"), ("mpegts", "mp2"), ("mpeg", "mp2"), ("latm", "aac")]
)
def test_packets_and_packs_may_begin_late(kind: str, codec: str):
    data = by_pyav(music(48_000, 2), 48_000, kind, codec)
    plain = load_clip(data)
    assert plain.seconds == pytest.approx(1.0, abs=0.08)
    for front in () if kind == "latm" else (bytes(417), b"HTTP/1.1 200 OK\r\n\r\n", b"\x55" * 1_000):
        late = load_clip(front + data)
        assert late.seconds == pytest.approx(plain.seconds, abs=0.04)
        assert codes(late) == []
    if kind != "latm":
        assert load_clip(data[77:]).seconds == pytest.approx(plain.seconds, abs=0.3)


@pytest.mark.parametrize("kind", ["flac", "ogg vorbis", "ogg opus"])
@pytest.mark.parametrize("front", [b"\x12\x34garbage" * 20, b"TAG" + b"title".ljust(125, b"\0")])
def test_streams_may_begin_behind_other_bytes(kind: str, front: bytes):
    data = ENCODERS[kind](music(48_000), 48_000)
    late = load_clip(front + data)
    np.testing.assert_array_equal(late.samples, load_clip(data).samples)
    assert codes(late) == []


def test_a_tag_behind_wave64_is_no_sound():
    data = ENCODERS["w64"](music(48_000), 48_000)
    np.testing.assert_array_equal(load_clip(data + ape_tag(3_000)).samples, load_clip(data).samples)


def test_zeros_in_front_may_be_many():
    assert load_clip(bytes(3_000_000) + ENCODERS["mp3 cbr"](music(), RATE)).seconds == pytest.approx(
        1.0, abs=0.06
    )


def test_the_foot_of_a_tag_in_front_hides_no_sound():
    foot = b"APETAGEX" + struct.pack("<IIII", 2_000, 232, 1, 0x80000000) + bytes(8)
    data = ENCODERS["aac"](tone(1.0, RATE), RATE)
    np.testing.assert_array_equal(load_clip(bytes(200) + foot + data).samples, load_clip(data).samples)


# ---- joined files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ogg vorbis", "ogg opus", "flac"])
def test_files_joined_end_to_end_are_read_to_the_true_end(kind: str):
    one = ENCODERS[kind](music(48_000), 48_000)
    alone, joined = load_clip(one), load_clip(one + one + one)
    np.testing.assert_allclose(joined.samples, np.tile(alone.samples, 3), atol=1e-4)
    assert codes(joined) == []


@pytest.mark.parametrize(
    "kind", ["wav", "rf64", "w64", "aiff", "au", "caf", "wavpack", "tta", "m4a alac", "mp4", "wma"]
)
def test_files_of_kinds_that_state_their_size_are_joined_too(kind: str):
    one, other = (ENCODERS[kind](music(rate), rate) for rate in (48_000, 44_100))
    alone = load_clip(one)
    for between in (b"", bytes(64), id3(3_000)):
        joined = load_clip(one + between + one + other)
        assert joined.seconds == pytest.approx(3 * alone.seconds, abs=0.06)
        for part in (1, 2):
            later = joined.cut(part * joined.seconds / 3, joined.seconds)
            assert onset(later) == pytest.approx(onset(alone), abs=0.05)
        assert codes(joined) == []


@pytest.mark.parametrize("kind", ["wav", "aiff", "w64", "caf"])
def test_the_last_of_joined_files_that_is_cut_is_told(kind: str):
    one = ENCODERS[kind](np.random.default_rng(0).normal(0, 0.1, (RATE, 1)).astype(np.float32), RATE)
    joined = load_clip(one + one[: len(one) // 2])
    assert joined.seconds == pytest.approx(1.5, abs=0.05)
    assert codes(joined) == ["audio.cut_short"]


def test_a_film_of_the_web_joined_to_another_is_read_whole():
    one = by_pyav(music(), RATE, "flv", "mp3", picture=False)
    assert load_clip(one + one).seconds == pytest.approx(2 * load_clip(one).seconds, abs=0.01)


def test_what_cannot_be_read_of_joined_files_is_told():
    one = ENCODERS["m4a aac"](music(), RATE)
    joined = load_clip(one + one.replace(b"trak", b"trok"))
    assert joined.seconds == pytest.approx(load_clip(one).seconds)
    assert codes(joined) == ["audio.damaged_parts"]


@pytest.mark.parametrize("between", [bytes(5_000), b"\x55" * 777, id3(3_000)])
@pytest.mark.parametrize("kind", ["ogg vorbis", "ogg opus", "flac"])
def test_what_lies_between_joined_files_hides_none_of_them(kind: str, between: bytes):
    one = ENCODERS[kind](music(48_000), 48_000)
    joined = load_clip(one + between + one)
    assert joined.seconds == pytest.approx(2.0, abs=0.02)
    assert onset(joined.cut(1.0, 2.0)) == pytest.approx(ONSET, abs=0.02)


def test_links_of_another_codec_are_read_or_told():
    vorbis = ENCODERS["ogg vorbis"](music(), RATE)
    mixed = load_clip(vorbis + by_pyav(music(48_000), 48_000, "ogg", "flac"))
    assert (mixed.seconds, codes(mixed)) == (pytest.approx(2.0, abs=0.02), [])
    unknown = bytearray(ENCODERS["ogg opus"](music(48_000), 48_000)).replace(b"OpusHead", b"NoneHead")
    assert codes(load_clip(vorbis + bytes(unknown))) == ["audio.damaged_parts"]


def test_the_last_of_joined_files_may_lack_its_end_and_says_so():
    one = ENCODERS["flac"](np.random.default_rng(0).normal(0, 0.1, (RATE, 1)).astype(np.float32), RATE)
    assert codes(load_clip(one + one[: len(one) // 2])) == ["audio.cut_short"]


@pytest.mark.parametrize("kind", ["ogg vorbis", "ogg opus"])
def test_a_lost_page_keeps_its_time_and_is_told(kind: str):
    data = ENCODERS[kind](np.tile(music(48_000), (20, 1)) + 0.01, 48_000)
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    middle = len(pages) // 2
    clip = load_clip(data[: pages[middle]] + data[pages[middle + 1] :])
    assert clip.seconds == pytest.approx(20.0, abs=0.05)
    assert codes(clip) == ["audio.damaged_parts"]


HOLED = [
    *(
        "flac",
        "ogg vorbis",
        "ogg opus",
        "webm opus",
        "webm video",
        "mkv",
        "m4a aac",
        "aac",
        "mp3 cbr",
        "mp3 vbr",
    ),
    *("avi", "mpg", "mts", "wma", "wavpack", "tta"),
]


@pytest.mark.parametrize("kind", HOLED)
def test_a_hole_in_the_middle_of_any_kind_is_told(kind: str):
    """Readers pass over pages, frames and clusters that are broken, without a word."""
    noise = np.random.default_rng(0).normal(0, 0.1, (3 * 48_000, 1)).astype(np.float32)
    whole = ENCODERS[kind](noise, 48_000)
    seconds = load_clip(whole).seconds
    for bad in (b"\x55" * 2_000, b"", bytes(2_000)):
        if kind == "m4a aac" and not bad:  # its index lies behind: nothing can be read
            continue
        if kind in ("wavpack", "tta") and not bad:  # a block that ends too soon ends all
            continue
        at = len(whole) * 4 // 10
        clip = load_clip(whole[:at] + bad + whole[at + 2_000 :])
        assert clip.incomplete
        if kind in ("flac", "ogg vorbis", "ogg opus", "wavpack", "tta"):  # they number their frames
            assert codes(clip) == ["audio.damaged_parts"]
            assert clip.seconds == pytest.approx(seconds, abs=0.003)


@pytest.mark.parametrize(
    ("kind", "codec", "size"),
    [
        ("flv", "mp3", 1_500),
        ("flv", "aac", 900),
        ("mpegts", "mp2", 900),
        ("avi", "mp3", 900),
        ("mpeg", "mp2", 900),
    ],
)
def test_a_hole_of_a_frame_or_two_is_told(kind: str, codec: str, size: int):
    """Less than what a container's clock may be off, or its count: what stands between two of its pieces tells."""
    noise = np.random.default_rng(0).normal(0, 0.1, (3 * RATE, 1)).astype(np.float32)
    whole = by_pyav(tone(3.0, RATE) + noise, RATE, kind, codec)
    assert codes(load_clip(whole)) == []
    for share in (3, 5, 6):
        at = len(whole) * share // 10
        for bad in (bytes(size), b"\x55" * size):
            assert load_clip(whole[:at] + bad + whole[at + size :]).incomplete, (share, bad[:1])


def test_zeros_between_frames_of_one_file_are_a_hole_and_between_joined_files_none():
    one = by_pyav(tone(2.0, RATE) + 0.01, RATE, "mp3", "mp3")
    at = len(one) // 2
    for size in (1_300, 2_000):
        assert codes(load_clip(one[:at] + bytes(size) + one[at + size :])) == ["audio.damaged_parts"]
        assert codes(load_clip(one + bytes(size) + one)) == []


def test_the_first_page_of_sound_that_is_broken_is_told():
    data = ENCODERS["ogg vorbis"](np.tile(music(48_000), (4, 1)) + 0.01, 48_000)
    third = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"][2]
    clip = load_clip(data[: third + 500] + bytes(300) + data[third + 800 :])
    assert codes(clip) == ["audio.damaged_parts"]


def test_a_hole_between_clusters_is_damage_and_recorded_silence_is_none():
    noise = np.random.default_rng(0).normal(0, 0.1, (20 * 48_000, 1)).astype(np.float32)
    whole = ENCODERS["webm opus"](noise, 48_000)
    clusters = [at for at in range(len(whole)) if whole[at : at + 4] == b"\x1f\x43\xb6\x75"]
    at = clusters[1] + 500
    clip = load_clip(whole[:at] + bytes(900) + whole[at + 900 :])
    assert codes(clip) == ["audio.damaged_parts"]
    assert clip.seconds == pytest.approx(20.0, abs=0.1)
    even = [960 * number for number in range(50)]
    assert codes(clocked(even[:20] + even[30:])) == []


def test_whether_pauses_of_a_recording_are_damage_is_looked_into_once(monkeypatch: pytest.MonkeyPatch):
    """Each look takes in the whole file, and speech has thousands of pauses."""
    looks, follow = [], chains._follow
    monkeypatch.setattr(chains, "_follow", lambda *told: looks.append(told) or follow(*told))
    clip = clocked([960 * number for number in range(200) if number % 20 < 10])
    assert clip.seconds == pytest.approx(3.8)
    assert len(looks) == 1


#: Kinds that are looked through for joined parts or for holes.
LOOKED_THROUGH = ["flac", "ogg vorbis", "ogg opus", "webm opus", "wma", "flv", "wavpack", "tta"]


@cache
def minute(kind: str) -> bytes:
    noise = np.random.default_rng(0).normal(0, 0.1, (60 * 48_000, 1)).astype(np.float32)
    return by_pyav(noise, 48_000, "flv", "mp3") if kind == "flv" else ENCODERS[kind](noise, 48_000)


def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of files are read from now on, time after time."""
    taken, read = list[int](), Source.read

    def counted(source: Source, count: int = -1) -> bytes:
        data = read(source, count)
        taken.append(len(data))
        return data

    monkeypatch.setattr(Source, "read", counted)
    return taken


@pytest.mark.parametrize("kind", LOOKED_THROUGH)
@pytest.mark.parametrize("whole", [True, False])
def test_a_file_is_gone_through_once_beside_its_decoders(
    kind: str, whole: bool, monkeypatch: pytest.MonkeyPatch
):
    """However many of them are tried, and whatever is looked for."""
    data = minute(kind)
    at = len(data) // 2
    data = data if whole else data[:at] + b"\x55" * 3_000 + data[at + 3_000 :]
    taken = bytes_read(monkeypatch)
    assert load_clip(data).incomplete is not whole
    assert sum(taken) < (2.5 if whole else 3.2) * len(data)  # a second decoder begins anew


@pytest.mark.parametrize("kind", LOOKED_THROUGH)
def test_how_long_a_file_says_it_is_costs_its_beginning_alone(kind: str, monkeypatch: pytest.MonkeyPatch):
    """A page asks it of each file that comes, while somebody waits."""
    data = minute(kind)
    taken = bytes_read(monkeypatch)
    assert announced_seconds(Source.of(data)) == pytest.approx(60.0, abs=0.1)
    assert sum(taken) < 250_000


def test_late_packets_with_a_clock_in_front_begin_with_it():
    packet = bytes(4) + b"G\x00\x00\x10" + bytes(184)
    assert sniff(Source.of(b"\x11" * 100 + 6 * packet)) == (TRANSPORT, 100)
    assert sniff(Source.of(b"\x11" * 100 + 6 * packet[4:])) == (TRANSPORT, 100)
    assert sniff(Source.of(b"\x11" * 100 + 4 * packet))[0] is UNKNOWN


def test_a_stream_that_was_joined_late_is_whole():
    data = ENCODERS["ogg vorbis"](np.tile(music(), (20, 1)) + 0.01, RATE)
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    assert codes(load_clip(data[: pages[2]] + data[pages[len(pages) // 2] :])) == []


def test_a_stream_that_goes_on_behind_a_mark_of_its_end_is_read_on():
    data = bytearray(ENCODERS["ogg vorbis"](np.tile(music(), (40, 1)), RATE))
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    early = pages[len(pages) // 2]
    data[early + 5] |= 4
    length = 27 + data[early + 26] + sum(data[early + 27 : early + 27 + data[early + 26]])
    data[early + 22 : early + 26] = bytes(4)
    data[early + 22 : early + 26] = _ogg_crc(data[early : early + length]).to_bytes(4, "little")
    assert len(pages) > 4
    assert load_clip(bytes(data)).seconds == pytest.approx(40.0, abs=0.03)


def _ogg_crc(page: bytes) -> int:
    """The checksum of RFC 3533: polynomial 0x04c11db7, not reflected, from 0."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


@pytest.mark.parametrize(
    ("first", "second"), [((44_100, 1), (44_100, 2)), ((44_100, 2), (48_000, 2)), ((48_000, 1), (32_000, 1))]
)
@pytest.mark.parametrize("kind", ["flac", "mp2"])
def test_a_change_of_rate_or_channels_in_the_middle_is_music(kind: str, first, second):
    def encoded(rate: int, channels: int) -> bytes:
        if kind == "flac":
            return by_soundfile(music(rate, channels), rate, "FLAC")
        return by_pyav(music(rate, channels), rate, "mp2", "mp2")

    clip = load_clip(encoded(*first) + encoded(*second))
    assert clip.sample_rate == first[0]
    assert clip.seconds == pytest.approx(2.0, abs=0.06)
    later = clip.cut(clip.seconds / 2, clip.seconds)
    assert onset(later) == pytest.approx(ONSET, abs=0.04)
    assert codes(clip) == []


# ---- lengths that are no lengths ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size",
    [0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0x80000024, 0xFFFFFFFF, 0xFFFFFF00, 0x7F000024, 0x40000000],
)
def test_a_recorder_that_streams_leaves_a_size_that_means_nothing(size: int):
    data = bytearray(wav())
    data[4:8] = struct.pack("<I", min(size + 36, 0xFFFFFFFF))
    data[40:44] = struct.pack("<I", size)
    clip = load_clip(bytes(data))
    assert clip.seconds == pytest.approx(1.0)
    assert codes(clip) == []


def test_sizes_that_were_never_filled_in_hide_no_sound():
    wave = music()
    w64, au = by_soundfile(wave, RATE, "W64"), by_soundfile(wave, RATE, "AU")
    mark = w64.index(b"data\xf3\xac") + 16
    rf64 = by_soundfile(wave, RATE, "RF64")
    for size in (0, 2**63 - 1, 2**64 - 1):
        told = struct.pack("<Q", size)
        for data in (w64[:mark] + told + w64[mark + 8 :], rf64[:28] + told + rf64[36:]):
            clip = load_clip(data)
            assert (clip.seconds, codes(clip)) == (pytest.approx(1.0), [])
    for size in (b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"):
        clip = load_clip(au[:8] + size + au[12:])
        assert (clip.seconds, codes(clip)) == (pytest.approx(1.0), [])
    plain = load_clip(b"BW64" + wav()[4:])  # called so, but without the sizes that go with it
    assert (plain.seconds, codes(plain)) == (pytest.approx(1.0), [])


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU"])
def test_what_a_header_was_not_told_of_the_recording_is_told(kind: str):
    """A recorder that fills in sizes now and then, and was cut off in between."""
    whole = bytearray(by_soundfile(np.tile(music(), (3, 1)), RATE, kind, "PCM_16"))
    size = 2 * len(music())
    place = {"WAV": whole.find(b"data") + 4, "AIFF": whole.find(b"SSND") + 4, "AU": 8}[kind]
    whole[place : place + 4] = (size + 8 * (kind == "AIFF")).to_bytes(4, "little" if kind == "WAV" else "big")
    clip = load_clip(bytes(whole))
    assert codes(clip) == ["audio.behind_end"]
    assert clip.incomplete
    assert clip.warnings[0].values["behind"] == pytest.approx(2 * len(music()) / RATE, abs=0.01)
    assert clip.seconds == pytest.approx(len(music()) / RATE, abs=0.01)


def test_flac_may_count_no_frames():
    data = bytearray(ENCODERS["flac"](music(), RATE))
    data[21:26] = (int.from_bytes(data[21:26], "big") | 2**36 - 1).to_bytes(5, "big")
    assert codes(load_clip(bytes(data))) == []


def test_a_wav_that_lacks_its_second_half_still_says_so():
    assert codes(load_clip(wav()[: len(wav()) // 2])) == ["audio.cut_short"]


@pytest.mark.parametrize("mark", [b"BW64", b"RF64"])
def test_wav_beyond_four_gigabytes_is_read_by_its_own_sizes(mark: bytes):
    plain = wav()
    sizes = struct.pack("<QQQI", len(plain) + 28, len(plain) - 44, RATE, 0)
    body = plain[12:40] + b"\xff\xff\xff\xff" + plain[44:]
    data = mark + b"\xff\xff\xff\xffWAVEds64" + struct.pack("<I", 28) + sizes + body
    clip = load_clip(data)
    assert clip.seconds == pytest.approx(1.0)
    assert codes(clip) == []
    assert codes(load_clip(data[: len(data) * 2 // 3])) == ["audio.cut_short"]


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050])
def test_what_an_encoder_puts_around_the_sound_is_no_missing_end(rate: int):
    for kind in ("mp3 cbr", "mp3 vbr", "aac", "mp4"):
        clip = load_clip(ENCODERS[kind](music(rate), rate))
        assert codes(clip) == [], kind


def test_half_an_mp3_of_a_low_rate_still_says_so():
    data = ENCODERS["mp3 cbr"](np.tile(music(16_000), (4, 1)), 16_000)
    assert "audio.cut_short" in codes(load_clip(data[: len(data) // 2]))


@pytest.mark.parametrize(("kind", "codec"), [("webm", "libopus"), ("matroska", "flac"), ("mp4", "aac")])
def test_a_film_may_be_longer_than_its_sound(kind: str, codec: str):
    data = tracks(kind, [(codec, music(48_000))], picture=4.0)
    clip = load_clip(data)
    assert clip.seconds == pytest.approx(1.0, abs=0.06)
    assert codes(clip) == []


# ---- several tracks ---------------------------------------------------------------------------------------------


def tracks(
    kind: str, sounds: list[tuple[str, np.ndarray]], *, picture: float = 0.0, default: int | None = None
) -> bytes:
    """A file with a sound track for each (codec, wave at 48 kHz), and a film of so many seconds."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as file:
        film = None
        if picture:
            film = file.add_stream("mpeg4" if kind == "mp4" else "libvpx", rate=10)
            film.width = film.height = 32
            film.pix_fmt = "yuv420p"
        made = []
        for place, (codec, _) in enumerate(sounds):
            made.append(file.add_stream(codec, rate=48_000, layout="mono"))
            if default is not None:
                made[-1].disposition = (
                    av.stream.Disposition.default if place == default else av.stream.Disposition(0)
                )
        for track, (_, wave) in zip(made, sounds, strict=True):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.reshape(1, -1)), "flt", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            resampler = av.AudioResampler(
                track.format, "mono", 48_000, track.codec_context.frame_size or None
            )
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                file.mux(track.encode(part))
            file.mux(track.encode(None))
        if film is not None:
            for _ in range(round(picture * 10)):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                file.mux(film.encode(image))
            file.mux(film.encode(None))
    return stream.getvalue()


SILENCE = np.zeros((48_000, 1), np.float32)


@pytest.mark.parametrize("kind", ["mov", "matroska"])
def test_the_first_track_that_sounds_is_taken_and_said(kind: str):
    data = tracks(kind, [("pcm_s16le", SILENCE), ("pcm_s16le", SILENCE), ("pcm_s16le", music(48_000))])
    clip = load_clip(data)
    assert onset(clip) == pytest.approx(ONSET, abs=0.005)
    (warning,) = clip.warnings
    assert (warning.code, warning.values) == ("audio.tracks", {"tracks": 3, "track": 3})
    for language in LANGUAGES:  # both ways to another one
        said = str(speaker(language).say(warning))
        assert "--track" in said
        assert "Clips tab" in said or "クリップのタブ" in said


def test_the_track_that_its_maker_marked_is_taken():
    loud, quiet = music(48_000), music(48_000) / 4
    data = tracks("matroska", [("flac", quiet), ("flac", loud)], default=1)
    assert float(np.abs(load_clip(data).samples).max()) == pytest.approx(0.5, abs=0.02)
    assert float(np.abs(load_clip(data, track=1).samples).max()) == pytest.approx(0.125, abs=0.02)
    with pytest.raises(AudioError, match="1, 2") as caught:
        load_clip(data, track=3)
    assert caught.value.sentence.code == "audio.no_such_track"


def test_a_track_that_cannot_be_read_is_passed_over():
    """The codec's name of the first track is changed to one that no list holds; the names have one length."""
    data = tracks("matroska", [("flac", music(48_000)), ("pcm_s16le", music(48_000))])
    clip = load_clip(data.replace(b"A_FLAC", b"A_ZZZZ"))
    assert clip.warnings[0].values["track"] == 2
    assert onset(clip) == pytest.approx(ONSET, abs=0.005)


def test_many_tracks_are_all_seen():
    data = tracks("mov", [*[("pcm_s16le", SILENCE)] * 23, ("pcm_s16le", music(48_000))])
    assert load_clip(data).warnings[0].values == {"tracks": 24, "track": 24}


def test_a_file_of_silent_tracks_is_silent():
    assert "audio.silent" in codes(load_clip(tracks("mov", [("pcm_s16le", SILENCE)] * 2)))


def test_a_gap_in_the_clock_stays_as_silence():
    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as file:
        track = file.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for start in (0, 96_000):  # the second part begins a second late
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(music(48_000).T), "flt", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            for part in av.AudioResampler("s16", "mono", 48_000).resample(frame):
                part.pts = start
                file.mux(track.encode(part))
        file.mux(track.encode(None))
    clip = load_clip(stream.getvalue())
    assert clip.seconds == pytest.approx(3.0, abs=0.01)
    assert onset(clip.cut(1.0, 3.0)) == pytest.approx(1.0 + ONSET, abs=0.01)


def clocked(starts: list[int]) -> Clip:
    """Frames of 20 ms at 48 kHz whose clock shows these samples."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as file:
        track = file.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for start in starts:
            frame = av.AudioFrame.from_ndarray(np.full((1, 960), 3_000, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, start
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    return load_clip(stream.getvalue())


def test_packs_whose_times_are_a_frame_off_get_no_hole():
    for seconds in (2, 3, 6):
        data = by_pyav(np.tile(music(44_100), (seconds, 1)), 44_100, "mpeg", "ac3")
        assert load_clip(data).seconds == pytest.approx(seconds, abs=0.036)  # less than a frame more


def test_a_lost_frame_keeps_its_time_and_a_trembling_clock_lengthens_nothing():
    even = [960 * number for number in range(50)]
    assert clocked(even).seconds == pytest.approx(1.0)
    assert clocked(even[:20] + even[21:]).seconds == pytest.approx(1.0, abs=0.002)
    trembling = [start + (900 if number % 2 else 0) for number, start in enumerate(even)]
    assert clocked(trembling).seconds == pytest.approx(1.0, abs=0.03)


# ---- more kinds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("wv", "wavpack"),
        ("tta", "tta"),
        ("mpegts", "mp2"),
        ("mpegts", "ac3"),
        ("avi", "ac3"),
        ("avi", "pcm_s16le"),
        ("mpeg", "mp2"),
        ("ac3", "ac3"),
        ("flv", "aac"),
    ],
)
def test_what_camcorders_and_archives_write_is_read(kind: str, codec: str):
    clip = load_clip(by_pyav(music(48_000, 2), 48_000, kind, codec))
    assert clip.seconds == pytest.approx(1.0, abs=0.07)
    assert onset(clip) == pytest.approx(ONSET, abs=0.03)
    assert codes(clip) == []


def test_a_tape_copied_as_digital_video_is_read():
    stream = io.BytesIO()
    with av.open(stream, "w", format="dv") as file:
        film = file.add_stream("dvvideo", rate=25)
        film.width, film.height, film.pix_fmt = 720, 576, "yuv420p"
        track = file.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        wave = (music(48_000, 2) * 32_767).astype(np.int16)
        for start in range(0, 48_000, 1_920):
            image = np.random.default_rng(start).integers(0, 255, (576, 720, 3), np.uint8)
            file.mux(film.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            frame = av.AudioFrame.from_ndarray(wave[start : start + 1_920].reshape(1, -1), "s16", "stereo")
            frame.sample_rate, frame.pts = 48_000, start
            file.mux(track.encode(frame))
        file.mux(film.encode(None))
    clip = load_clip(stream.getvalue())
    assert clip.seconds == pytest.approx(1.0, abs=0.07)
    assert onset(clip) == pytest.approx(ONSET, abs=0.03)
    assert codes(clip) == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"MAC \x96\x0f", "Monkey's Audio"),
        (b"DSD \x1c", "DSD"),
        (b"MThd\0\0\0\x06", "MIDI"),
        (b"%PDF-1.7", "PDF"),
        (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01", "MXF"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"NIST_1A\n   1024\n", "NIST SPHERE"),
        (b"Creative Voice File\x1a", "VOC"),
        (b"FORM\0\0\1\0008SVXVHDR", "8SVX"),
        (b"\x80\x00\x00\x20" + bytes(26) + b"(c)CRI", "ADX"),
        (b"<!DOCTYPE html><html>", "HTML"),
    ],
)
def test_a_kind_that_is_not_read_is_named(data: bytes, kind: str):
    with pytest.raises(AudioError, match=kind) as caught:
        load_clip(data + bytes(2_000))
    assert caught.value.sentence.code == "audio.kind"


ARCHIVES = {
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(2_000),
    "rar": b"Rar!\x1a\x07" + bytes(2_000),
    "tar": bytes(257) + b"ustar" + bytes(2_000),
    "ISO": bytes(32_769) + b"CD001\x01" + bytes(2_000),
    "DMG": bytes(1_000) + b"koly" + bytes(508),
}


@pytest.mark.parametrize(("kind", "data"), ARCHIVES.items())
def test_an_archive_is_to_be_unpacked(kind: str, data: bytes):
    with pytest.raises(AudioError, match=kind) as caught:
        load_clip(data)
    assert caught.value.sentence.code == "audio.archive"
