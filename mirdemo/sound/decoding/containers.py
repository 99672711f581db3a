"""Which kind of sound file some bytes are, and how much sound their header announces.

Magic numbers and chunk layouts: RIFF/WAVE (Microsoft, 1991; RF64: EBU Tech 3306), Wave64 (Sony), AIFF-C (Apple,
1991), AU (Sun), CAF (Apple), Ogg (RFC 3533), FLAC (RFC 9639), MPEG audio (ISO 11172-3, ADTS: ISO 13818-7),
ISO base media files (ISO 14496-12), Matroska (RFC 9559), ASF (Microsoft).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mirdemo.sound.decoding.limits import AudioError
from mirdemo.sound.decoding.mono import HeaderClaim
from mirdemo.sound.decoding.source import Source


@dataclass(frozen=True)
class Container:
    """A kind of sound file: the readers that know it, in the order to try them, and FFmpeg's name for it."""

    readers: tuple[str, ...]
    ffmpeg: str


_BOTH = ("soundfile", "ffmpeg")
WAV = Container(_BOTH, "wav")
W64 = Container(_BOTH, "w64")
FLAC = Container(_BOTH, "flac")
OGG = Container(_BOTH, "ogg")
AIFF = Container(_BOTH, "aiff")
AU = Container(_BOTH, "au")
CAF = Container(_BOTH, "caf")
MP3 = Container(("ffmpeg",), "mp3")
MP4 = Container(("ffmpeg",), "mov")
MATROSKA = Container(("ffmpeg",), "matroska")
AAC = Container(("ffmpeg",), "aac")
ASF = Container(("ffmpeg",), "asf")
UNKNOWN = Container((), "")

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_W64 = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
_LONGEST_OGG_PAGE = 65_307
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"v=0\r\n", b"v=0\n", b"<asx", b"<smil", b"[reference]")


def sniff(source: Source) -> Container:
    """Tell a file by its first bytes, past any ID3 tags."""
    head = source.head(64, _past_id3(source))
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    for magic, container in (
        (b"fLaC", FLAC),
        (b"OggS", OGG),
        (b".snd", AU),
        (b"dns.", AU),
        (b"caff", CAF),
        (b"\x1a\x45\xdf\xa3", MATROSKA),
        (_ASF, ASF),
        (_W64, W64),
    ):
        if head.startswith(magic):
            return container
    if head[4:8] in _MP4_BOXES:
        return MP4
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return AAC
    if _is_mpeg_audio(head) or source.head(3) == b"ID3":
        return MP3
    return UNKNOWN


def check_is_sound(source: Source, container: Container, name: str) -> None:
    """Raise ``AudioError`` if the bytes are of no known kind, with a word of its own for playlists."""
    if container is not UNKNOWN:
        return
    head = source.head(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(_PLAYLISTS):
        raise AudioError(
            "{name} is a playlist, not sound. Choose the sound files that it names.",
            code="audio.playlist",
            name=name,
        )
    raise AudioError(
        "{name} is no sound file, or its beginning is damaged. Choose an undamaged WAV, FLAC, MP3, OGG, Opus, AIFF, M4A, MP4 or WebM.",
        code="audio.unknown",
        name=name,
    )


def claim_of_header(source: Source, container: Container) -> HeaderClaim | None:
    """What the header announces, for the containers whose decoders go by the file's size instead; else None.

    A count that marks a stream of unknown length (0, or close to 2 or 4 GiB) is no claim.
    """
    if container is MP3:
        return _xing_claim(source)
    if container is FLAC:  # STREAMINFO comes first: a 36-bit count of samples a channel
        head = source.head(26, _past_id3(source))
        frames = int.from_bytes(head[21:26], "big") & 0xFFFFFFFFF if len(head) == 26 else 0
        return HeaderClaim(frames) if frames else None
    found: tuple[int, int] | None = None
    if container is WAV:
        head = source.head(36)
        found = _find_chunk(source, 12, b"data", ">4sI" if head[:4] == b"RIFX" else "<4sI", pad=2)
        if found and head[:4] == b"RF64" and head[12:16] == b"ds64" and len(head) == 36:
            found = found[0], struct.unpack_from("<Q", head, 28)[0]
    elif container is W64:
        found = _find_chunk(source, 40, _W64_DATA, "<16sQ", pad=8, counts_itself=True)
    elif container is AIFF:
        found = _find_chunk(source, 12, b"SSND", ">4sI", pad=2)
    elif container is CAF:
        found = _find_chunk(source, 8, b"data", ">4sq", pad=1)
    elif container is AU and len(head := source.head(12)) == 12:
        found = struct.unpack(">4xII" if head[:1] == b"." else "<4xII", head)
    if found is None or found[1] <= 0 or found[1] % 2**31 >= 2**31 - 2**16:
        return None
    return HeaderClaim(found[1], max(source.size - found[0], 0))


def lacks_end(source: Source, container: Container) -> bool:
    """Whether the file's last part is missing, where the kind marks its end (Ogg's end-of-stream flag)."""
    if container is not OGG:
        return False
    tail = source.head(_LONGEST_OGG_PAGE, max(source.size - _LONGEST_OGG_PAGE, 0))
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    whole = len(tail) >= page + 27 + tail[page + 26] + sum(segments)
    return not (whole and tail[page + 5] & 4)


def check_has_index(source: Source, container: Container, name: str) -> None:
    """Raise ``AudioError`` if an MP4, of which nothing could be read, ends before its index does."""
    if container is MP4 and _ends_before_index(source):
        raise AudioError(
            "{name} ends before its index was written, so no sound can be found in it. Copy it again, or export it "
            "anew.",
            code="audio.no_index",
            name=name,
        )


def _ends_before_index(source: Source) -> bool:
    """Whether the boxes of an MP4 lead to the end of the file, or past it, without a whole index (``moov``).

    Recorders write the index last, behind the sound (``mdat``), and fill in that box's size last of all.
    """
    start, announced = _past_id3(source), False
    for _ in range(1_000):
        head = source.head(16, start)
        if len(head) < 8:
            return announced
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:  # the size stands behind the name
            size = int.from_bytes(head[8:], "big")
        elif size == 0:  # to the end of the file
            size = source.size - start
        if size < 8:
            return False
        announced |= kind in (b"mdat", b"moov")
        start += size
        if kind == b"moov" and start <= source.size:
            return False
    return False


def _xing_claim(source: Source) -> HeaderClaim | None:
    """Frames (values a channel) that the Xing or Info header in an MP3's first frame counts."""
    head = source.head(192, _past_id3(source))
    tag = max(head.find(b"Xing"), head.find(b"Info"))
    if not _is_mpeg_audio(head) or tag < 0 or len(head) < tag + 12 or not head[tag + 7] & 1:
        return None
    frame_length = 1_152 if head[1] >> 3 & 3 == 3 else 576  # layer III: MPEG-1, else MPEG-2 and 2.5
    return HeaderClaim(frame_length * struct.unpack_from(">I", head, tag + 8)[0])


def _find_chunk(
    source: Source, start: int, wanted: bytes, layout: str, pad: int, counts_itself: bool = False
) -> tuple[int, int] | None:
    """Position and announced size of the first chunk called ``wanted``; at most 1,000 chunks are passed.

    counts_itself: whether sizes include the chunk's own header
    """
    length = struct.calcsize(layout)
    for _ in range(1_000):
        head = source.head(length, start)
        if len(head) < length:
            return None
        name, size = struct.unpack(layout, head)
        size -= length if counts_itself else 0
        start += length
        if name == wanted:
            return start, size
        if size < 0:
            return None
        start += size + -size % pad
    return None


def _past_id3(source: Source) -> int:
    """Where the sound starts after ID3v2 tags, which stand before MP3, AAC and some FLAC files."""
    start = 0
    for _ in range(8):
        head = source.head(10, start)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        sizes = head[6:10]
        start += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(sizes, (21, 14, 7, 0), strict=True))
    return start


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether a valid MPEG audio frame header (layers I to III) stands first."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3
