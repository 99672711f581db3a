"""Seconds of each engine for published shapes, beside transformers as it comes, in one run.

python benchmarks/engine_speed.py [--networks mert-95m mert-330m] [--rounds 5] [--threads N] [--out FILE.json]

Random weights: speed does not depend on them, and no download is needed. All compute the same two whole windows, one after
the other in every round; printed are medians of the rounds and their ratio to transformers' default in float32
(``HubertModel``'s own forward with all hidden states). Wall time, and the processor's: on a machine that others use only the
latter says something, and only with one thread. Cosine: the lowest of any layer to torch's, on the test sounds.
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
    parser.add_argument("--threads", type=int, help="default: as many as there are cores")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    from mirdemo.base import threads

    threads.prepare()
    if asked.threads:
        os.environ.update(threads.surroundings(asked.threads))
    found = [measure(name, asked.rounds) for name in asked.networks]
    for one in found:
        print(
            f"{one['network']}, {one['threads']} threads, load {one['load']:.1f}, n = {asked.rounds} rounds, medians, no interval"
        )
        for kind in one["wall"]:
            wall, processor = one["wall"][kind], one["processor"][kind]
            print(
                f"  {kind:14} {wall:6.2f} s ({one['wall']['transformers'] / wall:.2f} times transformers), "
                f"of the processor {processor:6.2f} s ({one['processor']['transformers'] / processor:.2f} times)"
                + (
                    f", cosine {one['cosine'][kind]:.6f}, converted in {one['conversion'][kind]:.0f} s"
                    if kind in one["cosine"]
                    else ""
                )
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

        folder = tiny.mert_sized(Path(scratch) / "checkpoint", SIZES[name])
        fast = {
            kind: load_backbone(name, folder, "cpu", "float32", engine=kind)
            for kind in ("openvino", "openvino-int8")
        }
        plain = load_backbone(name, folder, "cpu", "float32", engine="torch")
        rival = HubertModel.from_pretrained(folder).eval()
        waves = 0.1 * torch.randn(2, plain.spec.window_samples, generator=torch.Generator().manual_seed(1))

        def transformers_own() -> None:
            with torch.no_grad():
                rival(waves, output_hidden_states=True)

        work: dict[str, Callable[[], object]] = {
            "transformers": transformers_own,
            "torch": lambda: plain.hidden_states(waves),
            "openvino": lambda: fast["openvino"].hidden_states(waves),
            "openvino-int8": lambda: fast["openvino-int8"].hidden_states(waves),
        }
        wall: dict[str, list[float]] = {kind: [] for kind in work}
        processor: dict[str, list[float]] = {kind: [] for kind in work}
        for turn in range(rounds + 1):
            for kind, run in work.items():
                began = time.perf_counter(), time.process_time()
                run()
                if turn:  # the first round warms up
                    wall[kind].append(time.perf_counter() - began[0])
                    processor[kind].append(time.process_time() - began[1])
        return {
            "network": name,
            "machine": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "load": os.getloadavg()[0],
            "versions": {"torch": torch.__version__, "engine": fast["openvino-int8"].engine.proof.engine},
            "rounds": rounds,
            "wall": {kind: statistics.median(taken) for kind, taken in wall.items()},
            "processor": {kind: statistics.median(taken) for kind, taken in processor.items()},
            "cosine": {kind: one.engine.proof.cosine for kind, one in fast.items()},
            "conversion": {kind: one.engine.proof.conversion_seconds for kind, one in fast.items()},
        }


if __name__ == "__main__":
    main()
