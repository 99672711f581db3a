"""The listening panel's page: opened from a file, answered with touch and keys, and its answers read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import until
from paneled import clips, panel

from mirdemo.planning.panel import panel_page, read_answers, results


@pytest.fixture
def opened(chromium, tmp_path: Path):
    """``opened(language, width)``: the page from ``file://`` without a network, and what the browser complained about."""
    made = panel(two=True, most=4)
    place = tmp_path / "panel.html"
    place.write_text(panel_page(made, clips()), encoding="utf-8")
    contexts, wrong = [], []

    def open_page(language: str, width: int):
        context = chromium.new_context(
            locale=language, viewport={"width": width, "height": 844}, offline=True, has_touch=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.goto(place.as_uri())
        return made, page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize(("language", "width"), [("ja-JP", 390), ("en-US", 1280)])
def test_a_panel_is_answered_from_a_file_and_read_back(opened, language: str, width: int):
    made, page = opened(language, width)
    assert page.locator("html").get_attribute("lang") == language[:2]
    page.click("form button")
    assert page.is_visible(".name-needed")
    page.fill("#listener", "花子 <b>")
    page.click("form button")
    until(page, "document.querySelector('#audio').duration > 0.3")
    page.click("[data-play]")
    until(page, "document.querySelector('#audio').currentTime > 0")
    asked = []
    for number, clip in enumerate(made.clips):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".tag").all_inner_texts() == [question.tag for question in clip.questions]
        assert not page.is_visible(".compare")
        if width < 500:
            for q in range(len(clip.questions)):
                page.tap(f'[data-q="{q}"][data-verdict="{("right", "wrong", "cannot_tell")[q % 3]}"]')
        else:
            for q in range(len(clip.questions)):
                page.keyboard.press(str(1 + q % 3))
        asked.append(tuple(("right", "wrong", "cannot_tell")[q % 3] for q in range(len(clip.questions))))
        if clip.sides:
            page.click('.compare [data-side="second"]')
        if number == 1:
            page.fill("#words", "鉦、 笛 の音 ,")
            page.reload()  # what was answered is still there
            assert page.input_value("#words") == "鉦, 笛 の音"
        page.click("[data-next]")
    with page.expect_download() as download:
        page.click("[data-save]")
    assert download.value.suggested_filename == "answers-花子-b-.json"
    read = read_answers(Path(download.value.path()).read_bytes(), made)
    assert read.listener == "花子 <b>"
    assert read.language == language[:2]
    assert [read.clips[n].verdicts for n in range(len(made.clips))] == asked
    assert read.clips[1].words == ("鉦", "笛 の音")
    assert {read.clips[n].side for n, clip in enumerate(made.clips) if clip.sides} == {"second"}
    assert sum(clip.seconds for clip in read.clips.values()) > 0
    assert results(made, [read]).n_answers == made.n_questions


def test_answers_can_be_changed_left_out_saved_again_and_copied_as_text(opened):
    made, page = opened("en-US", 390)
    page.fill("#listener", "Aki")
    page.click("form button")
    first = page.locator('[data-q="0"]')
    first.nth(0).click()
    first.nth(1).click()
    assert first.nth(0).get_attribute("aria-pressed") == "false"
    assert first.nth(1).get_attribute("aria-pressed") == "true"
    for _ in made.clips:
        page.click("[data-next]")
    page.click("summary")
    page.wait_for_function("document.querySelector('#as-text').value")
    text = page.input_value("#as-text")
    read = read_answers(text, made)
    assert read.n == 1
    assert read.clips[0].verdicts[0] == "wrong"
    page.click("[data-open]")
    assert page.locator(".along").inner_text() == f"1 of {len(made.clips)}"
    page.click("[data-back]")
    page.click("text=Erase my answers")
    page.click("[data-erase]")
    assert page.input_value("#listener") == ""
    assert page.evaluate("localStorage.length") <= 1


def test_who_stops_half_way_reaches_the_end_at_once_and_may_go_on(opened):
    made, page = opened("ja-JP", 390)
    page.fill("#listener", "途中まで")
    page.click("form button")
    assert not page.is_visible("[data-stop]")  # nothing to hand in yet
    page.tap('[data-q="0"][data-verdict="right"]')
    page.tap("[data-stop]")
    with page.expect_download() as download:
        page.click("[data-save]")
    read = read_answers(Path(download.value.path()).read_bytes(), made)
    assert (read.listener, read.n) == ("途中まで", 1)
    page.click("[data-open]")
    assert page.locator(".along").inner_text().startswith(str(len(made.clips)))
    for _ in made.clips[1:]:
        page.click("[data-next]")
    assert not page.is_visible("[data-stop]")  # the way on is the way to the end
