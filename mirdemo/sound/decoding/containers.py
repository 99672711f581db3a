"""Which kind of sound file some bytes are, and where it begins behind tags and other bytes that stand in front.

Magic numbers: RIFF/WAVE (Microsoft, 1991; RF64: EBU Tech 3306; BW64: ITU-R BS.2088), Wave64 (Sony), AIFF-C (Apple,
1991), AU (Sun), CAF (Apple), Ogg (RFC 3533), FLAC (RFC 9639), ISO base media files (ISO 14496-12), Matroska
(RFC 9559), ASF (Microsoft), DV (IEC 61834), MPEG transport and program streams (ISO 13818-1), AMR (RFC 4867), WavPack, True Audio,
ID3v2 (id3.org), APEv2.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from mirdemo.sound.decoding import dolby, mpeg
from mirdemo.sound.decoding.archives import archive_of
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
DV = Container(_FFMPEG, "dv", tracks=True)
AC3 = Container(_FFMPEG, "ac3")
LATM = Container(_FFMPEG, "loas")
AMR = Container(_FFMPEG, "amr")
WAVPACK = Container(_FFMPEG, "wv")
TTA = Container(_FFMPEG, "tta")
UNKNOWN = Container((), "")

#: Containers whose frames carry a clock of their own: a gap in it is silence that was recorded.
CLOCKED = (MP4, MATROSKA, TRANSPORT, PROGRAM, ASF, FLV, OGG, FLAC, WAVPACK, TTA)

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
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "MXF"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"\xfe\x7f\x01\x80", "DTS"),
    (0, b"\x1f\xff\xe8\x00", "DTS"),
    (0, b"\xff\x1f\x00\xe8", "DTS"),
    (0, b"DTSHDHDR", "DTS-HD"),
    (4, b"\xf8\x72\x6f\xba", "TrueHD"),
    (4, b"\xf8\x72\x6f\xbb", "MLP"),
    (0, b"\x72\xf8\x1f\x4e", "S/PDIF"),
    (4, b"\x57\x90\x75\x36", "Audible"),
    (0, b"ea3\x03", "ATRAC"),
    (0, b"EA3\x01", "ATRAC"),
    (0, b"qoaf", "QOA"),
    (0, b"TWIN9", "TwinVQ"),
    (0, b"Creative Voice File", "VOC"),
    (0, b"NIST_1A", "NIST SPHERE"),
    (0, b"\x64\xa3", "IRCAM"),
    (1, b"\xa3\x64", "IRCAM"),
    (0, b"\x00\x00\xa3\x64", "IRCAM"),
    (0, b" paf", "PAF"),
    (0, b"fap ", "PAF"),
    (0, b"2BIT", "AVR"),
    (0, b"PVF1", "PVF"),
    (0, b".SoX", "SoX"),
    (0, b"XoS.", "SoX"),
    (0, b"MATLAB 5.0", "MATLAB"),
    (0, b"Extended Instrument", "XI"),
    (0, b"ALawSoundFile", "Psion WVE"),
    (0, b"MMMD", "MMF"),
    (0, b"STRM", "AST"),
    (0, b"nut/multimedia container", "NUT"),
    (0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11", "WTV"),
    (0, b"FWS", "Flash"),
    (0, b"CWS", "Flash"),
    (0, b"\xc0\xde\xc2", "Codec 2"),
    (0, b"Extended Module: ", "XM"),
    (0, b"IMPM", "IT"),
    (44, b"SCRM", "S3M"),
    (1080, b"M.K.", "MOD"),
    (0, b"SQLite format 3", "SQLite"),
    (0, b"\xd0\xcf\x11\xe0", "Office"),
    (0, b"GIF8", "GIF"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
    (0, b"%PDF-", "PDF"),
    (0, b"\x89PNG", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
)
#: What begins every FLAC file: its mark and the header of STREAMINFO (34 bytes; the top bit: no block follows).
FLAC_HEADER = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
FLAC_HEADER_BYTES = 8
#: What tags begin with that programs put before, between and behind files of any kind.
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")
_ZEROS_FROM = 64  # fewer zeros may be a header's
_MOST_ZEROS = 1 << 26
_PACKETS = 12  # in a row, where the file is so long
_MOST_LATE = 1 << 16  # bytes of a packet or of anything else before the first one that is whole
_FIRST_PAGE = re.compile(rb"OggS\x00\x02.{20}", re.DOTALL)
#: Whole packets as ``_is_transport`` has them, looked for in a fifth of its time: any file of a folder may be looked into.
_FIVE_PACKETS = re.compile(
    rb"G(?:(?=(?:.{187}G){4}.{187})|(?<=.{5})(?P<clock>(?=(?:.{191}G){4}.{187})))", re.DOTALL
)


def sniff(source: Source) -> tuple[Container, int]:
    """A file's kind, and the byte at which it begins behind tags, zeros and parts of frames."""
    start = past_tags(source)
    found = _kind(source, start)
    if found is UNKNOWN and (nonzero := _past_zeros(source, start)) > start:
        start = past_tags(source, nonzero)
        found = _kind(source, start)
        for zeros in (2, 3):  # some kinds begin with so many themselves
            if found is UNKNOWN and (found := _kind(source, nonzero - zeros)) is not UNKNOWN:
                start = nonzero - zeros
    if found is UNKNOWN and not _known_otherwise(source, start) and archive_of(source) is None:
        block = source.head(_MOST_LATE + _PACKETS * 192, start)
        late_kinds = (
            *((OGG, _late_ogg), (FLAC, _late_flac)),
            *((TRANSPORT, _late_packets), (PROGRAM, _late_pack), (AC3, dolby.first_frame)),
        )
        for kind, find in late_kinds:
            at = find(block)
            if at is not None:
                return kind, start + at
        late = mpeg.first_frame(source, start)
        if late is not None:
            head = source.head(6, late)
            return (AAC if mpeg.is_adts(head) else MP3), late
        if source.head(3) == b"ID3" and start < source.size:
            return MP3, start
    return found, start


def beginning(source: Source, start: int, container: Container) -> int | None:
    """Where a file of this kind begins, here or behind tags; None if none does."""
    place = past_tags(source, start)
    return place if _kind(source, place) is container else None


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
    if _is_dv(source, start):
        return DV
    if mpeg.is_adts(head):
        return AAC
    if mpeg.is_frame(head) and not head.startswith(b"\xff\xd8\xff"):
        if head[1] < 0xFE or mpeg.begins_row(
            source.head(4_096, start)
        ):  # UTF-16 begins as a frame of layer I does
            return MP3
        return UNKNOWN
    if _is_latm(source, start):
        return LATM
    return TRANSPORT if _is_transport(source.head(192 * 5, start)) else UNKNOWN


def _is_dv(source: Source, start: int) -> bool:
    """Blocks of digital video (IEC 61834): a sequence's header, two of subcode, three of auxiliary data, each of 80 bytes."""
    head = source.head(4 * 80, start)
    kinds = [head[at] >> 5 for at in range(0, len(head), 80)]
    return head[:2] == b"\x1f\x07" and kinds == [0, 1, 1, 2]


def _is_transport(block: bytes) -> bool:
    """Packets of 188 bytes (MPEG-TS), or of 192 with a clock in front (camcorders' MTS), five in a row."""
    return any(
        len(block) >= length * 5 and all(block[first + length * i] == 0x47 for i in range(5))
        for length, first in ((188, 0), (192, 4))
    )


def _late_ogg(block: bytes) -> int | None:
    """Where the first page of a stream begins, which another page follows."""
    for found in _FIRST_PAGE.finditer(block, 0, _MOST_LATE):
        at = found.start()
        end = at + 27 + block[at + 26] + sum(block[at + 27 : at + 27 + block[at + 26]])
        if block[end : end + 5] == b"OggS\0":
            return at
    return None


def _late_flac(block: bytes) -> int | None:
    """Where the mark is that the header of STREAMINFO follows."""
    found = FLAC_HEADER.search(block, 0, _MOST_LATE)
    return found.start() if found else None


def _late_packets(block: bytes) -> int | None:
    """Where the first of five transport packets in a row begins."""
    for found in _FIVE_PACKETS.finditer(block, 0, _MOST_LATE + 5 * 192):
        if found.start() >= _MOST_LATE:
            return None
        length = 188 if found["clock"] is None else 192
        if all(
            _may_be_packet(block[at : at + 4])
            for at in range(found.start(), len(block) - 4, length)[:_PACKETS]
        ):
            return found.start() - (length - 188)
    return None


def _may_be_packet(head: bytes) -> bool:
    """Whether a header of a transport packet is possible: its mark, no reserved scrambling, and something in it."""
    return head[0] == 0x47 and head[3] >> 6 != 1 and head[3] >> 4 & 3 != 0


def _late_pack(block: bytes) -> int | None:
    """Where the first pack of a program stream begins."""
    at = block.find(b"\x00\x00\x01\xba")
    while 0 <= at < _MOST_LATE and at + 5 <= len(block):
        if block[at + 4] >> 6 == 1 or block[at + 4] >> 4 == 2:
            return at
        at = block.find(b"\x00\x00\x01\xba", at + 1)
    return None


def _is_latm(source: Source, start: int) -> bool:
    """Frames of AAC as radio carries them (LOAS, ISO 14496-3), three in a row."""
    head = source.head(3 * 8_195, start)
    at = 0
    for _ in range(3):
        if at + 3 > len(head) or head[at] != 0x56 or head[at + 1] & 0xE0 != 0xE0:
            return False
        at += 3 + ((head[at + 1] & 0x1F) << 8 | head[at + 2])
    return True


def _known_otherwise(source: Source, start: int) -> str | None:
    """The name of a kind that is not read."""
    head = source.head(1_100, start)
    if head[:4] == b"FORM" and head[8:12] == b"8SVX":
        return "8SVX"
    if head[:2] == b"\x80\x00" and head[2 + int.from_bytes(head[2:4], "big") - 4 :].startswith(b"(c)CRI"):
        return "ADX"
    if head.lstrip()[:1] == b"<" and re.search(rb"<!doctype html|<html", head[:300], re.IGNORECASE):
        return "HTML"
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
    kind = archive_of(source)
    if kind is not None:
        raise AudioError(
            "{name} is an archive ({kind}), not sound. Unpack it and choose the sound files in it.",
            code="audio.archive",
            name=name,
            kind=kind,
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
            is_header = struct.unpack_from("<I", head, 20)[0] & 0x20000000
            start += 32 + (struct.unpack_from("<I", head, 12)[0] if is_header else 0)
        else:
            break
    return start


def _past_zeros(source: Source, start: int) -> int:
    """Where what follows zeros begins; ``start`` where there are only few, as a header may have."""
    at, most = start, min(start + _MOST_ZEROS, source.size)
    while at < most:
        block = source.head(1 << 20, at)
        zeros = len(block) - len(block.lstrip(b"\0"))
        at += zeros
        if zeros < len(block) or not block:
            break
    return at if at - start >= _ZEROS_FROM else start
