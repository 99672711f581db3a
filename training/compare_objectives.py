"""What the networks could be trained for, at the same small budget: which objective leaves the best layers?

    python training/compare_objectives.py --cache FOLDER [--steps 150]

Trains on soundfont bands alone with each objective (and none: random weights), then reads the bands' tags off each
layer by ridge regression: fitted on clean clips that the network did not see, asked on others, clean and disturbed.
The supervised objective comes without and with the statistics of undisturbed sound beside it. The layer is the one that
does best on clips between the two. Prints its macro ROC-AUC and what is lost against the supervised objective, with
90 % intervals, bootstrap over the clips asked on; one training seed each.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clip_cache import SCALE, read_parts
from objectives import OBJECTIVES, Targets, pooled
from train_mini import Plan, train

from mirdemo.backbones.mini_network import MiniConfig, MiniNetwork
from mirdemo.scoring.metrics import roc_auc

HELD_OUT = 600
DRAWS = 500


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


def read_off(network: MiniNetwork, mel: NDArray, cq: NDArray, targets: Targets) -> dict[str, NDArray]:
    """Macro ROC-AUC on the last half of the clips, clean and disturbed, of a ridge fitted on the clean first third: the
    value, then ``DRAWS`` resamplings, the same for every network."""
    tags = (targets.tags.numpy() == 1).astype(np.uint8)
    fit, choose, ask = np.split(np.arange(len(tags)), [len(tags) // 3, len(tags) // 2])
    clean, disturbed = (layers_of(network, mel[:, view], cq[:, view]) for view in (0, 1))
    best, scores = 0.0, {}
    for x, x_disturbed in zip(clean, disturbed, strict=True):
        centre, scale = x[fit].mean(0), x[fit].std(0) + 1e-6
        z = (x[fit] - centre) / scale
        weights = z.T @ np.linalg.solve(z @ z.T + 100 * np.eye(len(z)), tags[fit] - tags[fit].mean(0))
        chosen = float(np.nanmean(roc_auc(tags[choose].T, ((x[choose] - centre) / scale @ weights).T)))
        if chosen > best:
            best = chosen
            asked = {"clean": x[ask], "disturbed": x_disturbed[ask]}
            scores = {name: ((part - centre) / scale @ weights).T for name, part in asked.items()}
    rng = np.random.default_rng(0)
    draws = [np.arange(len(ask)), *rng.integers(0, len(ask), (DRAWS, len(ask)))]
    truth = tags[ask].T
    return {
        name: np.array([np.nanmean(roc_auc(truth[:, draw], found[:, draw])) for draw in draws])
        for name, found in scores.items()
    }


def shown(values: NDArray) -> str:
    low, high = np.quantile(values[1:], [0.05, 0.95])
    return f"{values[0]:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--bands", type=int, default=3000, help="clips in all, the last 600 of them held out")
    parser.add_argument("--objectives", default=",".join(OBJECTIVES))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    mel, cq, facts = read_parts(chosen.cache / "soundfont-train", chosen.bands)
    mel, cq, targets = mel[-HELD_OUT:], cq[-HELD_OUT:], Targets(facts[-HELD_OUT:])
    torch.manual_seed(0)
    networks = {"none (random weights)": MiniNetwork(MiniConfig()).eval()}
    for objective in chosen.objectives.split(","):
        plan = Plan("bands", 0, chosen.bands - HELD_OUT, steps=chosen.steps, objective=objective)
        networks[objective] = train(chosen.cache, replace(plan, statistics=0.0))[0]
        if objective == "supervised":
            networks["supervised, statistics"] = train(chosen.cache, plan)[0]
    found = {name: read_off(network, mel, cq, targets) for name, network in networks.items()}
    print(
        f"{chosen.steps} steps, {len(targets.names)} tags, {HELD_OUT - HELD_OUT // 2} clips, 90 % intervals"
    )
    print(f"{'objective':24}{'clean':>26}{'disturbed':>26}{'lost, clean':>26}{'lost, disturbed':>26}")
    for name, by in found.items():
        row = [by["clean"], by["disturbed"]]
        if "supervised" in found:
            row += [found["supervised"][part] - by[part] for part in ("clean", "disturbed")]
        print(f"{name:24}" + "".join(f"{shown(values):>26}" for values in row), flush=True)


if __name__ == "__main__":
    main()
