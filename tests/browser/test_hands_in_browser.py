"""Hands that press twice, and what stands in a field once its answer is there."""

from __future__ import annotations

from driving import wait_rows


def press_twice(page, place: str) -> None:
    """As a hand does that has learnt to open folders: the second press meets whatever lies there a moment later."""
    button = page.locator(f"{place} >> visible=true").first
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*at)
    page.wait_for_timeout(120)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)


def test_a_double_click_is_one_and_a_field_has_what_counts(visit):
    page = visit("clips", "en-US", 1280)
    press_twice(page, '[data-act="clips.festival"]')
    wait_rows(page, 36)
    page.click('[data-tab="probe"]')
    button = page.locator('#panel-probe [data-act="probe.run"]')
    button.wait_for()
    button.dblclick()
    page.wait_for_selector('#panel-probe [data-act="probe.metric"]')
    page.click('[data-tab="plan"]')
    page.wait_for_selector("#panel-plan [data-advice]")
    press_twice(page, '[data-act="panel.make"]')
    page.wait_for_selector('[data-key="panel-made"]')
    assert page.locator(".notice.refusal").count() == 0, "the second press asked for nothing"
    most = page.locator("#panel-most")
    before = most.input_value()
    for said in ("999", "many", ""):
        most.fill(said)
        most.press("Enter")
        page.wait_for_function("(value) => document.querySelector('#panel-most').value === value", arg=before)
    most.fill("7")
    most.press("Enter")
    page.wait_for_selector('[data-key="panel-most-7"]')
    assert most.input_value() == "7"


def test_the_second_press_stops_nothing_and_taking_back_may_be_meant_twice(visit):
    page = visit("clips", "en-US", 1280)
    page.evaluate("""() => {
      window.acts = [];
      mirdemo.act = ({ act }) => { acts.push(act); return 0; };
      for (const act of ["probe.run", "page.stop", "panel.undo"]) {
        const button = Object.assign(document.createElement("button"), { textContent: act });
        button.dataset.act = act;
        document.body.prepend(button);
      }
    }""")
    for act, said in (("probe.run", 1), ("panel.undo", 2)):
        page.evaluate("acts.length = 0")
        page.locator(f'button[data-act="{act}"]').first.dblclick()
        assert page.evaluate("acts") == [act] * said
    page.evaluate("acts.length = 0")
    stop = page.locator('button[data-act="page.stop"]').first
    stop.dispatch_event("click", {"detail": 2})  # it came under the hand between the two presses
    assert page.evaluate("acts") == []
    stop.click()
    assert page.evaluate("acts") == ["page.stop"]
