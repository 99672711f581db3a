"""Fill the cache of training clips.

    python training/make_clips.py --cache FOLDER --source soundfont --clips 6000
    python training/make_clips.py --cache FOLDER --source western,greek --clips 400 --part 0/2

A source is a tradition of ``mirdemo.synth`` or ``soundfont``; ``--clips`` is the number of each. Part
``i/n`` makes every n-th batch, so n processes share the work. Finished batches are left as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clip_cache import SECONDS, write_part
from soundfont import draw_band, render_bands

from mirdemo.backbones.frontend import SAMPLE_RATE
from mirdemo.synth import plan, render

BATCH = 50


def soundfont_clips(batch: int, split: str) -> Iterator[tuple[NDArray[np.float32], dict[str, Any]]]:
    """One batch of band clips, every other batch with fluidsynth's own room."""
    rng = np.random.default_rng([batch, 0 if split == "train" else 1, 4711])
    bands = [draw_band(rng, SECONDS, split) for _ in range(BATCH)]
    for i, (band, wave) in enumerate(zip(bands, render_bands(bands, SECONDS, batch % 2 == 1), strict=True)):
        if np.abs(wave).max() < 1e-4:
            continue
        tags = [f"{family}--{tag}" for family, names in band.tags.items() for tag in names]
        tonic_hz = 440.0 * 2 ** ((band.tonic - 9 + band.cents / 100) / 12)
        yield (
            wave,
            {"clip": f"soundfont/{split}/{batch}/{i}", "tags": tags, "bpm": band.bpm, "tonic_hz": tonic_hz},
        )


def controlled_clips(
    tradition: str, batch: int, split: str
) -> Iterator[tuple[NDArray[np.float32], dict[str, Any]]]:
    """One batch of a tradition: of five performances three in full, one pitch only, one timbre only."""
    for i in range(BATCH):
        seed = batch * BATCH + i
        mode = ("full", "full", "full", "pitch", "timbre")[seed % 5]
        performance = plan(tradition, seed, mode=mode, split=split, seconds=SECONDS)
        yield (
            render(performance, SAMPLE_RATE),
            {
                "clip": performance.recording,
                "mode": mode,
                "tags": list(performance.tags),
                "bpm": performance.tempo,
                "tonic_hz": None if mode == "timbre" else performance.tonic,
            },
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--source", required=True, help="one or several, separated by commas")
    parser.add_argument("--split", default="train", choices=["train", "valid", "test"])
    parser.add_argument("--clips", type=int, required=True)
    parser.add_argument("--part", default="0/1")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, chosen.part.split("/"))
    for batch in range(part, -(-chosen.clips // BATCH), parts):
        for source in chosen.source.split(","):
            path = chosen.cache / f"{source}-{chosen.split}" / f"{batch:05d}"
            if path.with_suffix(".npz").exists():
                continue
            clips = (
                soundfont_clips(batch, chosen.split)
                if source == "soundfont"
                else controlled_clips(source, batch, chosen.split)
            )
            write_part(path, clips, seed=batch)
            print(path, flush=True)


if __name__ == "__main__":
    main()
