"""A long recording in a real browser: opened as one waveform, spans marked with the mouse and by keys alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from driving import RATE as DRIVING_RATE
from driving import give, played, rows, wait_rows, write_labelled
from looking import violations
from walking import WIDE, Walk

RATE = 4_000


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-two minutes: drums of forty seconds, then twenty of silence, in turn."""
    path = tmp_path_factory.mktemp("long") / "evening.wav"
    drums = played("drum", 40, 3)[::5][: 40 * RATE]
    minute = np.zeros(60 * RATE, np.float32)
    minute[: len(drums)] = drums
    with soundfile.SoundFile(path, "w", RATE, 1, subtype="PCM_U8") as file:
        for number in range(32):
            file.write(minute * (1 - 0.02 * number))  # no two are the same sound
    return path


def opened(visit, evening: Path, **how):
    page = visit(**how)
    give(page, "clips.add", [evening])
    page.wait_for_selector(".long[data-long]:not([data-there])")
    page.wait_for_function("document.querySelector('.long-clock').textContent")
    return page


def says(page) -> str:
    return page.get_attribute(".long-view", "aria-valuetext")


def test_a_span_is_dragged_tagged_heard_and_taken_back(visit, evening: Path, uploads: Path):
    page = opened(visit, evening)
    assert [path for path in uploads.rglob("*") if path.suffix == ".wav"] == []
    view = page.locator(".long-view")
    box = view.bounding_box()
    left, y = box["x"], box["y"] + 60
    page.mouse.move(left + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(left + box["width"] * 0.27, y, steps=4)
    page.mouse.up()
    assert "Span from 8:00" in says(page)
    page.keyboard.type("taiko")
    page.keyboard.press("Enter")
    wait_rows(page, 1)
    row = rows(page).first
    assert row.locator(".chip").inner_text().strip() == "taiko"
    assert row.locator('[data-act="clips.recording"]').input_value() == "evening"
    assert "8:00 to 8:3" in row.inner_text()
    assert page.evaluate("document.activeElement.className") == "long-view"
    page.wait_for_function("document.querySelector('.long-span [name=start]').value === ''")
    assert "Clip: taiko." in says(page)
    page.click('[data-long-do="play"]')
    page.wait_for_function("!mirdemo.sound.paused && mirdemo.sound.currentTime > 480.3")
    page.click('[data-long-do="play"]')
    assert page.evaluate("mirdemo.sound.paused")
    page.click("[data-undo]")
    wait_rows(page, 0)
    assert page.locator(".long[data-long]").count() == 1
    page.click('[data-act="long.close"]')
    page.wait_for_selector(".long[data-long]", state="detached")


def test_what_is_in_view_is_drawn_finely_while_it_plays_too_and_is_not_asked_for_at_each_paint(
    visit, evening: Path
):
    page = visit()
    refused: list[bool] = []  # whether it was all of it, or what is in view
    whole = lambda url: "to=1920&" in url  # noqa: E731

    def refuse(asked) -> None:
        refused.append(whole(asked.request.url))
        asked.fulfill(status=429)

    page.route("**/outline?**", refuse)
    give(page, "clips.add", [evening])
    page.wait_for_selector(".long[data-long]:not([data-there])")
    page.click('[data-long-do="play"]')
    page.wait_for_function("!mirdemo.sound.paused && mirdemo.sound.currentTime > 0.2")
    page.click('[data-long-do="in"]')
    page.wait_for_timeout(2_000)
    for kind in (True, False):
        assert 0 < refused.count(kind) <= 5, "it paints some sixty times a second"
    page.unroute("**/outline?**")
    with (
        page.expect_response(lambda got: "/outline?" in got.url and whole(got.url)),
        page.expect_response(lambda got: "/outline?" in got.url and not whole(got.url)),
    ):
        pass
    assert not page.evaluate("mirdemo.sound.paused")


def test_what_is_read_so_far_is_drawn_and_marked_and_no_more(visit, evening: Path):
    """The page's part of it, on a recording whose section is told that it grows."""
    page = opened(visit, evening)
    grown = """there => {
        const place = document.querySelector('.long[data-long]');
        if (there) place.dataset.there = there; else delete place.dataset.there;
        mirdemo.afterDrawing(place.closest('.view'));
    }"""
    inked = """() => {
        const canvas = document.querySelector('.long-wave');
        const middle = Math.round(canvas.height * 0.55);
        const row = (share) => [...canvas.getContext('2d').getImageData(Math.round(canvas.width * share), middle, 1, 1).data].join();
        return row(0.253) !== row(0.87);
    }"""
    page.evaluate(grown, 960.0)
    page.locator(".long-view").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.long-view').ariaValueText.startsWith('16:00.0')")
    page.wait_for_function(inked)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+PageDown")
    assert page.input_value(".long-span [name=end]") == ""
    page.keyboard.press("Home")
    page.keyboard.press("Shift+PageDown")
    assert page.input_value(".long-span [name=end]") == "16:00.0"
    with page.expect_request(lambda asked: asked.url.endswith("sound.wav?seconds=960")):
        page.keyboard.press(" ")
    page.wait_for_function("!mirdemo.sound.paused && mirdemo.sound.duration === 960")
    page.keyboard.press(" ")
    with page.expect_response(lambda got: "/outline?from=0&" in got.url):
        page.evaluate(grown, None)
    page.keyboard.press("End")
    assert says(page).startswith("32:00.0")


def test_everything_goes_by_keys(visit, evening: Path):
    page = opened(visit, evening, language="ja-JP", width=390)
    view = page.locator(".long-view")
    view.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert says(page).startswith("3:12.0")
    page.keyboard.press("i")
    for key in ("ArrowRight", "ArrowRight", "o"):
        page.keyboard.press(key)
    assert page.input_value(".long-span [name=start]") == "3:12.0"
    assert page.input_value(".long-span [name=end]") == "3:50.4"
    page.keyboard.press("Shift+ArrowRight")
    assert page.input_value(".long-span [name=end]") == "4:09.6"
    page.keyboard.press("Enter")
    page.keyboard.type("太鼓")
    page.keyboard.press("Enter")
    wait_rows(page, 1)
    for key in ("End", "Shift+ArrowLeft", "1"):
        page.keyboard.press(key)
    wait_rows(page, 2)
    assert rows(page).locator(".chip", has_text="太鼓").count() == 2
    page.keyboard.press("b")
    page.keyboard.press("Delete")
    wait_rows(page, 1)
    page.keyboard.press("Control+z")
    wait_rows(page, 2)
    for key in ("+", "+", "PageUp"):
        page.keyboard.press(key)
    before = says(page)
    page.keyboard.press(" ")
    page.wait_for_function("!mirdemo.sound.paused && mirdemo.sound.currentTime > 0.2")
    page.keyboard.press(" ")
    assert says(page) != before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_times_can_be_typed_and_what_is_no_span_is_said(visit, evening: Path):
    page = opened(visit, evening)
    page.keyboard.press("Escape")
    page.click(".long-span [type=submit]")
    assert page.inner_text('.long [data-key="says"]') == "Mark a span first."
    page.fill(".long-span [name=start]", "12:30")
    page.fill(".long-span [name=end]", "12:45.5")
    page.fill(".long-span [name=value]", "flute, slow")
    page.keyboard.press("Enter")
    wait_rows(page, 1)
    assert rows(page).locator(".chip").count() == 2
    assert "12:30 to 12:46" in rows(page).first.inner_text()


@pytest.mark.parametrize(("language", "width"), [("en-US", 1280), ("ja-JP", 390)])
def test_axe_finds_nothing_beside_a_waveform(visit, evening: Path, language: str, width: int):
    page = opened(visit, evening, language=language, width=width)
    assert violations(page) == []
    page.locator(".long-view").focus()
    for key in ("i", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    wait_rows(page, 1)
    page.evaluate("for (const fold of document.querySelectorAll('.is-open details')) fold.open = true")
    assert violations(page) == []


def test_it_is_cut_at_its_pauses_and_looked_at_as_a_spectrogram(visit, evening: Path):
    page = opened(visit, evening)
    page.click(".long-cut summary")
    page.click('[data-how="pauses"] [type=submit]')
    page.wait_for_selector(".long-pieces")
    assert "32 pieces, 21." in page.inner_text(".long-pieces")
    page.locator(".long-view").focus()
    page.keyboard.press("Home")
    assert "Piece to be cut." in says(page)
    page.set_viewport_size(WIDE)
    w = Walk(page)
    w.step("long.drop_piece", lambda: page.keyboard.press("Delete"), ".long-pieces", until="text=31 pieces")
    w.ends()
    page.keyboard.press("s")
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector('.long-spectrum');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return new Set(data.filter((_, i) => i % 4 === 0)).size > 20;
        }"""
    )
    assert page.get_attribute('[data-long-do="spectrum"]', "aria-pressed") == "true"
    page.fill(".long-pieces [name=value]", "taiko")
    page.keyboard.press("Enter")
    wait_rows(page, 31)
    assert page.locator(".long-pieces").count() == 0
    page.click("[data-undo]")
    wait_rows(page, 0)
    assert "31 pieces" in page.inner_text(".long-pieces")


def test_all_of_it_is_tagged_over_time_played_and_taken_along(visit, tmp_path: Path):
    page = visit()
    give(page, "clips.add", write_labelled(tmp_path, 4, 3.0))
    wait_rows(page, 4)
    parade = np.concatenate([played("flute", 32, 8), played("drum", 35, 9)])
    soundfile.write(tmp_path / "parade.wav", parade, DRIVING_RATE)
    give(page, "clips.add", [tmp_path / "parade.wav"])
    wait_rows(page, 5)
    page.click('[data-act="long.open"]')
    wait_rows(page, 4)
    page.set_default_timeout(120_000)
    page.click('[data-act="few-shot.long"]')
    page.wait_for_selector(".long-answer")
    assert page.evaluate("location.hash") == "#few-shot"
    lanes = page.locator(".long-answer .lane-name").all_inner_texts()
    assert {"drum", "flute"} <= set(lanes)
    page.locator('[aria-label="Play the next place: drum"]').click()
    page.wait_for_function("!mirdemo.sound.paused && mirdemo.sound.currentTime > 0")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    waves = page.locator(".long-answer .wave")
    assert min(waves.nth(n).bounding_box()["width"] for n in range(waves.count())) > 250
    page.click(".long-answer .over-time summary")
    with page.expect_download() as got:
        page.locator(".long-answer .over-time a", has_text="CSV").click()
    assert "parade.wav" in Path(got.value.path()).read_text(encoding="utf-8-sig")
