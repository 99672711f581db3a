"""One visitor's state: kept in this process only, found by a secret that only that visitor's browser tab holds.

Gradio forgets its own session state when a page is reloaded, but a result that took ten minutes must be found
again. So the state lives here, under a random token; the browser tab keeps the token (``sessionStorage``, gone
with the tab) and Gradio's session state holds only that token. A visitor who closes the page is forgotten after
``LIMITS.closed_seconds``, an idle one after ``LIMITS.idle_seconds``: clips, embeddings, results and the links to
listen by go together. A page counts as closed when its heartbeat stops, which a sleeping laptop or a changed network
does too: so every act brings its page back, a heartbeat that comes again does, and while a job runs its visitor is kept.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.limits import CLIP_LIMITS, LIMITS, WebLimits, sound_bytes
from mirdemo.web.frame.player import Sounds
from mirdemo.web.models import SUPPORT, Memory
from mirdemo.words.language import DEFAULT, Speaker, speaker

if TYPE_CHECKING:
    from mirdemo.sound.long import LongRecording

Desk = TypeVar("Desk")


#: What a visitor listens with at first.
FIRST_BACKBONE = "spectral"
#: An undo that was pressed in time may arrive so much later (seconds).
UNDO_GRACE = 3.0
#: Acts of a visitor that are remembered, so that none is done twice.
MOST_HEARD = 1000
#: Open pages of a visitor; the oldest is taken for closed.
MOST_PAGES = 50
#: Looks of a page that hears nothing before the last answer, until telling it is tried again.
FIRST_PATIENCE = 10
#: Pages whose heartbeat ended that are remembered, should it come again.
MOST_LEFT = 10_000


class Visitor:
    """Everything that is one visitor's.

    Change it only under ``lock``. ``clips`` are the labelled clips that all tabs share (never changed: replace
    them with ``hold``), ``backbone`` is the name of the chosen one. What a tab wants to remember it keeps in a
    dataclass of its own, ``visitor.desk(ThatDataclass)``; what holds more than memory has a method ``let_go``, and what keeps
    figures that they have typed says so in ``has_typed``.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.lock = threading.RLock()
        self.language = DEFAULT
        self.address = ""  # where their last act came from, to be counted by alone
        self.known_to_hub = False  # whether their last act came with what ZeroGPU counts quota by
        self.greeted = False  # whether a page of theirs has been answered in their browser's language
        self.clips = LabelledClips(limits=CLIP_LIMITS)
        self.backbone = FIRST_BACKBONE
        self.memory = Memory()
        self.sounds = Sounds()
        self.jobs: dict[str, Job] = {}
        self.notice: Notice | None = None
        self.undo: Undo | None = None
        self.watched_by: dict[str, object] = {}  # page -> which of its answers goes on telling it
        self.shown: dict[str, Shown] = {}
        self.seen = time.monotonic()
        self.closed_at: float | None = None
        self.gone = False
        self._desks: dict[type, Any] = {}
        self._heard: dict[tuple[str, int], None] = {}

    def hears(self, page: str, turn: int) -> bool:
        """Whether a page's act is new: it is sent again where the line was cut before its answer. turn: 0 for none"""
        new = (page, turn) not in self._heard
        if turn:
            self._heard[page, turn] = None
            if len(self._heard) > MOST_HEARD:
                del self._heard[next(iter(self._heard))]
        return new

    @property
    def speaker(self) -> Speaker:
        return speaker(self.language)

    def desk(self, kind: type[Desk]) -> Desk:
        """This visitor's instance of a tab's own state, made by ``kind()`` when first asked for."""
        if kind not in self._desks:
            self._desks[kind] = kind()
        return self._desks[kind]

    def set_desk(self, desk: object) -> None:
        """Put another state in the place of the one of its kind."""
        self._desks[type(desk)] = desk

    def held_bytes(self) -> int:
        """Bytes of decoded sound held, and of what desks name in ``held_bytes()``."""
        desks = [desk for desk in list(self._desks.values()) if hasattr(desk, "held_bytes")]
        return self.sounds.held_bytes() + sum(desk.held_bytes() for desk in desks)

    @property
    def has_nothing(self) -> bool:
        """Whether nothing is lost where this visit ends."""
        typed = any(getattr(desk, "has_typed", False) for desk in list(self._desks.values()))
        return not (len(self.clips) or typed or self.held_bytes() or self.jobs)

    def tell(
        self,
        sentence: Sentence,
        *,
        refusal: bool = False,
        undo: Callable[[], None] | None = None,
        goes: str | None = None,
    ) -> None:
        """Show one sentence at the foot of the page; with ``undo``, what it tells of can be taken back for ten seconds.
        goes: the tab where one goes on"""
        until = time.monotonic() + LIMITS.undo_seconds + UNDO_GRACE
        self.undo = None if undo is None else Undo(undo, until)
        self.notice = Notice(sentence, refusal, undo is not None, goes)

    def take_back_last(self) -> None:
        """Undo what was told of last. Raises PageError if that is too late or was never possible."""
        undo, self.undo = self.undo, None
        if undo is None or time.monotonic() > undo.until:
            raise PageError("It is too late to take this back.", code="page.undo_too_late")
        undo.restore()

    def everything(self) -> Everything:
        """All that ``begin_anew`` replaces, to be given to ``take_back``."""
        return Everything(self.clips, self.backbone, dict(self._desks))

    def begin_anew(self, clips: LabelledClips) -> None:
        """As one who has nothing but these clips."""
        self._desks = {}
        self.backbone = FIRST_BACKBONE
        self.hold(clips)

    def take_back(self, before: Everything) -> None:
        """Everything as it was."""
        self._desks, self.backbone = dict(before.desks), before.backbone
        self.hold(before.clips)

    def hold(self, clips: LabelledClips) -> None:
        """Replace the labelled clips."""
        self.clips = clips
        self.tidy_sounds()

    def tidy_sounds(self) -> None:
        """Make listenable what is in use, and nothing else: the labelled clips and what desks name in ``sounds()``."""
        used = list(self.clips.clips)
        for desk in self._desks.values():
            used += desk.sounds() if hasattr(desk, "sounds") else []
        self.sounds.keep(used)

    def has_long_sounds_beside(self, kind: type) -> bool:
        """Whether another desk than that of this kind holds long recordings."""
        return any(
            bool(desk.long_sounds())
            for desk in self._desks.values()
            if hasattr(desk, "long_sounds") and not isinstance(desk, kind)
        )

    def long_sound(self, id: str) -> LongRecording | None:
        """A long recording that is open, by what the desk that has it open calls it in ``long_sounds()``."""
        for desk in self._desks.values():
            found = desk.long_sounds().get(id) if hasattr(desk, "long_sounds") else None
            if found is not None:
                return found
        return None

    def long_sounds(self) -> dict[str, LongRecording]:
        """All long recordings that are open and all there, as ``long_sound`` finds them. Two ids may be of one."""
        opened = [desk.long_sounds() for desk in self._desks.values() if hasattr(desk, "long_sounds")]
        return {id: sound for one in opened for id, sound in one.items() if sound.whole}

    def let_go(self) -> None:
        """Stop what runs and drop everything."""
        with self.lock:
            self.gone = True
            for job in self.jobs.values():
                job.cancel()
            self.clips = LabelledClips(limits=CLIP_LIMITS)
            self.memory = Memory()
            self.undo = None
            for desk in self._desks.values():
                if hasattr(desk, "let_go"):
                    desk.let_go()
            self._desks.clear()
            self.sounds.keep([])


@dataclass
class Shown:
    """What one open page shows: its tab, a mark of each view's text as it was last sent, and (number, text) of those that
    it is not known to have drawn.  looks: whether it asks for news itself, since a proxy holds back what is not complete
    tries: looks until it is tried whether telling is heard;  patience: how many there were at first, twice as many each time
    """

    tab: str
    marks: dict[str, str] = field(default_factory=dict)
    sent: dict[str, tuple[int, str]] = field(default_factory=dict)
    looks: bool = False
    tries: int = 0
    patience: int = FIRST_PATIENCE

    def looked(self, why: object) -> None:
        """It asked for news. why: "silence" where it was told nothing for too long, "back" where its line was cut and is back,
        "beside" where another page of the visitor did something, anything else where it was told to"""
        if why == "silence":
            if not self.looks:
                self.tries, self.patience = self.patience, 2 * self.patience
            self.looks = True
        elif why == "back":
            self.looks = False
        elif self.looks and why != "beside":
            self.tries -= 1
            self.looks = self.tries > 0


@dataclass(frozen=True)
class Undo:
    """What takes the last act back, and until when (monotonic)."""

    restore: Callable[[], None]
    until: float


@dataclass(frozen=True)
class Everything:
    """A visitor's clips, chosen backbone and tabs' states at one moment."""

    clips: LabelledClips
    backbone: str
    desks: dict[type, Any]


class Notice:
    """One sentence shown at the foot of the page; numbered, so that the same one shows again when repeated."""

    _count = 0

    def __init__(
        self, sentence: Sentence, refusal: bool, can_undo: bool = False, goes: str | None = None
    ) -> None:
        Notice._count += 1
        self.can_undo = can_undo
        self.goes = goes
        self.number = Notice._count
        self.sentence = sentence
        self.refusal = refusal


class Visitors:
    """All visitors of this process."""

    def __init__(self, limits: WebLimits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._by_token: dict[str, Visitor] = {}
        self._by_sound_key: dict[str, Visitor] = {}
        self._by_page: dict[str, str] = {}
        self._left: dict[str, str] = {}  # pages that were closed, or whose line was cut
        # heartbeats of a page: the next may be here before the last is missed
        self._beating: Counter[str] = Counter()
        self._mark = secrets.token_hex(4)  # of this process, in all of its secrets

    def __len__(self) -> int:
        return len(self._by_token)

    def arrive(self, token: str | None, page: str) -> Visitor:
        """The visitor a page belongs to: the one its token names if still known, else a new one.

        token: what the browser tab kept, or anything a stranger sends
        page: Gradio's session hash of the page that was opened
        """
        self.sweep()
        with self._lock:
            visitor = self._by_token.get(token) if isinstance(token, str) else None
            if visitor is None:
                visitor = Visitor()
                visitor.token = f"{self._mark}.{visitor.token}"
                self._by_token[visitor.token] = visitor
                self._by_sound_key[visitor.sounds.key] = visitor
            self._is_here(page, visitor)
            visitor.seen = self._clock()
            return visitor

    def knows(self, token: str) -> bool:
        """Whether there is a visitor with this secret."""
        return token in self._by_token

    def is_ours(self, token: str) -> bool:
        """Whether a secret says that this process gave it, and none before a restart. Anybody can write that."""
        return token.startswith(f"{self._mark}.")

    def get(self, token: str | None, page: str | None = None, *, by_itself: bool = False) -> Visitor:
        """The visitor of a token, who is here. Raises PageError if there is none (any more).

        page: Gradio's session hash of the page that asks; if it was taken for closed, it is open again
        by_itself: nobody did anything, the page asks
        """
        with self._lock:
            visitor = self._by_token.get(token) if isinstance(token, str) else None
            if visitor is None:
                raise PageError(
                    "This page was idle for too long and its clips were deleted. Reload the page to begin again.",
                    code="page.forgotten",
                )
            if not by_itself:
                visitor.seen = self._clock()
            if page is not None:
                self._is_here(page, visitor)
            return visitor

    def _is_here(self, page: str, visitor: Visitor) -> None:
        self._by_page[page] = visitor.token
        self._left.pop(page, None)
        visitor.closed_at = None

    @contextmanager
    def beating(self, page: str) -> Iterator[None]:
        """While a page's heartbeat is heard it is open; it is closed when the last one of it ends."""
        with self._lock:
            self._beating[page] += 1
            visitor = self._by_token.get(self._left.get(page, ""))
            if visitor is not None:
                self._is_here(page, visitor)
        try:
            yield
        finally:
            with self._lock:
                self._beating[page] -= 1
                if not self._beating[page]:
                    del self._beating[page]
                    self._is_closed(page)

    def leave(self, page: str) -> None:
        """A page was closed or reloaded. Its visitor is kept a while for coming back, if no other page shows it."""
        with self._lock:
            self._is_closed(page)

    def _is_closed(self, page: str) -> None:
        token = self._by_page.pop(page, None)
        visitor = self._by_token.get(token) if token else None
        if visitor is not None:
            self._left[page] = visitor.token
            if len(self._left) > MOST_LEFT:
                del self._left[next(iter(self._left))]
            visitor.shown.pop(page, None)
            if token not in self._by_page.values():
                visitor.closed_at = self._clock()

    def by_sound_key(self, key: str) -> Visitor | None:
        """The visitor whose sounds and files lie under this key, who is heard of by being asked for."""
        with self._lock:
            visitor = self._by_sound_key.get(key)
            if visitor is not None:
                self._put_off(visitor, self._clock())
            return visitor

    def sounds(self, key: str) -> Sounds | None:
        """The sounds that lie under this key."""
        visitor = self.by_sound_key(key)
        return None if visitor is None else visitor.sounds

    def sound_bytes(self) -> int:
        """Bytes of decoded sound, and of taggers, held for all visitors."""
        with self._lock:
            everyone = list(self._by_token.values())
        return sum(visitor.held_bytes() for visitor in everyone)

    def check_room(self) -> None:
        """Raise PageError where this machine holds as much of its visitors' sound as it may."""
        if self.sound_bytes() > sound_bytes(self._limits):
            raise PageError(
                "This server holds as many clips of its visitors as it can. Try again in some minutes.",
                code="page.machine_full",
            )

    def sweep(self) -> int:
        """Forget visitors who closed the page or have been idle for too long. Returns how many."""
        now = self._clock()
        with self._lock:
            over = [visitor for visitor in self._by_token.values() if self._is_over(visitor, now)]
            for visitor in over:
                del self._by_token[visitor.token]
                del self._by_sound_key[visitor.sounds.key]
            for visitor in self._by_token.values():
                if visitor.undo is not None and time.monotonic() > visitor.undo.until:
                    visitor.undo = None  # what was deleted is gone now
            known = set(self._by_token)
            self._by_page = {page: token for page, token in self._by_page.items() if token in known}
            self._left = {page: token for page, token in self._left.items() if token in known}
        for visitor in over:
            visitor.let_go()
        SUPPORT.tidy()
        return len(over)

    def _is_over(self, visitor: Visitor, now: float) -> bool:
        if any(job.active for job in list(visitor.jobs.values())):
            self._put_off(visitor, now)  # what is made meanwhile can be fetched for as long as anything else
            return False
        if visitor.closed_at is not None and now - visitor.closed_at > self._limits.closed_seconds:
            return True
        # who opens page after page and leaves no heartbeat
        if visitor.has_nothing and not self._is_heard(visitor):
            return now - visitor.seen > self._limits.closed_seconds
        return now - visitor.seen > self._limits.idle_seconds

    def _is_heard(self, visitor: Visitor) -> bool:
        """Whether the heartbeat of any page of theirs is heard."""
        return any(self._by_page.get(page) == visitor.token for page in self._beating)

    @staticmethod
    def _put_off(visitor: Visitor, now: float) -> None:
        """Count both times from now; a closed page stays closed."""
        visitor.seen = now
        if visitor.closed_at is not None:
            visitor.closed_at = now
