"""MPEG audio frames: ISO 11172-3 and 13818-3 (layers I to III), ADTS of ISO 13818-7, and the Xing and LAME headers.

The first frame of an MP3 may hold a Xing (or Info) header that counts the frames, and behind it a LAME tag with the
samples that the encoder put before and after the sound.
"""

from __future__ import annotations

import struct

from mirdemo.sound.decoding.source import Source

#: kbit/s by bitrate index; MPEG-1 layers I, II, III, then MPEG-2 and 2.5 layers I, II and III.
_BITRATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_MOST_LATE = 1 << 16  # bytes before the first frame
_IN_A_ROW = 3  # frames that fit together: two may by chance
#: Behind bytes of another kind, of which a file of any kind has thousands: there three did in one of 1,500.
_IN_A_ROW_LATE = 5
#: What a decoder of layer III itself delays, and FFmpeg leaves out with the encoder's delay.
_DECODER_DELAY = 529


def is_frame(head: bytes) -> bool:
    """Whether a valid MPEG audio frame header (layers I to III) stands first."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def is_adts(head: bytes) -> bool:
    """Whether a valid ADTS header (AAC) stands first."""
    return len(head) >= 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13


def frame_samples(head: bytes) -> int:
    """Samples a channel in the frame whose header stands first: 384, 576 or 1152."""
    layer = 4 - (head[1] >> 1 & 3)
    if layer == 1:
        return 384
    return 576 if layer == 3 and head[1] >> 3 & 3 != 3 else 1_152


def _frame_length(head: bytes) -> int:
    """Bytes of the frame whose header stands first; 0 where the header does not say (free format) or is none."""
    if is_adts(head):
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if not is_frame(head) or head[2] >> 4 == 0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate = _RATES[head[2] >> 2 & 3] >> {3: 0, 2: 1, 0: 2}[version]
    bitrate = _BITRATES[version == 3, layer][(head[2] >> 4) - 1] * 1_000
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12 * bitrate // rate + padding) * 4
    return frame_samples(head) // 8 * bitrate // rate + padding


def first_frame(source: Source, start: int) -> int | None:
    """Where the first of several frames in a row begins, within 64 kB behind ``start``; None if there are none.

    Recordings cut at any byte, and files with bytes of another kind in front, begin late.
    """
    data = source.head(_MOST_LATE + _IN_A_ROW_LATE * 8_192, start)
    at = data.find(b"\xff")
    while 0 <= at < _MOST_LATE:
        if _row(data, at, _IN_A_ROW_LATE, _IN_A_ROW):
            return start + at
        at = data.find(b"\xff", at + 1)
    return None


def begins_file(frame: bytes) -> bool:
    """Whether a frame needs none before it: none of layer III that does begin with bits of the frames before."""
    if is_adts(frame):
        return True
    if not is_frame(frame):
        return False
    if 4 - (frame[1] >> 1 & 3) < 3:
        return True
    at = 4 + 2 * (not frame[1] & 1)  # behind the header, and its checksum
    borrowed = frame[at : at + 2]  # 9 bits, or 8 below MPEG-1
    return len(borrowed) == 2 and not (borrowed[0] or (frame[1] >> 3 & 3 == 3 and borrowed[1] >> 7))


def begins_row(head: bytes) -> bool:
    """Whether frames that fit together stand first, of which ``head`` holds two or more."""
    return _row(head, 0, 2, 2)


def _row(data: bytes, at: int, most: int = _IN_A_ROW, least: int = 1) -> bool:
    """Whether ``most`` frames of one kind follow one another, or ``least`` and then the end."""
    kind = None
    for count in range(1, most + 1):
        head = data[at : at + 6]
        length = _frame_length(head)
        if not length or kind not in (None, _kind(head)):
            return False
        kind = _kind(head)
        at += length
        if at == len(data):
            return count >= least
    return True


def _kind(head: bytes) -> tuple[int, ...]:
    """What does not change from one frame to the next: version, layer, rate, and whether there is one channel."""
    if is_adts(head):  # profile, rate, channels
        return head[1] & 0xFE, head[2] & 0xFD, head[3] & 0xC0
    return head[1] & 0xFE, head[2] & 0x0C, head[3] >> 6 == 3


def lacks_end(source: Source) -> bool:
    """Whether the last frame is cut: it says that it is longer than what is left of the file."""
    start = max(source.size - _MOST_LATE, 0)
    data = source.head(_MOST_LATE, start)
    at = data.find(b"\xff")
    while at >= 0 and not _row(data, at):
        at = data.find(b"\xff", at + 1)
    while 0 <= at < len(data) and (length := _frame_length(data[at : at + 6])):
        at += length
    return at > len(data)


def xing_frames(source: Source) -> int | None:
    """Samples a channel that the Xing header of an MP3 promises, without what its LAME tag counts as padding."""
    head = source.head(256)
    tag = max(head.find(b"Xing"), head.find(b"Info"))
    if not is_frame(head) or tag < 0 or len(head) < tag + 12 or not head[tag + 7] & 1:
        return None
    frames = struct.unpack_from(">I", head, tag + 8)[0]
    flags = head[tag + 7]
    lame = tag + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    delays = head[lame + 21 : lame + 24]
    padding = 0
    if len(delays) == 3 and head[lame : lame + 4] in (b"LAME", b"Lavf", b"Lavc"):
        value = int.from_bytes(delays, "big")
        padding = (value >> 12) + _DECODER_DELAY + (value & 0xFFF)
    return max(frame_samples(head) * frames - padding, 0)
