"""The rival: partial fine-tuning as it is usually done, every step through the whole network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mirdemo.embedding.embed import cut
from mirdemo.sound.audio import Clip
from mirdemo.stages.finetuning.boundary import Windows


class FullForward:
    """Where a ``PrefixCache`` stands in training, without a cache: the frozen prefix runs again for every batch."""

    def __init__(self, clips: Sequence[Clip], backbone, split) -> None:
        self.windows = Windows.of(clips, backbone.spec)
        self._split = split
        rate = backbone.spec.sample_rate
        self.waves = [wave for clip in clips for wave in cut(clip.at(rate), backbone.spec)[1]]

    def batch(self, indices: np.ndarray) -> Tensor:
        return self._split.prefix(torch.from_numpy(np.stack([self.waves[i] for i in indices])))


def plain_losses(backbone, n_blocks: int, waves: Tensor, targets: Tensor, batches, epochs: int, settings):
    """Losses of every step, written out without anything of ``mirdemo.stages.finetuning``.

    waves: (n, samples); targets: (n, n_tags); batches: window indices of every step
    """
    split = backbone.split(n_blocks)

    def forward(rows: Tensor) -> Tensor:
        return split.tail(split.prefix(waves[rows]), samples=waves.shape[1])

    with torch.no_grad():
        start = forward(torch.arange(len(waves)))
    centre, scale = start.mean(0), start.std(0, correction=0)
    positives = targets.sum(0)
    negatives = len(targets) - positives
    weight = (negatives / positives).clamp(1 / settings.largest_weight, settings.largest_weight)
    head = torch.nn.Linear(start.shape[1], targets.shape[1])
    torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_((positives / negatives).log() + weight.log())
    free = [p for p in split.tail.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": free}, {"params": head.parameters()}], weight_decay=settings.weight_decay
    )
    total = len(batches) // epochs * settings.epochs
    rise = round(settings.warm_up * total)
    losses = []
    for number, batch in enumerate(batches):
        rows = torch.from_numpy(np.asarray(batch))
        factor = (number + 1) / rise if number < rise else None
        if factor is None:
            factor = (1 + math.cos(math.pi * (number - rise) / (total - rise))) / 2
        for group, rate in zip(optimiser.param_groups, (settings.tail_rate, settings.head_rate), strict=True):
            group["lr"] = rate * factor
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            head((forward(rows) - centre) / scale), targets[rows], pos_weight=weight
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*free, *head.parameters()], settings.clip_norm)
        optimiser.step()
        losses.append(loss.item())
    return losses
