"""From navigation to the first painted chart in Chromium, beside a Gradio page that shows only that chart.

    python benchmarks/first_chart.py [--rounds 7]

Both servers are warm (each page was opened once before), every round opens both pages in turn in a browser that has
seen neither, and the clock is the browser's own: from the start of the navigation to the frame after the chart's
figures are in the document: ``painted``, ours, a heat map in plain HTML that answers to the pointer and the keyboard at
once; ``drawn``, the rival's, by Plotly. Rival: an empty ``gr.Blocks`` with one ``gr.Plot`` of the same data. Prints seconds (median and the least and the most of the rounds), the ratio
of the rival's to ours painted, what was sent before in kilobytes, and the browser's own processor time until then,
which a busy machine does not change as much.

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
window.clock = {};
const looked = { painted: ".heat-table td", drawn: ".main-svg .heatmaplayer > *" };
new MutationObserver(() => {
  for (const [name, selector] of Object.entries(looked)) {
    if (name in clock || !document.querySelector(selector)) continue;
    clock[name] = null;
    requestAnimationFrame(() => setTimeout(() => { clock[name] = performance.now(); }));
  }
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


def visit(browser, address: str, until: str) -> dict[str, float]:
    """One visit by somebody new: seconds until the chart is painted or drawn, kilobytes sent and browser's seconds of
    work until then."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 860})
    try:
        context.add_init_script(CLOCK)
        page = context.new_page()
        work = context.new_cdp_session(page)
        work.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(address, wait_until="commit")
        page.wait_for_function("until => window.clock[until]", arg=until, timeout=60_000)
        spent = {m["name"]: m["value"] for m in work.send("Performance.getMetrics")["metrics"]}
        sent = page.evaluate(
            "until => performance.getEntries().filter((e) => e.encodedBodySize && e.responseEnd <= clock[until])"
            ".reduce((sum, e) => sum + e.encodedBodySize, 0)",
            until,
        )
        seconds = page.evaluate("until => window.clock[until]", until) / 1000
        return {"seconds": seconds, "kilobytes": sent / 1000, "work": spent["TaskDuration"]}
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
    with (
        served([sys.executable, "app.py"]) as ours,
        served([sys.executable, "-c", RIVAL]) as rival,
        sync_playwright() as running,
    ):
        visits = {
            "ours_painted": (ours, "painted"),
            "rival_drawn": (rival, "drawn"),
        }
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in visits}
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for address, until in visits.values():
            visit(browser, address, until)
        for _ in range(rounds):
            for name, (address, until) in visits.items():
                taken[name].append(visit(browser, address, until))
        browser.close()
    told: dict[str, object] = {"rounds": rounds, "load": os.getloadavg()[0]}
    medians = {name: statistics.median(one["seconds"] for one in visits) for name, visits in taken.items()}
    for name, visits in taken.items():
        seconds = [one["seconds"] for one in visits]
        told[name] = {
            "seconds_median": round(medians[name], 2),
            "seconds_range": [round(min(seconds), 2), round(max(seconds), 2)],
            "kilobytes": round(statistics.median(one["kilobytes"] for one in visits)),
            "browser_work_seconds": round(statistics.median(one["work"] for one in visits), 2),
        }
    told["ratio_rival_over_ours_painted"] = round(medians["rival_drawn"] / medians["ours_painted"], 2)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
