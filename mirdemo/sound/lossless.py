"""A clip as a file that gives back the very same values: FLAC where they are whole numbers, else WavPack."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mirdemo.sound.audio import Clip

#: FLAC's highest rate as libFLAC writes it.
_HIGHEST_RATE = 655_350
_FRAMES_AT_ONCE = 32_768


def lossless(clip: Clip) -> tuple[str, bytes]:
    """The suffix and content of a mono file from which ``load_clip`` reads the same samples, bit by bit.

    Sound that came in whole numbers (of 16 or 24 bits, or the mean of two such channels) becomes FLAC; what came out of
    a decoder in fractions, as from MP3, becomes WavPack, about three quarters of the samples' own size.
    """
    for bits in (16, 24):
        whole = clip.samples * np.float32(2 ** (bits - 1))
        fits = whole.max() <= 2 ** (bits - 1) - 1 and whole.min() >= -(2 ** (bits - 1))
        if fits and clip.sample_rate <= _HIGHEST_RATE and np.array_equal(whole, np.rint(whole)):
            return ".flac", _flac(whole, clip.sample_rate, bits)
    return ".wv", _wavpack(clip.samples, clip.sample_rate)


def _flac(whole: np.ndarray, rate: int, bits: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    values = whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) * 256
    soundfile.write(out, values, rate, format="FLAC", subtype=f"PCM_{bits}")
    return out.getvalue()


def _wavpack(samples: np.ndarray, rate: int) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="wv") as container:
        stream = container.add_stream("wavpack", rate=rate, layout="mono", format="fltp")
        for start in range(0, len(samples), _FRAMES_AT_ONCE):
            block = np.ascontiguousarray(samples[None, start : start + _FRAMES_AT_ONCE])
            frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
