"""Fit the whitening that comes with the embedded backbones.

    python training/fit_whitening.py spectral mini-west mini-world mini-world-spectral

Writes ``assets/whitening/<name>.safetensors``. ``mirdemo.whitening.fit_whitening`` does the same for any backbone.
Where the page turns one on by itself is decided by what ``benchmarks/embedded_on_real_sound.py`` measures with it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.backbones import load_backbone
from mirdemo.whitening import ASSETS, fit_whitening


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+")
    parser.add_argument("--performances", type=int, default=180)
    parser.add_argument("--renderings", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ASSETS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    for name in chosen.names:
        whitening = fit_whitening(
            load_backbone(name),
            performances=chosen.performances,
            renderings=chosen.renderings,
            seed=chosen.seed,
        )
        whitening.save(chosen.out / f"{name}.safetensors")
        print(name, dict(whitening.provenance), flush=True)


if __name__ == "__main__":
    main()
