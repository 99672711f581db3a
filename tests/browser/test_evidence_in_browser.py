"""The dashboard as a visitor meets it: the first chart at once, a dot opens its tag, one's own results only for oneself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlparse

from driving import give, wait_rows, write_labelled

from mirdemo.evidence import plotly_script

DRAWN = "#evidence-overview .is-drawn .main-svg"


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


def query_of(page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def test_a_dot_opens_its_tag_with_its_source_and_the_address_keeps_it(visit):
    page = visit("evidence")
    page.wait_for_selector("#evidence-rarity .is-drawn .main-svg")
    page.wait_for_function("!document.querySelector('#panel-evidence [data-chart]:not(.is-drawn)')")
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


def test_the_first_chart_is_painted_before_the_others_are_drawn(visit):
    page = visit("about")
    page.evaluate(
        """() => {
          window.order = [];
          const told = new Set();
          const look = () => {
            for (const place of document.querySelectorAll("#panel-evidence .is-drawn")) {
              if (!told.has(place)) { told.add(place); order.push([place.closest(".chart-block").id, performance.now()]); }
            }
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    page.click('[data-tab="evidence"]')
    page.wait_for_function("window.order.length > 2")
    seen = page.evaluate("window.order")
    assert seen[0][0] == "evidence-overview"
    assert seen[0][1] < seen[1][1]  # a frame of its own


def test_the_first_chart_is_a_table_until_it_is_drawn_and_plotly_begins_after_it(visit):
    page = visit("about")
    page.add_init_script(
        """new MutationObserver(() => {
          if (window.begun === undefined && document.querySelector("script[src*=plotly]"))
            window.begun = Boolean(document.querySelector(".heat-table"));
        }).observe(document, { subtree: true, childList: true });"""
    )
    held = []
    page.route("**/plotly.min.js*", lambda request: held.append(request))
    page.goto(page.url.split("#")[0] + "?again")
    figure = page.locator(".heat-table td:not(.blank)")
    figure.first.wait_for()
    assert page.locator("#evidence-overview .chart-place:not(.is-drawn)").count() == 1
    shown = page.locator("#evidence-overview .chart-frame").bounding_box()
    for cell in (figure.first, figure.last):
        box = cell.bounding_box()
        assert box["width"] > 100
        assert shown["y"] < box["y"] < shown["y"] + shown["height"]
    for request in held:
        request.continue_()
    page.wait_for_selector(DRAWN)
    assert page.evaluate("window.begun")
    assert page.locator(".heat-table").bounding_box()["width"] <= 1
    assert page.get_by_role("rowheader", name="CultureMERT-95M").count() == 1, (
        "a screen reader lost the table"
    )


def test_charts_ask_for_one_script_once_and_compressed(visit, address):
    page = visit("about")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "plotly" in request.url else None)
    page.click('[data-tab="evidence"]')
    page.wait_for_selector(DRAWN)
    sent = page.evaluate(
        "performance.getEntriesByType('resource').filter((e) => e.name.includes('plotly')).map((e) => [e.name, e.encodedBodySize])"
    )
    assert {name for name, _ in sent} == {f"{address}/assets/plotly.min.js?v={plotly_script.version()}"}
    assert 0 < max(size for _, size in sent) < 1_600_000


def test_own_results_lie_beside_the_published_ones_for_their_visitor_alone(visit, tmp_path: Path):
    mine, other = visit("clips"), visit("evidence")
    give(mine, "clips.add", write_labelled(tmp_path, 6, 2))
    wait_rows(mine, 6)
    mine.click('[data-tab="probe"]')
    mine.click('[data-act="probe.run"]')
    mine.wait_for_selector("#panel-probe [data-result]", timeout=120_000)
    mine.click('[data-tab="evidence"]')
    mine.wait_for_selector(DRAWN, timeout=60_000)
    assert "yours, 6 recordings" in mine.locator("#evidence-overview [data-chart]").get_attribute(
        "data-chart"
    )
    mine.locator("#evidence-overview .main-svg text", has_text="yours, 6 recordings").first.wait_for()
    with mine.expect_download() as file:
        mine.click("text=CSV of what is shown")
    assert ",yours," in Path(file.value.path()).read_text(encoding="utf-8-sig")

    other.reload()
    other.wait_for_selector(DRAWN)
    assert "yours, 6 recordings" not in other.content()
    with other.expect_download() as file:
        other.click("text=CSV of what is shown")
    assert ",yours," not in Path(file.value.path()).read_text(encoding="utf-8-sig")

    mine.locator('[data-act="evidence.lay_over"]').click()
    mine.wait_for_function(
        "!document.querySelector('#evidence-overview [data-chart]').dataset.chart.includes('yours, ')"
    )
