#!/usr/bin/env bash
# One would guess: an index given float32 rows keeps float32 rows, and exact=True gives the true nearest neighbours.
# What happens: with usearch 2.26.6 an index without a dtype keeps what the processor multiplies fastest (bfloat16 or half
#   precision where it has instructions for them, else float32), and exact=True is exact over the rounded rows. Ten
#   nearly equal windows of each of 200 sounds: the five nearest are 100 % the true ones as f32, 99 % as f16, 96 % as bf16 and
#   73 % as i8 (1,000 neighbours of one set of rows, no interval). The choice is in its docs.
# Why it matters here: neighbouring windows of one recording are nearly equal, and the same folder searched by the same line
#   of code gives other windows on a laptop and on a server. What is called exact here is computed in float32, and an index names
#   its dtype.
# Seen 2026-11-28, usearch==2.26.6, numpy==2.4.6 from PyPI. Source: this run, and the docstring of usearch.index.Index.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q usearch==2.26.6 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys

import numpy as np
import usearch
from usearch.index import Index

rng = np.random.default_rng(0)
rows = np.repeat(rng.standard_normal((200, 64)), 10, 0) + 0.02 * rng.standard_normal((2000, 64))
rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
asked = rows[::10]
true = np.argsort(-(asked.astype(np.float64) @ rows.T.astype(np.float64)), axis=1, kind="stable")[:, :5]
print("without a dtype this machine keeps", Index(ndim=64, metric="cos").dtype)
shares = {}
for dtype in ("f32", "f16", "bf16", "i8"):
    index = Index(ndim=64, metric="cos", dtype=dtype)
    index.add(np.arange(len(rows)), rows)
    keys = index.search(asked, 5, exact=True).keys
    shares[dtype] = float(np.mean([len({*a} & {*b}) / 5 for a, b in zip(keys, true)]))
    print(dtype, "exact=True:", round(100 * shares[dtype], 1), "% of the five nearest")
print("usearch", usearch.__version__, "numpy", np.__version__)
falls = shares["f32"] > 0.995 > shares["f16"] > 0.98 > shares["bf16"] > 0.9 > 0.8 > shares["i8"]
sys.exit(0 if falls else 1)
P
