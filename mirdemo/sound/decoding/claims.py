"""What a file announces of itself: how much sound, where that is known better than the decoders know it."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from mirdemo.sound.decoding import mpeg, ogg
from mirdemo.sound.decoding.containers import (
    AAC,
    AIFF,
    AU,
    AVI,
    CAF,
    FLAC,
    MATROSKA,
    MP3,
    MP4,
    OGG,
    TRANSPORT,
    W64,
    W64_DATA,
    WAV,
    Container,
    past_tags,
)
from mirdemo.sound.decoding.limits import AudioError
from mirdemo.sound.decoding.parts import parts_of
from mirdemo.sound.decoding.source import Source

#: Recorders that stream leave a size near a round number of 1 GiB and more, on either side of it.
_PLACEHOLDER_REACH, _ROUND, _SMALLEST_PLACEHOLDER = 2**16, 2**24, 2**30
_ALL_FRAMES = 2**36 - 1  # as FLAC counts them
_LOOKED_AT_BEHIND = 2**16
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"


@dataclass(frozen=True)
class HeaderClaim:
    """How much sound a header announces: ``announced`` units (bytes or frames), of which the file has ``present``.

    present: None where only decoding tells; the units are frames then
    """

    announced: int
    present: int | None = None


def claim_of_header(source: Source, container: Container) -> HeaderClaim | None:
    """What the header announces, for the containers whose decoders go by the file's size instead; else None.

    A count that marks a stream of unknown length (0, or close to 2 or 4 GiB) is no claim.
    """
    if container is MP3:
        frames = mpeg.xing_frames(source)
        return HeaderClaim(frames) if frames else None
    if container is FLAC:
        return _claim_of_flac(source)
    parts = parts_of(source, container) if container in (WAV, W64, AIFF, AU, CAF) else [source]
    if len(parts) > 1:
        return _claim_of_parts(parts, container)
    found = _segment(source) if container is MATROSKA else _data_chunk(source, container)
    if found is None or found[1] <= 0 or _is_placeholder(found[1]):
        return None
    return HeaderClaim(found[1], max(source.size - found[0], 0))


def _claim_of_flac(source: Source) -> HeaderClaim | None:
    """By the STREAMINFO that comes first in each of the joined files: 20 bits of rate, a 36-bit count of samples a channel."""
    total, first_rate = 0.0, 0
    for part in parts_of(source, FLAC):
        head = part.head(26)
        rate, frames = (
            int.from_bytes(head[18:21], "big") >> 4,
            int.from_bytes(head[21:26], "big") & _ALL_FRAMES,
        )
        if len(head) < 26 or not rate or frames in (0, _ALL_FRAMES):
            return None
        first_rate = first_rate or rate
        total += frames * first_rate / rate
    return HeaderClaim(round(total))


def _claim_of_parts(parts: list[Source], container: Container) -> HeaderClaim | None:
    """All that joined files announce together; of the last one the end may be missing."""
    announced = present = 0
    for part in parts:
        found = _data_chunk(part, container)
        if found is None or found[1] <= 0 or _is_placeholder(found[1]):
            return None
        announced += found[1]
        present += min(found[1], max(part.size - found[0], 0))
    return HeaderClaim(announced, present)


def _is_placeholder(size: int) -> bool:
    large = size >= _SMALLEST_PLACEHOLDER - _PLACEHOLDER_REACH
    return large and (size + _PLACEHOLDER_REACH) % _ROUND < 2 * _PLACEHOLDER_REACH


def mended(source: Source, container: Container) -> Source:
    """The same file with sizes in its header that readers understand, where whoever wrote it could not go back and fill
    them in, or called it RF64 or BW64 without the sizes that go with that."""
    head = source.head(36)
    if container is WAV and head[:4] in (b"RF64", b"BW64") and head[12:16] != b"ds64":
        return source.mended(0, b"RIFF")
    if container is WAV and head[:4] in (b"RF64", b"BW64") and len(head) == 36:
        found = _find_chunk(source, 12, b"data", "<4sI", pad=2)
        told = struct.unpack_from("<Q", head, 28)[0]
        if found and found[1] == 0xFFFFFFFF and (told == 0 or told > 2**40):
            return source.mended(20, struct.pack("<QQ", source.size - 8, max(source.size - found[0], 0)))
    if container is W64:
        found = _find_chunk(source, 40, W64_DATA, "<16sQ", pad=8, counts_itself=True)
        if found and (found[1] <= 0 or found[1] > 2**40):
            there = max(source.size - found[0], 0)
            return source.mended(16, struct.pack("<Q", source.size)).mended(
                found[0] - 8, struct.pack("<Q", there + 24)
            )
    if (
        container is AU
        and len(head) >= 12
        and int.from_bytes(head[8:12], "big" if head[:1] == b"." else "little") >= 2**31
    ):
        return source.mended(8, b"\xff\xff\xff\xff")
    return source


def _data_chunk(source: Source, container: Container) -> tuple[int, int] | None:
    """Where the samples begin, and the bytes of them that are announced."""
    if container is WAV:
        head = source.head(36)
        found = _find_chunk(source, 12, b"data", ">4sI" if head[:4] == b"RIFX" else "<4sI", pad=2)
        if found and head[:4] in (b"RF64", b"BW64") and head[12:16] == b"ds64" and len(head) == 36:
            return found[0], struct.unpack_from("<Q", head, 28)[0]
        return found
    if container is W64:
        return _find_chunk(source, 40, W64_DATA, "<16sQ", pad=8, counts_itself=True)
    if container is AIFF:
        return _find_chunk(source, 12, b"SSND", ">4sI", pad=2)
    if container is CAF:
        return _find_chunk(source, 8, b"data", ">4sq", pad=1)
    if container is AVI and len(head := source.head(8)) == 8:  # of the first gigabyte, pictures and all
        return 8, struct.unpack("<4xI", head)[0]
    if container is AU and len(head := source.head(12)) == 12:
        return struct.unpack(">4xII" if head[:1] == b"." else "<4xII", head)
    return None


def _segment(source: Source) -> tuple[int, int] | None:
    """Where the one segment of a Matroska file begins, and its announced bytes; None where it was streamed."""
    head = source.head(4_096)
    at = head.find(_MATROSKA_SEGMENT)
    if at < 0 or len(head) < at + 12:
        return None
    first = head[at + 4]
    length = 9 - first.bit_length() if first else 9
    if length > 8:
        return None
    size = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    if size == (1 << 7 * length) - 1:  # unknown: a stream
        return None
    return at + 4 + length, size


def lacks_end(source: Source, container: Container) -> bool:
    """Whether the file's last part is missing, where the kind shows it: an end without Ogg's mark, or within a frame."""
    if container is OGG:
        return ogg.lacks_end(source)
    if container in (MP3, AAC):
        return mpeg.lacks_end(source)
    return container is TRANSPORT and bool(source.size % 188 and source.size % 192)


def behind_end(source: Source, container: Container) -> float:
    """How much lies behind the samples that the header announces and is no chunk, tag or zeros, as a share of them: recorders that
    were cut off in the middle have not told the last of what they wrote."""
    found = _data_chunk(source, container) if container in (WAV, AIFF, AU) else None
    if found is None or found[1] <= 0 or len(parts_of(source, container)) > 1:
        return 0.0
    at = found[0] + found[1]
    if container is not AU:
        layout = ">4sI" if container is AIFF or source.head(4) == b"RIFX" else "<4sI"
        at = _past_chunks(source, at + at % 2, layout)
    at = past_tags(source, at)
    if not any(source.head(_LOOKED_AT_BEHIND, at)):
        return 0.0
    return max(source.size - at, 0) / found[1]


def _past_chunks(source: Source, start: int, layout: str) -> int:
    """Where the last of the chunks that follow each other from here ends."""
    for _ in range(1_000):
        head = source.head(8, start)
        if len(head) < 8 or not re.fullmatch(rb"[A-Za-z][\x20-\x7e]{3}", head[:4]):
            break
        start += 8 + struct.unpack(layout, head)[1]
        start += start % 2
    return start


def check_has_index(source: Source, container: Container, name: str) -> None:
    """Raise ``AudioError`` if an MP4, of which nothing could be read, ends before its index does."""
    if container is MP4 and _ends_before_index(source):
        raise AudioError(
            "{name} ends before its index was written, so no sound can be found in it. Copy it again, or export it "
            "anew.",
            code="audio.no_index",
            name=name,
        )


def _ends_before_index(source: Source) -> bool:
    """Whether the boxes of an MP4 lead to the end of the file, or past it, without a whole index (``moov``).

    Recorders write the index last, behind the sound (``mdat``), and fill in that box's size last of all.
    """
    start, announced = 0, False
    for _ in range(1_000):
        head = source.head(16, start)
        if len(head) < 8:
            return announced
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:  # the size stands behind the name
            size = int.from_bytes(head[8:], "big")
        elif size == 0:  # to the end of the file
            size = source.size - start
        if size < 8:
            return False
        announced |= kind in (b"mdat", b"moov")
        start += size
        if kind == b"moov" and start <= source.size:
            return False
    return False


def _find_chunk(
    source: Source, start: int, wanted: bytes, layout: str, pad: int, counts_itself: bool = False
) -> tuple[int, int] | None:
    """Position and announced size of the first chunk called ``wanted``; at most 1,000 chunks are passed.

    counts_itself: whether sizes include the chunk's own header
    """
    length = struct.calcsize(layout)
    for _ in range(1_000):
        head = source.head(length, start)
        if len(head) < length:
            return None
        name, size = struct.unpack(layout, head)
        size -= length if counts_itself else 0
        start += length
        if name == wanted:
            return start, size
        if size < 0:
            return None
        start += size + -size % pad
    return None
