#!/usr/bin/env bash
# One would guess: a row of a product of matrices depends on that row alone, so that one row of NaN (a damaged window, silence
#   divided by its length) spoils one row.
# What happens: with torch 2.11.0 (oneDNN 3.10.2), on a processor with AMX, in bfloat16 and with rows that are no multiple of 32 numbers
#   long, the row before it is NaN as well. With infinity the same; with rows of 32, 64, 768 numbers not; nor with oneDNN held to
#   AVX-512 (ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16).
# Why it matters here: embeddings are searched by such products, a row of NaN is passed over as like nothing, and the good row
#   before it, perhaps the nearest of all, was passed over with it. `mirdemo.search.nearest` looks at such rows again.
# Seen 2026-11-30, torch 2.11.0+cu130 and numpy 2.4.6 from PyPI, Intel Xeon with amx_bf16. Source: this run. Not seen on processors
#   without AMX: there this script says so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! grep -qw amx_bf16 /proc/cpuinfo; then
    echo "this processor has no AMX: nothing to see here"
    exit 0
fi
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6
cat > "$work/see.py" <<'P'
import sys

import torch

torch.manual_seed(0)
print("torch", torch.__version__)
BAD = 100


def spoilt(size, value):
    rows, columns = torch.randn(1024, size), torch.randn(size, 7)
    rows[BAD, 3] = value
    found = torch.mm(rows.bfloat16(), columns.bfloat16())
    return [row for row in (~found.isfinite()).any(1).nonzero()[:, 0].tolist() if row != BAD]


bounded = len(sys.argv) > 1
as_seen = True
for size in (32, 40, 48, 64, 768):
    for value in (float("nan"), float("inf")):
        beside = spoilt(size, value)
        print(f"rows of {size} numbers, {value} in row {BAD}: spoilt besides it {beside}")
        as_seen &= beside == ([] if bounded or size % 32 == 0 else [BAD - 1])
sys.exit(0 if as_seen else 1)
P
echo "== as it comes"
"$work/venv/bin/python" "$work/see.py"
echo "== held to AVX-512"
ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 "$work/venv/bin/python" "$work/see.py" bounded
