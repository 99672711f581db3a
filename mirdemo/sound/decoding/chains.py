"""Whether the pieces of a file follow one another to its end: what stands between two of them was something once.

Readers pass over it without a word. Each kind says itself how long its pieces are: chunks of AVI (RIFF, OpenDML), tags of
FLV, packets of an MPEG transport stream. Zeros behind the last one are no damage.
"""

from __future__ import annotations

from collections.abc import Iterator

from mirdemo.sound.decoding import matroska
from mirdemo.sound.decoding.containers import ASF, AVI, FLV, MATROSKA, TAGS, TRANSPORT, Container
from mirdemo.sound.decoding.source import Source

_MOST_PIECES = 4_000_000
_BLOCK_OF_PACKETS = 8_192
_MARK = 0x47
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")


def is_broken(source: Source, container: Container) -> bool:
    """Whether anything else stands between two pieces. False for a kind whose pieces are not looked at."""
    if container is MATROSKA:
        return matroska.is_damaged(source)
    if container is AVI:
        return _is_broken_avi(source)
    if container is FLV:
        return _is_broken_flv(source)
    if container is ASF:
        return _is_broken_asf(source)
    return container is TRANSPORT and _is_broken_transport(source)


def _is_broken_avi(source: Source) -> bool:
    at, is_cut = 0, 8 + int.from_bytes(source.head(4, 4), "little") > source.size
    for _ in range(_MOST_PIECES):
        head = source.head(8, at)
        if len(head) < 8:
            return False
        name = head[:4]
        if not all(32 <= sign < 127 for sign in name) or name.startswith(TAGS) or head == b"APETAGEX":
            return not _is_end(source, at)
        if name in (b"RIFF", b"LIST"):  # what is in it follows behind its own name
            at += 12
        else:
            size = int.from_bytes(head[4:], "little")
            at += 8 + size + size % 2
            if at > source.size + 1:
                return not is_cut
    return False


def _is_broken_flv(source: Source) -> bool:
    """By the tags of sound, film and script, each with its size before and, header included, behind it."""
    at = 13
    for _ in range(_MOST_PIECES):
        head = source.head(4, at)
        if len(head) < 4:
            return False
        if head[0] & 0x1F not in (8, 9, 18):
            return not _is_end(source, at)
        size = 11 + int.from_bytes(head[1:], "big")
        told = source.head(4, at + size)
        if len(told) == 4 and int.from_bytes(told, "big") not in (size, 0):
            return True
        at += size + 4
    return False


def _is_broken_asf(source: Source) -> bool:
    """By its packets, all of one size, and the payloads in them: each names its stream, and the pieces of a stream are numbered."""
    found = _packets_of_asf(source)
    if found is None:
        return False
    first, length, count = found
    last: dict[int, int] = {}
    for number in range(count):
        packet = source.head(length, first + number * length)
        if len(packet) < length:
            return False  # it ends: told otherwise
        try:
            for stream, piece in _pieces_of_asf(packet):
                if (piece - last.get(stream, piece)) % 256 > 1:
                    return True
                last[stream] = piece
        except (IndexError, ValueError):
            return not _is_end(source, first + number * length)
    return False


def _packets_of_asf(source: Source) -> tuple[int, int, int] | None:
    """Where the packets begin, the length that all have, and how many there are; None where the header does not say."""
    at, length = 30, 0
    end = int.from_bytes(source.head(8, 16), "little")
    for _ in range(1_000):
        head = source.head(104, at)
        size = int.from_bytes(head[16:24], "little")
        if at >= end or len(head) < 24 or size < 24:
            break
        if head[:16] == _ASF_PROPERTIES and len(head) == 104:
            least, most = (int.from_bytes(head[a : a + 4], "little") for a in (92, 96))
            length = least if least == most else 0
        at += size
    head = source.head(50, end)
    if not 0 < length < 1 << 20 or len(head) < 50 or head[:16] != _ASF_DATA:
        return None
    count = int.from_bytes(head[40:48], "little")
    return end + 50, length, count if 0 < count < _MOST_PIECES else (source.size - end - 50) // length


def _pieces_of_asf(packet: bytes) -> Iterator[tuple[int, int]]:
    """(stream, number of the piece) of each payload. Raises ValueError or IndexError for a packet that is none."""
    at = 0

    def number(kind: int) -> int:
        """Of 0, 1, 2 or 4 bytes."""
        nonlocal at
        size = (0, 1, 2, 4)[kind & 3]
        at += size
        if at > len(packet):
            raise IndexError
        return int.from_bytes(packet[at - size : at], "little")

    if packet[0] & 0x80:
        at = 1 + (packet[0] & 0x0F)
    lengths, properties = packet[at], packet[at + 1]
    at += 2
    if lengths & 0x80 or properties & 0xC0 != 0x40:  # a stream is numbered by one byte
        raise ValueError
    number(lengths >> 5)
    number(lengths >> 1)
    padding = number(lengths >> 3)
    at += 6  # when it is sent, and for how long
    several = lengths & 1
    payloads, length_kind = (packet[at] & 63, packet[at] >> 6) if several else (1, 0)
    at += several
    for _ in range(payloads):
        stream = packet[at] & 127
        at += 1
        piece = number(properties >> 4)
        number(properties >> 2)
        told = number(properties)
        at += told  # what is told of the piece
        size = number(length_kind) if several else len(packet) - padding - at
        at += size
        if not stream or size < 0 or at > len(packet):
            raise ValueError
        yield stream, piece


def _is_broken_transport(source: Source) -> bool:
    first = source.head(5 * 192)
    length, mark = (188, 0) if len(first) > 188 and first[188] == _MARK else (192, 4)
    at = 0
    while block := source.head(length * _BLOCK_OF_PACKETS, at):
        marks = block[mark::length]
        if marks.count(_MARK) < len(marks):
            return not _is_end(source, at + length * next(i for i, one in enumerate(marks) if one != _MARK))
        at += len(block)
    return False


def _is_end(source: Source, at: int) -> bool:
    """Whether nothing but zeros and tags stands there and behind."""
    while block := source.head(1 << 20, at):
        behind = block.lstrip(b"\0")
        if behind:
            return behind.startswith(TAGS)
        at += len(block)
    return True
