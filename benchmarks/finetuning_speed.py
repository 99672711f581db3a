"""Fine-tuning on the cached prefix against plain partial fine-tuning: speed, peak memory, losses.

    python benchmarks/finetuning_speed.py --size tiny|95m|330m [--windows 100] [--epochs 10] [--batch 16] [--blocks N]

Random weights in MERT's published shapes, windows of 5 s of noise, float32; the published number of blocks is trained
(two of 95M, one of 330M). The rival trains the same tail with the same code, seeds and batches, but runs the frozen
prefix again for every batch, as partial fine-tuning is usually written. Each runs in a process of its own, ours before
and after the rival, so that other load on the machine meets both; ``--device cuda`` measures on a GPU.

Prints one JSON object: seconds per epoch after the first and of the whole job (the prefix included; of the rival
without the pass that standardises the head's input, which it shares with us) and their ratios, in wall time and in
processor time, the largest difference of losses, and the peak memory of each (resident, or the GPU's).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS, TAGS = 5.0, 5
#: Rates at which random weights neither stand still nor run away.
TAIL_RATE, HEAD_RATE = 1e-5, 1e-3


def measure(folder: Path, options: argparse.Namespace) -> dict:
    """In this process: train one way, and tell what it took."""
    import numpy as np
    import torch
    from finetuning.plain_finetuning import FullForward

    from mirdemo.backbones import load_backbone
    from mirdemo.base.progress import silent
    from mirdemo.sound.audio import Clip
    from mirdemo.stages.finetuning import FineTuneSettings, training
    from mirdemo.stages.finetuning.memory import Room
    from mirdemo.stages.finetuning.prefix_cache import PrefixCache
    from mirdemo.stages.finetuning.step import pooled

    name = "mert-330m" if options.size == "330m" else "mert-95m"
    backbone = load_backbone(name, checkpoint=folder, device=options.device, dtype="float32")
    rng = np.random.default_rng(0)
    rate = backbone.spec.sample_rate
    clips = [
        Clip.of(0.1 * rng.standard_normal(round(SECONDS * rate), dtype=np.float32), rate, str(i))
        for i in range(options.windows)
    ]
    labels = (rng.random((options.windows, TAGS)) < 0.4).astype(np.uint8)
    labels[0], labels[1] = 0, 1
    settings = FineTuneSettings(
        epochs=options.epochs,
        batch=options.batch,
        tail_rate=TAIL_RATE,
        head_rate=HEAD_RATE,
        precision="float32",
    )
    split = backbone.split(options.blocks)
    room = Room.on(backbone.device, backbone.spec.window_seconds, settings.batch)
    everything = np.arange(options.windows)
    on_gpu = backbone.device.type == "cuda"

    def now() -> np.ndarray:
        if on_gpu:
            torch.cuda.synchronize()
        return np.array([time.perf_counter(), time.process_time()])

    loaded = peak_bytes()
    marks = [now()]
    if options.way == "ours":
        source = PrefixCache.build(
            clips,
            backbone,
            split,
            keeping="exact",
            memory_bytes=settings.memory_bytes,
            progress=silent,
        )
    else:
        source = FullForward(clips, backbone, split)
    marks.append(now())
    start = pooled(split.tail, source, everything, room, name)
    marks.append(now())
    epochs = [now()]
    trained = training.train(
        source,
        split.tail,
        labels,
        everything,
        None,
        start,
        settings,
        room=room,
        title=name,
        on_epoch=lambda epoch: epochs.append(now()),
    )
    before = marks[1] - marks[0] + (marks[2] - marks[1] if options.way == "ours" else 0)
    laps = np.diff(epochs, axis=0)
    return {
        "prefix": (marks[1] - marks[0]).round(3).tolist(),
        "epoch": laps[1:].mean(0).round(4).tolist(),
        "job": (before + laps.sum(0)).round(3).tolist(),
        "losses": trained.losses,
        "loaded_bytes": loaded,
        "peak_bytes": torch.cuda.max_memory_allocated() if on_gpu else peak_bytes(),
        "blocks": split.n_blocks,
        "trainable": sum(p.numel() for p in split.tail.parameters() if p.requires_grad),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
    }


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def in_a_process(folder: Path, way: str, arguments: list[str]) -> dict:
    command = [sys.executable, __file__, *arguments, "--measure", str(folder), "--way", way]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=["tiny", "95m", "330m"], default="tiny")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--blocks", type=int, help="default: as published for the size")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=["ours", "plain"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.windows < 2 or options.epochs < 2:
        parser.error("at least 2 windows and 2 epochs")
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "stages")]
    if options.measure:
        print(json.dumps(measure(options.measure, options)))
        return

    from backbones import tiny

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "mert"
        if options.size == "tiny":
            tiny.tiny_mert(folder, num_hidden_layers=12)
        else:
            tiny.mert_sized(folder, options.size)
        turns = [in_a_process(folder, way, sys.argv[1:]) for way in ("ours", "plain", "ours")]
    ours, plain = turns[::2], turns[1]

    def mean(key: str, clock: int) -> float:
        return sum(turn[key][clock] for turn in ours) / len(ours)

    drift = max(abs(a - b) for a, b in zip(ours[0]["losses"], plain["losses"], strict=True))
    report = {
        "benchmark": "finetuning_speed",
        "size": options.size,
        "windows": options.windows,
        "epochs": options.epochs,
        "batch": options.batch,
        **{key: plain[key] for key in ("blocks", "trainable", "threads", "device")},
        "ours": [{k: v for k, v in turn.items() if k != "losses"} for turn in ours],
        "plain": {k: v for k, v in plain.items() if k != "losses"},
        "largest_loss_difference": drift,
        "last_loss": plain["losses"][-1],
        "epoch_speedup": {
            name: round(plain["epoch"][clock] / mean("epoch", clock), 2)
            for clock, name in enumerate(("wall", "processor"))
        },
        "job_speedup": {
            name: round(plain["job"][clock] / mean("job", clock), 2)
            for clock, name in enumerate(("wall", "processor"))
        },
        "peak_over_plain": round(max(turn["peak_bytes"] for turn in ours) / plain["peak_bytes"], 3),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
