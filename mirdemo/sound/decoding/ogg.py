"""Ogg pages (RFC 3533): where the streams of a chained file begin, whether pages are missing, and whether the last is there."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mirdemo.sound.decoding.source import Ahead, Source

_LONGEST_PAGE = 65_307
_BLOCK = 1 << 20
_MOST_PAGES = 4_000_000
_FIRST, _LAST = 2, 4  # header flags
_CHECKSUM = slice(22, 26)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Link:
    """One of the files that a chained one is made of.

    hole: whether pages of a stream are missing behind its first sound, as their numbers say, or have a checksum that is not
        theirs, whereupon readers pass them over without a word
    goes_on: whether pages follow behind the mark of a stream's end, of no new stream: libsndfile stops at the mark
    """

    start: int
    hole: bool = False
    goes_on: bool = False


@dataclass(frozen=True)
class _Page:
    start: int
    data: bytes

    @property
    def flags(self) -> int:
        return self.data[5]

    @property
    def serial(self) -> bytes:
        return self.data[14:18]

    @property
    def number(self) -> int:
        return int.from_bytes(self.data[18:22], "little")

    @property
    def granule(self) -> int:
        return int.from_bytes(self.data[6:14], "little", signed=True)

    def is_whole(self) -> bool:
        """Whether the checksum is right: polynomial 0x04c11db7 from 0, its first bit the highest. ``zlib`` has the same one
        mirrored, and inverted before and after."""
        told = int.from_bytes(self.data[_CHECKSUM], "little")
        blank = self.data[: _CHECKSUM.start] + bytes(4) + self.data[_CHECKSUM.stop :]
        mirrored = zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        return int(f"{mirrored:032b}"[::-1], 2) == told


def _pages(source: Source) -> Iterator[_Page]:
    """The whole pages from the start on; what lies between two is passed over."""
    ahead, start = Ahead(source, _BLOCK), 0
    for _ in range(_MOST_PAGES):
        head = ahead.head(27 + 255, start)
        if head[:4] != b"OggS":
            start = _next_mark(source, start)
            if start < 0:
                return
            continue
        if len(head) < 27:
            return
        length = 27 + head[26] + sum(head[27 : 27 + head[26]])
        if start + length > source.size:
            return
        yield _Page(start, ahead.head(length, start))
        start += length


def _next_mark(source: Source, start: int) -> int:
    """Where the next page may begin; -1 if nowhere."""
    while start < source.size:
        place = source.head(_BLOCK, start).find(b"OggS")
        if place >= 0:
            return start + place
        start += _BLOCK - 3
    return -1


def links(source: Source, most: int) -> tuple[Link, ...]:
    """The links of a chained file in order; the last of ``most`` holds the rest. Goes through the whole file.

    One begins where streams begin behind other sound.
    """
    found, link, opening, ended = list[Link](), Link(0), True, False
    last: dict[bytes, tuple[int, int]] = {}  # of each stream's page before, its number and time
    for page in _pages(source):
        begins = bool(page.flags & _FIRST)
        if begins and not opening and len(found) + 1 < most:
            found.append(link)
            link, last = Link(page.start), {}
        opening = begins
        ended = ended and not begins
        goes_on = link.goes_on or (ended and not page.flags & _LAST)
        hole = link.hole or _is_hole(None if begins else last.get(page.serial), page)
        link = replace(link, hole=hole, goes_on=goes_on) if hole or goes_on else link
        ended |= bool(page.flags & _LAST)
        last[page.serial] = page.number, page.granule
    return (*found, link)


def _is_hole(before: tuple[int, int] | None, page: _Page) -> bool:
    """Whether something is missing between two pages of a stream, or in the second."""
    number, granule = before or (0, 0)
    return (granule > 0 and page.number > number + 1) or not page.is_whole()


def lacks_end(source: Source) -> bool:
    """Whether the last page is cut, or does not carry the mark of a stream's end."""
    tail = source.head(_LONGEST_PAGE, max(source.size - _LONGEST_PAGE, 0))
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    whole = len(tail) >= page + 27 + tail[page + 26] + sum(segments)
    return not (whole and tail[page + 5] & _LAST)
