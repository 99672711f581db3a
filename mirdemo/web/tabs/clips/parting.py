"""A drop parted: what is longer than a clip may be is opened as a waveform each, the rest is read as ever, and what sheets and
folders say is said of both."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.clips import ClipsError
from mirdemo.clips.archives import Entry, list_zip
from mirdemo.clips.finding import folder_tags, paths_with
from mirdemo.clips.gathering import not_sound
from mirdemo.clips.label_files import Labels, labels_among, may_label
from mirdemo.clips.visit import is_visit
from mirdemo.sound.audio import display_name
from mirdemo.sound.decoding.limits import LIMITS as SOUND
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.sound.files import lies_beside
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.spools import SPOOLS, no_room, own_folder
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.tabs.clips.long import Growth, Parted, enough_long

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

#: What is shorter than this (seconds) and does not fit into the visit is left out, not opened as a waveform.
WORTH_OPENING = 60.0
#: A file of no more bytes is a clip, whatever its header does not say: at 20 kbit/s it lasts half an hour.
SURELY_SHORT = 4 * 2**20
#: Bytes a second that sound has at least: fewer are no recording of that length.
FEWEST_BYTES = 100
#: Bytes in which most files say how long they are.
LOOKED_AT = 2**18
#: Why a recording of a zip was not opened that nobody else need be asked about.
_NOT_OPENED = frozenset({"page.enough_long", "page.no_room_for_long", "audio.no_disk"})


def part_long(
    uploads: Sequence[Upload],
    room_seconds: float,
    places: int,
    progress: Progress,
    growth: Growth | None = None,
) -> Parted:
    """Open what is longer than a clip may be, or than the visit has room for; nothing of it stays in the upload folder.

    room_seconds: what the visit has room for; places: how many more may be opened; growth: shows them meanwhile
    Raises AudioError or PageError where a recording cannot be opened and nothing else was sent.
    """
    tree = _Tree([_entry_of(one) for one in uploads])
    found: list[LongRecording] = []
    rest: list[Upload] = []
    sheets: list[tuple[str, bytes]] = []
    problems: list[Sentence] = []
    for upload in uploads:
        try:
            if may_label(upload.name):  # a workbook is a zip too
                rest.append(upload)
                continue
            left = places - len(found)
            if is_zip(upload):
                within = open_within(upload, room_seconds, left, progress, growth)
                found += within.long
                sheets += within.sheets
                problems += within.problems
                rest += within.rest
                continue
            opened = _opened(
                upload, room_seconds, left <= 0, progress, growth, partial(tree.tags, upload.name)
            )
        except Cancelled:
            for one in rest:  # a zip's that was packed anew is nobody else's
                one.delete()
            raise
        except MirdemoError as error:
            if len(uploads) == 1:
                raise
            problems.append(error.sentence)
            continue
        if opened is None:
            rest.append(upload)
        else:
            found.append(opened)
    if not found:
        return Parted((), (), tuple(rest), tuple(problems))
    labels = [one for one in rest if tree.labels(one.name)]
    sheets += [(PurePosixPath(one.name).name, one.read()) for one in labels]
    rest = [one for one in rest if one not in labels]
    beside = tree.without_sound([one.name for one in rest])
    if beside is not None:
        problems += beside
        rest = []
    places_of = tree.places([one.name for one in rest])
    return Parted(
        tuple(found),
        tuple(sheets),
        tuple(replace(one, name=places_of[one.name]) if "/" in one.name else one for one in rest),
        tuple(problems),
    )


class _Tree:
    """The folders of a drop or a zip, and the files in it that hold labels: what its long recordings and the rest are to know
    of them when they are parted. Sheets are read when something long asks for what they say: else whoever reads the rest does."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        paths = [one.path for one in entries]
        self._tags = dict(zip(paths, folder_tags(paths), strict=True))

    @cached_property
    def _said(self) -> Labels:
        tables = [one for one in self._entries if may_label(one.path.name)]
        others = [one for one in self._entries if one not in tables]
        return labels_among(tables, others, CLIP_LIMITS)

    @cached_property
    def _labels(self) -> set[PurePosixPath]:
        return {one.path for one in self._said.used} if self._said.rows else set()

    def tags(self, name: str | PurePosixPath) -> tuple[str, ...]:
        """What its folders say of a file: nothing where a sheet does, or an annotation file that is called as it is."""
        path = PurePosixPath(name)
        if self._labels and (self._said.naming or path in self._said.about):
            return ()
        return self._tags.get(path, ())

    def labels(self, name: str | PurePosixPath) -> bool:
        """Whether it is a sheet or an annotation file."""
        return PurePosixPath(name) in self._labels

    def without_sound(self, names: Sequence[str | PurePosixPath]) -> list[Sentence] | None:
        """What is to be said where nothing of what is left can be sound; None where it can."""
        paths = [PurePosixPath(name) for name in names]
        if not all(lies_beside(path.name) and path.suffix.lower() != ".zip" for path in paths):
            return None
        strange = [display_name(path.name) for path in paths if not may_label(path.name)]
        # who reads those that label says what is wrong with them
        unusable = [] if self._said.rows else self._said.unusable
        return [*unusable, *([not_sound(strange)] if strange else [])]

    def places(self, names: Sequence[str | PurePosixPath]) -> dict[str, str]:
        """Where files that are left lie in a tree of which a reader says the same."""
        paths = paths_with([self.tags(name) for name in names], [PurePosixPath(name).name for name in names])
        return {str(name): str(path) for name, path in zip(names, paths, strict=True)}


def longest_clip(room_seconds: float) -> float:
    """Seconds: what is longer is opened as a waveform."""
    return max(min(CLIP_LIMITS.max_seconds, room_seconds), WORTH_OPENING)


def is_zip(upload: Upload) -> bool:
    """Whether it begins as a zip does. Raises PageError where it is gone."""
    with upload.path_within(LONG_LIMITS.max_bytes).open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def open_within(
    upload: Upload, room_seconds: float, places: int, progress: Progress, growth: Growth | None
) -> Parted:
    """The same of a zip: what is long in it is opened, and the rest stays a zip, without these and, where sheets say the tags,
    without them, which may be about both, and without folders, which are tags only where no sheet says them. A zip with
    nothing long is left as it is."""
    path = upload.path
    if is_visit(path):
        return Parted((), (), (upload,), ())
    most = longest_clip(room_seconds)
    found: list[LongRecording] = []
    problems: list[Sentence] = []
    kept: list[Entry] = []
    try:
        with list_zip(path, upload.name, SOUND.max_bytes, CLIP_LIMITS) as listing:
            tree = _Tree(listing.entries)
            for done, entry in enumerate(listing.entries):
                progress(done, len(listing.entries), "reading")
                # A recording of so few bytes is no long one, whatever its header says.
                if may_label(entry.path.name) or entry.size < FEWEST_BYTES * most:
                    kept.append(entry)
                    continue
                try:
                    if _is_surely_short(entry, most):
                        kept.append(entry)
                        continue
                    if not SPOOLS.disk_has(own_folder(), entry.size):
                        _refuse_long(entry, most)
                        kept.append(entry)
                        continue
                    with _saved(entry) as inner:
                        opened = _opened(
                            inner,
                            room_seconds,
                            len(found) >= places,
                            progress,
                            growth,
                            partial(tree.tags, entry.path),
                        )
                except Cancelled:
                    raise
                except MirdemoError as error:
                    if error.sentence.code in _NOT_OPENED:
                        problems.append(error.sentence)
                    else:  # whoever reads the zip says so
                        kept.append(entry)
                    continue
                if opened is None:
                    kept.append(entry)
                else:
                    found.append(opened)
            if len(kept) == len(listing.entries):
                return Parted((), (), (upload,), ())
            if not found and not SPOOLS.disk_has(
                own_folder(), path.stat().st_size
            ):  # nor can it be packed anew
                return Parted((), (), (upload,), tuple(problems))
            problems += listing.problems
            tables = [one for one in kept if tree.labels(one.path)]
            read = [(one.path.name, _bytes(one, problems)) for one in tables]
            sheets = tuple((name, content) for name, content in read if content is not None)
            others = [one for one in kept if one not in tables]
            beside = tree.without_sound([one.path for one in others])
            if beside is not None:
                problems += beside
                others = []
            rest = _packed(others, tree, upload.name, problems, progress)
    except ClipsError:  # whoever reads the zip says so
        return Parted((), (), (upload,), ())
    upload.delete()
    return Parted(tuple(found), sheets, rest, tuple(problems))


def _is_surely_short(entry: Entry, most: float) -> bool:
    """Whether the first bytes of a zip's entry say that it is no longer than a clip may be: then it is unpacked once, not twice.
    Raises ClipsError where it is damaged."""
    from mirdemo.sound.decoding import Source, announced_seconds
    from mirdemo.sound.decoding.source import Beginning

    if entry.head is None or entry.size > LIMITS.upload_bytes:
        return False
    beginning = Beginning(entry.head(LOOKED_AT), entry.size)
    seconds = announced_seconds(Source(beginning, entry.size))
    return seconds is not None and seconds <= most and not beginning.asked


def _refuse_long(entry: Entry, most: float) -> None:
    """Raises PageError where an entry of a zip, which the disk has no room for, could only be opened as a long recording."""
    from mirdemo.sound.decoding import Source, announced_seconds

    if entry.size <= SOUND.max_bytes:
        content = entry.open()
        with Source.of(content) as source:
            seconds = announced_seconds(source)
        if seconds is None or seconds <= most:
            return
    raise no_room(display_name(entry.path.name))


def _entry_of(upload: Upload) -> Entry:
    """An upload as it stands in its folder, read without being deleted."""

    def opened() -> Path:
        try:
            return upload.path
        except PageError as error:
            raise OSError from error

    try:
        size = upload.path_to_write.stat().st_size
    except OSError:
        size = 0
    return Entry(PurePosixPath(upload.name), size, opened)


@contextmanager
def _saved(entry: Entry) -> Iterator[Upload]:
    """An entry of a zip as a file of its own, beside the uploads, until the block ends. Raises ClipsError where it is
    damaged."""
    assert entry.save is not None
    made = Upload.new(entry.path.name)
    try:
        with made.path_to_write.open("wb") as out:
            entry.save(out)
        yield made
    finally:
        made.delete()


def _bytes(entry: Entry, problems: list[Sentence]) -> bytes | None:
    """What an entry holds; None, and why, where it is damaged."""
    try:
        content = entry.open()
    except ClipsError as error:
        problems.append(error.sentence)
        return None
    assert isinstance(content, bytes)
    return content


def _packed(
    entries: Sequence[Entry], tree: _Tree, name: str, problems: list[Sentence], progress: Progress
) -> tuple[Upload, ...]:
    """A zip of these, one at a time in memory, packed so that it is not larger than the one that they come from; none where
    none can be read. Several may have one name, as the reader of zips allows."""
    if not entries:
        return ()
    made, packed = Upload.new(name), 0
    places = tree.places([one.path for one in entries])
    try:
        with zipfile.ZipFile(made.path_to_write, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for done, one in enumerate(entries):
                progress(done, len(entries), "decoding")
                content = _bytes(one, problems)
                if content is not None:
                    archive.writestr(places[str(one.path)], content)
                    packed += 1
    except OSError:
        made.delete()
        problems.append(no_room(name).sentence)
        return ()
    except BaseException:
        made.delete()
        raise
    if packed:
        return (made,)
    made.delete()
    return ()


def _opened(
    upload: Upload,
    room_seconds: float,
    full: bool,
    progress: Progress,
    growth: Growth | None,
    tags: Callable[[], Sequence[str]],
) -> LongRecording | None:
    """An upload as a long recording, its file deleted; None where it is to be read as ever. full: no more may be opened,
    which one that says how long it is is told before it is decoded; tags: gives what its folders say"""
    from mirdemo.sound.decoding import Source, announced_seconds
    from mirdemo.sound.long import open_long

    path = upload.path_within(LONG_LIMITS.max_bytes)
    with Source.of(path) as source:
        size, seconds = source.size, announced_seconds(source)
    most = longest_clip(room_seconds)
    short = (size <= SURELY_SHORT and seconds is None) or (seconds is not None and seconds <= most)
    if short and size <= LIMITS.upload_bytes:
        return None
    if full and seconds is not None and seconds > most:
        raise enough_long(upload.name)

    def grown(sound: LongRecording) -> None:
        if growth is not None and (sound.seconds_in_all > most or size > LIMITS.upload_bytes):
            growth.show(sound)

    with nullcontext() if growth is None else growth.of_one(tags()):
        opened = open_long(
            path, upload.name, spool=partial(SPOOLS.make, own_folder()), growing=grown, progress=progress
        )
        if opened.seconds > most or size > LIMITS.upload_bytes:
            if growth is not None:
                growth.finish(opened)
            upload.delete()
            return opened
    opened.close()  # it did not say how long it is, or said too much
    return None
