"""Recordings that nobody has named: what do tags by lot come out as where they were cut, and what does asking cost where not?

    python benchmarks/cut_recordings.py [FOLDER] [--recordings 12] [--parts 3] [--collections 40] [--tags 8]
    python benchmarks/cut_recordings.py [FOLDER] --kinds 2 [--each 6] [--collections 40]

FOLDER: sound files, each one recording, called KIND.NUMBER.SUFFIX; without it, controlled performances of the six traditions, 12
of 12 s each, of which a collection takes one tradition. ``--seed``: other performances, and other collections; several: one after
the other, to be told together. Collections of one tradition and seed are cut from the same performances, so the standard error is
over these, not over collections.

First: every collection draws ``--recordings`` of them, cuts each into ``--parts`` equal clips called 000, 001, ..., and hands each
tag to three eighths of the recordings by lot, so nothing is there to be heard. The live probe of ``spectral`` is asked three
times, in the same run: every file its own recording; as they are counted by default, what the page asks about as one
recording until it is answered; and with the recordings as they truly are. Printed: the share of tags heard or partly heard,
with the standard error; how often anything was asked; of the pairs of clips of one recording the share
that counts as one, and of the pairs that do the share that is wrong. ``--shuffled``: the clips are called so in an order by lot,
so that the pieces of a recording do not stand beside each other.

``--kinds``: nothing is cut. Every collection takes ``--each`` recordings of so many kinds (genres, traditions), and the tags are the
kinds. Printed: how many recordings are left where those asked about count as one, and the words by default and as known.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.likeness import BACKBONE, LAYER
from mirdemo.embedding.embed import embed
from mirdemo.scoring.verdicts import HEARD, PARTLY_HEARD, SCALE, TOO_FEW
from mirdemo.sound.audio import Clip, load_clip
from mirdemo.stages.probing import probe
from mirdemo.synth.corpus import corpus
from mirdemo.synth.render import RATE
from mirdemo.synth.traditions import TRADITIONS

PERFORMANCES, SECONDS, SHARE, PERMUTATIONS = 12, 12.0, 0.375, 200


def controlled(seed: int) -> dict[str, list[Clip]]:
    """Tradition -> its performances."""
    return {
        name: [
            Clip.of(one.samples, RATE, one.recording)
            for one in corpus(name, "test", PERFORMANCES, seed=seed, seconds=SECONDS)
        ]
        for name in TRADITIONS
    }


def files(folder: Path) -> dict[str, list[Clip]]:
    """Kind -> its recordings."""
    found = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.is_file():
            found[path.name.partition(".")[0]].append(load_clip(path))
    return found


def layers_of(recordings: Sequence[Clip], parts: int) -> dict[str, np.ndarray]:
    """Layer -> rows of every part of every recording, (n_recordings, parts, size)."""
    cut = [
        Clip.of(piece, clip.sample_rate, f"{i}-{j}")
        for i, clip in enumerate(recordings)
        for j, piece in enumerate(np.array_split(clip.samples, parts))
    ]
    rows = embed(cut, load_backbone(BACKBONE)).layers
    return {name: own.reshape(len(recordings), parts, -1) for name, own in rows.items()}


def counted(rows: np.ndarray) -> np.ndarray:
    """As clips whose names say nothing are counted before anybody has answered. rows: (n, size) of ``LAYER``"""
    clips = [Clip.of(np.array([0.1, at / 1e6]), 8_000, f"{at:03}.wav") for at in range(len(rows))]
    made = LabelledClips.from_clips(clips, [()] * len(clips))
    made.hear(Heard({clip.sha256: row for clip, row in zip(made.clips, rows, strict=True)}))
    return np.unique(made.counted, return_inverse=True)[1]


def words(layers: dict[str, np.ndarray], labels: np.ndarray, recordings: np.ndarray) -> list[str]:
    """Of every tag; "too few" where all is one recording."""
    if len(set(recordings)) < 2:
        return [TOO_FEW] * labels.shape[1]
    names = [str(one) for one in recordings]
    found = probe(layers, labels, names, permutations=PERMUTATIONS)
    return [tag.verdict for tag in found.tags]


def lots(pools: Sequence[tuple[str, int, dict[str, np.ndarray]]], given: argparse.Namespace) -> None:
    """pools: the kind, the seed and the rows of what collections are drawn from"""
    told: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number in range(given.collections):
        at = number % len(pools)
        kind, seed, pool = pools[at]
        rng = np.random.default_rng([seed, number])
        size = len(pool[LAYER])
        drawn = rng.choice(size, min(given.recordings, size), replace=False)
        layers = {name: own[drawn].reshape(len(drawn) * given.parts, -1) for name, own in pool.items()}
        true = np.repeat(np.arange(len(drawn)), given.parts)
        having = round(SHARE * len(drawn))
        by_lot = np.stack([rng.permutation(len(drawn)) < having for _ in range(given.tags)], 1)
        labels, alone = by_lot[true].astype(np.uint8), np.arange(len(true))
        order = rng.permutation(len(true)) if given.shuffled else alone
        default = counted(layers[LAYER][order])[np.argsort(order)]
        for name, recordings in (("every file one", alone), ("by default", default), ("known", true)):
            found = words(layers, labels, recordings)
            told[name].append((at, float(np.mean([word in (HEARD, PARTLY_HEARD) for word in found]))))
        same = (true[:, None] == true) & (alone[:, None] < alone)
        put = (default[:, None] == default) & (alone[:, None] < alone)
        told["asked"].append((at, bool(put.any())))
        told["count as one"].append((at, (put & same).sum() / same.sum()))
        if put.any():
            told["wrongly"].append((at, (put & ~same).sum() / put.sum()))
        if given.each_told:
            said = ", ".join(f"{name} {100 * found[-1][1]:.0f}" for name, found in told.items())
            print(f"    {kind} of seed {seed}: {said}", flush=True)
    for name, found in told.items():
        of, shares = np.array(found).T
        own = np.array([shares[of == at].mean() for at in np.unique(of)])
        if len(own) < 2:  # one pool, of which each collection takes a part
            own = shares
        error = own.std(ddof=1) / np.sqrt(len(own)) if len(own) > 1 else float("nan")
        print(f"  {name:14} {100 * shares.mean():5.1f} % ± {100 * error:.1f}, {len(found)} collections")


def honest(pools: dict[str, dict[str, np.ndarray]], given: argparse.Namespace) -> None:
    left, asked, said = [], [], {"by default": Counter(), "known": Counter()}
    for number in range(given.collections):
        rng = np.random.default_rng([given.seed[0], number])
        kinds = rng.choice(sorted(pools), given.kinds, replace=False)
        drawn = {
            kind: rng.choice(len(pools[kind][LAYER]), min(given.each, len(pools[kind][LAYER])), replace=False)
            for kind in kinds
        }
        layers = {
            name: np.concatenate([pools[kind][name][rows, 0] for kind, rows in drawn.items()])
            for name in pools[kinds[0]]
        }
        of = np.repeat(np.arange(len(kinds)), [len(rows) for rows in drawn.values()])
        labels = np.eye(len(kinds), dtype=np.uint8)[of][:, : len(kinds) if len(kinds) > 2 else 1]
        default = counted(layers[LAYER])
        left.append(len(set(default)) / len(of))
        asked.append(len(set(default)) < len(of))
        for name, recordings in (("by default", default), ("known", np.arange(len(of)))):
            said[name].update(words(layers, labels, recordings))
    print(f"  asked in {100 * np.mean(asked):.0f} %, recordings left {100 * np.mean(left):.0f} %")
    for name, counts in said.items():
        shares = ", ".join(
            f"{word.replace('_', ' ')} {100 * counts[word] / counts.total():.0f} %" for word in SCALE
        )
        print(f"  {name:14} {shares}, {counts.total()} tags")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--recordings", type=int, default=12)
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--collections", type=int, default=40)
    parser.add_argument("--tags", type=int, default=8)
    parser.add_argument("--kinds", type=int, default=0)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--seed", type=int, nargs="+", default=[5])
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--each-told", action="store_true", help="a line a collection")
    given = parser.parse_args()
    seeds = ", ".join(map(str, given.seed))
    what = given.folder.name if given.folder else f"controlled performances of seed {seeds}"
    if given.kinds:
        pools = files(given.folder) if given.folder else controlled(given.seed[0])
        print(f"{what}, {given.kinds} kinds of {given.each} recordings each, nothing cut")
        honest({kind: layers_of(pool, 1) for kind, pool in pools.items()}, given)
    else:
        print(f"{what}, {given.recordings} recordings in {given.parts} parts, {given.tags} tags by lot")
        if given.folder:
            all_of_them = [clip for pool in files(given.folder).values() for clip in pool]
            lots([("any", given.seed[0], layers_of(all_of_them, given.parts))], given)
        else:
            made = ((seed, controlled(seed)) for seed in given.seed)
            lots(
                [
                    (kind, seed, layers_of(pool, given.parts))
                    for seed, pools in made
                    for kind, pool in pools.items()
                ],
                given,
            )


if __name__ == "__main__":
    main()
