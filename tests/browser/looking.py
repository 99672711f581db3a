"""What a test asks of a page as it looks now: axe, what jumped, what is too small to touch, what is in sight."""

from __future__ import annotations

from pathlib import Path

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Of these, what is asked of the page as a whole: its root, its head and its body.
OF_THE_PAGE = [
    "aria-hidden-body",
    "bypass",
    "document-title",
    "html-has-lang",
    "html-lang-valid",
    "html-xml-lang-mismatch",
    "landmark-one-main",
    "meta-refresh",
    "meta-viewport",
    "meta-viewport-large",
    "page-has-heading-one",
]
#: What is to be seen, part by part, and then the page: axe would go through the charts of closed tabs for each rule, excluded or not.
OPEN_ALONE = """async ([rules, ofThePage, within]) => {
  const parts = within ? [...document.querySelectorAll(within)] : [];
  const look = (one) => {
    if (one.querySelector(".mir-panel")) [...one.children].forEach(look);
    else if (!one.matches(".mir-panel:not(.is-open)")) parts.push(one);
  };
  if (!within) look(document.body);
  const run = async (context, runOnly) => (await axe.run(context, { resultTypes: ["violations"], runOnly, preload: false })).violations;
  return [...await run({ include: parts }, rules), ...(within ? [] : await run(document, { type: "rule", values: ofThePage }))];
}"""
#: Cumulative layout shift of a visit, all that no hand caused. Under 0.1 the field calls it good (web.dev/cls).
MOST_SHIFT = 0.1
WATCH = """
window.shifts = [];
window.shiftsSince = null; // when the first answer to the last act came: what moves from then on no hand moved, however soon it was
window.noteShifts = (list) => {
  for (const one of list) if (shiftsSince === null ? !one.hadRecentInput : one.startTime >= shiftsSince) shifts.push(one);
};
window.shiftsSeen = new PerformanceObserver((list) => noteShifts(list.getEntries()));
shiftsSeen.observe({ type: "layout-shift", buffered: true });
"""
#: The worst window of shifts, as web.dev/cls counts them: at most a second between two, five in all.
WORST = """() => {
  noteShifts(shiftsSeen.takeRecords());
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
  const all = [...document.querySelectorAll("button, a[href], select, summary, input:not([type=hidden]), [role=tab], [role=button]")]
    .filter((one) => one.offsetParent && !one.closest(".hidden") && getComputedStyle(one).visibility !== "hidden");
  const boxes = all.map((one) => [one, (one.matches("input") && one.closest("label") || one).getBoundingClientRect()]);
  const crowded = (one, box) => boxes.some(([other, there]) => other !== one && !one.contains(other) && !other.contains(one)
    && Math.hypot((box.left + box.right - there.left - there.right) / 2, (box.top + box.bottom - there.top - there.bottom) / 2) < 24);
  return boxes.filter(([one, box]) => Math.min(box.width, box.height) < 23.5 && crowded(one, box)
      && !(one.matches("a, .term, .link") && /\\S/.test([...one.parentElement.childNodes].filter((n) => n !== one).map((n) => n.textContent).join(""))))
    .map(([one, box]) => `${one.outerHTML.slice(0, 120)} ${Math.round(box.width)} x ${Math.round(box.height)}`);
}"""
#: Until the page has drawn its answers and stands still: smooth scrolling ends some frames after it was asked for. Whether it does.
STILL = """() => new Promise((done) => {
  let [at, same, frames] = [scrollY, 0, 0];
  const look = () => {
    same = scrollY === at && !mirdemo.waits() ? same + 1 : 0;
    at = scrollY;
    if (same < 5 && ++frames < 600) requestAnimationFrame(look);
    else done(same >= 5);
  };
  requestAnimationFrame(look);
})"""
#: What of the charts that are drawn is too faint (WCAG 2.2, 1.4.3 and 1.4.11): text under 4.5 to 1, marks under 3 to 1 against
#: what they are drawn on. A mark is told by its filling or by its edge; bands behind marks are told by what they lie around.
FAINT = """() => {
  const parse = (text) => { const [r, g, b, a = 1] = (text.match(/[\\d.]+/g) || []).map(Number); return text === "none" || !text ? null : [r, g, b, a]; };
  const over = (top, share, under) => top.slice(0, 3).map((one, i) => share * one + (1 - share) * under[i]);
  const light = (colour) => colour.map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
  const dimmed = (node) => { let share = 1; for (let one = node; one && one.tagName !== "svg"; one = one.parentElement) share *= Number(getComputedStyle(one).opacity); return share; };
  const within = (box, { x, y }) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  const found = [];
  for (const place of document.querySelectorAll(".is-open [data-chart].is-drawn")) {
    if (!place.offsetParent) continue;
    let under = place;
    while (!parse(getComputedStyle(under).backgroundColor)?.[3]) under = under.parentElement;
    const ground = parse(getComputedStyle(under).backgroundColor).slice(0, 3);
    const fields = [...place.querySelectorAll(".bars path, .shapelayer path, .annotation .bg")].map((one) => {
      const style = getComputedStyle(one), fill = parse(style.fill);
      return fill && { box: one.getBoundingClientRect(), colour: over(fill, fill[3] * Number(style.fillOpacity) * dimmed(one), ground), share: fill[3] * Number(style.fillOpacity) };
    }).filter((one) => one && one.share > 0);
    const says = (what, ratio, node) => found.push(`${place.dataset.key} ${what} ${ratio.toFixed(2)} ${node.outerHTML.slice(0, 90)}`);
    for (const text of place.querySelectorAll("svg text")) {
      const box = text.getBoundingClientRect(), style = getComputedStyle(text);
      if (!text.textContent.trim() || !box.width || style.visibility === "hidden" || Number(style.opacity) === 0) continue;
      const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
      const behind = fields.filter((one) => within(one.box, middle)).at(-1)?.colour || ground;
      const fill = parse(style.fill), ratio = contrast(over(fill, fill[3] * Number(style.fillOpacity) * dimmed(text), behind), behind);
      if (ratio < 4.495) says(`"${text.textContent.slice(0, 20)}"`, ratio, text);
    }
    for (const mark of place.querySelectorAll(".points path.point, .point > path, .js-line, .errorbar path, .legendpoints path, .legendlines path.js-line")) {
      const style = getComputedStyle(mark), shares = dimmed(mark), box = mark.getBoundingClientRect();
      if (mark.matches(".js-line") && parseFloat(style.strokeWidth) === 0) continue; // the edge of a band
      if ((!box.width && !box.height) || !shares) continue; // no opacity at all: it only keeps its name at a distance
      const seen = [["fill", "fillOpacity"], ["stroke", "strokeOpacity"]].map(([of, share]) => {
        const colour = parse(style[of]);
        if (!colour || (of === "stroke" && parseFloat(style.strokeWidth) === 0) || (of === "fill" && mark.matches(".js-line, .errorbar path"))) return 0;
        return contrast(over(colour, colour[3] * Number(style[share]) * shares, ground), ground);
      });
      if (Math.max(...seen) < 2.995) says("mark", Math.max(...seen), mark);
    }
  }
  return [...new Set(found)];
}"""
#: Japanese sentences that are seen with a space between them.
PARTED = """() => document.documentElement.lang === "ja" ? (document.body.innerText.match(/.{0,20}[。、：！？] +\\S.{0,20}/g) || []) : []"""
#: Terms that stand apart from the words around them: what lays out parts side by side takes a term for one.
APART = """() => [...document.querySelectorAll(".term")].filter((one) => one.offsetParent
  && /flex|grid/.test(getComputedStyle(one.parentElement).display)
  && /\\S/.test([...one.parentElement.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent).join("")))
  .map((one) => one.parentElement.textContent.trim().slice(0, 80))"""
IN_SIGHT = """(place) => { const box = place.getBoundingClientRect();
  return box.top >= 0 && box.top + Math.min(box.height, 120) <= innerHeight; }"""


def violations(page, *, leave: bool = False, within: str = "") -> list[str]:
    """What axe finds now, tabs that are not open left out: rule, element, reason.

    leave: the focus where it is; within: in what this selects alone, where the rest of the page is looked at without it
    """
    if not leave:
        page.evaluate("document.activeElement.blur()")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate(OPEN_ALONE, [RULES, OF_THE_PAGE, within])
    return [f"{v['id']}: {n['html'][:160]} ({n['failureSummary']})" for v in found for n in v["nodes"]]


def draw_all(page) -> None:
    """Draw every chart of the tab that is open, as after it was printed."""
    page.evaluate("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
    for _ in range(600):
        if page.evaluate(
            "[...document.querySelectorAll('.is-open [data-chart]')].every((one) => !one.offsetParent || one.matches('.is-drawn'))"
        ):
            return
        page.wait_for_timeout(50)
    raise AssertionError("a chart was not drawn")


def faint(page) -> list[str]:
    """``FAINT``, once the charts that are drawn follow the theme."""
    for _ in range(60):
        found = page.evaluate(FAINT)
        if not found:
            return []
        page.wait_for_timeout(250)
    return found


def assert_still(page, what: str) -> None:
    """Nothing has jumped since the last time this was asked, and what is touched is large enough. ``WATCH`` has to run."""
    worst, shifts = page.evaluate(WORST)
    assert worst <= MOST_SHIFT, f"{what}: {shifts}"
    small = page.evaluate(SMALL)
    assert not small, f"{what}: {small}"
    page.evaluate("shifts.length = 0")


def in_sight(page, place: str, seconds: float = 7) -> bool:
    """Whether a place has come into sight, and the page stands still there."""
    found = page.locator(f"{place} >> visible=true").first
    found.wait_for()
    for _ in range(round(10 * seconds)):
        if page.evaluate(STILL) and found.evaluate(IN_SIGHT):
            return True
        page.wait_for_timeout(100)
    return False
