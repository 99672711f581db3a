"""What only a browser can tell of the tab's style sheet: what wraps, and what shows that there is more."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mirdemo.web.frame

STATIC = Path(mirdemo.web.frame.__file__).parent / "static"
STYLE = "".join(
    (STATIC / name).read_text(encoding="utf-8")
    for name in ("page.css", "clips.css", "few-shot.css", "probe.css")
)


@pytest.fixture
def draw(chromium) -> Iterator[Callable]:
    """``draw(html, width)`` -> a page with the tab's style."""
    pages = []

    def page(html: str, width: int):
        made = chromium.new_page(viewport={"width": width, "height": 700})
        pages.append(made)
        made.set_content(f"<style>{STYLE}</style><body><div class='view'>{html}</div>")
        return made

    yield page
    for made in pages:
        made.close()


LONG = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen"  # as long as a tag may be


@pytest.mark.parametrize(
    "html",
    [
        f"<ul class='facts tag-facts'><li><button class='button plain pick-tag'>Tick the clips with {LONG}</button></li></ul>",
        f"<ul class='facts wrong-facts'><li><span>.</span><span><span class='line'>missed: <bdi>{LONG}</bdi>, a</span></span></li></ul>",
        f"<div class='notes'><ul><li>The tag {LONG} is on every clip.</li></ul></div>",
        f"<p class='note'><span>The tag {LONG} is on every clip.</span></p>",
        f"<p>Between {LONG} and a</p>",
    ],
)
def test_a_tag_of_one_long_word_is_no_wider_than_a_phone(draw, html: str):
    page = draw(html, 320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_clips_name_ends_before_its_buttons_on_a_phone(draw):
    name = "<div class='clip-name'><span class='name'>half an hour of an evening.wav</span> <button class='link like-this'>More like this</button></div>"
    buttons = "<button class='round bare' data-act='long.open'></button><button class='round bare' data-act='clips.remove'></button>"
    page = draw(
        f"<table class='table clip-table'><tr><td><div class='clip'>{name}</div></td><td class='remove-cell'>{buttons}</td></tr></table>",
        390,
    )
    for width in (320, 340, 360, 375, 390, 412, 430):
        page.set_viewport_size({"width": width, "height": 700})
        ends = page.evaluate(
            "Math.max(...[...document.querySelector('.clip-name').children].map((one) => one.getBoundingClientRect().right))"
        )
        assert ends <= page.locator("[data-act='long.open']").bounding_box()["x"], width


GROUND = "getComputedStyle(document.querySelector('.mark')).backgroundColor"


@pytest.mark.parametrize(
    "html",
    [
        "<span class='scale verdict-partly_heard'><span class='mark range' style='width:40%'></span></span>",
        "<span class='scale verdict-heard'><span class='mark dot'></span></span>",
        "<span class='bar'><span class='mark' style='width:40%'></span></span>",
        "<span class='lane'><button class='mark' style='width:40%'></button></span>",
    ],
)
def test_a_mark_that_is_a_ground_is_seen_in_a_readers_own_colours(draw, html: str):
    page = draw(html, 400)
    page.emulate_media(forced_colors="active")
    blank = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.evaluate(GROUND) not in (blank, "rgba(0, 0, 0, 0)")


def test_the_chosen_tab_is_told_in_a_readers_own_colours(draw):
    tabs = "".join(f"<button role='tab' aria-selected='{one}'>{one}</button>" for one in ("true", "false"))
    page = draw(f"<div class='tabs' role='tablist'>{tabs}</div>", 400)
    page.emulate_media(forced_colors="active")
    below = (
        "[...document.querySelectorAll('[role=tab]')].map((one) => getComputedStyle(one).borderBottomColor)"
    )
    chosen, other = page.evaluate(below)
    assert chosen != other


def test_what_stays_in_sight_covers_nothing_on_paper(draw):
    page = draw("<p class='in-sight'>What we would do</p><div class='notice'>Added: 3.</div>", 700)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.in-sight')).position") == "static"
    assert not page.locator(".notice").is_visible()


def test_a_button_with_long_words_wraps_on_a_phone(draw):
    words = "Use Spectral statistics: Spectral contrast, whitened, and so on"
    page = draw(f"<p class='act-line'><button class='button'>{words}</button></p>", 390)
    assert page.locator("button").bounding_box()["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_edge_of_the_support_table_is_shaded_only_while_there_is_more_beyond_it(draw):
    from PIL import Image

    cells = "".join("<td style='min-width:60px;border:0'></td>" for _ in range(12))
    rows = f"<tr>{cells}</tr>" * 6
    page = draw(
        f"<div class='matrix-place' style='width:400px'><table class='matrix'>{rows}</table></div>",
        500,
    )

    def edges() -> tuple[int, int]:
        """Darkness of the left and the right edge, 0 to 255."""
        shot = Image.open(io.BytesIO(page.locator(".matrix-place").screenshot())).convert("L")
        middle = shot.height // 2
        return 255 - shot.getpixel((1, middle)), 255 - shot.getpixel((shot.width - 2, middle))

    left, right = edges()
    assert left < 5
    assert right > 25
    page.evaluate("document.querySelector('.matrix-place').scrollLeft = 1e6")
    left, right = edges()
    assert left > 25
    assert right < 5
    page.evaluate("document.querySelector('.matrix-place').style.width = '900px'")
    assert max(edges()) < 5
