"""How the page and the server speak: one message up (an act), changed regions down (views).

The page is a function of the visitor: each view is a template and a function from the visitor to what fills it. What
a visitor does becomes an ``Act`` (its name and what was typed or chosen), sent by ``static/hands.js`` for every element
with ``data-act``. A handler changes the visitor; then every view in sight is rendered again and those whose text
changed are sent, all in one text: an output a view costs Gradio a component each, 32 ms of its event loop for
sixteen (mean of 20). For the same reason all views stand in one component: Gradio's script takes longer to mount each
than the page takes to fill it. So a language switch, an upload and a finished job all redraw the page in the same way, nothing else on the page moves, and a
tab never has to know which other tab shows its numbers.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from anyio.to_thread import run_sync

from mirdemo.base.once import Once
from mirdemo.base.progress import Progress
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.web import zero
from mirdemo.web.frame import wellformed
from mirdemo.web.frame.answering import sender
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft, Job
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.keeping import Keeper, Keeping
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.log import event
from mirdemo.web.frame.session import MOST_PAGES, Shown, Visitor, Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.frame.uploads import Upload, discard, uploads_of
from mirdemo.words.language import LANGUAGES, Speaker, choose

log = logging.getLogger(__name__)

#: Seconds between two looks at a running job.
WATCH_SECONDS = 0.25
#: And whether one has ended.
END_SECONDS = 0.04

#: Seconds after which a page that hears nothing before the last answer looks again.
LOOK_SECONDS = 3

#: Numbers every drawing. Answers to two acts may overtake each other on their way: the page keeps the later one.
_drawings = itertools.count(1)

#: What fills a view's template: from a visitor and the language to speak.
Context = Callable[[Visitor, Speaker], Mapping[str, Any]]
#: What a view's text depends on besides the language, where that is nothing of one visitor's; None where it is.
Of = Callable[[Visitor, Speaker], Hashable | None]
#: Texts of views kept that many visitors see, of up to 200 kB each.
MOST_TEXTS = 64

_WIRE_JS = "mirdemo.connect((act) => trigger('act', act)); watch('value', () => mirdemo.heard(props.value));"
_PAGE_JS = "mirdemo.stand(element, JSON.parse(props.value));"


_RESTARTED = Sentence(
    "The server was restarted. The clips and results of this visit were in its memory alone and are gone. Open a saved visit "
    "under Clips, or add your clips again.",
    "page.restarted",
)
_RESTARTED_EMPTY = Sentence(
    "The server was restarted. Nothing of yours was on it, so nothing is lost.", "page.restarted_empty"
)
_OVER = Sentence(
    "This visit had ended, and its clips and results were deleted. Open a saved visit under Clips, or add your clips again.",
    "page.visit_over",
)
_LINE_BACK = Sentence("The connection is back. This visit is as it was.", "page.line_back")
#: Codes of what is to be read before it goes.
_GONE = ("page.restarted", "page.visit_over")


class Act:
    """One thing a visitor did. Everything in it comes from outside: read it only through these methods.

    name: which handler is meant, e.g. ``"clips.remove"``
    """

    def __init__(self, sent: Any) -> None:
        self._sent: Mapping[str, Any] = wellformed.value(sent) if isinstance(sent, dict) else {}
        name = self._sent.get("act")
        self.name: str = name if isinstance(name, str) else ""

    def text(self, key: str, default: str = "") -> str:
        """What was typed, without blanks at its ends. Raises PageError if it is too long."""
        value = self._sent.get(key, default)
        value = value.strip() if isinstance(value, str) else default
        if len(value) > LIMITS.text:
            raise PageError(
                "This text is longer than {limit} characters. Shorten it.",
                code="page.text_too_long",
                limit=LIMITS.text,
            )
        return value

    def one_of(self, key: str, options: Collection[str]) -> str:
        """One of the options. Raises PageError otherwise."""
        value = self._sent.get(key)
        if not isinstance(value, str) or value not in options:
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number within limits. Raises PageError otherwise."""
        value = self.number(key, low, high)
        if value != int(value):
            raise _not_a_number(low, high)
        return int(value)

    def number(self, key: str, low: float, high: float) -> float:
        """A number within limits. Raises PageError otherwise."""
        try:
            value = float(self._sent.get(key))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise _not_a_number(low, high) from None
        if not low <= value <= high:
            raise _not_a_number(low, high)
        return value

    @property
    def drawn(self) -> int:
        """The last drawing that the page has; 0 for none, or for what is no number."""
        value = self._sent.get("drawn")
        return value if type(value) is int else 0

    @property
    def turn(self) -> int:
        """Which of the page's acts it is: the answer says it again, so that the page knows what has been answered; 0 for none,
        or for what is no number."""
        value = self._sent.get("turn")
        return value if type(value) is int else 0

    def flag(self, key: str) -> bool:
        return self._sent.get(key) in (True, "true", "on", "1")

    def has(self, key: str) -> bool:
        """Whether anything was sent under this name."""
        return bool(self._sent.get(key))

    def uploads(self) -> list[Upload]:
        return uploads_of(self._sent.get("files"))

    def discard(self) -> None:
        """Delete the files that came with it."""
        discard(self._sent.get("files"))


def _not_a_number(low: float, high: float) -> PageError:
    return PageError("Give a number from {low:g} to {high:g}.", code="page.not_a_number", low=low, high=high)


@dataclass(frozen=True)
class View:
    """A region of the page: its template, what fills it, the tab it stands in (None: always in sight), and what its text
    is of, where many visitors see the same."""

    template: str
    context: Context
    tab: str | None
    of: Of | None = None


Handler = Callable[[Visitor, Act], None]


class Wire:
    """All views and handlers of one page."""

    def __init__(self, visitors: Visitors, jobs: Jobs) -> None:
        self.visitors = visitors
        self.jobs = jobs
        self._views: dict[str, View] = {}
        self._standing: list[str] = []  # where each view stands, as HTML
        self._tabs: list[str] = []
        self._within: str | None = None
        self._arrivals: list[Callable[[Visitor, Mapping[str, str]], None]] = []
        self._openings: dict[str, Callable[[Visitor], None]] = {}
        self._texts: Once[tuple[str, str, Hashable], str] = Once(MOST_TEXTS)
        self.keeping = Keeping()
        self._handlers: dict[str, Handler] = {
            "page.language": _speak,
            "page.stop": _stop,
            "page.address": self._go,
            "page.undo": _undo,
            "page.stay": _stay,
        }

    @contextmanager
    def panel(self, tab: str) -> Iterator[None]:
        """The views put on the page within are drawn only while this tab is open."""
        self._tabs.append(tab)
        self._within = tab
        self._standing.append(f'<div class="mir-panel" id="panel-{tab}">')
        yield
        self._standing.append("</div>")
        self._within = None

    def view(
        self,
        name: str,
        context: Context,
        *,
        template: str | None = None,
        of: Of | None = None,
    ) -> None:
        """A region of the page, drawn from ``templates/<template>.html`` (its name's, if not given). Call it where the
        region should stand.

        context: quick (milliseconds) and without side effects, for it is called after every act
        of: what the text depends on besides the language, where many visitors see the same: it is rendered once for all of
            them. None for a visitor whose text has anything of their own
        """
        self._views[name] = View(f"{template or name}.html", context, self._within, of)
        # drawn by page.js, so that focus and sound survive
        self._standing.append(f'<div class="view" id="view-{name}" data-view="{name}"></div>')

    def on(self, act: str, handler: Handler) -> None:
        """Call ``handler(visitor, act)`` for acts of this name, under the visitor's lock. It may raise MirdemoError: then
        the files that came with the act are deleted."""
        if act in self._handlers:
            raise ValueError(f"two handlers for {act}")
        self._handlers[act] = handler

    def on_arrival(self, handler: Callable[[Visitor, Mapping[str, str]], None]) -> None:
        """Call ``handler(visitor, query)`` when a page is opened at an address with a query (``?metric=map``).

        The query comes from outside. A view that shows ``data-address="metric=map"`` writes it into the address
        while its tab is open, so that what is seen can be linked to.
        """
        self._arrivals.append(handler)

    def on_open(self, tab: str, handler: Callable[[Visitor], None]) -> None:
        """Call ``handler(visitor)`` under the visitor's lock when the tab comes into sight."""
        self._openings[tab] = handler

    def keeps(self, name: str, keeper: Keeper) -> None:
        """What a tab keeps of a visit when it is taken home, under a name of its own. See ``keeping``."""
        self.keeping.add(name, keeper)

    def draw_all(self, visitor: Visitor) -> None:
        """Draw every view once for nobody. Raises whatever drawing raises."""
        for view in self._views.values():
            render(view.template, visitor.speaker, view.context(visitor, visitor.speaker))

    def start(
        self,
        visitor: Visitor,
        name: str,
        work: Callable[[Progress], Any],
        take: Callable[[Any], None],
        *,
        resource: str = "model",
        unasked: bool = False,
        draft: Draft | None = None,
        renew: Callable[[], None] | None = None,
    ) -> Job:
        """Begin a long step from a handler. See ``Jobs.start``."""
        return self.jobs.start(
            visitor, name, work, take, resource=resource, unasked=unasked, draft=draft, renew=renew
        )

    def connect(self) -> None:
        """The last call while building: the views where they stand, and the wire itself."""
        first = {
            name: self._render(name, Visitor()) for name, view in self._views.items() if view.tab is None
        }
        gr.HTML(
            json.dumps(first, ensure_ascii=False),
            html_template="".join(self._standing),
            js_on_load=_PAGE_JS,
            apply_default_css=False,
            elem_id="page",
            elem_classes=["mir-page"],
        )
        token = gr.State(None)  # without an end: Gradio would count it from when it was given
        end = gr.HTML(
            "",
            html_template="",
            js_on_load=_WIRE_JS,
            apply_default_css=False,
            elem_id="wire",
        )
        end.act(
            self._answer,
            inputs=[token],
            outputs=[token, end],
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
            postprocess=False,
            api_visibility="private",
        )

    async def _answer(
        self, token: str | None, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        """Do an act and send what changed; while the visitor's jobs run, keep sending."""
        act, page = Act(event._data), request.session_hash or ""
        told: dict[str, Any] = {"turn": act.turn}
        if act.name == "page.hello":
            visitor = await run_sync(self._hello, act, page, request.headers.get("accept-language"))
            answer: str | None = visitor.token
            told |= {"token": visitor.token, "language": visitor.language}
        else:
            token = self._known(token, act)
            try:
                visitor = self.visitors.get(token, page, by_itself=act.name == "page.look")
            except PageError:
                yield [gr.skip(), _told(forgotten=True)]
                return
            # given anew: once a line was cut, Gradio keeps it for an hour from when it was given last
            answer = token
        visitor.known_to_hub = zero.TOKEN in request.headers
        visitor.address = sender(request)
        if act.name != "page.hello":
            await run_sync(self._do, visitor, act, page)
        drawn = _progress(visitor)  # looked at before drawing: what changes in between is drawn again
        looks = self._looks(visitor, page, act)
        if looks and any(active for active, *_ in drawn):
            told |= {"look": LOOK_SECONDS, "at": next(_drawings)}  # two equal answers would be one
        yield [answer, await run_sync(self._answered, visitor, page, act.drawn, told)]
        if looks or (page in visitor.watched_by and act.name != "page.look"):
            return
        mine = visitor.watched_by[page] = object()  # a look has heard nothing of an earlier one
        try:
            while visitor.watched_by.get(page) is mine:
                if page not in visitor.shown or visitor.shown[page].looks:  # closed, or it asks
                    return
                now = _progress(visitor)
                if now != drawn:
                    drawn = now
                    yield [gr.skip(), await run_sync(self._news, visitor, page)]
                elif not any(active for active, *_ in now):
                    return
                await _until_it_may_be_news(visitor, drawn)
        finally:
            if visitor.watched_by.get(page) is mine:
                del visitor.watched_by[page]

    def _known(self, token: str | None, act: Act) -> str | None:
        """A page's secret: what Gradio keeps of it, which forgets the pages that were used longest ago, else what the act says."""
        said = act._sent.get("token")
        kept = isinstance(token, str) and self.visitors.knows(token)
        return said if not kept and isinstance(said, str) else token

    def _looks(self, visitor: Visitor, page: str, act: Act) -> bool:
        """Whether a page looks for news by itself."""
        shown = visitor.shown.setdefault(page, Shown(self._tab(act)))
        if act.name == "page.look":
            shown.looked(act._sent.get("why"))
        self._close_oldest(visitor)  # an act that says whose it is opens a page as a hello does
        return shown.looks

    def _close_oldest(self, visitor: Visitor) -> None:
        """A visitor has so many pages, each with what it was sent last."""
        for oldest in list(visitor.shown)[:-MOST_PAGES]:
            self.visitors.leave(oldest)
            visitor.shown.pop(oldest, None)  # one that was closed while its act was answered, too

    def _hello(self, act: Act, page: str, languages: str | None) -> Visitor:
        """A page was opened or reloaded."""
        news = self._since(act)  # before it is somebody new
        visitor = self.visitors.arrive(act._sent.get("token"), page)
        with visitor.lock:
            if news is not None:
                _tell(visitor, news)
            asked = act._sent.get("language")
            if isinstance(asked, str) and asked in LANGUAGES:
                visitor.language = asked
            elif not visitor.greeted:  # a reload keeps what they read in
                visitor.language = choose(languages)
            visitor.greeted = True
            visitor.shown[page] = Shown(self._tab(act))
            query = _query(act._sent.get("address"))
            for handler in self._arrivals if query else ():
                handler(visitor, query)
            self._opened(visitor, self._tab(act))
        self._close_oldest(visitor)
        return visitor

    def _since(self, act: Act) -> Sentence | None:
        """What has become of the visit of a page that comes back, where it is not as it was or the line was cut."""
        token = act._sent.get("token")
        if not isinstance(token, str) or not token:
            return None
        if self.visitors.knows(token):
            return _LINE_BACK if act.has("cut") else None
        if self.visitors.is_ours(token):
            return _OVER if act.has("had") else None
        return _RESTARTED if act.has("had") else _RESTARTED_EMPTY if act.has("cut") else None

    def _go(self, visitor: Visitor, act: Act) -> None:
        """Back or forward was pressed: show what the address names."""
        query = _query(act._sent.get("address"))
        for handler in self._arrivals:
            handler(visitor, query)

    def _opened(self, visitor: Visitor, tab: str) -> None:
        if tab in self._openings:
            try:
                self._openings[tab](visitor)
            except Exception:  # what a tab prepares is a convenience: without it the tab still opens
                log.exception("opening %s", tab)

    def _tab(self, act: Act) -> str:
        """The tab an act was done in; the first one where it names none."""
        named = act._sent.get("tab")
        return named if named in self._tabs else self._tabs[0]

    def _do(self, visitor: Visitor, act: Act, page: str) -> None:
        with visitor.lock:
            if act.name == "page.open":
                visitor.shown.setdefault(page, Shown(self._tab(act))).tab = self._tab(act)
                self._opened(visitor, self._tab(act))
                return
            if act.name == "page.look":  # by itself: what was said and what can be taken back stay
                if act.has("cut"):
                    _tell(visitor, _LINE_BACK)
                return
            if not visitor.hears(page, act.turn):
                return
            visitor.notice = None
            handler = self._handlers.get(act.name)
            began = time.monotonic()
            outcome = "done"
            if act.name != "page.undo":
                visitor.undo = None
            try:
                if handler is None:
                    raise PageError(
                        "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
                    )
                handler(visitor, act)
            except MirdemoError as error:
                outcome = error.sentence.code
                visitor.tell(error.sentence, refusal=True)
            except Exception:
                outcome = UNEXPECTED.code
                log.exception("act %s", act.name)
                visitor.tell(UNEXPECTED, refusal=True)
            if outcome != "done":
                act.discard()
            event("act", act.name if handler else "unknown", outcome, took_s=time.monotonic() - began)

    def _answered(
        self, visitor: Visitor, page: str, drawn: int = 0, told: Mapping[str, Any] | None = None
    ) -> str:
        """What is sent: all that the page is not known to have drawn. drawn: the last drawing that it says it has"""
        return _told(**(told or {}), views=self._changed(visitor, page, drawn))

    def _news(self, visitor: Visitor, page: str) -> str:
        """What is sent to a page that asked before: what changed since the last answer to it, and ``after``, the drawing
        that this comes next to. A page that has not got that one asks for it (any act tells what it has drawn)."""
        with visitor.lock:
            shown = visitor.shown.get(page)
            if shown is None:  # closed just now
                return _told(views={})
            after = max((number for number, _ in shown.sent.values()), default=0)
            sent = self._changed(visitor, page)
        return _told(after=after, views={name: one for name, one in sent.items() if one[0] > after})

    def _changed(self, visitor: Visitor, page: str, drawn: int = 0) -> dict[str, tuple[int, str]]:
        """View -> its drawing's number and its text, for views in sight that differ from what is on the page.

        Gradio may hand the page only the last of two answers that come close together, so what was sent is sent again
        until the page says that it has drawn it.
        """
        with visitor.lock:
            number = next(_drawings)
            shown = visitor.shown.setdefault(page, Shown(self._tabs[0]))
            shown.sent = {name: one for name, one in shown.sent.items() if one[0] > drawn}
            for name, view in self._views.items():
                if view.tab not in (None, shown.tab):
                    continue
                text = self._render(name, visitor)
                mark = hashlib.sha256(text.encode()).hexdigest()
                if shown.marks.get(name) != mark:
                    shown.sent[name] = number, text
                shown.marks[name] = mark
            return shown.sent

    def _render(self, name: str, visitor: Visitor) -> str:
        view, speaker = self._views[name], visitor.speaker
        try:
            of = None if view.of is None else view.of(visitor, speaker)
            if of is None:
                return _rendered(view, visitor, speaker)
            key = (name, speaker.language, of)
            return self._texts.get(key, lambda: _rendered(view, visitor, speaker))
        except Exception:
            log.exception("view %s", name)
            return render("broken.html", speaker, {})


def _tell(visitor: Visitor, news: Sentence) -> None:
    """What has become of a visit while its page was away. That nothing has hides neither what was refused or failed meanwhile
    nor what can be taken back."""
    gone = news.code in _GONE
    if gone or (visitor.undo is None and not (visitor.notice is not None and visitor.notice.refusal)):
        visitor.tell(news, refusal=gone, goes="clips" if gone else None)


def _told(**answer: Any) -> str:
    """An answer as text: of two objects that differ Gradio's page may see one that has not changed."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _rendered(view: View, visitor: Visitor, speaker: Speaker) -> str:
    return wellformed.text(render(view.template, speaker, view.context(visitor, speaker)))


def _query(address: Any) -> dict[str, str]:
    """The query of an address as the browser sent it; empty where it is none or too long."""
    if not isinstance(address, str) or len(address) > 2000:
        return {}
    try:
        return dict(parse_qsl(address, max_num_fields=30))
    except ValueError:
        return {}


def _progress(visitor: Visitor) -> list[tuple]:
    """How far each job is; equal if there is nothing new to draw."""
    return [
        (job.active, job.name, job.state, job.phase, job.done, job.total, job.draft.count)
        for job in list(visitor.jobs.values())
    ]


async def _until_it_may_be_news(visitor: Visitor, drawn: list[tuple]) -> None:
    """Wait as long as nobody needs to be told more often how far a job is; that one has ended is told sooner, and when all
    have there is nothing to wait for."""
    under_way = [active for active, *_ in drawn]
    until = time.monotonic() + WATCH_SECONDS
    while any(under_way) and time.monotonic() < until:
        await asyncio.sleep(END_SECONDS)
        if [active for active, *_ in _progress(visitor)] != under_way:
            return


def _speak(visitor: Visitor, act: Act) -> None:
    visitor.language = act.one_of("language", LANGUAGES)


def _undo(visitor: Visitor, act: Act) -> None:
    visitor.take_back_last()
    visitor.tell(Sentence("Taken back.", "page.undone"))


def _stay(visitor: Visitor, act: Act) -> None:
    """The visit's time begins anew, and that of uploads that wait until the last of their drop is here."""
    for one in act.uploads() if act.has("files") else ():
        one.renew()


def _stop(visitor: Visitor, act: Act) -> None:
    visitor.jobs[act.one_of("job", visitor.jobs)].cancel()
