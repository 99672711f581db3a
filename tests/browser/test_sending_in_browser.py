"""A drop of files on a slow line: how far it is, in what one reads, and how one stops it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import soundfile
from driving import RATE, give, rows, wait_rows, write_labelled

SLOW = {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": 100 * 1024}
#: What the place for clips says of files on their way.
SAID = '[data-drop="clips.add"] .drop-says'
AMOUNT = '[data-drop="clips.add"] .sending-says'
STOP = '[data-drop="clips.add"] [data-stop-sending]'


def slow(page) -> None:
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)


def noise(folder: Path, megabytes: int) -> Path:
    path = folder / "noise.wav"
    sound = np.random.default_rng(0).normal(0, 0.1, megabytes * 500_000)
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    return path


def sent(page) -> float:
    """Megabytes that are gone, as the page says."""
    page.locator(AMOUNT).wait_for()
    return float(page.inner_text(AMOUNT).split()[0])


def test_what_is_sent_is_told_through_every_drawing_and_stopped_without_a_trace(
    visit, uploads: Path, tmp_path: Path
):
    before = set(uploads.rglob("*.wav"))
    page = visit()
    slow(page)
    small = next(one for one in write_labelled(tmp_path, 1, 2.0) if one.suffix == ".wav")
    give(page, "clips.add", [small, noise(tmp_path, 8)])
    page.wait_for_selector(f"{SAID}:text-is('Sending 2 of 2 …')")
    first = sent(page)
    assert "of 8.1 MB" in page.inner_text(AMOUNT)
    page.click('[data-tab="about"]')
    page.wait_for_selector("#panel-about.is-open .view > *")
    page.click('[data-act="page.language"][data-language="ja"]')
    page.wait_for_function("document.documentElement.lang === 'ja'")
    page.click('[data-tab="clips"]')
    page.wait_for_selector(f"{SAID}:text-is('送信中 2 / 2')")
    page.click('[data-act="page.language"][data-language="en"]')
    page.wait_for_selector(f"{SAID}:text-is('Sending 2 of 2 …')")
    page.wait_for_timeout(1000)
    assert first < sent(page) < 8.1
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.reload()")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert sent(page) > first

    page.click(STOP)
    page.wait_for_selector(f"{SAID}:has-text('Stopped')")
    assert not page.locator(STOP).is_visible()
    over = time.monotonic() + 30
    while (left := set(uploads.rglob("*.wav")) - before) and time.monotonic() < over:
        page.wait_for_timeout(100)
    assert not left, "neither the one that had arrived nor the one on its way is of use to anybody"
    assert rows(page).count() == 0
    give(page, "clips.add", [small])
    wait_rows(page, 1)
    assert not page.locator(SAID).is_visible()


def test_a_line_that_fails_is_said_until_somebody_goes_on(visit, tmp_path: Path):
    page = visit()
    page.route("**/gradio_api/upload*", lambda route: route.abort())
    give(page, "clips.add", write_labelled(tmp_path, 1, 2.0))
    page.wait_for_selector(f"{SAID}:has-text('did not arrive')")
    page.click('[data-act="page.language"][data-language="ja"]')
    page.wait_for_selector(f"{SAID}:has-text('届きませんでした')")
    page.click('[data-act="clips.festival"]')
    page.locator(SAID).wait_for(state="hidden")
    page.wait_for_selector("#panel-clips tr[data-key]")
