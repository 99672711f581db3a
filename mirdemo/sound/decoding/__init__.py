"""Bytes to mono PCM: what kind of file it is, what it claims, and what can really be read from it.

``decode`` tries libsndfile (through soundfile) first and FFmpeg (through PyAV) where that fails; MPEG audio goes
to FFmpeg first, because libsndfile's MP3 decoder writes to the host's standard error. Files are told apart by
their content, never by their extension, and FFmpeg is given one plain container format and an open stream, so
that it can follow no playlist, path or address. Both are loaded by the first file, not by whoever names a clip. All readers see a file from where its kind begins, behind tags.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from mirdemo.base.sentences import Cancelled, MirdemoError
from mirdemo.sound.decoding.claims import behind_end, check_has_index, claim_of_header, lacks_end, mended
from mirdemo.sound.decoding.containers import FLAC, OGG, Container, check_is_sound, sniff
from mirdemo.sound.decoding.limits import LIMITS, LONG_LIMITS, AudioError, AudioLimits
from mirdemo.sound.decoding.mono import Decoded, MonoCollector
from mirdemo.sound.decoding.source import Source

__all__ = [
    *("LIMITS", "LONG_LIMITS", "AudioError", "AudioLimits"),
    *("Decoded", "Enough", "MonoCollector", "Source", "announced_seconds", "decode"),
]

logger = logging.getLogger(__name__)

#: A compressed file needs at least this many bytes a second; a header that claims more is not believed.
_LEAST_BYTES_PER_SECOND = 100


class Enough(Exception):
    """Raised by a collector that needs no more of the file."""


def decode(
    source: Source,
    name: str,
    limits: AudioLimits = LIMITS,
    *,
    track: int | None = None,
    collecting: Callable[..., MonoCollector] = MonoCollector,
) -> Decoded:
    """Decode a whole sound file to mono (the mean of its channels), at its own rate.

    track: which of its sound tracks (1 is the first); None: the one that its maker marked, or the first that sounds
    collecting: what keeps the frames; one that raises ``Enough`` ends the reading

    Limits are checked against the size first, then against what the header claims, then against what is
    read, so that a file beyond them costs little. Raises ``AudioError``.
    """
    if source.size == 0:
        raise AudioError("{name} is empty. Choose another file.", code="audio.empty", name=name)
    if source.size > limits.max_bytes:
        raise AudioError(
            "{name} has {size_mb} MB; at most {max_mb} MB are read. Cut it into parts or compress it.",
            code="audio.too_big",
            name=name,
            size_mb=-(-source.size // 1_000_000),
            max_mb=limits.max_bytes // 1_000_000,
        )
    container, sound = _begun(source, name)
    claim = claim_of_header(sound, container)

    def collector() -> MonoCollector:
        return collecting(name, limits, source.size // _LEAST_BYTES_PER_SECOND, claim)

    counted = container is FLAC and claim is not None
    decoded = _best(sound, container, name, collector, track, counted)
    if decoded is None:
        check_has_index(sound, container, name)
        raise AudioError(
            "{name} is damaged and no sound could be read from it. Export it again or choose another file.",
            code="audio.damaged",
            name=name,
        )
    if not decoded.frames:
        raise AudioError(
            "{name} holds no sound (0 seconds). Choose another file.", code="audio.no_sound", name=name
        )
    behind = behind_end(sound, container) * decoded.frames / decoded.sample_rate
    return replace(decoded, lacks_end=lacks_end(sound, container), behind_seconds=behind)


def _begun(source: Source, name: str) -> tuple[Container, Source]:
    """What kind of file it is, and its bytes from where that begins. Raises ``AudioError`` for no sound."""
    container, start = sniff(source)
    check_is_sound(source, container, name)
    return container, mended(source.part(start), container)


def announced_seconds(source: Source) -> float | None:
    """How long a sound file, or the first of joined ones, says that it lasts, or how long the readers guess; None where it is
    no sound, or does not say.

    What a file of this size cannot hold is not believed. Costs its first frames, however long it is.
    """
    found: list[float | None] = []

    class Look(MonoCollector):
        takes_all = False

        def begin(self, rate: int, channels: int, frames: int | None, *, exact: bool = True) -> None:
            seconds = (frames or 0) / rate
            found.append(seconds if 0 < seconds <= self._believable_seconds else None)
            raise Cancelled  # no other reader is asked

    with suppress(AudioError, Cancelled):
        container, sound = _begun(source, "")
        believable = source.size // _LEAST_BYTES_PER_SECOND
        _best(sound, container, "", lambda: Look("", LONG_LIMITS, believable, None), None, False)
    return found[0] if found else None


def _best(
    source: Source,
    container: Container,
    name: str,
    collector: Callable[[], MonoCollector],
    track: int | None,
    counted: bool,
) -> Decoded | None:
    """What the first reader makes of it that reaches the end; else what the one that came furthest made; or None.

    counted: whether it is FLAC that says how long it is: libsndfile stumbles over a damaged frame of it, and over the end of one
    that does not; FFmpeg over neither
    """
    furthest: Decoded | None = None
    reached_end = stumbled = False
    for reader in container.readers:
        if reader == "ffmpeg":
            try:
                decoded, reached_end = _by_ffmpeg(source, container, name, collector, track)
            except AudioError as error:
                if error.sentence.code == "audio.codec" and furthest is not None and furthest.frames:
                    break  # libsndfile reads it, and came as far as the file goes
                raise
        else:
            from mirdemo.sound.decoding import with_soundfile

            decoded, reached_end = _attempt(with_soundfile.read, source, container, collector())
        if decoded is None:
            continue
        if furthest is None or decoded.frames > furthest.frames:
            furthest = decoded
        if reached_end and decoded.frames:
            break
        stumbled |= counted and reader == "soundfile"
    if furthest is None:
        return None
    if (container is OGG and not reached_end) or (stumbled and furthest.claimed_seconds is None):
        return replace(furthest, damaged=True)
    return furthest


def _by_ffmpeg(
    source: Source,
    container: Container,
    name: str,
    collector: Callable[[], MonoCollector],
    track: int | None,
) -> tuple[Decoded | None, bool]:
    """The track that was asked for; else the first, in the order to try, that sounds; else the first."""
    import av

    from mirdemo.sound.decoding import with_pyav

    places = [0]
    if container.tracks or track is not None:
        try:
            places = with_pyav.tracks(source, container, name)
        except av.FFmpegError as error:
            logger.debug("tracks: %s", error)
            return None, False
        if track is not None:
            if track - 1 not in places:
                raise AudioError(
                    "{name} has no sound track {track} that can be read. Choose one of these: {tracks}.",
                    code="audio.no_such_track",
                    name=name,
                    track=track,
                    tracks=", ".join(str(place + 1) for place in sorted(places)),
                )
            places = [track - 1]
    first: tuple[Decoded | None, bool] = (None, False)
    for place in places:
        keeper = collector()
        outcome = _attempt(
            lambda *args, place=place: with_pyav.read(*args, track=place), source, container, keeper
        )
        if outcome[0] is not None and not keeper.silent:
            return outcome
        first = outcome if first[0] is None else first
    return first


def _attempt(
    read: Callable[[Source, Container, MonoCollector], None],
    source: Source,
    container: Container,
    collector: MonoCollector,
) -> tuple[Decoded | None, bool]:
    """What a reader made of it, and whether it came to the end. Raises ``AudioError``."""
    import av

    source.seek(0)
    reached_end = False
    try:
        read(source, container, collector)
        reached_end = True
    except Enough:
        reached_end = True
    except MirdemoError:  # a refusal, or stopped by whoever waits for it
        raise
    except Exception as error:  # what decoders raise on damaged bytes has no common base class
        if isinstance(error, MemoryError) and not isinstance(error, av.FFmpegError):
            raise  # FFmpeg's only means that a damaged file asked for too much
        logger.debug("%s", error)
    return collector.finish(), reached_end
