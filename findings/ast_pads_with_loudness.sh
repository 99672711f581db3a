#!/usr/bin/env bash
# One would guess: a clip shorter than the Audio Spectrogram Transformer's ten seconds is followed by silence.
# What happens: it is followed by zeros in log mel energy, which is a loud, flat noise: 0.467 after normalisation, where
#   digital silence is -1.278 and the loudest band of a quiet tone about as much. Half a second of music is one twentieth of
#   what the network is given, and the rest is louder than it.
# Why it matters here: the mean over all patches, and the [CLS] token, of a short clip are mostly about the padding. Rows of
#   clips of different length differ by their length first.
# Seen 2026-11-28, transformers==5.23.0, torch==2.11.0, numpy==2.4.6 from PyPI. Source: this run;
#   transformers/models/audio_spectrogram_transformer/feature_extraction_audio_spectrogram_transformer.py (pads, then scales).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q transformers==5.23.0 torch==2.11.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P' 2>/dev/null
import sys

import numpy as np
import transformers
from transformers import ASTFeatureExtractor

extract = ASTFeatureExtractor()
tone = 0.05 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000).astype(np.float32)
silence = extract(np.zeros(163_440, np.float32), sampling_rate=16_000)["input_values"][0]
half_a_second = extract(tone, sampling_rate=16_000)["input_values"][0]
sound, behind = np.asarray(half_a_second[:45]), np.asarray(half_a_second[60:])
print("transformers", transformers.__version__)
print(f"digital silence {np.median(silence[:1000]):.3f}; behind half a second of sound {np.median(behind):.3f}")
print(f"the sound itself: mean {sound.mean():.3f}, highest {sound.max():.3f}")
as_seen = abs(np.median(behind) - 0.467) < 0.01 and np.ptp(behind) < 1e-6 and np.median(silence[:1000]) < -1.2
sys.exit(0 if as_seen and sound.mean() < behind.mean() else 1)
P
