"""How the page and the server speak: one message up (an act), changed regions down (views).

The page is a function of the visitor. What a visitor does becomes an ``Act`` (its name and what was typed or chosen), sent by
``static/hands.js`` for every element with ``data-act``. A handler changes the visitor; then the views in sight that have changed are
sent, all in one text: an output a view costs Gradio a component each, 32 ms of its event loop for sixteen (mean of 20). For
the same reason all views stand in one component: Gradio's script takes longer to mount each than the page takes to fill it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import gradio as gr
from anyio.to_thread import run_sync

from mirdemo.base.progress import Progress
from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.web import zero
from mirdemo.web.frame import news
from mirdemo.web.frame.act import Act, address_query
from mirdemo.web.frame.answering import sender
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Draft, Job
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.keeping import Keeper, Keeping
from mirdemo.web.frame.log import event
from mirdemo.web.frame.session import MOST_PAGES, Shown, Visitor, Visitors
from mirdemo.web.frame.views import Views, drawings
from mirdemo.words.language import LANGUAGES, choose

log = logging.getLogger(__name__)

#: Seconds between two looks at a running job.
WATCH_SECONDS = 0.25
#: And whether one has ended.
END_SECONDS = 0.04

#: Seconds after which a page that hears nothing before the last answer looks again.
LOOK_SECONDS = 3

_WIRE_JS = "mirdemo.connect((act) => trigger('act', act)); watch('value', () => mirdemo.heard(props.value));"
_PAGE_JS = "mirdemo.stand(element, JSON.parse(props.value));"


Handler = Callable[[Visitor, Act], None]


class Wire:
    """All views and handlers of one page."""

    def __init__(self, visitors: Visitors, jobs: Jobs) -> None:
        self.visitors = visitors
        self.jobs = jobs
        self.views = Views()
        self.panel, self.view, self.draw_all = self.views.panel, self.views.put, self.views.draw_all
        self._arrivals: list[Callable[[Visitor, Mapping[str, str]], None]] = []
        self._openings: dict[str, Callable[[Visitor], None]] = {}
        self.keeping = Keeping()
        self._handlers: dict[str, Handler] = {
            "page.language": _speak,
            "page.stop": _stop,
            "page.address": self._go,
            "page.undo": _undo,
            "page.stay": _stay,
            "page.unsend": _unsend,
        }

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
        gr.HTML(
            json.dumps(self.views.at_first(), ensure_ascii=False),
            html_template="".join(self.views.standing),
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
            told |= {"look": LOOK_SECONDS, "at": next(drawings)}  # two equal answers would be one
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
        said = act.sent("token")
        kept = isinstance(token, str) and self.visitors.knows(token)
        return said if not kept and isinstance(said, str) else token

    def _looks(self, visitor: Visitor, page: str, act: Act) -> bool:
        """Whether a page looks for news by itself."""
        shown = visitor.shown.setdefault(page, Shown(self._tab(act)))
        if act.name == "page.look":
            shown.looked(act.sent("why"))
        self._close_oldest(visitor)  # an act that says whose it is opens a page as a hello does
        return shown.looks

    def _close_oldest(self, visitor: Visitor) -> None:
        """A visitor has so many pages, each with what it was sent last."""
        for oldest in list(visitor.shown)[:-MOST_PAGES]:
            self.visitors.leave(oldest)
            visitor.shown.pop(oldest, None)  # one that was closed while its act was answered, too

    def _hello(self, act: Act, page: str, languages: str | None) -> Visitor:
        """A page was opened or reloaded."""
        become = news.since(self.visitors, act)  # before it is somebody new
        visitor = self.visitors.arrive(act.sent("token"), page)
        with visitor.lock:
            if become is not None:
                news.tell(visitor, become)
            asked = act.sent("language")
            if isinstance(asked, str) and asked in LANGUAGES:
                visitor.language = asked
            elif not visitor.greeted:  # a reload keeps what they read in
                visitor.language = choose(languages)
            visitor.greeted = True
            visitor.shown[page] = Shown(self._tab(act))
            query = address_query(act.sent("address"))
            for handler in self._arrivals if query else ():
                handler(visitor, query)
            self._opened(visitor, self._tab(act))
        self._close_oldest(visitor)
        return visitor

    def _go(self, visitor: Visitor, act: Act) -> None:
        """Back or forward was pressed: show what the address names."""
        query = address_query(act.sent("address"))
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
        return self.views.tab(act.sent("tab"))

    def _do(self, visitor: Visitor, act: Act, page: str) -> None:
        with visitor.lock:
            if act.name == "page.open":
                visitor.shown.setdefault(page, Shown(self._tab(act))).tab = self._tab(act)
                self._opened(visitor, self._tab(act))
                return
            if act.name == "page.look":  # by itself: what was said and what can be taken back stay
                if act.has("cut"):
                    news.tell(visitor, news.LINE_BACK)
                return
            if not visitor.hears(page, act.turn):
                return
            if act.name not in ("page.stay", "page.unsend"):  # a page says so by itself while it sends files
                visitor.notice = None
            handler = self._handlers.get(act.name)
            began = time.monotonic()
            outcome = "done"
            if act.name not in ("page.undo", "page.stay", "page.unsend"):
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
        return _told(**(told or {}), views=self.views.changed(visitor, page, drawn))

    def _news(self, visitor: Visitor, page: str) -> str:
        """What is sent to a page that asked before."""
        new = self.views.news(visitor, page)
        return _told(views={}) if new is None else _told(after=new[0], views=new[1])


def _told(**answer: Any) -> str:
    """An answer as text: of two objects that differ Gradio's page may see one that has not changed."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


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


def _unsend(visitor: Visitor, act: Act) -> None:
    """Sending was stopped, or broke off: what had arrived by then is asked for by nobody."""
    act.discard()


def _stop(visitor: Visitor, act: Act) -> None:
    visitor.jobs[act.one_of("job", visitor.jobs)].cancel()
