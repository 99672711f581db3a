"""What is accepted as a sound file: the one place for its limits, and the error that names them."""

from __future__ import annotations

from dataclasses import dataclass

from mirdemo.base.sentences import MirdemoError


class AudioError(MirdemoError):
    """A sound file cannot be read or lies beyond the limits. One sentence: what happened, what to do."""


@dataclass(frozen=True)
class AudioLimits:
    """Limits of one sound file.

    max_bytes: size of the file
    max_seconds: length of the sound
    max_frames: length in frames (one value a channel); binds before ``max_seconds`` at high rates
    max_channels: channels before they are mixed to one
    min_rate, max_rate: sampling rate in Hz
    max_level: values beyond this (1 = full scale) are damage, as NaN is; integers stored as float pass
    loud_level: a peak beyond this is warned about
    silent_level: a clip whose peak stays at or below this (-80 dB) is called silent
    """

    max_bytes: int = 400_000_000
    max_seconds: float = 1_800.0
    max_frames: int = 100_000_000
    max_channels: int = 32
    min_rate: int = 4_000
    max_rate: int = 384_000
    max_level: float = 1e6
    loud_level: float = 4.0
    silent_level: float = 1e-4

    def frames_at(self, rate: int) -> int:
        """The most frames a clip of this rate (Hz) may have."""
        return min(self.max_frames, int(self.max_seconds * rate))

    def check_rate(self, name: str, rate: int) -> None:
        """Raise ``AudioError`` if the sampling rate (Hz) is out of range."""
        if not self.min_rate <= rate <= self.max_rate:
            raise AudioError(
                "{name} has a sampling rate of {rate} Hz; rates from {min_rate} to {max_rate} Hz are read. "
                "Convert it, for example to 44100 Hz.",
                code="audio.rate",
                name=name,
                rate=rate,
                min_rate=self.min_rate,
                max_rate=self.max_rate,
            )

    def check_channels(self, name: str, channels: int) -> None:
        """Raise ``AudioError`` if there are too many channels, or none."""
        if not 1 <= channels <= self.max_channels:
            raise AudioError(
                "{name} has {channels} channels; 1 to {max_channels} are read. Mix it down first.",
                code="audio.channels",
                name=name,
                channels=channels,
                max_channels=self.max_channels,
            )

    def too_long(self, name: str, rate: int) -> AudioError:
        """The error for a clip of this rate (Hz) that has more than ``frames_at(rate)`` frames."""
        return AudioError(
            "{name} lasts longer than {max_minutes:g} minutes. Cut it into parts first.",
            code="audio.too_long",
            name=name,
            max_minutes=round(self.frames_at(rate) / rate / 60, 2),
        )


LIMITS = AudioLimits()
#: Of a recording that is opened without being held in memory (``sound.long``).
LONG_LIMITS = AudioLimits(max_bytes=2_000 * 2**20, max_seconds=14_400.0, max_frames=14_400 * 48_000)
