#!/usr/bin/env bash
# One would guess: a processor that lists avx512_bf16 multiplies matrices in bfloat16 faster than in float32, and a program
#   that finds the flag does well to choose it.
# What happens: a property of one family of processors, Intel's Xeons with AMX, where a host hides the AMX: what is left, AVX-512,
#   does about half as many products a second in bfloat16 as in float32. torch.cpu.get_capabilities() tells both flags, none of the
#   rates. Not so elsewhere: Intel's Cooper Lake, with the same flag and never any AMX, doubles them in theory
#   (https://pytorch.org/blog/empowering-pytorch-on-intel-xeon-scalable-processors-with-bfloat16/), and an AMD EPYC with it was seen to
#   do 370 GFLOP/s beside 110 in float32 (two threads, one run).
# Why it matters here: MERT-95M's shape took 1.5 times as long in the precision that was chosen for its speed.
# Seen 2026-11-29, torch 2.11.0 and numpy 2.4.6 from PyPI, Intel Xeon (family 6, model 207) with avx512_bf16 and without AMX, one
#   thread: 82 beside 164 GFLOP/s. Source: this run. Looked for on model 143, too, whose cores are alike; nobody ran it there. On any other
#   processor this script says so.
set -euo pipefail
tells() { grep -qEm 1 "$1" /proc/cpuinfo; }
if ! tells '^vendor_id\s*: GenuineIntel$' || ! tells '^cpu family\s*: 6$' || ! tells '^model\s*: (143|207)$' ||
    ! tells '\bavx512_bf16\b' || tells '\bamx_bf16\b'; then
    echo "no Intel Xeon of family 6, model 143 or 207, with its AMX hidden: nothing to see here"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6
OMP_NUM_THREADS=1 "$work/venv/bin/python" - <<'P'
import sys
import time

import torch

one = torch.randn(1024, 1024)


def rate(matrix: torch.Tensor) -> float:
    """GFLOP/s of the fastest of twenty products, by processor time."""
    took = []
    for _ in range(20):
        began = time.thread_time()
        matrix @ matrix
        took.append(time.thread_time() - began)
    return 2 * 1024**3 / min(took) / 1e9


able = torch.cpu.get_capabilities()
full, half = rate(one), rate(one.bfloat16())
print("torch", torch.__version__, {name: able.get(name) for name in ("avx512_bf16", "amx_bf16")})
print(f"GFLOP/s: float32 {full:.0f}, bfloat16 {half:.0f}")
sys.exit(0 if half < 0.8 * full else 1)
P
