"""The elements of a Matroska file (RFC 8794, RFC 9559): whether they follow one another to the end of its one segment."""

from __future__ import annotations

from mirdemo.sound.decoding.source import Source

_MARK, _SEGMENT, _CLUSTER, _GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA0
#: What stands in a segment and in a cluster: all else is damage. Void and checksums stand anywhere.
_KNOWN = frozenset(
    {0xEC, 0xBF}
    | {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469}
    | {0xE7, 0x5854, 0xA7, 0xAB, 0xA3, _GROUP, 0xAF}
)
_ENTERED = frozenset({_SEGMENT, _CLUSTER})
_MOST_ELEMENTS = 4_000_000


def is_damaged(source: Source) -> bool:
    """Whether anything else stands between two elements than the next one. Sizes that nobody knew pass."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        head = source.head(12, at)
        if len(head) < 2:
            return False
        id_length = 9 - head[0].bit_length()
        name = int.from_bytes(head[:id_length], "big")
        rest = head[id_length:]
        if id_length > 4 or not rest or not rest[0]:
            return True
        length = 9 - rest[0].bit_length()
        size = int.from_bytes(rest[:length], "big") & ((1 << 7 * length) - 1)
        if name not in _KNOWN and name not in (_MARK, _SEGMENT):
            return True
        at += id_length + length
        if name not in _ENTERED:
            at += size
    return False
