"""The packets of an ASF file (Microsoft, WMA and WMV), and the numbers of what they carry."""

from __future__ import annotations

from collections.abc import Iterator

from mirdemo.sound.decoding.source import Source

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_MOST_PACKETS = 4_000_000


def end_of_packets(source: Source) -> int:
    """Where packets end that are whole and lack none before: all are of one size, and the payloads in them name their stream, in
    which they are numbered. The file's end where its header does not say where they begin."""
    found = _packets(source)
    if found is None:
        return source.size
    first, length, count = found
    last: dict[int, int] = {}
    for at in range(first, first + count * length, length):
        packet = source.head(length, at)
        if len(packet) < length:
            break  # it is cut: told otherwise
        try:
            for stream, piece in _pieces(packet):
                if (piece - last.get(stream, piece)) % 256 > 1:
                    return at
                last[stream] = piece
        except (IndexError, ValueError):
            return at
    return source.size


def _packets(source: Source) -> tuple[int, int, int] | None:
    """Where the packets begin, the length that all have, and how many there are; None where the header does not say."""
    at, length = 30, 0
    end = int.from_bytes(source.head(8, 16), "little")
    for _ in range(1_000):
        head = source.head(104, at)
        size = int.from_bytes(head[16:24], "little")
        if at >= end or len(head) < 24 or size < 24:
            break
        if head[:16] == _PROPERTIES and len(head) == 104:
            least, most = (int.from_bytes(head[a : a + 4], "little") for a in (92, 96))
            length = least if least == most else 0
        at += size
    head = source.head(50, end)
    if not 0 < length < 1 << 20 or len(head) < 50 or head[:16] != _DATA:
        return None
    count = int.from_bytes(head[40:48], "little")
    return end + 50, length, count if 0 < count < _MOST_PACKETS else (source.size - end - 50) // length


def _pieces(packet: bytes) -> Iterator[tuple[int, int]]:
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
