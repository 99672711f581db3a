"""The question of which clips are of one performance comes when all have been listened to: it moves nothing that is read meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from driving import LISTENED, LISTENING, RATE, cut_up, give, played, until, wait_rows
from looking import STILL
from walking import NARROW, WIDE

#: Answers that hold what is given wait until ``letGo``.
HOLD = """(held) => {
  const { heard } = mirdemo;
  const kept = [];
  mirdemo.heard = (text) => (text && held.some((one) => text.includes(one)) ? kept.push(text) : heard(text));
  window.heldBack = () => kept.length;
  window.letGo = () => {
    mirdemo.heard = heard;
    for (const text of kept) heard(text);
  };
}"""
TOP = "(place) => place.getBoundingClientRect().top"
#: Where the table of clips stands, from the page's top.
PLACE = "document.querySelector('#panel-clips .clip-table').getBoundingClientRect().top + scrollY"


def tagged(folder: Path) -> list[Path]:
    """What lies there, with a tag for each, in turn."""
    names = sorted(one.name for one in folder.glob("*.wav"))
    lines = [f"{name},{('low', 'high')[i // 3 % 2]}" for i, name in enumerate(names)]
    (folder / "labels.csv").write_text("\n".join(["file,tags", *lines]), encoding="utf-8")
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    ("language", "size"), [("en-US", WIDE), ("ja-JP", NARROW)], ids=["1280 en", "390 ja"]
)
def test_the_question_moves_nothing_when_it_comes(visit, language: str, size: dict[str, int], tmp_path: Path):
    page = visit("clips", language, size["width"])
    page.set_viewport_size(size)
    cut_up(tmp_path, 3)
    files = tagged(tmp_path)

    page.evaluate(HOLD, [r"data-key=\"asked\""])
    give(page, "clips.add", files[:7] + files[-1:])
    wait_rows(page, 7)
    page.wait_for_selector("#panel-clips [data-awaits] [role=status]")
    table = page.locator(".clip-table")
    page.evaluate(STILL)  # it scrolls to what was added
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    before = table.evaluate(TOP)
    until(page, "heldBack() > 0")
    page.evaluate("letGo()")
    page.wait_for_selector(".asked-place details")
    assert table.evaluate(TOP) == before


def waited(visit, folder: Path):
    """The Clips tab after listening, where nothing was asked; its table stands where it stood."""
    page = visit("clips")
    page.evaluate(LISTENING)
    cut_up(folder, 1)
    for n in range(2):  # of performances of their own
        soundfile.write(folder / f"{n}.wav", played(("drum", "flute")[n], 3, n), RATE)
    give(page, "clips.add", tagged(folder))
    wait_rows(page, 6)
    until(page, LISTENED)
    assert not page.locator(".asked-place > *").count()
    assert page.evaluate(PLACE) == page.evaluate("kept")
    return page


def test_room_that_no_question_needs_goes_with_the_next_tab(visit, tmp_path: Path):
    page = waited(visit, tmp_path)
    page.click('[data-tab="about"]')
    page.click('[data-tab="clips"]')
    assert page.evaluate(PLACE) < page.evaluate("kept") - 40


def test_room_that_no_question_needs_goes_with_the_next_act(visit, tmp_path: Path):
    page = waited(visit, tmp_path)
    page.locator('[data-act="clips.untag"]').first.click()
    assert page.evaluate(PLACE) < page.evaluate("kept") - 40


def test_no_room_is_kept_where_there_are_too_few_clips_to_ask_about(visit, tmp_path: Path):
    page = visit("clips")
    cut_up(tmp_path, 1)
    page.evaluate(LISTENING)
    give(page, "clips.add", tagged(tmp_path))
    wait_rows(page, 4)
    until(page, "!mirdemo.waits()")
    assert page.evaluate("kept") is None
