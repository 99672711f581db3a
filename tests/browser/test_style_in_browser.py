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
    for name in ("page.css", "clips.css", "few-shot.css", "probe.css", "plan.css", "fine-tune.css")
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


def _row(cells: list[str], tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


_FIGURES = [
    "<bdi>shamisen 三味線</bdi>",
    "Spectral statistics, whitened",
    "too few recordings to say",
    "<span class='whole'>0.71 (0.46–0.86), </span>24 recordings",
    "0.50",
    "10",
    "42 %",
    "0.002",
    "All statistics together",
    "<span class='whole'>−0.25 (−0.55 to +0.05)</span>",
]
_CLASSES = [
    "tag",
    "backbone",
    "word",
    "figure",
    "chance",
    "recordings",
    "prevalence",
    "p_value",
    "layer",
    "difference",
]
_FIGURE_ROW = "".join(
    f"<td class='cell-{name}'>{cell}</td>" for name, cell in zip(_CLASSES, _FIGURES, strict=True)
)
_HEADS = "".join(
    f"<th><button>{one}</button></th>"
    for one in [
        "タグ",
        "基盤モデル",
        "判定",
        "ROC-AUC",
        "偶然の水準",
        "タグのある録音",
        "タグのあるクリップ",
        "p",
        "選ばれた層",
        "差",
    ]
)
_VERDICT = "<span class='word weak'><span>too few recordings to say</span></span><span class='line quiet small-text figures'>0.71 (0.46–0.86), 24 recordings</span>"
_WHY = "in scale<span class='line small-text'>The backbones, or their whitening, differ. One interval is too wide to tell.</span>"
WIDE_TABLES = {
    "all figures": f"<div class='table-scroll'><table class='table figure-table'><thead><tr>{_HEADS}</tr></thead><tbody><tr>{_FIGURE_ROW}</tr></tbody></table></div>",
    "examples": "<div class='matrix-place'><table class='matrix'><tbody>"
    + f"<tr><th scope='row'>shamisen</th>{'<td><span class=dot></span></td>' * 200}<td class='counts small-text'>15 clips · 10 recordings</td></tr>"
    + "</tbody></table></div>",
    "stage by stage": f"<table class='table visit-tags'><tbody>{_row([_WHY, *[_VERDICT] * 4])}</tbody></table>",
}


@pytest.mark.parametrize(
    "width", [739, 794]
)  # what Letter and A4 leave, with a browser's margins and with none
@pytest.mark.parametrize("table", WIDE_TABLES)
def test_a_wide_table_is_within_a_sheet(draw, table: str, width: int):
    page = draw(WIDE_TABLES[table], width)
    page.emulate_media(media="print")
    ends = "(one) => [...one.querySelectorAll('*')].reduce((most, each) => Math.max(most, each.getBoundingClientRect().right), 0)"
    assert page.locator(".view").evaluate(ends) <= width


@pytest.mark.parametrize("width", [760, 900])
def test_words_stage_by_stage_are_within_a_tablet_and_a_note_has_a_line(draw, width: int):
    page = draw(WIDE_TABLES["stage by stage"], width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("td").first.bounding_box()["width"] >= 140


@pytest.mark.parametrize("place", ["two", "live", "plan-charts"])
def test_charts_that_are_as_wide_as_a_sheet_stand_below_each_other_on_it(draw, place: str):
    chart = "<figure class='chart'><div style='width: 660px; height: 100px'></div></figure>"
    page = draw(f"<div class='{place}'>{chart}{chart}</div>", 739)
    page.emulate_media(media="print")
    first, second = (one.bounding_box() for one in page.locator("figure").all())
    assert first["x"] == second["x"]
    assert first["y"] + first["height"] <= second["y"]


def test_what_only_a_hand_can_use_is_not_on_paper_and_moves_nothing(draw):
    wave = "<span class='wave'><svg></svg></span>"
    page = draw(
        f"<span class='player timeline'><button class='play'></button>{wave}</span><span class='chip'>drum<button>x</button></span>",
        739,
    )
    before = page.locator(".wave").bounding_box()
    page.emulate_media(media="print")
    assert page.locator("button:visible").count() == 0
    assert page.locator(".wave").bounding_box() == before


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
