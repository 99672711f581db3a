"""Tags by lot over recordings that were cut, in files whose names say nothing: how often are they heard, once the page has asked?

    python benchmarks/cut_recordings.py [FOLDER] [--recordings 12] [--parts 3] [--collections 40] [--tags 8]

FOLDER: sound files, each one recording; without it, controlled performances of the six traditions, 12 of 12 s each, of which a
collection takes one tradition. Every collection draws ``--recordings`` of them, cuts each into ``--parts`` equal clips called part1,
part2, ..., and hands each tag to three eighths of the recordings by lot, so nothing is there to be heard. The live probe of
``spectral`` is asked three times, in the same run: every file its own recording, as they come; with the groups that the page asks
about ("are these from one performance?") accepted; and with the recordings as they truly are.

Printed: the share of tags heard or partly heard, with the standard error over collections; how often anything was asked; of the
pairs of clips of one recording the share that was put together, and of the pairs put together the share that is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.clips.likeness import BACKBONE, LAYER, look_alikes
from mirdemo.embedding.embed import embed
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.stages.probing import probe
from mirdemo.synth.corpus import corpus
from mirdemo.synth.render import RATE
from mirdemo.synth.traditions import TRADITIONS

PERFORMANCES, SECONDS, SHARE, PERMUTATIONS = 12, 12.0, 0.375, 200


def controlled() -> list[list[Clip]]:
    """The performances, tradition by tradition."""
    return [
        [
            Clip.of(one.samples, RATE, one.recording)
            for one in corpus(name, "test", PERFORMANCES, seed=5, seconds=SECONDS)
        ]
        for name in TRADITIONS
    ]


def files(folder: Path) -> list[list[Clip]]:
    return [[load_clip(path) for path in sorted(folder.iterdir()) if path.is_file()]]


def layers_of(recordings: Sequence[Clip], parts: int) -> dict[str, np.ndarray]:
    """Layer -> rows of every part of every recording, (n_recordings, parts, size)."""
    cut = [
        Clip.of(piece, clip.sample_rate, f"{i}-{j}")
        for i, clip in enumerate(recordings)
        for j, piece in enumerate(np.array_split(clip.samples, parts))
    ]
    rows = embed(cut, load_backbone(BACKBONE)).layers
    return {name: own.reshape(len(recordings), parts, -1) for name, own in rows.items()}


def false_words(layers: dict[str, np.ndarray], labels: np.ndarray, recordings: Sequence) -> float:
    """The share of tags heard or partly heard."""
    names = [str(one) for one in recordings]
    found = probe(layers, labels, names, permutations=PERMUTATIONS)
    return float(np.mean([tag.verdict in (HEARD, PARTLY_HEARD) for tag in found.tags]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--recordings", type=int, default=12)
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--collections", type=int, default=40)
    parser.add_argument("--tags", type=int, default=8)
    given = parser.parse_args()
    pools = files(given.folder) if given.folder else controlled()
    rows = [layers_of(pool, given.parts) for pool in pools]
    told: dict[str, list[float]] = defaultdict(list)
    for number in range(given.collections):
        rng = np.random.default_rng(number)
        pool = rows[number % len(rows)]
        size = len(pool[LAYER])
        drawn = rng.choice(size, min(given.recordings, size), replace=False)
        layers = {name: own[drawn].reshape(len(drawn) * given.parts, -1) for name, own in pool.items()}
        true = np.repeat(np.arange(len(drawn)), given.parts)
        having = round(SHARE * len(drawn))
        lots = np.stack([rng.permutation(len(drawn)) < having for _ in range(given.tags)], 1)
        labels, alone = lots[true].astype(np.uint8), np.arange(len(true))
        accepted, groups = alone.copy(), look_alikes(layers[LAYER], [f"part{i}" for i in alone]).groups
        for group in groups:
            accepted[list(group)] = group[0]
        for name, recordings in (("as they come", alone), ("accepted", accepted), ("known", true)):
            told[name].append(false_words(layers, labels, recordings))
        same = (true[:, None] == true) & (alone[:, None] < alone)
        put = (accepted[:, None] == accepted) & (alone[:, None] < alone)
        told["asked"].append(bool(groups))
        told["put together"].append((put & same).sum() / same.sum())
        if put.any():
            told["wrongly"].append((put & ~same).sum() / put.sum())
    what = given.folder.name if given.folder else "controlled performances"
    print(f"{what}, {given.recordings} recordings in {given.parts} parts, {given.tags} tags by lot")
    for name, found in told.items():
        error = np.std(found, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else float("nan")
        print(f"  {name:14} {100 * np.mean(found):5.1f} % ± {100 * error:.1f}, {len(found)} collections")


if __name__ == "__main__":
    main()
