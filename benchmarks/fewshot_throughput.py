"""1,000 support clips, 200 tags, 10,000 queries of 768 dimensions: seconds and memory of LC-prototypes.

Run in a fresh process with two threads. The rival for the queries, in the same run and on the same prototypes, is
scikit-learn's brute-force nearest neighbour with cosine distance, in float64 as it is here; it knows no ties.

    python benchmarks/fewshot_throughput.py [--tags-per-clip 5]

Prints one JSON object (``load_before``: processes that were running already; the times mean something only where it
is well below the number of cores); exits 1 unless support set and queries together take less than 2 s and the process 2 GB, and
both find the same prototype for every query.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.stages.fewshot import LCPrototypes

N_SUPPORT, N_TAGS, N_QUERIES, DIM = 1000, 200, 10_000, 768


def draw(rng: np.random.Generator, tags_per_clip: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Support float32 (1000, 768), labels uint8 (1000, 200), queries float32 (10000, 768).

    Tags as uneven as in music corpora: the share of the k-th falls with the square root of k.
    """
    shares = 1 / np.sqrt(np.arange(1, N_TAGS + 1))
    shares *= tags_per_clip / shares.sum()
    directions = rng.normal(size=(N_TAGS, DIM))

    def embedded(labels: np.ndarray) -> np.ndarray:
        return (labels @ directions + 2 * rng.normal(size=(len(labels), DIM))).astype(np.float32)

    labels = (rng.random((N_SUPPORT, N_TAGS)) < shares).astype(np.uint8)
    return embedded(labels), labels, embedded(rng.random((N_QUERIES, N_TAGS)) < shares)


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tags-per-clip", type=float, default=5.0)
    args = parser.parse_args()
    support, labels, queries = draw(np.random.default_rng(0), args.tags_per_clip)

    load = os.getloadavg()[0]
    started = time.perf_counter()
    method = LCPrototypes.published().fit(support, labels)
    fitted = time.perf_counter()
    method.predict(queries)
    done = time.perf_counter()
    memory = peak_bytes()
    decided = method.decide(queries)

    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=1, algorithm="brute", metric="cosine").fit(method.prototypes)
    asked = queries.astype(np.float64)
    begun = time.perf_counter()
    _, found = index.kneighbors(asked)
    rival = time.perf_counter() - begun

    same = bool((found[:, 0] == decided.label_set).all())
    seconds = done - started
    print(
        json.dumps(
            {
                "load_before": round(load, 1),
                "label_sets": len(method.label_sets),
                "fit_seconds": round(fitted - started, 3),
                "predict_seconds": round(done - fitted, 3),
                "seconds": round(seconds, 3),
                "peak_megabytes": round(memory / 1e6),
                "scikit_learn_predict_seconds": round(rival, 3),
                "ratio": round(rival / (done - fitted), 2),
                "same_prototype": same,
            },
            indent=2,
        )
    )
    return 0 if seconds < 2 and memory < 2e9 and same else 1


if __name__ == "__main__":
    with threadpool_limits(2):
        sys.exit(main())
