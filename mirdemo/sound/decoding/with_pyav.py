"""Reading through the FFmpeg libraries that PyAV's wheels bring along."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from mirdemo.sound.decoding import chains, mpeg
from mirdemo.sound.decoding.claims import check_has_index
from mirdemo.sound.decoding.containers import (
    ASF,
    AVI,
    CLOCKED,
    FLV,
    MATROSKA,
    MP4,
    PROGRAM,
    TAGS,
    TRANSPORT,
    TTA,
    WAVPACK,
    Container,
)
from mirdemo.sound.decoding.limits import AudioError
from mirdemo.sound.decoding.mono import MonoCollector
from mirdemo.sound.decoding.parts import parts_of
from mirdemo.sound.decoding.source import Source

#: FFmpeg's decoders of what people's recordings come in; no other one is handed a visitor's bytes, neither for the sound
#: (``read``) nor where FFmpeg looks ahead to learn of a file's tracks, pictures among them (``_opened``).
CODECS = frozenset(
    {
        "aac",
        "aac_latm",
        "ac3",
        "eac3",
        "alac",
        "flac",
        "libopus",
        "opus",
        "vorbis",
        "wmav1",
        "wmav2",
        "wmapro",
    }
    | {"mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float"}
    | {
        "amrnb",
        "amrwb",
        "tta",
        "wavpack",
        "pcm_bluray",
        "pcm_dvd",
        "pcm_s16be_planar",
        "pcm_s16le_planar",
        "s302m",
    }
    | {"speex", "gsm", "g722", "g726", "g723_1", "adpcm_yamaha"}  # telephones, dictation, recorders
    | {"adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "gsm_ms", "pcm_alaw", "pcm_mulaw", "pcm_s8", "pcm_u8"}
    | {f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")}
)

#: Codecs whose blocks carry a checksum of the sound itself.
_WITH_CHECKSUMS = frozenset({"flac", "tta", "wavpack"})
_FULL_SCALE = {"u1": 128.0, "i2": 32_768.0, "i4": 2_147_483_648.0, "f4": 1.0, "f8": 1.0}
_FRAMES_IN_BLOCK = 32  # mixed at once: one by one, mixing takes longer than decoding
_MOST_BAD_PACKETS = 10_000
#: So many zeros come as a packet, as tags between joined files do.
_ZEROS = 16
#: Lossless kinds whose header counts the samples, none of them an encoder's own.
_COUNTED = (TTA, WAVPACK)
#: Kinds of which FFmpeg reads the first only where several were joined end to end, without a word.
_JOINED = (MP4, TTA, WAVPACK, FLV, ASF)
_SLACK_FRAMES = 4  # an encoder's delay and padding, where the container counts them as sound
#: A gap in a clock is as long as a frame, or nearly, and no rounding.
_GAP_FRAMES, _GAP_SECONDS = 0.9, 0.018
#: In MPEG's transport and program streams times stand with packs, not with frames, and may be a frame off.
_GAP_OF_PACKS = 0.15
_LEAP_SECONDS = 1_800.0  # beyond this it is another clock

_LARGEST_ALLOCATION = 32_000_000  # bytes; an index of an hour of AAC takes 4 MB
#: A film with a track a language, a recorder with a track a microphone.
_MOST_STREAMS = 256


def bound_allocations(most_bytes: int = _LARGEST_ALLOCATION) -> bool:
    """Have FFmpeg refuse any single allocation beyond ``most_bytes``; whether its library was found.

    A 10 kB MP4 may announce so many packets that their index takes gigabytes. FFmpeg can cap this
    (``av_max_alloc``), but PyAV does not offer it, so the library in PyAV's own wheel is asked directly.
    """
    package = Path(av.__file__).parent
    names = ("libavutil*.so*", "libavutil*.dylib", "avutil*.dll")
    for folder in (package.parent / "av.libs", package / ".dylibs", package):
        for name in names:
            for library in folder.glob(name):
                try:
                    ctypes.CDLL(str(library)).av_max_alloc(ctypes.c_size_t(most_bytes))
                except (OSError, AttributeError):
                    continue
                return True
    return False


bound_allocations()
av.logging.set_level(None)  # FFmpeg's own log would go to the host's standard error


def tracks(source: Source, container: Container, name: str) -> list[int]:
    """The sound tracks that can be read, by their place among the sound tracks (0 is the first), in the order to try.

    Those marked as default come first. Raises ``AudioError`` if there is no sound track or none that is read; where
    the file ends within its index, with that as the reason.
    """
    with _opened(source, container) as opened:
        streams = opened.streams.audio
        if not streams:
            check_has_index(source, container, name)
            raise AudioError(
                "{name} has no sound track. Choose a file with sound.", code="audio.no_track", name=name
            )
        readable = [place for place, stream in enumerate(streams) if _codec(stream) in CODECS]
        if not readable:
            check_has_index(source, container, name)
            raise _not_read(name, _codec(streams[0]))
        return sorted(readable, key=lambda place: not streams[place].disposition & Disposition.default)


def read(source: Source, container: Container, collector: MonoCollector, track: int = 0) -> None:
    """Decode one sound track of ``source`` (0: the first) frame by frame into ``collector``.

    Packets that do not decode are left out; they are noted unless they lie before the first sound or behind the last,
    where parts of frames and tags are found. A change of rate or channels begins another part. Where the container
    keeps a clock, a gap in it stays as silence. Files joined end to end are read one after the other. Raises ``AudioError``
    for a codec that is not read.
    """
    parts = parts_of(source, container) if container in _JOINED and collector.takes_all else [source]
    _read_part(parts[0], container, collector, track)
    for part in parts[1:]:
        try:
            _read_part(part, container, collector, track)
        except (av.FFmpegError, IndexError):  # what came before it stands
            collector.damaged = True
        except AudioError as refusal:
            if refusal.sentence.code != "audio.codec":
                raise
            collector.damaged = True


def _read_part(source: Source, container: Container, collector: MonoCollector, track: int) -> None:
    with _opened(source, container) as opened:
        stream = opened.streams.audio[track]
        if _codec(stream) not in CODECS:
            raise _not_read(collector.name, _codec(stream))
        collector.track, collector.n_tracks = track + 1, len(opened.streams.audio)
        codec = stream.codec_context
        codec.thread_count = 1
        if codec.name in _WITH_CHECKSUMS:  # else FFmpeg makes noise of blocks that are damaged
            codec.options = {"err_detect": "crccheck+explode"}
        expected, exact = _expected_seconds(opened, stream, container)
        shape: tuple[int, int] | None = None
        block: list[np.ndarray] = []
        waiting, looked_into, read = 0, False, 0.0
        shortest = _GAP_OF_PACKS if container in (TRANSPORT, PROGRAM) else _GAP_SECONDS
        clock = _Clock(container in CLOCKED, shortest)
        try:
            for frame in _settled(_frames(opened, stream, collector)):
                now = (frame.sample_rate, len(frame.layout.channels))
                gap = clock.gap(frame)
                if clock.lacks and not looked_into:  # or was silence recorded?
                    looked_into = True  # once: a recording of speech has thousands of gaps, and each look takes in the whole file
                    here = source.tell()  # FFmpeg reads on from here
                    collector.damaged |= chains.is_broken(source, container)
                    source.seek(here)
                if shape != now or gap or waiting == _FRAMES_IN_BLOCK:
                    if block:
                        collector.add(np.concatenate(block))
                    block, waiting = [], 0
                if shape is None or shape[0] != now[0]:
                    collector.begin(*now, int(expected * now[0]), exact=exact)
                elif shape != now:
                    collector.check_channels(now[1])
                collector.slack = 0 if container in _COUNTED else _SLACK_FRAMES * frame.samples
                shape = now
                if gap:
                    collector.add(np.zeros((round(gap * now[0]), 1), np.float32))
                block.append(_values(frame))
                waiting += 1
                read += frame.samples / frame.sample_rate
            if container is ASF or (
                container is AVI and expected - read > _GAP_SECONDS
            ):  # nothing else shows it
                collector.damaged |= chains.is_broken(source, container)
        finally:  # what came before the damage counts
            if block:
                collector.add(np.concatenate(block))


class _Clock:
    """Where frames should lie by the container's own time, against where they would lie end to end."""

    def __init__(self, kept: bool, shortest: float = _GAP_SECONDS) -> None:
        """shortest: gap, in seconds, that is one"""
        self._kept = kept
        self._shortest = shortest
        self._origin: float | None = None  # what the clock shows where the sound begins
        self._next = 0.0  # by the clock, behind the frame before
        self._length = 0.0  # of what was kept, gaps included
        self._frame = 0.0
        #: Whether the clock was ahead of the sound at any time, if only by what is no gap.
        self.lacks = False

    def gap(self, frame: av.AudioFrame) -> float:
        """Seconds of silence before this frame; 0 where the clock goes on, jumps back or leaps.

        A jump counts only as far as the sound lags behind the clock: one that trembles, as live streams' do, would
        lengthen it else.
        """
        if not self._kept or frame.time_base is None:
            return 0.0
        lasts = frame.samples / frame.sample_rate
        if frame.pts is None:
            if self._origin is not None:
                self._next, self._length = self._next + lasts, self._length + lasts
            return 0.0
        at = float(frame.pts * frame.time_base)
        missing = 0.0
        if self._origin is None:
            self._origin = at
        elif abs(at - self._next) > _LEAP_SECONDS:
            self._origin += at - self._next
        else:
            missing = min(at - self._next, at - self._origin - self._length)
        self.lacks |= missing > _GAP_SECONDS
        if missing < max(self._shortest, _GAP_FRAMES * min(self._frame, lasts)):
            missing = 0.0
        self._next, self._frame = at + lasts, lasts
        self._length += missing + lasts
        return missing


def _opened(source: Source, container: Container) -> av.container.InputContainer:
    source.seek(0)
    options = {
        "max_streams": str(_MOST_STREAMS),
        "codec_whitelist": ",".join(sorted(CODECS)),
        "format_whitelist": container.ffmpeg,  # nor another container within this one
        "protocol_whitelist": "",  # nor what lies elsewhere
    }
    return av.open(
        source, mode="r", format=container.ffmpeg, container_options=options, metadata_errors="ignore"
    )


def _codec(stream: av.AudioStream) -> str:
    """The decoder that FFmpeg would take, by its name."""
    return stream.codec_context.name if stream.codec_context else "?"


def _not_read(name: str, codec: str) -> AudioError:
    return AudioError(
        "{name} is compressed in a way that we do not read ({codec}). Export it as WAV, FLAC or MP3.",
        code="audio.codec",
        name=name,
        codec=codec,
    )


def _frames(
    opened: av.container.InputContainer, stream: av.AudioStream, collector: MonoCollector
) -> Iterator[av.AudioFrame]:
    """The decoded frames; packets that do not decode are left out, and noted once a frame follows them."""
    bad, begun = 0, False
    for packet in opened.demux(stream):
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            bad += not _is_no_sound(bytes(packet))
            if bad > _MOST_BAD_PACKETS:
                collector.damaged = True
                return
            continue
        if decoded and bad and begun:
            collector.damaged = True
        if decoded and not begun:
            begun, bad = True, 0
        yield from decoded
    collector.damaged |= not begun and bad > 0


def _is_no_sound(packet: bytes) -> bool:
    """Whether a packet that does not decode is a tag, or zeros, and the beginning of another file behind them: what goes on behind
    zeros lacks what stood there."""
    behind = packet.lstrip(b"\0")
    if len(packet) - len(behind) < _ZEROS:
        return packet.startswith(TAGS)
    return not behind or behind.startswith(TAGS) or mpeg.begins_file(behind)


def _settled(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """The frames, the first one's rate mended.

    FFmpeg looks ahead before it decodes; where that led it across a change of rate, it tells the first frame the later
    rate (seen with FFmpeg 8.0 on joined MPEG audio).
    """
    first, second = next(frames, None), next(frames, None)
    if first is not None and second is not None and first.sample_rate != second.sample_rate:
        first.sample_rate = second.sample_rate
    yield from (frame for frame in (first, second) if frame is not None)
    yield from frames


def _expected_seconds(
    opened: av.container.InputContainer, stream: av.AudioStream, container: Container
) -> tuple[float, bool]:
    """The length that the container states for this track (0 if none), and whether it is exact.

    Where the format keeps no length FFmpeg estimates one. Matroska's own is that of its longest track; the track's
    stands in a tag, where the writer made one.
    """
    if stream.duration and stream.time_base:
        return max(float(stream.duration * stream.time_base), 0.0), container in (MP4, *_COUNTED)
    if container is MATROSKA:  # both count from the clock's zero, not from the first sound
        before = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
        seconds = _clock_time(stream.metadata.get("DURATION", ""))
        if seconds:
            return max(seconds - before, 0.0), True
        return max((opened.duration or 0) / av.time_base - before, 0.0), len(opened.streams) == 1
    if opened.duration:
        return max(opened.duration / av.time_base, 0.0), False
    return 0.0, False


def _clock_time(text: str) -> float:
    """``00:01:02.500000000`` -> 62.5; 0 where it is none."""
    parts = text.split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return 0.0
    total = hours * 3_600 + minutes * 60 + seconds
    return total if 0 < total < 1e7 else 0.0


def _values(frame: av.AudioFrame) -> np.ndarray:
    """A frame's values as float (frames, channels), 1 = full scale."""
    values = frame.to_ndarray()
    scale = _FULL_SCALE[values.dtype.str[1:]]
    values = values.T if frame.format.is_planar else values.reshape(-1, len(frame.layout.channels))
    if scale == 1.0:
        return values
    return (values.astype(np.float32) - (scale if scale == 128.0 else 0.0)) / np.float32(scale)
