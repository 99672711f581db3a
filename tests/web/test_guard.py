"""What stands before every request: addresses, headers, calls, rates. On the page's real app."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import gradio.routes
import httpx
import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from waiting import PATIENCE, until

from mirdemo.web.frame import headers
from mirdemo.web.frame.endpoints import CALLS
from mirdemo.web.frame.guard import FILES_AT_ONCE, Guard, Queue
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.rates import OWN_RATES, RATES, Rate, Rates
from mirdemo.web.frame.theme import top
from mirdemo.web.page import _queue

JOIN = "/gradio_api/queue/join"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The page as it is served, on a port of this machine."""
    from mirdemo.web.frame.jobs import Jobs
    from mirdemo.web.frame.session import Visitors
    from mirdemo.web.page import build_page, settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        visitors, jobs = Visitors(), Jobs()
        page = build_page(visitors, jobs)
        page.launch(
            prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **settings(page, visitors, jobs)
        )
        yield page
        page.close(verbose=False)


@pytest.fixture
def client(page: gr.Blocks) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page.local_url, timeout=PATIENCE) as client:
        yield client


def served(page: gr.Blocks) -> set[tuple[str, str]]:
    """Every address of Gradio's and of ours, as (method, an address of that form)."""
    source = inspect.getsource(gradio.routes)
    found = re.findall(r'@(app|router)\.(get|post|head)\(\s*f?"([^"]*)"', source)
    assert len(found) > 60, "Gradio's addresses were not found: this test shows nothing"
    addresses = {
        (method.upper(), ("/gradio_api" if on == "router" else "") + path) for on, method, path in found
    }
    for route in page.app.routes:
        addresses |= {
            (method, getattr(route, "path", "")) for method in getattr(route, "methods", None) or ()
        }
    return {(method, re.sub(r"\{[^}]*\}", "x", path)) for method, path in addresses}


#: Everything that answers. A new version of Gradio may bring new addresses: they stay shut until they are named here.
ANSWERS = {
    "/", "/assets/x", "/static/x", "/svelte/x", "/theme.css", "/manifest.json", "/favicon.ico", "/robots.txt", "/config",
    "/gradio_api/info", "/gradio_api/info/", "/gradio_api/theme.css", "/gradio_api/startup-events", "/gradio_api/app_id",
    "/gradio_api/app_id/", "/gradio_api/heartbeat/x", "/gradio_api/queue/data", JOIN, "/gradio_api/upload",
    "/gradio_api/call/x", "/gradio_api/call/x/", "/gradio_api/call/v2/x", "/gradio_api/call/v2/x/", "/gradio_api/call/x/x",
    "/gradio_api/call/v2/x/x", "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/reset/",
    "/listen/x/x", "/assets/plotly.min.js", "/healthz",
}  # fmt: skip


def test_only_what_the_page_and_its_callers_need_answers(page: gr.Blocks):
    seen: list[str] = []

    async def beneath(scope, receive, send) -> None:
        seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = next(m for m in page.app.user_middleware if m.cls is Guard)
    within = TestClient(Guard(beneath, **guard.kwargs))
    for method, path in served(page):
        within.request(method, path, json={} if method == "POST" else None)
    ours = re.compile(r"/(clips|long|few-shot|fine-tune|evidence|plan)/")
    assert {path for path in seen if not ours.match(path)} <= ANSWERS


@pytest.mark.parametrize(
    "path",
    [
        "/openapi.json",
        "/docs",
        "/redoc",
        "/gradio_api/openapi.json",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=http://127.0.0.1/",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/runs",
        "/gradio_api/queue/status",
        "/monitoring",
        "/monitoring/summary",
        "/assets/../openapi.json",
        "/gradio_api/heartbeat/" + "x" * 65,
    ],
)
def test_what_is_shut_is_not_found(client: httpx.Client, path: str):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/run/tag", "/login"]
)
def test_what_is_shut_takes_nothing(client: httpx.Client, path: str):
    assert client.post(path, json={}).status_code == 404


def test_the_page_comes_with_its_look_and_its_scripts_before_anything_that_is_drawn(client: httpx.Client):
    before, after = client.get("/").text.split(top())
    assert before.rpartition("<body")[2].count(">") == 1
    assert "<gradio-app" in after
    assert client.head("/").status_code == 200
    assert ".gradio-container" not in client.get("/config").text, "Gradio's script would put it in once more"


def test_the_page_names_its_own_scripts_and_no_others(client: httpx.Client):
    answer = client.get("/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    scripts = re.findall(r"<script(?![^>]*src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) >= 3
    for script in scripts:
        named = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{named}'" in policy["script-src"]
    assert policy["default-src"] == "'none'"
    assert "unsafe-inline" not in policy["script-src"]
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self' https://huggingface.co"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/nowhere",
        "/listen/x/x",
        "/evidence/figures.json?metric=map",
        "/gradio_api/info",
    ],
)
def test_every_answer_carries_its_headers_and_sets_no_cookie(client: httpx.Client, path: str):
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers


def test_whoever_hosts_the_page_may_let_their_own_site_show_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MIRDEMO_FRAMED_BY", "https://town.example javascript:alert(1) * https://a;script-src")
    policy = headers.of_page(b"")["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://huggingface.co https://town.example")


# ---- calls ------------------------------------------------------------------------------------------------


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"].endswith((".", "。"))


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '"x"',
        "null",
        deep(100_000),
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "\ud800".encode("utf-8", "surrogatepass"),
        json.dumps({"data": [], "fn_index": 0, "session_hash": 7}),
        json.dumps({"data": [], "fn_index": 0, "session_hash": "../../etc"}),
        json.dumps({"data": [], "fn_index": 0, "session_hash": "x" * 65}),
        json.dumps({"data": [None], "fn_index": "0", "session_hash": "x"}),
        json.dumps({"data": [None], "fn_index": True, "session_hash": "x"}),
        json.dumps({"data": [None], "fn_index": -1, "session_hash": "x"}),
        json.dumps({"data": [None], "fn_index": 10**9, "session_hash": "x"}),
        json.dumps({"data": [1, 2, 3], "fn_index": 0, "session_hash": "x"}),
        json.dumps({"data": {"a": 1}, "fn_index": 0, "session_hash": "x"}),
        json.dumps({"data": None, "fn_index": 0, "session_hash": "x"}),
        json.dumps({"data": "x"}),
        "{}",
    ],
)
def test_what_is_no_call_is_refused_in_words(client: httpx.Client, body: str | bytes):
    answer = client.post(f"{JOIN}?language=ja", content=body, headers={"content-type": "application/json"})
    refused(answer, 400, "page.no_call")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("call/bias", {"data": []}),
        ("call/bias", {"data": ["", "", "roc_auc", ""]}),
        ("call/bias", {"data": [1] * 40}),
        ("call/bias", {"data": {}}),
        ("call/bias", {"x": 1}),
        ("call/nowhere", {"data": []}),
        ("call/_answer", {"data": [None]}),
        ("call/v2/bias", {"a word of a visitor": 1}),
        ("call/v2/bias", {"data": []}),
        ("call/v2/tag", {"sheet": ""}),
        ("call/v2/nowhere", {"x": 1}),
        ("queue/join", {"data": [None]}),
        ("queue/join", {"data": [None], "session_hash": "x"}),
        ("queue/join", {"data": [None], "fn_index": 6}),
        ("queue/join", {"data": [None], "fn_index": 6, "session_hash": "x", "trigger_id": ["x"]}),
        ("cancel", {"x": 1}),
        ("cancel", {"event_id": ["x"], "session_hash": "x", "fn_index": "x"}),
        ("reset", {"x": 1}),
    ],
)
def test_a_call_that_gradio_can_do_nothing_with_is_refused_in_words(
    client: httpx.Client, path: str, body: dict[str, Any], caplog: pytest.LogCaptureFixture, capfd
):
    refused(client.post(f"/gradio_api/{path}?language=ja", json=body), 400, "page.no_call")
    said = caplog.text + "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "a word of a visitor" not in said


@pytest.mark.parametrize(
    "path",
    [
        "queue/data",
        "queue/data?session_hash=nobody",
        "queue/data?session_hash=" + "x" * 5000,
        "queue/data?session_hash=%00",
        "call/tag/nothing",
        "call/v2/tag/nothing",
    ],
)
def test_who_waits_for_what_was_never_asked_is_told_so(client: httpx.Client, path: str, capfd):
    refused(client.get(f"/gradio_api/{path}"), 404, "page.nothing_told")
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_call_by_names_is_answered_as_one_in_order(client: httpx.Client):
    for path, body in (
        ("call/v2/bias", {"model": "no such model"}),
        ("call/bias", {"data": ["no such model", "", "roc_auc", "", "en"]}),
    ):
        event = client.post(f"/gradio_api/{path}", json=body).json()["event_id"]
        assert "This choice is not on offer" in client.get(f"/gradio_api/{path}/{event}").text


def test_a_call_that_breaks_down_is_told_in_words_and_the_log_quotes_nothing(caplog):
    async def broken(scope, receive, send) -> None:
        raise ValueError("a word of a visitor")

    client = TestClient(Guard(broken, [], [], lambda: Queue({0: 1}, frozenset(), 0)))
    refused(
        client.post(JOIN, json={"data": [None], "fn_index": 0, "session_hash": "x"}), 500, "page.unexpected"
    )
    assert [one.message for one in caplog.records] == ["call"]


def test_a_call_that_is_too_long_is_refused_before_it_is_read_whole(client: httpx.Client):
    def endless() -> Iterator[bytes]:
        for sent in range(LIMITS.message_bytes // 2**16 + 2):
            assert sent * 2**16 <= LIMITS.message_bytes + 2**17, "it was read on"
            yield b"x" * 2**16

    refused(client.post(JOIN, content=endless()), 413, "page.call_too_long")


@pytest.mark.parametrize(
    "file",
    [
        {"path": "http://127.0.0.1:9/secret.wav"},
        {"path": "https://example.org/a.wav", "url": "https://example.org/a.wav"},
        {"path": "/etc/passwd"},
        {"path": "C:\\secret"},
        {"path": "../../up"},
        {"path": ["x"]},
        {"path": "c" * 32 + "/" + "a" * 64 + "/a.wav", "url": "http://169.254.169.254/"},
    ],
)
def test_nothing_that_is_named_as_a_file_reaches_gradio_as_one(file: dict):
    import orjson
    from gradio_client.utils import is_file_obj

    from mirdemo.web.frame.calls import PLACE, looked_over

    marked = file | {"meta": {"_type": "gradio.FileData"}, "orig_name": "a.wav"}
    call = {"data": [[marked], {"a": marked}, marked], "fn_index": 3, "session_hash": "x"}
    body, _ = looked_over(orjson.dumps(call), {3: 3})
    told = orjson.loads(body)["data"]
    for one in (told[0][0], told[1]["a"], told[2]):
        assert one == {PLACE: file["path"], "orig_name": "a.wav"}
        assert not is_file_obj(one), "Gradio would end the call without a word, and name the path in the log"


def acting(client: httpx.Client, page: gr.Blocks, session: str) -> Callable[..., str]:
    """``act(act=NAME, ...)`` -> what the server answers to a page of this name."""
    wire = next(i for i, one in page.fns.items() if any(trigger == "act" for _, trigger in one.targets))

    def act(**told: Any) -> str:
        body = {"data": [None], "fn_index": wire, "session_hash": session, "event_data": told}
        client.post(JOIN, json=body).raise_for_status()
        return client.get("/gradio_api/queue/data", params={"session_hash": session}).text

    return act


def test_an_act_that_names_a_file_of_the_server_is_answered_in_a_sentence(
    client: httpx.Client, page: gr.Blocks, caplog
):
    act = acting(client, page, "named")
    act(act="page.hello", tab="clips")
    told = act(act="clips.add", tab="clips", files=[{"path": "/etc/passwd", "name": "passwd"}])
    assert '"success":true' in told
    assert "The upload of passwd was lost" in told
    assert "/etc/passwd" not in caplog.text


def test_an_act_that_is_sent_again_is_answered_and_not_done_again(client: httpx.Client, page: gr.Blocks):
    act = acting(client, page, "twice")
    act(act="page.hello", tab="clips")
    for turn, language in ((1, "ja"), (2, "en"), (1, "ja")):
        told = act(act="page.language", tab="clips", language=language, turn=turn)
        assert '"success":true' in told
    assert set(re.findall(r"data-language=\W+(\w+)\W+data-title", told)) == {"en"}


def test_a_page_whose_line_was_cut_is_known_for_as_long_as_it_acts(client: httpx.Client, page: gr.Blocks):
    """Gradio counts its session as closed for good, and from when the session was given what it keeps."""
    visitors = next(m for m in page.app.user_middleware if m.cls is Guard).kwargs["beating"].__self__
    act = acting(client, page, "cut")
    act(act="page.hello", tab="clips")
    session = page.app.state_holder.session_data["cut"]
    with client.stream("GET", "/gradio_api/heartbeat/cut") as beats:
        next(beats.iter_lines())
    until(lambda: session.is_closed and "cut" in visitors._left)
    for _ in range(2):
        for key, (ends, given) in session._state_ttl.items():
            session._state_ttl[key] = ends, given - timedelta(minutes=59)
        page.app.state_holder.delete_all_expired_state()
        assert "forgotten" not in act(act="page.stay", tab="clips")


def test_a_page_that_gradio_has_forgotten_for_many_others_is_known_by_what_it_says(
    client: httpx.Client, page: gr.Blocks
):
    act = acting(client, page, "pushed-out")
    token = re.search(r"token\W+([\w.-]{40,})", act(act="page.hello", tab="clips"))[1]
    del page.app.state_holder.session_data["pushed-out"]
    for wrong in (None, 7, "x", [token]):
        assert "forgotten" in act(act="page.stay", tab="clips", token=wrong)
    assert "forgotten" not in act(act="page.stay", tab="clips", token=token)
    assert "forgotten" not in act(act="page.stay", tab="clips"), "Gradio has it again"


# ---- rates ------------------------------------------------------------------------------------------------


def test_so_many_at_once_and_then_so_many_a_second_for_each_sender():
    now = [0.0]
    rates = Rates({"act": Rate(3, 2.0)}, clock=lambda: now[0])
    assert [rates.ask("a", "act") for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.ask("b", "act") == 0
    now[0] = 0.5
    assert [rates.ask("a", "act") for _ in range(2)] == [0, 0.5]
    now[0] = -10.0  # a clock that is set back
    assert rates.ask("a", "act") == 0.5
    now[0] = 1000.0
    assert [rates.ask("a", "act") for _ in range(4)] == [0, 0, 0, 0.5]


def test_senders_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mirdemo.web.frame.rates.SENDERS", 10)
    rates = Rates({"act": Rate(1, 0.001)})
    for sender in range(100):
        rates.ask(str(sender), "act")
    assert len(rates._left) == 10


def guarded(
    queue: Queue,
    rates: dict[str, Rate],
    own: dict[str, Rate] | None = None,
    routes: Any = (),
    files: Any = (),
) -> TestClient:
    async def beneath(scope, receive, send) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    told = {"rates": {**RATES, **rates}, "own_rates": {**OWN_RATES, **(own or {})}}
    limited = {name: Rates(those, clock=lambda: 0.0) for name, those in told.items()}  # no time passes
    return TestClient(Guard(beneath, routes, files, lambda: queue, **limited))


def test_calls_and_acts_are_counted_apart_and_told_when_to_come_back():
    rates = {"act": Rate(2, 1.0), "call": Rate(1, 0.1)}
    client = guarded(Queue({0: 1, 1: 1}, frozenset({1}), waiting=0), rates)
    act, call = ({"data": [None], "fn_index": index, "session_hash": "x"} for index in (0, 1))
    assert client.post(JOIN, json=call).status_code == 200
    answer = client.post(JOIN, json=call)
    refused(answer, 429, "page.too_often")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    refused(client.post("/gradio_api/call/tag", json={"data": []}), 429, "page.too_often")
    assert [client.post(JOIN, json=act).status_code for _ in range(3)] == [200, 200, 429]
    there = {"x-forwarded-for": "10.1.1.1"}
    assert client.post(JOIN, json=act, headers=there).status_code == 200


def test_a_visitor_leaves_those_who_share_the_address_what_it_may(page: gr.Blocks):
    import mirdemo.web.page as built
    from mirdemo.web.frame.jobs import Jobs
    from mirdemo.web.frame.session import Visitors

    visitors, few = Visitors(), Rate(2, 0.001)
    files = built.files(visitors)
    routes = [*files, *built.routes(visitors, Jobs())]
    queue = Queue({0: 1}, frozenset(), waiting=0)
    shared, own = dict.fromkeys(RATES, Rate(5, 0.001)), dict.fromkeys(OWN_RATES, few)
    for kind, one, another in (
        ("listen", "/listen/mine/clip", "/listen/yours/clip"),
        ("listen", "/long/mine/id/sound.wav", "/long/yours/id/sound.wav"),
        ("file", "/clips/mine/visit.zip", "/clips/yours/visit.zip"),
    ):
        get = guarded(queue, shared, own, routes, files).get
        assert [get(one).status_code for _ in range(3)] == [200, 200, 429], kind
        refused(get(one), 429, "page.too_often_own")
        assert [get(another).status_code for _ in range(3)] == [200, 200, 429]
        assert get(one.replace("mine", "third")).status_code == 200
        refused(get(one.replace("mine", "fourth")), 429, "page.too_often")  # the address has had its five
    client = guarded(queue, shared, own)
    act = {"data": [None], "fn_index": 0, "event_data": {"act": "clips.clear"}}
    mine, yours = ({**act, "session_hash": name} for name in ("mine", "yours"))
    assert [client.post(JOIN, json=mine).status_code for _ in range(3)] == [200, 200, 429]
    assert client.post(JOIN, json=yours).status_code == 200
    told = client.post(JOIN, json={**mine, "event_data": {"act": "clips.clear", "speaks": "ja"}})
    refused(told, 429, "page.too_often_own")
    assert "おひとり" in told.json()["detail"]


def test_the_host_is_told_the_numbers_that_hold():
    told = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")
    for kind, row in (
        ("act", "acts on the page"),
        ("file", "files made on request"),
        ("listen", "listening"),
        ("visit", "pages opened"),
        ("upload", "uploads (requests)"),
        ("call", "calls of endpoints"),
    ):
        (line,) = (one for one in told.splitlines() if one.startswith(f"| {row}"))
        *_, own, shared, _ = line.split("|")
        expected = [OWN_RATES.get(kind), RATES[kind]]
        numbers = [[float(n) for n in re.findall(r"\d+", cell)] for cell in (own, shared)]
        assert numbers == [[one.at_once, one.a_second] if one else [] for one in expected], row
    assert set(RATES) == {"act", "file", "listen", "visit", "upload", "call"}


@pytest.mark.parametrize("what", ["upload", "visit"])
def test_uploads_and_visits_are_counted_by_address(what: str):
    from mirdemo.web.frame.receiving import upload_route

    queue = Queue({0: 1}, frozenset(), waiting=0)
    client = guarded(queue, {what: Rate(2, 0.1)}, routes=[upload_route()])
    hello = {"data": [None], "fn_index": 0, "event_data": {"act": "page.hello"}}

    def ask(number: int, **more: Any) -> httpx.Response:
        if what == "upload":
            return client.post("/gradio_api/upload", content=b"x", **more)
        return client.post(JOIN, json={**hello, "session_hash": f"page{number}"}, **more)

    assert [ask(number).status_code for number in range(3)] == [200, 200, 429]
    answer = ask(9)
    refused(answer, 429, "page.too_often")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert ask(10, headers={"x-forwarded-for": "10.1.1.1"}).status_code == 200


def test_a_page_is_open_while_its_heartbeat_is_heard():
    heard: list[str] = []

    @contextmanager
    def beating(page: str) -> Iterator[None]:
        heard.append(f"{page} opens")
        yield
        heard.append(f"{page} closes")

    async def beneath(scope, receive, send) -> None:
        heard.append("beats")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: ALIVE"})

    client = TestClient(Guard(beneath, [], [], lambda: Queue({}, frozenset(), 0), beating=beating))
    assert client.get("/gradio_api/heartbeat/abc123").status_code == 200
    assert heard == ["abc123 opens", "beats", "abc123 closes"]


def test_waiting_calls_leave_room_for_the_pages_acts():
    many = {"act": Rate(9, 9.0), "call": Rate(9, 9.0)}
    client = guarded(Queue({0: 1, 1: 1}, frozenset({1}), waiting=LIMITS.waiting_calls), many)
    bodies = [{"data": [None], "fn_index": index, "session_hash": "x"} for index in (0, 1)]
    act, call = (client.post(JOIN, json=body) for body in bodies)
    assert act.status_code == 200
    refused(call, 429, "page.calls_waiting")  # of everybody, not of this address
    assert call.headers["retry-after"] == "10"


def test_calls_of_one_address_leave_places_to_others():
    near = {"192.0.2.1": LIMITS.waiting_calls * 3 // 4}
    queue = Queue({1: 1}, frozenset({1}), waiting=LIMITS.waiting_calls - 1, near=lambda one: near.get(one, 0))
    client = guarded(queue, {"call": Rate(9, 9.0)})
    call = {"data": [None], "fn_index": 1, "session_hash": "x"}
    answers = [
        client.post(JOIN, json=call, headers={"x-forwarded-for": address})
        for address in ("192.0.2.1", "192.0.2.2")
    ]
    refused(answers[0], 429, "page.calls_waiting")
    assert answers[1].status_code == 200


def test_who_calls_is_counted_in_gradios_queue():
    waiting = [
        SimpleNamespace(request=Request({"type": "http", "headers": [(b"x-forwarded-for", address)]}))
        for address in (b"192.0.2.1", b"forged, 192.0.2.1", b"192.0.2.2")
    ]
    queues = {CALLS: SimpleNamespace(queue=waiting)}
    of_gradio = type("Waiting", (), {"event_queue_per_concurrency_id": queues, "__len__": lambda self: 3})()
    queue = _queue(SimpleNamespace(fns={}, _queue=of_gradio))
    assert [queue.near(one) for one in ("192.0.2.1", "192.0.2.2", "forged")] == [2, 1, 0]


@pytest.mark.parametrize(
    ("speaks", "words"), [("ja", "待っています"), ("en", "are waiting"), ({"a": 1}, "are waiting")]
)
def test_a_full_queue_is_told_in_the_pages_language_and_not_in_gradios(speaks: Any, words: str):
    async def full(scope, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": "Queue is full."}'})

    queue = Queue({0: 1}, frozenset(), waiting=0, length=256)
    client = TestClient(Guard(full, [], [], lambda: queue))
    act = {"data": [None], "fn_index": 0, "session_hash": "x", "event_data": {"act": "x", "speaks": speaks}}
    answer = client.post(JOIN, json=act, headers={"accept-language": "en"})
    refused(answer, 429, "page.calls_waiting")
    assert "256" in answer.json()["detail"]
    assert words in answer.json()["detail"]


def test_proxies_are_asked_to_hand_each_event_on():
    async def events(scope, receive, send) -> None:
        told = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": told})
        await send({"type": "http.response.body", "body": b"data: 1"})

    client = TestClient(Guard(events, [], [], lambda: Queue({}, frozenset(), 0)))
    assert client.get("/gradio_api/queue/data").headers["x-accel-buffering"] == "no"


def test_few_files_are_made_at_a_time_and_each_is_sent(tmp_path: Path):
    import anyio
    from starlette.responses import Response
    from starlette.routing import Route

    now, most = 0, 0

    async def beneath(scope, receive, send) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await anyio.sleep(0.01)
        now -= 1
        if scope["query_string"] == b"fail":
            raise RuntimeError("made badly")
        await Response(b"report")(scope, receive, send)

    route = Route("/evidence/report.html", lambda request: None)
    guard = Guard(
        beneath, [route], [route], lambda: Queue({}, frozenset(), 0), rates=Rates({"file": Rate(99, 1.0)})
    )

    async def ask(client: httpx.AsyncClient, query: str) -> None:
        if query:
            with pytest.raises(RuntimeError):
                await client.get(f"http://x/evidence/report.html?{query}")
        else:
            assert (await client.get("http://x/evidence/report.html")).content == b"report"

    async def forty() -> None:
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport) as client, anyio.create_task_group() as group:
            for i in range(40):
                group.start_soon(ask, client, "fail" if i % 5 == 0 else "")

    with ThreadPoolExecutor(1) as aside:  # where no other test's event loop runs
        aside.submit(anyio.run, forty).result()
    assert most == FILES_AT_ONCE
