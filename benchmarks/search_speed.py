"""The nearest of a million windows, beside numpy's product alone and two ways to choose from it, on the same rows in one run.

    python benchmarks/search_speed.py [--rows 1000000] [--size 768] [--queries 32] [--count 10] [--rounds 3]

All take turns. ``product`` is ``queries @ rows.T`` alone, which chooses nothing. ``partition`` chooses the ``count`` nearest
from it with ``argpartition`` and sorts those: what ours returns, and so its rival. ``sort`` sorts all with ``argsort``. The
rows were brought to length one beforehand; ours is given their lengths, found beforehand too, and that nothing else of its
process multiplies meanwhile, as ``mirdemo find`` says. ``recall`` is the share of partition's ``count`` nearest that ours
finds, ``memory`` what each needed at most beside the rows, as a share of them (traced, another run).

Prints one JSON object. ``ratio``: of partition's median time to ours, its range over the rounds beside it; ``beside``: that
of each other's median to ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def make(n: int, size: int) -> np.ndarray:
    """float32 (n, size), in clusters as recordings are, at length one."""
    rng = np.random.default_rng(0)
    rows = np.empty((n, size), np.float32)
    centres = rng.standard_normal((1000, size), np.float32)
    for start in range(0, n, 50_000):
        part = rows[start : start + 50_000]
        rng.standard_normal(out=part, dtype=np.float32)
        part += centres[rng.integers(0, len(centres), len(part))]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def product(rows: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    return (queries @ rows.T)[:, :count]


def partition(rows: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    cosines = queries @ rows.T
    chosen = np.argpartition(cosines, -count, axis=1)[:, -count:]
    order = np.argsort(-np.take_along_axis(cosines, chosen, axis=1), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def sort(rows: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-(queries @ rows.T), axis=1)[:, :count]


def traced(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--queries", type=int, default=32)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    from mirdemo.search import lengths_of, nearest

    rows = make(args.rows, args.size)
    lengths = lengths_of(rows)
    queries = rows[:: args.rows // args.queries][: args.queries] + 0.01
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    nearest(rows[:10_000], queries, args.count)  # what is loaded at first use is loaded
    sides: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: nearest(rows, queries, args.count, lengths=lengths, alone=True)[0],
        **{
            rival.__name__: lambda rival=rival: rival(rows, queries, args.count)
            for rival in (product, partition, sort)
        },
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    processor: dict[str, list[float]] = {side: [] for side in sides}
    recall = []
    for number in range(args.rounds):
        found = {}
        for side in list(sides) if number % 2 else reversed(sides):
            began, spent = time.perf_counter(), time.process_time()
            found[side] = sides[side]()
            seconds[side].append(time.perf_counter() - began)
            processor[side].append(time.process_time() - spent)
        pairs = zip(found["ours"].tolist(), found["partition"].tolist(), strict=True)
        recall.append(float(np.mean([len(set(a) & set(b)) / args.count for a, b in pairs])))
    median = {side: statistics.median(all_) for side, all_ in seconds.items()}
    spent_by = {side: statistics.median(all_) for side, all_ in processor.items()}
    each = [rival / ours for rival, ours in zip(seconds["partition"], seconds["ours"], strict=True)]
    print(
        json.dumps(
            {
                "rows": args.rows,
                "size": args.size,
                "queries": args.queries,
                "rounds": args.rounds,
                "seconds": {side: [round(one, 2) for one in all_] for side, all_ in seconds.items()},
                "ratio": round(median["partition"] / median["ours"], 2),
                "ratio_range": [round(min(each), 2), round(max(each), 2)],
                "processor_ratio": round(spent_by["partition"] / spent_by["ours"], 2),
                "beside": {side: round(median[side] / median["ours"], 2) for side in ("product", "sort")},
                "recall": recall,
                "memory": {side: round(1 + traced(work) / rows.nbytes, 3) for side, work in sides.items()},
                "threads": os.environ.get("OMP_NUM_THREADS", "default"),
                "numpy": np.__version__,
                "load": os.getloadavg(),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
