"""The probe as a visitor meets it: one press, an answer a tag, its layers by hand and by key, mistakes to hear."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from driving import give, wait_rows, write_labelled

from mirdemo.backbones.registry import spec
from mirdemo.words.language import speaker


@pytest.fixture(scope="module")
def festival(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight recordings, drums and flutes in turn, with a sheet; "odd" says nothing about the sound."""
    odd = {i: "odd" for i in range(8) if i % 4 < 2}
    return write_labelled(tmp_path_factory.mktemp("probe"), 8, 3, odd)


@pytest.fixture
def probed(visit, festival: list[Path]):
    def go(language: str = "en-US", width: int = 1280):
        page = visit("clips", language, width)
        give(page, "clips.add", festival)
        wait_rows(page, 8)
        page.click('[data-tab="probe"]')
        page.click('[data-act="probe.run"]')
        page.wait_for_selector("#panel-probe [data-result]", timeout=90_000)
        return page

    return go


WATCHED = """
window.drafts = [];
new MutationObserver(() => {
  const draft = document.querySelector("[data-draft]");
  const said = draft && [...draft.querySelectorAll("[data-tag-row] [data-provisional]")].map((one) => one.textContent.trim()).join("; ");
  if (said && drafts.at(-1) !== said) drafts.push(said);
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


def test_figures_come_while_they_are_computed_and_the_answer_replaces_them(visit, festival: list[Path]):
    page = visit("clips")
    give(page, "clips.add", festival)
    wait_rows(page, 8)
    page.click('[data-tab="probe"]')
    page.evaluate(WATCHED)
    page.click('[data-act="probe.run"]')
    page.wait_for_selector("#panel-probe [data-result]", timeout=90_000)
    drafts = page.evaluate("drafts")
    assert drafts[0] == "not yet; not yet; not yet"
    assert any("of 30 draws" in said for said in drafts), drafts
    assert page.locator("[data-draft], [data-provisional]").count() == 0


def test_one_press_answers_and_the_answer_is_sorted_downloaded_heard_and_outdated(probed):
    page = probed()
    rows = page.locator("[data-tag-row]")
    assert rows.count() == 3
    assert page.locator("[data-verdict]").count() == 3
    first = rows.first
    assert "8 recordings" in first.inner_text()
    assert "drum" in first.inner_text()

    strip = first.locator("details.strip")
    strip.locator("summary").focus()
    page.keyboard.press("Enter")
    strip.locator(".strip-list").wait_for()
    layers = len(spec("spectral").layers)
    assert strip.locator(".strip-list li").count() == strip.locator(".cell").count() == layers
    tip = strip.locator(".cell").nth(2)
    tip.hover()
    said = tip.evaluate("cell => getComputedStyle(cell, '::after').content").strip('"')
    assert said == tip.get_attribute("data-tip")

    with page.expect_download() as download:
        page.click('a[download="mirdemo-probe.csv"]')
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    table = list(csv.DictReader(io.StringIO(text)))
    assert [line["tag"] for line in table] == ["drum", "flute", "odd", "(mean over tags)"]
    page.click('[data-act="probe.sort"][data-column="figure"]')
    page.wait_for_selector("th[aria-sort=ascending] [data-column=figure]")
    ascending = sorted(table[:3], key=lambda line: float(line["value"]))
    shown = page.locator(".figure-table td.cell-tag bdi").all_inner_texts()
    assert shown[0] == ascending[0]["tag"]

    wrong = page.locator(".mistake-facts li")
    assert wrong.count() > 0, "nothing can be read off a tag that says nothing about the sound"
    wrong.first.locator("[data-play]").click()
    page.wait_for_selector(".mistake-facts .player[data-live-playing]")

    page.click('[data-tab="clips"]')
    page.locator('#panel-clips [data-act="clips.untag"]').first.click()
    page.click('[data-tab="probe"]')
    page.locator("#panel-probe .earlier-set").wait_for()
    page.click('[data-act="probe.again"]')
    page.wait_for_selector("#panel-probe .earlier-set", state="detached", timeout=60_000)


def test_on_a_phone_in_japanese_everything_fits_and_a_reload_finds_it(probed):
    page = probed("ja-JP", 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert str(speaker("ja")("probe.mistakes")) in page.locator("#panel-probe").inner_text()
    assert page.locator(".figure-table thead").is_hidden()
    page.reload()
    page.wait_for_selector("#panel-probe [data-result]")
    assert page.locator("[data-tag-row]").count() == 3
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("[data-answered]")
    assert other.locator("[data-result]").count() == 0


def test_the_endpoint_answers_without_the_page(address: str, festival: list[Path]):
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError

    client = Client(address, verbose=False)
    sheet = next(path for path in festival if path.suffix == ".csv").read_text(encoding="utf-8")
    files = [handle_file(path) for path in festival if path.suffix == ".wav"]
    report = client.predict(clips=files, sheet=sheet, api_name="/probe")
    assert [tag["tag"] for tag in report["tags"]] == ["drum", "flute", "odd"]
    assert report["tags"][0]["figures"]["roc_auc"]["n"] == 8
    with pytest.raises(AppError, match="録音"):
        client.predict(clips=files[:1], sheet="file,tags\ndrum0.wav,drum\n", language="ja", api_name="/probe")


def test_a_tick_can_be_seen(visit, festival: list[Path]):
    page = visit("clips")
    give(page, "clips.add", festival)
    wait_rows(page, 8)
    page.click('[data-tab="probe"]')
    tick = page.locator('#panel-probe input[type="checkbox"]')
    tick.wait_for()
    pixels = tick.screenshot()
    tick.click()
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    assert tick.screenshot() != pixels
    assert tick.evaluate("box => getComputedStyle(box).appearance") != "none", "Gradio's look hides the tick"
