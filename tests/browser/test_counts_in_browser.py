"""What counts as one recording until somebody says so: what is offered before, what stays valid after, and what goes home."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from driving import cut_up, give, until, wait_rows
from walking import NARROW, WIDE

from mirdemo.words.language import speaker

SIZES = pytest.mark.parametrize(
    ("language", "size"), [("en-US", WIDE), ("ja-JP", NARROW)], ids=["1280 en", "390 ja"]
)
#: The page is as wide as the window: nothing sticks out.
FITS = "document.documentElement.scrollWidth <= innerWidth"
#: The text that stands in a notice at the foot of the page.
NOTICE = ".notice p"
PROBED = 'a[download="mirdemo-probe.json"]'
#: How a file tells that clips count as fewer recordings.
NOTES = {"en": "because nobody has said yet", "ja": "答えがまだないため"}


def opened(visit, language: str, size: dict[str, int], folder: Path, names: list[str]):
    """The Clips tab with these clips, cut from four performances, each tagged."""
    page = visit("clips", language, size["width"])
    page.set_viewport_size(size)
    cut_up(folder, 3)
    files = [folder / f"{letter * 3}.wav" for letter in "qwertyuiopas"]  # three of each performance
    for file, name in zip(files, names, strict=True):
        file.rename(folder / f"{name}.wav")
    lines = [f"{name}.wav,{('low', 'high')[i % 2]}" for i, name in enumerate(names)]
    (folder / "labels.csv").write_text("\n".join(["file,tags", *lines]), encoding="utf-8")
    give(page, "clips.add", sorted(folder.iterdir()))
    wait_rows(page, len(names))
    until(page, "!document.querySelector('#panel-clips [data-awaits]') && !mirdemo.waits()")
    return page


def tab(page, name: str) -> None:
    page.click(f'[data-tab="{name}"]')
    page.wait_for_selector(f"#panel-{name}.is-open")


@SIZES
def test_the_question_comes_first_where_it_leaves_one_recording(
    visit, language: str, size: dict[str, int], tmp_path: Path
):
    t = speaker(language[:2])
    page = opened(visit, language, size, tmp_path, [f"part{n}" for n in range(12)])
    tab(page, "plan")
    assert page.locator("[data-key=answer-first]").inner_text() == str(t("clips.question.first"))
    assert not page.locator('#panel-plan [data-act="probe.run"]').count()
    assert page.evaluate(FITS)
    page.click('#panel-plan [data-act="clips.pieces"][data-value="each"]')
    page.wait_for_selector('#panel-plan [data-act="probe.run"], #panel-plan [data-act="clips.all_together"]')
    page.wait_for_selector(NOTICE)
    assert page.evaluate(FITS)


@SIZES
def test_a_yes_that_changes_no_count_leaves_the_words_valid(
    visit, language: str, size: dict[str, int], tmp_path: Path
):
    page = opened(
        visit, language, size, tmp_path, [f"part{n}" for n in range(3)] + [c * 3 for c in "zbnmkljhg"]
    )
    page.wait_for_selector("#panel-clips .asked-place details")
    tab(page, "probe")
    page.click('#panel-probe [data-act="probe.run"]')
    page.wait_for_selector("#panel-probe [data-result]")
    assert NOTES[language[:2]] in unquote(page.locator(PROBED).get_attribute("href"))
    page.click('#panel-probe [data-act="clips.all_together"]')
    until(page, "!document.querySelector('#panel-probe [data-act=\"clips.all_together\"]')")
    assert not page.locator("#panel-probe [data-key=earlier]").count()
    assert NOTES[language[:2]] not in unquote(page.locator(PROBED).get_attribute("href"))
    assert page.locator("#panel-probe [data-result]").count()
    assert page.evaluate(FITS)
