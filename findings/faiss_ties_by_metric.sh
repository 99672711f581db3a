#!/usr/bin/env bash
# One would guess: for rows of length one the largest inner product and the smallest distance are the same neighbours, so
#   faiss's two exact indices give the same k rows; equal rows come in the order in which they were added, as from a stable sort.
# What happens: with faiss-cpu 1.15.1 IndexFlatL2 gives equal rows first first, IndexFlatIP last first among those that it keeps, so
#   that even its nearest depends on k: of four copies the first for k = 1, the second for k = 2, the last for k = 4.
# Why it matters here: archives hold copies (one take on two tapes, a song uploaded twice), silence, and windows that padding
#   makes alike. A recall counted by row numbers against a plain product then stays under 1 for an exact index, and "more like
#   this" shows another copy by another metric. Ours orders equal rows by their place, and recall is counted by similarity.
# Seen 2026-11-28, faiss-cpu==1.15.1, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q faiss-cpu==1.15.1 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys

import faiss
import numpy as np

rows = np.random.default_rng(0).standard_normal((2000, 64)).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
copies = [10, 200, 900, 1500]
rows[copies] = rows[10]
found = {}
for kind in (faiss.IndexFlatIP, faiss.IndexFlatL2):
    index = kind(64)
    index.add(rows)
    found[kind.__name__] = [index.search(rows[10:11], k)[1][0].tolist() for k in (1, 2, 4)]
    print(kind.__name__, "k = 1, 2, 4:", *found[kind.__name__])
plain = np.argsort(-(rows @ rows[10]), kind="stable")[:4].tolist()
print("a stable sort of the plain product:", plain)
print("faiss", faiss.__version__, "numpy", np.__version__)
last_first = found["IndexFlatIP"][1:] == [[200, 10], [1500, 900, 200, 10]]
first_first = found["IndexFlatL2"][1:] == [[10, 200], copies]
sys.exit(0 if last_first and first_first and plain == copies else 1)
P
