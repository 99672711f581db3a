"""What axe-core can see: no violation on any tab, before and after there are clips, in either language, theme and width;
the focus stays near what was removed; and every answer comes into sight."""

from __future__ import annotations

from pathlib import Path

import pytest

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TABS = ("evidence", "clips", "probe", "fine-tune", "few-shot", "plan", "about")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page) -> list[str]:
    """What axe finds now: rule, element, reason."""
    page.evaluate("document.activeElement.blur()")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, { resultTypes: ['violations'], runOnly: rules }).then((all) => all.violations)",
        RULES,
    )
    return [f"{v['id']}: {n['html'][:160]} ({n['failureSummary']})" for v in found for n in v["nodes"]]


def open_tab(page, tab: str) -> None:
    page.click(f'[data-tab="{tab}"]')
    page.wait_for_selector(f"#panel-{tab}.is-open .view > *", state="attached")


@pytest.mark.parametrize(
    ("language", "width", "theme"),
    [("en-US", 1280, "light"), ("ja-JP", 390, "dark"), ("en-US", 390, "light"), ("ja-JP", 1280, "dark")],
)
def test_axe_finds_nothing(visit, language, width, theme):
    page = visit("evidence", language=language, width=width)
    page.set_default_timeout(120_000)
    if theme == "dark":
        page.click("[data-theme-toggle]")
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    for tab in TABS:
        open_tab(page, tab)
        assert not violations(page), f"{tab}, nothing there yet"
    open_tab(page, "clips")
    page.click("#panel-clips [data-act='clips.festival']")
    page.wait_for_selector("#panel-clips tr[data-key]")
    open_tab(page, "probe")
    page.click('[data-act="probe.run"]')
    page.wait_for_selector("#panel-probe [data-result]")
    open_tab(page, "few-shot")
    page.click('[data-act="few-shot.example"][data-number="3"]')
    page.wait_for_selector("#panel-few-shot [data-answer]")
    for tab in TABS:
        open_tab(page, tab)
        page.evaluate(
            "for (const fold of document.querySelectorAll('.mir-panel.is-open details')) fold.open = true"
        )
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(300)
        assert not violations(page), f"{tab}, with clips and answers"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_every_answer_comes_into_sight(visit, width, height):
    page = visit("evidence", width=width)
    page.set_default_timeout(120_000)
    page.set_viewport_size({"width": width, "height": height})

    def in_sight(place: str) -> bool:
        page.locator(place).first.wait_for()
        page.wait_for_timeout(700)  # scrolling is smooth
        return page.locator(place).first.evaluate(
            "(place) => { const box = place.getBoundingClientRect();"
            " return box.top >= 0 && box.top + Math.min(box.height, 120) <= innerHeight; }"
        )

    page.click(".front [data-act='clips.festival']")
    assert in_sight("#panel-clips tr[data-key]")
    open_tab(page, "probe")
    page.click('[data-act="probe.run"]')
    assert in_sight("#panel-probe [data-result] h2")
    open_tab(page, "few-shot")
    page.click('[data-act="few-shot.example"][data-number="3"]')
    assert in_sight("#panel-few-shot [data-answer]")
    page.click('[data-act="few-shot.judge"][data-value="wrong"]')
    assert in_sight("#panel-few-shot .correct")
    open_tab(page, "evidence")
    cell = page.locator("#evidence-overview .cell").nth(40)
    cell.scroll_into_view_if_needed()
    cell.click()
    assert in_sight("#card")


def test_the_focus_goes_to_the_neighbour_of_what_is_removed(visit):
    page = visit("clips")
    page.click("#panel-clips [data-act='clips.festival']")
    page.wait_for_selector("#panel-clips tr[data-key]", timeout=60_000)
    button = page.locator('#panel-clips [data-act="clips.remove"]').nth(2)
    following = page.locator("#panel-clips tr[data-key]").nth(3).get_attribute("data-key")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#panel-clips tr[data-key]').length === 35")
    assert page.evaluate("document.activeElement.closest('tr')?.dataset.key") == following
    assert page.evaluate("document.activeElement.dataset.act") == "clips.remove"
