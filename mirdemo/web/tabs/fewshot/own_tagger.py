"""A tagger used without the command line: brought as its file, or just made here; its card, and a sheet of many files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mirdemo.backbones.registry import spec, specs, status
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import Sentence
from mirdemo.evidence.charting import with_interval
from mirdemo.scoring.verdicts import WORDS
from mirdemo.sound.files import lies_beside
from mirdemo.web import brought
from mirdemo.web.brought import CHECK_JOB, READ_JOB, Brought, Figure, TaggerDesk
from mirdemo.web.frame import own_files
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.uploads import Upload
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.fewshot.sheet import Part, Row, expected_tagging, joined, part_of, sheet_of, tag_part
from mirdemo.web.tabs.fewshot.shown import ICONS, layer_words
from mirdemo.words.language import Speaker

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.tagger import Tagger

#: In turn, for the next few files are asked for before those before them are quite done.
TAG_JOBS = ("tagger-tag-0", "tagger-tag-1")
SHEET = "tags.csv"
#: Tags of the card and rows of the sheet that are shown before the rest is folded away.
FEW_TAGS, FEW_ROWS = 12, 12
#: Seconds of sound of which is said, before any is given, how long tagging it takes.
AMOUNT = 600.0


class OwnTagger:
    """The handlers, and what the view shows.

    made: the tagger of what is on the page now, None where there is none
    """

    def __init__(self, wire: Wire, made: Callable[[Visitor], Callable[[], Tagger] | None]) -> None:
        self._wire = wire
        self._made = made
        for name in ("bring", "use", "fetch", "files", "go_on", "clear", "forget"):
            wire.on(f"tagger.{name}", getattr(self, name))

    def show(self, visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
        desk = visitor.desk(TaggerDesk)
        made = desk.brought
        known = made is not None and made.card.backbone in specs()
        reading = self._job(visitor, READ_JOB)
        at_work = next((job for name in TAG_JOBS if (job := self._job(visitor, name))), None)
        return {
            "offered": self._made(visitor) is not None,
            "reading": reading,
            "limits": LIMITS,
            "desk": desk,
            "made": made and self._card(made, t),
            "known": known,
            "spec": spec(made.card.backbone) if made is not None and known else None,
            "status": status(made.card.backbone) if made is not None and known else None,
            "checking": self._job(visitor, CHECK_JOB),
            "tagging": at_work,
            "takes": expected_tagging(made, AMOUNT) if made is not None and known else None,
            "amount": AMOUNT / 60,
            "rows": desk.rows,
            "few": FEW_ROWS,
            "read": sum(row.problem is None for row in desk.rows),
            "failed": sum(row.problem is not None for row in desk.rows),
            "incomplete": sum(row.incomplete for row in desk.rows),
            "left": LIMITS.tagged_files - len(desk.rows) - len(desk.waiting),
            "sheet": f"{own_files.place('few-shot', visitor)}/{SHEET}",
            "file": SHEET,
        }

    def _job(self, visitor: Visitor, name: str) -> tuple[Any, int] | None:
        job = visitor.jobs.get(name)
        return (job, self._wire.jobs.ahead(job)) if job is not None and job.active else None

    @staticmethod
    def _card(made: Brought, t: Speaker) -> dict[str, Any]:
        """What stands on the card, in this language."""
        card = made.card

        def words(figure: Figure | None) -> str | None:
            none = t("few-shot.no_interval")
            return None if figure is None else with_interval(figure.value, figure.low, figure.high, none)

        tags = [
            {
                "facts": tag,
                "word": WORDS.get(tag.verdict),
                "icon": ICONS.get(tag.verdict, "empty"),
                "good": tag.verdict == "heard",
                "auc": words(tag.auc),
                "f1": words(tag.f1),
            }
            for tag in card.tags
        ]
        key = f"page.backbone.{card.backbone}"
        return {
            "name": made.name,
            "card": card,
            "backbone": t(key) if t.has(key) else card.backbone_title,
            "layer": layer_words(t, card.layer),
            "tags": tags[:FEW_TAGS],
            "more_tags": tags[FEW_TAGS:],
            "macro_f1": words(card.macro_f1),
            "roc_auc": words(card.roc_auc),
            "chance": None if card.chance is None else f"{card.chance:.2f}",
        }

    # ---- the tagger -------------------------------------------------------------------------------------

    def bring(self, visitor: Visitor, act: Act) -> None:
        """A tagger's file was dropped or chosen here."""
        brought.bring(self._wire, visitor, act.uploads())

    def use(self, visitor: Visitor, act: Act) -> None:
        """The tagger that is on the page, without the way over a file."""
        make = self._made(visitor)
        if make is None:
            raise PageError(
                "There are no prototypes of these clips yet. Build them first.", code="page.no_prototypes"
            )

        def take(made: Brought) -> None:
            told = Sentence("Drop the recordings it shall tag.", "page.tagger_in_use")
            brought.hold(self._wire, visitor, made, told)

        def work(progress: Progress) -> Brought:
            progress(0, 0, "building")
            return brought.brought(make(), "")

        self._wire.start(visitor, READ_JOB, work, take)

    def fetch(self, visitor: Visitor, act: Act) -> None:
        """Fetch and load its backbone, or try again."""
        brought.prepare(self._wire, visitor)

    def forget(self, visitor: Visitor, act: Act) -> None:
        _ready(visitor.desk(TaggerDesk), ready=False)
        told = Sentence("The tagger was removed.", "page.tagger_removed")
        brought.hold(self._wire, visitor, None, told)

    # ---- the files --------------------------------------------------------------------------------------

    def files(self, visitor: Visitor, act: Act) -> None:
        """Recordings to be tagged; a tagger among them takes the place of this one."""
        uploads, desk = act.uploads(), visitor.desk(TaggerDesk)
        if brought.is_tagger(uploads):
            brought.bring(self._wire, visitor, uploads)
            return
        sounds, others = _sounds(uploads)
        _ready(desk)
        _check_number(desk, len(sounds))
        for upload in others:
            upload.delete()
        desk.waiting += sounds
        desk.left_out = len(others)
        if not self._tagging(visitor):
            self._next_or_tell(visitor)

    def go_on(self, visitor: Visitor, act: Act) -> None:
        """With what waits since it was stopped."""
        desk = visitor.desk(TaggerDesk)
        _ready(desk)
        if desk.waiting and not self._tagging(visitor):
            self._next(visitor)

    def clear(self, visitor: Visitor, act: Act) -> None:
        """Begin a new sheet."""
        before = visitor.desk(TaggerDesk)
        _ready(before)
        for name in TAG_JOBS:
            if name in visitor.jobs:
                visitor.jobs[name].cancel()
        before.let_go()
        desk = TaggerDesk(before.brought, ready=True)
        visitor.set_desk(desk)

        def undo() -> None:
            desk.rows = joined(before.rows, desk.rows)

        visitor.tell(Sentence("The sheet was emptied.", "page.sheet_emptied"), undo=undo)

    def _tagging(self, visitor: Visitor) -> bool:
        return any(name in visitor.jobs and visitor.jobs[name].active for name in TAG_JOBS)

    def _next_or_tell(self, visitor: Visitor) -> None:
        """The next few files, or why not now: what waits is kept for later."""
        try:
            self._next(visitor)
        except PageError as error:
            visitor.tell(error.sentence, refusal=True)

    def _next(self, visitor: Visitor) -> None:
        """Ask for the next few files. Raises PageError where too much waits; they are kept."""
        desk = visitor.desk(TaggerDesk)
        made, part, done = desk.brought, part_of(desk.waiting), len(desk.rows)
        if made is None or not part:
            return
        total, desk.turn = done + len(desk.waiting), 1 - desk.turn
        for upload in desk.waiting:
            upload.renew()

        def take(found: Part) -> None:
            gone = set(found.files)
            desk.waiting = [one for one in desk.waiting if one not in gone]
            desk.rows = joined(desk.rows, found.rows)
            if visitor.desk(TaggerDesk) is not desk or found.stopped:
                return
            if desk.waiting:
                self._next_or_tell(visitor)
            else:
                told = Sentence("The sheet is ready. Files: {n}.", "page.sheet_ready", {"n": len(desk.rows)})
                visitor.tell(told)

        self._wire.start(
            visitor, TAG_JOBS[desk.turn], lambda progress: tag_part(made, part, done, total, progress), take
        )


def _ready(desk: TaggerDesk, *, ready: bool = True) -> None:
    if desk.brought is None or (ready and not desk.ready):
        raise PageError("There is no tagger to use here yet. Drop one first.", code="page.no_tagger")


def _sounds(uploads: list[Upload]) -> tuple[list[Upload], list[Upload]]:
    """Those to be tagged, and what came with a folder and is no sound."""
    sounds: list[Upload] = []
    others: list[Upload] = []
    for upload in uploads:
        (others if "/" in upload.name and lies_beside(upload.name) else sounds).append(upload)
    return sounds, others


def _check_number(desk: TaggerDesk, more: int) -> None:
    if not more:
        raise PageError("There is no sound file among these. Choose recordings.", code="page.no_sounds_among")
    if len(desk.rows) + len(desk.waiting) + more > LIMITS.tagged_files:
        raise PageError(
            "One sheet takes {limit} files; {n} are in it and {more} more came. Take the sheet, empty it, and go on; or tag "
            "them all at once on the command line.",
            code="page.sheet_full",
            limit=LIMITS.tagged_files,
            n=len(desk.rows) + len(desk.waiting),
            more=more,
        )


def sheet_route(visitors: Visitors) -> Route:
    """Where a visitor's sheet is had."""
    from starlette.responses import Response

    def kept(visitor: Visitor) -> tuple[tuple[Row, ...], Tagger, Speaker] | None:
        desk = visitor.desk(TaggerDesk)
        return (desk.rows, desk.brought.tagger, visitor.speaker) if desk.brought and desk.rows else None

    def answer(request: Request, found: tuple[tuple[Row, ...], Tagger, Speaker]) -> Response:
        rows, tagger, t = found
        told = sheet_of(rows, tagger, lambda sentence: _text(t, sentence))
        saved = {"Content-Disposition": f'attachment; filename="{SHEET}"'}
        return Response(told, headers=saved, media_type="text/csv; charset=utf-8")

    return own_files.route(visitors, "few-shot", SHEET, kept, answer)


def _text(t: Speaker, sentence: Sentence) -> str:
    return str(t.say(sentence).unescape())
