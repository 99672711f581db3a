"""How many words does another draw of the folds change, with so many draws?

    python -m benchmarks.truth_draws [--collections 60] [--draws 10 20 30] [--recordings 12 20] [--world 77]

Collections of three clips a recording, five tags on a quarter of the recordings, from nothing to heard without an error. Each is
probed in two draws of the folds or more that share none, of so many each, and the words of every two are compared. Every single
draw is solved once. Prints the share of words that differ, with the standard error over collections.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.truths.words import STRENGTHS
from benchmarks.truths.worlds import World
from mirdemo.base.progress import silent
from mirdemo.scoring.folds import content_folds, content_order, content_seed
from mirdemo.scoring.permutation import refit_test
from mirdemo.scoring.verdicts import page
from mirdemo.stages.probing.crossval import choose, solve
from mirdemo.stages.probing.figures import measure
from mirdemo.stages.probing.inputs import ask

FOLDS, PERMUTATIONS = 5, 500


def words(world: World, seed: int, draws: list[int]) -> dict[int, list[tuple[str, ...]]]:
    """How many draws -> the words of the tags by each set of so many, none of which share any."""
    here = world.draw(seed)
    asked = ask(here.layers, here.labels, here.recordings, None, None)
    own = asked.labelling
    order = content_order(own.groups, own.recordings, asked.keys)
    labels, recordings = np.ascontiguousarray(own.labels[order]), own.recordings[order]
    layers = [rows[order] for rows in asked.layers.values()]
    logits, smoothers = [], []
    for draw in range(2 * max(draws)):
        fold_of = content_folds(own.groups, asked.keys, FOLDS, draw)[order]
        parts = list(solve(layers, labels, fold_of, 1.0, scale=True))
        every = np.concatenate([part.logits for part in parts])
        chosen = choose(np.concatenate([part.inner() for part in parts], axis=1))[fold_of]
        logits.append(every[chosen, np.arange(labels.shape[1]), np.arange(len(labels))[:, None]].T)
        smoothers.append(np.concatenate([part.smoother() for part in parts]))
    sides = [[len(np.unique(recordings[tag == has])) for tag in labels.T] for has in (1, 0)]

    def said(those: range) -> tuple[str, ...]:
        scores = 0.5 * (1 + np.tanh(0.5 * np.stack([logits[i] for i in those])))
        found, _ = measure(scores[:, None], labels, recordings)
        auc = found["roc_auc"].trained_again(FOLDS, len(those)).intervals()
        rng = np.random.default_rng(content_seed(asked.keys))
        taught = sum(smoothers[i] for i in those)
        p = refit_test(taught, labels, recordings, PERMUTATIONS, rng, silent, own.groups[order]).best
        return page([auc.at(0, k) for k in range(labels.shape[1])], p.tolist(), *sides)[0]

    return {n: [said(range(at, at + n)) for at in range(0, 2 * max(draws) - n + 1, n)] for n in draws}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collections", type=int, default=60)
    parser.add_argument("--draws", type=int, nargs="+", default=[10, 20, 30])
    parser.add_argument("--recordings", type=int, nargs="+", default=[12, 20])
    parser.add_argument("--world", type=int, default=77)
    given = parser.parse_args()
    with threadpool_limits(1):
        for n in given.recordings:
            world, changed = World(n, 3, strengths=STRENGTHS, seed=given.world), {d: [] for d in given.draws}
            for seed in range(given.collections):
                for draws, found in words(world, seed, given.draws).items():
                    pairs = [np.not_equal(one, two).mean() for one, two in combinations(found, 2)]
                    changed[draws].append(np.mean(pairs))
            for draws, shares in changed.items():
                error = np.std(shares, ddof=1) / np.sqrt(len(shares))
                print(
                    f"{n} recordings, {draws} draws: {100 * np.mean(shares):.1f} % ± {100 * error:.1f}, {len(shares)} collections"
                )


if __name__ == "__main__":
    main()
