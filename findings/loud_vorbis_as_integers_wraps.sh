#!/usr/bin/env bash
# One would guess: soundfile.read(file, dtype="int16") gives the floats of the file times 32,768, rounded, and what is louder than full
#   scale is limited there, as it does for MP3.
# What happens: with soundfile 0.14.0 (libsndfile 1.2.2) samples of Ogg Vorbis and Opus that decode above 1.0 turn round: +1.05
#   becomes a large negative number. A lossy copy of music that was limited just below full scale decodes above it in thousands
#   of samples; with int32 likewise. Nothing is raised, and the length is right.
# Why it matters here: who feeds a model, a voice detector or a fingerprint from 16-bit samples gets loud clicks in loud
#   recordings of just these kinds, and rows of them. Everything is read as floats here.
# Seen 2026-11-30, soundfile==0.14.0, numpy==2.4.6 from PyPI (x86-64 Linux). Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q soundfile==0.14.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import io
import sys

import numpy as np
import soundfile

RATE = 48_000
t = np.arange(3 * RATE) / RATE
limited = np.clip(np.sin(2 * np.pi * 220 * t) + 0.4 * np.sin(2 * np.pi * 331 * t), -0.99, 0.99)
print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
turned = {}
for kind, subtype in (("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")):
    file = io.BytesIO()
    soundfile.write(file, limited, RATE, format=kind, subtype=subtype)
    file.seek(0)
    floats, _ = soundfile.read(file)
    file.seek(0)
    integers, _ = soundfile.read(file, dtype="int16")
    turned[subtype] = int((np.sign(floats) * np.sign(integers.astype(float)) < 0).sum())
    print(f"{subtype}: peak {abs(floats).max():.3f}, samples whose sign is another one as int16: {turned[subtype]} of {len(floats)}")
sys.exit(0 if turned["MPEG_LAYER_III"] == 0 and min(turned["VORBIS"], turned["OPUS"]) > 1_000 else 1)
P
