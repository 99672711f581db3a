#!/usr/bin/env bash
# One would guess: hidden_states[-1] is the last layer's output as the model hands it on, in every version of transformers.
# What happens: for wav2vec 2.0 with stable layer norm, WavLM likewise and the Audio Spectrogram Transformer it equals
#   last_hidden_state in 4.57.6 and lacks the final norm in 5.23.0. Both versions run the same line without a word.
# Why it matters here: a probe on "the last layer" is of other rows after an upgrade; weights stay the same, figures do not.
# Seen 2026-11-28, transformers 4.57.6 and 5.23.0 with torch==2.11.0 and numpy==2.4.6 from PyPI, networks of random weights. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/look.py" <<'P'
import sys

import torch
import transformers
from transformers import ASTConfig, ASTModel, Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
wave = small | {
    "conv_dim": (32,) * 7, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "num_conv_pos_embedding_groups": 2
}  # fmt: skip
torch.manual_seed(0)
networks = {
    "wav2vec2": (Wav2Vec2Model(Wav2Vec2Config(**wave)), torch.randn(1, 16_000)),
    "wavlm": (WavLMModel(WavLMConfig(**wave)), torch.randn(1, 16_000)),
    "ast": (ASTModel(ASTConfig(**small, max_length=64)), torch.randn(1, 64, 128)),
}
equal = []
for name, (network, given) in networks.items():
    with torch.no_grad():
        found = network.eval()(given, output_hidden_states=True)
    equal.append(torch.allclose(found.hidden_states[-1], found.last_hidden_state, atol=1e-5))
    print(f"transformers {transformers.__version__}, {name}: hidden_states[-1] is last_hidden_state: {equal[-1]}")
sys.exit(0 if all(equal) == (sys.argv[1] == "equal") and any(equal) == all(equal) else 1)
P
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.11.0 numpy==2.4.6 transformers==4.57.6
"$work/venv/bin/python" -W ignore "$work/look.py" equal
"$work/venv/bin/pip" install -q transformers==5.23.0
"$work/venv/bin/python" -W ignore "$work/look.py" other
