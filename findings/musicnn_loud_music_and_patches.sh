#!/usr/bin/env bash
# One would guess: the musicnn package gives a loud recording the tags of the same recording played softly, or complains; and its
#   `penultimate` features, a row a patch of three seconds, are those of each patch.
# What happens: musicnn 0.1.0 takes its mel powers as half precision before it multiplies them by 10,000: above a power of 6.5 the
#   network's input is infinite. Twelve seconds of tones at amplitude 0.8 are infinite in some cells, `timbral` and `mean_pool`
#   come out as NaN or infinite, and three tags are named without a word; at 0.003 they are other tags. `penultimate` repeats
#   the first patch's row for every patch, while `max_pool` beside it changes.
# Why it matters here: two of our backbones are this package's networks. Ours takes the logarithm in float32 and one row a
#   patch, so it agrees with the package on soft music and on whole-clip tags, and not on loud music or on single patches.
# Seen 2026-11-28, musicnn==0.1.0, tensorflow-cpu==2.21.0, tf_keras==2.21.0, librosa==0.11.0, soundfile==0.14.0, numpy==2.4.6 from
#   PyPI. Source: this run; musicnn/extractor.py, `batch_data` and the end of `extractor`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q tensorflow-cpu==2.21.0 tf_keras==2.21.0 librosa==0.11.0 soundfile==0.14.0 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-deps musicnn==0.1.0
cd "$work"
TF_CPP_MIN_LOG_LEVEL=3 TF_USE_LEGACY_KERAS=1 "$work/venv/bin/python" -W ignore - <<'P'
import sys

import numpy as np
import soundfile
from musicnn import extractor

RATE = 16_000
time = np.arange(3 * RATE) / RATE
hiss = np.random.default_rng(0).standard_normal((4, len(time))) * 0.01
tones = np.concatenate([0.8 * np.sin(2 * np.pi * f * time) + h for f, h in zip((110, 220, 440, 880), hiss)])
seen = {}
for name, level in (("loud", 1.0), ("soft", 0.003 / 0.8)):
    soundfile.write(f"{name}.wav", tones * level, RATE)
    patches, _ = extractor.batch_data(f"{name}.wav", 187, 187)
    likelihoods, tags, rows = extractor.extractor(f"{name}.wav", model="MTT_musicnn", extract_features=True)
    first = [tags[i] for i in np.argsort(-likelihoods.mean(0))[:3]]
    broken = [key for key, row in rows.items() if not np.isfinite(row).all()]
    seen[name] = (int(np.isinf(patches).sum()), broken, first)
    print(f"\n{name}: {seen[name][0]} of {patches.size} cells infinite; not finite: {broken}; tags {first}")
    apart = {key: float(np.abs(rows[key][0] - rows[key][-1]).max()) for key in ("max_pool", "penultimate")}
    print("first against last patch, largest difference:", {key: round(value, 2) for key, value in apart.items()})
infinite, broken, first = seen["loud"]
same = infinite > 0 and "mean_pool" in broken and not seen["soft"][0] and not seen["soft"][1] and first != seen["soft"][2]
sys.exit(0 if same and apart["penultimate"] == 0 < apart["max_pool"] else 1)
P
