#!/usr/bin/env bash
# One would guess: gradio.Audio plays a wave of floats between -1 and 1 as loud as it is, as the same wave in 16 bits.
# What happens: with gradio 6.31.0 a float32 or float64 wave is divided by its own peak before it becomes 16 bits: peaks of .01, .1
#   and 1 all come out at 1.0. The same waves as int16 keep their level. The warning speaks of a conversion, not of a gain.
# Why it matters here: who compares clips by ear (quiet verse against loud, a query against what was found, before and after a gain)
#   hears no difference of level, and a near-silent take with a hum plays as loud as the music. Clips here are played from an MP3 of
#   their own samples.
# Seen 2026-11-30, gradio==6.31.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q gradio==6.31.0 numpy==2.4.6
export GRADIO_TEMP_DIR="$work/files" GRADIO_ANALYTICS_ENABLED=False
"$work/venv/bin/python" -W ignore - <<'P'
import sys
import wave

import gradio
import numpy as np

RATE = 16_000


def played(samples):
    """The peak of the file that the component serves, 1 is full scale."""
    with wave.open(gradio.Audio().postprocess((RATE, samples)).path) as file:
        return np.abs(np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(int)).max() / 32767


print("gradio", gradio.__version__)
found = []
for peak in (0.01, 0.1, 1.0):
    tone = peak * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)
    found.append([played(tone.astype(np.float32)), played((32767 * tone).astype(np.int16))])
    print(f"peak {peak}: played at {found[-1][0]:.2f} from float32, at {found[-1][1]:.2f} from int16")
floats, integers = np.array(found).T
sys.exit(0 if floats.min() > 0.99 and np.allclose(integers, [0.01, 0.1, 1.0], atol=0.001) else 1)
P
