"""Draws ``assets/page.png``, the page as README shows it: the festival is tried, probed, and the plan looked at.

    python docs/draw_page.py

Needs Chromium and ``tests/requirements.txt``. A page that has changed is drawn anew.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "assets" / "page.png"
SIZE = {"width": 1280, "height": 830}
MOST_SECONDS = 120


def main() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        told = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "MIRDEMO_HOME": home}
        server = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=os.environ | told, stdout=subprocess.DEVNULL
        )
        try:
            draw(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()
            server.wait()


def draw(address: str, server: subprocess.Popen[bytes]) -> None:
    """What is seen once the plan is there."""
    until = time.monotonic() + MOST_SECONDS
    while not answers(f"{address}/healthz"):
        if server.poll() is not None or time.monotonic() > until:
            raise SystemExit("The page is not served. Run `python app.py` to see why.")
        time.sleep(0.2)
    with sync_playwright() as running:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_context(
            locale="en-US", viewport=SIZE, color_scheme="light", reduced_motion="reduce"
        ).new_page()
        page.set_default_timeout(1000 * MOST_SECONDS)
        page.goto(address)
        page.click(".front [data-act='clips.festival']")
        page.locator("#panel-clips tr[data-key]").nth(35).wait_for()
        page.click('[data-tab="probe"]')
        page.click('[data-act="probe.run"]')
        page.locator("#panel-probe [data-result] h2").wait_for()
        page.wait_for_function("!mirdemo.waits() && !document.querySelector('.progress')")
        page.click('[data-tab="few-shot"]')
        page.click('[data-act="few-shot.example"][data-number="1"]')
        page.locator("[data-answer]").first.wait_for()
        page.click('[data-tab="plan"]')
        page.locator("[data-advice]").wait_for()
        page.wait_for_function("!mirdemo.waits()")
        page.mouse.move(SIZE["width"] - 1, SIZE["height"] - 1)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURE)
        browser.close()


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
