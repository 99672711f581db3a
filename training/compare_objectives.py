"""What the networks could be trained for, at the same small budget: which objective leaves the best layers?

    python training/compare_objectives.py --cache FOLDER [--steps 150]

Trains on soundfont bands alone with each objective (and none: random weights), then reads the bands' tags off each
layer by ridge regression: fitted on clean clips that the network did not see, asked on others, clean and disturbed.
Prints the best layer's macro ROC-AUC; one seed, so the last digit means little.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clip_cache import SCALE, read_parts
from objectives import OBJECTIVES, Targets, pooled
from train_mini import Plan, train

from mirdemo.backbones.mini_network import MiniConfig, MiniNetwork
from mirdemo.metrics import roc_auc

HELD_OUT = 600


def layers_of(network: MiniNetwork, mel: NDArray, cq: NDArray) -> list[NDArray]:
    """Pooled rows of every layer for uint8 spectrograms (clips, frames, bins)."""
    rows = []
    with torch.inference_mode():
        for start in range(0, len(mel), 32):
            part = [
                torch.from_numpy(x[start : start + 32]).float().transpose(1, 2) / SCALE for x in (mel, cq)
            ]
            rows.append([pooled(states).numpy() for states in network(*part).states])
    return [np.concatenate(layer) for layer in zip(*rows, strict=True)]


def read_off(network: MiniNetwork, mel: NDArray, cq: NDArray, targets: Targets) -> tuple[float, float]:
    """Macro ROC-AUC on the second half of the clips, clean and disturbed, of a ridge fitted on the clean first half."""
    tags = (targets.tags.numpy() == 1).astype(np.uint8)
    half = len(tags) // 2
    clean, disturbed = (layers_of(network, mel[:, view], cq[:, view]) for view in (0, 1))
    best = (0.0, 0.0)
    for x, x_disturbed in zip(clean, disturbed, strict=True):
        centre, scale = x[:half].mean(0), x[:half].std(0) + 1e-6
        z, asked, asked_disturbed = (
            (part - centre) / scale for part in (x[:half], x[half:], x_disturbed[half:])
        )
        weights = z.T @ np.linalg.solve(z @ z.T + 100 * np.eye(half), tags[:half] - tags[:half].mean(0))
        found = tuple(
            float(np.nanmean(roc_auc(tags[half:].T, (a @ weights).T))) for a in (asked, asked_disturbed)
        )
        best = max(best, found)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--bands", type=int, default=2750, help="clips in all, the last 600 of them held out")
    parser.add_argument("--objectives", default=",".join(OBJECTIVES))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    mel, cq, facts = read_parts(chosen.cache / "soundfont-train", chosen.bands)
    mel, cq, targets = mel[-HELD_OUT:], cq[-HELD_OUT:], Targets(facts[-HELD_OUT:])
    torch.manual_seed(0)
    networks = {"none (random weights)": MiniNetwork(MiniConfig()).eval()}
    for objective in chosen.objectives.split(","):
        plan = Plan("bands", 0, chosen.bands - HELD_OUT, steps=chosen.steps, objective=objective)
        networks[objective] = train(chosen.cache, plan)[0]
    print(
        f"{'objective':24} clean  disturbed   ({chosen.steps} steps, {len(targets.names)} tags, {HELD_OUT // 2} clips)"
    )
    for name, network in networks.items():
        clean, disturbed = read_off(network, mel, cq, targets)
        print(f"{name:24} {clean:.3f}  {disturbed:.3f}", flush=True)


if __name__ == "__main__":
    main()
