"""Ogg pages (RFC 3533): where the streams of a chained file begin, and whether the last one is complete."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mirdemo.sound.decoding.source import Source

_LONGEST_PAGE = 65_307
_BLOCK = 1 << 20
_MOST_PAGES = 4_000_000
_FIRST, _LAST = 2, 4  # header flags
_CHECKSUM = slice(22, 26)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class _Page:
    start: int
    flags: int
    serial: bytes
    number: int
    granule: int
    end: int


def _pages(source: Source) -> Iterator[_Page]:
    """The whole pages from the start on; what lies between two is passed over."""
    start = 0
    for _ in range(_MOST_PAGES):
        head = source.head(27 + 255, start)
        if head[:4] != b"OggS":
            start = _next_mark(source, start)
            if start < 0:
                return
            continue
        if len(head) < 27:
            return
        end = start + 27 + head[26] + sum(head[27 : 27 + head[26]])
        if end > source.size:
            return
        granule, number = (int.from_bytes(head[a:b], "little", signed=a == 6) for a, b in ((6, 14), (18, 22)))
        yield _Page(start, head[5], head[14:18], number, granule, end)
        start = end


def _next_mark(source: Source, start: int) -> int:
    """Where the next page may begin; -1 if nowhere."""
    while start < source.size:
        place = source.head(_BLOCK, start).find(b"OggS")
        if place >= 0:
            return start + place
        start += _BLOCK - 3
    return -1


def has_hole(source: Source) -> bool:
    """Whether pages of a stream are missing behind its first sound, as their numbers say, or behind its first page have a
    checksum that is not theirs, whereupon readers pass them over without a word."""
    last: dict[bytes, _Page] = {}
    for page in _pages(source):
        before = last.get(page.serial)
        if before is not None and not page.flags & _FIRST:
            if before.granule > 0 and page.number > before.number + 1:
                return True
            if not _is_whole(source, page):
                return True
        last[page.serial] = page
    return False


def _is_whole(source: Source, page: _Page) -> bool:
    """Whether a page's checksum is right: polynomial 0x04c11db7 from 0, its first bit the highest. ``zlib`` has the same one
    mirrored, and inverted before and after."""
    data = bytearray(source.head(page.end - page.start, page.start))
    told = int.from_bytes(data[_CHECKSUM], "little")
    data[_CHECKSUM] = bytes(4)
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2) == told


def links(source: Source) -> list[int]:
    """Where the links of a chained file begin: the first one, and those whose streams begin behind other sound."""
    starts, opening = [0], True
    for page in _pages(source):
        if page.flags & _FIRST and not opening:
            starts.append(page.start)
        opening = bool(page.flags & _FIRST)
    return starts


def goes_on(source: Source) -> bool:
    """Whether pages follow behind the mark of a stream's end, of no new stream: libsndfile stops at the mark."""
    ended = False
    for page in _pages(source):
        if page.flags & _FIRST:
            ended = False
        elif ended and not page.flags & _LAST:
            return True
        ended |= bool(page.flags & _LAST)
    return False


def lacks_end(source: Source) -> bool:
    """Whether the last page is cut, or does not carry the mark of a stream's end."""
    tail = source.head(_LONGEST_PAGE, max(source.size - _LONGEST_PAGE, 0))
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    whole = len(tail) >= page + 27 + tail[page + 26] + sum(segments)
    return not (whole and tail[page + 5] & _LAST)
