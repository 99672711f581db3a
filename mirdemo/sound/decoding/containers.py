"""Which kind of sound file some bytes are, and where it begins behind tags and other bytes that stand in front.

Magic numbers: RIFF/WAVE (Microsoft, 1991; RF64: EBU Tech 3306; BW64: ITU-R BS.2088), Wave64 (Sony), AIFF-C (Apple,
1991), AU (Sun), CAF (Apple), Ogg (RFC 3533), FLAC (RFC 9639), ISO base media files (ISO 14496-12), Matroska
(RFC 9559), ASF (Microsoft), MPEG transport and program streams (ISO 13818-1), AMR (RFC 4867), WavPack, True Audio,
ID3v2 (id3.org), APEv2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mirdemo.sound.decoding import mpeg
from mirdemo.sound.decoding.limits import AudioError
from mirdemo.sound.decoding.source import Source


@dataclass(frozen=True)
class Container:
    """A kind of sound file: the readers that know it, in the order to try them, and FFmpeg's name for it.

    tracks: whether it may hold several sound tracks
    """

    readers: tuple[str, ...]
    ffmpeg: str
    tracks: bool = False


_BOTH = ("soundfile", "ffmpeg")
_FFMPEG = ("ffmpeg",)
WAV = Container(_BOTH, "wav")
W64 = Container(_BOTH, "w64")
FLAC = Container(_BOTH, "flac")
OGG = Container(_BOTH, "ogg")
AIFF = Container(_BOTH, "aiff")
AU = Container(_BOTH, "au")
CAF = Container(_BOTH, "caf")
MP3 = Container(_FFMPEG, "mp3")
MP4 = Container(_FFMPEG, "mov", tracks=True)
MATROSKA = Container(_FFMPEG, "matroska", tracks=True)
AAC = Container(_FFMPEG, "aac")
ASF = Container(_FFMPEG, "asf", tracks=True)
AVI = Container(_FFMPEG, "avi", tracks=True)
TRANSPORT = Container(_FFMPEG, "mpegts", tracks=True)
PROGRAM = Container(_FFMPEG, "mpeg", tracks=True)
FLV = Container(_FFMPEG, "flv", tracks=True)
AC3 = Container(_FFMPEG, "ac3")
AMR = Container(_FFMPEG, "amr")
WAVPACK = Container(_FFMPEG, "wv")
TTA = Container(_FFMPEG, "tta")
UNKNOWN = Container((), "")

#: Containers whose frames carry a clock of their own: a gap in it is silence that was recorded.
CLOCKED = (MP4, MATROSKA, TRANSPORT, PROGRAM, ASF, FLV)

W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_W64 = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_MAGIC = (
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b".snd", AU),
    (b"dns.", AU),
    (b"caff", CAF),
    (b"\x1a\x45\xdf\xa3", MATROSKA),
    (_ASF, ASF),
    (_W64, W64),
    (b"#!AMR", AMR),
    (b"wvpk", WAVPACK),
    (b"TTA1", TTA),
    (b"\x00\x00\x01\xba", PROGRAM),
    (b"FLV\x01", FLV),
    (b"\x0b\x77", AC3),
)
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"v=0\r\n", b"v=0\n", b"<asx", b"<smil", b"[reference]")
#: Kinds that hold sound and are not read, or no sound at all: (offset, first bytes, name for people).
_NOT_READ = (
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b"tBaK", "TAK"),
    (0, b"ajkg", "Shorten"),
    (0, b"OFR ", "OptimFROG"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"MThd", "MIDI"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"\x1f\x8b", "gzip"),
    (257, b"ustar", "tar"),
    (0, b"%PDF-", "PDF"),
    (0, b"\x89PNG", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
)
_ZEROS_FROM = 64  # fewer zeros may be a header's
_MOST_ZEROS = 1 << 20


def sniff(source: Source) -> tuple[Container, int]:
    """A file's kind, and the byte at which it begins behind tags, zeros and parts of frames."""
    start = past_tags(source)
    found = _kind(source, start)
    if found is UNKNOWN and (nonzero := _past_zeros(source, start)) > start:
        start = past_tags(source, nonzero)
        found = _kind(source, start)
    if found is UNKNOWN and not _known_otherwise(source, start):
        late = mpeg.first_frame(source, start)
        if late is not None:
            head = source.head(6, late)
            return (AAC if mpeg.is_adts(head) else MP3), late
        if source.head(3) == b"ID3" and start < source.size:
            return MP3, start
    return found, start


def _kind(source: Source, start: int) -> Container:
    head = source.head(64, start)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if head[4:8] in _MP4_BOXES:
        return MP4
    if mpeg.is_adts(head):
        return AAC
    if mpeg.is_frame(head) and not head.startswith(b"\xff\xd8\xff"):
        return MP3
    return TRANSPORT if _is_transport(source, start) else UNKNOWN


def _is_transport(source: Source, start: int) -> bool:
    """Packets of 188 bytes (MPEG-TS), or of 192 with a clock in front (camcorders' MTS), five in a row."""
    head = source.head(192 * 5, start)
    return any(
        len(head) >= length * 5 and all(head[first + length * i] == 0x47 for i in range(5))
        for length, first in ((188, 0), (192, 4))
    )


def _known_otherwise(source: Source, start: int) -> str | None:
    """The name of a kind that is not read."""
    head = source.head(300, start)
    return next((name for at, magic, name in _NOT_READ if head[at:].startswith(magic)), None)


def check_is_sound(source: Source, container: Container, name: str) -> None:
    """Raise ``AudioError`` if the bytes are of no known kind, with a word of its own for playlists and other kinds."""
    if container is not UNKNOWN:
        return
    head = source.head(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(_PLAYLISTS):
        raise AudioError(
            "{name} is a playlist, not sound. Choose the sound files that it names.",
            code="audio.playlist",
            name=name,
        )
    kind = _known_otherwise(source, past_tags(source))
    if kind is not None:
        raise AudioError(
            "{name} is of a kind that we do not read ({kind}). Export it as WAV, FLAC or MP3.",
            code="audio.kind",
            name=name,
            kind=kind,
        )
    raise AudioError(
        "{name} is no sound file that we know, or its beginning is damaged. Choose a WAV, FLAC, MP3, OGG, Opus, AIFF, M4A, MP4 or WebM, "
        "or export it as one.",
        code="audio.unknown",
        name=name,
    )


def past_tags(source: Source, start: int = 0) -> int:
    """Where the sound starts after ID3v2 and APEv2 tags, which programs put in front of files of any kind."""
    for _ in range(8):
        head = source.head(32, start)
        if len(head) >= 10 and head[:3] == b"ID3":
            sizes = head[6:10]
            size = sum((byte & 0x7F) << shift for byte, shift in zip(sizes, (21, 14, 7, 0), strict=True))
            start += 10 + size + 10 * bool(head[5] & 0x10)
        elif len(head) == 32 and head[:8] == b"APETAGEX":
            start += 32 + struct.unpack_from("<I", head, 12)[0]
        else:
            break
    return start


def _past_zeros(source: Source, start: int) -> int:
    block = source.head(_MOST_ZEROS, start)
    zeros = len(block) - len(block.lstrip(b"\0"))
    return start + zeros if zeros >= _ZEROS_FROM else start
