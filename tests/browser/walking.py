"""A walk over acts: what jumps when the answer comes, whose answer lies outside the window, what is too small to touch."""

from __future__ import annotations

from collections.abc import Callable

from looking import APART, IN_SIGHT, MOST_SHIFT, PARTED, SMALL, STILL, WATCH, WORST, faint, violations

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
#: Every answer comes two frames later, so that what the act itself moves is painted, and counted as the hand's, before it.
#: What is told before the hand acts, of a job that goes on, is no answer to it.
AFTER_THE_HAND = """() => {
  const { heard, waits } = mirdemo;
  mirdemo.heard = (text) => {
    const acted = waits();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (acted) shiftsSince ??= performance.now();
      heard(text);
    }));
  };
}"""
BEGIN = """() => {
  noteShifts(shiftsSeen.takeRecords());
  [shifts.length, shiftsSince, window.handAt] = [0, null, ""];
}"""
#: Where the hand was last: the focus may go on from there, and never to nowhere.
FOLLOW = """addEventListener("focusin", ({ target }) => {
  handAt = `${target.tagName} ${target.dataset.act || target.className || target.dataset.choose}`;
})"""
LOST = "document.hasFocus() && document.activeElement === document.body && handAt"


class Walk:
    """``step`` does an act and looks at what came of it. walked: the acts that the page has sent; wrong: what was seen"""

    def __init__(self, page) -> None:
        self.page, self.walked, self.wrong, self.named = page, set(), [], set()
        page.evaluate(WATCH)
        page.evaluate(AFTER_THE_HAND)
        page.evaluate(FOLLOW)
        page.on("request", self._note)

    def _note(self, request) -> None:
        if request.method != "POST" or "queue/join" not in request.url:
            return
        sent = (request.post_data_json or {}).get("event_data")
        if isinstance(sent, dict) and "act" in sent:
            self.walked.add(sent["act"])

    def step(
        self, what: str, do: Callable[[], object], place: str, *, until: str = "", moves: str = ""
    ) -> None:
        """what: the act, for the report; place: where its answer is, "" where something went; until: what shows that a long step has ended
        moves: why more may move than elsewhere"""
        page = self.page
        self.named.add(what.split(",")[0])
        page.evaluate(STILL)  # a click into what still scrolls would meet its neighbour
        page.evaluate(BEGIN)
        do()
        self.answered()
        if until:
            page.locator(until).first.wait_for()
            self.answered()
        page.evaluate(STILL)
        worst, shifts = page.evaluate(WORST)
        if worst > MOST_SHIFT and not moves:
            self.wrong.append(f"{what} moved {worst:.2f}: {shifts}")
        if place and not self._seen(place):
            self.wrong.append(f"{what}: {place} is not in sight")
        if lost := page.evaluate(LOST):
            self.wrong.append(f"{what}: the focus was on {lost} and is nowhere")
        for small in page.evaluate(SMALL):
            self.wrong.append(f"{what}: too small {small}")
        for parted in page.evaluate(PARTED):
            self.wrong.append(f"{what}: a space after a full stop, {parted}")
        for apart in page.evaluate(APART):
            self.wrong.append(f"{what}: a term stands apart from its sentence, {apart}")

    def ends(self) -> None:
        """Every act that was named was sent, and nothing was wrong with it."""
        assert not (unsent := self.named - self.walked), unsent
        assert not self.wrong, self.wrong

    def axe(self, what: str, within: str = "") -> None:
        """Nothing is found in either theme. within: as in ``violations``"""
        page, dark = self.page, "document.body.classList.toggle('dark')"
        for theme in ("light", "dark"):
            self.wrong += [f"{what}, {theme}: {one}" for one in violations(page, leave=True, within=within)]
            page.evaluate(dark)

    def contrast(self, what: str) -> None:
        """No chart that is drawn has a mark or a word too faint, in either theme."""
        page = self.page
        for theme in ("light", "dark"):
            self.wrong += [f"{what}, {theme}: {one}" for one in faint(page)]
            page.locator("[data-theme-toggle]").evaluate("(one) => one.click()")

    def answered(self) -> None:
        for _ in range(1200):
            if not self.page.evaluate("mirdemo.waits()"):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("no answer")

    def _seen(self, place: str) -> bool:
        found = self.page.locator(f"{place} >> visible=true").first
        for _ in range(40):
            if found.count() and found.evaluate(IN_SIGHT):
                return True
            self.page.wait_for_timeout(100)
        return False

    # ---- hands -------------------------------------------------------------------------------------------

    def click(self, place: str, nth: int = 0) -> Callable[[], None]:
        return lambda: self.page.locator(f"{place} >> visible=true").nth(nth).click()

    def choose(self, place: str, **option) -> Callable[[], object]:
        def do() -> None:
            field = self.page.locator(f"{place} >> visible=true").first
            self._in_front(field)
            field.focus()
            values = field.evaluate("(field) => [...field.options].map((one) => one.value)")
            others = [one for one in values if one != field.input_value()]
            chosen = option.get("value") or (values[option["index"]] if "index" in option else others[0])
            assert chosen in values, f"{chosen} is not on offer in {place}"
            self.page.keyboard.press(
                "Shift"
            )  # a choice is a hand's doing, too, though a script makes it without one
            field.evaluate(
                "(field, value) => { field.value = value; field.dispatchEvent(new Event('change', { bubbles: true })); }",
                chosen,
            )

        return do

    def type(self, place: str, text: str, nth: int = 0) -> Callable[[], None]:
        def do() -> None:
            field = self.page.locator(f"{place} >> visible=true").nth(nth)
            self._in_front(field)
            field.fill(text)
            self.page.keyboard.press("Enter")

        return do

    def _in_front(self, field) -> None:
        """Where a phone brings what is typed into, and nobody looks at the lowest line of a window."""
        field.evaluate("(field) => field.scrollIntoView({ block: 'center', behavior: 'instant' })")

    def go(self, tab: str) -> None:
        self.page.locator(f'[data-tab="{tab}"]').click()
        self.page.wait_for_selector(f"#panel-{tab}.is-open .view > *", state="attached")
        self.answered()

    def unfold(self, place: str) -> None:
        fold = self.page.locator(place).first
        if fold.get_attribute("open") is None:
            fold.locator("summary").first.click()
