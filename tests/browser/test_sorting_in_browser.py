"""Every table is sorted by any of its columns: with the mouse and with the keyboard, at a desk and on a phone."""

from __future__ import annotations

import re

import pytest

#: What everybody sees and what a visitor has are looked at in both languages and widths each, all four pairs between them.
SEEN = [pytest.param("en-US", 1280, id="1280 en"), pytest.param("ja-JP", 390, id="390 ja")]
HAS = [pytest.param("ja-JP", 1280, id="1280 ja"), pytest.param("en-US", 390, id="390 en")]
#: What stands in a column, row by row: what it is sorted by, where that is not what is read.
COLUMN = """(table, at) => [...table.tBodies[0].rows].filter((row) => row.cells.length > at && !row.matches(".alike-row, .mean-row")).map((row) => {
  const cell = row.cells[at], typed = cell.querySelector(".recording-cell input, label input"), name = cell.querySelector(".clip .name");
  const chips = [...cell.querySelectorAll(".chip bdi")].map((one) => one.textContent).join(" ");
  return (cell.dataset.value ?? typed?.value ?? name?.textContent ?? (chips || cell.textContent)).trim();
})"""
#: One press of a heading: what is sorted how then. The page answers some by itself, for others it asks the server.
ANSWERED = f"""async (head, press) => {{
  if (press) {{
    head.scrollIntoView({{ block: "center", inline: "nearest", behavior: "instant" }});
    const box = head.getBoundingClientRect();
    const met = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!head.contains(met)) return {{ covered: met?.outerHTML.slice(0, 120) || "out of sight" }};
    head.focus();
    head.click();
  }}
  while (mirdemo.waits()) await new Promise((go) => setTimeout(go, 10));
  const cell = head.closest("th");
  return {{
    way: cell.getAttribute("aria-sort"),
    shown: ({COLUMN})(head.closest("table"), cell.cellIndex),
    focused: head === document.activeElement,
  }};
}}"""
AWAY = {"ascending", "descending"}


def number(text: str) -> float | None:
    found = re.match(r"[+−-]?\d[\d,]*(\.\d+)?", text)
    return float(found[0].replace("−", "-").replace(",", "")) if found else None


def compared(values: list[str]) -> list[str] | list[float | None]:
    """What is compared of a column: the numbers that its cells begin with, where all of them do."""
    numbers = [number(one) for one in values]
    return values if None in numbers else numbers


def press(page, head, how: str) -> dict:
    """Press a heading with the mouse, a key, or a script where a mouse would meet it. ``ANSWERED``"""
    if how == "mouse":
        head.click()
    elif how == "keyboard":
        head.focus()
        page.keyboard.press("Enter")
    return head.evaluate(ANSWERED, how == "script")


def sorts(page, place: str) -> int:
    """Sort a table by each of its columns, there and back: by the first with the mouse and the keyboard. How many columns it has."""
    table = page.locator(f"{place} >> visible=true").first
    heads = table.locator("thead button >> visible=true")
    count = heads.count()
    assert count > 1, place
    changed = 0
    for at in range(count):
        seen = {}
        for how in ("script", "script") if at else ("mouse", "keyboard"):
            told = press(page, heads.nth(at), how)
            assert "covered" not in told, (place, at, told)
            assert told["focused"], "the focus stays where it was"
            seen[told["way"]] = compared([one for one in told["shown"] if one])
        assert seen.keys() == AWAY, (place, at, seen.keys())
        assert seen["ascending"] == seen["descending"][::-1], (place, at)
        if not isinstance(seen["ascending"][0], str):  # the order of letters is the browser's
            assert seen["ascending"] == sorted(seen["ascending"]), (place, at)
        changed += seen["ascending"] != seen["descending"]
    assert changed > 1, f"nothing in {place} has two values"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing is wider than the page"
    )
    return count


@pytest.mark.parametrize(("language", "width"), SEEN)
def test_what_everybody_sees(visit, language: str, width: int):
    page = visit("evidence", language, width)
    page.wait_for_selector("#evidence-overview .cell")
    sorts(page, "#evidence-overview table")
    page.click('[data-act="evidence.list"]')
    page.wait_for_selector(".tag-list tbody button")
    assert sorts(page, ".tag-list table") == 5
    page.locator(".tag-list tbody button").first.click()
    page.wait_for_selector(".opened h3")
    assert page.locator(".opened thead button >> visible=true").count() == 6
    page.click('[data-tab="about"]')
    page.wait_for_selector("#panel-about .facts-table")
    assert sorts(page, "#panel-about .facts-table") == 4
    assert sorts(page, "#panel-about .facts-table:has(a)") == 4


@pytest.mark.parametrize(("language", "width"), HAS)
def test_what_a_visitor_has(visit, language: str, width: int):
    page = visit("clips", language, width)
    page.click("[data-act='clips.festival']")
    page.wait_for_selector("#panel-clips tr[data-key]")
    assert sorts(page, ".clip-table") == 3
    page.click('[data-tab="probe"]')
    page.click('[data-act="probe.run"]')
    page.wait_for_selector("#panel-probe [data-result]", timeout=90_000)
    if width > 720:
        assert sorts(page, ".figure-table") > 5
    page.click('[data-tab="plan"]')
    page.wait_for_selector("[data-advice]")
    assert sorts(page, ".plan-actions:not(.plan-each)") == 5
    assert sorts(page, ".plan-each") > 3
    assert sorts(page, ".visit-tags") > 1
