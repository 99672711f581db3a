"""What a test asks of a page as it looks now: axe, what jumped, what is too small to touch, what is in sight."""

from __future__ import annotations

from pathlib import Path

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
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
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  return [worst, shifts.map((one) => [one.value, ...one.sources.map((source) => {
    const node = source.node?.nodeType === 1 ? source.node : source.node?.parentElement;
    const within = node?.closest("[data-key], [data-view], [id]");
    return `${within?.dataset.key || within?.dataset.view || within?.id} ${node?.tagName}.${node?.className} ${place(source.previousRect)} to ${place(source.currentRect)}`;
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
IN_SIGHT = """(place) => { const box = place.getBoundingClientRect();
  return box.top >= 0 && box.top + Math.min(box.height, 120) <= innerHeight; }"""


def violations(page, *, leave: bool = False) -> list[str]:
    """What axe finds now, tabs that are not open left out: rule, element, reason. leave: the focus where it is"""
    if not leave:
        page.evaluate("document.activeElement.blur()")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate(
        """rules => axe.run(
            { exclude: [".mir-panel:not(.is-open)"] },
            { resultTypes: ["violations"], runOnly: rules, preload: false },
        ).then((all) => all.violations)""",
        RULES,
    )
    return [f"{v['id']}: {n['html'][:160]} ({n['failureSummary']})" for v in found for n in v["nodes"]]


def assert_still(page, what: str) -> None:
    """Nothing has jumped since the last time this was asked, and what is touched is large enough. ``WATCH`` has to run."""
    worst, shifts = page.evaluate(WORST)
    assert worst <= MOST_SHIFT, f"{what}: {shifts}"
    assert not page.evaluate(SMALL), what
    page.evaluate("shifts.length = 0")


def in_sight(page, place: str) -> bool:
    """Whether a place has come into sight."""
    page.locator(place).first.wait_for()
    for _ in range(10):  # scrolling is smooth, and slow on a busy machine
        page.wait_for_timeout(700)
        if page.locator(place).first.evaluate(IN_SIGHT):
            return True
    return False
