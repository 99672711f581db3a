"""What is done to spectrograms from the cache while training: the same clip never comes twice.

Works on power, so that gains, noise and a second clip add up as they would in the air, and brings every crop back
to unit power as ``Frontend`` does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mirdemo.backbones.frontend import (
    BINS_PER_OCTAVE,
    FLOOR_DB,
    LOWEST_HZ,
    MEL_RANGE_HZ,
    N_CONSTANT_Q,
    N_MELS,
)

UNIT = -FLOOR_DB / 10  # decades of power in one unit of the front end

#: How often a crop passes each of these: another clip behind it, noise, an equaliser, an upper or a lower end to the
#: band, a room.
OTHER, NOISE, EQUALISED, BAND, ROOM = 0.15, 0.4, 0.55, 0.25, 0.2


def _mel_centres() -> Tensor:
    low, high = (2595 * math.log10(1 + f / 700) for f in MEL_RANGE_HZ)
    return 700 * (10 ** (torch.linspace(low, high, N_MELS + 2) / 2595) - 1)


_EDGES = _mel_centres()
MEL_OCTAVES = torch.log2(_EDGES[1:-1])
CQ_OCTAVES = math.log2(LOWEST_HZ) + torch.arange(N_CONSTANT_Q) / BINS_PER_OCTAVE
_BANDWIDTH = (_EDGES[2:] - _EDGES[:-2]) / (_EDGES[2:] - _EDGES[:-2]).sum()


class Augmented(NamedTuple):
    """mel (batch, 80, 2 t), cq (batch, 216, t); shift: bins the pitch was raised by (batch,); speed: factor on the
    tempo (batch,); plain: mel and cq of the same crop at the same pitch and speed with nothing else done to it."""

    mel: Tensor
    cq: Tensor
    shift: Tensor
    speed: Tensor
    plain: tuple[Tensor, Tensor]


def augment(
    mel: Tensor, cq: Tensor, frames: int, rng: torch.Generator, rendered: tuple[Tensor, Tensor] | None = None
) -> Augmented:
    """mel (batch, 500, 80) and cq (batch, 250, 216) in units of the front end, cut to ``frames`` constant-Q frames
    (25 a second) at a random place, speed and pitch, through a random line. rendered: the same clips as they were
    rendered, where ``mel`` and ``cq`` may be disturbed already."""
    batch, total = cq.shape[:2]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, generator=rng)

    speed = torch.exp(uniform(-0.16, 0.16)).clamp(max=total / frames)
    start = torch.rand(batch, generator=rng) * (total - frames * speed)
    shift = torch.randint(-6, 7, (batch,), generator=rng)
    bins = (torch.arange(N_CONSTANT_Q)[None] - shift[:, None]).clamp(0, N_CONSTANT_Q - 1)

    def crop(mel: Tensor, cq: Tensor) -> tuple[Tensor, Tensor]:
        turned = _take(cq, start, speed, frames).gather(2, bins[:, None].expand(-1, frames, -1))
        return _take(mel, 2 * start, speed, 2 * frames), turned

    plain_mel, plain_cq = crop(*(rendered or (mel, cq)))
    mel, cq = crop(mel, cq)

    mel_power, cq_power = 10 ** (UNIT * mel) - 1, 10 ** (UNIT * cq) - 1
    seconds = torch.exp(uniform(math.log(0.3), math.log(1.5)))
    wet = 10 ** (uniform(-10, 6) / 10) * (uniform(0, 1) < ROOM)
    mel_power, cq_power = _room(mel_power, seconds, wet, 50.0), _room(cq_power, seconds, wet, 25.0)
    mel_gain, cq_gain = _line(batch, rng)
    mel_power, cq_power = mel_power * mel_gain[:, None], cq_power * cq_gain[:, None]
    level = (mel_power * _BANDWIDTH).sum(2).mean(1)

    # now and then another clip of the batch far behind, more often noise
    other = torch.randperm(batch, generator=rng)
    behind = level / level[other].clamp_min(1e-9) * 10 ** (-uniform(6, 25) / 10) * (uniform(0, 1) < OTHER)
    mel_power = mel_power + mel_power[other] * behind[:, None, None]
    cq_power = cq_power + cq_power[other] * behind[:, None, None]
    noise = level * 10 ** (-uniform(3, 35) / 10) * (uniform(0, 1) < NOISE)
    slope = uniform(-7, 2)[:, None] / 10
    mel_noise, cq_noise = (10 ** (slope * (octaves - 10)) for octaves in (MEL_OCTAVES, CQ_OCTAVES))
    noise = noise / (mel_noise * _BANDWIDTH).sum(1)
    mel_power = mel_power + (noise[:, None] * mel_noise)[:, None] * _ripple(mel_power.shape, rng)
    cq_power = cq_power + (noise[:, None] * cq_noise)[:, None] * _ripple(cq_power.shape, rng)

    level = (mel_power * _BANDWIDTH).sum(2).mean(1).clamp_min(1e-9)[:, None, None] / 10**UNIT
    mel = torch.log10(mel_power / level + 1) / UNIT
    cq = torch.log10(cq_power / level + 1) / UNIT
    plain = plain_mel.transpose(1, 2), plain_cq.transpose(1, 2)
    return Augmented(mel.transpose(1, 2).contiguous(), cq.transpose(1, 2).contiguous(), shift, speed, plain)


def _take(frames: Tensor, start: Tensor, speed: Tensor, count: int) -> Tensor:
    index = (
        (start[:, None] + torch.arange(count)[None] * speed[:, None]).long().clamp(max=frames.shape[1] - 1)
    )
    return frames.gather(1, index[..., None].expand(-1, -1, frames.shape[2]))


def _room(power: Tensor, seconds: Tensor, wet: Tensor, frames_per_second: float) -> Tensor:
    """Power (batch, frames, bins) with a tail that falls by 60 dB in ``seconds`` (batch,) and holds ``wet`` (batch,)
    times the direct sound's power."""
    decay = (10 ** (-6.0 / (seconds * frames_per_second)))[:, None, None]
    tail = power
    for step in (1, 2, 4, 8, 16, 32):  # the running sum of decaying powers, its reach doubled each time
        tail = torch.cat([tail[:, :step], tail[:, step:] + decay**step * tail[:, :-step]], dim=1)
    return power + wet[:, None, None] * (1 - decay) / decay * (tail - power)


def _line(batch: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Gains (power) of a random equaliser and band limit at the mel and constant-Q centres."""

    def normal(scale: float) -> Tensor:
        return scale * torch.randn(batch, 1, generator=rng)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, 1, generator=rng)

    def sometimes(share: float) -> Tensor:
        return (torch.rand(batch, 1, generator=rng) < share).float()

    octaves = torch.cat([MEL_OCTAVES, CQ_OCTAVES])[None]
    decibels = normal(2.0) * (octaves - 10)
    for _ in range(3):
        decibels = decibels + normal(6.0) * torch.exp(-(((octaves - uniform(6, 13)) / uniform(0.3, 2)) ** 2))
    decibels = decibels * sometimes(EQUALISED)
    decibels = decibels - sometimes(BAND) * uniform(12, 60) * (octaves - uniform(10.5, 13.2)).clamp_min(0)
    decibels = decibels - sometimes(BAND) * uniform(12, 40) * (uniform(6.0, 9.0) - octaves).clamp_min(0)
    gain = 10 ** (decibels.clamp(-80, 30) / 10)
    return gain[:, :N_MELS], gain[:, N_MELS:]


def _ripple(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Power of noise around its mean."""
    return 0.5 - 0.5 * torch.log(torch.rand(shape, generator=rng).clamp_min(1e-4))
