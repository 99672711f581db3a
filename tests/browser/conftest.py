"""One server and one Chromium for all browser tests of a worker; each test opens pages of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import RATE, played, visiting, write_m4a
from serving import Served, begin, end

#: Chromium 15x keeps a page of its own ready behind every tab's address bar, which takes as long as the page that is tested;
#: nobody types an address here. The last ``--disable-features`` counts, so Playwright's (1.65.2) are in it.
WITHOUT = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    "msEdgeUpdateLaunchServicesPreferredVersion",
    "msForceBrowserSignIn",
)
FLAGS = (
    "--disable-features=" + ",".join(WITHOUT),
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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page, served by the very command of the README."""
    one = begin(tmp_path_factory.mktemp("server"), {"MIRDEMO_READY": "1"})  # as for everybody
    try:
        yield one.wait()
    finally:
        end(one)
    assert list(one.uploads.glob("mirdemo-*")) == [], "the server's folder for uploads outlived it"
    assert "Traceback" not in one.said, one.said


@pytest.fixture(scope="session")
def address(server: Served) -> str:
    """Where the page is served."""
    return server.address


@pytest.fixture(scope="session")
def uploads(server: Served) -> Path:
    """The server's folder for uploads."""
    return server.uploads


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
    """``visit(tab, language, width)`` opens the page as a new visitor (``driving.visiting``)."""
    with visiting(chromium, address) as open_page:
        yield open_page


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
