"""What the constants of ``mirdemo/scoring/intervals.py`` were fitted to: saved scores of simulated collections.

    python -m benchmarks.truth_fit save FOLDER [--collections 100] [--designs TEXT]
    python -m benchmarks.truth_fit table FOLDER [--half 1] [--against 5e8638c] [--set NAME=VALUE ...]

Probing is what takes long, and constants of the intervals do not change it. So ``save`` keeps the out-of-fold scores of the
live probe (five draws of the folds) in 32 designs: 8, 12, 20 and 40 recordings with 1, 3 or 6 clips, six tags from nothing
to heard without an error, on a quarter or half of the recordings; and the truth of each, as ``benchmarks/truths/intervals``
has it. It goes on where it was stopped. ``table`` gives them today's intervals and those of the commit ``--against`` (one
draw, as that build took) and prints, for each metric and size, how often they hold the truth and how wide they are.

``--half 0``: every other collection, from the first on, on which the constants were chosen; 1: the others, to report.
``--set``: try another constant, e.g. ``--set EASING=0.5``. Cells with fewer than 20 collections are left out.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.truths import intervals as truths
from benchmarks.truths.saved import command, prepared
from benchmarks.truths.worlds import World
from mirdemo.scoring import intervals, metrics
from mirdemo.scoring.folds import content_folds
from mirdemo.stages.probing.crossval import choose, solve
from mirdemo.stages.probing.inputs import ask

ROOT = Path(__file__).resolve().parents[1]
DRAWS, FOLDS, TOGETHER, FEWEST = 5, 5, 20, 20
METRICS = {
    "roc_auc": (metrics.roc_auc_influence, True),
    "average_precision": (metrics.average_precision_influence, False),
    "f1": (metrics.f1_influence, False),
}


def designs() -> list[World]:
    kinds = [(1, 0.25, False), (3, 0.25, False), (6, 0.25, False), (1, 0.5, False), (3, 0.5, False)]
    kinds += [(3, 0.25, True), (6, 0.5, False), (3, 0.5, True)]
    return [
        World(n, clips, share, by_clip=by_clip) for clips, share, by_clip in kinds for n in (8, 12, 20, 40)
    ]


def scores(world: World, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One collection's headline logits (DRAWS, n_tags, n_clips) and labels (n_tags, n_clips)."""
    here = world.draw(seed)
    asked = ask(here.layers, here.labels, here.recordings, None, None)
    labels, n = np.ascontiguousarray(asked.labels), len(here.labels)
    found = []
    for draw in range(DRAWS):
        fold_of = content_folds(asked.labelling.groups, asked.keys, FOLDS, draw)
        parts = list(solve(list(asked.layers.values()), labels, fold_of, 1.0, scale=True))
        chosen = choose(np.concatenate([part.inner() for part in parts], axis=1))
        logits = np.concatenate([part.logits for part in parts])
        found.append(logits[chosen[fold_of], np.arange(labels.shape[1]), np.arange(n)[:, None]].T)
    return np.stack(found).astype(np.float32), labels.T


def save(folder: Path, collections: int, only: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, collections, TOGETHER):
        for at, world in enumerate(designs()):
            if only not in world.name:
                continue
            truth, path = folder / f"truth-{at:02}.npz", folder / f"{at:02}-{start:04}.npz"
            if not truth.exists():
                np.savez(truth, **truths.truth(world))
            if not path.exists():
                drawn = [scores(world, seed) for seed in range(start, start + TOGETHER)]
                np.savez(path, scores=np.stack([s for s, _ in drawn]), labels=np.stack([y for _, y in drawn]))
            print(world.name, start + TOGETHER, flush=True)


def older(commit: str) -> ModuleType:
    """The intervals of another commit."""
    for name in ("mirdemo/scoring/intervals.py", "mirdemo/intervals.py"):
        shown = subprocess.run(["git", "-C", str(ROOT), "show", f"{commit}:{name}"], capture_output=True)
        if shown.returncode == 0:
            module = importlib.util.module_from_spec(
                importlib.util.spec_from_loader("older_intervals", loader=None)
            )
            sys.modules["older_intervals"] = module
            exec(compile(shown.stdout, name, "exec"), module.__dict__)
            return module
    raise SystemExit(f"there are no intervals in {commit}")


def judged(module: ModuleType, logits: np.ndarray, labels: np.ndarray, world: World, draws: int) -> dict:
    """(metric, "a tag" or "mean") -> low and high (n_collections, n_tags or 1). logits: (n, DRAWS, n_tags, n_clips)"""
    probability = 0.5 * (1 + np.tanh(0.5 * logits[:, :draws].astype(float))).swapaxes(0, 1)
    recordings, found = np.repeat(np.arange(world.recordings), world.clips), {}
    more = (draws,) if module is intervals else ()
    for name, (influence_of, pairs) in METRICS.items():
        value, influence = influence_of(labels[None], probability)
        figure = module.estimate(
            metrics.macro(value, 0), np.nanmean(influence, 0), labels, recordings, pairs=pairs
        ).trained_again(FOLDS, *more)
        for of, one in (("a tag", figure), ("mean", figure.macro())):
            ends = one.intervals()
            found[name, of] = [np.asarray(end).reshape(len(labels), -1) for end in (ends.low, ends.high)]
    return found


def table(folder: Path, half: int | None, against: str) -> None:
    builds = [(intervals, DRAWS), *([(older(against), 1)] if against else [])]
    cells: dict[tuple, list[list[tuple[float, float]]]] = {}
    counts: dict[tuple, int] = {}
    for at, world in enumerate(designs()):
        files = sorted(folder.glob(f"{at:02}-*.npz"))
        if not files:
            continue
        kept = [np.load(path) for path in files]
        mine = slice(half, None, 2) if half is not None else slice(None)
        logits, labels = (np.concatenate([one[key] for one in kept])[mine] for key in ("scores", "labels"))
        truth = np.load(folder / f"truth-{at:02}.npz")
        answers = [judged(module, logits, labels, world, draws) for module, draws in builds]
        for name, of in answers[0]:
            true = truth[name] if of == "a tag" else truth[name].mean(keepdims=True)
            for k in np.flatnonzero((true >= 0.495) & (true < 0.9995)):
                ends = [[end[:, k] for end in answer[name, of]] for answer in answers]
                known = np.isfinite([end for pair in ends for end in pair]).all(0)
                if known.sum() < FEWEST:
                    continue
                row = [
                    (np.mean((low <= true[k]) & (true[k] <= high), where=known), (high - low)[known].mean())
                    for low, high in ends
                ]
                cells.setdefault((name, of, world.recordings), []).append(row)
                counts[name, of, world.recordings] = counts.get((name, of, world.recordings), 0) + known.sum()
    print(
        "coverage: mean over cells (lowest cell, share of cells under 86 and over 96 %), mean width; today | older"
    )
    for key, rows in cells.items():
        said = []
        for build in range(len(builds)):
            held, wide = np.array([row[build] for row in rows]).T
            said.append(
                f"{100 * held.mean():5.1f} ({100 * held.min():3.0f}, {100 * (held < 0.86).mean():3.0f} %, "
                f"{100 * (held > 0.96).mean():3.0f} %) {wide.mean():.3f}"
            )
        print(
            f"{key[0]:18}{key[1]:6} n = {key[2]:2}  {' | '.join(said)}   {len(rows)} cells, {counts[key]} intervals"
        )


def main() -> None:
    parser = command(__doc__, 100, sets=True)
    parser.add_argument("--designs", default="", metavar="TEXT")
    parser.add_argument("--half", type=int, choices=(0, 1))
    parser.add_argument("--against", default="5e8638c", metavar="COMMIT")
    given = parser.parse_args()
    with prepared(given):
        if given.what == "save":
            save(given.folder, given.collections, given.designs)
        else:
            table(given.folder, given.half, given.against)


if __name__ == "__main__":
    main()
