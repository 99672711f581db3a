"""What was dropped becomes clips, a saved visit, or long recordings that are opened."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.clips import ClipsError, LabelledClips
from mirdemo.clips.archives import list_zip
from mirdemo.clips.label_files import may_label
from mirdemo.clips.tags import typed_tags
from mirdemo.clips.visit import Visit, is_visit, read_visit
from mirdemo.sound.decoding.limits import LIMITS as SOUND_LIMITS
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.tabs.clips.long import Growth, Parted
from mirdemo.web.tabs.clips.parting import part_long

#: A drop: clips or a visit, None where it held neither, and what of it was opened as long recordings.
Dropped = tuple[LabelledClips | Visit | None, Parted]


def read_drop(
    uploads: list[Upload],
    typed: str,
    room_seconds: float,
    places: int,
    progress: Progress,
    growth: Growth | None = None,
) -> Dropped:
    """All of a drop: long recordings are opened, the rest is read by ``read_uploads``. Each file is deleted as it is read.

    room_seconds: of sound that the visit has room for; places: for more long recordings; growth: shows these meanwhile
    Raises as ``read_uploads`` and ``part_long`` do.
    """
    try:
        typed_tags(typed, CLIP_LIMITS)  # refuses what cannot be a tag, before the work
        parted = part_long(uploads, room_seconds, places, progress, growth)
        if not parted.rest:
            return None, parted
        try:
            return read_uploads(list(parted.rest), typed, progress), parted
        except Cancelled:
            raise
        except MirdemoError as error:
            if not parted.long:
                raise
            return None, replace(parted, problems=(*parted.problems, error.sentence))
    finally:
        for upload in uploads:
            upload.delete()


def read_uploads(uploads: list[Upload], typed: str, progress: Progress) -> LabelledClips | Visit:
    """Clips from uploads, one after another, each file deleted as soon as it is read; or a saved visit, if it is one.

    A zip, a dropped folder and a sheet bring their own tags; ``typed`` is added to every clip.
    Raises ClipsError or PageError where nothing at all can be used; what fails beside other files is a problem.
    """
    try:
        extra = typed_tags(typed, CLIP_LIMITS)  # refuses what cannot be a tag, before the work
        sheets = [one for one in uploads if may_label(one.name)]
        folders = [one for one in uploads if "/" in one.name]
        if sheets or folders:
            read = _read_tree(uploads, progress)
            if isinstance(read, Visit):
                return read
            found = read
        else:
            found = LabelledClips(limits=CLIP_LIMITS)
            for done, upload in enumerate(uploads):
                progress(done, len(uploads), "decoding")
                read = _read_one(upload, progress)
                if isinstance(read, Visit) and len(uploads) == 1:
                    return read
                if isinstance(read, Visit):
                    raise PageError(
                        "{name} is a saved visit. Open it by itself.", code="page.visit_alone", name=read.name
                    )
                found = _join(found, read)
    finally:
        for upload in uploads:
            upload.delete()
    if not extra or not len(found):
        return found
    tagged = LabelledClips.from_clips(found.clips, [extra] * len(found), limits=CLIP_LIMITS)
    return replace(
        found.add(tagged), problems=found.problems
    )  # the same sounds again: only their tags are merged


def _join(found: LabelledClips, more: LabelledClips) -> LabelledClips:
    """Both together, with the problems of both."""
    joined = found.add(more)
    return replace(joined, problems=found.problems + joined.problems)


def _read_one(upload: Upload, progress: Progress) -> LabelledClips | Visit:
    """One file or zip. What it cannot give becomes a problem; a saved visit is read whole or refused."""
    try:
        content = upload.read()
        if not is_visit(content):
            if PurePosixPath(upload.name).suffix.lower() == ".zip":  # or says why it is none
                return LabelledClips.from_zip(content, upload.name, limits=CLIP_LIMITS)
            return LabelledClips.from_files([(upload.name, content)], limits=CLIP_LIMITS)
    except MirdemoError as error:
        return LabelledClips(problems=(error.sentence,), limits=CLIP_LIMITS)
    return read_visit(content, upload.name, limits=CLIP_LIMITS, progress=progress)


def _read_tree(uploads: list[Upload], progress: Progress) -> LabelledClips | Visit:
    """A dropped folder, or files with a sheet: read as a zip of them is, so that both give the same tags."""
    packed, problems = io.BytesIO(), list[Sentence]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for done, upload in enumerate(uploads):
            progress(done, len(uploads), "decoding")
            for path, content in _unpacked(upload, problems):
                archive.writestr(path, content)
            if packed.tell() > LIMITS.upload_bytes:
                raise PageError(
                    "These files are larger than {megabytes} MB together. Send them in parts.",
                    code="page.folder_too_large",
                    megabytes=LIMITS.upload_bytes // 2**20,
                )
    name = uploads[0].name.split("/")[0]
    if is_visit(packed.getvalue()):  # some browsers unpack what they save
        return read_visit(packed.getvalue(), name, limits=CLIP_LIMITS, progress=progress)
    found = LabelledClips.from_zip(packed.getvalue(), name, limits=CLIP_LIMITS, progress=progress)
    return replace(found, problems=(*problems, *found.problems))


def _unpacked(upload: Upload, problems: list[Sentence]) -> Iterator[tuple[str, bytes]]:
    """A file as it stands in its folder; of a zip beside others what is in it, in the zip's place."""
    content = upload.read()
    if PurePosixPath(upload.name).suffix.lower() != ".zip" or is_visit(content):
        yield upload.name, content
        return
    try:
        with list_zip(content, upload.name, SOUND_LIMITS.max_bytes, CLIP_LIMITS) as listing:
            problems += listing.problems
            for entry in listing.entries:
                held = entry.open()
                if isinstance(held, bytes):
                    yield str(PurePosixPath(upload.name).parent / entry.path), held
    except ClipsError as refusal:
        problems.append(refusal.sentence)
