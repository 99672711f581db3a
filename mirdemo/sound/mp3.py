"""A clip as MP3, which every browser plays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

#: Rates (Hz) that MP3 knows.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
#: Samples that the encoder takes at once.
_FRAME = 1152


def encode_mp3(clip: Clip, kilobits: int | None = None) -> bytes:
    """A clip as mono MP3, at its own rate where MP3 has it, else at the next one that MP3 has.

    kilobits: a second, constant; by default as many as the sound needs
    """
    rate = clip.sample_rate
    if rate not in MP3_RATES:
        rate = next((known for known in MP3_RATES if known >= rate), MP3_RATES[-1])
    samples = np.clip(clip.samples if rate == clip.sample_rate else clip.at(rate), -1.0, 1.0)
    return _by_soundfile(samples, rate) if kilobits is None else _by_ffmpeg(samples, rate, kilobits)


def _by_soundfile(samples: np.ndarray, rate: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="MP3", subtype="MPEG_LAYER_III")
    return out.getvalue()


def _by_ffmpeg(samples: np.ndarray, rate: int, kilobits: int) -> bytes:
    """libsndfile's bit rate depends on the sampling rate in a way of its own; FFmpeg takes a number."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options={"id3v2_version": "0"}) as file:
        stream = file.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = 1000 * kilobits
        wave = np.ascontiguousarray(samples, np.float32)[None]
        for start in range(0, wave.shape[1], _FRAME):
            frame = av.AudioFrame.from_ndarray(wave[:, start : start + _FRAME], "fltp", "mono")
            frame.sample_rate, frame.pts = rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()
