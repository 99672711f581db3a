"""What stands before every request: only known addresses answer, calls are looked over, answers carry their headers.

Gradio serves some eighty addresses; the page and ``gradio_client`` need those below and our own. The others (its
file server and proxy, deep links that write a visit to disk, descriptions, histories, streams, servers of components)
are not found here. Requests that cost are counted by sender, and the queue keeps room for the page's own acts.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame import headers
from mirdemo.web.frame.answering import refusal, sender
from mirdemo.web.frame.calls import NO_CALL, looked_over
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import UNEXPECTED
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.rates import OWN_RATES, Rates
from mirdemo.web.frame.receiving import ADDRESS as UPLOADS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

_READ = ("GET", "HEAD")
#: Gradio's addresses that are open, and how they are asked.
OPEN = (
    (_READ, r"/"),
    (_READ, r"/(assets|static|svelte)/[^\0]*"),
    (_READ, r"/(theme\.css|manifest\.json|favicon\.ico|robots\.txt|config)"),
    (_READ, r"/gradio_api/(info|theme\.css|startup-events|app_id)/?"),
    (_READ, r"/gradio_api/heartbeat/[A-Za-z0-9_-]{1,64}"),
    (_READ, r"/gradio_api/queue/data"),
    (_READ, r"/gradio_api/call/(v2/)?[a-z_]{1,40}/[A-Za-z0-9_-]{1,64}"),
    (("POST",), r"/gradio_api/queue/join"),
    (("POST",), r"/gradio_api/call/(v2/)?[a-z_]{1,40}/?"),
    (("POST",), r"/gradio_api/(cancel|reset)/?"),
)
#: Files made at the same time; others wait, so that the page's acts find a core.
FILES_AT_ONCE = 2
#: When to come back where everybody's calls fill their part of the queue.
BUSY_SECONDS = 10.0
_CALLS = re.compile(r"/gradio_api/(queue/join|call/.*|cancel|reset)/?")
_DIRECT = "/gradio_api/call/"
_NAMED = re.compile(r"/gradio_api/call/(?P<by_name>v2/)?(?P<endpoint>[a-z_]+)/?")
_TOLD = re.compile(r"/gradio_api/(queue/data|call/(v2/)?[a-z_]+/(?P<call>[A-Za-z0-9_-]+))")
_HEARTBEAT = "/gradio_api/heartbeat/"
_BODY = re.compile(rb"<body\b[^>]*>")
_LISTEN = re.compile(r"/(listen|long)/(?P<key>[^/]+)/")


_NOTHING_TOLD = Sentence(
    "Of this call nothing is told (any more). Call again; the answer is told once, to whoever asks first.",
    "page.nothing_told",
)


@dataclass(frozen=True)
class Queue:
    """What is to be known of Gradio's queue.

    inputs: how many values each function takes, by index;  endpoints: those that are called by programs
    waiting: how many calls of endpoints wait;  length: how many of all;  near: how many of them from an address
    parameters: name of an endpoint -> its parameters in their order, and whether each may be left out
    awaited: whether anything may still be told to a session, or of a call if it is named
    """

    inputs: Mapping[int, int]
    endpoints: frozenset[int]
    waiting: int
    length: int = 0
    near: Callable[[str], int] = lambda sender: 0
    parameters: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    awaited: Callable[[str, str | None], bool] = lambda session, call: True


class Guard:
    """An ASGI middleware.

    routes: what we serve ourselves, beside Gradio;  files: those of them that take a while to make
    queue: asked at each call;  top: what the page's body begins with
    beating: entered for as long as the heartbeat of a page is heard
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[Route],
        files: Sequence[Route],
        queue: Callable[[], Queue],
        top: str = "",
        beating: Callable[[str], AbstractContextManager[Any]] = nullcontext,
        rates: Rates | None = None,
        own_rates: Rates | None = None,
        max_message: int = LIMITS.message_bytes,
    ) -> None:
        self._app = app
        self._open = [(methods, re.compile(pattern)) for methods, pattern in OPEN]
        self._own = [(route.methods or set(), route.path_regex) for route in routes]
        self._files = [route.path_regex for route in files]
        self._making = anyio.Semaphore(FILES_AT_ONCE)
        self._queue = queue
        self._top = top
        self._beating = beating
        self._rates = rates or Rates()
        self._own_rates = own_rates or Rates(OWN_RATES)
        self._max_message = max_message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no address of ours speaks websocket
        from starlette._utils import get_route_path
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse

        path, method = get_route_path(scope), scope["method"]
        send = _with_headers(send, self._top if path == "/" else None)
        request = Request(scope, receive)
        own = any(method in methods and pattern.match(path) for methods, pattern in self._own)
        if not own and not any(
            method in methods and pattern.fullmatch(path) for methods, pattern in self._open
        ):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        elif method == "POST" and _CALLS.fullmatch(path):
            await self._call(request, path, send)
        elif own:
            await self._ours(request, path, receive, send)
        elif told := _TOLD.fullmatch(path):
            session = request.query_params.get("session_hash", "")
            # nothing is awaited: Gradio would end in an error after it has begun
            known = self._queue().awaited(session, told["call"])
            await (self._app if known else refusal(request, _NOTHING_TOLD, 404))(scope, receive, send)
        elif path.startswith(_HEARTBEAT):
            with self._beating(path.removeprefix(_HEARTBEAT)):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _ours(self, request: Request, path: str, receive: Receive, send: Send) -> None:
        """Hand on what we serve ourselves, if it is not asked for too often."""
        made = next((match for pattern in self._files if (match := pattern.match(path))), None)
        heard = _LISTEN.match(path)
        kind = "file" if made else "listen" if heard else "upload" if path == UPLOADS else None
        found = made or heard
        key = found.groupdict().get("key", "") if found else ""
        if kind is not None and (late := self._too_often(request, kind, key)):
            await _later(request, *late, send)
        elif made:
            await self._file(request, receive, send)
        else:
            await self._app(request.scope, receive, send)

    def _too_often(self, request: Request, kind: str, visitor: str = "") -> tuple[Sentence, float] | None:
        """Why it is too early and for how long, None if it may go on: then it is counted.

        visitor: who it is behind the address, as far as the request says
        """
        if visitor and kind in OWN_RATES and (wait := self._own_rates.ask(visitor[:64], kind)):
            return _too_often_own(wait), wait
        wait = self._rates.ask(sender(request), kind)
        return (_too_often(wait), wait) if wait else None

    async def _file(self, request: Request, receive: Receive, send: Send) -> None:
        """Let a file be made, few at a time. Sending it holds no place: a slow line would hold it long."""
        await self._making.acquire()
        held = True

        async def begun(message: Message) -> None:
            nonlocal held
            if held:
                held = False
                self._making.release()
            await send(message)

        try:
            await self._app(request.scope, receive, begun)
        finally:
            if held:
                self._making.release()

    async def _call(self, request: Request, path: str, send: Send) -> None:
        """Hand a call on once it is looked over, or refuse it."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self._max_message:
                return await refusal(request, _too_long(self._max_message), 413)(
                    request.scope, request.receive, send
                )
        queue = self._queue()
        try:
            body, call = looked_over(body, queue.inputs)
        except PageError as error:
            return await refusal(request, error.sentence, 400)(request.scope, request.receive, send)
        told = call.get("event_data")
        language = told.get("speaks") if isinstance(told, dict) else None
        later = partial(_later, request, language=language)
        if path.startswith((_DIRECT, "/gradio_api/queue/join")):
            of_page = not path.startswith(_DIRECT) and call.get("fn_index") not in queue.endpoints
            near = 0 if of_page else queue.near(sender(request))
            most = LIMITS.waiting_calls
            if not of_page and (queue.waiting >= most or near >= most - most // 4):
                return await later(_busy(queue.waiting), BUSY_SECONDS, send)
            hello = of_page and isinstance(told, dict) and told.get("act") == "page.hello"
            kind = "visit" if hello else "act" if of_page else "call"
            if late := self._too_often(request, kind, str(call.get("session_hash") or "") if of_page else ""):
                return await later(*late, send)
        if not fits(call, path, queue):
            return await _in_words(request, NO_CALL, 400, language)(send)
        no_call = _in_words(request, NO_CALL, 400, language)
        answers = _Answers(
            send,
            {
                503: partial(later, _busy(queue.length), BUSY_SECONDS),
                **dict.fromkeys((400, 404, 422), no_call),
                500: _in_words(request, UNEXPECTED, 500, language),
            },
        )
        try:
            await self._app(_of_length(request.scope, len(body)), _once(body, request.receive), answers)
        except Exception:
            log.exception("call")
            await answers.fail()


async def _later(
    request: Request, why: Sentence, seconds: float, send: Send, language: object = None
) -> None:
    answer = refusal(request, why, 429, language)
    answer.headers["Retry-After"] = str(math.ceil(seconds))
    await answer(request.scope, request.receive, send)


def fits(call: Mapping[str, Any], path: str, queue: Queue) -> bool:
    """Whether Gradio can begin anything with a call: else it fails there without a word for who calls, and quotes the call in the log."""
    named = _NAMED.fullmatch(path)
    if named is None:
        joins = path.startswith("/gradio_api/queue/join")
        return not joins or (type(call.get("fn_index")) is int and isinstance(call.get("session_hash"), str))
    if (parameters := queue.parameters.get(named["endpoint"])) is None:
        return False
    if not named["by_name"]:
        data = call.get("data")
        return isinstance(data, list) and len(data) == len(parameters)
    return call.keys() <= parameters.keys() and all(
        optional or name in call for name, optional in parameters.items()
    )


def _in_words(
    request: Request, why: Sentence, status: int, language: object
) -> Callable[[Send], Awaitable[None]]:
    async def answer(send: Send) -> None:
        await refusal(request, why, status, language)(request.scope, request.receive, send)

    return answer


class _Answers:
    """What Gradio sends to a call. Its refusals, which are English alone or no sentence, become ours.

    instead: status -> what is sent for it
    """

    def __init__(self, send: Send, instead: Mapping[int, Callable[[Send], Awaitable[None]]]) -> None:
        self._send = send
        self._instead = instead
        self._begun = self._ours = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            if message["status"] in self._instead:
                self._ours = True
                await self._instead[message["status"]](self._send)
        if not self._ours:
            await self._send(message)

    async def fail(self) -> None:
        """It has broken down, and may have sent nothing."""
        if not self._begun:
            await self._instead[500](self._send)


def _with_headers(send: Send, top: str | None) -> Send:
    """The page waits until it is whole, for its body begins with ours and its policy names the scripts in it; the rest goes out
    as it comes.

    top: of the page, None for what is no page
    """
    held: list[Message] = []

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            if top is not None and _is(b"text/html", message):
                held.append(message)
                return
            _put(
                message, headers.of_rest() | (headers.OF_EVENTS if _is(b"text/event-stream", message) else {})
            )
        elif held and message["type"] == "http.response.body":
            held.append(message)
            if message.get("more_body", False):
                return
            page = b"".join(part.get("body", b"") for part in held[1:])
            if page:  # none where only its head was asked for
                page = _BODY.sub(lambda begins: begins[0] + (top or "").encode(), page, count=1)
                held[0]["headers"] = _with_length(held[0]["headers"], len(page))
            _put(held[0], headers.of_page(page))
            await send(held[0])
            await send({"type": "http.response.body", "body": page})
            held.clear()
            return
        await send(message)

    return with_headers


def _is(kind: bytes, start: Message) -> bool:
    return any(name.lower() == b"content-type" and kind in value for name, value in start["headers"])


def _put(start: Message, more: Mapping[str, str]) -> None:
    """Add headers, but for those that the answer has set more strictly for itself."""
    there = {name.lower() for name, _ in start["headers"]}
    added = [(n.lower().encode(), v.encode()) for n, v in more.items() if n.lower().encode() not in there]
    start["headers"] = [*start["headers"], *added]


def _of_length(scope: Scope, length: int) -> Scope:
    return {**scope, "headers": _with_length(scope["headers"], length)}


def _with_length(known: Sequence[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in known if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]


def _once(body: bytes, receive: Receive) -> Receive:
    """A request whose body is here already; after it, what the connection says (that it is closed)."""
    said = False

    async def again() -> Message:
        nonlocal said
        if said:
            return await receive()
        said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_long(most: int) -> Sentence:
    return Sentence(
        "This call is longer than {megabytes} MB. Send files as uploads, and less text.",
        "page.call_too_long",
        {"megabytes": most // 2**20},
    )


def _too_often(seconds: float) -> Sentence:
    return Sentence(
        "More was asked from your address than this server answers at once. Try again in {seconds} s.",
        "page.too_often",
        {"seconds": math.ceil(seconds)},
    )


def _too_often_own(seconds: float) -> Sentence:
    return Sentence(
        "You asked for more than this server answers one visitor at once. Try again in {seconds} s.",
        "page.too_often_own",
        {"seconds": math.ceil(seconds)},
    )


def _busy(waiting: int) -> Sentence:
    return Sentence(
        "{n} calls are waiting on this server already. Try again in {seconds} s.",
        "page.calls_waiting",
        {"n": waiting, "seconds": math.ceil(BUSY_SECONDS)},
    )
