"""A visit saved and opened by a real browser, many clips tagged at once, what was deleted brought back."""

from __future__ import annotations

from pathlib import Path

from driving import give, rows, wait_rows, write_labelled


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


def test_a_visit_that_nobody_touches_says_so_before_it_ends(visit, tmp_path: Path):
    page = visit()
    page.clock.install()
    page.reload()
    page.wait_for_selector("[data-answered]")
    give(page, "clips.add", write_labelled(tmp_path, 2, 2.0))
    wait_rows(page, 2)
    page.clock.fast_forward(3_001_000)
    page.wait_for_selector(".ending:visible")
    assert "In 10 minutes this visit ends" in page.title()
    page.click('[data-act="page.stay"]')
    page.wait_for_selector(".ending", state="hidden")
    assert "ends" not in page.title()
