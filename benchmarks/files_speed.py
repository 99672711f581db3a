"""Embedding files beside the model's own time: does anybody wait for decoding and resampling?

    python benchmarks/files_speed.py [--files 6] [--seconds 60] [--backbone mini-world] [--rounds 3]

Stereo FLAC files at 44.1 kHz through ``embed_stream``, as the command line reads them (decoded and resampled beside the model),
and the same sound through ``embed`` where it lies in memory at the backbone's rate already: the model's own time. Weights that
are not here are random ones of the published shape. The sides take turns. Prints one JSON object: the ratio of the medians by the
clock, and of processor time (which other load hardly changes): what decoding and resampling cost beside the model.
The goal is a ratio of 1.05 by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

RATE = 44_100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--backbone", default="mini-world")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    from mirdemo.base import threads

    threads.prepare()
    import numpy as np
    import soundfile
    import torch

    from mirdemo.backbones import load_backbone, random_weights
    from mirdemo.backbones.registry import status
    from mirdemo.embedding.embed import embed
    from mirdemo.embedding.streaming import embed_stream
    from mirdemo.sound.audio import Clip, load_clip

    with tempfile.TemporaryDirectory() as scratch:
        if status(asked.backbone).fetched:
            backbone = load_backbone(asked.backbone, device="cpu")
        else:
            os.environ["MIRDEMO_HOME"] = scratch
            backbone = random_weights.load(asked.backbone, Path(scratch) / "checkpoint", "auto", "auto")
        paths, clips = [], []
        for number in range(asked.files):
            draw = np.random.default_rng(number)
            path = Path(scratch) / f"{number}.flac"
            wave = 0.1 * draw.standard_normal((round(asked.seconds * RATE), 2)).cumsum(axis=0)
            soundfile.write(path, 0.5 * wave / np.abs(wave).max(), RATE)
            paths.append(path)
            rate = backbone.spec.sample_rate
            clips.append(Clip.of(load_clip(path).at(rate), rate))

        def files() -> None:
            made = [group.embeddings for group in embed_stream(paths, load_clip, backbone)]
            assert sum(map(len, made)) == len(paths)

        def model() -> None:
            assert len(embed(clips, backbone)) == len(paths)

        sides: dict[str, Callable[[], None]] = {"files": files, "model": model}
        wall: dict[str, list[float]] = {name: [] for name in sides}
        processor: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(asked.rounds + 1):
            for name, run in sides.items():
                began = time.perf_counter(), time.process_time()
                run()
                if turn:
                    wall[name].append(time.perf_counter() - began[0])
                    processor[name].append(time.process_time() - began[1])

    def ratio(taken: dict[str, list[float]]) -> float:
        return round(statistics.median(taken["files"]) / statistics.median(taken["model"]), 3)

    report = {
        "benchmark": "files_speed",
        "backbone": asked.backbone,
        "dtype": backbone.identity.dtype,
        "files": asked.files,
        "seconds_each": asked.seconds,
        "rounds": asked.rounds,
        "ratio": ratio(wall),
        "processor_ratio": ratio(processor),
        "seconds": {name: round(statistics.median(taken), 2) for name, taken in wall.items()},
        "processor_seconds": {name: round(statistics.median(taken), 2) for name, taken in processor.items()},
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
