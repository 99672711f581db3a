"""A tagger that a visitor brings: known among what is dropped wherever that is, read, checked, and held for them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from mirdemo.backbones.registry import specs, status
from mirdemo.base.plain import Coder
from mirdemo.base.sentences import Cancelled, MirdemoError, Sentence
from mirdemo.clips.in_question import InQuestion
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.keeping import Keeper
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS
from mirdemo.web.models import SHELF

if TYPE_CHECKING:
    from mirdemo.base.progress import Progress
    from mirdemo.tagger import Tagger
    from mirdemo.web.frame.session import Visitor
    from mirdemo.web.frame.uploads import Upload
    from mirdemo.web.frame.wire import Wire

READ_JOB, CHECK_JOB = "tagger-read", "tagger-check"
#: What its card says of a text at most, in characters.
_LONGEST = 200


@dataclass(frozen=True)
class Figure:
    """A figure as a tagger's file tells it. low, high: None for no interval; n: recordings"""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class TagFacts:
    """verdict: a code of ``scoring.verdicts``, blank where it was not measured; clips, recordings: that had the tag"""

    name: str
    clips: int
    recordings: int
    verdict: str
    auc: Figure | None
    f1: Figure | None


@dataclass(frozen=True)
class Card:
    """What a tagger tells of itself, each part of the kind that it should be.

    backbone: its name here; backbone_title: as its maker knew it; whitening: its name, None for none
    clips, recordings: it was made from; created: the day; chosen_from: ways of listening it was picked among, 0 for none
    in_question: that clips count as one recording until somebody says whether they are
    """

    title: str
    backbone: str
    backbone_title: str
    layer: str
    whitening: str | None
    fine_tuned: bool
    licence: str | None
    created: str
    clips: int
    recordings: int
    tags: tuple[TagFacts, ...]
    macro_f1: Figure | None
    roc_auc: Figure | None
    chance: float | None
    chosen_from: int
    in_question: Sentence | None = None


@dataclass(frozen=True, eq=False)
class Brought:
    """A tagger that was read. name: of its file; bytes: what it holds in memory"""

    tagger: Tagger
    card: Card
    name: str
    bytes: int


@dataclass
class TaggerDesk:
    """The tagger of a visitor, and what it has tagged for them.

    ready: its backbone is here, and the one it was made with; refusal: why it cannot be used
    waiting: files that came and are not tagged yet; rows: what became of the others (``tabs.fewshot.sheet.Row``)
    turn: of the job that tags; left_out: files of the last drop that are no sound
    """

    brought: Brought | None = None
    ready: bool = False
    refusal: Sentence | None = None
    waiting: list[Upload] = field(default_factory=list)
    rows: tuple[Any, ...] = ()
    turn: int = 0
    left_out: int = 0

    def held_bytes(self) -> int:
        return 0 if self.brought is None else self.brought.bytes

    def let_go(self) -> None:
        """Delete what waits."""
        for upload in self.waiting:
            upload.delete()
        self.waiting = []


def is_tagger(uploads: list[Upload]) -> bool:
    """Whether what was dropped is a tagger: its zip, or its files."""
    from mirdemo.clips.visit import is_visit
    from mirdemo.tagger.file import ARRAYS, LIMITS, MANIFEST, is_tagger

    names = {PurePosixPath(one.name).name for one in uploads}
    if names <= set(LIMITS) and names & {MANIFEST, ARRAYS}:
        return True
    (one, *more) = uploads
    suffix = PurePosixPath(one.name).suffix.lower()
    if more or suffix not in (".zip", ".safetensors"):
        return False
    try:
        if suffix == ".zip" and is_visit(one.path):  # with a tagger among what was found
            return False
        return suffix == ".safetensors" or is_tagger(one.path)
    except PageError:  # gone: whoever reads it says so
        return False


def bring(wire: Wire, visitor: Visitor, uploads: list[Upload]) -> None:
    """Read a tagger and hold it in the place of the one before. Raises PageError."""
    wire.visitors.check_room()

    def take(brought: Brought) -> None:
        told = Sentence(
            "{name} is a tagger. It waits at the end of the tab Few-shot.",
            "page.tagger_here",
            {"name": brought.name},
        )
        hold(wire, visitor, brought, told)

    wire.start(visitor, READ_JOB, lambda progress: read(uploads, progress), take, resource="sound")


def hold(wire: Wire, visitor: Visitor, brought: Brought | None, told: Sentence) -> None:
    """Hold a tagger, or none any more, and say so; what was there can be taken back, but for files not tagged yet."""
    before = visitor.desk(TaggerDesk)
    before.let_go()
    for job in visitor.jobs.values():
        if job.active and job.name.startswith("tagger-") and job.name != READ_JOB:
            job.cancel()
    visitor.set_desk(TaggerDesk(brought))

    def undo() -> None:
        visitor.desk(TaggerDesk).let_go()
        visitor.set_desk(before)

    visitor.tell(told, undo=undo if before.brought is not None else None)
    if brought is not None and brought.card.backbone in specs() and status(brought.card.backbone).fetched:
        try:
            prepare(wire, visitor)
        except PageError as error:  # too much waits: the page offers it again
            visitor.desk(TaggerDesk).refusal = error.sentence


def prepare(wire: Wire, visitor: Visitor) -> None:
    """Load the tagger's backbone, fetching it if need be, and see that it is the one the tagger was made with."""
    desk = visitor.desk(TaggerDesk)
    made = desk.brought
    if made is None or made.card.backbone not in specs():
        raise PageError("This choice is not on offer (any more). Choose again.", code="page.no_such_choice")

    def work(progress: Progress) -> Sentence | None:
        try:
            made.tagger.listening(SHELF.take(made.card.backbone, progress, made.tagger.needs))
        except Cancelled:
            raise
        except MirdemoError as error:
            return error.sentence
        finally:
            made.tagger.rest()
        return None

    def take(refusal: Sentence | None) -> None:
        desk.refusal, desk.ready = refusal, refusal is None

    wire.start(visitor, CHECK_JOB, work, take)


def keeper() -> Keeper:
    """A saved visit keeps the tagger, not the files that wait for it or what it said of others: their sheet is for that."""
    return Keeper(_keep, _restore, coders=_coders)


def _keep(visitor: Visitor) -> dict[str, Any] | None:
    held = visitor.desk(TaggerDesk).brought
    return None if held is None else {"name": held.name, "tagger": held.tagger}


def _restore(visitor: Visitor, kept: Mapping[str, Any]) -> None:
    """Whether its backbone is the one it was made with is seen when it is used. Raises what ``brought`` does."""
    visitor.set_desk(TaggerDesk(brought(kept["tagger"], _text(kept["name"]))))


def _coders() -> tuple[Coder, ...]:
    from mirdemo.tagger import Tagger
    from mirdemo.tagger import file as tagger_file

    def tell(tagger: Tagger) -> dict[str, np.ndarray]:
        return {name: np.frombuffer(content, np.uint8) for name, content in tagger.contents().items()}

    def make(told: Mapping[str, np.ndarray]) -> Tagger:
        files = {name: array.tobytes() for name, array in told.items() if array.dtype == np.uint8}
        if (
            files.keys() - tagger_file.LIMITS.keys()
            or len(files.get(tagger_file.ARRAYS, b"")) > LIMITS.tagger_bytes
        ):
            raise ValueError
        return Tagger.of(files)

    return (Coder("tagger", Tagger, tell, make),)


def read(uploads: list[Upload], progress: Progress) -> Brought:
    """A tagger from its zip or its files, which are deleted. Raises TaggerError or PageError."""
    from mirdemo.tagger import Tagger
    from mirdemo.tagger import file as tagger_file

    progress(0, 0, "reading")
    most = {**tagger_file.LIMITS, tagger_file.ARRAYS: LIMITS.tagger_bytes}
    place = PurePosixPath(uploads[0].name)
    zipped = len(uploads) == 1 and place.suffix.lower() == ".zip"
    name = place.name if zipped else (*place.parts, "tagger")[0]
    try:
        contents = tagger_file.read_zip(uploads[0].path, name, most) if zipped else _read_files(uploads, most)
    except OSError:
        raise PageError(
            "The upload of {name} was lost. Send it again.", code="page.upload_lost", name=name
        ) from None
    finally:
        for one in uploads:
            one.delete()
    return brought(Tagger.of(contents, name), name)


def _read_files(uploads: list[Upload], most: Mapping[str, int]) -> dict[str, bytes]:
    from mirdemo.tagger.file import ARRAYS, MANIFEST, too_large, unreadable

    files = {PurePosixPath(one.name).name: one for one in uploads}
    if MANIFEST not in files or ARRAYS not in files:
        raise PageError(
            "{name} is only a part of a tagger. Drop its zip, or all of its files together.",
            code="page.tagger_part",
            name=PurePosixPath(uploads[0].name).name,
        )
    for file, one in files.items():
        if one.path.stat().st_size > most.get(file, 0):
            raise unreadable(file, too_large(file))
    return {file: one.path.read_bytes() for file, one in files.items()}


def brought(tagger: Tagger, name: str) -> Brought:
    """A tagger to be held. Raises TaggerError for one whose card cannot be shown."""
    from mirdemo.tagger.file import unreadable

    if len(tagger.tags) > CLIP_LIMITS.max_tags:
        raise PageError(
            "{name} has {n} tags; the page takes up to {most}. Use it on the command line.",
            code="page.tagger_tags",
            name=name,
            n=len(tagger.tags),
            most=CLIP_LIMITS.max_tags,
        )
    _, arrays = tagger.method.state()
    size = sum(array.nbytes for array in arrays.values())
    try:
        return Brought(tagger, card_of(tagger), name, size)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise unreadable(name, Sentence("its parts do not fit together", "tagger.what.parts")) from error


def card_of(tagger: Tagger) -> Card:
    """Its card. Raises KeyError, TypeError, ValueError, AttributeError or OverflowError where it is not as it should be."""
    facts: Mapping[str, Any] = tagger.facts
    figures, whitening, licence = facts["figures"] or {}, facts["whitening"], facts["licence"]
    in_question = InQuestion.from_dict(facts.get("in_question"))
    return Card(
        title=_text(facts["title"]),
        backbone=_text(tagger.identity.name),
        backbone_title=_text(facts["backbone"]["title"]),
        layer=_text(tagger.layer),
        whitening=None if whitening is None else _text(whitening["name"]),
        fine_tuned=bool(facts.get("fine_tuned")),
        licence=_text(licence) if licence else None,
        created=_text(facts["created"]),
        clips=int(facts["n_clips"]),
        recordings=int(facts["n_recordings"]),
        tags=tuple(
            TagFacts(
                _text(tag["name"]),
                int(tag["clips"]),
                int(tag["recordings"]),
                _text(tag.get("verdict") or ""),
                _figure(tag.get("roc_auc")),
                _figure(tag.get("f1")),
            )
            for tag in facts["tags"]
        ),
        macro_f1=_figure(figures.get("macro_f1")),
        roc_auc=_figure(figures.get("roc_auc")),
        chance=float(figures["chance_macro_f1"]) if figures else None,
        chosen_from=int(figures.get("chosen_from") or 0),
        in_question=None if in_question is None else in_question.sentence,
    )


def _text(told: Any) -> str:
    flat = " ".join(str(told).split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def _figure(told: Mapping[str, Any] | None) -> Figure | None:
    if not told or told["value"] is None:
        return None
    low, high = told["low"], told["high"]
    known = low is not None and high is not None
    return Figure(
        float(told["value"]), float(low) if known else None, float(high) if known else None, int(told["n"])
    )
