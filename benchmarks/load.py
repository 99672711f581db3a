"""Many visitors at once: is everything answered, politely, quickly, each with their own, in memory that stays flat?

    python benchmarks/load.py [--visitors 30] [--browsers 2] [--minutes 5] [--pause 5] [--blocks 2] [--against plain] [--out FILE.json]

HTTP visitors speak as the page does (acts up, views down, over Gradio's queue). Each uploads two sounds of its own with a
name that nobody else has, tags them, builds prototypes, asks about a third, filters the evidence, listens, and begins
anew; one of them trains. After each act they look at what came, ``--pause`` seconds in the mean (half to one and a half of
it, drawn evenly; 0: nobody looks, and thirty send as fast as they are answered). ``--browsers`` real Chromium tabs do the
same by hand beside them. Counted: answers that are neither done nor a refusal in words, bytes and names of another visitor
in anything received, and resident memory after the first minute of each block (largest over median). Times are from sending
an act to the first answer to it, which is when the page shows that it was heard; the ends of what goes on as a job are told
apart from them.

The rival is visited by turns with it on the same machine, in ``--blocks``, by as many HTTP visitors and tabs: ``plain``, a
Gradio page with a file upload, a tags box, a dropdown that redraws the same charts as plots, an audio player and a button
that asks the same prototypes, written as its documentation shows. Printed: ours over its 95th percentile, for filters, jobs,
uploads, listening and all of these, to the first and to the last answer, with a 95 % interval over visitors (of one run on
one machine: another day's is another). The percentiles themselves have no interval. The load average is printed: what else
the machine does counts.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import os
import random
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import soundfile
from gradio_client.utils import apply_diff

ROOT = Path(__file__).resolve().parent.parent
RATE = 22_050
METRICS = ("roc_auc", "map")
PATIENCE = 120.0
_REFUSED = re.compile(r'class="notice refusal".*?<p>(.*?)</p>', re.DOTALL)
_LISTEN = re.compile(r'data-src="(listen/[^"]+)"')


@dataclass
class Seen:
    """What all visitors met. times: kind -> seconds until the first answer, which is when the page shows that it was
    heard; ends: kind -> seconds until the last one, for what goes on as a job; refusals: words -> how often; wrong: what
    should not be
    computed: seconds of processor time that the server took, its children not among them: they say more than wall time on
        a machine that does other work
    each: visitors, of whom times, ends, refusals and wrong are counted together
    """

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    computed: float = 0.0
    each: list[Seen] = field(default_factory=list)

    def one(self) -> Seen:
        """What one of them meets, which is counted here when ``gather`` is called."""
        self.each.append(Seen())
        return self.each[-1]

    def gather(self) -> None:
        """Count what each of them met."""
        self.times, self.ends, self.refusals = defaultdict(list), defaultdict(list), Counter()
        for one in self.each:
            for all_of, own in ((self.times, one.times), (self.ends, one.ends)):
                for kind, values in own.items():
                    all_of[kind] += values
            self.refusals += one.refusals
            self.wrong += one.wrong
            one.wrong.clear()

    def told(self) -> dict[str, Any]:
        after = [mb for at, mb in self.memory if at >= 60] or [mb for _, mb in self.memory]
        return {
            "times": {kind: summary(values) for kind, values in sorted(self.times.items())},
            "ends": {kind: summary(values) for kind, values in sorted(self.ends.items())},
            "refusals": dict(self.refusals),
            "wrong": dict(self.wrong),
            "server_cpu_s": round(self.computed, 1),
            "server_cpu_s_an_answer": round(self.computed / max(1, sum(map(len, self.times.values()))), 3),
            "memory_mb": {
                "median": statistics.median(after),
                "most": max(after),
                "ratio": max(after) / statistics.median(after),
            }
            if after
            else {},
        }


def summary(values: list[float]) -> dict[str, float]:
    return {
        "n": len(values),
        "median": round(statistics.median(values), 3),
        "p95": round(float(np.quantile(values, 0.95)), 3),
        "most": round(max(values), 3),
    }


def sound(seed: int, seconds: float = 3.0) -> bytes:
    """A tone with noise that no other seed has, as WAV."""
    draw = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    wave = 0.3 * np.sin(2 * np.pi * draw.uniform(100, 900) * t) + 0.05 * draw.standard_normal(len(t))
    out = io.BytesIO()
    soundfile.write(out, wave, RATE, format="WAV")
    return out.getvalue()


@contextmanager
def served(command: list[str], port: int, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own, ended afterwards. Yields its address and process."""
    surroundings = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "MIRDEMO_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT),
    }
    folder.mkdir(exist_ok=True)
    with (folder / f"{port}.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=log, stderr=subprocess.STDOUT)
    address, began = f"http://127.0.0.1:{port}", time.monotonic()
    try:
        for _ in range(1200):
            with suppress(httpx.HTTPError):
                httpx.get(address, timeout=5)
                break
            assert server.poll() is None, (folder / f"{port}.txt").read_text()[-2000:]
            time.sleep(0.2)
        print(f"served at {address} after {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        yield address, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class OverError(Exception):
    """The time is up."""


class Line:
    """One Gradio session: events sent, their answers awaited. end: when nothing more is sent (OverError)"""

    def __init__(self, client: httpx.AsyncClient, seen: Seen, end: float = float("inf")) -> None:
        self.client, self.seen, self.end = client, seen, end
        self.session = secrets.token_hex(6)

    def _look_at_clock(self) -> None:
        if time.monotonic() > self.end:
            raise OverError

    async def send(self, kind: str, body: dict[str, Any]) -> list[list[Any]]:
        """Every answer to one event until it is complete, timed as one of ``kind``."""
        self._look_at_clock()
        began = time.monotonic()
        asked = await self.client.post("/gradio_api/queue/join", json=body | {"session_hash": self.session})
        if asked.status_code in (429, 503):
            self.seen.refusals[f"{asked.status_code}: {asked.json().get('detail')}"] += 1
            return []
        asked.raise_for_status()
        event, answers = asked.json()["event_id"], []
        url = f"/gradio_api/queue/data?session_hash={self.session}"
        async with self.client.stream("GET", url, timeout=PATIENCE) as lines:
            async for line in lines.aiter_lines():
                told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if told.get("event_id") not in (None, event):
                    continue
                if told.get("msg") in ("process_generating", "process_completed"):
                    if not told.get("success"):
                        self.seen.wrong[f"event failed: {told.get('output')}"] += 1
                        return []  # a failure is quick: its time says nothing
                    answer = (told.get("output") or {}).get("data") or []
                    if told["msg"] == "process_generating" and answers:  # all but the first are differences
                        answer = [apply_diff(*pair) for pair in zip(answers[-1], answer, strict=True)]
                    if not answers:
                        self.seen.times[kind].append(time.monotonic() - began)
                    answers.append(answer)
                if told.get("msg") in ("process_completed", "close_stream", "unexpected_error"):
                    break
        if answers:
            self.seen.ends[kind].append(time.monotonic() - began)
        return answers

    async def upload(self, name: str, content: bytes) -> str | None:
        self._look_at_clock()
        began = time.monotonic()
        answer = await self.client.post(
            "/gradio_api/upload", files={"files": (name, content)}, timeout=PATIENCE
        )
        if answer.status_code != 200:
            words = answer.json().get("detail") if "json" in answer.headers.get("content-type", "") else None
            (self.seen.refusals if words else self.seen.wrong)[f"upload {answer.status_code}: {words}"] += 1
            return None
        self.seen.times["upload"].append(time.monotonic() - began)
        return answer.json()[0]


class Visitor:
    """One who uses our page without a browser. own: a word that stands in every name of theirs and of nobody else's"""

    def __init__(
        self,
        number: int,
        client: httpx.AsyncClient,
        wire: int,
        seen: Seen,
        pause: float = 0.0,
        end: float = float("inf"),
    ) -> None:
        self.line, self.seen, self.wire, self.pause = Line(client, seen, end), seen, wire, pause
        self.number, self.own = number, f"visitor{number:03d}x{secrets.token_hex(4)}"
        self.page: dict[str, str] = {}
        self.drawn = 0

    async def act(self, kind: str, name: str, tab: str, **sent: Any) -> str:
        """Do one thing; what the page shows when the last answer to it is there, jobs included."""
        body = {
            "data": [None],
            "fn_index": self.wire,
            "event_data": {"act": name, "tab": tab, "drawn": self.drawn, **sent},
            "trigger_id": None,
        }
        for answer in await self.line.send(kind, body):
            told = json.loads(answer[1]) if len(answer) > 1 and answer[1] else {}
            for view, (drawn, text) in told.get("views", {}).items():
                self.page[view], self.drawn = text, max(drawn, self.drawn)
                self.look(text)
        await rest(self.pause)
        return "".join(self.page.values())

    def look(self, text: str) -> None:
        """Is anything of another's in it?"""
        for other in set(re.findall(r"visitor\d{3}x[0-9a-f]{8}", text)) - {self.own}:
            self.seen.wrong[f"{self.own} saw {other}"] += 1
        for words in _REFUSED.findall(text):
            self.seen.refusals[words] += 1
        if "could not be drawn" in text:
            self.seen.wrong["a view could not be drawn"] += 1

    async def round(self, turn: int, trains: bool) -> None:
        paths = []
        for i in range(2):
            name = f"{self.own}-{turn}-{i}.wav"
            path = await self.line.upload(name, sound(hash((self.own, turn, i)) % 2**32))
            if path is not None:
                paths.append({"path": path, "name": name})
        await self.act("act", "page.open", "clips")
        if paths:
            text = await self.act("job", "clips.add", "clips", files=paths, tags=f"{self.own}-tag")
            await self.listen(text)
        await self.act("act", "page.open", "few-shot")
        await self.act("job", "few-shot.build", "few-shot")
        query = await self.line.upload(f"{self.own}-query.wav", sound(turn))
        if query is not None:
            await self.act(
                "job", "few-shot.query", "few-shot", files=[{"path": query, "name": f"{self.own}-query.wav"}]
            )
        await self.act("act", "page.open", "evidence")
        for metric in METRICS:
            await self.act("filter", "evidence.choose", "evidence", filter="metric", value=metric)
        await self.act("act", "page.language", "clips", language=random.choice(("en", "ja")))
        if trains and turn == 1:
            await self.act("act", "fine-tune.backbone", "fine-tune", value="mini-world")
            await self.act("training", "fine-tune.run", "fine-tune")
        if turn % 4 == 3:
            await self.act("act", "clips.clear", "clips")

    async def listen(self, text: str) -> None:
        for url in _LISTEN.findall(text)[:2]:
            began = time.monotonic()
            answer = await self.line.client.get(f"/{url}")
            if answer.status_code != 200 or answer.headers["content-type"] != "audio/mpeg":
                self.seen.wrong[f"listening: {answer.status_code}"] += 1
            self.seen.times["listen"].append(time.monotonic() - began)


async def rest(pause: float) -> None:
    """What people do between two acts."""
    await asyncio.sleep(pause * random.uniform(0.5, 1.5))


def processor(process: psutil.Process) -> float:
    """Seconds of processor time that it has taken."""
    took = process.cpu_times()
    return took.user + took.system


async def ours(
    address: str, process: psutil.Process, visitors: int, seconds: float, seen: Seen, pause: float
) -> None:
    end, began = time.monotonic() + seconds, time.monotonic()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as client:
        dependencies = (await client.get("/config")).json()["dependencies"]
        wire = next(d["id"] for d in dependencies if any(trigger == "act" for _, trigger in d["targets"]))

        async def visit(number: int) -> None:
            met = seen.one()
            one = Visitor(number, client, wire, met, pause, end)
            heart = asyncio.create_task(beat(client, one.line.session))
            turn = 0
            await asyncio.sleep(random.uniform(0, min(20, seconds / 4)))
            try:
                await one.act("hello", "page.hello", "clips", token=None, language="en", address="")
                while True:
                    await one.round(turn, trains=number == 0)
                    turn += 1
                    await asyncio.sleep(random.uniform(0.5, 3))
            except OverError:
                met.times["round"].append(turn)
            except (TimeoutError, httpx.HTTPError) as error:
                met.wrong[f"{type(error).__name__}: {error}"[:120]] += 1
            finally:
                heart.cancel()

        async def watch() -> None:
            while time.monotonic() < end:
                whole = sum(
                    one.memory_info().rss
                    for one in (process, *process.children(recursive=True))
                    if one.is_running()
                )
                health = (await client.get("/healthz")).json()
                seen.memory.append((time.monotonic() - began, health.get("memory_mb", whole / 2**20)))
                await asyncio.sleep(2)

        before = processor(process)
        await asyncio.gather(watch(), *(visit(number) for number in range(visitors)))
        seen.gather()
        seen.computed += processor(process) - before


async def beat(client: httpx.AsyncClient, session: str) -> None:
    """An open page is known by its heartbeat."""
    with suppress(httpx.HTTPError):
        async with client.stream("GET", f"/gradio_api/heartbeat/{session}", timeout=None) as lines:
            async for _ in lines.aiter_lines():
                pass


def browse(address: str, seconds: float, rival: bool) -> dict[str, Any]:
    """One Chromium tab by hand, in this process. Returns what went wrong there. rival: on the plain page, where all there is to
    do by hand is choosing a metric, once where ours opens six tabs, plays and switches the language"""
    from playwright.sync_api import sync_playwright

    wrong: Counter[str] = Counter()
    n = 0
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: wrong.update([f"page error: {error}"[:120]]))
        page.on("console", lambda said: wrong.update([said.text[:120]]) if said.type == "error" else None)
        end = time.monotonic() + seconds
        page.goto(address if rival else f"{address}/#clips")
        while rival and time.monotonic() < end:
            page.get_by_label("Metric").click()
            page.get_by_role("option", name=METRICS[n % 2]).click()
            n += 1
            page.wait_for_timeout(4700)
        if not rival:
            page.wait_for_selector("[data-answered]")
            page.locator('[data-act="clips.festival"]').first.click()
        while time.monotonic() < end:
            for tab in ("evidence", "few-shot", "probe", "plan", "about", "clips"):
                page.evaluate("name => { location.hash = name; }", tab)
                page.wait_for_timeout(700)
            plays = page.locator("#panel-clips [data-play]")
            if plays.count():
                plays.nth(n % plays.count()).click()
            page.locator('[data-act="page.language"]').nth(n % 2).click()
            n += 1
            page.wait_for_timeout(500)
        browser.close()
    return {"rounds": n, "wrong": dict(wrong)}


#: The rival, as Gradio's documentation would have it.
PLAIN = """
import gradio as gr, numpy as np, plotly.io
from mirdemo.base import threads
threads.prepare()
from mirdemo.clips import LabelledClips
from mirdemo.evidence import drawing
from mirdemo.evidence.selection import Selection
from mirdemo.sound.audio import load_clip
from mirdemo.web.models import Memory
from mirdemo.web import tagging
from pathlib import Path

def quiet(*_): pass

def build(files, tags, kept):
    clips = [load_clip(f, name=Path(f).name) for f in files or []]
    made = LabelledClips.from_clips(clips, [(tags,)] * len(clips))
    kept = made if kept is None else kept.add(made)
    built = tagging.build(kept, "spectral", tagging.usual_layer("spectral"), Memory(), quiet, checked=False)
    rows = [[c.name, ", ".join(kept.tags_of(i))] for i, c in enumerate(kept.clips)]
    return rows, built, kept, files[0] if files else None

def ask(file, built):
    answer = tagging.answer(built, load_clip(file), Memory(), quiet)
    return ", ".join(answer.tags), file

def choose(metric):
    view = drawing.view(Selection(metric=metric), "en")
    figures = [plotly.io.from_json(__import__("json").dumps({k: v for k, v in __import__("json").loads(c.json).items() if k in ("data", "layout")}))
               if c.json else None for _, c in view.charts]
    return (figures + [None] * 12)[:10]

with gr.Blocks() as page:
    kept, built = gr.State(), gr.State()
    files, tags = gr.File(file_count="multiple"), gr.Textbox()
    table, heard = gr.Dataframe(headers=["clip", "tags"]), gr.Audio()
    go = gr.Button("Build")
    go.click(build, [files, tags, kept], [table, built, kept, heard], api_name="build")
    query, said, sound = gr.File(), gr.Textbox(), gr.Audio()
    gr.Button("Ask").click(ask, [query, built], [said, sound], api_name="ask")
    metric = gr.Dropdown(["roc_auc", "map"], value="roc_auc", label="Metric")
    metric.change(choose, metric, [gr.Plot() for _ in range(10)], api_name="choose")
page.queue().launch()
"""


async def plain(
    address: str, process: psutil.Process, visitors: int, seconds: float, seen: Seen, pause: float
) -> None:
    """The same rounds on the rival."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(
        base_url=address, timeout=PATIENCE, limits=httpx.Limits(max_connections=None)
    ) as client:
        ids = {d["api_name"]: d["id"] for d in (await client.get("/config")).json()["dependencies"]}

        async def call(line: Line, kind: str, name: str, data: list[Any]) -> list[list[Any]]:
            answers = await line.send(kind, {"data": data, "fn_index": ids[name], "trigger_id": None})
            await rest(pause)
            return answers

        async def visit(number: int) -> None:
            turn, met = 0, seen.one()
            await asyncio.sleep(random.uniform(0, min(20, seconds / 4)))
            try:
                while True:
                    if turn % 4 == 0:  # ours gives up its clips as often
                        line = Line(client, met, end)
                    paths = [
                        await line.upload(f"v{number}-{turn}-{i}.wav", sound(hash((number, turn, i)) % 2**32))
                        for i in range(2)
                    ]
                    sent = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths if path]
                    heard = await call(line, "job", "build", [sent, f"t{number}", None])
                    if heard and heard[-1] and isinstance(heard[-1][-1], dict):
                        began = time.monotonic()
                        await client.get(f"/gradio_api/file={heard[-1][-1]['path']}")
                        met.times["listen"].append(time.monotonic() - began)
                    query = await line.upload(f"q{number}.wav", sound(turn))
                    await call(
                        line, "job", "ask", [{"path": query, "meta": {"_type": "gradio.FileData"}}, None]
                    )
                    for metric in METRICS:
                        await call(line, "filter", "choose", [metric])
                    turn += 1
                    await asyncio.sleep(random.uniform(0.5, 3))
            except OverError:
                met.times["round"].append(turn)
            except (TimeoutError, httpx.HTTPError) as error:
                met.wrong[f"{type(error).__name__}: {error}"[:120]] += 1

        before = processor(process)
        await asyncio.gather(*(visit(number) for number in range(visitors)))
        seen.gather()
        seen.computed += processor(process) - before


#: What both pages are asked for.
BOTH = ("filter", "job", "upload", "listen")


def compared(mine: Seen, its: Seen) -> dict[str, dict[str, list[float]]]:
    """Our 95th percentiles over the rival's, by kind and of all that both were asked for: until the first answer, and until
    the last one, which is all that the rival shows of a job. Of each: the ratio and its 95 % interval (bootstrap over the
    visitors of both, 1,000 draws)."""
    draw = np.random.default_rng(0)
    found: dict[str, dict[str, list[float]]] = {}
    for name in ("times", "ends"):
        both = [
            [{**one.times, **(one.ends if name == "ends" else {})} for one in page.each]
            for page in (mine, its)
        ]
        kinds = [kind for kind in BOTH if all(any(one.get(kind) for one in page) for page in both)]
        told = found[f"p95_{name}_ours_over_plain"] = {}
        for title, of in [*((kind, (kind,)) for kind in kinds), ("all", tuple(kinds))] if kinds else ():
            values = [
                [np.array([t for kind in of for t in one.get(kind, ())]) for one in page] for page in both
            ]
            ratios = []
            for n in range(1001):
                parts = [
                    np.concatenate([page[i] for i in draw.integers(0, len(page), len(page))] if n else page)
                    for page in values
                ]
                if all(len(part) for part in parts):
                    ratios.append(np.quantile(parts[0], 0.95) / np.quantile(parts[1], 0.95))
            told[title] = [
                round(float(one), 3) for one in (ratios[0], *np.quantile(ratios[1:], (0.025, 0.975)))
            ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--blocks", type=int, default=2, help="parts that the minutes are cut into")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between two acts, in the mean")
    parser.add_argument("--against", choices=("plain", "nobody"), default="plain")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--browse", help=argparse.SUPPRESS)
    parser.add_argument("--rival", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    seconds = 60 * args.minutes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was served ends too
    if args.browse:
        print(json.dumps(browse(args.browse, seconds, args.rival)))
        return
    found: dict[str, Any] = {"visitors": args.visitors, "browsers": args.browsers, "minutes": args.minutes}
    found["pause_s"] = args.pause
    found["load_before"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as made, ExitStack() as serving:
        folder = Path(made)
        (folder / "plain.py").write_text(PLAIN, encoding="utf-8")
        pages = {"ours": (ours, "app.py"), "plain": (plain, str(folder / "plain.py"))}
        if args.against == "nobody":
            del pages["plain"]
        there = {
            name: serving.enter_context(served([sys.executable, script], free_port(), folder / name))
            for name, (_, script) in pages.items()
        }
        seen = {name: Seen() for name in pages}
        for _, (name, (visit, _)) in itertools.product(range(args.blocks), pages.items()):
            address, process = there[name]
            command = [
                sys.executable,
                __file__,
                "--browse",
                address,
                "--minutes",
                str(args.minutes / args.blocks),
            ]
            command += ["--rival"] if name == "plain" else []
            tabs = [
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(args.browsers)
            ]
            asyncio.run(visit(address, process, args.visitors, seconds / args.blocks, seen[name], args.pause))
            print(json.dumps({name: seen[name].told()}), file=sys.stderr, flush=True)
            saw = [json.loads(tab.communicate(timeout=300)[0] or "{}") for tab in tabs]
            found.setdefault(f"browsers_saw_{name}", []).extend(saw)
        serving.close()
        found |= {name: one.told() for name, one in seen.items()}
        found["uploads_left"] = len(list((folder / "ours" / "uploads").glob("mirdemo-*")))
        if "plain" in seen:
            found |= compared(seen["ours"], seen["plain"])
            each = [found[name]["server_cpu_s_an_answer"] for name in pages]
            found["cpu_an_answer_ours_over_plain"] = round(each[0] / max(1e-9, each[1]), 3)
    found["load_after"] = os.getloadavg()[0]
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
