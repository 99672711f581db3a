"""Would another interval of ROC-AUC do better where layers compete? Estimators judged on saved worlds in seconds.

    python -m benchmarks.truth_layers save FOLDER --worlds 11 21 [--collections 40] [--designs 0 5 ...]
    python -m benchmarks.truth_layers table FOLDER --worlds 11 [--layer 3] [--against 5e8638c]

``save`` keeps, for 20 designs a world (8, 12, 20 and 40 recordings; one clip, or three whose tags go by recording or by clip; six
tags on a quarter or half), the out-of-fold scores of every layer in five draws of the folds, the layer that each fold chose, and
what 32 trainings reach on 400 new recordings in every layer. It goes on where it was stopped. ``--worlds``: how layers hear the
tags is drawn anew; none is the one that the constants of ``mirdemo/scoring/intervals.py`` were chosen on (0).

``table`` prints for each estimator and size how often its 90 % intervals hold the truth: mean over cells, lowest cell, share of
cells under 88 and over 95.5 %, and mean width over that of the commit ``--against``. A cell is a tag of a design with a truth from
.495 to .99. ``--layer``: of one layer that nobody chose, as fine-tuning's figures and the strip of layers are.
``benchmarks/results/truth.md`` tells what came of it. Nothing here is used by the product.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import betainc, stdtrit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.truth_fit import older
from benchmarks.truths.saved import command, prepared
from benchmarks.truths.worlds import Collection, World
from mirdemo.scoring import intervals, metrics
from mirdemo.scoring.folds import content_folds
from mirdemo.scoring.intervals import LEVEL, Estimate, by_recording
from mirdemo.stages.probing.crossval import choose, solve, trained_on
from mirdemo.stages.probing.inputs import ask

DRAWS, FOLDS, TRAININGS, NEW, FEWEST = 5, 5, 32, 400, 20
KINDS = ((1, 0.25, False), (3, 0.25, False), (3, 0.25, True), (1, 0.5, False), (3, 0.5, True))

#: (low, high), each (n_collections, n_tags)
Ends = tuple[np.ndarray, np.ndarray]


def designs(seed: int) -> list[World]:
    return [
        World(n, clips, share, by_clip=by_clip, seed=seed)
        for n in (8, 12, 20, 40)
        for clips, share, by_clip in KINDS
    ]


def _with_mean(collection: Collection) -> list[np.ndarray]:
    own = list(collection.layers.values())
    return [*own, np.mean(own, axis=0)]


def truth(world: World) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC on new recordings (trainings, layers, n_tags), and the layer that each training chose (trainings, n_tags)."""
    new = world.draw(10**6, recordings=NEW)
    heard, reached, chosen = _with_mean(new), [], []
    for seed in range(TRAININGS):
        here = world.draw(10**7 + seed)
        layers, rng = _with_mean(here), np.random.default_rng(seed)
        fold_of = rng.permutation(np.arange(world.recordings) % FOLDS)[here.recordings]
        parts = solve(layers, here.labels, fold_of, 1.0, scale=True)
        chosen.append(choose(np.concatenate([part.inner() for part in parts], axis=1))[0])
        learn = fold_of != 0
        scores = [
            trained_on(rows[learn], here.labels[learn], asked, 1.0, scale=True).T
            for rows, asked in zip(layers, heard, strict=True)
        ]
        reached.append(metrics.roc_auc(new.labels.T[None], np.stack(scores)))
    return np.array(reached, np.float32), np.array(chosen)


def collection(world: World, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits (DRAWS, layers, n_tags, n_clips), the layer for each clip (DRAWS, n_clips, n_tags), labels (n_tags, n_clips)."""
    here = world.draw(seed)
    asked = ask(here.layers, here.labels, here.recordings, None, None)
    labels, logits, choice = np.ascontiguousarray(asked.labels), [], []
    for draw in range(DRAWS):
        fold_of = content_folds(asked.labelling.groups, asked.keys, FOLDS, draw)
        parts = list(solve(list(asked.layers.values()), labels, fold_of, 1.0, scale=True))
        logits.append(np.concatenate([part.logits for part in parts]))
        choice.append(choose(np.concatenate([part.inner() for part in parts], axis=1))[fold_of])
    return np.stack(logits).astype(np.float32), np.stack(choice).astype(np.int8), labels.T


def save(folder: Path, seeds: list[int], collections: int, only: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for at, world in enumerate(designs(seed)):
            path = folder / f"{seed:02}-{at:02}.npz"
            if path.exists() or (only and at not in only):
                continue
            reached, chosen = truth(world)
            logits, choice, labels = (
                np.stack(part)
                for part in zip(*(collection(world, s) for s in range(collections)), strict=True)
            )
            np.savez(path, t_roc_auc=reached, t_chosen=chosen, logits=logits, choice=choice, labels=labels)
            print(seed, world.name, flush=True)


@dataclass(frozen=True, eq=False)
class Case:
    """One design's collections. true: (n_tags,); fixed: the figure's estimate as if scores had not been trained, (n_collections,
    n_tags), as are least: the design effect of clips that correlate by .4 within a recording, and competing: the variance of the
    ROC-AUC among the layers that folds chose, 0 where none was chosen; before: the older build's intervals"""

    world: World
    true: np.ndarray
    fixed: Estimate
    least: Callable[[float], np.ndarray]
    competing: np.ndarray
    before: Ends


def cases(folder: Path, seeds: list[int], layer: int | None, commit: str) -> Iterator[Case]:
    module = older(commit)
    for seed in seeds:
        for at, world in enumerate(designs(seed)):
            path = folder / f"{seed:02}-{at:02}.npz"
            if path.exists():
                yield _case(world, dict(np.load(path)), layer, module)


def _case(world: World, kept: dict[str, np.ndarray], layer: int | None, module) -> Case:
    logits, labels, reached = kept["logits"].astype(np.float64), kept["labels"], kept["t_roc_auc"]
    recordings = np.repeat(np.arange(world.recordings), world.clips)
    competing = np.zeros(labels.shape[:2])
    if layer is None:
        trainings, tags = np.arange(len(reached))[:, None], np.arange(labels.shape[1])
        true = np.nanmean(reached[trainings, kept["t_chosen"], tags], 0)
        choice = np.moveaxis(kept["choice"], 3, 2).astype(int)[:, :, None]
        shown = np.take_along_axis(logits, choice, 2)[:, :, 0]
        each = np.nanmean(metrics.roc_auc(labels[:, None, None], logits), 1)
        often = np.stack([(kept["choice"] == k).mean((1, 2)) for k in range(each.shape[1])], 1)
        middle = (often * each).sum(1, keepdims=True)
        competing = np.nan_to_num((often * (each - middle) ** 2).sum(1))
    else:
        true, shown = np.nanmean(reached[:, layer], 0), logits[:, :, layer]
    value, influence = metrics.roc_auc_influence(labels[:, None], 0.5 * (1 + np.tanh(0.5 * shown)))

    def fixed(module, draws: int):
        mean = metrics.macro(value[:, :draws], 1), np.nanmean(influence[:, :draws], 1)
        return module.estimate(*mean, labels, recordings, pairs=True)

    once = fixed(module, 1).trained_again(FOLDS).intervals()
    sides = [labels.astype(float), 1.0 - labels]
    clips = sum(1 / np.maximum(has.sum(-1), 1) for has in sides)
    whole = sum(1 / np.maximum((by_recording(has, recordings) > 0).sum(-1), 1) for has in sides)

    def least(alike: float) -> np.ndarray:
        return alike + (1 - alike) * clips / whole

    return Case(world, true, fixed(intervals, DRAWS), least, competing, (once.low, once.high))


def today(case: Case) -> Ends:
    found = case.fixed.trained_again(FOLDS, DRAWS).intervals()
    return found.low, found.high


def scored(
    factor: float,
    easing: float,
    alike: float | None = None,
    layers: float = 0.0,
    more: float = intervals.PRIOR,
) -> Callable[[Case], Ends]:
    """Today's score interval with other constants.

    factor, easing: of training; alike: the design effect is at least that of clips which correlate so within a recording (None:
    today's constant); layers: so many times the variance among the layers chosen comes on top; more: degrees of freedom added
    """

    def ends(case: Case) -> Ends:
        figure = case.fixed
        least = intervals.LEAST_EFFECT_TRAINED if alike is None else case.least(alike)
        one = np.ones_like(figure.value)
        figure = replace(
            figure, effect=np.maximum(figure.effect, least), training=factor * one, easing=easing * one
        )
        reach = stdtrit(figure.df + more, (1 + LEVEL) / 2)
        height = np.maximum(figure._inner * (1 - figure._inner), 1e-3)

        def holds(at: np.ndarray, end: float) -> np.ndarray:
            beside = layers * case.competing * np.minimum(at * (1 - at) / height, 3)
            return (figure.value - at) ** 2 <= reach**2 * (figure.implied(at) + beside)

        return _borders(figure, holds)

    return ends


def skewed(factor: float, easing: float) -> Callable[[Case], Ends]:
    """The heights of which the figure is no tail, were it drawn from a beta distribution with the variance that they imply."""

    def ends(case: Case) -> Ends:
        figure = case.fixed
        least = np.maximum(figure.effect, intervals.LEAST_EFFECT_TRAINED)
        tail, one = (1 - LEVEL) / 2, np.ones_like(figure.value)
        figure = replace(figure, effect=least, training=factor * one, easing=easing * one)
        wider = (stdtrit(figure.df + intervals.PRIOR, 1 - tail) / 1.645) ** 2

        def holds(at: np.ndarray, end: float) -> np.ndarray:
            at = np.clip(at, 1e-9, 1 - 1e-9)
            variance = np.minimum(figure.implied(at) * wider, 0.9 * at * (1 - at))
            sure = at * (1 - at) / variance - 1
            inner = figure.value + 0.25 / (sure + 1) * (
                end - figure.value
            )  # a quarter of an observation, for ties at 0 and 1
            under = betainc(sure * at, sure * (1 - at), np.clip(inner, 0, 1))
            return (1 - under if end == 0 else under) >= tail

        return _borders(figure, holds)

    return ends


def _borders(figure: Estimate, holds: Callable[[np.ndarray, float], np.ndarray]) -> Ends:
    found = []
    for end in (0.0, 1.0):
        inside, outside = np.array(figure.value), np.full_like(figure.value, end)
        for _ in range(25):
            middle = (inside + outside) / 2
            inner = holds(middle, end)
            inside, outside = np.where(inner, middle, inside), np.where(inner, outside, middle)
        found.append(np.where(np.isnan(figure.df), np.nan, (inside + outside) / 2))
    return found[0], found[1]


#: What was tried: name -> how an interval is made.
TRIED: dict[str, Callable[[Case], Ends]] = {
    "today": today,
    "today's variance, beta instead of t, factor 0.9": skewed(0.9, 0.2),
    "layers added, factor 1.24": scored(1.24, 0.3, layers=1),
    "layers added, factor 1.09": scored(1.09, 0.3, layers=1),
    "design effect by clips, factor 1.45": scored(1.45, 0.2, 0.3),
    "by clips, layers added, factor 1.1": scored(1.1, 0.2, 0.3, 1),
    "by clips, layers added, 40 df, factor 1.2": scored(1.2, 0.1, 0.4, 1, 40),
}


def table(folder: Path, seeds: list[int], layer: int | None, commit: str) -> None:
    every = list(cases(folder, seeds, layer, commit))
    for name, make in TRIED.items():
        rows = []
        for case in every:
            low, high = make(case)
            for k in np.flatnonzero((case.true >= 0.495) & (case.true < 0.99)):
                known = np.isfinite(low[:, k]) & np.isfinite(case.before[0][:, k])
                if known.sum() >= FEWEST:
                    held = ((low[:, k] <= case.true[k]) & (case.true[k] <= high[:, k]))[known].mean()
                    widths = [(b - a)[known, k].mean() for a, b in ((low, high), case.before)]
                    rows.append((case.world.recordings, held, *widths))
        of, held, wide, before = np.array(rows).T
        said = [
            f"{n:.0f}: {100 * held[of == n].mean():.1f} ({100 * held[of == n].min():.0f}) "
            f"{wide[of == n].mean() / before[of == n].mean():.2f}"
            for n in np.unique(of)
        ]
        print(
            f"{name:50} {100 * held.mean():.1f} % (lowest {100 * held.min():.0f}, under 88 % {100 * np.mean(held < 0.88):.0f}, "
            f"over 95.5 % {100 * np.mean(held > 0.955):.0f}) width {wide.mean() / before.mean():.3f} | {', '.join(said)} | "
            f"{len(held)} cells"
        )


def main() -> None:
    parser = command(__doc__, 40, sets=False)
    parser.add_argument("--worlds", type=int, nargs="+", required=True)
    parser.add_argument("--designs", type=int, nargs="+", default=[])
    parser.add_argument("--layer", type=int)
    parser.add_argument("--against", default="5e8638c", metavar="COMMIT")
    given = parser.parse_args()
    with prepared(given):
        if given.what == "save":
            save(given.folder, given.worlds, given.collections, given.designs)
        else:
            table(given.folder, given.worlds, given.layer, given.against)


if __name__ == "__main__":
    main()
