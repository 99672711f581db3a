"""Frames of AC-3 and E-AC-3 (ETSI TS 102 366): how long each is, and where the first of a row begins."""

from __future__ import annotations

_SYNC = b"\x0b\x77"
#: kbit/s by half the frame size code.
_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_RATES = (48_000, 44_100, 32_000)
_SAMPLES = 1_536
_MOST_LATE = 1 << 16  # bytes before the first frame
_IN_A_ROW = 3


def frame_length(head: bytes) -> int:
    """Bytes of the frame whose header stands first; 0 where there is none."""
    if len(head) < 6 or head[:2] != _SYNC:
        return 0
    version, rate, code = head[5] >> 3, head[4] >> 6, head[4] & 63
    if 10 < version <= 16:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    if version > 10 or rate == 3 or code // 2 >= len(_BITRATES):
        return 0
    words = _BITRATES[code // 2] * 1_000 * _SAMPLES // (16 * _RATES[rate])
    return 2 * (words + (code & 1 if rate == 1 else 0))


def first_frame(data: bytes) -> int | None:
    """Where the first of several frames in a row begins, within 64 kB; None if there are none."""
    at = data.find(_SYNC)
    while 0 <= at < _MOST_LATE:
        if _row(data, at):
            return at
        at = data.find(_SYNC, at + 1)
    return None


def _row(data: bytes, at: int) -> bool:
    for _ in range(_IN_A_ROW):
        length = frame_length(data[at : at + 6])
        if not length:
            return False
        at += length
        if at == len(data):
            return True
    return True
