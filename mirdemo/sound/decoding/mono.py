"""Blocks of decoded frames to one mono wave, counted and bounded while they arrive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirdemo.sound.decoding.limits import AudioError, AudioLimits

#: A file is called cut short if it lacks more than this.
_CUT_SHORT_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Decoded:
    """What was read from one file.

    samples: float32 (n,), the mean of the channels, finite
    sample_rate: Hz
    channel_peak: the largest magnitude in any channel, before mixing
    replaced: how many values were not finite (or beyond ``max_level``) and became 0
    claimed_seconds: the length the file claims, where it is longer than what was read; else None
    damaged: some of its packets could not be decoded and were left out
    lacks_end: the mark that ends files of its kind is missing
    """

    samples: np.ndarray
    sample_rate: int
    channel_peak: float
    replaced: int
    claimed_seconds: float | None
    damaged: bool
    lacks_end: bool = False


@dataclass(frozen=True)
class HeaderClaim:
    """How much sound a header announces: ``announced`` units (bytes or frames), of which the file has ``present``.

    present: None where only decoding tells; the units are frames then
    """

    announced: int
    present: int | None = None


class MonoCollector:
    """Takes (frames, channels) blocks from a decoder and keeps their mean.

    believable_seconds: a claimed length beyond this is not believed (the file is too small for it)
    claim: what the header of the container announces, if that is known
    """

    def __init__(
        self, name: str, limits: AudioLimits, believable_seconds: float, claim: HeaderClaim | None
    ) -> None:
        self.name = name
        self._limits = limits
        self._believable_seconds = believable_seconds
        self._claim = claim
        self._blocks: list[np.ndarray] = []
        self._frames = 0
        self._rate = 0
        self._channel_peak = 0.0
        self._values = 0
        self._replaced = 0
        self.damaged = False

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        """Check what the file says of itself before anything is decoded. Raises ``AudioError``.

        frames: the length the decoder expects; ``exact``: whether fewer would mean that the file is cut short
        """
        self._limits.check_rate(self.name, rate)
        self._limits.check_channels(self.name, channels)
        self._rate = rate
        frames = frames or 0
        if self._claim is None and exact and frames:
            self._claim = HeaderClaim(frames)
        if frames > self._limits.frames_at(rate) and frames / rate <= self._believable_seconds:
            raise self._limits.too_long(self.name, rate)

    def add(self, block: np.ndarray) -> None:
        """Mix in a block: float (frames, channels), 1 = full scale. Raises ``AudioError`` past the limit."""
        self._frames += len(block)
        if self._frames > self._limits.frames_at(self._rate):
            raise self._limits.too_long(self.name, self._rate)
        if not len(block):
            return
        sound = np.abs(block) <= self._limits.max_level  # False for NaN too
        self._values += block.size
        if not sound.all():
            self._replaced += int(block.size - sound.sum())
            block = np.where(sound, block, 0.0)
        self._channel_peak = max(self._channel_peak, float(np.abs(block).max()))
        self._blocks.append(block.mean(axis=1, dtype=np.float64).astype(np.float32))

    def finish(self) -> Decoded | None:
        """What was collected; None if no header was ever understood. Raises ``AudioError``."""
        if not self._rate:
            return None
        if self._values and self._replaced == self._values:
            raise AudioError(
                "{name} holds no finite numbers (only NaN or infinity). Export it again.",
                code="audio.not_finite",
                name=self.name,
            )
        samples = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)
        self._blocks = []
        return Decoded(
            samples=samples,
            sample_rate=self._rate,
            channel_peak=self._channel_peak,
            replaced=self._replaced,
            claimed_seconds=self._claimed_seconds(),
            damaged=self.damaged,
        )

    def _claimed_seconds(self) -> float | None:
        """The length that the file claims, where it is longer than what was read."""
        if self._claim is None:
            return None
        seconds = self._frames / self._rate
        if self._claim.present is None:
            claimed = self._claim.announced / self._rate
        else:
            claimed = seconds * self._claim.announced / max(self._claim.present, 1)
        return claimed if claimed > seconds + _CUT_SHORT_SECONDS else None
