#!/usr/bin/env bash
# One would guess: FFmpeg's own mix to one channel is one mix, whatever the sample format it is asked for.
# What happens: asked for integers, stereo becomes (L + R) / 2; asked for floats, 0.707 (L + R), 3 dB louder, so that two equal
#   channels leave the range that either had. The mix is scaled down only where the output could not hold it. With six
#   channels it is 10.7 dB: a lone centre channel stays whole as floats and becomes 0.29 of itself as integers.
# Why it matters here: a mono embedding made from FFmpeg's floats (PyAV's resampler to "mono" and "flt") is of music that is
#   3 dB louder than librosa's and torchaudio's mean, and clips where loud; networks that do not normalise hear the difference.
# Seen 2026-11-28, av==18.1.0, numpy==2.4.6, soundfile==0.14.0 from PyPI. Source: this run; libswresample's option
#   rematrix_maxval ("1.0 for integer formats") in FFmpeg's manual of resampler options.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 numpy==2.4.6 soundfile==0.14.0
"$work/venv/bin/python" - <<'P'
import io
import sys

import av
import numpy as np
import soundfile

RATE = 44_100
wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


def mixed(channels, sample_format):
    """The level of FFmpeg's mono mix of a 16-bit WAV file, 1 is that of the wave."""
    file = io.BytesIO()
    soundfile.write(file, np.stack(channels, 1), RATE, format="WAV", subtype="PCM_16")
    file.seek(0)
    resampler, blocks = av.AudioResampler(format=sample_format, layout="mono", rate=RATE), []
    with av.open(file) as opened:
        for frame in opened.decode(audio=0):
            blocks += [one.to_ndarray() for one in resampler.resample(frame)]
    samples = np.concatenate(blocks, 1).astype(np.float64) / (32768 if sample_format == "s16" else 1)
    return round(float(np.sqrt((samples**2).mean() / (wave**2).mean())), 3)


silence = 0 * wave
seen = {
    "both of two channels": [mixed([wave, wave], kind) for kind in ("s16", "flt")],
    "left of two channels": [mixed([wave, silence], kind) for kind in ("s16", "flt")],
    "centre of six channels": [
        mixed([silence, silence, wave, silence, silence, silence], kind) for kind in ("s16", "flt")
    ],
}
print("av", av.__version__, "libswresample", av.library_versions["libswresample"])
for what, levels in seen.items():
    print(f"{what}: as 16-bit integers {levels[0]}, as floats {levels[1]}")
near = [[1.0, 1.414], [0.5, 0.707], [0.293, 1.0]]
sys.exit(0 if np.allclose(list(seen.values()), near, atol=0.005) else 1)
P
