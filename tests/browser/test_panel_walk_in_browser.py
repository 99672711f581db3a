"""A panel on the page: listened to in place by several, sent as a file, answered without a network, dropped back."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from driving import give, until, wait_rows, write_labelled

PLAN = "#panel-plan"
#: Tags that nobody can hear, so that two backbones differ about them.
CHANCE = {0: "slow", 1: "old", 2: "old", 3: "slow", 4: "old", 5: "slow", 6: "slow;old", 7: "old"}
CLIPS = 6


def answer_all(page, verdict, sides: str = "first") -> None:
    """Answer every clip. page: the panel's, or its frame; verdict: from a tag to what is said"""
    for _ in range(CLIPS):
        page.locator("[data-next]").wait_for()
        for q, tag in enumerate(page.locator(".tag").all_inner_texts()):
            page.locator(f'[data-q="{q}"][data-verdict="{verdict(tag)}"]').click()
        if page.locator(".compare").count():
            page.locator(f'.compare [data-side="{sides}"]').click()
        page.locator("[data-next]").click()


def begin(page, name: str) -> None:
    page.locator("#listener").fill(name)
    page.locator("form button").click()


@pytest.fixture
def made(visit, tmp_path: Path):
    """``made(language, width)``: eight recordings, probed with two backbones, and a panel of both made of them."""

    def make(language: str, width: int):
        page = visit("clips", language, width)
        page.set_default_timeout(40_000)
        folder = tmp_path / "clips"
        folder.mkdir()
        give(page, "clips.add", write_labelled(folder, 8, 3.0, CHANCE))
        wait_rows(page, 8)
        page.click('[data-tab="probe"]')
        page.click('#panel-probe [data-act="probe.run"]')
        page.wait_for_selector('#panel-probe [data-act="probe.metric"]')
        page.select_option('#panel-probe [data-act="probe.backbone"]', "mini-west")
        page.click('#panel-probe [data-act="probe.run"]')
        page.wait_for_selector('#panel-probe [data-run^="mini-west"]')
        page.click('[data-tab="plan"]')
        page.wait_for_selector(f"{PLAN} [data-advice]")
        page.select_option('[data-what="beside"]', index=1)
        page.fill('[data-what="most"]', str(CLIPS))
        page.keyboard.press("Tab")
        page.click('[data-act="panel.make"]')
        page.wait_for_selector('[data-key="panel-made"]')
        return page

    return make


def test_several_listen_on_the_page_one_after_another(made):
    page = made("ja-JP", 390)
    page.click("[data-listen]")
    frame = page.frame_locator(".listening iframe")
    frame.locator("#listener").wait_for()
    assert frame.locator("html").get_attribute("lang") == "ja"
    begin(frame, "花子")
    frame.locator("[data-play]").click()
    here = next(one for one in page.frames if "listen.html" in one.url)
    until(here, "document.querySelector('#audio').currentTime > 0")
    page.keyboard.press("1")  # the frame has the focus: keys answer
    frame.locator('[data-q="0"][data-verdict="right"][aria-pressed="true"]').wait_for()
    page.keyboard.press("ArrowLeft")
    frame.locator("form button").click()
    frame.locator('[data-q="0"][data-verdict="right"]').click()  # taken back
    assert here.evaluate("document.documentElement.scrollWidth <= innerWidth")
    answer_all(frame, lambda tag: "wrong" if tag == "slow" else "right")
    frame.locator("[data-hand-in]").click()
    frame.locator("[data-handed]").wait_for()
    frame.locator("[data-next-listener]").click()
    assert frame.locator("#listener").input_value() == ""
    begin(frame, "Aki")
    assert frame.locator('[aria-pressed="true"][data-q]').count() == 0  # nothing of the first is seen
    answer_all(frame, lambda tag: "right", "second")
    frame.locator("[data-hand-in]").click()
    frame.locator("[data-handed]").wait_for()
    frame.locator("[data-back]").click()  # once more, changed: the last counts
    frame.locator('[data-q="0"][data-verdict="cannot_tell"]').click()
    frame.locator("[data-next]").click()
    frame.locator("[data-hand-in]").click()
    frame.locator("[data-handed]").wait_for()
    frame.locator("[data-close]").click()
    page.wait_for_selector(".listening", state="detached")
    people = page.locator(".panel-people li")
    assert people.count() == 2
    assert "花子" in people.nth(0).inner_text()
    assert page.locator(".panel-tags").count() == 2  # both backbones
    assert (
        "α" in page.locator(".panel-lines").inner_text()
        or "alpha" in page.locator(".panel-lines").inner_text()
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_panel_is_sent_answered_from_a_file_and_its_answers_are_dropped(made, chromium, tmp_path: Path):
    page = made("en-US", 1280)
    page.click("[data-listen]")
    frame = page.frame_locator(".listening iframe")
    frame.locator("#listener").wait_for()
    assert frame.locator("html").get_attribute("lang") == "en"
    page.click(".listening > button")
    page.wait_for_selector(".listening", state="detached")
    with page.expect_download() as download:
        page.click('[data-key="panel-page"]')
    sent = tmp_path / "panel.html"
    download.value.save_as(sent)
    with page.expect_download() as download:
        page.click('[data-key="panel-key"]')
    key = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    files = []
    for name, verdict in (("Aki", "right"), ("Ben", "wrong")):
        context = chromium.new_context(locale="en-US", offline=True)
        listener = context.new_page()
        listener.goto(sent.as_uri())
        begin(listener, name)
        listener.wait_for_timeout(300)
        answer_all(listener, lambda tag, own=verdict: own if tag == "slow" else "right")
        with listener.expect_download() as download:
            listener.click("[data-save]")
        files.append(tmp_path / download.value.suggested_filename)
        download.value.save_as(files[-1])
        context.close()
    before = page.input_value("#assume-accept_seconds")
    give(page, "panel.answers", files)
    page.wait_for_selector('[data-key="panel-found"]')
    assert page.locator(".panel-people li").count() == 2
    lines = page.locator(".panel-lines").inner_text()
    assert "2 listeners (Aki, Ben)" in lines
    assert "Krippendorff's alpha" in lines
    assert "Side by side" in lines
    rows = {
        row.split("\t")[0]: row for row in page.locator(".panel-tags tbody").first.inner_text().split("\n")
    }
    assert " of " in rows["drum"]
    assert page.locator(".panel-differ li").count() >= 1
    page.locator(".panel-differ [data-play]").first.click()
    page.wait_for_selector(".panel-differ [data-live-playing]")
    page.wait_for_function(
        "was => document.querySelector('#assume-accept_seconds').value !== was", arg=before
    )

    def spoilt(name: str, **changed) -> Path:
        told = json.loads(files[0].read_text(encoding="utf-8")) | changed
        if "check" not in changed:
            del told["check"]
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            told["check"] = f"{zlib.crc32(text.encode()):08x}"
        place = tmp_path / name
        place.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        return place

    bad = [
        spoilt("other.json", panel="0123456789abcdef"),
        spoilt("version.json", format="mirdemo-answers-9"),
        spoilt("edited.json", listener="Someone else", check=json.loads(files[0].read_text())["check"]),
        files[0],
    ]
    give(page, "panel.answers", bad)
    page.wait_for_selector('[data-key="panel-note-4"]')
    notes = " ".join(page.locator('[data-key^="panel-note"]').all_inner_texts())
    for said in (
        "to another panel",
        "another version (mirdemo-answers-9)",
        "changed after it was saved",
        "here already",
    ):
        assert said in notes
    assert page.locator(".panel-people li").count() == 2  # nothing was lost
    assert page.locator(".panel-lines").inner_text() == lines
    slow = page.locator("#panel-plan [data-act='panel.label']")
    assert slow.is_enabled()
    slow.click()
    page.wait_for_selector(".notice:has-text('Clips with new labels')")
    page.click('[data-act="panel.undo"]')
    page.wait_for_selector(f"{PLAN} [data-advice]")
    assert key["id"] == page.locator("[data-panel]").get_attribute("data-panel")
