"""Files that were joined end to end: each part is read by itself, one behind the other."""

from __future__ import annotations

from mirdemo.sound.decoding import ogg
from mirdemo.sound.decoding.containers import FLAC, OGG, Container
from mirdemo.sound.decoding.source import Source

#: What begins every FLAC file: its mark and the header of STREAMINFO (34 bytes; the top bit: no block follows).
_FLAC = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_BLOCK = 1 << 20
_MOST_PARTS = 1_000


def parts_of(source: Source, container: Container) -> list[Source]:
    """The whole files of a kind that lie one behind the other in ``source``; mostly one, itself."""
    if container is OGG:
        starts = ogg.links(source)
    elif container is FLAC:
        starts = _flac_beginnings(source)
    else:
        return [source]
    return [source.part(start, end) for start, end in zip(starts, [*starts[1:], source.size], strict=True)]


def _flac_beginnings(source: Source) -> list[int]:
    found, at, overlap = [0], 0, len(_FLAC[0]) - 1
    while at < source.size and len(found) < _MOST_PARTS:
        block = source.head(_BLOCK + overlap, at)
        for mark in _FLAC:
            place = block.find(mark)
            while place >= 0:
                if at + place > 0 and at + place not in found:
                    found.append(at + place)
                place = block.find(mark, place + 1)
        at += _BLOCK
    return sorted(found)
