"""Nothing jumps while one looks, what is touched is large enough, and every table sorts by any column."""

from __future__ import annotations

import re

import pytest

TABS = ("evidence", "clips", "probe", "fine-tune", "few-shot", "plan", "about")
#: Cumulative layout shift of a visit, all that no hand caused. Under 0.1 the field calls it good (web.dev/cls).
MOST_SHIFT = 0.1
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) shifts.push(one);
}).observe({ type: "layout-shift", buffered: true });
"""
#: The worst window of shifts, as web.dev/cls counts them: at most a second between two, five in all.
WORST = """() => {
  let [worst, sum, first, last] = [0, 0, 0, 0];
  for (const { value, startTime } of shifts) {
    if (startTime - last > 1000 || startTime - first > 5000) [sum, first] = [0, startTime];
    [sum, last] = [sum + value, startTime];
    worst = Math.max(worst, sum);
  }
  return [worst, shifts.map((one) => [one.value, ...one.sources.map((source) => {
    const node = source.node?.nodeType === 1 ? source.node : source.node?.parentElement;
    return `${node?.tagName}.${node?.className} ${Math.round(source.previousRect.y)} to ${Math.round(source.currentRect.y)}`;
  })])];
}"""
#: What is touched and is smaller than 24 pixels (WCAG 2.2, 2.5.8): words within a sentence excepted, and what has as
#: much room around it.
SMALL = """() => {
  const all = [...document.querySelectorAll("button, a[href], select, summary, input:not([type=hidden]), [role=tab]")]
    .filter((one) => one.offsetParent && !one.closest(".hidden") && getComputedStyle(one).visibility !== "hidden");
  const boxes = all.map((one) => [one, (one.matches("input") && one.closest("label") || one).getBoundingClientRect()]);
  const crowded = (one, box) => boxes.some(([other, there]) => other !== one && !one.contains(other) && !other.contains(one)
    && Math.hypot((box.left + box.right - there.left - there.right) / 2, (box.top + box.bottom - there.top - there.bottom) / 2) < 24);
  return boxes.filter(([one, box]) => Math.min(box.width, box.height) < 23.5 && crowded(one, box)
      && !(one.matches("a, .term, .link") && /\\S/.test([...one.parentElement.childNodes].filter((n) => n !== one).map((n) => n.textContent).join(""))))
    .map(([one, box]) => `${one.outerHTML.slice(0, 120)} ${Math.round(box.width)} x ${Math.round(box.height)}`);
}"""


def go(page, tab: str) -> None:
    page.click(f'[data-tab="{tab}"]')
    page.wait_for_selector(f"#panel-{tab}.is-open .view > *", state="attached")
    page.wait_for_timeout(600)


@pytest.mark.parametrize(("language", "width", "height"), [("en-US", 1280, 800)])
def test_nothing_jumps_and_everything_can_be_touched(visit, language, width, height):
    page = visit("evidence", language=language, width=width)
    page.set_default_timeout(120_000)
    page.set_viewport_size({"width": width, "height": height})
    page.add_init_script(WATCH)
    page.reload()
    page.wait_for_selector("#evidence-overview .cell")
    page.wait_for_timeout(1500)

    def still(what: str) -> None:
        worst, shifts = page.evaluate(WORST)
        assert worst <= MOST_SHIFT, f"{what}: {shifts}"
        assert not page.evaluate(SMALL), what
        page.evaluate("shifts.length = 0")

    still("first opening")
    for tab in TABS[1:]:
        go(page, tab)
        still(f"{tab}, nothing there yet")
    go(page, "clips")
    page.click("#panel-clips [data-act='clips.festival']")
    page.wait_for_selector("#panel-clips tr[data-key]")
    page.wait_for_timeout(1000)
    page.evaluate("shifts.length = 0")  # the empty tab gives way to the clips as a whole
    still("the festival is there")
    go(page, "probe")
    page.click('[data-act="probe.run"]')
    page.wait_for_selector("#panel-probe [data-result]")
    page.wait_for_timeout(1500)
    still("the probe answers")
    go(page, "few-shot")
    page.click('[data-act="few-shot.example"][data-number="3"]')
    page.wait_for_selector("#panel-few-shot [data-answer]")
    page.wait_for_timeout(1500)
    still("the tagger answers")
    for tab in TABS:
        go(page, tab)
        still(f"{tab}, with answers")


def test_tables_sort_by_any_column(visit):
    page = visit("about")
    table = page.locator(".facts-table").first
    table.wait_for()

    def first() -> list[str]:
        return table.locator("tbody td:first-child .name").all_inner_texts()

    before = first()
    by_name = sorted(
        before,
        key=lambda name: [
            int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", name)
        ],
    )
    sizes = table.locator("tbody td:nth-child(3)")
    table.locator("th:nth-child(3) .sort").click()
    values = [float(one) for one in sizes.evaluate_all("all => all.map((one) => one.dataset.value)")]
    assert values == sorted(values, reverse=True)
    assert table.locator("th:nth-child(3)").get_attribute("aria-sort") == "descending"
    table.locator("th:nth-child(1) .sort").click()
    assert first() == by_name
    table.locator("th:nth-child(1) .sort").click()
    table.locator("th:nth-child(1) .sort").click()
    assert first() == before
    page.click('[data-tab="clips"]')
    page.click("#panel-clips [data-act='clips.festival']")
    page.wait_for_selector("#panel-clips tr[data-key]", timeout=60_000)
    names = page.locator("#panel-clips tr[data-key] .name")
    page.click('#panel-clips [data-act="clips.sort"][data-column="clip"]')
    page.wait_for_selector('#panel-clips th[aria-sort="ascending"]')
    assert names.all_inner_texts() == sorted(names.all_inner_texts(), key=str.casefold)
