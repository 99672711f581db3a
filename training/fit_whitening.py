"""Fit the whitening that comes with the embedded backbones.

    python training/fit_whitening.py spectral mini-west mini-world mini-world-spectral

Writes ``assets/whitening/<name>.safetensors``, fitted on performances of the controlled corpora and as many of a
soundfont's bands (needs Debian's ``fluidsynth`` and ``fluid-soundfont-gm``). ``mirdemo.synth.whitening.fit_whitening`` does the
same for any backbone, without the bands unless it is given some. Where the page turns one on by itself is decided by what
``benchmarks/embedded_on_real_sound.py`` measures with it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from soundfont import RATE, draw_band, render_bands

from mirdemo.backbones import load_backbone
from mirdemo.embedding.whitening import SHIPPED
from mirdemo.sound.audio import Clip
from mirdemo.synth.whitening import fit_whitening

SECONDS = 10.0
_AT_ONCE = 60


def bands(count: int, seed: int) -> list[Clip]:
    """Bands of the train split's programs, every other batch in the soundfont player's own room; silent ones left out."""
    rng = np.random.default_rng([seed, 9, 1])
    drawn = [draw_band(rng, SECONDS) for _ in range(count)]
    batches = [drawn[start : start + _AT_ONCE] for start in range(0, count, _AT_ONCE)]
    waves = [
        wave for i, batch in enumerate(batches) for wave in render_bands(batch, SECONDS, room=i % 2 == 1)
    ]
    return [Clip.of(wave, RATE, "band") for wave in waves if np.abs(wave).max() > 1e-4]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+")
    parser.add_argument("--performances", type=int, default=180)
    parser.add_argument("--bands", type=int, default=180)
    parser.add_argument("--renderings", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    others = bands(chosen.bands, chosen.seed) if chosen.bands else []
    for name in chosen.names:
        whitening = fit_whitening(
            load_backbone(name),
            performances=chosen.performances,
            renderings=chosen.renderings,
            seed=chosen.seed,
            others=others,
            others_called="soundfont",
        )
        whitening.save(chosen.out / f"{name}.safetensors")
        print(name, dict(whitening.provenance), flush=True)


if __name__ == "__main__":
    main()
