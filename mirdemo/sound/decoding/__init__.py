"""Bytes to mono PCM: what kind of file it is, what it claims, and what can really be read from it.

``decode`` tries libsndfile (through soundfile) first and FFmpeg (through PyAV) where that fails; MPEG audio goes
to FFmpeg first, because libsndfile's MP3 decoder writes to the host's standard error. Files are told apart by
their content, never by their extension, and FFmpeg is given one plain container format and an open stream, so
that it can follow no playlist, path or address.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from mirdemo.sound.decoding.containers import (
    Container,
    check_has_index,
    check_is_sound,
    claim_of_header,
    lacks_end,
    sniff,
)
from mirdemo.sound.decoding.limits import LIMITS, AudioError, AudioLimits
from mirdemo.sound.decoding.mono import Decoded, MonoCollector
from mirdemo.sound.decoding.source import Source

__all__ = ["LIMITS", "AudioError", "AudioLimits", "Decoded", "Source", "decode"]

logger = logging.getLogger(__name__)

#: A compressed file needs at least this many bytes a second; a header that claims more is not believed.
_LEAST_BYTES_PER_SECOND = 100


def decode(source: Source, name: str, limits: AudioLimits = LIMITS) -> Decoded:
    """Decode a whole sound file to mono (the mean of its channels), at its own rate.

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
    container = sniff(source)
    check_is_sound(source, container, name)
    decoded = _first_that_reads(source, container, name, limits)
    if decoded is None:
        check_has_index(source, container, name)
        raise AudioError(
            "{name} is damaged and no sound could be read from it. Export it again or choose another file.",
            code="audio.damaged",
            name=name,
        )
    return replace(decoded, lacks_end=lacks_end(source, container))


def _first_that_reads(source: Source, container: Container, name: str, limits: AudioLimits) -> Decoded | None:
    """What the first reader makes of it that reaches the end; else what the one that came furthest made; or None."""
    import av  # the decoders are loaded by the first file, not by whoever names a clip

    from mirdemo.sound.decoding import with_pyav, with_soundfile

    readers = {"soundfile": with_soundfile.read, "ffmpeg": with_pyav.read}
    claim = claim_of_header(source, container)
    furthest: Decoded | None = None
    for reader in container.readers:
        source.seek(0)
        collector = MonoCollector(name, limits, source.size // _LEAST_BYTES_PER_SECOND, claim)
        reached_end = False
        try:
            readers[reader](source, container, collector)
            reached_end = True
        except AudioError:
            raise
        except Exception as error:  # what decoders raise on damaged bytes has no common base class
            if isinstance(error, MemoryError) and not isinstance(error, av.FFmpegError):
                raise  # FFmpeg's only means that a damaged file asked for too much
            logger.debug("%s: %s", reader, error)
        decoded = collector.finish()
        if decoded is None:
            continue
        if furthest is None or len(decoded.samples) > len(furthest.samples):
            furthest = decoded
        if reached_end and len(decoded.samples):
            break
    if furthest is not None and not len(furthest.samples):
        raise AudioError(
            "{name} holds no sound (0 seconds). Choose another file.", code="audio.no_sound", name=name
        )
    return furthest
