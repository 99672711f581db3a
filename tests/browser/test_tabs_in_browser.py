"""Two tabs of the browser that show one visit, as after duplicating one: what is done in one is seen in the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import LISTENED, LISTENING, give, rows, until, wait_rows, write_labelled


@pytest.fixture
def twice(visit, tmp_path: Path):
    """A page with six clips, and a duplicate of its tab."""
    page = visit(elsewhere=True)
    page.evaluate(LISTENING)
    give(page, "clips.add", write_labelled(tmp_path, 6, 2.0))
    wait_rows(page, 6)
    until(page, LISTENED)  # else the duplicate is told how far that is
    with page.expect_popup() as opened:
        page.evaluate("void window.open(location.href)")
    other = opened.value
    other.set_default_timeout(120_000)
    wait_rows(other, 6)
    until(other, "!mirdemo.waits()")
    return page, other


def test_what_is_done_in_one_tab_is_seen_in_the_other(twice):
    page, other = twice
    page.locator('[data-act="clips.remove"]').first.click()
    wait_rows(other, 5)
    other.click("[data-undo]")
    wait_rows(page, 6)
    page.click('[data-act="page.language"][data-language="ja"]')
    until(other, "document.documentElement.lang === 'ja'")
    other.click('[data-tab="fine-tune"]')
    other.click('[data-act="fine-tune.backbone"][data-value="mini-west"]')
    other.locator('[data-act="fine-tune.run"]:not([disabled])').wait_for()
    page.click('[data-tab="fine-tune"]')
    page.select_option('[data-act="fine-tune.epochs"]', "40")
    page.click('[data-act="fine-tune.run"]')
    other.click('[data-key="under-way"] [data-act="page.stop"]')
    page.wait_for_selector('[data-key="under-way"]', state="detached")


def test_a_tab_that_nobody_sees_looks_when_it_is_seen(twice):
    page, other = twice
    other.evaluate("""() => {
      window.hides = true;
      Object.defineProperty(document, "hidden", { get: () => window.hides });
    }""")
    page.locator('[data-act="clips.remove"]').first.click()
    wait_rows(page, 5)
    page.wait_for_timeout(1000)
    assert rows(other).count() == 6
    other.evaluate("() => { window.hides = false; dispatchEvent(new Event('visibilitychange')); }")
    wait_rows(other, 5)


def test_a_visit_is_saved_where_somebody_asked_for_it_and_nowhere_else(twice):
    page, other = twice
    saved = []
    other.on("download", lambda one: saved.append(one))
    with page.expect_download():
        page.click('[data-act="visit.save"][data-sound="false"]')
    other.wait_for_selector("a[data-saves]")
    other.wait_for_timeout(1000)
    assert not saved
    with other.expect_download():
        other.click('[data-act="visit.save"][data-sound="false"]')


def test_who_is_in_one_tab_is_warned_of_no_end_in_the_other(twice):
    page, other = twice
    other.clock.install()
    other.reload()
    wait_rows(other, 6)
    until(other, "!mirdemo.waits()")
    other.clock.fast_forward(3_001_000)
    other.wait_for_selector(".ending:visible")
    page.locator("#panel-clips input[type=checkbox]").first.click()
    other.wait_for_selector(".ending", state="hidden")
    assert "ends" not in other.title()
