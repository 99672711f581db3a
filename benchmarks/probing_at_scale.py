"""The live probe for a collection of an archive's size, beside scikit-learn's LogisticRegression in a loop.

    python -m benchmarks.probing_at_scale [--clips 20000] [--layers 25] [--size 1024] [--tags 50] [--sampled 8]

The rows are made from random numbers: standardised, eigenvalues that fall with the power 1.45 of their rank, which is how
those of `mini-world` fall on 420 controlled Western clips (least squares over the upper half of ranks, five layers, 1.44 to
1.47, no interval), four clips a recording, tags between a twentieth and two fifths of the recordings. Speed: our solution of
one layer, all folds and tags, against as many fits by scikit-learn as were sampled, times what was left out; same folds,
same penalty, both standardised on the training side, one thread, processor time, in turns. Figures: ROC-AUC of each
sampled fold and tag. Memory: a process of its own probes all layers, and what it held at most, above what it held with
nothing but its libraries, is divided by the rows. It permutes ``--permutations`` times, which changes how long it takes
and not what it holds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.base import threads
from mirdemo.scoring.folds import content_folds
from mirdemo.stages.probing import primal, probe

FOLDS, CLIPS_EACH, FALLS = 5, 4, 1.45
MIB = 2**20


def labelled(clips: int, tags: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels uint8 (clips, tags), and the recording of each clip (clips,)."""
    recordings = np.arange(clips) // CLIPS_EACH
    drawn = rng.random((recordings[-1] + 1, tags)) < rng.uniform(0.05, 0.4, tags)
    return drawn[recordings].astype(np.uint8), recordings


def made_up(size: int, labels: np.ndarray, recordings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One layer's rows, float32 (n, size)."""
    falls = np.arange(1, size + 1) ** (-FALLS / 2)
    rows = 0.8 * rng.normal(size=(recordings[-1] + 1, size))[recordings]
    rows += 0.6 * rng.normal(size=rows.shape)
    rows = rows * falls + labels @ (0.25 * falls * rng.normal(size=(labels.shape[1], size)))
    return (rows @ np.linalg.qr(rng.normal(size=(size, size)))[0]).astype(np.float32)


def speed(given: argparse.Namespace) -> None:
    """Prints the ratio and the largest difference of a figure."""
    rng = np.random.default_rng(0)
    labels, recordings = labelled(given.clips, given.tags, rng)
    rows = made_up(given.size, labels, recordings, rng)
    folds = content_folds(recordings, [str(i) for i in range(given.clips)], FOLDS, 0)
    ours, chosen, fits, apart = [], [], [], []
    for at in range(given.sampled):
        if at % 4 == 0:
            start = time.process_time()
            draw = primal._Draw.of(*primal._levelled(rows, True), folds, given.penalty, True)
            logits = draw.logistic(labels.astype(np.float64), given.penalty, lambda: None)
            ours.append(time.process_time() - start)
            draw.inner(labels, lambda: None)
            chosen.append(time.process_time() - start)
        fold, tag = at % FOLDS, int(rng.integers(given.tags))
        learn, test = folds != fold, folds == fold
        start = time.process_time()
        scaler = StandardScaler().fit(rows[learn])
        known, new = scaler.transform(rows[learn]), scaler.transform(rows[test])
        scaling = time.process_time() - start
        start = time.process_time()
        model = LogisticRegression(C=1 / given.penalty, max_iter=10_000).fit(known, labels[learn, tag])
        theirs = model.decision_function(new)
        # the scaling is shared by all tags of a fold
        fits.append(time.process_time() - start + scaling / given.tags)
        truth = labels[test, tag]
        apart.append(roc_auc_score(truth, logits[tag, test]) - roc_auc_score(truth, theirs))
    loop = float(np.mean(fits)) * FOLDS * given.tags
    print(f"scores of one layer out of {FOLDS} folds, {given.tags} tags, seconds of processor time")
    print(f"mirdemo       {min(ours):8.2f} s (least of {len(ours)})")
    print(f"scikit-learn  {loop:8.2f} s ({len(fits)} of {FOLDS * given.tags} fits sampled)")
    print(f"ratio         {loop / min(ours):8.1f}")
    print(
        f"with the folds within folds that choose the layer, which the loop leaves out: {min(chosen):.2f} s"
    )
    print(f"ROC-AUC of a fold and a tag, largest difference: {np.abs(apart).max():.4f} (n {len(apart)})")


def _peak() -> float:
    """MiB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _hold(given: argparse.Namespace, answers: Connection) -> None:
    rng = np.random.default_rng(0)
    labels, recordings = labelled(given.clips, given.tags, rng)
    before = _peak()
    layers = {}
    for i in range(given.layers):
        # plain rows: what is held does not depend on what they say, and making them must not need more than probing them
        layers[str(i)] = rng.standard_normal((given.clips, given.size), dtype=np.float32)
    start = time.perf_counter()
    probe(layers, labels, recordings, penalty=given.penalty, permutations=given.permutations)
    answers.send((before, _peak(), time.perf_counter() - start))


def memory(given: argparse.Namespace) -> None:
    """Prints what the whole probe held, beside its rows and beside a matrix of clips by clips."""
    here, there = multiprocessing.Pipe(duplex=False)
    threads.prepare()  # as for the page and the command line
    other = multiprocessing.get_context("spawn").Process(target=_hold, args=(given, there))
    other.start()
    there.close()
    before, peak, seconds = here.recv()
    other.join()
    rows = given.layers * given.clips * given.size * 4 / MIB
    print(f"\n{given.layers} layers, {given.permutations} permutations: {seconds:.0f} s of wall time")
    print(f"rows {rows:.0f} MiB, held at most {peak - before:.0f} MiB above the libraries")
    print(f"ratio         {(peak - before) / rows:8.2f}")
    print(
        f"a matrix of clips by clips for each layer would be {given.layers * given.clips**2 * 8 / MIB:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=20_000)
    parser.add_argument("--layers", type=int, default=25)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--tags", type=int, default=50)
    parser.add_argument("--sampled", type=int, default=8, help="fits by scikit-learn")
    parser.add_argument("--penalty", type=float, default=1.0)
    parser.add_argument("--permutations", type=int, default=10)
    given = parser.parse_args()
    with threadpool_limits(1):
        speed(given)
    memory(given)


if __name__ == "__main__":
    main()
