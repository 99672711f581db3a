"""What the networks are trained for. The heads are thrown away afterwards.

supervised: the generator's own tags, tonic and pulse, beside statistics of the sound before anything was done to it.
contrastive: the two views of one clip against all others (InfoNCE).  masked: the constant-Q and mel of hidden tokens.
both: supervised and contrastive.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirdemo.backbones.frontend import BINS_PER_OCTAVE, LOWEST_HZ, N_CONSTANT_Q, N_MELS
from mirdemo.backbones.mini_network import (
    LAGS_PER_OCTAVE,
    MEL_FRAMES_PER_SECOND,
    N_LAGS,
    SHORTEST_LAG,
    MiniConfig,
    MiniOutput,
)
from mirdemo.synth.rhythm import tempo_word

TEMPI = ("Slow", "Medium", "Fast")
OBJECTIVES = ("supervised", "contrastive", "masked", "both")


def _family(tag: str) -> str:
    return tag.rsplit("--", 1)[0]


class Targets:
    """Tags, tonic and pulse of every clip as arrays.

    tags: int8 (clips, tags) with -1 where a clip carries no tag of that family: a "pitch only" clip says nothing of
    instruments, a controlled clip nothing of the bands' tags. Tags of fewer than 20 clips are left out.
    """

    def __init__(self, facts: Sequence[dict[str, Any]]) -> None:
        names = [
            [("band--" if fact["clip"].startswith("soundfont") else "") + tag for tag in fact["tags"]]
            for fact in facts
        ]
        families = [{_family(tag) for tag in clip} for clip in names]
        has, speaks = (
            Counter(t for clip in names for t in clip),
            Counter(f for clip in families for f in clip),
        )
        self.names = sorted(t for t, n in has.items() if 20 <= n <= speaks[_family(t)] - 20)
        column = {tag: i for i, tag in enumerate(self.names)}
        tags = np.full((len(facts), len(self.names)), -1, dtype=np.int8)
        for row, clip, spoken in zip(tags, names, families, strict=True):
            row[[_family(t) in spoken for t in self.names]] = 0
            row[[column[t] for t in clip if t in column]] = 1
        self.tags = torch.from_numpy(tags)
        self.tonic_bin = torch.tensor(
            [
                BINS_PER_OCTAVE * math.log2(f["tonic_hz"] / LOWEST_HZ) if f.get("tonic_hz") else math.nan
                for f in facts
            ]
        )
        self.pulse_lag = torch.tensor(
            [60 / f["bpm"] * MEL_FRAMES_PER_SECOND if f.get("bpm") else math.nan for f in facts]
        )
        known = (self.tags >= 0).float()
        self.rate = ((self.tags == 1).float().sum(0) / known.sum(0).clamp_min(1)).clamp(0.01, 0.99)
        # Rare tags (a mode of one tradition) would otherwise hardly move the loss.
        self.weight = ((1 - self.rate) / self.rate).sqrt().clamp(1, 8)
        self._tempi = {word: column[tag] for tag in self.names for word in TEMPI if tag == f"tempo--{word}"}
        self._bpm = [f["bpm"] for f in facts]

    def tags_at(self, chosen: Tensor, speed: Tensor) -> Tensor:
        """Tags of the chosen clips (batch,) when played ``speed`` (batch,) times as fast: int8 (batch, tags)."""
        tags = self.tags[chosen]
        for word, column in self._tempi.items():
            for row, (clip, factor) in enumerate(zip(chosen.tolist(), speed.tolist(), strict=True)):
                if tags[row, column] >= 0:
                    tags[row, column] = int(tempo_word(self._bpm[clip] * factor) == word)
        return tags


class Heads(nn.Module):
    """Linear readers of the last layer (mean and deviation) and of the input layer, and the projections."""

    def __init__(self, config: MiniConfig, targets: Targets, n_statistics: int) -> None:
        super().__init__()
        n_tags = len(targets.names)
        # Standardised first: pooled states differ little from clip to clip, and a plain linear head learns slowly.
        self.tags = nn.Sequential(
            nn.BatchNorm1d(2 * config.width, affine=False), nn.Linear(2 * config.width, n_tags)
        )
        self.early_tags = nn.Sequential(
            nn.BatchNorm1d(2 * config.width, affine=False), nn.Linear(2 * config.width, n_tags)
        )
        self.statistics = nn.Sequential(
            nn.BatchNorm1d(2 * config.width, affine=False), nn.Linear(2 * config.width, n_statistics)
        )
        bias = torch.logit(targets.rate) + targets.weight.log()
        self.register_buffer("weight", targets.weight)
        with torch.no_grad():
            for head in (self.tags, self.early_tags):
                head[1].weight.mul_(0.3)
                head[1].bias.copy_(bias)
            self.statistics[1].weight.mul_(0.3)
        self.project = nn.Sequential(
            nn.BatchNorm1d(2 * config.width, affine=False),
            nn.Linear(2 * config.width, 256),
            nn.GELU(),
            nn.Linear(256, 128),
        )
        self.restore = nn.Linear(config.width, N_MELS * 8 + N_CONSTANT_Q * 4)


def supervised_loss(
    output: MiniOutput, heads: Heads, tags: Tensor, tonic_bin: Tensor, pulse_lag: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Tags by binary cross-entropy from the last and (a third as much) the input layer; tonic and pulse by
    cross-entropy against the two bins beside the truth. tonic_bin, pulse_lag: nan where not known."""
    known = (tags >= 0).float()
    truth = (tags == 1).float()

    def tag_loss(logits: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(logits, truth, pos_weight=heads.weight, reduction="none")
        return (each * known).sum() / known.sum() * 15

    last, early = (
        tag_loss(heads.tags(pooled(output.states[-1]))),
        tag_loss(heads.early_tags(pooled(output.states[0]))),
    )
    tonic = soft_loss(output.tonic, tonic_bin, circular=True)
    position = LAGS_PER_OCTAVE * torch.log2(pulse_lag / SHORTEST_LAG)
    pulse = soft_loss(output.pulse, position.clamp(0, N_LAGS - 1.001), circular=False)
    parts = {"tags": last.item(), "early": early.item(), "tonic": tonic.item(), "pulse": pulse.item()}
    return last + 0.35 * early + 0.5 * tonic + 0.5 * pulse, parts


def statistics_loss(output: MiniOutput, heads: Heads, truth: Sequence[Tensor]) -> Tensor:
    """Squared error of the standardised statistics, read off the last layer: mean over the groups of each one's mean.
    truth: of each group (batch, statistics)."""
    told = heads.statistics(pooled(output.states[-1])).split([group.shape[1] for group in truth], dim=1)
    return torch.stack([F.mse_loss(one, true) for one, true in zip(told, truth, strict=True)]).mean()


def contrastive_loss(output: MiniOutput, heads: Heads) -> Tensor:
    """InfoNCE between row i and row i + half, which are views of one clip, at temperature 0.1."""
    z = F.normalize(heads.project(pooled(output.states[-1])), dim=1)
    half = len(z) // 2
    logits = (z @ z.T / 0.1).masked_fill(torch.eye(len(z), dtype=torch.bool), -1e4)
    partner = torch.cat([torch.arange(half, 2 * half), torch.arange(half)])
    return F.cross_entropy(logits, partner)


def masked_loss(output: MiniOutput, heads: Heads, mel: Tensor, cq: Tensor, hidden: Tensor) -> Tensor:
    """Squared error of the spectrograms under the hidden tokens. hidden: bool (batch, tokens)."""
    tokens = min(output.states[-1].shape[1], cq.shape[2] // 4)
    patches = torch.cat([_patches(mel, 8, tokens), _patches(cq, 4, tokens)], dim=2)
    error = (heads.restore(output.states[-1][:, :tokens]) - patches).square().mean(dim=2)
    shown = hidden[:, :tokens].float()
    return (error * shown).sum() / shown.sum().clamp_min(1) * 40


def hide(mel: Tensor, cq: Tensor, rng: torch.Generator, share: float = 0.4) -> tuple[Tensor, Tensor, Tensor]:
    """Blank runs of three tokens: mel, cq with the blanks at the level of noise, and hidden (batch, tokens)."""
    tokens = cq.shape[2] // 4
    seeds = torch.rand(len(cq), tokens, generator=rng) < share / 3
    hidden = seeds.clone()
    for step in (1, 2):
        hidden[:, step:] |= seeds[:, :-step]
    frames = F.pad(hidden, (0, -(-cq.shape[2] // 4) - tokens)).repeat_interleave(4, dim=1)[:, : cq.shape[2]]
    cq_blank = torch.where(frames[:, None], 0.7, cq)
    mel_blank = torch.where(frames.repeat_interleave(2, dim=1)[:, None], 0.7, mel)
    return mel_blank, cq_blank, hidden


def pooled(states: Tensor) -> Tensor:
    """Mean and deviation over tokens: (batch, tokens, width) -> (batch, 2 * width)."""
    return torch.cat([states.mean(1), states.std(1, correction=0)], dim=1)


def soft_loss(logits: Tensor, position: Tensor, circular: bool) -> Tensor:
    known = ~position.isnan()
    if not known.any():
        return logits.sum() * 0.0
    logits, position = torch.log_softmax(logits[known], dim=1), position[known]
    if circular:
        position = position % logits.shape[1]
    lower = position.floor().long() % logits.shape[1]
    share = position - position.floor()
    upper = (lower + 1) % logits.shape[1]
    rows = torch.arange(len(logits))
    return -(logits[rows, lower] * (1 - share) + logits[rows, upper] * share).mean()


def _patches(spectrogram: Tensor, frames: int, tokens: int) -> Tensor:
    batch, bins, _ = spectrogram.shape
    cut = spectrogram[:, :, : tokens * frames].reshape(batch, bins, tokens, frames)
    return cut.permute(0, 2, 1, 3).reshape(batch, tokens, bins * frames)
