#!/usr/bin/env bash
# One would guess: six channels written by soundfile come back as they were, in the same order, from any format and by any reader.
# What happens: Ogg's codecs know the six as left, centre, right, two behind, and bass. soundfile 0.14.0 (libsndfile 1.2.2) hands
#   them over by number, so that the sixth microphone becomes the bass channel: in Vorbis and Opus nothing of it is left at
#   1,800 Hz (more than 60 dB down), while WAV and FLAC keep it. FFmpeg (PyAV 18.1.0) puts Ogg's channels back in WAV's order: its second
#   channel is soundfile's third, from three channels on.
# Why it matters here: an ensemble is recorded with a microphone for each part. One part is gone after the way through Ogg, and "channel 2"
#   is another part by another reader: rows of single channels, and the labels made on them, change places. Ours are of the mean of
#   all channels, which is the same in any order.
# Seen 2026-11-30, soundfile==0.14.0, av==18.1.0, numpy==2.4.6 from PyPI (x86-64 Linux). Source: this run; channel order of Vorbis, which
#   Opus shares: https://xiph.org/vorbis/doc/Vorbis_I_spec.html, "output channel order"; that libsndfile puts nothing in order:
#   https://github.com/libsndfile/libsndfile/pull/797.
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

RATE = 48_000
TONES = [300 * part for part in range(1, 7)]  # Hz, one a microphone
time = np.arange(2 * RATE) / RATE
parts = 0.3 * np.sin(2 * np.pi * np.outer(time, TONES))


def by_soundfile(file):
    return soundfile.read(file, always_2d=True)[0]


def by_ffmpeg(file):
    planes = av.AudioResampler(format="fltp")
    with av.open(file) as container:
        frames = [part.to_ndarray() for frame in container.decode(audio=0) for part in planes.resample(frame)]
    return np.concatenate(frames, axis=1).T


def levels(channel):
    """dB of each tone against what was written."""
    middle = channel[RATE // 2 : RATE // 2 + RATE] * np.hanning(RATE)
    power = abs(np.fft.rfft(middle))[TONES] / (0.3 * RATE / 4)
    return 20 * np.log10(np.maximum(power, 1e-6))


def heard(samples):
    """Which microphone each channel holds, from 1; 0 for none above -40 dB."""
    found = [levels(channel) for channel in samples.T]
    return [int(np.argmax(of)) + 1 if of.max() > -40 else 0 for of in found], max(of[5] for of in found)


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__, "PyAV", av.__version__)
seen = {}
for count in (3, 6):
    for kind, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")):
        file = io.BytesIO()
        soundfile.write(file, parts[:, :count], RATE, format=kind, subtype=subtype)
        told = []
        for reader in (by_soundfile, by_ffmpeg):
            file.seek(0)
            told.append(heard(reader(file)))
        seen[count, subtype, kind] = told
        last = f", the sixth is left at {told[0][1]:.0f} dB" if count == 6 else ""
        print(f"{count} in {kind} {subtype}: by soundfile {told[0][0]}, by FFmpeg {told[1][0]}{last}")
kept = all(
    of == list(range(1, count + 1)) for (count, _, kind), told in seen.items() if kind != "OGG" for of, _ in told
)
turned = all(
    [of for of, _ in told] == ([[1, 2, 3], [1, 3, 2]] if count == 3 else [[1, 2, 3, 4, 5, 0], [1, 3, 2, 0, 4, 5]])
    and (count == 3 or told[0][1] < -60)
    for (count, _, kind), told in seen.items()
    if kind == "OGG"
)
sys.exit(0 if kept and turned else 1)
P
