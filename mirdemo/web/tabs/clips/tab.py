"""Clips: add, listen, tag, remove; what each tag has, and whether that is enough."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from mirdemo.backbones.registry import spec
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.clips import FEWEST_RECORDINGS, LabelledClips
from mirdemo.clips.tags import typed_tags
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.frame.session import Visitor
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Act, Wire
from mirdemo.web.models import embed_here, warm_up
from mirdemo.words.language import Speaker

#: Files may be added while others are still being read: each drop is a job of its own.
JOB = "clips-{number}"


@dataclass
class ClipsDesk:
    """What this tab remembers of a visitor: what the last files added left out or merged."""

    problems: tuple[Sentence, ...] = ()
    drops: int = 0

    def next_job(self) -> str:
        self.drops += 1
        return JOB.format(number=self.drops)


def build(wire: Wire) -> None:
    """The tab's view and what can be done in it."""
    tab = ClipsTab(wire)
    wire.view("clips", tab.show)
    for name in ("add", "festival", "tag", "untag", "recording", "rename", "remove", "clear"):
        wire.on(f"clips.{name}", getattr(tab, name))
    wire.on_open("clips", get_ready)


TAB = Tab("clips", build, step=True, done=lambda visitor: len(visitor.clips.tags) > 0)


class ClipsTab:
    """The handlers, and what the view shows."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        clips, sounds = visitor.clips, visitor.sounds
        names = [JOB.format(number=number) for number in range(1, visitor.desk(ClipsDesk).drops + 1)]
        jobs = [visitor.jobs[name] for name in names if name in visitor.jobs]
        return {
            "rows": [
                {
                    "track": sounds.track(clip, bars=40),
                    "tags": clips.tags_of(i),
                    "recording": clips.recordings[i],
                    "warnings": clip.warnings,
                }
                for i, clip in enumerate(clips.clips)
            ],
            "counts": [(tag, count, enough(count.recordings)) for tag, count in clips.counts().items()],
            "warnings": [w for w in clips.warnings() if w.code != "clips.few_recordings"],
            "problems": visitor.desk(ClipsDesk).problems,
            "minutes": clips.seconds / 60,
            "limits": LIMITS,
            "jobs": [(job, self._wire.jobs.ahead(job)) for job in jobs if job.active],
        }

    # ---- adding -----------------------------------------------------------------------------------------

    def add(self, visitor: Visitor, act: Act) -> None:
        """Files, folders, zips and sheets that were dropped, chosen or recorded."""
        self._check_machine()
        warm_up(visitor.backbone)
        uploads, typed = act.uploads(), act.text("tags")

        def take(added: LabelledClips) -> None:
            before = len(visitor.clips)
            visitor.hold(visitor.clips.add(added))
            self._tell(visitor, len(visitor.clips) - before)
            self._embed_ahead(visitor)

        self._wire.start(
            visitor,
            visitor.desk(ClipsDesk).next_job(),
            lambda progress: read_uploads(uploads, typed, progress),
            take,
            resource="sound",
        )

    def festival(self, visitor: Visitor, act: Act) -> None:
        """The demonstration set, made by code when asked for."""
        self._check_machine()
        warm_up(visitor.backbone)

        def take(made: LabelledClips) -> None:
            visitor.hold(visitor.clips.add(made))
            visitor.desk(ClipsDesk).problems = ()
            self._embed_ahead(visitor)

        self._wire.start(visitor, visitor.desk(ClipsDesk).next_job(), festival, take, resource="sound")

    def _embed_ahead(self, visitor: Visitor) -> None:
        """Embed new clips while they are being looked at, so that the next step answers at once.

        Only with an embedded backbone, which costs nobody a download, and only if the machine has time.
        """
        clips, backbone, memory = visitor.clips.clips, visitor.backbone, visitor.memory
        if spec(backbone).embedded:
            name = f"ahead-{visitor.desk(ClipsDesk).drops}"
            with suppress(PageError):
                self._wire.start(
                    visitor,
                    name,
                    lambda progress: embed_here(clips, backbone, memory, progress),
                    lambda made: None,
                )

    def _check_machine(self) -> None:
        if self._wire.visitors.sound_bytes() > LIMITS.machine_bytes:
            raise PageError(
                "This machine holds as many clips of its visitors as it can. Try again in some minutes.",
                code="page.machine_full",
            )

    @staticmethod
    def _tell(visitor: Visitor, added: int) -> None:
        problems = visitor.clips.problems
        visitor.desk(ClipsDesk).problems = problems
        if problems and not added:
            visitor.tell(problems[0], refusal=True)
        elif problems:
            visitor.tell(
                Sentence(
                    "Added: {n}. Not everything went well: {count} notes are above the table.",
                    "page.added_with_notes",
                    {"n": added, "count": len(problems)},
                )
            )
        else:
            visitor.tell(Sentence("Added: {n}.", "page.added", {"n": added}))

    # ---- editing ----------------------------------------------------------------------------------------

    def tag(self, visitor: Visitor, act: Act) -> None:
        row, typed = _row(visitor, act), typed_tags(act.text("value"), CLIP_LIMITS)
        visitor.hold(visitor.clips.relabel(row, [*visitor.clips.tags_of(row), *typed]))

    def untag(self, visitor: Visitor, act: Act) -> None:
        row, tag = _row(visitor, act), act.text("tag")
        visitor.hold(visitor.clips.relabel(row, [t for t in visitor.clips.tags_of(row) if t != tag]))

    def recording(self, visitor: Visitor, act: Act) -> None:
        visitor.hold(visitor.clips.set_recording(_row(visitor, act), act.text("value")))

    def rename(self, visitor: Visitor, act: Act) -> None:
        visitor.hold(visitor.clips.rename_tag(act.text("tag"), act.text("value")))

    def remove(self, visitor: Visitor, act: Act) -> None:
        visitor.hold(visitor.clips.remove([_row(visitor, act)]))

    def clear(self, visitor: Visitor, act: Act) -> None:
        visitor.hold(LabelledClips(limits=CLIP_LIMITS))
        visitor.desk(ClipsDesk).problems = ()


def enough(recordings: int) -> str:
    """What so many recordings of a tag suffice for: ``"check"``, ``"use"`` or ``"little"``."""
    if recordings >= FEWEST_RECORDINGS:
        return "check"
    return "use" if recordings == 2 else "little"


def _row(visitor: Visitor, act: Act) -> int:
    ids = [clip.sha256 for clip in visitor.clips.clips]
    return ids.index(act.one_of("clip", ids))


def read_uploads(uploads: list[Upload], typed: str, progress: Progress) -> LabelledClips:
    """Clips from uploads, one after another, each file deleted as soon as it is read.

    A zip, a dropped folder and a sheet bring their own tags; ``typed`` is added to every clip.
    Raises ClipsError or PageError where nothing at all can be used; what fails beside other files is a problem.
    """
    try:
        extra = typed_tags(typed, CLIP_LIMITS)  # refuses what cannot be a tag, before the work
        sheets = [one for one in uploads if PurePosixPath(one.name).suffix.lower() == ".csv"]
        folders = [one for one in uploads if "/" in one.name]
        if sheets or folders:
            found = _read_tree(uploads, progress)
        else:
            found = LabelledClips(limits=CLIP_LIMITS)
            for done, upload in enumerate(uploads):
                progress(done, len(uploads), "decoding")
                found = _join(found, _read_one(upload))
    finally:
        for upload in uploads:
            upload.delete()
    if not extra or not len(found):
        return found
    tagged = LabelledClips.from_clips(found.clips, [extra] * len(found), found.recordings, limits=CLIP_LIMITS)
    return replace(
        found.add(tagged), problems=found.problems
    )  # the same sounds again: only their tags are merged


def _join(found: LabelledClips, more: LabelledClips) -> LabelledClips:
    """Both together, with the problems of both."""
    joined = found.add(more)
    return replace(joined, problems=found.problems + joined.problems)


def _read_one(upload: Upload) -> LabelledClips:
    """One file or zip. What it cannot give becomes a problem."""
    try:
        content = upload.read()
        if zipfile.is_zipfile(io.BytesIO(content)) and PurePosixPath(upload.name).suffix.lower() == ".zip":
            return LabelledClips.from_zip(content, upload.name, limits=CLIP_LIMITS)
        return LabelledClips.from_files([(upload.name, content)], limits=CLIP_LIMITS)
    except MirdemoError as error:
        return LabelledClips(problems=(error.sentence,), limits=CLIP_LIMITS)


def _read_tree(uploads: list[Upload], progress: Progress) -> LabelledClips:
    """A dropped folder, or files with a sheet: read as a zip of them is, so that both give the same tags."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for done, upload in enumerate(uploads):
            progress(done, len(uploads), "decoding")
            archive.writestr(upload.name, upload.read())
            if packed.tell() > LIMITS.upload_bytes:
                raise PageError(
                    "These files are larger than {megabytes} MB together. Send them in parts.",
                    code="page.folder_too_large",
                    megabytes=LIMITS.upload_bytes // 2**20,
                )
    name = uploads[0].name.split("/")[0]
    return LabelledClips.from_zip(packed.getvalue(), name, limits=CLIP_LIMITS, progress=progress)


def get_ready(visitor: Visitor) -> None:
    """While a visitor without clips reads, prepare what the next click is likely to want."""
    if len(visitor.clips.clips):
        return
    if not festival_is_made():
        threading.Thread(target=festival_set, name="mirdemo-festival", daemon=True).start()
    warm_up(visitor.backbone)


_MAKING = threading.Lock()


def festival_set() -> LabelledClips:
    """The project's own demonstration set, made once for all visitors: it is nobody's secret."""
    with _MAKING:  # two who ask at once wait for one making
        return _festival_set()


def festival_is_made() -> bool:
    """Whether the demonstration set is at hand already."""
    return bool(_festival_set.cache_info().currsize)


@cache
def _festival_set() -> LabelledClips:
    from mirdemo.synth.festival import festival_clips

    return festival_clips()


def festival(progress: Progress) -> LabelledClips:
    """The demonstration set, a small Japanese festival, as labelled clips."""
    progress(0, 0, "synthesising")
    return festival_set()
