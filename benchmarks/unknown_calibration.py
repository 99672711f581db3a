"""How often known clips are called unknown, against the usual limit: the farthest distance seen.

    python -m benchmarks.unknown_calibration [--layer all] [--trials 60] [--plain]

75 recordings of the controlled festival (a room, instruments and a tonic of its own each), embedded by ``spectral`` and
whitened where the page would (``--plain``: never).
Small support sets are drawn from them; the clips of all other recordings are known clips, 9 s of each other tradition
are not. Prints, for several sizes of the support set, the share of known clips called unknown by both limits (5 % are
promised), their ratio, and the share of the other traditions that is found to be unknown.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.backbones.on_real_sound import whitening_helps
from mirdemo.embedding.embed import embed
from mirdemo.embedding.whitening import whitening_for
from mirdemo.sound.audio import Clip
from mirdemo.stages.fewshot import LCPrototypes
from mirdemo.synth import TRADITIONS, festival, plan, render


def made(layer: str, plain: bool, repeats: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows and labels of festival clips, their recordings, and rows of other traditions."""
    backbone = load_backbone("spectral")
    helps = not plain and whitening_helps("spectral", "few-shot", layer)
    whitening = whitening_for(backbone.identity) if helps else None

    def heard(performance) -> np.ndarray:
        clip = Clip.of(render(performance, festival.RATE), festival.RATE, "clip")
        embeddings = embed([clip], backbone)
        return (whitening.apply(embeddings) if whitening else embeddings).matrix(layer)[0]

    rows, tags, recordings = [], [], []
    for again in range(repeats):
        for recording in festival._RECORDINGS:
            own = replace(recording, key=f"{recording.key}-{again}")
            for take in range(len(own.takes)):
                performance = festival._performance(own, take)
                rows.append(heard(performance))
                tags.append(festival._tags(own, performance))
                recordings.append(own.key)
    names = sorted({tag for of in tags for tag in of})
    labels = np.array([[tag in of for tag in names] for of in tags], np.uint8)
    others = [
        heard(plan(tradition, 900_000 + i, seconds=9.0))
        for tradition in TRADITIONS
        if tradition != "festival"
        for i in range(5)
    ]
    return np.array(rows), labels, np.array(recordings), np.array(others)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", default="all")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    rows, labels, recordings, others = made(args.layer, args.plain)
    names, rng = np.unique(recordings), np.random.default_rng(0)
    print(f"{len(rows)} known clips of {len(names)} recordings, {len(others)} of other traditions")
    for size in (3, 6, 12, 30):
        shares = []
        for _ in range(args.trials):
            mine = np.isin(recordings, rng.choice(names, size, replace=False))
            method = LCPrototypes().fit(
                rows[mine], labels[mine][:, labels[mine].any(axis=0)], recordings[mine]
            )
            held = method._leave_out()
            seen = held.distance[held.covered & np.isfinite(held.distance)]
            if not len(seen):
                continue
            ours = np.inf if method.threshold is None else method.threshold
            known, strange = method.decide(rows[~mine]).distance, method.decide(others).distance
            shares.append([(d > at).mean() for d in (known, strange) for at in (ours, seen.max())])
        ours, rival, found, found_by_rival = np.mean(shares, axis=0)
        print(
            f"{size:3d} recordings: known called unknown {ours:.3f} ours, {rival:.3f} farthest seen "
            f"(ratio {ours / rival:.2f}); other traditions found unknown {found:.3f}, {found_by_rival:.3f}"
        )


if __name__ == "__main__":
    main()
