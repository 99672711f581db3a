"""A visit saved and opened by a real browser, many clips tagged at once, what was deleted brought back."""

from __future__ import annotations

from pathlib import Path

from driving import LISTENED, LISTENING, give, rows, until, wait_rows, write_labelled
from walking import NARROW, WIDE, Walk


def test_many_are_tagged_taken_back_saved_and_opened_by_somebody_else(visit, tmp_path: Path):
    page = visit()
    give(page, "clips.add", write_labelled(tmp_path, 6, 3.0))
    wait_rows(page, 6)
    boxes = rows(page).locator("input[type=checkbox]")
    boxes.nth(0).click()
    page.wait_for_selector("text=1 clip ticked")
    boxes.nth(3).click(modifiers=["Shift"])
    page.wait_for_selector("text=4 clips ticked")
    page.keyboard.type("matsuri")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Clips tagged: 4")
    assert rows(page).locator(".chip", has_text="matsuri").count() == 4
    page.click('[data-act="clips.clear"]')
    wait_rows(page, 0)
    page.keyboard.press("Control+z")
    wait_rows(page, 6)
    with page.expect_download() as kept:
        page.click('[data-act="visit.save"][data-sound="true"]')
    assert kept.value.suggested_filename.startswith("mirdemo-visit-")
    kept.value.save_as(tmp_path / "visit.zip")
    other = visit(language="ja-JP", width=390)
    give(other, "clips.add", [tmp_path / "visit.zip"])
    wait_rows(other, 6)
    assert rows(other).locator(".chip", has_text="matsuri").count() == 4
    assert other.evaluate("document.documentElement.scrollWidth") <= 390


def test_letters_are_read_again_and_a_visit_without_its_sound_is_given_up_each_taken_back(
    visit, tmp_path: Path
):
    page = visit()
    page.set_viewport_size(WIDE)
    sounds = [one for one in write_labelled(tmp_path, 2, 3.0) if one.suffix == ".wav"]
    give(page, "clips.add", sounds)
    wait_rows(page, 2)
    sheet = tmp_path / "letters.csv"
    sheet.write_bytes("file;tags\ndrum0.wav;þýð\n".encode("cp1252"))
    give(page, "clips.add", [sheet])
    chip = rows(page).locator(".chip")
    chip.wait_for()
    guessed, other = chip.inner_text().strip(), page.locator('[data-act="clips.respell"]').first
    meant = other.inner_text().strip()
    w = Walk(page)
    other_letters = f'.chip:has-text("{meant}")'
    w.step("clips.respell", other.click, other_letters, until=other_letters)
    assert meant != guessed
    w.step("page.undo", w.click("[data-undo]"), f'.chip:has-text("{guessed}")')
    w.ends()
    assert page.locator('[data-act="clips.respell"]').first.inner_text().strip() == meant

    with page.expect_download() as kept:
        page.click('[data-act="visit.save"][data-sound="false"]')
    kept.value.save_as(tmp_path / "visit.zip")
    other = visit(language="ja-JP", width=390)
    other.set_viewport_size(NARROW)
    give(other, "clips.add", [tmp_path / "visit.zip"])
    other.wait_for_selector(".waiting-visit")
    w = Walk(other)
    w.step("visit.give_up", w.click('[data-act="visit.give_up"]'), ".notice")
    assert other.locator(".waiting-visit").count() == 0
    w.step("page.undo", w.click("[data-undo]"), ".waiting-visit", moves="what comes back takes its place")
    w.ends()
    give(other, "clips.add", sounds[:1])
    other.wait_for_selector('[data-act="visit.go_on"]')
    assert rows(other).count() == 0
    give(other, "clips.add", sounds[1:])
    wait_rows(other, 2)
    assert other.locator(".waiting-visit").count() == 0
    assert rows(other).locator(".chip").inner_text().strip() == guessed


def test_a_visit_that_nobody_touches_says_so_before_it_ends_and_one_who_sends_files_is_there(
    visit, tmp_path: Path
):
    page = visit()
    page.clock.install()
    page.reload()
    page.wait_for_selector("[data-answered]")
    page.evaluate(LISTENING)
    give(page, "clips.add", write_labelled(tmp_path, 6, 2.0))
    wait_rows(page, 6)
    until(page, LISTENED)  # else what is heard of the clips begins the time anew
    page.clock.fast_forward(3_001_000)
    page.wait_for_selector(".ending:visible")
    assert "In 10 minutes this visit ends" in page.title()
    page.click('[data-act="page.stay"]')
    page.wait_for_selector(".ending", state="hidden")
    assert "ends" not in page.title()
    page.route("**/gradio_api/upload**", lambda asked: None)  # a slow line: it does not come to an end
    give(page, "clips.add", [tmp_path / "labels.csv"])
    page.wait_for_selector("[data-live-busy]")
    with page.expect_request(lambda asked: '"page.stay"' in (asked.post_data or "")):
        page.clock.fast_forward(250_000)
