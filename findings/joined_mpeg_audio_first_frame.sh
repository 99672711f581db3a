#!/usr/bin/env bash
# One would guess: the first frame decoded from an MPEG audio file has the sampling rate that its header states.
# What happens: with PyAV 18.1.0 (FFmpeg 8.0), where two files of different rates were joined and lie within what FFmpeg
#   looks ahead, the first frame is told the rate of the second file; from the second frame on the rates are right.
# Why it matters here: a reader that takes its rate from the first frame plays the whole recording too high or too low,
#   with a plausible length. Recorders that stop and start, and "cat *.mp3", make such files.
# Seen 2026-11-28, av==18.1.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import io
import sys

import av
import numpy as np


def mp2(rate):
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp2") as file:
        track = file.add_stream("mp2", rate=rate, layout="mono")
        wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], "flt", "mono")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(track.format, "mono", rate, track.codec_context.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(track.encode(part))
        file.mux(track.encode(None))
    return stream.getvalue()


with av.open(io.BytesIO(mp2(44_100) + mp2(48_000)), format="mp3") as file:
    rates = [f.sample_rate for packet in file.demux(file.streams.audio[0]) for f in packet.decode()]
print("av", av.__version__, "FFmpeg's libavcodec", av.library_versions["libavcodec"])
print("rates of frames 1, 2, 3 and the last:", rates[:3], rates[-1])
sys.exit(0 if rates[0] == 48_000 and rates[1] == rates[2] == 44_100 and rates[-1] == 48_000 else 1)
P
