"""Seconds of each engine for MERT's published shapes, beside transformers as it comes, in one run.

python benchmarks/engine_speed.py [--networks mert-95m mert-330m] [--rounds 5] [--out FILE.json]

Random weights: speed does not depend on them, and no download is needed. All three compute the same two whole windows in
float32, one after the other in every round; printed is the median of the rounds and its ratio to transformers' default
(``HubertModel``'s own forward with all hidden states). Cosine: the lowest of any layer to torch's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

#: Name in the registry -> size, as the tests' maker of checkpoints has it.
SIZES = {"mert-95m": "95m", "mert-330m": "330m"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=SIZES, default=["mert-95m"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    from mirdemo.base import threads

    threads.prepare()
    found = [measure(name, asked.rounds) for name in asked.networks]
    for one in found:
        print(
            f"{one['network']}: transformers {one['transformers']:.2f} s for two windows; torch here {one['torch']:.2f} s "
            f"({one['transformers'] / one['torch']:.2f} times); OpenVINO {one['openvino']:.2f} s "
            f"({one['transformers'] / one['openvino']:.2f} times), lowest cosine {one['cosine']:.6f}, "
            f"converted in {one['conversion']:.0f} s; n = {asked.rounds} rounds, medians, no interval"
        )
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure(name: str, rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MIRDEMO_HOME"] = scratch
        import torch
        from backbones import tiny
        from transformers import HubertModel

        from mirdemo.backbones import load_backbone
        from mirdemo.base import threads

        folder = tiny.mert_sized(Path(scratch) / "checkpoint", SIZES[name])
        fast = load_backbone(name, folder, "cpu", "float32", engine="openvino")
        plain = load_backbone(name, folder, "cpu", "float32", engine="torch")
        rival = HubertModel.from_pretrained(folder).eval()
        waves = 0.1 * torch.randn(2, plain.spec.window_samples, generator=torch.Generator().manual_seed(1))

        def transformers_own() -> None:
            with torch.no_grad():
                rival(waves, output_hidden_states=True)

        work: dict[str, Callable[[], object]] = {
            "transformers": transformers_own,
            "torch": lambda: plain.hidden_states(waves),
            "openvino": lambda: fast.hidden_states(waves),
        }
        seconds: dict[str, list[float]] = {kind: [] for kind in work}
        for turn in range(rounds + 1):
            for kind, run in work.items():
                began = time.perf_counter()
                run()
                if turn:  # the first round warms up
                    seconds[kind].append(time.perf_counter() - began)
        proof = fast.engine.proof
        return {
            "network": name,
            "machine": platform.processor() or platform.machine(),
            "cores": threads.cores(),
            "versions": {"torch": torch.__version__, "engine": proof.engine},
            "rounds": rounds,
            **{kind: statistics.median(taken) for kind, taken in seconds.items()},
            "cosine": proof.cosine,
            "conversion": proof.conversion_seconds,
        }


if __name__ == "__main__":
    main()
