#!/usr/bin/env bash
# One would guess: a grouped convolution in bfloat16 on a CPU differs from float32 by rounding, about 0.2 %.
# What happens: with torch 2.11.0 (oneDNN 3.10.2), on a processor with AMX and with fewer than 16 input channels a group
#   (and a kernel wider than about 8), the result is unrelated to the right one: relative error above 1. The same call
#   with oneDNN held to AVX-512 (ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16) is right.
# Why it matters here: wav2vec 2.0, HuBERT and WavLM add their positions by such a convolution (16 groups). The known sizes
#   have 48 or 64 channels a group and are right; small ones (hidden size under 256) are not, and their embeddings still
#   look plausible: cosine 0.994 to the right ones, the same as with a positional convolution left at random.
# Seen 2026-11-28, torch 2.11.0+cu130 and numpy 2.4.6 from PyPI, Intel Xeon with amx_bf16. Source: this run; the kernel chosen is named
#   by ONEDNN_VERBOSE=1 (brg_conv_fwd:avx10_1_512_amx). Not seen on processors without AMX: there this script says so.
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
import torch.nn.functional as F

torch.manual_seed(0)
print("torch", torch.__version__)


def error(channels, groups, kernel):
    x = torch.randn(2, channels * groups, 60).bfloat16()
    w = (torch.randn(channels * groups, channels, kernel) * (channels * kernel) ** -0.5).bfloat16()
    right = F.conv1d(x.float(), w.float(), padding=kernel // 2, groups=groups)
    return ((F.conv1d(x, w, padding=kernel // 2, groups=groups).float() - right).norm() / right.norm()).item()


narrow = [error(channels, 4, 16) for channels in (4, 8, 12)]
wide = [error(channels, 4, 16) for channels in (16, 48, 64)]
print("relative error, 4, 8, 12 channels a group:", [round(e, 3) for e in narrow])
print("relative error, 16, 48, 64 channels a group:", [round(e, 4) for e in wide])
bounded = len(sys.argv) > 1
as_seen = max(wide) < 0.01 and (max(narrow) < 0.01 if bounded else min(narrow) > 0.5)
sys.exit(0 if as_seen else 1)
P
echo "== as it comes"
"$work/venv/bin/python" "$work/see.py"
echo "== held to AVX-512"
ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 "$work/venv/bin/python" "$work/see.py" bounded
