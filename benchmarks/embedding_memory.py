"""Peak memory of embedding a 10-minute clip with a MERT-330M-sized network on the CPU.

    python benchmarks/embedding_memory.py [--minutes 10] [--windows N]

A process of its own loads the network (random weights, no download) and embeds the clip; its peak resident memory,
everything included (Python, torch, transformers, the weights, the wave, the states), is compared with the promise:
the weights plus 1.5 GB. The rival in the same run is the plain way: one pass of the whole clip's windows as one
batch, cut off at ``--rival-windows`` of them because all 120 would need some hundred GB.
``--windows`` stops each after that many windows, for a machine in a hurry: the peak does not grow after the first few.

Prints one JSON object with the peaks in bytes and the ratio of the peak to the promise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPARE = 1_500_000_000
RATE = 24_000


def peak_bytes() -> int:
    """This process's peak resident memory. Linux hands a parent's peak on to its children: keep the parent small."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(folder: Path, minutes: float, stop_after: int | None, whole: int | None) -> dict[str, float]:
    """In this process: embed, and tell the peak. whole: that many windows as one batch instead."""
    import numpy as np

    from mirdemo.backbones.registry import load_backbone
    from mirdemo.base.sentences import Cancelled
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import Clip

    imported = peak_bytes()
    backbone = load_backbone("mert-330m", checkpoint=folder, device="cpu", dtype="float32")
    loaded = peak_bytes()
    seconds = minutes * 60 if whole is None else whole * backbone.spec.window_seconds
    clip = Clip.of(np.random.default_rng(0).random(round(seconds * 44_100), np.float32) - 0.5, 44_100)
    counts = [0]

    def progress(done: int, total: int, phase: str) -> None:
        counts[0] = done
        if stop_after is not None and done >= stop_after:
            raise Cancelled

    start = time.perf_counter()
    with contextlib.suppress(Cancelled):
        embed([clip], backbone, progress=progress, batch_size=whole)
    return {
        "windows": counts[0],
        "imported_bytes": imported,
        "loaded_bytes": loaded,
        "peak_bytes": peak_bytes(),
        "seconds": round(time.perf_counter() - start, 1),
    }


def in_a_process(*arguments: object) -> str:
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--windows", type=int)
    parser.add_argument("--rival-windows", type=int, default=24)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--whole", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    if options.write:
        from backbones import tiny

        tiny.mert_sized(options.write, "330m")
        return
    if options.measure:
        print(json.dumps(measure(options.measure, options.minutes, options.windows, options.whole)))
        return

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "mert"
        in_a_process("--write", folder)
        weights = (folder / "pytorch_model.bin").stat().st_size
        limits = ["--windows", options.windows] if options.windows else []
        ours = json.loads(in_a_process("--measure", folder, "--minutes", options.minutes, *limits))
        rival = json.loads(in_a_process("--measure", folder, "--whole", options.rival_windows))
    promise = weights + SPARE
    report = {
        "benchmark": "embedding_memory",
        "minutes": options.minutes,
        "weights_bytes": weights,
        "promise_bytes": promise,
        "ours": ours,
        "one_batch": rival,
        "peak_over_promise": round(ours["peak_bytes"] / promise, 3),
        "beyond_weights_bytes": ours["peak_bytes"] - weights,
        "one_batch_over_ours": round(rival["peak_bytes"] / ours["peak_bytes"], 2),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
