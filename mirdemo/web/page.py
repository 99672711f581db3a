"""The page: its head, its tabs in order, its foot; and how it is served.

A tab is a module with a ``TAB``; to add one, name it in ``TABS``.
"""

from __future__ import annotations

import inspect
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import gradio as gr

from mirdemo import __version__
from mirdemo.backbones.registry import spec
from mirdemo.base import importing
from mirdemo.base.build import commit
from mirdemo.evidence import drawing
from mirdemo.sound.decoding.limits import LONG_LIMITS
from mirdemo.web.frame import chart_script, upload_folder
from mirdemo.web.frame.answering import sender
from mirdemo.web.frame.endpoints import CALLS
from mirdemo.web.frame.guard import Guard, Queue
from mirdemo.web.frame.health import health_route
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.log import event, write_to_stderr
from mirdemo.web.frame.player import listen_route
from mirdemo.web.frame.receiving import upload_route
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.sweeping import keep_swept
from mirdemo.web.frame.tab import Tab
from mirdemo.web.frame.templating import compile_all
from mirdemo.web.frame.theme import theme, top
from mirdemo.web.frame.wire import Wire
from mirdemo.web.tabs.about import tab as about_tab
from mirdemo.web.tabs.clips import long_routes, visits
from mirdemo.web.tabs.clips import tab as clips_tab
from mirdemo.web.tabs.evidence import tab as evidence_tab
from mirdemo.web.tabs.fewshot import over_time, own_tagger
from mirdemo.web.tabs.fewshot import tab as fewshot_tab
from mirdemo.web.tabs.finetune import tab as finetune_tab
from mirdemo.web.tabs.plan import tab as plan_tab
from mirdemo.web.tabs.probe import tab as probe_tab
from mirdemo.words.glossary import finds_terms, terms
from mirdemo.words.language import LANGUAGES, Speaker

TABS: tuple[Tab, ...] = (
    evidence_tab.TAB,
    clips_tab.TAB,
    probe_tab.TAB,
    finetune_tab.TAB,
    fewshot_tab.TAB,
    plan_tab.TAB,
    about_tab.TAB,
)

#: Pages that Gradio remembers, each with all that it shows (up to a megabyte), closed ones too. A page that is forgotten
#: comes back with its visitor's secret.
SESSIONS = 400

#: The first page is served before what it does not need is loaded.
READY_SECONDS = 1.0


def build_page(visitors: Visitors, jobs: Jobs, tabs: tuple[Tab, ...] = TABS) -> gr.Blocks:
    """The whole page. Imports neither torch nor transformers."""
    wire = Wire(visitors, jobs)
    with gr.Blocks(
        title="mirdemo",
        analytics_enabled=False,
        fill_width=True,
    ) as page:
        wire.view("head", lambda visitor, t: _where(visitor, tabs))
        for tab in tabs:
            with wire.panel(tab.name):
                tab.build(wire)
        wire.view("foot", _foot)
        wire.view("glossary", _glossary, of=lambda visitor, t: True)  # a language's own, and sent once
        wire.connect()
    page.queue(max_size=256, default_concurrency_limit=8, api_open=False)
    return page


def _glossary(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    """What the terms' sentences are, and what finds terms in a card."""
    return {"glossary": terms(t.language), "finds_terms": finds_terms(t.language)}


def _foot(visitor: Visitor, t: Speaker) -> Mapping[str, Any]:
    """A message if there is one, which version this is, and whether the visit has an end."""
    return {
        "notice": visitor.notice,
        "version": __version__,
        "commit": commit(),
        "ends": len(visitor.clips) > 0,
        "limits": LIMITS,
    }


def serve(**launch: Any) -> None:
    """Serve the page until the process ends. Gradio reads ``GRADIO_SERVER_NAME`` and ``GRADIO_SERVER_PORT``."""
    importing.one_at_a_time()  # from here on there are threads; before, it would only cost (.1 to .2 s of a core, n = 10)
    write_to_stderr()
    port = _port()
    uploads = upload_folder.begin()  # before Gradio asks where files lie
    visitors = Visitors()
    jobs = Jobs()
    keep_swept(visitors.sweep, jobs.renew_waiting, uploads.sweep)
    page = build_page(visitors, jobs)
    _no_hot_reload()
    event("page", "served", "begins")
    make_ready(lambda: page.is_running)
    page.launch(**{"server_port": port} | settings(page, visitors, jobs) | launch)


def _no_hot_reload() -> None:
    """On a Space, Gradio 6.31.0 would open a second server, on port 7887 of every interface, which writes what code it is sent into the
    working folder and runs it; who changes a Space pushes to it. For it ``spaces`` 0.51.3 asks at each import for the module's parent
    while it holds the lock of all imports: two threads that import at once can wait for each other for ever, the page with them."""
    from gradio import http_server

    http_server.get_space = lambda: None  # nothing else there asks whether this is one


def make_ready(served: Callable[[], bool], after: float = READY_SECONDS) -> threading.Thread:
    """Do in the background what the first visitors would wait for, all at once: compile the templates when the page is served
    (before, it would take half a second from that) and, ``after`` seconds later, load the first backbone, make the
    demonstration set and draw the evidence of another metric. These take seconds of a core, so that
    ``MIRDEMO_READY=0`` leaves them to whoever asks first."""

    def run() -> None:
        while not served():
            time.sleep(0.1)
        compile_all()
        if os.environ.get("MIRDEMO_READY") == "0":
            return
        time.sleep(after)
        clips_tab.get_ready(Visitor())
        drawing.get_ready()

    thread = threading.Thread(target=run, name="mirdemo-ready", daemon=True)
    thread.start()
    return thread


def _port() -> int | None:
    """The port that the host has set and no other: Gradio would take the next free one, where nobody looks for the page.
    Ends the process with a sentence where it cannot be had."""
    told = os.environ.get("GRADIO_SERVER_PORT", "")
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and 0 < int(told) < 65_536):
        sys.exit("GRADIO_SERVER_PORT is no port. Give a number from 1 to 65535, or none.")
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just ended is no matter
        try:
            tried.bind(("127.0.0.1", int(told)))
        except OSError as error:
            sys.exit(f"Port {told} is taken ({error.strerror}). Set GRADIO_SERVER_PORT to another one.")
    return int(told)


def settings(page: gr.Blocks, visitors: Visitors, jobs: Jobs) -> dict[str, Any]:
    """How the page is launched: our routes, what stands before all of them, and nothing that Gradio adds of its own."""
    from starlette.middleware import Middleware

    made = files(visitors)
    own = [*made, *routes(visitors, jobs)]
    guard = Middleware(
        Guard, routes=own, files=made, queue=lambda: _queue(page), top=top(), beating=visitors.beating
    )
    closed = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    return {
        "theme": theme(),
        "ssr_mode": False,
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,  # else the browser's own store keeps every call, for whoever sits there next
        "pwa": False,
        "state_session_capacity": SESSIONS,
        "max_file_size": LONG_LIMITS.max_bytes,
        "allowed_paths": [],
        "footer_links": [],
        "share": False,
        "app_kwargs": {"routes": own, "middleware": [guard], **closed},
    }


def _queue(page: gr.Blocks) -> Queue:
    inputs = {index: len(function.inputs) for index, function in page.fns.items()}
    endpoints = frozenset(i for i, function in page.fns.items() if function.api_visibility == "public")
    calls = page._queue.event_queue_per_concurrency_id.get(CALLS)
    waiting = [] if calls is None else list(calls.queue)

    def near(address: str) -> int:
        return sum(sender(call.request) == address for call in waiting)

    def awaited(session: str, call: str | None) -> bool:
        under_way, of_sessions = page._queue.event_ids_to_events, page._queue.pending_event_ids_session
        if call in under_way or (call and any(call in calls for calls in list(of_sessions.values()))):
            return True
        return (call or session) in page._queue.pending_messages_per_session

    parameters = {str(page.fns[i].api_name): _parameters(page.fns[i].fn) for i in endpoints}
    return Queue(inputs, endpoints, len(waiting), len(page._queue), near, parameters, awaited)


@cache
def _parameters(endpoint: Callable[..., Any]) -> Mapping[str, bool]:
    """Those of an endpoint, and whether each may be left out."""
    known = inspect.signature(endpoint).parameters.values()
    return {one.name: one.default is not inspect.Parameter.empty for one in known}


def _where(visitor: Visitor, tabs: tuple[Tab, ...]) -> Mapping[str, Any]:
    """What the head shows: where the visitor is and what comes next."""
    clips, steps = visitor.clips, [tab for tab in tabs if tab.step]
    backbone = spec(visitor.backbone)
    following = next((tab for tab in steps if tab.done is not None and not tab.done(visitor)), None)
    at_once = (tab for tab in steps if tab.at_once and clips.tags and not tab.done(visitor))
    numbers = {tab.name: number for number, tab in enumerate(steps, start=1)}
    return {
        "answered": bool(visitor.shown),
        "languages": LANGUAGES,
        "clips": len(clips),
        "tags": len(clips.tags),
        "recordings": len(set(clips.counted)),
        "backbone": backbone,
        "next": following,
        "at_once": next((tab for tab in at_once if tab is not following), None),
        "tabs": [{"name": tab.name, "label": tab.label, "number": numbers.get(tab.name)} for tab in tabs],
    }


def files(visitors: Visitors, tabs: tuple[Tab, ...] = TABS) -> list[Any]:
    """Reports, tables and taggers, each made when it is asked for."""
    of_tabs = [route for tab in tabs if tab.routes is not None for route in tab.routes()]
    taggers = [tab.download_route(visitors) for tab in (fewshot_tab, finetune_tab)]
    own = evidence_tab.download_routes_of(visitors)
    sheet, visit = clips_tab.download_route(visitors), visits.download_route(visitors)
    plans = plan_tab.download_routes(visitors)
    tables = [own_tagger.sheet_route(visitors), over_time.route(visitors)]
    return [sheet, visit, *tables, *taggers, *own, *plans, *of_tabs]


def routes(visitors: Visitors, jobs: Jobs) -> list[Any]:
    """What else is served beside the page itself."""
    own = [upload_route(), listen_route(visitors.sounds), chart_script.route(), health_route(visitors, jobs)]
    return [*own, *long_routes.routes(visitors)]
