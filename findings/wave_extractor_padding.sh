#!/usr/bin/env bash
# One would guess: the extractor of wav2vec 2.0, HuBERT, WavLM and MERT brings each clip to deviation 1, then pads the batch.
# What happens: without an attention mask in its settings (wav2vec2-base, hubert-base, MERT) it pads first and normalises the
#   padded clip: a second of sound beside three seconds comes out 1.73 times as loud as alone, with silence behind it.
# Why it matters here: a clip's embedding depends on what it was batched with; a network that was fitted on clips of one
#   length is then asked about louder ones. No message is given.
# Seen 2026-11-28, transformers==5.23.0, numpy==2.4.6 from PyPI. Source: this run;
#   transformers/models/wav2vec2/feature_extraction_wav2vec2.py.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q transformers==5.23.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P' 2>/dev/null
import sys

import numpy as np
import transformers
from transformers import Wav2Vec2FeatureExtractor

draw = np.random.default_rng(0)
short, long = (0.3 * draw.standard_normal(16_000 * seconds).astype(np.float32) for seconds in (1, 3))
print("transformers", transformers.__version__)
seen = {}
for mask in (False, True):
    extract = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
    alone = extract(short, sampling_rate=16_000)["input_values"][0]
    beside = extract([short, long], sampling_rate=16_000, padding=True)["input_values"][0][: len(short)]
    seen[mask] = float(np.std(alone)), float(np.std(beside))
    print(f"with a mask {mask}: deviation alone {seen[mask][0]:.3f}, beside a longer clip {seen[mask][1]:.3f}")
sys.exit(0 if abs(seen[False][1] - 3**0.5) < 0.01 and abs(seen[True][1] - 1) < 0.01 else 1)
P
