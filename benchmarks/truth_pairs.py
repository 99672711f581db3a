"""Are the paired differences of two backbones as sure as their intervals say? Estimators judged on saved worlds in seconds.

    python -m benchmarks.truth_pairs save FOLDER --worlds 61 62 [--equal] [--collections 200] [--designs 0 1 ...]
    python -m benchmarks.truth_pairs table FOLDER --worlds 61 62 [--equal] [--own] [--set NAME=VALUE ...]

Ten layers of one world, five of them a backbone each; the live probe of both on the same clips, with the page's draws of the
folds. ``save`` keeps both reports' estimates, ``table`` gives them ``compare``'s intervals and says how often they hold the
true difference, which is the mean over the collections, and how wide they are, over 3.29 standard deviations of the figure
(1: as wide as a normal figure's 90 % interval has to be). ``--equal``: the second backbone's layers are the first's with
their dimensions in another order and noise of their own, so that nothing truly differs and every interval without 0 is wrong.
``--own``: instead, how often the interval of either backbone's own ROC-AUC holds the truth: one half without signal, else the mean.
``--set``: another constant of ``mirdemo/scoring/intervals.py``. ``--worlds``: how layers hear the tags is drawn anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.truths.saved import command, prepared
from benchmarks.truths.worlds import World
from mirdemo.scoring import intervals
from mirdemo.scoring.intervals import Estimate
from mirdemo.stages.probing import probe

LAYERS = 5
METRICS = ("roc_auc", "average_precision", "f1")
FIELDS = tuple(Estimate.__dataclass_fields__)
#: recordings, clips, share of the recordings that have a tag
DESIGNS = (
    (8, 3, 0.25),
    (12, 1, 0.25),
    (12, 3, 0.25),
    (20, 1, 0.25),
    (20, 3, 0.25),
    (40, 1, 0.25),
    (20, 1, 0.5),
)


def worlds(seed: int, equal: bool) -> list[World]:
    made = [World(n, clips, share, layers=2 * LAYERS, seed=seed) for n, clips, share in DESIGNS]
    for world in made if equal else ():
        fixed, order = world._fixed(), np.random.default_rng([seed, 2]).permutation(world.size)
        for table in fixed.values():
            table[LAYERS:] = table[:LAYERS][..., order]
    return made


def both(world: World, seed: int) -> dict[str, np.ndarray]:
    """The headline estimates of one collection: "metric.field" -> (2, n_tags, ...)."""
    here, found = world.draw(seed), []
    clips = [str(i) for i in range(len(here.labels))]
    for first in (0, LAYERS):
        layers = {str(i): here.layers[str(first + i)] for i in range(LAYERS)}
        report = probe(
            layers, here.labels, here.recordings, permutations=0, clips=[f"{seed} {i}" for i in clips]
        )
        found.append({name: report.estimates[name].row(0) for name in METRICS})
    return {
        f"{name}.{field}": np.stack([getattr(one[name], field) for one in found])
        for name in METRICS
        for field in FIELDS
    }


def place(folder: Path, seed: int, at: int, equal: bool) -> Path:
    return folder / f"{'equal-' if equal else ''}{seed:02}-{at}.npz"


def save(folder: Path, seeds: list[int], equal: bool, collections: int, only: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at in only or range(len(DESIGNS)):
        for seed in seeds:
            path = place(folder, seed, at, equal)
            if not path.exists():
                world = worlds(seed, equal)[at]
                drawn = [both(world, s) for s in range(collections)]
                np.savez(path, **{key: np.stack([one[key] for one in drawn]) for key in drawn[0]})
                print(path.name, world.name, flush=True)


def cases(
    folder: Path, seeds: list[int], equal: bool
) -> Iterator[tuple[int, int, dict[str, list[Estimate]]]]:
    """World, design, and metric -> both sides' estimates, (n_collections, n_tags)."""
    for at in range(len(DESIGNS)):
        for seed in seeds:
            if (path := place(folder, seed, at, equal)).exists():
                kept = dict(np.load(path))
                yield (
                    seed,
                    at,
                    {
                        name: [
                            Estimate(**{field: kept[f"{name}.{field}"][:, side] for field in FIELDS})
                            for side in (0, 1)
                        ]
                        for name in METRICS
                    },
                )


def judged(sides: list[Estimate], equal: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(columns,) each: held, share without 0, width over 3.29 standard deviations, the true difference."""
    found = intervals.difference(*sides, apart=True)
    value, low, high = (
        np.asarray(part).reshape(len(part), -1) for part in (found.value, found.low, found.high)
    )
    known = np.isfinite(low).all(0)
    value, low, high = value[:, known], low[:, known], high[:, known]
    true = np.zeros(value.shape[1]) if equal else value.mean(0)
    held, apart = (low <= true) & (true <= high), (low > 0) | (high < 0)
    return held.mean(0), apart.mean(0), (high - low).mean(0) / (3.29 * value.std(0)), true


def table(folder: Path, seeds: list[int], equal: bool) -> None:
    total: dict[tuple[str, str], list[np.ndarray]] = {}
    for seed, at, found in cases(folder, seeds, equal):
        n, clips, share = DESIGNS[at]
        for name, sides in found.items():
            for of, two in (("mean", [side.macro() for side in sides]), ("a tag", sides)):
                held, apart, wide, _ = judged(two, equal)
                total.setdefault((name, of), []).append(
                    np.array([held.mean(), held.min(), apart.mean(), np.median(wide)])
                )
                if name == "roc_auc" and of == "mean":
                    count = len(sides[0].value)
                    print(
                        f"world {seed}, {n} x {clips}, {share:g}: mean ROC-AUC held {100 * held[0]:.1f} % ± "
                        f"{100 * np.sqrt(held[0] * (1 - held[0]) / count):.1f}, without 0 {100 * apart[0]:.1f} %, "
                        f"width {wide[0]:.2f}, n = {count}"
                    )
    for (name, of), rows in total.items():
        held, lowest, apart, wide = np.array(rows).T
        print(
            f"{name:18}{of:6} held {100 * held.mean():.1f} %, sd over {len(rows)} cells {100 * held.std(ddof=1):.1f}, lowest "
            f"{100 * lowest.min():.1f}, under 88 % {100 * (held < 0.88).mean():.0f} %, over 95 % {100 * (held > 0.95).mean():.0f} %, "
            f"without 0 {100 * apart.mean():.1f} %, width {wide.mean():.2f}"
        )


def own(folder: Path, seeds: list[int]) -> None:
    """The intervals of ROC-AUC that are no difference, a cell a tag with a truth from .495 to .99."""
    rows = []
    for _, at, found in cases(folder, seeds, equal=False):
        for side in found["roc_auc"]:
            ends = side.intervals()
            for k in range(side.value.shape[1]):
                known = np.isfinite(ends.low[:, k])
                true = 0.5 if k == 0 else float(side.value[known, k].mean())
                if 0.495 <= true < 0.99 and known.mean() > 0.7:
                    held = (ends.low[known, k] <= true) & (true <= ends.high[known, k])
                    rows.append((at, true, held.mean(), k == 0, known.sum()))
    design, truth, held, silent, count = np.array(rows).T
    parts = [(f"{n} x {clips}, {share:g}", design == at) for at, (n, clips, share) in enumerate(DESIGNS)]
    for low, high in pairwise((0.495, 0.6, 0.75, 0.88, 0.95, 0.99)):
        parts.append((f"truth {low:g} to {high:g}", (truth >= low) & (truth < high)))
    for name, part in [*parts, ("all", np.ones(len(held), bool))]:
        if not part.any():
            continue
        none = part & (silent == 1)
        said = ""
        if none.any():
            one, n = np.average(held[none], weights=count[none]), count[none].sum()
            said = f"; without signal {100 * one:.1f} % ± {100 * np.sqrt(one * (1 - one) / n):.1f}"
        print(
            f"{name:20} {part.sum():3.0f} cells, {count[part].sum():.0f} intervals: held {100 * held[part].mean():.1f} %, lowest "
            f"{100 * held[part].min():.1f}, under 88 % {(held[part] < 0.88).sum()}, over 95.5 % "
            f"{100 * (held[part] > 0.955).mean():.0f} %{said}"
        )


def main() -> None:
    parser = command(__doc__, 200, sets=True)
    parser.add_argument("--worlds", type=int, nargs="+", required=True)
    parser.add_argument("--equal", action="store_true")
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--designs", type=int, nargs="+", default=[])
    given = parser.parse_args()
    with prepared(given):
        if given.what == "save":
            save(given.folder, given.worlds, given.equal, given.collections, given.designs)
        elif given.own:
            own(given.folder, given.worlds)
        else:
            table(given.folder, given.worlds, given.equal)


if __name__ == "__main__":
    main()
