#!/usr/bin/env bash
# One would guess: torchaudio's ready-made networks bring each clip of a batch to mean 0 and deviation 1, as the papers have it, so that
#   a clip's states are its own where all clips of the batch are of one length.
# What happens: with torchaudio 2.11.0 the bundles that normalise (wav2vec 2.0 large LV-60k, XLSR, HuBERT large and extra large, WavLM
#   large) take one mean and one deviation over the whole batch. A soft clip beside one 20 times as loud comes in at a fourteenth of the
#   level that it has alone, and its pooled states turn away (cosine .994, networks of random weights). Nothing is said.
# Why it matters here: archives hold soft and loud recordings side by side. Rows then depend on what a clip was batched with, and on the
#   size of the batch; "batch of one" and "batch of 32" are two sets of rows. Every window is brought to deviation 1 by itself here.
# Seen 2026-12-01, torchaudio==2.11.0, torch==2.11.0, numpy==2.4.6 from PyPI. Source: this run; torchaudio/pipelines/_wav2vec2/utils.py,
#   "layer_norm(waveforms, waveforms.shape)"; https://github.com/facebookresearch/fairseq/issues/5609 (the question, without an answer).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torchaudio==2.11.0 torch==2.11.0 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys
from dataclasses import replace

import torch
import torchaudio
from torchaudio.pipelines import HUBERT_LARGE, WAVLM_LARGE

torch.manual_seed(0)
sound = torch.randn(2, 16_000)
soft, loud = 0.05 * sound[:1], sound[1:]
seen = {}
for name, bundle in (("HuBERT large", HUBERT_LARGE), ("WavLM large", WAVLM_LARGE)):
    small = replace(bundle, _params={**bundle._params, "encoder_num_layers": 2})
    # Random weights in place of the download; all else is the bundle's own way to its network.
    plain = torchaudio.models.wav2vec2_model if name.startswith("HuBERT") else torchaudio.models.wavlm_model
    weights = plain(**small._params).state_dict()
    type(small)._get_state_dict = lambda self, dl_kwargs, weights=weights: weights
    network = small.get_model().eval()
    given = []
    network.model.feature_extractor.register_forward_pre_hook(lambda _, inputs, given=given: given.append(inputs[0]))
    with torch.inference_mode():
        alone = network.extract_features(soft)[0][-1].mean(1)
        beside = network.extract_features(torch.cat([soft, loud]))[0][-1][:1].mean(1)
    levels = [float(wave[0].std()) for wave in given]
    cosine = float(torch.nn.functional.cosine_similarity(alone, beside))
    seen[name] = (*levels, cosine)
    print(f"{name}: the soft clip's level alone {levels[0]:.2f}, beside the loud one {levels[1]:.2f}; cosine of its pooled states {cosine:.3f}")
print("torchaudio", torchaudio.__version__, "torch", torch.__version__)
as_seen = all(abs(alone - 1) < 0.01 and abs(beside - 0.0706) < 0.003 and cosine < 0.999 for alone, beside, cosine in seen.values())
sys.exit(0 if as_seen else 1)
P
