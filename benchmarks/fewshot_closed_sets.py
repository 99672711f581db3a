"""LC-prototypes from closed label sets against the full power set: same predictions, how much faster?

The rival is LC-Protonets written straightforwardly from its description (arXiv 2409.11264): a prototype for every
non-empty subset of every support item's tags, then for each query a walk over all of them, distance by distance, with
the tie rule. A second rival does the same with one matrix product for all distances of a query set. All are timed from
support set to predictions, in one process on one thread. Tag sets are drawn to Lyra's statistics, 60 tags at once: 58
to 80 support items of up to 11 tags, 7.3 tags an item, 272 queries; the published run had 28,149 combinations from 58
items and took 315 to 406 s with its network (github.com/pxaris/LC-Protonets, commit 452854c, seed 21).

    python benchmarks/fewshot_closed_sets.py [--episodes 1] [--items 58 80] [--dim 768]

Prints one JSON object; exits 1 unless predictions are identical and the straightforward rival takes at least 1,000
times as long in every episode.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.stages.fewshot import LCPrototypes

#: Line-ups of Lyra's recordings: (weight, tags of genre and place, further such tags that some have, instruments).
#: Read off its test split (github.com/pxaris/lyra-dataset), where one ensemble plays many recordings.
LINE_UPS = (
    (9, "traditional nisiotiko aegean aegean-sea", "icaria", "voice violin santouri laouto"),
    (6, "traditional nisiotiko aegean aegean-sea", "kasos", "voice lyra laouto"),
    (
        3,
        "traditional nisiotiko aegean aegean-sea",
        "",
        "violin tambouras santouri laouto percussion oud klarino voice",
    ),
    (8, "traditional nisiotiko ionian ionian-sea corfu", "", "voice violin guitar accordion"),
    (7, "traditional nisiotiko ionian ionian-sea corfu", "polyphonic", "voice"),
    (5, "traditional nisiotiko cretan crete", "", "voice violin lyra laouto floghera tambouras"),
    (9, "traditional epirotic epirus", "arvanitic", "violin percussion laouto klarino guitar"),
    (6, "traditional epirotic epirus", "", "voice violin percussion laouto klarino guitar bass santouri"),
    (8, "traditional mikrasiatiko asia-minor", "smyrni", "voice violin percussion laouto klarino kanonaki"),
    (7, "traditional mikrasiatiko asia-minor", "", "voice violin tambouras santouri percussion oud klarino"),
    (
        5,
        "traditional mikrasiatiko asia-minor",
        "politiko poli",
        "percussion oud lyra laouto kanonaki violin klarino guitar",
    ),
    (
        6,
        "traditional macedonian macedonia",
        "polyphonic",
        "voice violin percussion laouto klarino guitar oud",
    ),
    (6, "traditional peloponnesian peloponnese", "", "voice violin percussion laouto klarino"),
    (8, "traditional central-greek central-greece", "", "violin percussion laouto klarino guitar bass"),
    (9, "traditional pontian pontus", "", "voice percussion lyra"),
    (4, "traditional pontian pontus", "", "tsampouna percussion"),
    (8, "traditional thracian thrace", "polyphonic", "voice tsampouna percussion accordion floghera"),
    (6, "traditional thracian thrace", "", "voice violin percussion laouto klarino kanonaki"),
    (
        8,
        "traditional southern-italian southern-italy",
        "polyphonic",
        "voice percussion mandolin guitar bass accordion violin",
    ),
    (5, "traditional arabic egypt", "", "voice percussion oud ney kanonaki bass"),
    (9, "rebetiko no-place", "", "voice guitar bouzouki baglamas"),
    (6, "laiko no-place", "", "voice guitar bouzouki accordion"),
    (4, "urban-folk no-place", "", "voice guitar piano"),
)
MOST_TAGS = 11
TIE = 1e-9


def draw_labels(rng: np.random.Generator, n: int) -> np.ndarray:
    """uint8 (n, 60): tag sets with Lyra's statistics, at least one tag and at most 11 each."""
    column: dict[str, int] = {}
    for _, always, sometimes, played in LINE_UPS:
        for tag in f"{always} {sometimes} {played}".split():
            column.setdefault(tag, len(column))
    weights = np.array([line_up[0] for line_up in LINE_UPS], float)
    labels = np.zeros((n, 60), np.uint8)
    for row in labels:
        _, always, sometimes, played = LINE_UPS[rng.choice(len(LINE_UPS), p=weights / weights.sum())]
        tags = [*always.split(), *(tag for tag in sometimes.split() if rng.random() < 0.3)]
        tags += [tag for tag in played.split() if rng.random() < 0.9]
        row[[column[tag] for tag in tags[:MOST_TAGS]]] = 1
    return labels


def label_combinations(labels: np.ndarray) -> dict[tuple[int, ...], list[int]]:
    """Every non-empty subset of an item's tags -> the items that carry all of it."""
    carriers: dict[tuple[int, ...], list[int]] = {}
    for item, row in enumerate(labels):
        tags = np.flatnonzero(row).tolist()
        for size in range(1, len(tags) + 1):
            for combination in combinations(tags, size):
                carriers.setdefault(combination, []).append(item)
    return carriers


def nearest_combination(named: list[tuple[int, ...]], distances: Iterable[float]) -> tuple[int, ...]:
    """The combination at the smallest distance; of equally near ones (up to rounding) the larger, then the first."""
    nearest, best = np.inf, ()
    for combination, distance in zip(named, distances, strict=True):
        if distance < nearest - TIE or (distance <= nearest + TIE and len(combination) > len(best)):
            nearest, best = distance, combination
    return best


def cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    return 1.0 - float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))


def straightforward(support: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The power set as one would write it down: every distance by itself."""
    carriers = label_combinations(labels)
    means = [np.mean([support[item] for item in items], axis=0) for items in carriers.values()]
    predictions = np.zeros((len(queries), labels.shape[1]), np.uint8)
    for query, prediction in zip(queries, predictions, strict=True):
        prediction[
            list(nearest_combination([*carriers], (cosine_distance(query, mean) for mean in means)))
        ] = 1
    return predictions


def with_matrix_product(support: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The power set with all distances from one matrix product."""
    carriers = label_combinations(labels)
    means = np.stack([support[items].mean(axis=0) for items in carriers.values()])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    predictions = np.zeros((len(queries), labels.shape[1]), np.uint8)
    for distances, prediction in zip((1 - units @ means.T).tolist(), predictions, strict=True):
        prediction[list(nearest_combination([*carriers], distances))] = 1
    return predictions


def timed(make: Callable[[], np.ndarray], runs: int) -> tuple[float, np.ndarray]:
    """Median time of several runs, and what they gave."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        result = make()
        times.append(time.perf_counter() - started)
    return float(np.median(times)), result


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--episodes", type=int, default=1, help="episodes for each number of items (default: 1)"
    )
    parser.add_argument(
        "--items", type=int, nargs="+", default=[58, 80], help="support items (default: 58 80)"
    )
    parser.add_argument("--queries", type=int, default=272)
    parser.add_argument("--dim", type=int, default=768)
    args = parser.parse_args()

    episodes = [
        compare(np.random.default_rng([n, seed]), n, args.queries, args.dim)
        for n in args.items
        for seed in range(args.episodes)
    ]
    worst = min(e["ratio"] for e in episodes)
    identical = all(e["identical"] for e in episodes)
    print(json.dumps({"episodes": episodes, "worst_ratio": worst, "identical": identical}, indent=2))
    return 0 if identical and worst >= 1000 else 1


def compare(rng: np.random.Generator, n: int, n_queries: int, dim: int) -> dict[str, float | bool]:
    """One episode: its sizes, the three times, the ratios."""
    labels, asked = draw_labels(rng, n), draw_labels(rng, n_queries)
    directions = rng.normal(size=(60, dim))
    support = (labels @ directions + 2 * rng.normal(size=(n, dim))).astype(np.float32)
    queries = (asked @ directions + 2 * rng.normal(size=(n_queries, dim))).astype(np.float32)
    rival_input = (support.astype(np.float64), labels, queries.astype(np.float64))
    ours, got = timed(lambda: LCPrototypes.published().fit(support, labels).predict(queries), 21)
    plain, expected = timed(lambda: straightforward(*rival_input), 1)
    product, expected_too = timed(lambda: with_matrix_product(*rival_input), 3)
    return {
        "items": n,
        "tags_per_item": round(float(labels.sum(axis=1).mean()), 2),
        "combinations": len(label_combinations(labels)),
        "closed_sets": len(LCPrototypes.published().fit(support, labels).label_sets),
        "closed_sets_seconds": round(ours, 5),
        "straightforward_seconds": round(plain, 3),
        "matrix_product_seconds": round(product, 3),
        "ratio": round(plain / ours),
        "ratio_to_matrix_product": round(product / ours),
        "identical": bool((got == expected).all() and (got == expected_too).all()),
    }


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
