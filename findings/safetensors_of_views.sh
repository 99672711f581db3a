#!/usr/bin/env bash
# One would guess: safetensors' save for NumPy writes the array that it is given, or refuses one that it cannot write.
# What happens: with 0.8.0 an array that is not contiguous (a transposed matrix, every other row) is written as its memory lies:
#   the file has the right shape and other numbers, and nothing is said. Its save for torch refuses such a tensor.
# Why it matters here: a whitening's directions are a transposed matrix; saved so, it still loads, still looks like a
#   whitening, and turns every row by another matrix than the one that was fitted.
# Seen 2026-11-28, safetensors==0.8.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
"$work/venv/bin/python" - <<'P'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
given = {"transposed": matrix.T, "every other column": matrix[:, ::2], "contiguous": np.ascontiguousarray(matrix.T)}
same = {}
for name, array in given.items():
    try:
        back = load(save({"a": array}))["a"]
        same[name] = bool(np.array_equal(back, array))
        print(name, array.tolist(), "came back as", back.tolist())
    except Exception as error:
        same[name] = None
        print(name, "refused:", error)
print("safetensors", safetensors.__version__, "numpy", np.__version__)
sys.exit(0 if same == {"transposed": False, "every other column": False, "contiguous": True} else 1)
P
