"""Train one of the two embedded networks from the cache of ``make_clips.py``.

    python training/train_mini.py --name mini-world --cache FOLDER --out assets/backbones/mini-world

The same seed, number of clips and number of steps for both names, from scratch. Only the controlled clips differ:
Western ones for ``mini-west``, equal parts of all traditions for ``mini-world``. Both also hear the soundfont bands,
which are Western.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from augmenting import augment
from clip_cache import SCALE, read_parts
from objectives import (
    OBJECTIVES,
    Heads,
    Targets,
    contrastive_loss,
    hide,
    masked_loss,
    statistics_loss,
    supervised_loss,
)
from safetensors.torch import save_file
from sound_statistics import Standard, sound_statistics

from mirdemo.backbones.mini_network import MiniConfig, MiniNetwork

TRADITIONS = ("western", "greek", "makam", "hindustani", "carnatic", "festival")
#: Tokens (6.25 a second) of a crop: short ones, which are cheap, then to nearly the length of a window.
CROPS, LAST_CROPS, LAST = (25, 41), (44, 57), 0.2
#: Clips over which the statistics are standardised.
MEASURED = 600
RAISED_ON = {"mini-west": ("western",), "mini-world": TRADITIONS, "bands": ()}


@dataclass(frozen=True)
class Plan:
    """name: whose diet; controlled, bands: clips from the cache; share: of controlled clips in a batch; steps, batch,
    rate: of AdamW, the rate falling to 0 along a cosine; objective: one of ``OBJECTIVES``; statistics: weight of the
    statistics of undisturbed sound in a supervised objective, 0 for none."""

    name: str = "mini-world"
    controlled: int = 2400
    bands: int = 3000
    share: float = 0.6
    steps: int = 2600
    batch: int = 32
    rate: float = 2e-3
    objective: str = "supervised"
    statistics: float = 8.0
    seed: int = 0


class Deck:
    """Clip numbers in a random order, shuffled anew when they run out."""

    def __init__(self, numbers: torch.Tensor, rng: torch.Generator) -> None:
        self._numbers, self._rng, self._left = numbers, rng, numbers[:0]

    def draw(self, count: int) -> torch.Tensor:
        while len(self._left) < count:
            shuffled = self._numbers[torch.randperm(len(self._numbers), generator=self._rng)]
            self._left = torch.cat([self._left, shuffled])
        drawn, self._left = self._left[:count], self._left[count:]
        return drawn


def load_clips(cache: Path, plan: Plan) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Spectrograms (clips, 2, frames, bins) uint8 and facts of everything in the plan's diet."""
    traditions = RAISED_ON[plan.name]
    wanted = {t: plan.controlled // len(traditions) for t in traditions} | {"soundfont": plan.bands}
    wanted = {source: count for source, count in wanted.items() if count}
    mels, cqs, facts = [], [], []
    for source, count in wanted.items():
        mel, cq, known = read_parts(cache / f"{source}-train", count)
        if len(known) < 0.97 * count:
            print(f"only {len(known)} of {count} clips of {source} in the cache", flush=True)
        mels.append(mel)
        cqs.append(cq)
        facts += known
    return np.concatenate(mels), np.concatenate(cqs), facts


def train(
    cache: Path, plan: Plan, keep: Callable[[MiniNetwork, int], None] | None = None
) -> tuple[MiniNetwork, dict[str, Any]]:
    """Train; returns the network and a record of how. keep: called with the network and the steps done every
    500 steps."""
    torch.manual_seed(plan.seed)
    rng = torch.Generator().manual_seed(plan.seed)
    network = MiniNetwork(MiniConfig())
    mel, cq, facts = load_clips(cache, plan)
    targets = Targets(facts)
    some = torch.randperm(len(facts), generator=rng)[:MEASURED]
    measured = (values.transpose(1, 2) for values in _spectrograms(mel, cq, some, 0))
    standard = Standard(sound_statistics(*measured))
    heads = Heads(network.config, targets, sum(standard.sizes))
    print(
        f"{len(facts)} clips, {len(targets.names)} tags, {sum(p.numel() for p in network.parameters())} parameters"
    )
    parameters = [*network.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.02)
    warm = max(1, min(100, plan.steps // 5))
    began, log, running = time.monotonic(), [], {}
    banded = torch.tensor([fact["clip"].startswith("soundfont") for fact in facts])
    decks = [Deck(torch.nonzero(kind).flatten(), rng) for kind in (~banded, banded)]
    twice = plan.objective in ("contrastive", "both")
    per_step = plan.batch // 2 if twice else plan.batch
    for step in range(plan.steps):
        of_controlled = round(per_step * plan.share) if plan.controlled else 0
        chosen = torch.cat([decks[0].draw(of_controlled), decks[1].draw(per_step - of_controlled)])
        if twice:
            chosen = torch.cat([chosen, chosen])
            view = torch.cat([torch.zeros(per_step), torch.ones(per_step)]).long()
        else:
            view = torch.randint(0, 2, (per_step,), generator=rng)
        tokens = LAST_CROPS if step >= (1 - LAST) * plan.steps else CROPS
        frames = int(torch.randint(*tokens, (1,), generator=rng)) * 4
        rendered = _spectrograms(mel, cq, chosen, 0) if plan.statistics else None
        seen = augment(*_spectrograms(mel, cq, chosen, view), frames, rng, rendered)
        rate = plan.rate * min(1.0, (step + 1) / warm) * (0.5 + 0.5 * math.cos(math.pi * step / plan.steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        parts: dict[str, float] = {}
        if plan.objective == "masked":
            mel_blank, cq_blank, hidden = hide(seen.mel, seen.cq, rng)
            loss = masked_loss(network(mel_blank, cq_blank), heads, seen.mel, seen.cq, hidden)
        else:
            output = network(seen.mel, seen.cq)
            loss = torch.zeros(())
            if plan.objective in ("supervised", "both"):
                tags = targets.tags_at(chosen, seen.speed)
                tonic = targets.tonic_bin[chosen] + seen.shift
                pulse = targets.pulse_lag[chosen] / seen.speed
                loss, parts = supervised_loss(output, heads, tags, tonic, pulse)
                if plan.statistics:
                    told = statistics_loss(output, heads, standard(sound_statistics(*seen.plain)))
                    parts["statistics"] = told.item()
                    loss = loss + plan.statistics * told
            if twice:
                same = contrastive_loss(output, heads)
                parts["same"] = same.item()
                loss = loss + (0.5 if plan.objective == "both" else 1.0) * same
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        for key, value in {"loss": loss.item(), **parts}.items():
            running[key] = running.get(key, 0.0) + value
        if (step + 1) % 25 == 0:
            entry = {"step": step + 1, **{k: round(v / 25, 4) for k, v in running.items()}}
            entry["seconds"] = round(time.monotonic() - began)
            log.append(entry)
            running = {}
            print(json.dumps(entry), flush=True)
        if keep is not None and (step + 1) % 500 == 0:
            keep(network, step + 1)
    record = {
        "plan": asdict(plan),
        "raised_on": list(RAISED_ON[plan.name]),
        "clips": len(facts),
        "bands": int(banded.sum()),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tags": len(targets.names),
        "seconds": round(time.monotonic() - began),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "log": log[:: max(1, len(log) // 10)] + log[-1:],
    }
    return network.eval(), record


def _spectrograms(
    mel: np.ndarray, cq: np.ndarray, chosen: Tensor, view: Tensor | int
) -> tuple[Tensor, Tensor]:
    """Of the chosen clips, each in its view (0 as rendered, 1 disturbed), in units of the front end."""
    pick = chosen.numpy(), np.asarray(view)
    return torch.from_numpy(mel[pick]).float() / SCALE, torch.from_numpy(cq[pick]).float() / SCALE


def save(network: MiniNetwork, record: dict[str, Any], folder: Path) -> None:
    """Weights in half precision, ``config.json`` and ``training.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    config = {**network.config.as_dict(), "sha256": digest}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", choices=list(RAISED_ON), required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--objective", choices=OBJECTIVES, default=Plan.objective)
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument("--share", type=float, default=Plan.share)
    parser.add_argument("--statistics", type=float, default=Plan.statistics)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--controlled", type=int, default=Plan.controlled)
    parser.add_argument("--bands", type=int, default=Plan.bands)
    parser.add_argument("--threads", type=int, default=1)
    chosen = vars(parser.parse_args())
    torch.set_num_threads(chosen.pop("threads"))
    torch.set_flush_denormal(True)  # probabilities near 0 otherwise cost a processor many times as much
    cache, out = chosen.pop("cache"), chosen.pop("out")
    plan = Plan(**chosen)

    def keep(network: MiniNetwork, step: int) -> None:
        save(network, {"plan": asdict(plan), "stopped_at": step}, out / f"step-{step}")

    network, record = train(cache, plan, keep)
    save(network, record, out)


if __name__ == "__main__":
    main()
