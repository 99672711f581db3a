#!/usr/bin/env bash
# One would guess: two FLAC files joined end to end are read whole, or refused, by the libraries that everybody uses.
# What happens: libsndfile (soundfile 0.14.0) reads the first one and stops without a word, and the same with chained Ogg
#   Vorbis, which the format allows; FFmpeg (PyAV 18.1.0) reads both to the end.
# Why it matters here: a festival's evening that was joined with "cat" is half as long in the embedding, and its labels of
#   the second half belong to silence.
# Seen 2026-11-28, soundfile==0.14.0, av==18.1.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q soundfile==0.14.0 av==18.1.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import io
import sys

import av
import numpy as np
import soundfile

RATE = 44_100
wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)


def encoded(kind, subtype):
    stream = io.BytesIO()
    soundfile.write(stream, wave, RATE, format=kind, subtype=subtype)
    return stream.getvalue()


def by_libsndfile(data):
    return len(soundfile.read(io.BytesIO(data))[0]) / RATE


def by_ffmpeg(data, kind):
    with av.open(io.BytesIO(data), format=kind) as file:
        return sum(f.samples for packet in file.demux(file.streams.audio[0]) for f in packet.decode()) / RATE


flac, ogg = encoded("FLAC", "PCM_16"), encoded("OGG", "VORBIS")
seen = {
    "FLAC, libsndfile": by_libsndfile(flac + flac),
    "FLAC, FFmpeg": by_ffmpeg(flac + flac, "flac"),
    "Ogg Vorbis, libsndfile": by_libsndfile(ogg + ogg),
    "Ogg Vorbis, FFmpeg": by_ffmpeg(ogg + ogg, "ogg"),
}
print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__, "av", av.__version__)
print("seconds read of 4.0:", {kind: round(seconds, 3) for kind, seconds in seen.items()})
sys.exit(
    0
    if seen["FLAC, libsndfile"] == seen["Ogg Vorbis, libsndfile"] == 2.0
    and abs(seen["FLAC, FFmpeg"] - 4.0) < 0.05
    and abs(seen["Ogg Vorbis, FFmpeg"] - 4.0) < 0.05
    else 1
)
P
