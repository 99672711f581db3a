#!/usr/bin/env bash
# One would guess: with its attention mask a clip in a batch has the states that it has alone, as wav2vec 2.0's clips have.
# What happens: wav2vec2-conformer masks the padding in the attention of its layers and not in their convolutions over time, so
#   that a shorter clip's last frames hear what lies behind it, and from the second layer on every frame does.
# Why it matters here: its embeddings depend on what they were batched with (the pooled row of this run's random network moves by
#   13 % of its length), and no message is given. wav2vec2-BERT, of the same build, masks both (last line of the run).
# Seen 2026-11-28, transformers==5.23.0, torch==2.11.0, numpy==2.4.6 from PyPI, networks of random weights. Source: this run;
#   Wav2Vec2ConformerConvolutionModule in transformers/models/wav2vec2_conformer/modeling_wav2vec2_conformer.py.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6 transformers==5.23.0
"$work/venv/bin/python" -W ignore - <<'P'
import sys

import torch
import transformers
from transformers import (
    Wav2Vec2BertConfig,
    Wav2Vec2BertModel,
    Wav2Vec2Config,
    Wav2Vec2ConformerConfig,
    Wav2Vec2ConformerModel,
    Wav2Vec2Model,
)

print("transformers", transformers.__version__)
size = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
wave = size | {"conv_dim": (32,) * 7, "feat_extract_norm": "layer", "num_conv_pos_embedding_groups": 2}
torch.manual_seed(0)
sound, frames = torch.randn(1, 32_000), torch.randn(1, 100, 160)  # the last network reads mel frames
moved = {}
for name, network, long in (
    ("wav2vec2", Wav2Vec2Model(Wav2Vec2Config(**wave, do_stable_layer_norm=True)), sound),
    ("wav2vec2-conformer", Wav2Vec2ConformerModel(Wav2Vec2ConformerConfig(**wave)), sound),
    ("wav2vec2-bert", Wav2Vec2BertModel(Wav2Vec2BertConfig(**size)), frames),
):
    half = long.shape[1] // 2
    short, padding = long[:, :half], torch.zeros_like(long[:, half:])
    mask = torch.tensor([[1] * half + [0] * half, [1] * 2 * half])
    with torch.no_grad():
        alone = network.eval()(short).last_hidden_state[0]
        beside = torch.cat([torch.cat([short, padding], dim=1), long])
        lot = network(beside, attention_mask=mask).last_hidden_state[0, : len(alone)]
    moved[name] = float((alone - lot).abs().max())
    row, other = alone.mean(0), lot.mean(0)
    share = float((row - other).norm() / row.norm())
    print(f"{name}: states move by {moved[name]:.6f} at most, the pooled row by {100 * share:.3f} % of its length")
masked = max(moved["wav2vec2"], moved["wav2vec2-bert"])
sys.exit(0 if masked < 1e-4 and moved["wav2vec2-conformer"] > 0.05 else 1)
P
