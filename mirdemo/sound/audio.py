"""A clip of sound, and how it comes from bytes or a file.

>>> clip = load_clip("dance.mp3")
>>> clip.seconds, clip.sample_rate, [str(warning) for warning in clip.warnings]
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from mirdemo.base.files import called
from mirdemo.base.sentences import Sentence
from mirdemo.sound.decoding import LIMITS, AudioError, AudioLimits, Decoded, Source, decode
from mirdemo.sound.resampling import resample

__all__ = ["LIMITS", "AudioError", "AudioLimits", "Clip", "load_clip"]

_LONGEST_NAME = 120
#: Warnings of a file of which a part is missing.
_INCOMPLETE = frozenset(
    {"audio.cut_short", "audio.lacks_end", "audio.behind_end", "audio.damaged_parts", "audio.replaced"}
)
_LEAST_BEHIND_SECONDS = 1.0  # less is what programs leave behind a file's end


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip of sound. Never changed after it is made; make one with ``load_clip`` or ``Clip.of``.

    samples: float32 (n,), n >= 1, mono, finite, 1 = full scale (peaks above 1 are kept), read-only
    sample_rate: Hz, as decoded
    name: for people, e.g. ``"dance.mp3"``; never a path
    sha256: hex, over the rate and the samples: the same sound has the same hash whatever file it came in
    warnings: what the user should know about this clip
    start_seconds: where it starts in the file it was cut from
    """

    samples: np.ndarray
    sample_rate: int
    name: str
    sha256: str
    warnings: tuple[Sentence, ...] = ()
    start_seconds: float = 0.0

    @classmethod
    def of(
        cls,
        samples: np.ndarray,
        sample_rate: int,
        name: str = "clip",
        *,
        warnings: tuple[Sentence, ...] = (),
        start_seconds: float = 0.0,
        limits: AudioLimits = LIMITS,
    ) -> Clip:
        """A clip from mono values, shape (n,), 1 = full scale. Raises ``AudioError`` as ``load_clip`` does."""
        name = display_name(name)
        samples = np.array(samples, np.float32)
        if samples.ndim != 1 or not len(samples):
            raise AudioError(
                "{name} holds no sound (0 seconds). Choose another file.", code="audio.no_sound", name=name
            )
        limits.check_rate(name, sample_rate)
        if len(samples) > limits.frames_at(sample_rate):
            raise limits.too_long(name, sample_rate)
        if not np.isfinite(samples).all():
            raise AudioError(
                "{name} holds no finite numbers (only NaN or infinity). Export it again.",
                code="audio.not_finite",
                name=name,
            )
        samples += 0.0  # a zero has no sign: no file keeps one, and the same sound has the same hash
        samples.flags.writeable = False
        digest = hashlib.sha256(int(sample_rate).to_bytes(8, "little"))
        digest.update(samples.astype("<f4", copy=False).data)
        return cls(samples, int(sample_rate), name, digest.hexdigest(), tuple(warnings), float(start_seconds))

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    @property
    def incomplete(self) -> bool:
        """Whether a part of its file is missing or could not be read, as one of the warnings says."""
        return any(warning.code in _INCOMPLETE for warning in self.warnings)

    def at(self, rate: int) -> np.ndarray:
        """The samples at another rate (Hz): float32 (ceil(n * rate / sample_rate),). See ``resampling``."""
        return resample(self.samples, self.sample_rate, int(rate))

    def cut(self, start_s: float, end_s: float) -> Clip:
        """The part from ``start_s`` to ``end_s`` (seconds, the end clamped to the clip's) as a clip of its own.

        It keeps the name, so that it still belongs to the same recording, and what is to be known of the file. Raises ``AudioError`` if
        nothing is left.
        """
        start, end = part_of(self.name, len(self.samples), self.sample_rate, start_s, end_s)
        offset = self.start_seconds + start / self.sample_rate
        return Clip.of(
            self.samples[start:end],
            self.sample_rate,
            self.name,
            warnings=self.warnings,
            start_seconds=offset,
        )


def part_of(name: str, frames: int, rate: int, start_s: float, end_s: float) -> tuple[int, int]:
    """The samples from ``start_s`` to ``end_s`` (seconds, the end clamped), as (first, behind the last).

    frames, rate: of the whole that it is a part of. Raises ``AudioError`` if nothing is left.
    """
    start, end = round(start_s * rate), min(round(end_s * rate), frames)
    if not 0 <= start < end:
        raise AudioError(
            "{start:g} to {end:g} s is no part of {name}, which lasts {seconds:.1f} s. "
            "Choose a start before the end.",
            code="audio.cut",
            name=name,
            start=start_s,
            end=end_s,
            seconds=frames / rate,
        )
    return start, end


def load_clip(
    path_or_bytes: str | PathLike[str] | bytes | bytearray | memoryview,
    name: str | None = None,
    *,
    track: int | None = None,
    limits: AudioLimits = LIMITS,
) -> Clip:
    """Decode a sound file to a ``Clip``: WAV (RF64, BW64), Wave64, FLAC, MP3, Ogg, Opus, AIFF, AU, CAF, M4A, AAC, WMA,
    WavPack, True Audio, AC-3, AMR, or the sound of an MP4, MOV, WebM, Matroska, AVI, MPEG, MTS or FLV film.

    path_or_bytes: a path to the file, or the file's bytes
    name: shown to people; the path's last part if not given. Never used to find or tell a file.
    track: which of its sound tracks (1 is the first); None: the one its maker marked, or the first that sounds

    A file that can be read in part gives what is there, with a warning; values that are not finite become 0,
    with a warning, unless there is nothing else. Raises ``AudioError``.
    """
    data: bytes | bytearray | memoryview | Path
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        data, shown = path_or_bytes, display_name(name or "clip")
    else:
        data = path = Path(path_or_bytes)
        shown = display_name(name or called(path))
    try:
        source = Source.of(data)
    except FileNotFoundError:
        raise AudioError(
            "{name} cannot be found. Choose a file that exists.", code="audio.missing", name=shown
        ) from None
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise AudioError(
            "{name} cannot be opened. Choose a file that you may read.", code="audio.unreadable", name=shown
        ) from None
    with source:
        decoded = decode(source, shown, limits, track=track)

    warnings = warnings_of(decoded, limits)
    return Clip.of(decoded.samples, decoded.sample_rate, shown, warnings=warnings, limits=limits)


def display_name(name: str) -> str:
    """A name that is safe to show: its last path part, without control characters, of bounded length."""
    last = re.split(r"[\\/]", name.rstrip("\\/"))[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if len(shown) > _LONGEST_NAME:
        shown = shown[: _LONGEST_NAME - 10] + "…" + shown[-9:]
    return shown or "clip"


def of_file(name: str, warning: Sentence) -> Sentence:
    """One of a clip's warnings where other files are spoken of, too."""
    return Sentence("{name}: {warning}", "audio.of_file", {"name": name, "warning": warning})


def warnings_of(decoded: Decoded, limits: AudioLimits) -> tuple[Sentence, ...]:
    """What the user should know about a file that could be read."""
    found = []
    seconds, peak = decoded.frames / decoded.sample_rate, decoded.peak
    if decoded.claimed_seconds is not None:
        found.append(
            Sentence(
                "This file ends in the middle ({read:.1f} of {claimed:.1f} s). We used what is there.",
                "audio.cut_short",
                {"read": seconds, "claimed": decoded.claimed_seconds},
            )
        )
    elif decoded.lacks_end:
        found.append(
            Sentence(
                "This file ends in the middle. We used the {read:.1f} s that are there.",
                "audio.lacks_end",
                {"read": seconds},
            )
        )
    if decoded.behind_seconds >= _LEAST_BEHIND_SECONDS:
        found.append(
            Sentence(
                "This file holds more than its header tells, perhaps {behind:.1f} s behind the {read:.1f} s that were read. If they "
                "are sound, repair the file or export it again.",
                "audio.behind_end",
                {"behind": decoded.behind_seconds, "read": seconds},
            )
        )
    if decoded.n_tracks > 1:
        found.append(
            Sentence(
                "This file has {tracks} sound tracks. We used number {track}. If you meant another one, choose it "
                "on the Clips tab (on the command line with --track), or export it by itself.",
                "audio.tracks",
                {"tracks": decoded.n_tracks, "track": decoded.track},
            )
        )
    if decoded.damaged:
        found.append(Sentence("Parts of this file are damaged and were left out.", "audio.damaged_parts"))
    if decoded.replaced:
        found.append(
            Sentence(
                "Values of this file that were not finite numbers and were replaced by silence: {count}.",
                "audio.replaced",
                {"count": decoded.replaced},
            )
        )
    if peak <= limits.silent_level < decoded.channel_peak:
        found.append(
            Sentence(
                "The channels of this file cancel each other out in mono. Choose one channel first.",
                "audio.cancels",
            )
        )
    elif peak <= limits.silent_level:
        found.append(Sentence("This file is silent.", "audio.silent"))
    elif decoded.channel_peak > limits.loud_level:
        found.append(
            Sentence(
                "This file is {times:.0f} times louder than full scale. Check how it was exported.",
                "audio.loud",
                {"times": decoded.channel_peak},
            )
        )
    return tuple(found)
