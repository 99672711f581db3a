"""What the embedded backbones hear in the controlled corpora, tag family by tag family.

    python benchmarks/mini_on_controlled.py [--train 60] [--test 60] [--cache FOLDER] [--json FILE]

A linear probe (ridge to the tags, its strength chosen on the valid split) on each backbone's layers, one tradition at
a time, trained on the train split and asked about the test split, whose tonics, tempi, timbres and phrases are its
own. Macro ROC-AUC over the tags of a family that have at least three positive and three negative test clips; the
layer is the one that does best on the valid split. Then ``mini-world`` minus ``spectral``, paired by recording, and
the Western-to-other gap of ``mini-west`` minus that of ``mini-world``. Intervals: 90 %, bootstrap over the test
recordings within each tradition (the probe stays as it is).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.embedding.embed import Embeddings, embed
from mirdemo.embedding.store import EmbeddingStore
from mirdemo.scoring.metrics import roc_auc
from mirdemo.sound.audio import Clip
from mirdemo.synth import TRADITIONS, corpus
from mirdemo.synth.corpus import ControlledClip

NAMES = ("spectral", "mini-west", "mini-world")
FAMILIES = ("mode", "rhythm", "instrument", "form", "tempo")
STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
RATE = 24_000
SEED = 90  # of the corpora; training used seeds of another form
DRAWS = 1000


def ridge(x: NDArray, y: NDArray, strength: float) -> tuple[NDArray, NDArray, NDArray]:
    """Standardise, then ridge regression to the tags: (centre, scale, weights with the intercept last)."""
    centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = (x - centre) / scale
    kernel = z @ z.T + strength * np.eye(len(z))
    weights = z.T @ np.linalg.solve(kernel, y - y.mean(axis=0))
    return centre, scale, np.vstack([weights, y.mean(axis=0)])


def scores_of(model: tuple[NDArray, NDArray, NDArray], x: NDArray) -> NDArray:
    centre, scale, weights = model
    return (x - centre) / scale @ weights[:-1] + weights[-1]


def best_scores(parts: dict[str, Embeddings], labels: dict[str, NDArray]) -> tuple[str, NDArray]:
    """The layer and strength that do best on the valid split, and their scores (tags, clips) on the test split."""
    best = (-1.0, "", np.empty(0))
    for layer in parts["train"].layer_names:
        x = {split: part.matrix(layer).astype(np.float64) for split, part in parts.items()}
        for strength in STRENGTHS:
            model = ridge(x["train"], labels["train"].astype(np.float64), strength)
            value = np.nanmean(roc_auc(labels["valid"].T, scores_of(model, x["valid"]).T))
            if value > best[0]:
                best = (float(value), layer, scores_of(model, x["test"]).T)
    return best[1], best[2]


Parts = dict[str, list[ControlledClip]]  # split -> clips
Found = dict[str, dict[tuple[str, str], NDArray]]  # family -> (backbone, tradition) -> (DRAWS + 1,)


def compare(parts_of: Callable[[str], Parts], families: Sequence[str], store: EmbeddingStore | None) -> Found:
    """Macro ROC-AUC of every family, backbone and tradition on the test split; the first value is without resampling.

    parts_of: the train, valid and test clips of a tradition, at ``RATE``
    """
    backbones = {name: load_backbone(name) for name in NAMES}
    rng = np.random.default_rng(0)
    found: Found = {family: {} for family in families}
    for tradition in TRADITIONS:
        made = parts_of(tradition)
        clips = {split: [Clip.of(c.samples, RATE, c.recording) for c in part] for split, part in made.items()}
        n_test = len(made["test"])
        draws = [np.arange(n_test), *rng.integers(0, n_test, (DRAWS, n_test))]
        embedded = {
            name: {split: embed(part, backbone, store=store) for split, part in clips.items()}
            for name, backbone in backbones.items()
        }
        for family in families:
            tags = sorted({t for c in made["train"] for t in c.tags if t.startswith(f"{family}--")})
            labels = {
                split: np.array([[t in c.tags for t in tags] for c in part], dtype=np.uint8).reshape(
                    len(part), -1
                )
                for split, part in made.items()
            }
            positive = labels["test"].sum(axis=0)
            kept = (positive >= 3) & (n_test - positive >= 3) if len(tags) else np.zeros(0, bool)
            if not kept.any():
                continue
            labels = {split: part[:, kept] for split, part in labels.items()}
            for name in NAMES:
                layer, scores = best_scores(embedded[name], labels)
                values = [np.nanmean(roc_auc(labels["test"].T[:, draw], scores[:, draw])) for draw in draws]
                found[family][name, tradition] = np.array(values)
                print(
                    f"{tradition:11} {family:11} {name:11} {values[0]:.3f} ({kept.sum()} tags, layer {layer})",
                    flush=True,
                )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--test", type=int, default=60)
    parser.add_argument("--mode", default="full", choices=["full", "pitch", "timbre"])
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    counts = {"train": chosen.train, "valid": chosen.test // 2, "test": chosen.test}

    def parts_of(tradition: str) -> Parts:
        return {split: list(corpus(tradition, split, n, SEED, chosen.mode)) for split, n in counts.items()}

    figures = summary(compare(parts_of, FAMILIES, EmbeddingStore(chosen.cache) if chosen.cache else None))
    if chosen.json:
        record = {"mode": chosen.mode, "train": chosen.train, "test": chosen.test, "figures": figures}
        chosen.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def summary(found: Found) -> dict[str, dict[str, list[float]]]:
    """Print and return, for each family and over all, figures as [value, low, high]."""

    def at(values: NDArray) -> list[float]:
        low, high = np.nanquantile(values[1:], [0.05, 0.95])
        return [round(float(v), 4) for v in (values[0], low, high)]

    everything: dict[tuple[str, str], list[NDArray]] = {}
    for by in found.values():
        for key, values in by.items():
            everything.setdefault(key, []).append(values)
    rows = {
        **{f: by for f, by in found.items() if by},
        "all": {k: np.mean(v, axis=0) for k, v in everything.items()},
    }
    out: dict[str, dict[str, list[float]]] = {}
    for family, by in rows.items():
        there = [t for t in TRADITIONS if all((name, t) in by for name in NAMES)]
        mean = {name: np.mean([by[name, t] for t in there], axis=0) for name in NAMES}
        others = [t for t in there if t != "western"]
        gap = {}
        if "western" in there and others:
            gap = {n: by[n, "western"] - np.mean([by[n, t] for t in others], axis=0) for n in NAMES}
        figures = {name: at(mean[name]) for name in NAMES}
        figures["mini-world - spectral"] = at(mean["mini-world"] - mean["spectral"])
        figures["mini-world - mini-west"] = at(mean["mini-world"] - mean["mini-west"])
        if gap:
            figures["gap mini-west - gap mini-world"] = at(gap["mini-west"] - gap["mini-world"])
        out[family] = figures
        print(f"\n{family} ({len(there)} traditions)")
        for label, (value, low, high) in figures.items():
            print(f"  {label:32} {value:+.3f} [{low:+.3f}, {high:+.3f}]")
    return out


if __name__ == "__main__":
    main()
