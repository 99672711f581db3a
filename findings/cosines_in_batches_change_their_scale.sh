#!/usr/bin/env bash
# One would guess: the ROC-AUC of scores depends on their order alone, so that torchmetrics gives the same however the test clips are
#   parted into batches, and for cosines as for anything else.
# What happens: torchmetrics 1.9.0 looks at each batch: where one score is below 0 or above 1 it takes all of that batch for
#   logits and puts a sigmoid over them, else none. Cosines with a tag's prototype are mostly above 0, and seldom below. Ranked
#   without an error, 64 clips have a macro ROC-AUC and mAP of 1.00 in one batch and of .91 to .93 in batches of 4 or 1: what is .3
#   in one batch stands beside .57 in the next. Nothing is said.
# Why it matters here: few-shot taggers and CLAP answer with cosines. Two papers with the same scores report other figures by
#   their batch size. Metrics here take all scores of a test side at once.
# Seen 2026-11-30, torchmetrics==1.9.0, torch==2.11.0, numpy==2.4.6 from PyPI. Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torchmetrics==1.9.0 torch==2.11.0 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'P'
import sys

import torch
import torchmetrics
from torchmetrics.classification import MultilabelAUROC, MultilabelAveragePrecision

CLIPS, TAGS = 64, 3
drawn = torch.Generator().manual_seed(0)
has = torch.rand(CLIPS, TAGS, generator=drawn) < 0.4
# Every clip with a tag is nearer to its prototype than every clip without; of each eight one looks away from what it is not.
cosines = 0.3 * torch.rand(CLIPS, TAGS, generator=drawn) + 0.35 * has
cosines[::8] = torch.where(has[::8], cosines[::8], -0.1)


def by_batches(scores: torch.Tensor, size: int) -> tuple[float, float]:
    kinds = [kind(num_labels=TAGS) for kind in (MultilabelAUROC, MultilabelAveragePrecision)]
    for start in range(0, CLIPS, size):
        for metric in kinds:
            metric.update(scores[start : start + size], has[start : start + size].int())
    return tuple(round(float(metric.compute()), 3) for metric in kinds)


print("torchmetrics", torchmetrics.__version__, "torch", torch.__version__)
found = {size: by_batches(cosines, size) for size in (64, 4, 1)}
for size, (area, precision) in found.items():
    print(f"batches of {size}: ROC-AUC {area}, mAP {precision}")
shifted = {size: by_batches((cosines + 1) / 2, size) for size in (64, 4, 1)}
print("the same cosines moved into 0 to 1:", shifted)
right = all(pair == (1.0, 1.0) for pair in shifted.values()) and found[64] == (1.0, 1.0)
sys.exit(0 if right and max(found[4]) < 0.97 and max(found[1]) < 0.97 else 1)
P
