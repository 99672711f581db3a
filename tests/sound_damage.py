"""Seeded damage to real files, as broken uploads and hostile ones have it."""

from __future__ import annotations

import os

import numpy as np

_EXTREMES = (
    b"\x00" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\x00\x00\x00",
    b"\x01\x00\x00\x00",
)


def damaged(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One mutation of ``data``, at times with a piece of ``other``: flips, extremes, cuts, repeats, splices."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        reach = len(out) if rng.random() < 0.4 else min(len(out), 512)  # headers matter most
        if reach < 8:
            break
        at = int(rng.integers(0, reach - 4))
        length = int(rng.integers(1, 64))
        match int(rng.integers(0, 8)):
            case 0:
                out[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                out[at : at + 4] = _EXTREMES[int(rng.integers(0, len(_EXTREMES)))]
            case 2:
                out[at : at + length] = rng.bytes(length)
            case 3:
                del out[at : at + length]
            case 4:
                out[at:at] = out[at : at + length] * int(rng.integers(1, 8))
            case 5:
                del out[int(rng.integers(0, len(out))) :]
            case 6:
                start = int(rng.integers(0, max(len(other) - length, 1)))
                out[at : at + length] = other[start : start + length]
            case 7:
                out[at] = int(rng.integers(0, 256))
    return _with_ogg_checksums(out) if out[:4] == b"OggS" and rng.random() < 0.7 else bytes(out)


def _with_ogg_checksums(data: bytearray) -> bytes:
    """Each page's checksum made right again (RFC 3533), as a hostile file has it: else no damage gets past it."""
    start = data.find(b"OggS")
    while start >= 0 and start + 27 <= len(data):
        count = data[start + 26]
        end = start + 27 + count + sum(data[start + 27 : start + 27 + count])
        data[start + 22 : start + 26] = bytes(4)
        data[start + 22 : start + 26] = _ogg_checksum(data[start:end]).to_bytes(4, "little")
        start = data.find(b"OggS", start + 27)
    return bytes(data)


def _ogg_checksum(page: bytes) -> int:
    checksum = 0
    for byte in page:
        checksum = (checksum << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[checksum >> 24 ^ byte]
    return checksum


def _ogg_table_entry(byte: int) -> int:
    entry = byte << 24
    for _ in range(8):
        entry = (entry << 1 ^ (0x04C11DB7 if entry & 0x80000000 else 0)) & 0xFFFFFFFF
    return entry


_OGG_TABLE = [_ogg_table_entry(byte) for byte in range(256)]


def mutations(usual: int) -> int:
    """How many a kind of file are tried: ``usual``, or what ``MIRDEMO_TEST_MUTATIONS`` says."""
    return int(os.environ.get("MIRDEMO_TEST_MUTATIONS", usual))
