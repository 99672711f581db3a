"""The controlled experiment: every embedded backbone on every controlled tradition, in every mode.

    python -m training.controlled_experiment

The same as running ``python -m mirdemo evaluate --corpus controlled/<tradition> --mode <mode> --backbone <name>
--method <method> --protocol <protocol> --results assets/results/measured.jsonl`` for each; what is measured
already is kept, so it goes on where it was stopped. Run ``python -m training.draw_evidence`` afterwards. Arguments
that are not known here (``--device``, ``--checkpoint``) are handed on to ``evaluate``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mirdemo.backbones.registry import spec
from mirdemo.cli import DONE, main
from mirdemo.results.records import SHIPPED
from mirdemo.synth import MODES, TRADITIONS

BACKBONES = ("spectral", "mini-west", "mini-world")
#: stage -> protocol: probing and fine-tuning by the published protocol on the official split, few-shot over episodes
STAGES = {"probe": "papaioannou2025", "finetune": "papaioannou2025", "fewshot": "papaioannou2025"}
#: Fine-tuning takes twenty times as long as probing: in this mode only.
FINETUNED_MODE = "full"


def measure(
    backbones: Sequence[str],
    modes: Sequence[str],
    stages: Sequence[str],
    *,
    results: Path,
    store: Path | None = None,
    more: Sequence[str] = (),
) -> int:
    """Run ``evaluate`` for every combination and tradition; returns the worst exit code. Fine-tuning is left out where
    there are no layers to train, and in other modes than ``FINETUNED_MODE``.

    results: file of records that is added to; store: where embeddings are kept; more: further arguments of
    ``evaluate``
    """
    kept = ["--store", str(store)] if store else []
    worst = DONE
    for mode in modes:
        for tradition in TRADITIONS:
            for stage in stages:
                for backbone in backbones:
                    if stage == "finetune" and not (mode == FINETUNED_MODE and spec(backbone).tail_blocks):
                        continue
                    line = ["evaluate", "--corpus", f"controlled/{tradition}", "--mode", mode]
                    line += ["--backbone", backbone, "--method", stage, "--protocol", STAGES[stage]]
                    line += ["--results", str(results), *kept, *more]
                    print("python -m mirdemo", *line, flush=True)
                    worst = max(worst, main(line))
    return worst


def run() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=SHIPPED / "measured.jsonl")
    parser.add_argument("--store", type=Path, help="where embeddings are kept (default: beside your results)")
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=list(STAGES))
    args, more = parser.parse_known_args()
    return measure(args.backbones, args.modes, args.stages, results=args.results, store=args.store, more=more)


if __name__ == "__main__":
    raise SystemExit(run())
