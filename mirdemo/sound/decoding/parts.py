"""Files that were joined end to end: each part is read by itself, one behind the other.

Kinds that state their own size end there, whatever lies behind; where that is another file of the kind, it is the next part.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice, pairwise

from mirdemo.sound.decoding import chains, ogg
from mirdemo.sound.decoding.containers import (
    AIFF,
    ASF,
    AU,
    CAF,
    FLAC,
    FLAC_HEADER,
    FLAC_HEADER_BYTES,
    FLV,
    MP4,
    OGG,
    TTA,
    W64,
    WAV,
    WAVPACK,
    Container,
    beginning,
    past_tags,
)
from mirdemo.sound.decoding.source import Source

_FLAC_MARK, _FLV_MARK = b"fLaC", b"FLV\x01"
_BLOCK = 1 << 20
_MOST_PARTS = 1_000
_MOST_BLOCKS = 1_000_000
#: Zeros that may lie between two parts.
_MOST_PADDING = 4_096
_MOST_BETWEEN = 4


def parts_of(source: Source, container: Container) -> list[Source]:
    """The whole files of a kind that lie one behind the other in ``source``; mostly one, itself."""
    return [source.part(start, end) for start, end in source.once(_spans, container)]


def links_of(source: Source) -> tuple[ogg.Link, ...]:
    """Of a chained Ogg file, what is known of each of its ``parts_of``."""
    return source.once(ogg.links, _MOST_PARTS)


def _spans(source: Source, container: Container) -> list[tuple[int, int]]:
    if container in _ENDS:
        return _by_their_ends(source, container)
    if container is OGG:
        starts = [link.start for link in links_of(source)]
    elif container is FLAC:
        starts = [0, *islice(_later_flac(source), _MOST_PARTS - 1)]
    else:
        starts = [0]
    return list(pairwise([*starts, source.size]))


def _later_flac(source: Source) -> Iterator[int]:
    """Where files of FLAC begin behind the first."""
    places = _later(source, _FLAC_MARK)
    return (at for at in places if FLAC_HEADER.match(source.head(FLAC_HEADER_BYTES, at)))


def _later(source: Source, mark: bytes) -> Iterator[int]:
    """Where a mark stands behind the first byte."""
    for start in range(0, source.size, _BLOCK):
        block = source.head(_BLOCK + len(mark) - 1, start)
        place = block.find(mark, int(start == 0))
        while place >= 0:
            yield start + place
            place = block.find(mark, place + 1)


def _by_their_ends(source: Source, container: Container) -> list[tuple[int, int]]:
    """Each without what lies between it and the next, which some readers stumble over."""
    found, first = list[tuple[int, int]](), 0
    while True:
        rest = source.part(first)
        length = rest.once(_ENDS[container])
        if length is None or not 0 < length < rest.size:
            break
        after = _next(rest, length, container) if len(found) + 1 < _MOST_PARTS else None
        if after is None:
            if container is W64 and length > 40:  # libsndfile takes what lies behind for sound
                return [*found, (first, first + length)]
            break
        found.append((first, first + length))
        first += after
    return [*found, (first, source.size)]


def _next(source: Source, end: int, container: Container) -> int | None:
    """Where the next file of the kind begins, behind tags and zeros at most."""
    for _ in range(_MOST_BETWEEN):
        place = beginning(source, end, container)
        if place is not None:
            return place
        end = past_tags(source, end)
        padding = source.head(_MOST_PADDING, end)
        zeros = len(padding) - len(padding.lstrip(b"\0"))
        if not zeros:
            return None
        # An MP4 begins with zeros of its own: those of its first box's size.
        here = [beginning(source, end + zeros - own, container) for own in (0, 3, 2) if own <= zeros]
        if any(place is not None for place in here):
            return next(place for place in here if place is not None)
        end += zeros
    return None


def _end_of_wav(source: Source) -> int | None:
    head = source.head(28)
    if len(head) == 28 and head[:4] in (b"RF64", b"BW64") and head[12:16] == b"ds64":
        return 8 + int.from_bytes(head[20:28], "little")
    return _even(int.from_bytes(head[4:8], "big" if head[:4] == b"RIFX" else "little"))


def _end_of_aiff(source: Source) -> int:
    return _even(int.from_bytes(source.head(4, 4), "big"))


def _even(size: int) -> int:
    return 8 + size + size % 2


def _end_of_w64(source: Source) -> int:
    size = int.from_bytes(source.head(8, 16), "little")
    return size + -size % 8


def _end_of_au(source: Source) -> int | None:
    head = source.head(12)
    if len(head) < 12:
        return None
    start, size = struct.unpack(">4xII" if head[:1] == b"." else "<4xII", head)
    return start + size


def _end_of_tta(source: Source) -> int | None:
    """By the table of frame sizes behind the header of 22 bytes (TTA1): a frame lasts 256/245 s."""
    head = source.head(22)
    if len(head) < 22:
        return None
    rate, samples = struct.unpack_from("<II", head, 10)
    length = rate * 256 // 245
    frames = -(-samples // length) if length else 0
    if not 0 < frames <= _MOST_BLOCKS:
        return None
    table = source.head(4 * frames, 22)
    return 22 + len(table) + 4 + sum(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))


def _end_of_wavpack(source: Source) -> int | None:
    """Behind the block that reaches the number of samples that the first one announces, and its other channels' blocks."""
    at, total, reached = 0, 0, 0
    for _ in range(_MOST_BLOCKS):
        head = source.head(32, at)
        if len(head) < 32 or head[:4] != b"wvpk":
            return at or None
        size, index, samples, flags = struct.unpack("<4xI8xIII4x", head)
        first = not at
        at_most = struct.unpack_from("<I", head, 12)[0]
        if first and at_most == 0xFFFFFFFF:  # written to a pipe
            return None
        total = at_most if first else total
        if samples and index == 0 and flags & 0x800 and reached >= total > 0:
            return at
        reached = max(reached, index + samples if samples else 0)
        at += 8 + size
    return None


def _end_of_mp4(source: Source) -> int | None:
    """Behind the index and the sound: before a second ``ftyp``, or where no box stands."""
    at, seen = 0, set[bytes]()
    for _ in range(_MOST_BLOCKS):
        head = source.head(16, at)
        if len(head) < 8:
            return None
        size, kind = struct.unpack_from(">I4s", head)
        a_box = kind != b"ftyp" and all(32 <= sign < 127 or sign == 0xA9 for sign in kind)
        if not a_box and b"moov" in seen and seen & {b"mdat", b"moof"}:
            return at
        seen.add(kind)
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:], "big")
        if size < 8:
            return None
        at += size
    return None


def _end_of_caf(source: Source) -> int | None:
    at = 8
    for _ in range(_MOST_BLOCKS):
        head = source.head(12, at)
        if len(head) < 12 or head[:4] == b"caff" or not all(32 <= sign < 127 for sign in head[:4]):
            return at
        size = int.from_bytes(head[4:], "big", signed=True)
        if size < 0:  # to the end, as recorders that stream say
            return None
        at += 12 + size
    return None


def _end_of_flv(source: Source) -> int | None:
    """To go through its tags, a quarter of a million in two hours, is for files in which another may begin."""
    return source.once(chains.end_of_flv) if any(_later(source, _FLV_MARK)) else None


def _end_of_asf(source: Source) -> int | None:
    first, at = source.head(16), 0
    for _ in range(_MOST_BLOCKS):
        head = source.head(24, at)
        size = int.from_bytes(head[16:], "little")
        if len(head) < 24 or (at and head[:16] == first) or not 24 <= size <= source.size - at:
            return at
        at += size
    return None


#: Where a file of a kind ends by its own account; None where it does not say.
_ENDS: dict[Container, Callable[[Source], int | None]] = {
    WAV: _end_of_wav,
    AIFF: _end_of_aiff,
    W64: _end_of_w64,
    AU: _end_of_au,
    CAF: _end_of_caf,
    TTA: _end_of_tta,
    WAVPACK: _end_of_wavpack,
    MP4: _end_of_mp4,
    FLV: _end_of_flv,
    ASF: _end_of_asf,
}
