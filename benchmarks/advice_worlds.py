"""The music that simulated visitors hold and have waiting: controlled performances, embedded once and kept.

    python benchmarks/advice_worlds.py FOLDER

A world is one tradition, heard clean or through a disturbed line: hundreds of performances, of which a visitor has labelled
some and the others wait. Those that wait say what an action truly saves.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.embedding.embed import embed
from mirdemo.sound.audio import Clip
from mirdemo.synth import ControlledClip, corpus
from mirdemo.synth.disturbing import disturb

RATE = 24_000
SECONDS = 8.0
SPLIT = "test"  # nothing that ships was trained on its tonics, tempi, timbres and phrases
SEED = 140
TRADITIONS = ("western", "makam")
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


def sounds(tradition: str, heard: str) -> list[Clip]:
    """A world's performances as clips, named by their recordings."""
    made = enumerate(_rendered(tradition))
    return [Clip.of(_heard(one.samples, heard, n), RATE, one.recording) for n, one in made]


@lru_cache(maxsize=1)
def _rendered(tradition: str) -> tuple[ControlledClip, ...]:
    """Rendering takes minutes; the two ways of hearing a tradition follow each other."""
    return tuple(corpus(tradition, SPLIT, PERFORMANCES, SEED, seconds=SECONDS, rate=RATE))


def _heard(samples: np.ndarray, heard: str, number: int) -> np.ndarray:
    if heard == "clean":
        return samples
    return disturb(samples, RATE, np.random.default_rng([SEED, number, True]))


def world(tradition: str, heard: str, cache: Path) -> World:
    """A world from the cache, or embedded now (both ways of hearing it at once, for rendering costs most)."""
    path = _path(cache, tradition, heard)
    if not path.is_file():
        _embed(tradition, cache)
    with np.load(path) as kept:
        rows: dict[str, dict[str, np.ndarray]] = {}
        for key in kept.files:
            if "|" in key:
                backbone, layer = key.split("|")
                rows.setdefault(backbone, {})[layer] = kept[key]
        return World(tradition, heard, rows, tuple(json.loads(str(kept["tags"]))), kept["labels"])


def _path(cache: Path, tradition: str, heard: str) -> Path:
    return cache / f"{tradition}-{SPLIT}-{heard}.npz"


def _embed(tradition: str, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    backbones = {name: load_backbone(name) for name in BACKBONES}
    made: dict[str, dict[str, list[np.ndarray]]] = {heard: {} for heard in HEARD}
    of_clips: list[tuple[str, ...]] = []
    pending: list[tuple[int, np.ndarray, str]] = []

    def flush() -> None:
        for heard in HEARD:
            clips = [Clip.of(_heard(wave, heard, n), RATE, name) for n, wave, name in pending]
            for name, backbone in backbones.items():
                for layer, rows in embed(clips, backbone).layers.items():
                    made[heard].setdefault(f"{name}|{layer}", []).append(np.asarray(rows, np.float32))
        pending.clear()

    for number, one in enumerate(corpus(tradition, SPLIT, PERFORMANCES, SEED, seconds=SECONDS, rate=RATE)):
        pending.append((number, one.samples, one.recording))
        of_clips.append(one.tags)
        if len(pending) == BATCH:
            flush()
    if pending:
        flush()
    tags = sorted({tag for tags in of_clips for tag in tags})
    labels = np.array([[tag in own for tag in tags] for own in of_clips], np.uint8)
    for heard in HEARD:
        whole = {key: np.concatenate(parts) for key, parts in made[heard].items()}
        facts = {"tags": json.dumps(tags, ensure_ascii=False), "labels": labels}
        np.savez(_path(cache, tradition, heard), **facts, **whole)


if __name__ == "__main__":
    for each in TRADITIONS:
        world(each, "clean", Path(sys.argv[1]))
        print(each, flush=True)
