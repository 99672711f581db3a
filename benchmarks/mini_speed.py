"""How long does a mini backbone take for 30 s of sound on two threads, against the spectral backbone?

    python benchmarks/mini_speed.py [--threads 2]

Prints the median and the fastest of repeated runs of each, the processor seconds a run took (which other load on the
machine hardly changes), and the ratio. The promise is under 0.15 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    rng = np.random.default_rng(0)
    medians = {}
    for name in ("spectral", "mini-west", "mini-world"):
        backbone = load_backbone(name, device="cpu")
        rate = backbone.spec.sample_rate
        clip = Clip.of(0.1 * rng.standard_normal(30 * rate).astype(np.float32), rate)
        embed([clip], backbone)
        times, processor = [], time.process_time()
        for _ in range(chosen.runs):
            began = time.perf_counter()
            embed([clip], backbone)
            times.append(time.perf_counter() - began)
        processor = (time.process_time() - processor) / chosen.runs
        medians[name] = float(np.median(times))
        print(
            f"{name:12} 30 s in {medians[name]:.3f} s (fastest {min(times):.3f}; {processor:.3f} processor seconds; "
            f"{chosen.runs} runs, {chosen.threads} threads)"
        )
    print(f"mini-world / spectral: {medians['mini-world'] / medians['spectral']:.2f}")


if __name__ == "__main__":
    main()
