#!/usr/bin/env bash
# One would guess: soundfile.read(file, start=s) gives the samples that soundfile.read(file)[s:] gives; MP3 files that
#   soundfile itself wrote have an exact length and no sample is missing.
# What happens: with soundfile 0.14.0 (libsndfile 1.2.2, mpg123) the first samples behind a jump into an MP3 file can be other
#   ones, with an error as large as the signal: up to some 300 samples at 24 kHz in the quality that soundfile chooses by itself
#   (17 of 79 jumps), up to some 1,350 (56 ms) at 24 kbit/s (76 of 79). A frame at a low rate or bit rate borrows bits from more
#   of the frames before it than are read after a jump. At 44.1 kHz none of 79 jumps was wrong here. Nothing is raised; mpg123
#   may write lines to standard error.
# Why it matters here: windows and annotated segments of old radio and field recordings (22.05 and 24 kHz) that are read by
#   offset, as librosa.load(offset=...) does through soundfile, begin with other sound than the same windows cut from the
#   whole, and so do their rows. Recordings are decoded once, whole, here.
# Seen 2026-11-30, soundfile==0.14.0, numpy==2.4.6 from PyPI (x86-64 Linux). Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q soundfile==0.14.0 numpy==2.4.6
"$work/venv/bin/python" - 2>"$work/said" <<'P'
import io
import sys

import numpy as np
import soundfile

JUMPS, SECONDS = 79, 20


def mp3(rate, **how):
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(scale=0.1, size=rate * SECONDS)
    soundfile.write(file, noise, rate, format="MP3", **how)
    return file


def wrong(file, rate):
    """Jumps behind which samples differ by more than .01, the largest difference, and behind which sample all is right."""
    file.seek(0)
    whole, _ = soundfile.read(file)
    count, largest, until = 0, 0.0, 0
    for jump in range(1, JUMPS + 1):
        start = int(jump * rate / 4.3)
        file.seek(0)
        part, _ = soundfile.read(file, start=start, frames=rate)
        error = np.abs(part - whole[start : start + len(part)])
        count += bool(error.max() > 0.01)
        largest = max(largest, error.max())
        until = max(until, int((np.flatnonzero(error > 1e-3)[-1:] + 1).sum()))
    return count, largest, until


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
found = {}
for name, rate, how in (
    ("24 kHz as soundfile chooses", 24_000, {}),
    ("24 kHz, 24 kbit/s", 24_000, {"compression_level": 0.9, "bitrate_mode": "CONSTANT"}),
    ("44.1 kHz as soundfile chooses", 44_100, {}),
):
    found[name] = wrong(mp3(rate, **how), rate)
    print(f"{name}: {found[name][0]} of {JUMPS} jumps wrong, by up to {found[name][1]:.2f} (signal: .1), until sample {found[name][2]}")
chosen, low, high = found.values()
sys.exit(0 if chosen[0] > 10 and chosen[1] > 0.1 and low[0] > 40 and low[2] > 500 and high[0] == 0 else 1)
P
