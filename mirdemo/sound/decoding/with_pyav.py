"""Reading through the FFmpeg libraries that PyAV's wheels bring along."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from mirdemo.sound.decoding.containers import MATROSKA, MP4, Container, check_has_index
from mirdemo.sound.decoding.limits import AudioError
from mirdemo.sound.decoding.mono import MonoCollector
from mirdemo.sound.decoding.source import Source

#: Codecs that people's recordings come in; no other decoder is handed a visitor's bytes.
CODECS = frozenset(
    {"aac", "aac_latm", "ac3", "eac3", "alac", "flac", "libopus", "opus", "vorbis", "wmav1", "wmav2"}
    | {"mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float"}
    | {"adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "gsm_ms", "pcm_alaw", "pcm_mulaw", "pcm_s8", "pcm_u8"}
    | {f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")}
)

_FULL_SCALE = {"u1": 128.0, "i2": 32_768.0, "i4": 2_147_483_648.0, "f4": 1.0, "f8": 1.0}
_TRACKS_MAY_DIFFER_SECONDS = 1.0
_FRAMES_IN_BLOCK = 32  # mixed at once: one by one, mixing takes longer than decoding
_MOST_BAD_PACKETS = 10_000

_LARGEST_ALLOCATION = 32_000_000  # bytes; an index of an hour of AAC takes 4 MB
_MOST_STREAMS = 16


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


def read(source: Source, container: Container, collector: MonoCollector) -> None:
    """Decode the first audio stream of ``source`` frame by frame into ``collector``.

    Packets that do not decode are left out and noted. A change of rate or channels ends the file there.
    Raises ``AudioError`` if there is no audio stream or its codec is not among ``CODECS``; where the file ends within
    its index, with that as the reason.
    """
    options = {"max_streams": str(_MOST_STREAMS)}
    with av.open(
        source, mode="r", format=container.ffmpeg, container_options=options, metadata_errors="ignore"
    ) as opened:
        if not opened.streams.audio:
            check_has_index(source, container, collector.name)
            raise AudioError(
                "{name} has no sound track. Choose a file with sound.",
                code="audio.no_track",
                name=collector.name,
            )
        stream = opened.streams.audio[0]
        codec = stream.codec_context
        if codec is None or codec.name not in CODECS:
            check_has_index(source, container, collector.name)
            raise AudioError(
                "{name} is compressed in a way that we do not read ({codec}). Export it as WAV, FLAC or MP3.",
                code="audio.codec",
                name=collector.name,
                codec=codec.name if codec else "?",
            )
        codec.thread_count = 1
        expected, exact = _expected_seconds(opened, stream, container)
        shape: tuple[int, int] | None = None
        block: list[np.ndarray] = []
        try:
            for frame in _frames(opened, stream, collector):
                now = (frame.sample_rate, len(frame.layout.channels))
                if shape is None:
                    shape = now
                    collector.begin(*now, int(expected * now[0]), exact=exact)
                elif shape != now:
                    collector.damaged = True
                    break
                block.append(_values(frame))
                if len(block) == _FRAMES_IN_BLOCK:
                    collector.add(np.concatenate(block))
                    block = []
        finally:  # what came before the damage counts
            if block:
                collector.add(np.concatenate(block))


def _frames(
    opened: av.container.InputContainer, stream: av.AudioStream, collector: MonoCollector
) -> Iterator[av.AudioFrame]:
    """The decoded frames; packets that do not decode are left out and noted, up to a bound."""
    bad = 0
    for packet in opened.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            collector.damaged = True
            bad += 1
            if bad > _MOST_BAD_PACKETS:
                return


def _expected_seconds(
    opened: av.container.InputContainer, stream: av.AudioStream, container: Container
) -> tuple[float, bool]:
    """The length that the container states (0 if none), and whether it is exact for the sound.

    Where the format keeps no length FFmpeg estimates one, and Matroska's is that of the longest track.
    """
    if stream.duration and stream.time_base:
        return max(float(stream.duration * stream.time_base), 0.0), container is MP4
    if opened.duration:
        seconds = max(opened.duration / av.time_base, 0.0)
        if container is not MATROSKA:
            return seconds, False
        return max(seconds - _TRACKS_MAY_DIFFER_SECONDS * bool(opened.streams.video), 0.0), True
    return 0.0, False


def _values(frame: av.AudioFrame) -> np.ndarray:
    """A frame's values as float (frames, channels), 1 = full scale."""
    values = frame.to_ndarray()
    scale = _FULL_SCALE[values.dtype.str[1:]]
    values = values.T if frame.format.is_planar else values.reshape(-1, len(frame.layout.channels))
    if scale == 1.0:
        return values
    return (values.astype(np.float32) - (scale if scale == 128.0 else 0.0)) / np.float32(scale)
