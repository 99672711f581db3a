#!/usr/bin/env bash
# One would guess: a feature extractor gives the same features for the same sound.
# What happens: CLAP's extractor, as its class sets it up ("fusion"), draws places from numpy's global generator: a clip of
#   fifteen seconds gives other features each time, and of a batch in which no clip is longer than ten seconds one, drawn by
#   lot, is marked as longer. Clips of 5 s are repeated to fill ten, clips of 6 s are not: 40 % of theirs is silence.
# Why it matters here: two runs over one archive give two sets of rows, and a score may move by more than its seed's spread;
#   a row depends on which clips it was batched with.
# Seen 2026-11-28, transformers==5.23.0, torch==2.11.0, numpy==2.4.6 from PyPI. Source: this run;
#   transformers/models/clap/feature_extraction_clap.py.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q transformers==5.23.0 torch==2.11.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P' 2>/dev/null
import sys

import numpy as np
import transformers
from transformers import ClapFeatureExtractor

RATE = 48_000
draw = np.random.default_rng(0)
sound = (0.3 * draw.standard_normal(15 * RATE) * np.linspace(0, 1, 15 * RATE)).astype(np.float32)
extract = ClapFeatureExtractor()


def features(clips):
    given = extract(clips, sampling_rate=RATE)
    return np.asarray(given["input_features"]), np.asarray(given["is_longer"]).ravel().tolist()


first, second = features(sound)[0], features(sound)[0]
marked = [features([sound[: 5 * RATE]] * 3)[1] for _ in range(8)]
fixed = ClapFeatureExtractor(truncation="rand_trunc")
silent = {
    seconds: float((np.asarray(fixed(sound[-seconds * RATE :], sampling_rate=RATE)["input_features"])[0, 0] <= -99).all(1).mean())
    for seconds in (5, 6)
}
print("transformers", transformers.__version__, "truncation", extract.truncation, "padding", extract.padding)
print(f"one clip of 15 s, twice: features differ by up to {np.abs(first - second).max():.1f} dB")
print("three equal clips of 5 s, marked as longer than 10 s:", *sorted({tuple(m) for m in marked}))
print("share of silent frames, clips of 5 and 6 s:", {s: round(share, 2) for s, share in silent.items()})
as_seen = np.abs(first - second).max() > 1 and all(sum(m) == 1 for m in marked) and len({tuple(m) for m in marked}) > 1
sys.exit(0 if as_seen and silent[5] < 0.02 and abs(silent[6] - 0.4) < 0.02 else 1)
P
