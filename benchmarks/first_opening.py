"""How long the page's first opening takes and blocks, beside an older build, in turn in the same run.

    python -m benchmarks.first_opening --old FOLDER [--turns 7]

FOLDER: a checkout of the older build. Both are served on loopback and opened in Chromium, alternately, each time in a
new browser context, at 1280 x 800 in English and at 390 x 844 in Japanese. Printed, medians over turns with their range: first contentful paint;
when the first chart's figures are to be seen; the longest task that blocked the main thread, and their sum, until two
seconds after; bytes of script that were fetched. Then old over new.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask", buffered: true });
window.seen = null;
const look = () => {
  const cell = document.querySelector("#evidence-overview .heat-table td, #evidence-overview .main-svg"); // a table; before, drawn by Plotly
  if (window.seen === null && cell?.offsetParent && !document.documentElement.classList.contains("waiting")) window.seen = performance.now();
  requestAnimationFrame(look);
};
look();
"""
SIZES = (("en-US", 1280, 800), ("ja-JP", 390, 844))
FIGURES = ("first paint ms", "first chart ms", "longest task ms", "blocked in all ms", "script kB")


def serve(folder: Path, home: str) -> tuple[subprocess.Popen, str]:
    """The page of a checkout, and its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    surroundings = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "MIRDEMO_HOME": home,
        "HF_HUB_OFFLINE": "1",
    }
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return server, address
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{folder} was not served")


def opened(browser: Browser, address: str, language: str, width: int, height: int) -> tuple[float, ...]:
    """What one opening costs, as ``FIGURES``."""
    context = browser.new_context(locale=language, viewport={"width": width, "height": height})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("window.seen !== null", timeout=60_000)
    page.wait_for_timeout(2000)
    found = page.evaluate(
        """() => [
          performance.getEntriesByName("first-contentful-paint")[0].startTime, window.seen,
          Math.max(0, ...tasks), tasks.reduce((a, b) => a + b, 0),
          performance.getEntriesByType("resource").filter((e) => /\\.js/.test(e.name)).reduce((sum, e) => sum + e.encodedBodySize, 0) / 1024,
        ]"""
    )
    context.close()
    return tuple(found)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--old", type=Path, required=True)
    arguments.add_argument("--turns", type=int, default=7)
    arguments.add_argument("--chromium", default="/usr/bin/chromium")
    given = arguments.parse_args()
    taken: dict[tuple[str, int], list[tuple[float, ...]]] = {
        (build, width): [] for _, width, _ in SIZES for build in ("old", "new")
    }
    with tempfile.TemporaryDirectory() as home, sync_playwright() as running:
        served = {"old": serve(given.old, f"{home}/old"), "new": serve(ROOT, f"{home}/new")}
        browser = running.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            for turn in range(given.turns + 1):
                for language, width, height in SIZES:
                    for build, (_, address) in served.items():
                        figures = opened(browser, address, language, width, height)
                        if turn:  # the first is for warming up
                            taken[build, width].append(figures)
        finally:
            browser.close()
            for server, _ in served.values():
                server.terminate()
    print(f"n = {given.turns} openings each, in turn")
    for language, width, _ in SIZES:
        print(f"{width} pixels, {language}")
        for i, name in enumerate(FIGURES):
            said = {}
            for build in ("old", "new"):
                values = [run[i] for run in taken[build, width]]
                said[build] = statistics.median(values)
                print(f"{name:18} {build}  {said[build]:8.0f}  ({min(values):.0f} to {max(values):.0f})")
            print(f"{'':18} old over new {said['old'] / max(said['new'], 1e-9):.2f}")


if __name__ == "__main__":
    main()
