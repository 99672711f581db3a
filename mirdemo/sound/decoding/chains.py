"""Whether the pieces of a file follow one another to its end: what stands between two of them was something once.

Readers pass over it without a word. Each kind says itself how long its pieces are: chunks of AVI (RIFF, OpenDML), tags of
FLV, elements of Matroska, packets of ASF and of an MPEG transport stream. Zeros and tags behind the last one are no damage.
"""

from __future__ import annotations

from collections.abc import Callable

from mirdemo.sound.decoding import asf, matroska
from mirdemo.sound.decoding.containers import ASF, AVI, FLV, MATROSKA, TAGS, TRANSPORT, Container
from mirdemo.sound.decoding.source import Ahead, Source

_MOST_PIECES = 4_000_000
#: Fewer bytes at the end may be the head of a piece that was cut.
_HEAD = 12
_BLOCK_OF_PACKETS = 8_192
_MARK = 0x47

#: Gives so many bytes from a place, or what is there.
Read = Callable[[int, int], bytes]


def is_broken(source: Source, container: Container) -> bool:
    """Whether anything else stands between two pieces. False for a kind whose pieces are not looked at."""
    return container in _BREAKS and _is_more(source, source.once(_BREAKS[container]))


def end_of_flv(source: Source) -> int:
    """Where its tags of sound, film and script end, each with its size before and, header included, behind it."""
    return _follow(source, 13, _after_flv)


def _follow(source: Source, at: int, after: Callable[[Read, int], int | None]) -> int:
    """Where pieces stop following one another from ``at`` on; beyond the end where the last one is cut.

    after: tells where the piece behind the one at a place begins; None where none stands there
    """
    read = Ahead(source).head
    for _ in range(_MOST_PIECES):
        following = after(read, at) if at < source.size else None
        if following is None:
            return at
        at = following
    return source.size


def _after_flv(read: Read, at: int) -> int | None:
    head = read(4, at)
    if len(head) < 4 or head[0] & 0x1F not in (8, 9, 18):
        return None
    size = 11 + int.from_bytes(head[1:], "big")
    told = read(4, at + size)
    return at + size + 4 if len(told) < 4 or int.from_bytes(told, "big") in (size, 0) else None


def _after_avi(read: Read, at: int) -> int | None:
    head = read(8, at)
    name = head[:4]
    if len(head) < 8 or not all(32 <= sign < 127 for sign in name) or head.startswith(TAGS):
        return None
    if name in (b"RIFF", b"LIST"):  # what is in it follows behind its own name
        return at + 12
    size = int.from_bytes(head[4:], "little")
    return at + 8 + size + size % 2


def _break_of_avi(source: Source) -> int:
    end = _follow(source, 0, _after_avi)
    if end > source.size + 1 and 8 + int.from_bytes(source.head(4, 4), "little") <= source.size:
        return 0  # the file is no shorter than it says, so the last chunk is none
    return end


def _break_of_transport(source: Source) -> int:
    first = source.head(5 * 192)
    length, mark = (188, 0) if len(first) > 188 and first[188] == _MARK else (192, 4)
    at = 0
    while block := source.head(length * _BLOCK_OF_PACKETS, at):
        marks = block[mark::length]
        if marks.count(_MARK) < len(marks):
            return at + length * next(i for i, one in enumerate(marks) if one != _MARK)
        at += len(block)
    return at


def _is_more(source: Source, at: int) -> bool:
    """Whether anything but zeros and tags stands there or behind."""
    if at > source.size - _HEAD:
        return False
    while block := source.head(1 << 20, at):
        behind = block.lstrip(b"\0")
        if behind:
            return not behind.startswith(TAGS)
        at += len(block)
    return False


#: Where the pieces of a kind stop following one another.
_BREAKS: dict[Container, Callable[[Source], int]] = {
    AVI: _break_of_avi,
    FLV: end_of_flv,
    MATROSKA: lambda source: _follow(source, 0, matroska.after),
    ASF: asf.end_of_packets,
    TRANSPORT: _break_of_transport,
}
