#!/usr/bin/env bash
# One would guess: torch sorts rows of float32 on a processor about as fast as NumPy.
# What happens: NumPy (since 1.25 and 2.0 with vector instructions) is ten to forty times faster on the same rows, on one
#   thread each; torch.topk and torch.kthvalue are no way round it. The values are the same.
# Why it matters here: the peaks and valleys of spectral contrast need sorted bands; the sort alone was a third of all
#   that a set of thirty spectral descriptors took.
# Seen 2026-11-28, torch 2.11.0, numpy 2.4.6, from PyPI, a processor with AVX-512 (exits 1 where the ratio is under 4, as
#   without AVX2). Source: this run; https://numpy.org/doc/stable/release/2.0.0-notes.html (faster sorting).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6
OMP_NUM_THREADS=1 "$work/venv/bin/python" - <<'P'
import sys
import time

import numpy as np
import torch

rows = np.random.default_rng(0).random((431, 430), dtype=np.float32)  # ten seconds of the band from 6.4 kHz up
tensor = torch.from_numpy(rows)


def least(work) -> float:
    """Least processor time of twenty, in milliseconds."""
    took = []
    for _ in range(20):
        began = time.thread_time()
        work()
        took.append(1e3 * (time.thread_time() - began))
    return round(min(took), 2)


by_torch, by_numpy = least(lambda: tensor.sort(dim=1)), least(lambda: np.sort(rows, axis=1))
same = bool((tensor.sort(dim=1).values.numpy() == np.sort(rows, axis=1)).all())
print("torch", torch.__version__, "numpy", np.__version__, torch.backends.cpu.get_cpu_capability())
print(f"ms: torch.sort {by_torch}, np.sort {by_numpy}, ratio {by_torch / by_numpy:.1f}; same values: {same}")
sys.exit(0 if same and by_torch > 4 * by_numpy else 1)
P
