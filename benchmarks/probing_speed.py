"""The live probe against scikit-learn's LogisticRegression in a loop over layers, folds and tags.

    python -m benchmarks.probing_speed [--rounds 3] [--penalty 1] [--draws 10] [--threads]

100 clips of 50 recordings, 13 layers of 768, 10 tags, 5 folds, ten draws of them as the probe takes by default, made from random numbers with some tags heard better
in later layers. Same folds, same penalty, standardised on the training side. Both do the same work: out-of-fold scores
of every layer and tag. Prints the ratio of the best times, the differences of macro ROC-AUC, and the seconds that
intervals and 500 permutations take. One thread; all times are processor time, so that other load on the
machine does not blur the ratio. The probe gives all folds one
intercept, because their own ones bias a ROC-AUC over all folds downwards (``mirdemo.stages.probing.crossval.solve``), so the
like comparison leaves scikit-learn's intercepts out too; the difference from scores as they come is printed last.

With ``--threads`` instead: the wall clock of the whole answer with NumPy on one thread, as the page and the command line
have it, and on all, in processes of their own, in turns. What else the machine does matters then, so it is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.base.threads import OF_NUMPY
from mirdemo.scoring.folds import content_folds
from mirdemo.scoring.metrics import macro, roc_auc
from mirdemo.stages.probing import probe
from mirdemo.stages.probing.crossval import solve

CLIPS, RECORDINGS, LAYERS, SIZE, TAGS, FOLDS = 100, 50, 13, 768, 10, 5


def made_up(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Layers, labels and recordings."""
    rng = np.random.default_rng(seed)
    recordings = np.repeat(np.arange(RECORDINGS), CLIPS // RECORDINGS)
    labels = (rng.random((RECORDINGS, TAGS)) < rng.uniform(0.15, 0.5, TAGS))[recordings].astype(np.uint8)
    layers = {}
    for i in range(LAYERS):
        sound = rng.normal(size=(CLIPS, 40)) @ rng.normal(size=(40, SIZE))
        heard = i / (LAYERS - 1) * labels @ rng.normal(size=(TAGS, SIZE))
        room = 3 * rng.normal(size=(RECORDINGS, SIZE))[recordings]
        layers[str(i)] = (sound + heard + room).astype(np.float32)
    return layers, labels, recordings


def ours(layers, labels, folds, penalty) -> np.ndarray:
    """Logits of the last draw (n_layers, n_tags, n_clips)."""
    for fold_of in folds:
        parts = solve(list(layers.values()), labels, fold_of, penalty, scale=True)
        logits = np.concatenate([part.logits for part in parts])
    return logits


def loop(layers, labels, folds, penalty) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's logits of the last draw, with the folds' own intercepts and without."""
    for fold_of in folds:
        found = _loop(layers, labels, fold_of, penalty)
    return found


def _loop(layers, labels, fold_of, penalty) -> tuple[np.ndarray, np.ndarray]:
    logits = np.empty((len(layers), labels.shape[1], len(labels)))
    without = np.empty_like(logits)
    for i, rows in enumerate(layers.values()):
        for fold in range(FOLDS):
            learn, test = fold_of != fold, fold_of == fold
            scaler = StandardScaler().fit(rows[learn])
            known, new = scaler.transform(rows[learn]), scaler.transform(rows[test])
            for k in range(labels.shape[1]):
                model = LogisticRegression(C=1 / penalty, max_iter=1000).fit(known, labels[learn, k])
                logits[i, k, test] = model.decision_function(new)
                without[i, k, test] = logits[i, k, test] - model.intercept_
    return logits, without


def timed(function, *arguments) -> tuple[float, Any]:
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def on_threads(rounds: int) -> None:
    """Prints the wall clock of the whole answer with NumPy on one thread and on as many as it takes by itself."""
    took: dict[str, list[float]] = {"one": [], "all": []}
    for _ in range(rounds):
        for name in took:
            surroundings = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
            if name == "one":
                surroundings |= OF_NUMPY
            line = [sys.executable, "-c", f"from {__spec__.name} import once; once()"]
            said = subprocess.run(line, env=surroundings, capture_output=True, text=True, check=True)
            took[name].append(float(said.stdout))
    load = os.getloadavg()[0]
    for name, seconds in took.items():
        print(
            f"NumPy on {name:<4} {statistics.median(seconds):7.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"
        )
    ratio = statistics.median(took["all"]) / statistics.median(took["one"])
    print(f"ratio         {ratio:7.2f}, medians of {rounds}, load {load:.1f} at the end")


def once() -> None:
    """Prints the wall clock of a second whole answer."""
    layers, labels, recordings = made_up(0)
    probe(layers, labels, recordings)
    start = time.perf_counter()
    probe(layers, labels, recordings)
    print(time.perf_counter() - start)


def by_fold(labels: np.ndarray, logits: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """Macro ROC-AUC (n_layers,), the mean over the folds where it exists."""
    folds = [roc_auc(labels[fold_of == f].T, logits[..., fold_of == f]) for f in range(FOLDS)]
    return macro(macro(np.stack(folds), axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--penalty", type=float, default=1.0)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--threads", action="store_true", help="instead: NumPy on one thread and on all")
    given = parser.parse_args()
    if given.threads:
        return on_threads(given.rounds)
    warnings.simplefilter("ignore", ConvergenceWarning)
    layers, labels, recordings = made_up(0)
    keys = [f"{i:03d}" for i in range(CLIPS)]
    folds = [content_folds(recordings, keys, FOLDS, draw) for draw in range(given.draws)]
    fold_of = folds[-1]
    work = (layers, labels, folds, given.penalty)
    ours(*work)
    our_times, their_times = [], []
    for _ in range(given.rounds):  # in turns, so that other load on the machine meets both
        seconds, mine = timed(ours, *work)
        our_times.append(seconds)
        seconds, (theirs, without) = timed(loop, *work)
        their_times.append(seconds)
        our_times += [timed(ours, *work)[0] for _ in range(4)]

    def pooled(logits: np.ndarray) -> np.ndarray:
        return np.array([[roc_auc_score(labels[:, k], row[k]) for k in range(TAGS)] for row in logits]).mean(
            1
        )

    print(f"mirdemo       {min(our_times):7.3f} s")
    print(f"scikit-learn  {min(their_times):7.3f} s")
    print(f"ratio         {min(their_times) / min(our_times):7.1f}")
    mine_pooled = pooled(mine)
    fold_by_fold = by_fold(labels, mine, fold_of) - by_fold(labels, theirs, fold_of)
    print("macro ROC-AUC, largest difference over layers from scikit-learn")
    print(f"  folds together, one intercept    {np.abs(mine_pooled - pooled(without)).max():.4f}")
    print(f"  fold by fold                     {np.abs(fold_by_fold).max():.4f}")
    print(f"  folds together, each its own     {np.abs(mine_pooled - pooled(theirs)).max():.4f}")
    wall = []
    for _ in range(given.rounds):
        start = time.perf_counter()
        probe(layers, labels, recordings, penalty=given.penalty)
        wall.append(time.perf_counter() - start)
    with_test, without_test = [], []
    for _ in range(given.rounds):
        with_test.append(timed(lambda: probe(layers, labels, recordings, penalty=given.penalty))[0])
        without_test.append(
            timed(lambda: probe(layers, labels, recordings, penalty=given.penalty, permutations=0))[0]
        )
    beside = min(with_test) - min(our_times)
    print(f"whole probe, wall clock: {min(wall):.3f} s")
    print(f"whole probe, processor: {min(with_test):.3f} s, without permutations {min(without_test):.3f} s")
    print(f"intervals, layer choice and 500 permutations: {beside:.3f} s")


if __name__ == "__main__":
    if "--threads" in sys.argv:
        main()
    else:
        with threadpool_limits(1):
            main()
