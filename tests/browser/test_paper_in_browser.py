"""The page and a report on paper: everything of the open tab, light, as wide as a sheet, and not drawn too late for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: What a browser takes for paper: the page as the event leaves it. Charts without a picture, and words that are cut off.
TAKEN = """(charts) => {
  dispatchEvent(new Event("beforeprint"));
  const all = [...document.querySelectorAll(charts)].filter((one) => one.offsetParent);
  const found = all.map((one) => {
    const { left, right, width, height } = one.getBoundingClientRect();
    const words = [...one.querySelectorAll("svg text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    const cut = words.filter(([, box]) => box.width && (box.left < left - 2 || box.right > right + 2)).map(([text]) => text);
    return { words: words.length, cut, width, height };
  });
  const dark = document.body.classList.contains("dark");
  dispatchEvent(new Event("afterprint"));
  return { found, dark };
}"""
CHARTS = ".mir-panel.is-open [data-chart]"


def sheets(page) -> int:
    """Sheets that the page takes when it is printed."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


@pytest.mark.parametrize("language", ["en-US", "ja-JP"])
def test_the_evidence_is_printed_whole_and_light(visit, language: str):
    page = visit("evidence", language, 1280)
    page.wait_for_selector(CHARTS, state="attached")
    page.click("[data-theme-toggle]")
    taken = page.evaluate(TAKEN, CHARTS)  # most of it was never in sight
    assert not taken["dark"]
    assert len(taken["found"]) > 8
    for chart in taken["found"]:
        assert chart["words"], "a chart that is not drawn"
        assert not chart["cut"]
        assert chart["width"] == 660
        assert chart["height"] <= 840
    assert page.evaluate("document.body.classList.contains('dark')"), "the theme is the visitor's again"
    page.wait_for_function(
        "(charts) => [...document.querySelectorAll(charts)].every((one) => one.matches('.is-drawn') && one.clientWidth > 700)",
        arg=CHARTS,
    )


def test_a_window_that_only_grows_taller_draws_no_report_anew(chromium, tmp_path: Path):
    """A phone tells of another height whenever its bar comes or goes."""
    from mirdemo.evidence.drawing import selected
    from mirdemo.evidence.report import evidence_report

    place = tmp_path / "report.html"
    place.write_text(evidence_report(selected({}), "en"), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 390, "height": 700}, offline=True)
    try:
        page = context.new_page()
        page.goto(place.as_uri())
        for chart in page.locator(".chart").all():
            chart.locator("svg text").first.wait_for(state="attached")
        page.evaluate("""() => {
          const react = Plotly.react;
          Plotly.react = (...all) => { window.again = (window.again || 0) + 1; return react(...all); };
        }""")
        page.set_viewport_size({"width": 390, "height": 800})
        page.evaluate("dispatchEvent(new Event('resize'))")
        assert page.evaluate("window.again") is None
        page.set_viewport_size({"width": 700, "height": 800})
        page.evaluate("dispatchEvent(new Event('resize'))")
        assert page.evaluate("window.again") >= page.locator(".chart").count()
    finally:
        context.close()


def test_nothing_is_clipped_by_a_sheet_and_none_is_empty(visit):
    page = visit("clips", "en-US", 1280)
    page.wait_for_selector(".offer")
    assert sheets(page) == 1
    page.emulate_media(media="print")
    clipped = """[...document.querySelectorAll("*")].filter((one) => one.contains(document.querySelector("#view-clips")))
      .map((one) => getComputedStyle(one)).filter(({ display, overflow }) => display !== "block" || overflow !== "visible").length"""
    assert page.evaluate(clipped) == 0
    for only_for_hands in (".tabs", ".controls", ".drop", ".offer .button"):
        assert not page.locator(f"{only_for_hands} >> visible=true").count(), only_for_hands


@pytest.mark.parametrize("width", [610, 768])
def test_no_word_of_a_chart_is_cut_off_on_a_tablet(visit, width: int):
    page = visit("evidence", "en-US", width)
    place = page.locator('[data-key="chart-evidence-unheard"]')
    place.scroll_into_view_if_needed()
    page.wait_for_selector('[data-key="chart-evidence-unheard"].is-drawn')
    cut = """(one) => { const edge = one.getBoundingClientRect(); return [...one.querySelectorAll("svg text")]
      .filter((text) => text.getBoundingClientRect().right > edge.right + 2).map((text) => text.textContent); }"""
    assert place.evaluate(cut) == []
    page.set_viewport_size({"width": 1280, "height": 860})  # and wide again where there is room
    page.wait_for_function(
        "() => document.querySelector('[data-key=\"chart-evidence-unheard\"] .xtitle')?.textContent.startsWith('probe: how much')"
    )


def test_a_report_is_read_on_a_phone_and_printed_from_it(chromium, tmp_path: Path):
    from mirdemo.evidence.drawing import selected
    from mirdemo.evidence.report import evidence_report

    place = tmp_path / "report.html"
    place.write_text(evidence_report(selected({}), "en"), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True)
    try:
        page = context.new_page()
        page.goto(place.as_uri())
        for chart in page.locator(
            ".chart"
        ).all():  # its policy lets nothing be asked again and again by a string
            chart.locator("svg text").first.wait_for(state="attached")
        cut = page.evaluate("""() => [...document.querySelectorAll(".chart svg text")].filter((one) => {
          const box = one.getBoundingClientRect();
          return box.width && (box.left < -2 || box.right > innerWidth + 2);
        }).map((one) => one.textContent)""")
        assert cut == []
        for chart in page.evaluate(TAKEN, ".chart")["found"]:
            assert not chart["cut"]
            assert chart["width"] == 672
            assert chart["height"] <= 840
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_report_that_is_printed_before_its_charts_are_drawn_says_so(
    chromium, tmp_path: Path, language: str
):
    from mirdemo.evidence.drawing import selected
    from mirdemo.evidence.report import evidence_report

    place = tmp_path / "report.html"
    place.write_text(evidence_report(selected({}), language), encoding="utf-8")
    context = chromium.new_context(offline=True)
    said = "getComputedStyle(document.querySelector('.chart'), '::before').content"
    try:
        context.add_init_script("window.DecompressionStream = null;")
        page = context.new_page()
        page.goto(place.as_uri())
        assert page.evaluate(said) == "none", "on a screen they come in a moment"
        page.emulate_media(media="print")
        assert ("Print again" if language == "en" else "もう一度印刷") in page.evaluate(said)
    finally:
        context.close()
