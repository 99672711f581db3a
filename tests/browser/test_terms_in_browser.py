"""A term opens its sentence by a tap, by the mouse and by the keyboard, in both languages and on a phone."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("language", "width"), [("en-US", 1280), ("ja-JP", 390)])
def test_a_term_opens_and_closes(visit, language, width):
    page = visit("evidence", language=language, width=width)
    term = page.locator('#evidence-overview .detail [data-term="roc_auc"]')
    card = page.locator("#term-card")
    term.click()
    card.wait_for()
    assert {"en-US": "0.5 is chance", "ja-JP": "0.5 が偶然"}[language] in card.inner_text()
    assert term.get_attribute("aria-describedby") == "term-card"
    box = card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(2, 2)
    term.hover()
    card.wait_for()
    page.mouse.move(2, 2)
    card.wait_for(state="hidden")
    term.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    card.wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.term") == "roc_auc", "the focus stays"


def test_about_holds_them_all(visit):
    page = visit("about")
    listed = page.locator("#about-glossary dt")
    listed.first.wait_for()
    assert listed.count() == page.locator("[data-term-says]").count() >= 30
