"""Tags into the files' own metadata, with a way back: only when asked, and never a byte of the sound.

Through mutagen (https://mutagen.readthedocs.io), an optional extra (``requirements-tags.txt``): the one kept library that
writes ID3 (MP3, WAV, AIFF, TTA), Vorbis comments (FLAC, Ogg, Opus), MP4, APEv2 (WavPack) and ASF. It is under GPL-2.0 or
later, mirdemo under Apache-2.0; so nothing here needs it, and whoever passes both on together does so under GPL-3.0.

A file is never changed in place. A copy beside it is, its sound is compared packet by packet with the file's, and only then
does it take the file's place. What stood there before is in the undo file first.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from mirdemo.base.files import called, expanded, whole
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.tagger.file import TaggerError

#: What tags may be written to -> its name in ID3, Vorbis comments, MP4, APEv2 and ASF, as MusicBrainz Picard maps them
#: (https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html).
FIELDS = {
    "grouping": ("TIT1", "grouping", "\xa9grp", "Grouping", "WM/ContentGroupDescription"),
    "genre": ("TCON", "genre", "\xa9gen", "Genre", "WM/Genre"),
}
#: How each line of an undo file begins.
_BEGINNING = b'{"file": '


@dataclass(frozen=True)
class Change:
    """One file's tags, changed.

    file: its absolute path; field: a key of ``FIELDS``
    before, after: the field's values; tagged: whether the file had metadata of its own at all
    """

    file: str
    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    tagged: bool


class UndoFile:
    """What was changed, a JSON line a file, each on the disk before its file is touched. A context manager."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = expanded(path)
        self._out: BinaryIO | None = None

    def __enter__(self) -> UndoFile:
        load_mutagen()
        try:
            if self.path.exists():
                self.changes()
            self._out = self.path.open("ab")
            # What a full disk left of a line would spoil the next one, and with it the file.
            self._out.truncate(self.path.read_bytes().rfind(b"\n") + 1)
        except OSError as error:
            raise TaggerError(
                "{name} cannot be written ({reason}). Choose another place.",
                code="tagger.csv_cannot_write",
                name=called(self.path),
                reason=error.strerror or type(error).__name__,
            ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()

    def note(self, change: Change) -> None:
        """Raises OSError."""
        assert self._out is not None
        self._out.write(json.dumps(asdict(change), ensure_ascii=True).encode("ascii") + b"\n")
        self._out.flush()
        os.fsync(self._out.fileno())

    def changes(self) -> list[Change]:
        """In the order in which they were made; a torn last line was never carried out. Raises TaggerError."""
        try:
            *lines, torn = self.path.read_bytes().split(b"\n")
            if not torn.startswith(_BEGINNING[: len(torn)]):
                raise ValueError("a file of another kind")
            found = [json.loads(line) for line in lines]
            return [
                Change(
                    str(one["file"]),
                    one["field"] if one["field"] in FIELDS else FIELDS[one["field"]][0],
                    tuple(map(str, one["before"])),
                    tuple(map(str, one["after"])),
                    bool(one["tagged"]),
                )
                for one in found
            ]
        except (OSError, ValueError, KeyError, TypeError):
            raise TaggerError(
                "{name} is no undo file that can be read. Choose the file that --undo was given.",
                code="tagger.no_undo",
                name=called(self.path),
            ) from None


def load_mutagen() -> Any:
    """Raises TaggerError with the way to install it where it is missing."""
    try:
        import mutagen
    except ImportError as error:
        raise TaggerError(
            "Writing into files needs mutagen, which is not installed here. Install it with "
            "`pip install -r requirements-tags.txt`, or leave --write-tags out.",
            code="tagger.no_mutagen",
        ) from error
    return mutagen


def write_tags(
    path: str | os.PathLike[str], tags: Sequence[str], undo: UndoFile, field: str = "grouping"
) -> bool:
    """Add tags to a field of a file's own metadata; what stands there stays.

    Returns whether anything had to be changed. Raises TaggerError for a kind of file that takes no tags, and where its
    sound would not stay the same.
    """
    place = Path(path).resolve()
    file = _opened(place)
    before = _values(file, field)
    after = before + tuple(tag for tag in dict.fromkeys(tags) if tag not in before)
    if after == before:
        return False
    _replace(
        place,
        type(file),
        lambda copy: _set(copy, field, after),
        lambda copy: set(after) <= set(_values(copy, field)),
        first=lambda: undo.note(Change(str(place), field, before, after, _has_tags(file))),
    )
    return True


def take_back(undo: UndoFile, tell: Callable[[Sentence], None]) -> tuple[int, int]:
    """Put every field that a file of changes names back to what it was before the first of them.

    tell: told of each file that was left alone, and why
    Returns how many were put back and how many were left alone. Raises TaggerError for no undo file.
    """
    load_mutagen()
    changes: dict[tuple[str, str], list[Change]] = {}
    tagged: dict[str, bool] = {}
    for change in undo.changes():
        changes.setdefault((change.file, change.field), []).append(change)
        tagged.setdefault(change.file, change.tagged)
    back = left = 0
    for of_one in changes.values():
        # A field that was written after another one found the metadata that this one had made.
        first = replace(of_one[0], tagged=tagged[of_one[0].file])
        place = Path(first.file)
        try:
            file = _opened(place)
            now = _values(file, first.field)
            if now == first.before:  # never carried out, or put back before
                continue
            if now not in [change.after for change in of_one]:
                raise TaggerError(
                    "{name} has been changed since; its {field} was left alone.",
                    code="tagger.changed_since",
                    name=called(place),
                    field=first.field,
                )
            _replace(place, type(file), partial(_restore, change=first), lambda _: True)
            back += 1
        except MirdemoError as refusal:
            tell(refusal.sentence)
            left += 1
    return back, left


def sound_digest(path: Path) -> str:
    """SHA-256 over the packets of a file's sound, and of a film's pictures, as they lie in it, with their times.

    Raises TaggerError.
    """
    import av

    digest = hashlib.sha256()
    try:
        with path.open("rb") as content, av.open(content, "r", metadata_errors="replace") as container:
            if not container.streams.audio:
                raise ValueError("no sound")
            streams = [*container.streams.audio, *container.streams.video]
            for packet in container.demux(streams):
                digest.update(f"{packet.stream.index} {packet.pts} {packet.size};".encode())
                digest.update(bytes(packet))
    except (OSError, ValueError, av.FFmpegError) as error:
        raise TaggerError(
            "The sound of {name} could not be compared before and after, so nothing was written to it.",
            code="tagger.cannot_compare",
            name=called(path),
        ) from error
    return digest.hexdigest()


def _opened(place: Path) -> Any:
    mutagen = load_mutagen()
    if not place.exists():
        raise TaggerError(
            "{name} is not there (any more). Nothing was written to it.",
            code="tagger.file_gone",
            name=called(place),
        )
    try:
        file = mutagen.File(place)
    except Exception as error:  # as in ``_replace``
        raise _takes_none(place) from error
    if file is None or _kind(file) is None:
        raise _takes_none(place)
    return file


def _kind(file: Any) -> int | None:
    """The column of ``FIELDS`` that a file's metadata is of; None for kinds that take no text of ours."""
    from mutagen import aiff, apev2, asf, flac, mp3, mp4, ogg, trueaudio, wave

    kinds = (
        ((mp3.MP3, wave.WAVE, aiff.AIFF, trueaudio.TrueAudio), 0),
        ((flac.FLAC, ogg.OggFileType), 1),
        (mp4.MP4, 2),
        (apev2.APEv2File, 3),
        (asf.ASF, 4),
    )
    return next((column for kind, column in kinds if isinstance(file, kind)), None)


def _values(file: Any, field: str) -> tuple[str, ...]:
    column = _kind(file)
    assert column is not None
    key = FIELDS[field][column]
    if file.tags is None:
        return ()
    if column == 0:
        return tuple(str(text) for frame in file.tags.getall(key) for text in frame.text)
    found = file.tags.get(key, ())
    return tuple(str(value) for value in found)


def _set(file: Any, field: str, values: Sequence[str]) -> None:
    column = _kind(file)
    assert column is not None
    key = FIELDS[field][column]
    if file.tags is None:
        file.add_tags()
    if column == 0:
        from mutagen import id3

        file.tags.delall(key)
        if values:
            file.tags.add(getattr(id3, key)(encoding=id3.Encoding.UTF8, text=list(values)))
        _save_id3(file)
        return
    if values:
        file.tags[key] = list(values)
    elif key in file.tags:
        del file.tags[key]
    file.save()


def _save_id3(file: Any) -> None:
    """In the version that the file has: programs that know only 2.3 go on reading it. What stands at its end stays."""
    old, end = getattr(file.tags, "version", (2, 4, 0))[:2] == (2, 3), _id3v1(file)
    if old:
        file.tags.update_to_v23()
    file.save(v2_version=3 if old else 4, v23_sep=None)
    _put_id3v1(file, end)


#: The older tag of MP3 files: the last bytes, in whatever encoding its writer's machine had.
_ID3V1 = 128


def _id3v1(file: Any) -> bytes:
    """The tag at a file's end; empty where there is none."""
    from mutagen import mp3, trueaudio

    place = Path(file.filename)
    if not isinstance(file, mp3.MP3 | trueaudio.TrueAudio):
        return b""
    with place.open("rb") as content:
        content.seek(max(0, content.seek(0, os.SEEK_END) - _ID3V1))
        end = content.read()
    return end if len(end) == _ID3V1 and end.startswith(b"TAG") else b""


def _put_id3v1(file: Any, end: bytes) -> None:
    """Back to what it was: mutagen writes it anew, in another encoding and without its comment."""
    if end:
        with Path(file.filename).open("r+b") as out:
            out.seek(-_ID3V1, os.SEEK_END)
            out.write(end)


def _has_tags(file: Any) -> bool:
    """Whether a file has metadata of the kind that is written; of MP3 files, not only the older tag at the end."""
    return file.tags is not None and getattr(file.tags, "version", (2,))[0] > 1


def _restore(file: Any, change: Change) -> None:
    _set(file, change.field, change.before)
    if change.tagged:
        return
    end = _id3v1(file)
    if end:
        from mutagen.id3 import ID3

        if _texts(file.tags) == _texts(ID3(io.BytesIO(end))):  # made of the older tag, which stays
            file.tags.delete(file.filename, delete_v1=False)
    elif not len(file.tags):
        file.delete()


def _texts(tags: Any) -> dict[str, str]:
    return {key: str(frame) for key, frame in tags.items()}


def _replace(
    place: Path,
    kind: type,
    change: Callable[[Any], None],
    took: Callable[[Any], bool],
    first: Callable[[], None] = lambda: None,
) -> None:
    """Change a copy, compare the sound, and let the copy take the file's place.

    took: whether the copy, read again, has what was written; first: called before it takes the place
    """
    mutagen = load_mutagen()
    try:
        if not os.access(place, os.W_OK):  # a copy could take its place all the same
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with whole(place, durable=True) as copy:
            shutil.copyfile(place, copy)
            try:
                change(kind(copy))
                if not took(kind(copy)):  # behind bytes that no reader gets past
                    raise _takes_none(place)
            except (OSError, mutagen.MutagenError, TaggerError):
                raise
            except (
                Exception
            ) as error:  # mutagen 1.48.1 lets struct.error through (findings/tags_into_streamed_wav.sh)
                raise _takes_none(place) from error
            if sound_digest(copy) != sound_digest(place):
                raise TaggerError(
                    "Tags could not be written to {name} without changing its sound, so nothing was.",
                    code="tagger.sound_would_change",
                    name=called(place),
                )
            shutil.copymode(place, copy)
            first()
    except (OSError, mutagen.MutagenError, ValueError) as error:
        raise TaggerError(
            "{name} cannot be written ({reason}). Choose another place.",
            code="tagger.csv_cannot_write",
            name=called(place),
            reason=getattr(error, "strerror", None) or type(error).__name__,
        ) from error


def _takes_none(place: Path) -> TaggerError:
    return TaggerError(
        "{name} is of a kind that holds no tags that we write, or its tags are damaged. Nothing was written to it.",
        code="tagger.takes_no_tags",
        name=called(place),
    )
