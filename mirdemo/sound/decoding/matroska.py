"""The elements of a Matroska file (RFC 8794, RFC 9559): whether they follow one another to the end of its one segment."""

from __future__ import annotations

from collections.abc import Callable

_MARK, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
#: What stands in a file, a segment and a cluster: all else is damage. Void and checksums stand anywhere.
_KNOWN = frozenset(
    {0xEC, 0xBF}
    | {_MARK, _SEGMENT}
    | {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469}
    | {0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF}
)
_ENTERED = frozenset({_SEGMENT, _CLUSTER})


def after(head: Callable[[int, int], bytes], at: int) -> int | None:
    """Where the element behind the one at ``at`` begins, or the first in it; None where none stands there. Sizes that nobody
    knew lead beyond any end.

    head: gives so many bytes from a place
    """
    first = head(12, at)
    id_length = 9 - first[0].bit_length()
    rest = first[id_length:]
    if id_length > 4 or not rest or not rest[0] or int.from_bytes(first[:id_length], "big") not in _KNOWN:
        return None
    length = 9 - rest[0].bit_length()
    if int.from_bytes(first[:id_length], "big") in _ENTERED:
        return at + id_length + length
    return at + id_length + length + (int.from_bytes(rest[:length], "big") & ((1 << 7 * length) - 1))
