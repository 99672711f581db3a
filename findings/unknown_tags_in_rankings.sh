#!/usr/bin/env bash
# One would guess: with ignore_index=-1 torchmetrics leaves a tag that nobody judged on a clip out of its ranking figures: "ignored and does
#   not contribute to the metric calculation".
# What happens: torchmetrics 1.9.0 gives unknown tags the lowest score of all. For the coverage error such a tag counts as one that is on
#   the clip and ranked last: with one unknown tag a clip "needs" all tags. For the ranking loss it counts as one that is not on the clip
#   and was ranked rightly. 20 tags, 60 % of the answers unknown: scores without an error have a coverage of 20.0, where that over
#   the known tags is 3.9, and worthless scores a loss of .12 instead of .49. ROC-AUC and average precision are right. Nothing is said.
# Why it matters here: OpenMIC-2018 and every archive that was tagged by hand have unknown answers, most of all. The more is unknown the
#   better the loss and the worse the coverage, and two corpora are compared by how many questions were asked. Figures here
#   rank the clips of a tag, none ranks the tags of a clip, and an answer that is neither yes nor no is refused.
# Seen 2026-12-01, torchmetrics==1.9.0, torch==2.11.0, scikit-learn==1.9.1, numpy==2.4.6 from PyPI. Source: this run;
#   torchmetrics/functional/classification/ranking.py and confusion_matrix.py (_multilabel_confusion_matrix_format); the sentence above:
#   https://lightning.ai/docs/torchmetrics/stable/classification/coverage_error.html.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torchmetrics==1.9.0 torch==2.11.0 scikit-learn==1.9.1 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn.metrics import coverage_error, label_ranking_loss
from torchmetrics.classification import MultilabelCoverageError, MultilabelRankingLoss

CLIPS, TAGS = 500, 20
draw = np.random.default_rng(0)
truth = (draw.random((CLIPS, TAGS)) < 0.5).astype(int)
known = draw.random(truth.shape) < 0.4
errorless, worthless = 0.5 * truth + 0.4 * draw.random(truth.shape), draw.random(truth.shape)


def both(metric, plain, scores, known):
    """By torchmetrics, told which answers are unknown, and by scikit-learn, clip by clip over the known ones."""
    told = metric(TAGS, ignore_index=-1)(torch.from_numpy(scores), torch.from_numpy(np.where(known, truth, -1))).item()
    rows = [(truth[i : i + 1, of], scores[i : i + 1, of]) for i, of in enumerate(known) if 0 < truth[i, of].sum() < of.sum()]
    return told, float(np.mean([plain(*row) for row in rows]))


all_known = np.ones_like(known)
all_but_one = np.arange(TAGS)[None] != draw.integers(TAGS, size=CLIPS)[:, None]
seen = [
    both(metric, plain, scores, answers)
    for metric, plain, scores in (
        (MultilabelCoverageError, coverage_error, errorless),
        (MultilabelRankingLoss, label_ranking_loss, worthless),
    )
    for answers in (all_known, all_but_one, known)
]
names = [f"{name}, {of}" for name in ("coverage, no error", "ranking loss, worthless") for of in ("all known", "all but one", "40 % known")]
for name, (told, right) in zip(names, seen, strict=True):
    print(f"{name}: torchmetrics {told:.2f}, scikit-learn over the known tags {right:.2f}")
print("torchmetrics", torchmetrics.__version__, "scikit-learn", sklearn.__version__, "torch", torch.__version__)
(whole, one, most), (whole_loss, _, most_loss) = seen[:3], seen[3:]
same = abs(whole[0] - whole[1]) < 0.01 and abs(whole_loss[0] - whole_loss[1]) < 0.01
as_seen = one[0] == most[0] == TAGS and one[1] < 11 and most[1] < 5 and most_loss[0] < 0.2 < 0.45 < most_loss[1]
sys.exit(0 if same and as_seen else 1)
P
