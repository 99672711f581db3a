"""The network of ``mini-west`` and ``mini-world``: a small transformer that is handed pitch and pulse.

A network of this size, trained this briefly, does not find out by itself that a mode is a pattern of intervals
whatever its tonic, or a metre one of durations whatever its tempo. So two small readers do what a listener does
first: ``PitchReader`` guesses the tonic and turns the pitch classes so that it comes first; ``PulseReader`` guesses
the pulse and shifts the tempogram so that it comes first, and hands on the tempo beside it. Both guesses are soft,
learnt, and the same whatever the transposition or the tempo (convolutions around the circle of pitch classes and
along log time).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirdemo.backbones.frontend import BINS_PER_OCTAVE, N_CONSTANT_Q, N_MELS, N_OCTAVES

MEL_FRAMES_PER_SECOND = 50.0
N_MAGNITUDES = BINS_PER_OCTAVE // 2
LAGS_PER_OCTAVE = 24
N_LAGS = 6 * LAGS_PER_OCTAVE + 1
SHORTEST_LAG = 4.0  # mel frames, 0.08 s; the longest is 64 times that, 5.12 s


@dataclass(frozen=True)
class MiniConfig:
    """Sizes. width: of the states; depth: transformer layers; heads: of attention; salience: channels in which
    pitch is read."""

    width: int = 160
    depth: int = 4
    heads: int = 4
    salience: int = 8

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class MiniOutput(NamedTuple):
    """states: input and each layer, (batch, tokens, width), 6.25 tokens a second; tonic: logits over 36 pitch
    classes from D upwards, (batch, 36); pulse: logits over the log-spaced lags, (batch, 145)."""

    states: list[Tensor]
    tonic: Tensor
    pulse: Tensor


class MiniNetwork(nn.Module):
    """Spectrograms of ``Frontend`` to hidden states."""

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.pitch = PitchReader(config.salience)
        self.pulse = PulseReader()
        turned = config.salience * BINS_PER_OCTAVE
        self.mel_1 = nn.Conv1d(N_MELS, 96, 5, stride=2, padding=2)
        self.mel_2 = nn.Conv1d(96, 128, 5, stride=2, padding=2)
        self.cq = nn.Conv1d(N_CONSTANT_Q, 64, 3, stride=2, padding=1)
        self.turned = nn.Conv1d(turned, 64, 1)
        self.patch = nn.Conv1d(128 + 64 + 64, width, 3, stride=2, padding=1)
        self.mode = nn.Sequential(
            nn.Linear(2 * turned + config.salience * N_MAGNITUDES, width), nn.GELU(), nn.Linear(width, width)
        )
        self.metre = nn.Sequential(
            nn.Linear((N_BANDS + 2) * N_LAGS, width), nn.GELU(), nn.Linear(width, width)
        )
        self.place = nn.Conv1d(width, width, 9, padding=4, groups=width)
        self.input_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, mel: Tensor, cq: Tensor) -> MiniOutput:
        """mel (batch, 80, 2 t), cq (batch, 216, t) from ``Frontend``."""
        first, tonic, pulse = self.front(mel, cq)
        states = [first]
        for block in self.blocks:
            states.append(block(states[-1]))
        states[-1] = self.norm(states[-1])
        return MiniOutput(states, tonic, pulse)

    def front(self, mel: Tensor, cq: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The states before the first block, and the guesses of tonic and pulse, as in ``MiniOutput``."""
        turned, magnitudes, tonic = self.pitch(cq)
        tempogram, pulse = self.pulse(mel)
        x = F.gelu(self.mel_2(F.gelu(self.mel_1(mel - 0.7))))
        x = torch.cat([x, F.gelu(self.cq(cq - 0.7)), F.gelu(self.turned(turned))], dim=1)
        x = self.patch(x)
        x = (x + F.gelu(self.place(x))).transpose(1, 2)
        profile = torch.cat([turned.mean(dim=2), turned.std(dim=2, correction=0), magnitudes], dim=1)
        x = x + (self.mode(profile) + self.metre(tempogram))[:, None]
        return self.input_norm(x), tonic, pulse


class Block(nn.Module):
    """Pre-norm transformer layer. Attention is written out: at 63 tokens it trains a third faster on a CPU than
    torch's fused one."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(width // self.heads), dim=-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class PitchReader(nn.Module):
    """Constant-Q to pitch classes counted from a guessed tonic.

    Peaks stand out against the octave around them (so an equaliser matters little), gain or lose by what is found
    an octave below and at the next harmonics above, are folded to one octave and turned. Beside them stand the Fourier
    magnitudes of the profile, which no turn changes, for when the guess is wrong.
    """

    HARMONICS = (
        -36,
        0,
        36,
        57,
        72,
    )  # bins to an octave below, the pitch itself, its 2nd, 3rd and 4th harmonic

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.salience = nn.Conv2d(len(self.HARMONICS), channels, 3, padding=1)
        self.octaves = nn.Parameter(torch.full((channels, N_OCTAVES), 1.0 / N_OCTAVES))
        self.around = nn.Conv1d(3 * channels + 1, 32, BINS_PER_OCTAVE)
        self.tonic = nn.Conv1d(32, 1, BINS_PER_OCTAVE)

    def forward(self, cq: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, 216, t) -> turned pitch classes (batch, channels * 36, ceil(t / 2)), magnitudes (batch, channels * 18)
        and tonic logits (batch, 36)."""
        cq = F.avg_pool1d(cq, 2, ceil_mode=True)
        peaks = F.relu(cq - _octave_mean(cq))
        pad = max(abs(h) for h in self.HARMONICS)
        padded = F.pad(peaks, (0, 0, pad, pad))
        stack = [padded[:, pad + h : pad + h + N_CONSTANT_Q] for h in self.HARMONICS]
        salience = F.relu(self.salience(torch.stack(stack, dim=1)))
        batch, channels, _, frames = salience.shape
        octaves = salience.view(batch, channels, N_OCTAVES, BINS_PER_OCTAVE, frames)
        classes = torch.einsum("bcokt,co->bckt", octaves, self.octaves)
        bass = peaks[:, : 2 * BINS_PER_OCTAVE].mean(dim=2).view(batch, 2, BINS_PER_OCTAVE).sum(dim=1)[:, None]
        last = classes[..., -max(1, frames // 5) :].mean(dim=3)
        mean = classes.mean(dim=3)
        seen = torch.cat([mean, classes.amax(dim=3), last, bass], dim=1)
        logits = self.tonic(_around(F.gelu(self.around(_around(seen)))))[:, 0]
        index = torch.arange(BINS_PER_OCTAVE, device=cq.device)
        turn = torch.softmax(logits, dim=1)[:, (index[None, :] - index[:, None]) % BINS_PER_OCTAVE]
        turned = torch.einsum("bkj,bcjt->bckt", turn, classes)
        spectrum = torch.fft.rfft(mean / mean.sum(dim=2, keepdim=True).clamp_min(1e-3))[..., 1:]
        # a little is added before the root, whose slope at 0 has no end
        magnitudes = (spectrum.real**2 + spectrum.imag**2 + 1e-6).sqrt()
        return turned.reshape(batch, -1, frames), magnitudes.flatten(1), logits


N_BANDS = 4


class PulseReader(nn.Module):
    """Onsets in four bands and their autocorrelation over log-spaced lags: shifted so that a guessed pulse comes first,
    which tells metres apart, and as it is with the guess beside it, which tells tempi apart."""

    BEFORE, AFTER = 2 * LAGS_PER_OCTAVE, 4 * LAGS_PER_OCTAVE  # a quarter of the pulse to sixteen pulses
    lags: Tensor

    def __init__(self) -> None:
        super().__init__()
        # two octaves to each side: which of the repetitions is the pulse shows in those at half and four times the lag
        self.around = nn.Conv1d(N_BANDS, 32, 4 * LAGS_PER_OCTAVE + 1, padding=2 * LAGS_PER_OCTAVE)
        self.pulse = nn.Conv1d(32, 1, LAGS_PER_OCTAVE + 1, padding=LAGS_PER_OCTAVE // 2)
        self.usual = nn.Parameter(torch.zeros(N_LAGS))
        lags = SHORTEST_LAG * 2 ** (torch.arange(N_LAGS) / LAGS_PER_OCTAVE)
        self.register_buffer("lags", lags, persistent=False)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 80, t) -> (batch, 6 * 145): the shifted tempogram of each band, their mean unshifted, the pulse's
        probabilities; and pulse logits (batch, 145)."""
        curve = self.tempogram(mel)
        logits = self.pulse(F.gelu(self.around(curve)))[:, 0] + self.usual
        windows = F.pad(curve, (self.BEFORE, self.AFTER)).unfold(2, N_LAGS, 1)
        guess = torch.softmax(logits, dim=1)
        shifted = torch.einsum("bs,bnks->bnk", guess, windows)
        # the square root, so that a guess spread over several lags still counts
        return torch.cat([shifted.flatten(1), curve.mean(dim=1), guess.clamp_min(1e-8).sqrt()], dim=1), logits

    def tempogram(self, mel: Tensor) -> Tensor:
        """Autocorrelation of the rises in each band at the lags, 0 beyond three quarters of the window."""
        frames = mel.shape[2]
        rise = F.relu(mel[:, :, 1:] - mel[:, :, :-1])
        onsets = rise.view(mel.shape[0], N_BANDS, N_MELS // N_BANDS, frames - 1).mean(dim=2)
        onsets = onsets - onsets.mean(dim=2, keepdim=True)
        size = 2 ** math.ceil(math.log2(2 * frames))
        spectrum = torch.fft.rfft(onsets, size)
        correlation = torch.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[..., :frames]
        correlation = correlation / correlation[..., :1].clamp_min(1e-4)
        overlap = (frames - 1 - torch.arange(frames, device=mel.device)) / (frames - 1)
        correlation = torch.where(overlap > 0.25, correlation / overlap.clamp_min(0.25), 0.0)
        lower = self.lags.floor().long()
        share = self.lags - lower
        correlation = F.pad(correlation, (0, max(0, int(lower[-1]) + 2 - frames)))
        return correlation[..., lower] * (1 - share) + correlation[..., lower + 1] * share


def _octave_mean(cq: Tensor) -> Tensor:
    """Mean over the 37 bins around each (fewer at the ends), by running sums."""
    half, bins = BINS_PER_OCTAVE // 2, cq.shape[1]
    sums = F.pad(cq.cumsum(dim=1), (0, 0, 1, 0))
    k = torch.arange(bins, device=cq.device)
    high, low = (k + half + 1).clamp(max=bins), (k - half).clamp(min=0)
    return (sums[:, high] - sums[:, low]) / (high - low)[None, :, None]


def _around(x: Tensor) -> Tensor:
    """Continue the circle of pitch classes, so that a convolution over 36 gives 36."""
    return torch.cat([x, x[..., : BINS_PER_OCTAVE - 1]], dim=-1)
