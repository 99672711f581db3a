"""A term opens its sentence by a tap, by the mouse and by the keyboard, in both languages and on a phone."""

from __future__ import annotations

import re

import pytest

from mirdemo.words.glossary import mark


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


#: Of every term that can be reached now: its place in the page, and where it stands.
REACHED = """() => [...document.querySelectorAll("[data-term]")].filter((term) => { delete term.dataset.liveAt; return !term.closest(".mir-panel:not(.is-open)"); })
  .map((term, at) => { term.dataset.liveAt = at; return term; })
  .filter((term) => term.checkVisibility({ visibilityProperty: true }) && term.getClientRects().length)
  .map((term) => term.dataset.liveAt)"""
#: One after the other, by a tap or by the mouse over it: what is wrong with the sentence that opens.
EACH = """async ([all, touches]) => {
  const card = document.getElementById("term-card"), wrong = [];
  for (const at of all) {
    const term = document.querySelector(`[data-term][data-live-at="${at}"]`);
    term.scrollIntoView({ block: "center", behavior: "instant" });
    await new Promise(requestAnimationFrame); // it is told that the page has moved
    const says = (what) => wrong.push(`${term.dataset.term} in ${term.parentElement.textContent.trim().slice(0, 50)} ${what}`);
    if (/flex|grid/.test(getComputedStyle(term.parentElement).display) && term.parentElement.textContent.trim() !== term.textContent) says("tears its line apart");
    if (touches && term.matches(".term")) term.click();
    else term.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    const box = card.getBoundingClientRect();
    if (!card.matches(":popover-open")) says("is not open");
    else if (card.textContent.trim() !== document.querySelector(`[data-term-says="${term.dataset.term}"]`).textContent.trim()) says("says something else");
    else if (box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight) says("lies outside the window");
    else if ([...term.getClientRects()].some((own) => own.left < box.right && own.right > box.left && own.top < box.bottom && own.bottom > box.top)) says("covers its word");
    term.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    if (card.matches(":popover-open")) says("does not close");
  }
  return wrong;
}"""


def tabs_with_results(page):
    """Every tab, the festival's results in them and all that folds unfolded."""
    page.click(".front [data-act='clips.festival']")
    page.locator("#panel-clips tr[data-key]").nth(35).wait_for()
    yield "clips"
    page.click('[data-tab="probe"]')
    page.click('[data-act="probe.run"]')
    page.locator("#panel-probe [data-result] h2").wait_for()
    yield "probe"
    page.click('[data-tab="fine-tune"]')
    yield "fine-tune"
    page.click('[data-tab="few-shot"]')
    page.click('[data-act="few-shot.example"][data-number="1"]')
    page.locator("[data-answer]").first.wait_for()
    yield "few-shot"
    page.click('[data-tab="plan"]')
    page.locator("[data-advice]").wait_for()
    yield "plan"
    page.click('[data-tab="evidence"]')
    page.locator("#evidence-overview").wait_for()
    yield "evidence"
    page.click('[data-tab="about"]')
    page.locator("#about-glossary").wait_for()
    yield "about"


@pytest.mark.parametrize(("language", "width"), [("en-US", 1280), ("ja-JP", 390)])
def test_every_term_of_every_tab_opens_within_the_window_beside_its_word(
    chromium, address: str, language: str, width: int
):
    touches = width < 600
    context = chromium.new_context(
        locale=language, has_touch=touches, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/#evidence")
    page.wait_for_selector("[data-answered]")
    wrong, asked = [], {}
    for tab in tabs_with_results(page):
        page.wait_for_function("!mirdemo.waits() && !document.querySelector('.is-open .progress')")
        page.evaluate("document.querySelectorAll('.is-open details').forEach((one) => { one.open = true; })")
        page.wait_for_function("!mirdemo.waits()")
        asked[tab] = page.evaluate(REACHED)
        wrong += [f"{tab}: {one}" for one in page.evaluate(EACH, [asked[tab], touches])]
    context.close()
    assert not wrong, wrong
    assert all(asked[tab] for tab in asked), asked
    assert sum(map(len, asked.values())) > 150


#: Terms of a card, each with its word.
IN_CARD = """() => [...document.querySelectorAll("#card .term")].map((term) => [term.dataset.term, term.textContent])"""


@pytest.mark.parametrize(("language", "width"), [("en-US", 1280), ("ja-JP", 390)])
def test_terms_within_a_card_open_and_close_over_it(visit, language, width):
    page = visit("evidence", language=language, width=width)
    card, told = page.locator("#card"), page.locator("#term-card")
    page.locator("#evidence-overview .heat-table td > .cell").first.click()
    card.wait_for()
    found = page.evaluate(IN_CARD)
    assert len(found) == len({key for key, _ in found}) > 0, "each once"
    opened = mark(card.locator(".card-says").inner_text(), language[:2])
    assert found == [list(one) for one in re.findall(r'data-term="(\w+)">([^<]*)<', opened)], (
        "as everywhere else"
    )
    term = card.locator(".term").first
    term.click()
    told.wait_for()
    assert card.is_visible()
    page.keyboard.press("Escape")
    told.wait_for(state="hidden")
    assert card.is_visible(), "the first Escape closes the sentence, the second the card"
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    page.locator("#evidence-overview .heat-table td > .cell").first.click()
    term.click()
    told.wait_for()
    page.go_back()
    card.wait_for(state="hidden")
    told.wait_for(state="hidden")
