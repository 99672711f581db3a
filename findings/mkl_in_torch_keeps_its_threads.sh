#!/usr/bin/env bash
# One would guess: threadpoolctl's threadpool_limits(1) makes torch's matrix products single-threaded in that block; it
#   finds torch's OpenMP, and torch.get_num_threads() then says 1.
# What happens: so it is only until somebody has called torch.set_num_threads (or set MKL_NUM_THREADS). From then on the
#   MKL that is linked into torch's own library, which threadpoolctl does not list, goes on with the number it was told,
#   while torch.get_num_threads() still says 1: half of the processor time of a product is other threads'. MKL's own
#   MKL_Set_Num_Threads_Local, which that library exports, does reach it.
# Why it matters here: a page that limits a forward pass to one thread, so that it waits for nobody on a busy machine,
#   would wait all the same, and nothing would say so.
# Needs an x86-64 machine with two cores or more.
# Seen 2026-11-28, torch 2.11.0, threadpoolctl 3.8.0, numpy 2.4.6, from PyPI. Source: this run;
#   https://github.com/joblib/threadpoolctl (libraries it knows).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6 threadpoolctl==3.8.0
"$work/venv/bin/python" - <<'P'
import ctypes
import sys
import time
from pathlib import Path

import torch
from threadpoolctl import ThreadpoolController, __version__

matrix = torch.randn(800, 800)
limits = ThreadpoolController()


def of_others() -> float:
    """Share of a product's processor time that is not the calling thread's."""
    matrix @ matrix
    whole, own = time.process_time(), time.thread_time()
    for _ in range(30):
        matrix @ matrix
    whole, own = time.process_time() - whole, time.thread_time() - own
    return round((whole - own) / whole, 2)


def limited() -> tuple[float, int]:
    with limits.limit(limits=1):
        return of_others(), torch.get_num_threads()


before = limited()
torch.set_num_threads(2)
after = limited()
library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
library.MKL_Set_Num_Threads_Local(1)
told = limited()
print("torch", torch.__version__, "threadpoolctl", __version__)
print("listed:", sorted({one["internal_api"] for one in limits.info()}))
print("other threads' share within limit=1, and torch.get_num_threads():")
print("  at first", before, "| after torch.set_num_threads(2)", after, "| MKL told too", told)
sys.exit(0 if before[0] < 0.1 and after[0] > 0.3 and after[1] == 1 and told[0] < 0.1 else 1)
P
