"""From navigation to the first painted chart in Chromium, beside a Gradio page that shows only that chart.

    python benchmarks/first_chart.py [--rounds 7]

Both servers are warm (each page was opened once before), every round opens both pages in turn in a browser that has
seen neither, and the clock is the browser's own: from the start of the navigation to the frame after the chart's
figures are in the document. Rival: an empty ``gr.Blocks`` with one ``gr.Plot`` of the same data. Prints seconds (median
and the least and the most of the rounds), their ratio, what was sent before the chart in kilobytes, and the browser's
own processor time until then, which a busy machine does not change as much.

Wants two processors that nobody else uses: it prints the load so that a reader can tell.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
RIVAL = """
import json
import gradio as gr
import plotly.graph_objects as go
charts = dict(json.load(open("assets/evidence/en.json", encoding="utf-8"))["charts"])
plain = json.loads(charts["overview"]["json"])
with gr.Blocks() as page:
    gr.Plot(go.Figure(data=plain["data"], layout=plain["layout"]))
page.launch(ssr_mode=False)
"""
#: Notes when the first chart's figures are in the document and the frame with them has been handed over.
CLOCK = """
new MutationObserver((_, watching) => {
  if (!document.querySelector(".main-svg .heatmaplayer > *, .main-svg .barlayer > *, .main-svg .scatterlayer > *")) return;
  watching.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.firstChart = performance.now(); }));
}).observe(document, { subtree: true, childList: true });
"""


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@contextmanager
def served(command: list[str]) -> Iterator[str]:
    """The address of a server that runs while the block does."""
    port = free_port()
    surroundings = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    server = subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(address, timeout=10).close()
                break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None:
                    raise RuntimeError(f"{command} ended with {server.returncode}") from None
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def visit(browser, address: str) -> dict[str, float]:
    """One visit by somebody new: seconds to the first chart, kilobytes sent and browser's seconds of work until then."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 860})
    try:
        context.add_init_script(CLOCK)
        page = context.new_page()
        work = context.new_cdp_session(page)
        work.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(address, wait_until="commit")
        page.wait_for_function("window.firstChart", timeout=60_000)
        spent = {m["name"]: m["value"] for m in work.send("Performance.getMetrics")["metrics"]}
        sent = page.evaluate(
            "performance.getEntries().filter((e) => e.encodedBodySize && e.responseEnd <= window.firstChart)"
            ".reduce((sum, e) => sum + e.encodedBodySize, 0)"
        )
        return {
            "seconds": page.evaluate("window.firstChart") / 1000,
            "kilobytes": sent / 1000,
            "work": spent["TaskDuration"],
        }
    finally:
        context.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    taken: dict[str, list[dict[str, float]]] = {"ours": [], "rival": []}
    with (
        served([sys.executable, "app.py"]) as ours,
        served([sys.executable, "-c", RIVAL]) as rival,
        sync_playwright() as running,
    ):
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for address in (ours, rival):
            visit(browser, address)
        for _ in range(rounds):
            for name, address in (("ours", ours), ("rival", rival)):
                taken[name].append(visit(browser, address))
        browser.close()
    told: dict[str, object] = {"rounds": rounds, "load": os.getloadavg()[0]}
    for name, visits in taken.items():
        seconds = [one["seconds"] for one in visits]
        told[name] = {
            "seconds_median": round(statistics.median(seconds), 2),
            "seconds_range": [round(min(seconds), 2), round(max(seconds), 2)],
            "kilobytes": round(statistics.median(one["kilobytes"] for one in visits)),
            "browser_work_seconds": round(statistics.median(one["work"] for one in visits), 2),
        }
    medians = {name: statistics.median(one["seconds"] for one in visits) for name, visits in taken.items()}
    told["ratio_rival_over_ours"] = round(medians["rival"] / medians["ours"], 2)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
