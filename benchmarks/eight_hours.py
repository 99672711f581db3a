"""A working day in one tab, without the pauses: does anything grow?

    python benchmarks/eight_hours.py [--scale 1.0 | --minutes 7] [--out FILE.json]

At ``--scale 1``: 5,000 plays, 500 uploads and removals, 200 trainings cancelled half way and 1,000 language switches in one
Chromium tab that is never reloaded. They are mixed and cut into twenty parts; after each part the tab's garbage is
collected and everything is counted: the tab's heap and DOM nodes, the server's resident memory, threads, open files, child
processes, and files in its folder for uploads. Printed: each count after the first quarter (everything is warm then) and
at its largest and last since, and both over the first (``grew``: those that are more than a tenth above it). ``--minutes``: as
much of the day, in the same mixture, as goes into so many minutes. It may be ended at any time (Ctrl-C, SIGTERM), and where
something does not come it ends by itself: then it prints what was counted until then, with ``scale``, the share of the day that
was done, ``parts`` and ``ended``. One run, no interval.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from load import free_port, served, sound  # noqa: E402 - lies beside this file

PARTS = 20
PLAYS, UPLOADS, TRAININGS, SWITCHES = 5000, 500, 200, 1000


def counts(page: Any, devtools: Any, server: psutil.Process, uploads: Path) -> dict[str, float]:
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return {
        "heap_mb": heap / 2**20,
        "dom_nodes": page.evaluate("document.getElementsByTagName('*').length"),
        "server_mb": server.memory_info().rss / 2**20,
        "threads": server.num_threads(),
        "open_files": server.num_fds(),
        "children": len(server.children(recursive=True)),
        "files": sum(path.is_file() for path in uploads.rglob("*")),
    }


class Tab:
    """One tab and what is done in it."""

    def __init__(self, page: Any, address: str, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.done: Counter[str] = Counter()
        page.set_default_timeout(300_000)  # the day may share its cores
        page.goto(f"{address}/#clips")
        page.wait_for_selector("[data-answered]")
        page.locator('[data-act="clips.festival"]').first.click()
        page.wait_for_function("document.querySelectorAll('#panel-clips tr[data-key]').length > 8")
        self.rows = page.locator("#panel-clips tr[data-key]").count()
        self.open("fine-tune")
        page.locator('#panel-fine-tune [data-act="fine-tune.backbone"][data-value="mini-west"]').click()
        page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first.wait_for()
        self.open("clips")

    def open(self, tab: str) -> None:
        self.page.evaluate("name => { location.hash = name; }", tab)
        self.page.wait_for_selector(f"#panel-{tab}.is-open")

    def play(self) -> None:
        plays = self.page.locator("#panel-clips tr[data-key] [data-play]")
        plays.nth(self.done["plays"] % self.rows).click()
        self.done["plays"] += 1

    def upload_and_remove(self) -> None:
        number = self.done["uploads"]
        file = self.folder / f"day {number % 7}.wav"
        file.write_bytes(sound(number))
        with self.page.expect_file_chooser() as chooser:
            self.page.locator('[data-drop="clips.add"] [data-choose=files]').click()
        chooser.value.set_files([file])
        more = "n => document.querySelectorAll('#panel-clips tr[data-key]').length === n"
        self.page.wait_for_function(more, arg=self.rows + 1)
        self.page.locator('#panel-clips [data-act="clips.remove"]').last.click()
        self.page.wait_for_function(more, arg=self.rows)
        self.done["uploads"] += 1

    def train_and_stop(self) -> None:
        self.open("fine-tune")
        run = self.page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first
        run.click()
        stop = self.page.locator('#panel-fine-tune [data-act="page.stop"]').first
        stop.wait_for()
        self.page.wait_for_timeout(1500)  # loading or training by then
        if stop.is_visible():
            stop.click()
        self.page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first.wait_for()
        self.open("clips")
        self.done["trainings"] += 1

    def switch(self) -> None:
        language = ("ja", "en")[self.done["switches"] % 2]
        self.page.locator(f'[data-act="page.language"][data-language="{language}"]').click()
        self.page.wait_for_function("code => document.documentElement.lang === code", arg=language)
        self.done["switches"] += 1


WHOLE = {"play": PLAYS, "upload_and_remove": UPLOADS, "train_and_stop": TRAININGS, "switch": SWITCHES}


def mixed(scale: float) -> Iterator[list[str]]:
    """What is done in each part of the day."""
    for part in range(PARTS):
        yield [
            name
            for name, times in WHOLE.items()
            for _ in range(round(scale * times * (part + 1) / PARTS) - round(scale * times * part / PARTS))
        ]


def until(minutes: float) -> Iterator[Iterator[str]]:
    """The same mixture for so many minutes, in as many parts."""
    began, done = time.monotonic(), Counter[str]()

    def part(end: float) -> Iterator[str]:
        while time.monotonic() < end:
            name = min(WHOLE, key=lambda one: (done[one] + 1) / WHOLE[one])
            done[name] += 1
            yield name

    for number in range(PARTS):
        yield part(began + 60 * minutes * (number + 1) / PARTS)


def day(scale: float, minutes: float | None) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    found: list[dict[str, float]] = []
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as made, sync_playwright() as running:
        folder = Path(made)
        with served([sys.executable, "app.py"], free_port(), folder) as (address, server):
            browser = running.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
            )
            page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-US")
            page.on("pageerror", lambda error: wrong.update([f"page error: {error}"[:200]]))
            page.on("console", lambda said: wrong.update([said.text[:200]]) if said.type == "error" else None)
            devtools = page.context.new_cdp_session(page)
            sent: deque[str] = deque(maxlen=30)  # the last acts, should something not come
            page.on("request", lambda one: sent.append(_act(one)) if "/queue/join" in one.url else None)
            tab = Tab(page, address, folder)
            began, ended = time.monotonic(), None
            for part, names in enumerate(mixed(scale) if minutes is None else until(minutes)):
                try:
                    for name in names:
                        getattr(tab, name)()
                    found.append(counts(page, devtools, server, folder / "uploads"))
                except (KeyboardInterrupt, Exception) as error:
                    ended = f"{type(error).__name__} in part {part + 1}: {error}"[:300]
                    if not isinstance(error, KeyboardInterrupt):
                        shows = page.evaluate("document.querySelector('.is-open').innerText")
                        print(name, dict(wrong), list(sent), shows[-3000:], file=sys.stderr)
                    break
                print(
                    part + 1,
                    {k: round(v, 1) for k, v in found[-1].items()},
                    dict(tab.done),
                    file=sys.stderr,
                    flush=True,
                )
            seconds = time.monotonic() - began
            browser.close()
    warm = found[min(PARTS, len(found)) // 4 :]
    told = {
        key: {
            "warm": round(warm[0][key], 1),
            "most": round(max(one[key] for one in warm), 1),
            "last": round(warm[-1][key], 1),
            "most_over_warm": round(max(one[key] for one in warm) / warm[0][key], 3)
            if warm[0][key]
            else None,
            "last_over_warm": round(warm[-1][key] / warm[0][key], 3) if warm[0][key] else None,
        }
        for key in (warm[0] if warm else ())
    }
    return {
        "scale": round(tab.done["plays"] / PLAYS, 4),
        "parts": len(found),
        "ended": ended,
        "done": dict(tab.done),
        "seconds": round(seconds),
        "load": os.getloadavg()[0],
        "wrong": dict(wrong),
        "grew": [key for key, one in told.items() if one["last"] > 1.1 * one["warm"]],
        "counts": told,
    }


def _act(request: Any) -> str:
    about = (request.post_data_json or {}).get("event_data") or {}
    return f"{about.get('turn')} {about.get('act')}"


def _end(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, help="instead of --scale: so long, however far that goes")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    text = json.dumps(day(args.scale, args.minutes), indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
