"""Does a whitening ruin a backbone whose units hardly moved on the sound it was fitted on?

    python benchmarks/whitening_floor.py RECORDINGS [--backbone musicnn-msd] [--layer penultimate] [--episodes 60]

RECORDINGS: a folder of ``<genre>.<number>.<ending>`` files, each one recording. In one run, on the same recordings, episodes and
degraded copies as ``embedded_on_real_sound.py`` (3-shot, nearest prototype by cosine; degraded queries against clean supports):
the layer as it is; whitened by what stood before, no deviation taken for less than a thousandth of the largest; with the floor
alone, with the cut alone, and with both, which is today's. All are fitted on the same renderings of controlled performances.

``five units``: the share of a row's squares that its five largest numbers hold, mean over clean recordings. Intervals: 90 %,
bootstrap over recordings; differences are from the layer as it is, paired by recording. Fetches musicnn's weights by pip.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.embedded_on_real_sound import few_shot, interval, read, rows_of
from mirdemo.backbones import load_backbone, specs
from mirdemo.embedding.embed import embed
from mirdemo.embedding.whitening import FLOOR, LIMIT, LayerWhitening
from mirdemo.synth.whitening import hear

#: As it was: a share of the largest deviation.
THOUSANDTH = 1e-3


def floor_of_before(rows: NDArray) -> float:
    """``THOUSANDTH`` of the largest deviation as a share of the usual one, which is how a floor is given today."""
    deviation = rows.std(axis=0)
    moving = deviation[deviation > THOUSANDTH * deviation.max()]
    return float(THOUSANDTH * deviation.max() / np.median(moving))


def five_units(rows: NDArray) -> float:
    squares = np.sort(rows.astype(np.float64) ** 2, axis=1)[:, ::-1]
    return float((squares[:, :5].sum(axis=1) / np.maximum(squares.sum(axis=1), 1e-30)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--backbone", default="musicnn-msd")
    parser.add_argument("--layer", help="default: the backbone's usual one")
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--performances", type=int, default=180)
    parser.add_argument("--seed", type=int, default=0, help="of the degradations")
    chosen = parser.parse_args()
    recordings = read(chosen.recordings, chosen.seed)
    backbone = load_backbone(chosen.backbone)
    layer = chosen.layer or specs()[chosen.backbone].first_layer
    parts = {one.name: one.parts for one in backbone.spec.layers}[layer]
    if parts:
        raise SystemExit(f"{layer} is made of parts, of which each has its own floor. Choose another layer.")
    clips = [*recordings.clean, *(clip for copies in recordings.degraded for clip in copies)]
    plain = rows_of(embed(clips, backbone), layer, len(recordings.clean))
    fitted_on, groups = hear(backbone, performances=chosen.performances)
    rows = fitted_on.layers[layer].astype(np.float64)
    before = floor_of_before(rows)
    tried = {
        "as before": (before, math.inf),
        f"floor {FLOOR:g} of the median": (FLOOR, math.inf),
        f"cut at {LIMIT:g}": (before, LIMIT),
        "both, as today": (FLOOR, LIMIT),
    }
    print(
        f"{chosen.backbone}, {layer}: {len(recordings.clean)} recordings, {chosen.episodes} episodes, "
        f"{len(set(groups))} performances; 90 % intervals over recordings"
    )
    scores = few_shot(plain, recordings.genres, chosen.episodes)
    told("as it is", scores, None, five_units(plain[0]))
    for name, (floor, limit) in tried.items():
        fitted = LayerWhitening.fit(rows, groups, floor=floor, limit=limit)
        white = fitted.apply(plain[0]), [fitted.apply(copy) for copy in plain[1]]
        found = few_shot(white, recordings.genres, chosen.episodes)
        told(name, found, scores, five_units(white[0]))


def told(
    name: str, scores: tuple[NDArray, NDArray], plain: tuple[NDArray, NDArray] | None, largest: float
) -> None:
    shown = [f"{name:24}"]
    for at, kind in enumerate(("clean", "degraded")):
        shown.append("{} {:.3f} ({:.3f} to {:.3f})".format(kind, *interval(scores[at])))
        if plain is not None:
            shown.append(
                "minus as it is {:+.3f} ({:+.3f} to {:+.3f})".format(*interval(scores[at] - plain[at]))
            )
    print("  ".join([*shown, f"five units {largest:.2f}"]), flush=True)


if __name__ == "__main__":
    main()
