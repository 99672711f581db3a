"""Real sound files of every kind, made on the spot with the encoders that soundfile and PyAV carry."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import soundfile


def tone(seconds: float = 0.5, rate: int = 44_100, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    """A sine at half of full scale: float32 (frames, channels), each channel a quarter quieter than the last."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return (wave[:, None] * 0.75 ** np.arange(channels)).astype(np.float32)


#: Frames that libsndfile is given at once, as who encodes long recordings does.
_AT_ONCE = 1 << 20


def by_soundfile(wave: np.ndarray, rate: int, kind: str, subtype: str | None = None, **options) -> bytes:
    """Encode (frames, channels) with libsndfile."""
    stream = io.BytesIO()
    with soundfile.SoundFile(
        stream, "w", rate, wave.shape[1], format=kind, subtype=subtype, **options
    ) as file:
        for start in range(0, len(wave), _AT_ONCE):
            file.write(wave[start : start + _AT_ONCE])
    return stream.getvalue()


#: What a picture is compressed with, where a kind of file does not take VP8.
_PICTURES = {"mp4": "mpeg4", "avi": "mpeg4", "mpegts": "mpeg2video", "mpeg": "mpeg2video"}


def by_pyav(
    wave: np.ndarray, rate: int, kind: str, codec: str, picture: bool = False, **options: str
) -> bytes:
    """Encode (frames, channels) with FFmpeg; ``picture``: beside a small video track; options: the container's."""
    stream = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}[wave.shape[1]]
    with av.open(stream, "w", format=kind, options=options) as file:
        track = file.add_stream(codec, rate=rate, layout=layout)
        if codec in ("wavpack", "tta"):  # which begin with 8 bits
            track.format = "s16p" if codec == "wavpack" else "s16"
        track.bit_rate = 128_000
        film = file.add_stream(_PICTURES.get(kind, "libvpx"), rate=25) if picture else None
        if film is not None:
            film.width = film.height = 32
            film.pix_fmt = "yuv420p"
            for _ in range(round(25 * len(wave) / rate)):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                file.mux(film.encode(image))
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(wave.reshape(1, -1), np.float32), "flt", layout
        )
        frame.sample_rate = rate
        frame.pts = 0
        resampler = av.AudioResampler(track.format, layout, rate, track.codec_context.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(track.encode(part))
        file.mux(track.encode(None))
        if film is not None:
            file.mux(film.encode(None))
    return stream.getvalue()


#: kind of file -> encoder of (wave (frames, 1 or 2), rate)
ENCODERS: dict[str, Callable[[np.ndarray, int], bytes]] = {
    "wav": lambda wave, rate: by_soundfile(wave, rate, "WAV", "PCM_16"),
    "wav float": lambda wave, rate: by_soundfile(wave, rate, "WAV", "FLOAT"),
    "wav adpcm": lambda wave, rate: by_soundfile(wave, rate, "WAV", "MS_ADPCM"),
    "rf64": lambda wave, rate: by_soundfile(wave, rate, "RF64", "PCM_24"),
    "w64": lambda wave, rate: by_soundfile(wave, rate, "W64", "PCM_16"),
    "flac": lambda wave, rate: by_soundfile(wave, rate, "FLAC", "PCM_16"),
    "mp3 cbr": lambda wave, rate: by_soundfile(
        wave, rate, "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.5
    ),
    "mp3 vbr": lambda wave, rate: by_soundfile(
        wave, rate, "MP3", "MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=0.5
    ),
    "ogg vorbis": lambda wave, rate: by_soundfile(wave, rate, "OGG", "VORBIS"),
    "ogg opus": lambda wave, rate: by_soundfile(wave, rate, "OGG", "OPUS"),
    "aiff": lambda wave, rate: by_soundfile(wave, rate, "AIFF", "PCM_16"),
    "au": lambda wave, rate: by_soundfile(wave, rate, "AU", "PCM_16"),
    "caf": lambda wave, rate: by_soundfile(wave, rate, "CAF", "PCM_16"),
    "m4a aac": lambda wave, rate: by_pyav(wave, rate, "ipod", "aac"),
    "m4a alac": lambda wave, rate: by_pyav(wave, rate, "ipod", "alac"),
    "aac": lambda wave, rate: by_pyav(wave, rate, "adts", "aac"),
    "mp4": lambda wave, rate: by_pyav(wave, rate, "mp4", "aac", picture=True),
    "webm opus": lambda wave, rate: by_pyav(wave, rate, "webm", "libopus"),
    "webm video": lambda wave, rate: by_pyav(wave, rate, "webm", "libopus", picture=True),
    "mkv": lambda wave, rate: by_pyav(wave, rate, "matroska", "flac"),
    "wma": lambda wave, rate: by_pyav(wave, rate, "asf", "wmav2"),
    "mts": lambda wave, rate: by_pyav(
        wave, rate, "mpegts", "ac3", picture=True, mpegts_m2ts_mode="1"
    ),  # as camcorders write it: packets of 192 bytes
    "mpg": lambda wave, rate: by_pyav(wave, rate, "mpeg", "mp2", picture=True),
    "avi": lambda wave, rate: by_pyav(wave, rate, "avi", "mp3", picture=True),
    "wavpack": lambda wave, rate: by_pyav(wave, rate, "wv", "wavpack"),
    "tta": lambda wave, rate: by_pyav(wave, rate, "tta", "tta"),
}

#: Kinds for speech alone: one channel at 8 kHz, whatever the wave has.
SPEECH: dict[str, Callable[[np.ndarray, int], bytes]] = {
    "amr": lambda wave, rate: by_pyav(
        wave[np.arange(0, len(wave), rate / 8_000).astype(int), :1], 8_000, "amr", "libopencore_amrnb"
    ),
}
