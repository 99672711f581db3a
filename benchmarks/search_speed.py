"""The nearest of a million windows, beside numpy's plain product and a full sort, on the same rows in the same run.

    python benchmarks/search_speed.py [--rows 1000000] [--size 768] [--queries 32] [--count 10] [--rounds 3]

Both sides take turns. ``plain`` is ``queries @ rows.T`` with ``argsort``, over rows that were brought to length one
beforehand; ours is given their lengths, found beforehand too. ``recall`` is the share of plain's ``count`` nearest
that ours finds, ``memory`` what each side needed at most beside the rows, as a share of them (traced, another run).

Prints one JSON object. The goal: 3 times as fast at recall 1.0, with at most 1.2 times the rows.
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


def plain(rows: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
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
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    processor: dict[str, list[float]] = {"ours": [], "plain": []}
    recall = []
    for number in range(args.rounds):
        found = {}
        for side in ("ours", "plain") if number % 2 else ("plain", "ours"):
            began, spent = time.perf_counter(), time.process_time()
            if side == "ours":
                found[side] = nearest(rows, queries, args.count, lengths=lengths)[0]
            else:
                found[side] = plain(rows, queries, args.count)
            seconds[side].append(time.perf_counter() - began)
            processor[side].append(time.process_time() - spent)
        pairs = zip(found["ours"].tolist(), found["plain"].tolist(), strict=True)
        recall.append(float(np.mean([len(set(a) & set(b)) / args.count for a, b in pairs])))
    print(
        json.dumps(
            {
                "rows": args.rows,
                "size": args.size,
                "queries": args.queries,
                "seconds": {side: [round(one, 2) for one in all_] for side, all_ in seconds.items()},
                "ratio": round(statistics.median(seconds["plain"]) / statistics.median(seconds["ours"]), 2),
                "processor_ratio": round(
                    statistics.median(processor["plain"]) / statistics.median(processor["ours"]), 2
                ),
                "recall": recall,
                "memory": {
                    "ours": round(
                        1 + traced(lambda: nearest(rows, queries, args.count, lengths=lengths)) / rows.nbytes,
                        3,
                    ),
                    "plain": round(1 + traced(lambda: plain(rows, queries, args.count)) / rows.nbytes, 3),
                },
                "threads": os.environ.get("OMP_NUM_THREADS", "default"),
                "numpy": np.__version__,
                "load": os.getloadavg(),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
