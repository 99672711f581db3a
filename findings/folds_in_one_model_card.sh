#!/usr/bin/env bash
# One would guess: results that huggingface_hub writes into a model card come back as they were given: each with its own arguments, its own
#   task and its own source.
# What happens: huggingface_hub 2.4.0 puts results together that have one kind of task and one dataset, config, split and revision, and
#   writes the dataset's name and arguments, the name of the task and the source of the first for all. Fold 2 comes back as fold 1, ten shots
#   as one shot, "Lyra, genres" as "Lyra, instruments", and a figure that was measured elsewhere as one of the first source. Nothing is
#   said.
# Why it matters here: probe, few-shot and fine-tuning on one corpus, fold by fold, beside a published row, is just what is compared. A card
#   then has figures under a setting that never gave them, and leaderboards read cards. Figures of ours stand in a table of the card, each
#   with what it is of; no model-index is written.
# Seen 2026-12-01, huggingface-hub==2.4.0 from PyPI, the newest there. Source: this run; huggingface_hub/repocard_data.py,
#   EvalResult.unique_identifier and eval_results_to_model_index; https://github.com/huggingface/huggingface_hub/issues/4975 (closed).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q huggingface-hub==2.4.0
"$work/venv/bin/python" - <<'P'
import sys

import huggingface_hub
from huggingface_hub import EvalResult, ModelCard, ModelCardData

PAIRS = {
    "dataset_args": ({"fold": 1}, {"fold": 2}),
    "task_name": ("one shot", "ten shots"),
    "dataset_name": ("Lyra, instruments", "Lyra, genres"),
    "source_url": ("https://example.org/ours", "https://example.org/published"),
    "dataset_config": ("instruments", "genres"),
    "dataset_split": ("validation", "test"),
}


def result(value, **more):
    plain = {"task_type": "audio-classification", "dataset_type": "lyra", "dataset_name": "Lyra", "metric_type": "roc_auc"}
    return EvalResult(**{**plain, "metric_value": value, **more})


kept = {}
for field, (first, second) in PAIRS.items():
    given = [result(0.8, **{field: first}), result(0.7, **{field: second})]
    card = ModelCard(f"---\n{ModelCardData(model_name='tagger', eval_results=given).to_yaml()}\n---\n# Tagger\n")
    back = {read.metric_value: getattr(read, field) for read in card.data.eval_results}
    kept[field] = back == {0.8: first, 0.7: second}
    print(f"{field}: 0.7 was measured for {second!r} and comes back for {back[0.7]!r}")
print("huggingface_hub", huggingface_hub.__version__)
lost = [field for field, well in kept.items() if not well]
sys.exit(0 if lost == ["dataset_args", "task_name", "dataset_name", "source_url"] else 1)
P
