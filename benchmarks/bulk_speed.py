"""Two local workers against one, on the same clips in the same run, each with one thread.

    python benchmarks/bulk_speed.py [--clips 160] [--seconds 15] [--repeats 3] [--backbone spectral] [--rivals]

Both sides are ``mirdemo.bulk.embed_files`` on one Ray cluster of this machine that is started before the clock, with
an empty store each time. The sides take turns. Workers load the backbone anew each time, which two do not do faster
than one, so the time from the first answer to the last is the one that a whole corpus feels (``ratio``); the whole
time is printed beside it (``ratio_with_start``). On a machine where others work, the clock says little: then look at
``processor_seconds``, what the workers burnt (the same for both sides if the second worker costs nothing), and at
``busy``, the share of the clock that one worker of each side spent computing.

``--rivals``: beside a plain loop over the files in one process (one thread), and beside Ray Data used as its tutorial for batch
inference shows (https://docs.ray.io/en/latest/data/batch_inference.html): a class that loads the backbone, two actors, rows that
come back to the driver. Both keep nothing on the disk; clips a second from the first answer to the last, as for ours.

Prints one JSON object. The goal is a ratio of 1.85. On two cores that nobody else uses it ends within three minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATE = 22_050


def write_clips(folder: Path, n: int, seconds: float) -> list[Path]:
    """n unlike FLAC files: tones that come and go over noise."""
    import soundfile

    t = np.arange(round(seconds * RATE)) / RATE
    paths = []
    for number in range(n):
        rng = np.random.default_rng(number)
        wave = 0.02 * rng.standard_normal(len(t))
        for frequency in 55 * 2 ** rng.uniform(0, 6, 8):
            wave += 0.05 * np.sin(2 * np.pi * frequency * t) * (1 + np.sin(t * rng.uniform(0.5, 5)))
        paths.append(folder / f"{number}.flac")
        soundfile.write(paths[-1], wave, RATE)
    return paths


def workers_processor_seconds() -> float:
    """Processor time of all Ray workers below this process that are alive now."""
    import psutil

    spent = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name().startswith("ray::"):
                times = process.cpu_times()
                spent += times.user + times.system
        except psutil.Error:
            continue
    return spent


class Clock:
    """A progress that notes when the first and the last clip were done, and what the workers had burnt by then."""

    def __init__(self) -> None:
        self.first: tuple[float, float, int] | None = None
        self.last: tuple[float, float, int] | None = None

    def __call__(self, done: int, total: int, phase: str) -> None:
        if done and (self.first is None or done == total):
            now = (time.perf_counter(), workers_processor_seconds(), done)
            self.first = self.first or now
            self.last = now


def once(paths: list[Path], count: int, backbone: str, store_root: Path) -> dict[str, float]:
    from mirdemo.bulk import Named, Workers, embed_files
    from mirdemo.embedding.store import EmbeddingStore

    clock = Clock()
    began = time.perf_counter()
    report = embed_files(
        paths,
        Named(backbone, dtype="float32"),
        store=EmbeddingStore(store_root),
        workers=Workers(count),
        progress=clock,
    )
    assert report.computed == len(paths), "something was stored already, or failed"
    assert len(report.by_worker) == count, "a worker was never used: take more clips"
    (first, burnt_first, done_first), (last, burnt_last, done_last) = clock.first, clock.last
    return {
        "whole": time.perf_counter() - began,
        "clips_per_second": (done_last - done_first) / (last - first),
        "processor_per_clip": (burnt_last - burnt_first) / (done_last - done_first),
        "busy": (burnt_last - burnt_first) / (last - first) / count,
    }


def plain_loop(paths: list[Path], backbone: str) -> float:
    """Clips a second of one process, the backbone loaded before."""
    from mirdemo.backbones import load_backbone
    from mirdemo.embedding.embed import embed
    from mirdemo.sound.audio import load_clip

    loaded = load_backbone(backbone, device="cpu", dtype="float32")
    embed([load_clip(paths[0])], loaded)
    began = time.perf_counter()
    rows = [embed([load_clip(path)], loaded).layers for path in paths]
    assert len(rows) == len(paths)
    return len(paths) / (time.perf_counter() - began)


class _Tutorial:
    """What the tutorial calls a callable class: the model loaded once, a batch of paths in, their rows out."""

    def __init__(self, backbone: str) -> None:
        from mirdemo.backbones import load_backbone

        self._backbone = load_backbone(backbone, device="cpu", dtype="float32")

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        from mirdemo.embedding.embed import embed
        from mirdemo.sound.audio import load_clip

        made = embed([load_clip(path) for path in batch["item"]], self._backbone)
        return {"path": batch["item"]} | {f"layer {name}": rows for name, rows in made.layers.items()}


def ray_data(ray, paths: list[Path], backbone: str, count: int) -> float:
    """Clips a second of ``count`` actors, from the first row that came back to the last."""
    dataset = ray.data.from_items([str(path) for path in paths]).map_batches(
        _Tutorial, fn_constructor_args=(backbone,), batch_size=16, concurrency=count
    )
    first = last = done = 0.0
    before = 0
    for batch in dataset.iter_batches(batch_size=None):
        last = time.perf_counter()
        first, before = (first, before) if first else (last, len(batch["path"]))
        done += len(batch["path"])
    assert done == len(paths)
    return (done - before) / (last - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--backbone", default="spectral")
    parser.add_argument("--rivals", action="store_true")
    options = parser.parse_args()

    from mirdemo.bulk import Workers, engine

    turns: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with (
        tempfile.TemporaryDirectory() as scratch,
        engine.cluster(Workers(count=2), lambda sentence: print(sentence, file=sys.stderr)) as ray,
    ):
        paths = write_clips(Path(scratch), options.clips, options.seconds)
        for turn in range(options.repeats):
            for count, made in turns.items():
                made.append(once(paths, count, options.backbone, Path(scratch) / f"store-{turn}-{count}"))
        rivals = {}
        if options.rivals:
            rivals = {
                "plain_loop_clips_per_second": round(plain_loop(paths, options.backbone), 2),
                "ray_data_clips_per_second": round(ray_data(ray, paths, options.backbone, 2), 2),
            }

    def median(count: int, name: str) -> float:
        return statistics.median(made[name] for made in turns[count])

    def ratio(name: str) -> float:
        return statistics.median(two[name] / one[name] for one, two in zip(turns[1], turns[2], strict=True))

    report = {
        "benchmark": "bulk_speed",
        "backbone": options.backbone,
        "clips": options.clips,
        "seconds_each": options.seconds,
        "ratio": round(ratio("clips_per_second"), 2),
        "ratios": [
            round(two["clips_per_second"] / one["clips_per_second"], 2)
            for one, two in zip(turns[1], turns[2], strict=True)
        ],
        "ratio_with_start": round(1 / ratio("whole"), 2),
        "clips_per_second": {count: round(median(count, "clips_per_second"), 2) for count in turns},
        "processor_seconds_per_clip": {
            count: round(median(count, "processor_per_clip"), 4) for count in turns
        },
        "busy": {count: round(median(count, "busy"), 2) for count in turns},
        **rivals,
        "repeats": options.repeats,
        "processors": os.cpu_count(),
        "load_at_the_end": os.getloadavg()[0],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
