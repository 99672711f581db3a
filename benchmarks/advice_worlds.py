"""The music that simulated visitors hold and have waiting: controlled performances, embedded once and kept.

    python benchmarks/advice_worlds.py FOLDER [TRADITION ...]

A world is one tradition, heard clean or through a disturbed line: hundreds of performances, of which a visitor has labelled
some and the others wait. Those that wait say what an action truly saves.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip
from mirdemo.synth import Performance, plan, render
from mirdemo.synth.disturbing import disturb

RATE = 24_000
SECONDS = 8.0
SPLIT = "test"  # nothing that ships was trained on its tonics, tempi, timbres and phrases
SEED = 140
TRADITIONS = ("western", "greek", "makam", "hindustani", "carnatic", "festival")
BACKBONES = ("spectral", "mini-west", "mini-world", "mini-world-spectral")
HEARD = ("clean", "degraded")
PERFORMANCES = 240
#: Performances rendered and embedded at a time.
BATCH = 24


@dataclass(frozen=True, eq=False)
class World:
    """Every performance of a tradition.

    rows: backbone -> layer -> float32 (n, size); tags: (n_tags,); labels: uint8 (n, n_tags)
    """

    tradition: str
    heard: str
    rows: dict[str, dict[str, np.ndarray]]
    tags: tuple[str, ...]
    labels: np.ndarray


def world(tradition: str, heard: str, cache: Path) -> World:
    """A world from the cache; what is not there is rendered and embedded now, ``BATCH`` performances at a time."""
    parts = [rows_of_part(tradition, heard, cache, first) for first in range(0, PERFORMANCES, BATCH)]
    rows = {
        backbone: {
            layer: np.concatenate([part[f"{backbone}|{layer}"] for part in parts])
            for name, layer in (key.split("|") for key in parts[0])
            if name == backbone
        }
        for backbone in BACKBONES
    }
    of_clips = [_planned(tradition, number).tags for number in range(PERFORMANCES)]
    tags = sorted({tag for own in of_clips for tag in own})
    labels = np.array([[tag in own for tag in tags] for own in of_clips], np.uint8)
    return World(tradition, heard, rows, tuple(tags), labels)


def rows_of_part(tradition: str, heard: str, cache: Path, first: int) -> dict[str, np.ndarray]:
    """``backbone|layer`` -> float32 (``BATCH``, size), kept in a file of their own: a run may stop anywhere."""
    path = cache / "rows" / f"{tradition}-{heard}-{first:03}.npz"
    if not path.is_file():
        clips = _clips(tradition, heard, cache, first)
        made = {
            f"{name}|{layer}": np.asarray(rows, np.float32)
            for name in BACKBONES
            for layer, rows in embed(clips, load_backbone(name)).layers.items()
        }
        _keep(path, **made)
    with np.load(path) as kept:
        return dict(kept)


def sounds(tradition: str, heard: str, cache: Path) -> list[Clip]:
    """A world's performances as clips, named by their recordings; rendered now where they were not kept."""
    return [
        clip for first in range(0, PERFORMANCES, BATCH) for clip in _clips(tradition, heard, cache, first)
    ]


def _clips(tradition: str, heard: str, cache: Path, first: int) -> list[Clip]:
    path = cache / "sounds" / f"{tradition}-{first:03}.npz"
    played = [_planned(tradition, number) for number in range(first, first + BATCH)]
    if not path.is_file():
        _keep(path, samples=np.stack([render(one, RATE) for one in played]))
    with np.load(path) as kept:
        waves = kept["samples"]
    return [
        Clip.of(_heard(wave, heard, first + n), RATE, one.recording)
        for n, (wave, one) in enumerate(zip(waves, played, strict=True))
    ]


def _planned(tradition: str, number: int) -> Performance:
    """What is played, without its sound."""
    return plan(tradition, SEED * 1_000_003 + number, split=SPLIT, seconds=SECONDS)


def _keep(path: Path, **arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)


def _heard(samples: np.ndarray, heard: str, number: int) -> np.ndarray:
    if heard == "clean":
        return samples
    return disturb(samples, RATE, np.random.default_rng([SEED, number, True]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("traditions", nargs="*", default=TRADITIONS)
    args = parser.parse_args()
    for each in args.traditions:
        for way in HEARD:
            world(each, way, args.folder)
            print(each, way, flush=True)
