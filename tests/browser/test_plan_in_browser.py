"""The whole as one: from opening the page to a recommendation and a report, with the festival, in few acts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

#: Clicks and fields that the walk may take.
MOST_ACTS = 25


class Walk:
    """A visitor's acts, counted."""

    def __init__(self, page) -> None:
        self.page, self.acts = page, 0

    def click(self, selector: str) -> None:
        self.acts += 1
        self.page.locator(selector).first.click()

    def fill(self, selector: str, value: str) -> None:
        self.acts += 1
        self.page.fill(selector, value)
        self.page.keyboard.press("Tab")

    def save(self, selector: str) -> bytes:
        self.acts += 1
        with self.page.expect_download() as download:
            self.page.locator(selector).first.click()
        return Path(download.value.path()).read_bytes()


def fits(page) -> bool:
    """Nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


#: Words of drawn charts that reach over their chart's edge.
CUT = """() => [...document.querySelectorAll('#panel-plan .chart-place')].flatMap((place) => {
  const edge = place.getBoundingClientRect();
  return [...place.querySelectorAll('.annotation-text')].filter((words) => {
    const box = words.getBoundingClientRect();
    return box.left < edge.left - 1 || box.right > edge.right + 1;
  }).map((words) => words.textContent);
})"""


def draw_all(page) -> None:
    """Scroll to each chart, so that it is drawn."""
    for place in page.locator("#panel-plan .chart-place").all():
        place.scroll_into_view_if_needed()
        place.locator("svg.main-svg").first.wait_for()


@pytest.mark.parametrize(
    ("language", "width", "said"),
    [
        ("en-US", 1280, "saves time in"),
        ("ja-JP", 390, "節約でき"),
    ],
)
def test_from_opening_the_page_to_a_recommendation_and_a_report(visit, language: str, width: int, said: str):
    page = visit("evidence", language, width)
    page.set_default_timeout(120_000)
    walk = Walk(page)
    walk.click('[data-tab="plan"]')
    walk.click('#panel-plan a[href="#clips"]')
    walk.click('#panel-clips [data-act="clips.festival"]')
    page.wait_for_function("document.querySelectorAll('#panel-clips tr[data-key]').length === 36")
    walk.click('[data-tab="plan"]')
    walk.click('#panel-plan [data-act="probe.run"]')
    advice = page.locator("#panel-plan [data-advice]")
    advice.wait_for()
    assert advice.get_attribute("data-advice") == "use"
    assert said in advice.inner_text()
    assert page.locator("#panel-plan .gate").count() == 3
    assert page.locator('#panel-plan [data-key="left-fine_tune"]').count() == 1
    not_run = page.locator("#panel-plan .visit-tags td.not-run")
    assert not_run.count() >= 14
    assert not_run.first.is_visible() == (width > 720)
    draw_all(page)
    for other in (390, 1280, width):
        page.set_viewport_size({"width": other, "height": 860})
        page.wait_for_function(f"() => !({CUT})().length")  # charts are drawn anew a moment later
        assert fits(page), other
        assert page.locator("#panel-plan .annotation-text").count() >= 8

    hand = page.locator("#assume-hand_minutes")
    hand.press("ControlOrMeta+a")
    hand.press_sequentially("0,1")  # a comma that the browser swallowed would make it 1
    hand.press("Enter")
    page.wait_for_function("document.querySelector('#assume-hand_minutes').value === '0.1'")
    page.wait_for_selector('#panel-plan [data-advice="by_hand"]')
    nothing = page.locator('#panel-plan [data-key="left-fine_tune"] .quiet').inner_text()
    assert not any(character.isdigit() for character in nothing)  # no bound of "0 seconds"
    walk.fill("#assume-hand_minutes", "-5")
    page.wait_for_selector(".notice.refusal")
    assert page.locator('#panel-plan [data-advice="by_hand"]').count() == 1
    page.wait_for_function("document.querySelector('#assume-hand_minutes').value === '0.1'")
    walk.click('[data-act="plan.reset"]')
    page.wait_for_selector('#panel-plan [data-advice="use"]')

    report = walk.save('[data-key="report"]').decode()
    assert f'<html lang="{language[:2]}">' in report
    assert said in report
    assert json.loads(walk.save('[data-key="file"]'))["format"] == "mirdemo-plan-1"
    assert walk.acts <= MOST_ACTS

    drawn = page.context.new_page()
    drawn.set_content(report)
    drawn.wait_for_selector(".chart svg.main-svg")
    assert drawn.locator(".chart svg.main-svg").count() >= 2
