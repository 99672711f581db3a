"""A working day in one tab, without the pauses: does anything grow?

    python benchmarks/eight_hours.py [--scale 1.0 | --minutes 7] [--out FILE.json]

At ``--scale 1``: 5,000 plays, 500 uploads and removals, 200 trainings cancelled half way and 1,000 language switches in one
Chromium tab that is never reloaded. While a training runs, the clips are played, added, removed and read in the other language; it is
stopped once half of its steps are done, and the next begins. The day is cut into twenty parts; trainings that found no time in them
come at its end. After each part, with no training under way, the tab's garbage is collected and everything is counted: the
tab's heap, its DOM nodes and all that are held, in the page or not, the server's resident memory, threads, open files, child
processes, and files in its folder for uploads.
Printed: each count after the first quarter (everything is warm then) and at its largest and last since, and both over the
first (``grew``: those that are more than a tenth above it); the seconds that each kind of thing was waited for, in all, which is what
a machine with other work makes long. ``--minutes``: as much of the day, in the same mixture, as goes into so many minutes. It
may be ended at any time (Ctrl-C, SIGTERM), and where something does not come it ends by itself: then it prints what was counted
until then, with ``shares``, what was done of each, ``parts`` and ``ended``. One run, no interval.
"""

from __future__ import annotations

import argparse
import base64
import itertools
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
WHOLE = {"plays": PLAYS, "uploads": UPLOADS, "trainings": TRAININGS, "switches": SWITCHES}
#: Clips that are there all day.
CLIPS = 6
#: Things done between two looks at the training.
LOOK_EACH = 16
#: Epochs of the one that ends, and of those that are stopped: more where one had ended before half of it was seen.
FIRST_EPOCHS, EPOCHS = 10, (20, 40)


def counts(page: Any, devtools: Any, server: psutil.Process, uploads: Path) -> dict[str, float]:
    page.wait_for_function(
        "() => !document.querySelector('.notice:not(.refusal):not(.ending)')"
    )  # each waits to take itself away
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return {
        "heap_mb": heap / 2**20,
        "dom_nodes": page.evaluate("document.getElementsByTagName('*').length"),
        "held_nodes": devtools.send("Memory.getDOMCounters")["nodes"],
        "server_mb": server.memory_info().rss / 2**20,
        "threads": server.num_threads(),
        "open_files": server.num_fds(),
        "children": len(server.children(recursive=True)),
        "files": sum(path.is_file() for path in uploads.rglob("*")),
    }


#: Plays what stands in a row until it is heard, and stops it.
PLAY = """async (n) => {
  const all = document.querySelectorAll('#panel-clips tr[data-key] [data-play]');
  const button = all[n % all.length];
  const heard = (what) => new Promise((done, failed) => {
    const late = setTimeout(failed, 60_000, new Error(`nothing is ${what}`));
    mirdemo.sound.addEventListener(what, () => { clearTimeout(late); done(); }, { once: true });
    button.click();
  });
  await heard('playing');
  await heard('pause');
}"""
#: The files that are chosen in the next dialog for files. Playwright's holds each input that it was opened for.
CHOSEN = """(files) => {
  const given = new DataTransfer();
  for (const [name, base64] of files) given.items.add(new File([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], name));
  HTMLInputElement.prototype.click = function () {
    delete HTMLInputElement.prototype.click;
    this.files = given.files;
    this.dispatchEvent(new Event('change'));
  };
}"""
#: Whether half of the steps of the training are done, or it has ended.
HALF = """() => {
  const bar = document.querySelector('#panel-fine-tune .under-way progress');
  return !bar || (!document.querySelector('#panel-fine-tune .live-place') && bar.value >= 0.5);
}"""


class Tab:
    """One tab and what is done in it."""

    def __init__(self, page: Any, address: str, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.done: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()  # that each kind of thing took
        self.name = ""  # what is being done
        self.trains = False
        page.set_default_timeout(300_000)  # the day may share its cores
        page.goto(f"{address}/#clips")
        page.wait_for_selector("[data-answered]")
        sheet = ["file,tags,recording"]
        for number in range(CLIPS):
            (folder / f"kept {number}.wav").write_bytes(sound(10_000 + number))
            sheet.append(f"kept {number}.wav,{('low', 'high')[number % 2]},r{number}")
        (folder / "labels.csv").write_text("\n".join(sheet), encoding="utf-8")
        self.give([*sorted(folder.glob("kept *.wav")), folder / "labels.csv"])
        self.rows(CLIPS)
        self.open("fine-tune")
        page.locator('#panel-fine-tune [data-act="fine-tune.backbone"][data-value="mini-west"]').click()
        page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first.wait_for()
        self.open("probe")  # what a training is compared with, so that none begins by making it
        page.click('#panel-probe [data-act="probe.run"]')
        page.wait_for_function("() => Boolean(document.querySelector('#panel-probe [data-result] h2'))")
        self.open("fine-tune")  # a result is there all day, for one of those that are stopped may end before
        page.select_option('#panel-fine-tune [data-act="fine-tune.epochs"]', str(FIRST_EPOCHS))
        page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first.click()
        page.wait_for_function("() => Boolean(document.querySelector('#panel-fine-tune .tune-result'))")
        self.epochs = EPOCHS[0]
        page.select_option('#panel-fine-tune [data-act="fine-tune.epochs"]', str(self.epochs))
        self.open("clips")

    def give(self, files: list[Path]) -> None:
        self.page.evaluate(CHOSEN, [[one.name, base64.b64encode(one.read_bytes()).decode()] for one in files])
        self.page.locator('[data-drop="clips.add"] [data-choose=files]').first.click()

    def rows(self, count: int) -> None:
        """Wait for so many clips."""
        there = "n => document.querySelectorAll('#panel-clips tr[data-key]').length === n"
        self.page.wait_for_function(there, arg=count, polling=50)

    def open(self, tab: str) -> None:
        self.page.evaluate("name => { location.hash = name; }", tab)
        self.page.wait_for_function(
            "name => Boolean(document.querySelector(`#panel-${name}.is-open`))", arg=tab
        )

    def part(self, acts: Iterator[str], trainings: int) -> None:
        """Do these, with trainings beside them, of which there are so many in all; none is under way at the end."""
        for number, name in enumerate(acts):
            if number % LOOK_EACH == 0 and self.done["trainings"] < trainings:
                self.do("begin_or_stop")
            self.do(name)
        while self.trains:
            self.do("begin_or_stop", wait=True)

    def trainings(self, most: int) -> None:
        """As many as a part has of those that are left."""
        for _ in range(min(TRAININGS // PARTS, most - self.done["trainings"])):
            self.do("begin_or_stop")
            while self.trains:
                self.do("begin_or_stop", wait=True)

    def begin_or_stop(self, wait: bool = False) -> None:
        """Stop the training that is under way if it is half way, or begin one. wait: until it is half way"""
        self.open("fine-tune")
        if self.trains:
            self.stop_half_way(wait)
        if not self.trains and not wait:
            self.page.locator('#panel-fine-tune [data-act="fine-tune.run"]:not([disabled])').first.click()
            self.page.locator('#panel-fine-tune [data-act="page.stop"]').first.wait_for()
            self.trains = True
        self.open("clips")

    def do(self, name: str, **how: bool) -> None:
        self.name, began = name, time.monotonic()
        try:
            getattr(self, name)(**how)
        finally:
            self.seconds[name] += time.monotonic() - began

    def play(self) -> None:
        self.page.evaluate(PLAY, self.done["plays"])
        self.done["plays"] += 1

    def upload_and_remove(self) -> None:
        number = self.done["uploads"]
        file = self.folder / f"day {number % 7}.wav"
        file.write_bytes(sound(number))
        self.give([file])
        self.rows(CLIPS + 1)
        self.page.locator('#panel-clips [data-act="clips.remove"]').last.click()
        self.rows(CLIPS)
        self.done["uploads"] += 1

    def stop_half_way(self, wait: bool) -> None:
        """One that had ended before that was seen is counted apart, and the next is longer."""
        until(self.page, "() => !mirdemo.waits()")  # what is seen is of now
        if wait:
            until(self.page, HALF)
        if not self.page.evaluate(HALF):
            return
        stop = self.page.locator('#panel-fine-tune [data-act="page.stop"]')
        if stop.count():
            stop.first.click()
        until(self.page, "() => document.querySelector('#panel-fine-tune [data-act=\"fine-tune.run\"]')")
        ended = self.page.locator('#panel-fine-tune [data-act="fine-tune.run"][disabled]').count()
        if ended:
            self.epochs = next(longer for longer in EPOCHS if longer > self.epochs)
            self.page.select_option('#panel-fine-tune [data-act="fine-tune.epochs"]', str(self.epochs))
        self.done["trainings that ended" if ended else "trainings"] += 1
        self.trains = False

    def switch(self) -> None:
        language = ("ja", "en")[self.done["switches"] % 2]
        self.page.locator(f'[data-act="page.language"][data-language="{language}"]').click()
        self.page.wait_for_function("code => document.documentElement.lang === code", arg=language)
        self.done["switches"] += 1


#: What is done beside trainings.
BESIDE = {"play": PLAYS, "upload_and_remove": UPLOADS, "switch": SWITCHES}


def mixture() -> Iterator[str]:
    """What is done next, each kind as often as its share of the day."""
    done = Counter[str]()
    while True:
        name = min(BESIDE, key=lambda one: (done[one] + 1) / BESIDE[one])
        done[name] += 1
        yield name


def parts(scale: float) -> Iterator[Iterator[str]]:
    """What is done in each part of the day."""
    endless, whole = mixture(), round(scale * sum(BESIDE.values()))
    for part in range(PARTS):
        yield itertools.islice(endless, whole * (part + 1) // PARTS - whole * part // PARTS)


def parts_of(minutes: float) -> Iterator[Iterator[str]]:
    """The same mixture for so many minutes, in as many parts."""
    began, endless = time.monotonic(), mixture()
    for number in range(PARTS):
        end = began + 60 * minutes * (number + 1) / PARTS
        yield itertools.takewhile(lambda name, end=end: time.monotonic() < end, endless)


def until(page: Any, holds: str) -> None:
    """Wait at little cost: what waits looks five times a second. An element would be held by who waited for it."""
    page.wait_for_function(f"() => Boolean(({holds})())", polling=200)


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
            whole = sys.maxsize if minutes else max(1, round(scale * TRAININGS))
            mixed = parts(scale) if minutes is None else parts_of(minutes)
            left = () if minutes else (iter(()) for _ in iter(lambda: tab.done["trainings"] < whole, False))
            for part, acts in enumerate(itertools.chain(mixed, left)):
                try:
                    tab.part(acts, whole)
                    if part >= PARTS:
                        tab.trainings(whole)
                    found.append(counts(page, devtools, server, folder / "uploads"))
                except (KeyboardInterrupt, Exception) as error:
                    ended = f"{type(error).__name__} in part {part + 1}: {error}"[:300]
                    if not isinstance(error, KeyboardInterrupt):
                        shows = page.evaluate("document.querySelector('.is-open').innerText")
                        print(tab.name, dict(wrong), list(sent), shows[-3000:], file=sys.stderr)
                    break
                print(
                    part + 1,
                    round(time.monotonic() - began),
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
        "shares": {name: round(tab.done[name] / of, 4) for name, of in WHOLE.items()},
        "parts": len(found),
        "ended": ended,
        "done": dict(tab.done),
        "seconds": round(seconds),
        "seconds_of_each": {name: round(took) for name, took in tab.seconds.items()},
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
