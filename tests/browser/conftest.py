"""One server and one Chromium for all browser tests; each test opens pages of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import RATE, played, write_m4a

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served, by the very command of the README."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    surroundings = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "MIRDEMO_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
    }
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=surroundings, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(720):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (folder / "log.txt").read_text()
                time.sleep(0.25)
        else:
            pytest.fail("the page was not served within three minutes: " + (folder / "log.txt").read_text())
        yield url
    finally:
        server.terminate()
        server.wait(20)
    assert list((folder / "uploads").glob("mirdemo-*")) == [], "the server's folder for uploads outlived it"
    said = (folder / "log.txt").read_text()
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def uploads(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder for uploads."""
    return tmp_path_factory.getbasetemp() / "server0" / "uploads"


@pytest.fixture(scope="session")
def chromium():
    """A real Chromium; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, address: str) -> Iterator[Callable]:
    """``visit(tab, language, width)`` opens the page as a new visitor. Fails on errors in the browser and on any
    request that leaves this machine."""
    contexts, wrong = [], []

    def open_page(tab: str = "clips", language: str = "en-US", width: int = 1280):
        context = chromium.new_context(
            locale=language, viewport={"width": width, "height": 860}, permissions=["microphone"]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((address, "data:", "blob:")) else wrong.append(request.url)
            ),
        )
        page.goto(f"{address}/#{tab}")
        page.wait_for_selector("[data-answered]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four labelled recordings in four formats, two queries, and a file that is no sound."""
    import soundfile

    folder = tmp_path_factory.mktemp("sounds")
    soundfile.write(folder / "drum one.wav", played("drum", 4, 1), RATE)
    soundfile.write(folder / "drum two.mp3", played("drum", 5, 2), RATE)
    soundfile.write(folder / "笛 一.FLAC", played("flute", 4, 3), RATE, format="FLAC")
    write_m4a(folder / "flute two.m4a", played("flute", 5, 4))
    soundfile.write(folder / "new drum.wav", played("drum", 4, 5), RATE)
    soundfile.write(
        folder / "procession.wav", np.concatenate([played("drum", 10, 6), played("flute", 10, 7)]), RATE
    )
    (folder / "letter.wav").write_text("this is no sound")
    return folder
