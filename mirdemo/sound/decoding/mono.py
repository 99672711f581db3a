"""Blocks of decoded frames to one mono wave, counted and bounded while they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdemo.sound.decoding.claims import HeaderClaim
from mirdemo.sound.decoding.limits import AudioError, AudioLimits
from mirdemo.sound.resampling import resample

#: A file is called cut short if it lacks more than this, or than ``slack`` frames of its codec.
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
    behind_seconds: what lies behind the announced end would last so long if it were sound
    track, n_tracks: which of the file's sound tracks was read (1 is the first), and how many there are
    """

    samples: np.ndarray
    sample_rate: int
    channel_peak: float
    replaced: int
    claimed_seconds: float | None
    damaged: bool
    lacks_end: bool = False
    behind_seconds: float = 0.0
    track: int = 1
    n_tracks: int = 1

    @property
    def frames(self) -> int:
        """How many samples were read."""
        return len(self.samples)

    @property
    def peak(self) -> float:
        """The largest magnitude of the mean of the channels."""
        return float(np.abs(self.samples).max(initial=0.0))


class MonoCollector:
    """Takes (frames, channels) blocks from a decoder and keeps their mean.

    believable_seconds: a claimed length beyond this is not believed (the file is too small for it)
    claim: what the header of the container announces, if that is known
    Others that keep frames elsewhere or only some are told the same four, and pass them on.
    """

    #: Whether all of the file is wanted; else it is not gone through for joined parts and holes.
    takes_all = True

    def __init__(
        self, name: str, limits: AudioLimits, believable_seconds: float, claim: HeaderClaim | None
    ) -> None:
        self.name = name
        self._limits = limits
        self._believable_seconds = believable_seconds
        self._claim = claim
        self._waves: list[np.ndarray] = []
        self._blocks: list[np.ndarray] = []  # of the part that is being read, at its own rate
        self._rate = 0
        self._part_rate = 0
        self._frames = 0  # of the parts before it, at the first part's rate
        self._part_frames = 0
        self._channel_peak = 0.0
        self._values = 0
        self._replaced = 0
        self._stated = 0
        self.slack = 0
        self.damaged = False
        self.track, self.n_tracks = 1, 1

    @property
    def seconds(self) -> float:
        """What was collected so far."""
        return (
            (self._frames + self._part_frames * self._rate / self._part_rate) / self._rate
            if self._rate
            else 0
        )

    @property
    def silent(self) -> bool:
        return self._channel_peak <= self._limits.silent_level

    def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
        """Check what the file says of itself before it is decoded. Raises ``AudioError``.

        A second call begins another part behind the first, whose rate may differ: it is brought to the first one's.
        frames: the length the decoder expects; ``exact``: whether fewer would mean that the file is cut short
        """
        self._limits.check_rate(self.name, rate)
        self._limits.check_channels(self.name, channels)
        if self._rate:
            self._close_part()
            self._part_rate = rate
            return
        self._rate = self._part_rate = rate
        frames = frames or 0
        self._expect(frames if exact else 0)
        if frames > self._limits.frames_at(rate) and frames / rate <= self._believable_seconds:
            raise self._limits.too_long(self.name, rate)

    def _expect(self, frames: int) -> None:
        """A file of fewer than these is cut short, or damaged; 0 where nobody knows."""
        self._stated = frames
        if self._claim is None and frames:
            self._claim = HeaderClaim(frames)

    def check_channels(self, channels: int) -> None:
        """Raise ``AudioError`` if that many channels are not read."""
        self._limits.check_channels(self.name, channels)

    def add(self, block: np.ndarray) -> None:
        """Mix in a block: float (frames, channels), 1 = full scale. Raises ``AudioError`` past the limit."""
        self._part_frames += len(block)
        if self.seconds * self._rate > self._limits.frames_at(self._rate):
            raise self._limits.too_long(self.name, self._rate)
        if not len(block):
            return
        sound = np.abs(block) <= self._limits.max_level  # False for NaN too
        self._values += block.size
        if not sound.all():
            self._replaced += int(block.size - sound.sum())
            block = np.where(sound, block, 0.0)
        self._channel_peak = max(self._channel_peak, float(np.abs(block).max()))
        self._keep(block.mean(axis=1, dtype=np.float64).astype(np.float32))

    def _keep(self, mono: np.ndarray) -> None:
        """Take the next samples of the part that is being read, at its own rate."""
        self._blocks.append(mono)

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
        self._close_part()
        return self._decoded(
            sample_rate=self._rate,
            channel_peak=self._channel_peak,
            replaced=self._replaced,
            claimed_seconds=self._claimed_seconds(),
            damaged=self.damaged or self._lacks_sound(),
            track=self.track,
            n_tracks=self.n_tracks,
        )

    def _decoded(self, **facts: Any) -> Decoded:
        """What was kept, with what is known of it."""
        samples = np.concatenate(self._waves) if self._waves else np.zeros(0, np.float32)
        self._waves = []
        return Decoded(samples=samples, **facts)

    def _close_part(self) -> None:
        if self._blocks:
            wave = np.concatenate(self._blocks)
            if self._part_rate != self._rate:
                wave = resample(wave, self._part_rate, self._rate)
            self._waves.append(wave)
            self._frames += len(wave)
        self._blocks, self._part_frames = [], 0

    def _claimed_seconds(self) -> float | None:
        """The length that the file claims, where it is longer than what was read."""
        return self._claim_beyond(self._frames / self._rate)

    def _lacks_sound(self) -> bool:
        """Whether all bytes of a file are there, as its header counts them, and less sound than it states could be read."""
        return self._states_more(self._frames / self._rate)

    def _states_more(self, seconds: float) -> bool:
        """Whether a file whose bytes are all there states more than the ``seconds`` that were read of it."""
        counted = self._claim is not None and self._claim.present is not None
        whole = counted and self._claim_beyond(seconds) is None
        return whole and self._stated / self._rate > seconds + self._tolerance

    @property
    def _tolerance(self) -> float:
        return max(_CUT_SHORT_SECONDS, self.slack / self._rate)

    def _claim_beyond(self, seconds: float) -> float | None:
        """The length that the file claims, where it is longer than the ``seconds`` that were read of it."""
        if self._claim is None or (self._claim.present is None and self.damaged):
            return None  # what is missing may be what was damaged
        if self._claim.present is None:
            claimed = self._claim.announced / self._rate
        else:
            claimed = seconds * self._claim.announced / max(self._claim.present, 1)
        return claimed if claimed > seconds + self._tolerance else None
