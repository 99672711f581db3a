"""The controlled experiment: every embedded backbone on every controlled tradition, in every mode.

    python -m training.controlled_experiment

The same as running ``python -m mirdemo evaluate --corpus controlled/<tradition> --mode <mode> --backbone <name>
--method <method> --protocol <protocol> --results assets/results/measured.jsonl`` for each; what is measured
already is kept, so it goes on where it was stopped. Run ``python -m training.draw_evidence`` afterwards.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mirdemo.cli import DONE, main
from mirdemo.corpora.controlled import MODES, TRADITIONS
from mirdemo.results import ASSETS

BACKBONES = ("spectral", "mini-west", "mini-world")
#: stage -> protocol: probing by the published protocol on the official split, few-shot over episodes
STAGES = {"probe": "papaioannou2025", "fewshot": "papaioannou2025"}


def run() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ASSETS / "measured.jsonl")
    parser.add_argument("--store", type=Path, help="where embeddings are kept (default: beside your results)")
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=list(STAGES))
    args = parser.parse_args()
    store = ["--store", str(args.store)] if args.store else []
    worst = DONE
    for mode in args.modes:
        for tradition in TRADITIONS:
            for stage in args.stages:
                for backbone in args.backbones:
                    line = ["evaluate", "--corpus", f"controlled/{tradition}", "--mode", mode]
                    line += ["--backbone", backbone, "--method", stage, "--protocol", STAGES[stage]]
                    line += ["--results", str(args.results), *store]
                    print("python -m mirdemo", *line, flush=True)
                    worst = max(worst, main(line))
    return worst


if __name__ == "__main__":
    raise SystemExit(run())
