"""The dashboard as a visitor meets it: the first chart at once, a dot opens its tag, one's own results only for oneself."""

from __future__ import annotations

import csv
import re
import struct
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from driving import give, wait_rows, write_labelled
from looking import draw_all, in_sight
from walking import NARROW

from mirdemo.evidence import plotly_script

DRAWN = "#evidence-gaps .is-drawn .main-svg"


def middle_of_a_dot(page, key: str) -> dict[str, float]:
    """Where the dot of a tag lies in the window."""
    return page.evaluate(
        """key => {
          const place = document.querySelector("#evidence-rarity [data-chart]");
          place.scrollIntoView({ block: "center" });
          const { left, top } = place.getBoundingClientRect();
          const { xaxis, yaxis, margin } = place._fullLayout;
          for (const trace of place._fullData) {
            const i = (trace.customdata || []).findIndex((one) => one.value === key);
            if (i >= 0) return {
              x: left + xaxis._offset + xaxis.d2p(trace.x[i]),
              y: top + yaxis._offset + yaxis.d2p(trace.y[i]),
            };
          }
        }""",
        key,
    )


#: Where a hand meets a point of a chart: in the middle of the first mark that is in sight.
A_POINT = """(place) => {
  place.scrollIntoView({ block: "center", behavior: "instant" });
  for (const mark of place.querySelectorAll(".scatterlayer .point, .barlayer .point path")) {
    const { left, top, width, height } = mark.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    if (width && x > 0 && x < innerWidth && y > 80 && y < innerHeight - 20) return { x, y };
  }
  throw new Error("no mark in sight");
}"""


def query_of(page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def test_a_dot_opens_its_tag_with_its_source_and_the_address_keeps_it(visit):
    page = visit("evidence")
    assert page.locator("#evidence-rarity .is-drawn").count() == 0, "nobody has looked that far yet"
    page.locator("#evidence-rarity [data-chart]").scroll_into_view_if_needed()
    page.wait_for_selector("#evidence-rarity .is-drawn .main-svg")
    page.wait_for_timeout(500)  # the charts above it are drawn, too, and none of them moves it
    spot = middle_of_a_dot(page, "makam/instrument--Voice")
    page.mouse.move(spot["x"] - 3, spot["y"])
    page.mouse.move(spot["x"], spot["y"])
    page.locator("#evidence-rarity .hoverlayer .hovertext").first.wait_for()
    page.mouse.click(spot["x"], spot["y"])
    opened = page.locator(".opened table")
    opened.wait_for()
    assert "Voice" in page.locator(".opened h3").inner_text()
    source = opened.locator("a").first
    assert source.get_attribute("href") == "https://arxiv.org/abs/2307.09795"
    assert source.get_attribute("rel") == "noopener noreferrer"
    page.wait_for_function("location.search.includes('tag=')")
    assert query_of(page)["tag"] == ["makam/instrument--Voice"]
    address = page.url
    again = page.context.new_page()
    again.goto(address)
    again.locator(".opened table").wait_for()
    assert "Voice" in again.locator(".opened h3").inner_text()


def test_the_same_by_keyboard_and_a_family_alone(visit):
    page = visit("evidence")
    page.locator("[data-filter=family]").select_option("usul")
    page.wait_for_function("location.search.includes('family=usul')")
    page.locator('[data-act="evidence.list"]').focus()
    page.keyboard.press("Enter")
    listed = page.locator(".tag-list tbody tr")
    listed.first.wait_for()
    assert listed.count() == 8
    worst = listed.first.locator("button")
    name = worst.inner_text()
    worst.focus()
    page.keyboard.press("Enter")
    page.locator(".opened h3").wait_for()
    assert name in page.locator(".opened h3").inner_text()


def test_back_undoes_a_card_a_tag_and_two_filters_one_by_one(visit):
    page = visit("evidence")
    page.click(".choosing > summary")
    page.select_option('[data-filter="metric"]', "map")
    page.wait_for_function("location.search.includes('metric=map')")
    page.select_option('[data-filter="corpora"]', "makam")
    page.wait_for_function("location.search.includes('corp')")
    page.click('[data-act="evidence.list"]')
    page.locator(".tag-list tbody button").first.click()
    page.locator(".opened table").wait_for()
    page.wait_for_function("location.search.includes('tag=')")
    length = page.evaluate("history.length")
    page.locator("#evidence-maeb .cell, #evidence-overview .cell").first.click()
    page.locator("#card").wait_for()
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    page.locator("#card").wait_for(state="hidden")
    assert page.locator(".opened table").count() == 1
    page.go_back()
    page.locator(".opened table").wait_for(state="detached")
    assert page.input_value('[data-filter="corpora"]') == "makam"
    page.go_back()
    page.wait_for_function("document.querySelector('[data-filter=corpora]').value === ''")
    assert page.input_value('[data-filter="metric"]') == "map"
    page.go_back()
    page.wait_for_function("document.querySelector('[data-filter=metric]').value === 'roc_auc'")
    assert urlparse(page.url).query == ""
    page.go_forward()
    page.wait_for_function("document.querySelector('[data-filter=metric]').value === 'map'")


def test_the_front_says_what_this_is_and_leads_on(visit):
    page = visit("evidence")
    assert page.locator(".front h2").inner_text().startswith("Find out whether")
    first = page.locator("#evidence-overview figcaption")
    assert first.inner_text().startswith("None of these 6 models hears South Indian music")
    assert first.bounding_box()["y"] < 844
    assert page.locator("#evidence-overview .detail").inner_text().startswith("ROC-AUC: ")
    assert not page.locator(".choosing .filters").is_visible()
    page.click(".front [data-act='clips.festival']")
    page.wait_for_function("location.hash === '#clips'")
    page.wait_for_selector("#panel-clips tr[data-key]", timeout=60_000)
    page.click('[data-tab="evidence"]')
    page.wait_for_function("!document.querySelector('.front')")


def test_the_first_chart_needs_no_script_and_a_cell_opens_its_card_in_place(visit):
    page = visit("about")
    held = []
    page.route("**/plotly.min.js*", lambda request: held.append(request))
    page.goto(page.url.split("#")[0] + "?again")
    cell = page.locator("#evidence-overview .cell").first
    cell.wait_for()
    box = cell.bounding_box()
    assert (box["width"] > 100, box["height"] >= 24) == (True, True)
    pages = len(page.context.pages)
    cell.click()
    card = page.locator("#card")
    card.wait_for()
    assert "MagnaTagATune" in card.inner_text()
    assert card.locator("a").get_attribute("href").startswith("https://")
    page.go_back()  # closes the card and leaves the page where it was
    card.wait_for(state="hidden")
    cell.wait_for()
    cell.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    card.wait_for()
    assert "FMA-medium" in card.inner_text()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.matches('td > .cell')")
    page.wait_for_function("!history.state?.card")
    assert len(page.context.pages) == pages, "no foreign tab"


def test_a_heading_sorts_and_a_redrawing_keeps_the_order(visit):
    page = visit("evidence")
    column = page.locator("#evidence-overview th:nth-child(7) .sort")

    def values():
        shown = page.locator("#evidence-overview tbody:first-of-type td:nth-child(7)").all_inner_texts()
        return [float(text.replace("no figure", "nan")) for text in shown]

    before = values()
    column.click()
    assert values() == sorted(before, reverse=True)
    assert page.locator("#evidence-overview th:nth-child(7)").get_attribute("aria-sort") == "descending"
    page.click('[data-language="ja"]')
    page.wait_for_function("document.documentElement.lang === 'ja'")
    assert values() == sorted(before, reverse=True)
    column.click()
    assert values() == sorted(before)
    column.click()
    assert values() == before


def test_charts_ask_for_one_script_once_and_compressed(visit, address):
    page = visit("about")
    asked = []
    page.on("requestfinished", lambda request: asked.append(request) if "plotly" in request.url else None)
    page.click('[data-tab="evidence"]')
    page.wait_for_selector("#evidence-overview .cell")
    page.wait_for_timeout(1000)
    assert not asked, "nothing that is in sight needs it"
    page.locator("#evidence-gaps [data-chart]").scroll_into_view_if_needed()
    page.wait_for_selector(DRAWN)
    assert [one.url for one in asked] == [f"{address}/assets/plotly.min.js?v={plotly_script.version()}"]
    assert 0 < int(asked[0].response().header_value("content-length")) < 1_600_000


def test_own_results_lie_beside_the_published_ones_for_their_visitor_alone(visit, tmp_path: Path):
    mine, other = visit("clips"), visit("evidence", elsewhere=True)
    give(mine, "clips.add", write_labelled(tmp_path, 6, 2))
    wait_rows(mine, 6)
    mine.click('[data-tab="probe"]')
    mine.click('[data-act="probe.run"]')
    mine.wait_for_selector("#panel-probe [data-result]", timeout=120_000)
    mine.click('[data-tab="evidence"]')
    mine.locator("#evidence-overview .own", has_text="yours, 6 recordings").wait_for(timeout=60_000)
    mine.click(".choosing summary")
    with mine.expect_download() as file:
        mine.click("text=CSV of what is shown")
    assert ",yours," in Path(file.value.path()).read_text(encoding="utf-8-sig")

    other.reload()
    other.locator("#evidence-overview .cell").first.wait_for()
    other.click(".choosing summary")
    assert "yours, 6 recordings" not in other.content()
    with other.expect_download() as file:
        other.click("text=CSV of what is shown")
    assert ",yours," not in Path(file.value.path()).read_text(encoding="utf-8-sig")

    mine.locator('[data-act="evidence.lay_over"]').click()
    mine.wait_for_function("!document.querySelector('#evidence-overview .own')")


def test_every_chart_is_taken_along_as_a_picture_a_table_and_a_citation(chromium, address: str):
    """On a phone, by taps; a link leads back to its chart."""
    context = chromium.new_context(
        locale="ja-JP",
        viewport=NARROW,
        has_touch=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.goto(f"{address}/#evidence")
    page.wait_for_selector("#evidence-mtat .tools")
    blocks = page.locator(".chart-block:has(.tools)")
    names = [block.get_attribute("id").removeprefix("evidence-") for block in blocks.all()]
    assert len(names) == 12
    for name in names:
        block = page.locator(f"#evidence-{name}")
        with page.expect_download() as downloading:
            block.locator('[data-tool="csv"]').tap()
        assert downloading.value.suggested_filename == f"mirdemo-{name}.csv"
        rows = list(csv.reader(Path(downloading.value.path()).read_text("utf-8-sig").splitlines()))
        assert len(rows) > 4, name
        assert any(re.search(r"\d", row[-1] + row[2]) for row in rows[1:]), name
        block.locator('[data-tool="cite"]').tap()
        block.locator(".tools-say", has_text="コピーしました").wait_for()
        cited = page.evaluate("navigator.clipboard.readText()")
        assert block.locator("figcaption").inner_text().strip()[:8] in cited.replace("\n", "")
        assert f"chart={name}" in cited
    for name in ("overview", "gaps", "mtat"):
        with page.expect_download() as downloading:
            page.locator(f'#evidence-{name} [data-tool="png"]').tap()
        width, height = struct.unpack(">II", Path(downloading.value.path()).read_bytes()[16:24])
        assert width == 2000
        assert height > 600
    page.locator('#evidence-fewshot [data-tool="link"]').tap()
    page.locator("#evidence-fewshot .tools-say", has_text="コピーしました").wait_for()
    again = context.new_page()
    again.goto(page.evaluate("navigator.clipboard.readText()"))
    again.wait_for_selector("#evidence-fewshot .tools")
    assert in_sight(again, "#evidence-fewshot figcaption")
    context.close()


def test_each_copy_is_said_for_its_time_whatever_was_copied_a_moment_before(chromium, address: str):
    context = chromium.new_context(locale="en-US", permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.clock.install()
    page.goto(f"{address}/#evidence")
    block = page.locator("#evidence-overview:has(.tools)")
    cite, link, said = (
        block.locator(one) for one in ('[data-tool="cite"]', '[data-tool="link"]', ".tools-say")
    )
    cite.wait_for()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    cite.click()
    said.filter(has_text="Copied").wait_for()
    page.clock.run_for(2000)
    link.click()
    block.locator('[data-tool="link"][data-live-done]').wait_for()
    page.clock.run_for(2000)  # the first word's time is long over
    assert said.inner_text() == "Copied"
    assert link.get_attribute("data-live-done") is not None
    assert cite.get_attribute("data-live-done") is None, "the mark moved on with the word"
    page.clock.run_for(1000)
    assert said.inner_text() == ""
    assert link.get_attribute("data-live-done") is None
    context.close()


def test_every_charts_points_open_one_card_that_back_closes(chromium, address: str):
    """By a tap, and by the keyboard; the charts are many, so that the keys walk on two of them."""
    context = chromium.new_context(locale="en-US", viewport=NARROW, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/#evidence")
    page.wait_for_selector("#evidence-mtat .tools")
    draw_all(page)
    for place in page.locator("#panel-evidence [data-chart].is-drawn").all():
        name = place.get_attribute("data-key")
        place.scroll_into_view_if_needed()
        place.focus()
        page.keyboard.press("ArrowRight")
        said = place.locator("xpath=..").locator(".chart-says").inner_text()
        assert said, name
        if name == "chart-evidence-rarity":
            continue  # its points open their tag
        spot = place.evaluate(A_POINT)
        for opens in (lambda: page.keyboard.press("Enter"), lambda spot=spot: page.touchscreen.tap(**spot)):
            opens()
            card = page.locator("#card")
            card.wait_for()
            assert page.evaluate("history.state.card") is True, name
            page.go_back()
            card.wait_for(state="hidden")
    assert len(context.pages) == 1
    context.close()


def test_charts_that_are_gone_from_the_page_leave_nothing_behind(visit):
    """As the learning curve of every training: Plotly's hands on the window had held each with all its marks."""
    page = visit("evidence")
    page.locator("#evidence-gaps [data-chart]").scroll_into_view_if_needed()
    page.wait_for_selector(DRAWN)
    page.evaluate(
        """async () => {
          const place = document.querySelector("#evidence-gaps [data-chart]");
          const copies = [1, 2, 3].map(() => {
            const copy = document.createElement("div");
            copy.dataset.chart = place.dataset.chart;
            place.parentElement.before(copy);
            return copy;
          });
          mirdemo.charts(document);
          while (!copies.every((copy) => copy.querySelector(".main-svg"))) await new Promise(requestAnimationFrame);
          window.gone = copies.map((copy) => new WeakRef(copy));
          copies.forEach((copy) => copy.remove());
          mirdemo.charts(document);
        }"""
    )
    devtools = page.context.new_cdp_session(page)
    for _ in range(100):  # what is collected, and when, is the browser's matter
        devtools.send("HeapProfiler.collectGarbage")
        if page.evaluate("window.gone.every((one) => !one.deref())"):
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("charts that are gone are still held")
    assert page.locator("#evidence-gaps .is-drawn").count() == 1
