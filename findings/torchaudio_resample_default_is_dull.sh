#!/usr/bin/env bash
# One would guess: the resampler that nearly every published embedding went through, with its defaults, keeps what the new
#   rate can hold and drops what it cannot.
# What happens: from 44.1 to 16 kHz, torchaudio 2.11.0 takes 1.8 dB off a tone at 7 kHz, and a tone at 8.5 kHz, above the new
#   limit, comes back at 7.5 kHz only 11 dB below its level. soxr 1.1.0 loses 0.01 dB and lets through less than -100 dB.
# Why it matters here: cymbals, jingles, fricatives and the upper partials of flutes lie there. Rows made with another
#   resampler differ from published ones by more than many a difference that is reported.
# Seen 2026-11-28, torch==2.11.0, torchaudio==2.11.0, soxr==1.1.0, numpy==2.4.6 from PyPI. Source: this run; torchaudio's
#   documentation of lowpass_filter_width (6 by default) and rolloff.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 torchaudio==2.11.0 soxr==1.1.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys

import numpy as np
import soxr
import torch
import torchaudio

RATE, TO = 44_100, 16_000


def decibels(samples):
    return round(20 * float(np.log10(np.sqrt(2 * (samples[2000:-2000] ** 2).mean()) + 1e-12)), 1)


seen = {}
for hertz in (5000, 7000, 8500):
    tone = np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE).astype(np.float32)
    ours = torchaudio.functional.resample(torch.from_numpy(tone), RATE, TO).numpy()
    seen[hertz] = decibels(ours), decibels(soxr.resample(tone, RATE, TO))
print("torchaudio", torchaudio.__version__, "soxr", soxr.__version__)
for hertz, (torchaudio_level, soxr_level) in seen.items():
    print(f"a tone at {hertz} Hz, from {RATE} to {TO} Hz: torchaudio {torchaudio_level} dB, soxr {soxr_level} dB")
as_seen = abs(seen[7000][0] + 1.8) < 0.3 and abs(seen[8500][0] + 10.8) < 1 and seen[8500][1] < -100
sys.exit(0 if as_seen and abs(seen[7000][1]) < 0.1 else 1)
P
