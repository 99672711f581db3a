#!/usr/bin/env bash
# One would guess: pydub's set_frame_rate, which many a script calls before a model that wants 16 kHz, takes away what the new rate cannot
#   hold, as every resampler of the field does, well or less well.
# What happens: pydub 0.25.1 hands the samples to audioop.ratecv, which draws straight lines between them and filters nothing. From 44.1
#   to 16 kHz a tone at 9 kHz comes back at 7 kHz with 1.2 dB less, one at 12 kHz at 4 kHz with 2.2 dB less, one at 15 kHz at 1 kHz with
#   3.4 dB less; soxr 1.1.0 leaves less than -140 dB of each. The documentation promises "an equivalent version" with fewer high frequencies.
# Why it matters here: cymbals, rattles, jingles and the noise of flutes and bows come back in the middle of the voices, at nearly their
#   own level: a network hears them, and its rows are of other music than librosa's or torchaudio's of the same file. What would
#   fold back is more than 80 dB down here.
# Seen 2026-12-01, pydub==0.25.1, soxr==1.1.0, numpy==2.4.6 from PyPI (Python 3.11 or 3.12, whose own library has audioop). Source: this
#   run; pydub/audio_segment.py and API.markdown, set_frame_rate; https://github.com/jiaaro/pydub/issues/817 (which algorithm it is, without an answer).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydub==0.25.1 soxr==1.1.0 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys
from importlib.metadata import version

import numpy as np
import soxr
from pydub import AudioSegment

RATE, TARGET = 44_100, 16_000


def at(wave, tone):
    """Level in dB below the tone that went in, at one frequency."""
    wave = wave[TARGET // 10 : -TARGET // 10]
    window = np.hanning(len(wave))
    turned = np.exp(-2j * np.pi * tone * np.arange(len(wave)) / TARGET)
    return 20 * np.log10(2 * abs((wave * window * turned).sum()) / window.sum() / 0.5 + 1e-12)


seen = {}
for tone in (5_000, 9_000, 12_000, 15_000):
    comes_back = min(tone % TARGET, TARGET - tone % TARGET)
    sound = 0.5 * np.sin(2 * np.pi * tone * np.arange(2 * RATE) / RATE)
    whole = np.round(32767 * sound).astype(np.int16)
    segment = AudioSegment(whole.tobytes(), frame_rate=RATE, sample_width=2, channels=1).set_frame_rate(TARGET)
    by_pydub = at(np.asarray(segment.get_array_of_samples(), float) / 32767, comes_back)
    by_soxr = at(soxr.resample(whole / 32767, RATE, TARGET), comes_back)
    seen[tone] = by_pydub, by_soxr
    print(f"{tone} Hz, heard at {comes_back} Hz: pydub {by_pydub:.1f} dB, soxr {by_soxr:.1f} dB")
print("pydub", version("pydub"), "soxr", soxr.__version__, "numpy", np.__version__)
folded = all(seen[tone][0] > -4 and seen[tone][1] < -80 for tone in (9_000, 12_000, 15_000))
sys.exit(0 if folded and abs(seen[5_000][1]) < 0.1 else 1)
P
