"""The packets of an ASF file (Microsoft, WMA and WMV), and the numbers of what they carry."""

from __future__ import annotations

from mirdemo.sound.decoding.source import Ahead, Source

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_MOST_PACKETS = 4_000_000
_READ_AT_ONCE = 1 << 18
#: Of a number, by the two bits that say so.
_BYTES = (0, 1, 2, 4)


def end_of_packets(source: Source) -> int:
    """Where packets end that are whole and lack none before: all are of one size, and the payloads in them name their stream, in
    which they are numbered. The file's end where its header does not say where they begin."""
    found = _packets(source)
    if found is None:
        return source.size
    first, length, count = found
    last: dict[int, int] = {}
    read = Ahead(source, _READ_AT_ONCE).head
    for at in range(first, first + count * length, length):
        packet = read(length, at)
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


def _pieces(packet: bytes) -> list[tuple[int, int]]:
    """(stream, number of the piece) of each payload. Raises ValueError or IndexError for a packet that is none."""
    at = 1 + (packet[0] & 0x0F) if packet[0] & 0x80 else 0
    lengths, properties = packet[at], packet[at + 1]
    if lengths & 0x80 or properties & 0xC0 != 0x40:  # a stream is numbered by one byte
        raise ValueError
    at += 2 + _BYTES[lengths >> 5] + _BYTES[lengths >> 1 & 3]
    padding = _number(packet, at, _BYTES[lengths >> 3 & 3])
    at += _BYTES[lengths >> 3 & 3] + 6  # when it is sent, and for how long
    several = lengths & 1
    payloads, size_bytes = (packet[at] & 63, _BYTES[packet[at] >> 6]) if several else (1, 0)
    at += several
    piece_bytes, told_bytes = _BYTES[properties >> 4 & 3], _BYTES[properties & 3]
    to_told = 1 + piece_bytes + _BYTES[properties >> 2 & 3]
    found = []
    for _ in range(payloads):
        stream, piece = packet[at] & 127, _number(packet, at + 1, piece_bytes)
        at += to_told
        at += told_bytes + _number(packet, at, told_bytes)  # behind what is told of the piece
        size = _number(packet, at, size_bytes) if several else len(packet) - padding - at
        at += size_bytes + size
        if not stream or size < 0 or at > len(packet):
            raise ValueError
        found.append((stream, piece))
    return found


def _number(packet: bytes, at: int, size: int) -> int:
    return packet[at] if size == 1 else int.from_bytes(packet[at : at + size], "little")
