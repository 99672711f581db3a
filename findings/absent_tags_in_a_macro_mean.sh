#!/usr/bin/env bash
# One would guess: libraries of metrics agree on what a tag that no test clip has does to the mean over tags, or at least each
#   does one thing.
# What happens: scikit-learn 1.9.1 makes the macro ROC-AUC NaN, but counts the tag as 0 in macro average precision and F1.
#   torchmetrics 1.9.0 counts it as 0 in all three. Three tags ranked without an error and one absent give NaN, 0.75, 0.75.
# Why it matters here: rare tags of a tradition are absent from small test sides. "mAP 0.75" may mean "perfect on what could be
#   tested", and a model is punished for the test set; tables of ROC-AUC and mAP over "the same tags" average different ones.
# Seen 2026-11-28, scikit-learn==1.9.1, torchmetrics==1.9.0, torch==2.11.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-learn==1.9.1 torchmetrics==1.9.0 torch==2.11.0 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from torchmetrics.classification import MultilabelAUROC, MultilabelAveragePrecision, MultilabelF1Score

draw = np.random.default_rng(0)
truth = np.zeros((40, 4), int)  # the fourth tag is on no clip
truth[:20, 0] = truth[10:30, 1] = truth[::2, 2] = 1
scores = 0.5 * truth + 0.4 * draw.random(truth.shape)
given, there = torch.from_numpy(scores), torch.from_numpy(truth)
seen = {
    "scikit-learn": [
        roc_auc_score(truth, scores, average="macro"),
        average_precision_score(truth, scores, average="macro"),
        f1_score(truth, scores >= 0.45, average="macro"),
    ],
    "torchmetrics": [
        MultilabelAUROC(4, average="macro")(given, there).item(),
        MultilabelAveragePrecision(4, average="macro")(given, there).item(),
        MultilabelF1Score(4, threshold=0.45, average="macro")(given, there).item(),
    ],
}
print("scikit-learn", sklearn.__version__, "torchmetrics", torchmetrics.__version__)
for library, (auc, ap, f1) in seen.items():
    print(f"{library}: macro ROC-AUC {auc:.2f}, average precision {ap:.2f}, F1 {f1:.2f}")
expected = [[np.nan, 0.75, 0.75], [0.75, 0.75, 0.75]]
sys.exit(0 if np.allclose(list(seen.values()), expected, equal_nan=True) else 1)
P
