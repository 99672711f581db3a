"""The page as a visitor meets it: real files in, tags out, in either language, and nobody sees another's."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import soundfile
from driving import RATE, give, played, rows, wait_rows, write_labelled

from mirdemo.words.language import speaker


def add_and_tag(page, sounds: Path) -> None:
    """Two drums and two flutes in four formats, tagged while adding and afterwards."""
    page.fill('[data-drop="clips.add"] [name=tags]', "drum")
    give(page, "clips.add", [sounds / "drum one.wav", sounds / "drum two.mp3"])
    wait_rows(page, 2)
    page.fill('[data-drop="clips.add"] [name=tags]', "")
    give(page, "clips.add", [sounds / "笛 一.FLAC", sounds / "flute two.m4a"])
    wait_rows(page, 4)
    for name in ("笛 一.FLAC", "flute two.m4a"):
        field = rows(page).filter(has_text=name).locator(".chips input")
        field.fill("flute, 笛")
        field.press("Enter")
        rows(page).filter(has_text=name).locator(".chip", has_text="笛").wait_for()


def test_four_formats_in_prototypes_built_and_the_tags_of_a_query_read_back(visit, sounds: Path):
    from playwright.sync_api import expect

    page = visit()
    add_and_tag(page, sounds)
    expect(page.locator(".where")).to_contain_text("4 clips · 3 tags · 4 recordings", timeout=90_000)
    page.click('[data-tab="few-shot"]')
    page.click('[data-act="few-shot.build"]')
    page.wait_for_selector("text=prototypes, built in", timeout=90_000)
    give(page, "few-shot.query", [sounds / "procession.wav"])
    answer = page.locator(".answer")
    answer.wait_for()
    lanes = answer.locator(".lane:not(.none)")
    assert answer.locator(".lane-name").first.inner_text() == "drum"
    first, last = lanes.first.locator("button").first, lanes.last.locator("button").last
    assert float(first.get_attribute("data-at")) == 0.0
    assert float(last.get_attribute("data-at")) >= 9.0
    give(page, "few-shot.query", [sounds / "new drum.wav"])
    page.locator(".answer.latest", has_text="new drum.wav").wait_for()
    latest = page.locator(".answer.latest")
    given = latest.locator("[data-answer] .chip, .verdict .chip").all_inner_texts()
    assert given == ["drum"]
    page.click(".why-answer > summary")
    near = page.locator(".why-answer .nearest-facts li")
    assert "drum" in near.first.inner_text()
    near.first.locator("[data-play]").click()
    page.wait_for_selector(".nearest-facts .player[data-live-playing]")


def test_a_clip_is_heard_and_only_through_its_visitors_secret(visit, sounds: Path, address: str):
    page = visit()
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    source = rows(page).locator(".player").get_attribute("data-src")
    rows(page).locator("[data-play]").click()
    page.wait_for_function(
        "parseFloat(document.querySelector('.player').style.getPropertyValue('--played')) > 5"
    )
    with urllib.request.urlopen(f"{address}/{source}") as heard:
        assert heard.headers["Content-Type"] == "audio/mpeg"
        assert "no-store" in heard.headers["Cache-Control"]
    key, clip = source.split("/")[1:]
    for wrong in (
        f"listen/{'x' * len(key)}/{clip}",
        f"listen/{key}/{'0' * 64}",
        f"listen/{key}/..%2f..%2fapp.py",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/{wrong}")
        assert refused.value.code == 404
    rows(page).locator('[data-act="clips.remove"]').click()
    wait_rows(page, 0)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{address}/{source}")


def test_no_visitor_sees_the_clips_of_another(visit, sounds: Path):
    first, second = visit(), visit(elsewhere=True)
    give(first, "clips.add", [sounds / "drum one.wav"])
    wait_rows(first, 1)
    give(second, "clips.add", [sounds / "笛 一.FLAC"])
    wait_rows(second, 1)
    assert "drum one" in rows(first).inner_text()
    assert "drum one" not in second.content()
    second.reload()
    second.wait_for_selector("[data-answered]")
    wait_rows(second, 1)
    assert "drum one" not in second.content()


def test_a_reload_finds_everything_again_and_a_new_tab_nothing(visit, sounds: Path):
    page = visit()
    page.fill('[data-drop="clips.add"] [name=tags]', "drum")
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    page.reload()
    wait_rows(page, 1)
    assert rows(page).locator(".chip").inner_text().strip() == "drum"
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("[data-answered]")
    wait_rows(other, 0)


def test_languages_switch_in_place_for_static_and_computed_words(visit, sounds: Path):
    page = visit()
    give(page, "clips.add", [sounds / "drum one.wav", sounds / "letter.wav"])
    wait_rows(page, 1)
    english, japanese = speaker("en"), speaker("ja")
    assert page.locator("h1").inner_text() == english("page.question")
    page.evaluate("window.here = true")
    page.click("button[lang=ja]")
    page.locator("h1", has_text=str(japanese("page.question"))).wait_for()
    assert page.evaluate("window.here") is True, "the page was reloaded"
    assert page.evaluate("document.documentElement.lang") == "ja"
    panel = page.locator("#panel-clips")
    assert str(japanese("clips.enough.title")) not in panel.inner_text()  # no tag yet, so no counts
    assert "クリップ 1" in page.locator(".where").inner_text()
    assert "letter.wav" in panel.locator(".notes").inner_text()
    assert "sound file" not in panel.inner_text()
    field = rows(page).locator(".chips input")
    assert field.get_attribute("placeholder") == str(japanese("clips.none_of_these"))
    for tab, title in (("few-shot", "few-shot.drop"), ("about", "about.title")):
        page.click(f'[data-tab="{tab}"]')
        page.locator(f"#panel-{tab} h2", has_text=str(japanese(title))).wait_for()
    page.click("button[lang=en]")
    page.locator("h1", has_text=str(english("page.question"))).wait_for()
    page.locator("#panel-about h2", has_text=str(english("about.title"))).wait_for()


def test_the_first_language_is_the_browsers(visit):
    assert visit(language="ja-JP").locator("h1").inner_text() == speaker("ja")("page.question")
    assert visit(language="fr-FR").locator("h1").inner_text() == speaker("en")("page.question")


def test_a_bad_file_is_refused_in_a_sentence_and_the_page_goes_on(visit, sounds: Path, uploads: Path):
    page = visit()
    give(page, "clips.add", [sounds / "letter.wav"])
    notice = page.locator(".notice.refusal")
    notice.wait_for()
    assert "letter.wav" in notice.inner_text()
    notice.locator("button").click()
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    assert uploads.is_dir(), "the server keeps its uploads elsewhere: this test looks in the wrong place"
    assert [path for path in uploads.rglob("*") if path.suffix in (".wav", ".mp3")] == []


def test_a_folder_gives_its_names_as_tags(visit, sounds: Path, tmp_path: Path):
    for tag, name in (("taiko", "drum one.wav"), ("fue", "笛 一.FLAC")):
        (tmp_path / "festival" / tag).mkdir(parents=True)
        shutil.copy(sounds / name, tmp_path / "festival" / tag / name)
    page = visit()
    with page.expect_file_chooser() as chooser:
        page.click('[data-drop="clips.add"] [data-choose=folder]')
    chooser.value.set_files(tmp_path / "festival")
    wait_rows(page, 2)
    assert rows(page).filter(has_text="drum one.wav").locator(".chip").inner_text().strip() == "taiko"
    assert rows(page).filter(has_text="笛 一").locator(".chip").inner_text().strip() == "fue"


def test_the_microphone_is_recorded(visit):
    page = visit()
    page.click('[data-drop="clips.add"] [data-record]')
    page.wait_for_timeout(1500)
    page.click('[data-drop="clips.add"] [data-record]')
    wait_rows(page, 1)
    assert "Recording" in rows(page).inner_text()


def test_what_a_visitor_types_is_shown_and_never_run(visit, sounds: Path):
    page = visit()
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    evil = "<img src=x onerror=window.bad=1>${window.bad=2}{{x}}"
    field = rows(page).locator(".chips input")
    field.fill(evil)
    field.press("Enter")
    chip = rows(page).locator(".chip").first
    chip.wait_for()
    assert chip.inner_text().strip() == evil
    name = rows(page).locator(".recording-cell input")
    name.fill('"><script>window.bad=3</script>')
    name.press("Enter")
    page.wait_for_timeout(300)
    assert page.evaluate("window.bad") is None


def test_tags_are_edited_by_keyboard_alone(visit, sounds: Path):
    page = visit()
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    rows(page).locator(".chips input").focus()
    page.keyboard.type("slow,")
    rows(page).locator(".chip", has_text="slow").wait_for()
    page.keyboard.type("loud")
    page.keyboard.press("Enter")
    rows(page).locator(".chip", has_text="loud").wait_for()
    page.keyboard.press("Backspace")
    rows(page).locator(".chip", has_text="slow").wait_for(state="detached")
    assert rows(page).locator(".chip").all_inner_texts() == ["loud"]
    page.locator('[data-tab="clips"]').focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash === '#probe'")


def test_an_answer_overtaken_by_a_later_one_is_not_drawn(visit):
    said = visit().evaluate("""() => {
        const view = document.createElement("div");
        mirdemo.draw(view, "<p>later</p>", 2);
        mirdemo.draw(view, "<p>earlier</p>", 1);
        return view.textContent;
    }""")
    assert said == "later"


def test_a_space_that_goes_puts_nothing_in_the_place_of_its_neighbour(visit):
    """In Japanese none is drawn behind a full stop: "…" becomes a sentence, and the terms and what they say stay themselves."""
    said = visit().evaluate("""() => {
        const view = document.createElement("div");
        const pairs = (space) => `<dl><dt>a</dt> <dd data-key="a">1</dd>${space}<dt>b</dt> <dd>2</dd> <dt>c</dt> <dd>3</dd></dl>`;
        mirdemo.draw(view, pairs(" "), 1);
        const before = [...view.querySelectorAll("dt, dd")];
        return ["", " "].map((space, i) => {
            mirdemo.draw(view, pairs(space), i + 2);
            return [before.filter((one, k) => one === view.querySelectorAll("dt, dd")[k]).length, view.innerHTML === pairs(space)];
        });
    }""")
    assert said == [[6, True], [6, True]]


def test_a_word_under_conversion_survives_what_is_drawn_before_it(visit):
    page = visit(language="ja-JP")
    page.evaluate("""() => {
        window.view = document.createElement("div");
        document.body.prepend(view);
        mirdemo.draw(view, ' <input type="text" data-key="field"> ', 1);
        view.addEventListener("compositionend", () => { view.dataset.ended = "yes"; });
        view.querySelector("input").focus();
    }""")
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "たい", "selectionStart": 2, "selectionEnd": 2})
    page.evaluate(
        """mirdemo.draw(view, ' <b data-key="new">笛</b> <input type="text" data-key="field"> ', 2)"""
    )
    assert page.evaluate("view.dataset.ended") is None
    keyboard.send("Input.insertText", {"text": "太鼓"})
    assert page.evaluate("[view.querySelector('input').value, view.textContent.trim()]") == ["太鼓", "笛"]


def test_the_open_tab_comes_into_sight_when_the_page_narrows(visit):
    page = visit("about")
    page.set_viewport_size({"width": 360, "height": 700})
    page.wait_for_function("""() => {
        const tab = document.querySelector('[data-tab][aria-selected="true"]').getBoundingClientRect();
        return tab.left >= 0 && tab.right <= innerWidth;
    }""")


def test_nothing_is_wider_than_a_phone(visit, sounds: Path):
    page = visit(language="ja-JP", width=390)
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    for language in ("ja", "en"):
        page.click(f"button[lang={language}]")
        page.wait_for_function("said => document.documentElement.lang === said", arg=language)
        for tab in ("evidence", "clips", "probe", "fine-tune", "few-shot", "plan", "about"):
            page.evaluate(f"location.hash = '{tab}'")
            page.wait_for_timeout(250)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, (language, tab)


def test_light_and_dark_are_remembered(visit):
    page = visit()
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.click("[data-theme-toggle]")
    page.reload()
    page.wait_for_selector("[data-answered]")
    assert page.evaluate("document.body.classList.contains('dark')") is not dark


def test_a_refused_upload_is_told_in_the_servers_words(visit, sounds: Path):
    page = visit(language="ja")
    asked: list[str] = []

    def refuse(route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=507, json={"detail": "<b>満杯</b>", "code": "page.uploads_full"})

    page.route("**/gradio_api/upload*", refuse)
    give(page, "clips.add", [sounds / "drum one.wav"])
    says = page.locator('[data-drop="clips.add"] .drop-says')
    says.get_by_text("<b>満杯</b>").wait_for()
    assert [url.endswith("?language=ja") for url in asked] == [True]
    page.unroute("**/gradio_api/upload*")
    page.route("**/gradio_api/upload*", lambda route: route.fulfill(status=502, body="<html>"))
    give(page, "clips.add", [sounds / "drum one.wav"])
    says.get_by_text("届きませんでした").wait_for()


def test_from_the_festival_to_the_tags_of_a_query_and_a_tagger_that_loads(visit, tmp_path: Path):
    from mirdemo.tagger import Tagger

    page = visit(tab="few-shot")
    page.click('[data-act="clips.festival"]')
    page.click('[data-act="few-shot.example"][data-number="1"]', timeout=240_000)
    answer = page.locator(".answer.latest")
    answer.wait_for(timeout=180_000)
    given = answer.locator("[data-answer] .chip").all_inner_texts()
    assert "taiko 太鼓" in given
    played = answer.locator(".played .chip").all_inner_texts()
    assert len(played) == 3
    assert sum("found" in one for one in played) == len(
        [tag for tag in given if any(tag in p for p in played)]
    )
    assert "Macro-F1" in page.locator("[data-figure=macro-f1]").inner_text()
    page.click("#few-shot-more > summary")
    place = page.locator('[data-key="chart-few-shot-map"]')
    place.scroll_into_view_if_needed()
    page.wait_for_selector('[data-key="chart-few-shot-map"].is-drawn', timeout=120_000)
    box = place.locator(".scatterlayer .trace .point").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".player[data-live-playing]", state="attached")  # it may lie in a folded list
    chart = page.locator("figure.chart", has=place)
    with page.expect_download() as downloading:
        chart.locator('[data-tool="csv"]').click()
    assert downloading.value.suggested_filename == "mirdemo-few-shot-map.csv"
    assert len(Path(downloading.value.path()).read_text("utf-8-sig").splitlines()) > 36
    with page.expect_download() as downloading:
        chart.locator('[data-tool="png"]').click()
    assert Path(downloading.value.path()).read_bytes().startswith(b"\x89PNG")
    page.click('[data-act="few-shot.curve"]')
    page.wait_for_selector('[data-key="chart-few-shot-curve"].is-drawn', timeout=120_000)
    assert place.evaluate("map => map.matches('.is-drawn.js-plotly-plot')"), "redrawing undid the map"
    with page.expect_download() as downloading:
        page.click("a[download='tagger.zip']")
    downloading.value.save_as(tmp_path / "tagger.zip")
    tagger = Tagger.load(tmp_path / "tagger.zip")
    assert len(tagger.tags) == 7
    assert tagger.facts["n_recordings"] == 24


def test_the_way_to_a_tagger_is_beside_the_next_step(visit, sounds: Path):
    page = visit(language="ja-JP", width=390)
    page.fill('[data-drop="clips.add"] [name=tags]', "drum")
    give(page, "clips.add", [sounds / "drum one.wav"])
    wait_rows(page, 1)
    page.click("a.aside")
    page.wait_for_function("location.hash === '#few-shot'")
    page.click('[data-act="few-shot.build"]')
    page.wait_for_selector('[data-key="found-home"]', timeout=90_000)
    assert str(speaker("ja")("few-shot.honest.one_recording")) in page.locator("#panel-few-shot").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("language", "width"), [("en-US", 1280), ("ja-JP", 390)])
def test_what_sounds_alike_and_what_to_label_next_are_tagged_where_they_stand(
    visit, tmp_path: Path, language: str, width: int
):
    page = visit(language=language, width=width)
    give(page, "clips.add", write_labelled(tmp_path, 4, 3.0))
    wait_rows(page, 4)
    more = [tmp_path / "one.wav", tmp_path / "another.wav"]
    for path, kind in zip(more, ("drum", "flute"), strict=True):
        soundfile.write(path, played(kind, 3.0, 700 + len(kind)), RATE)
    give(page, "clips.add", more)
    wait_rows(page, 6)
    page.locator('#panel-clips [data-act="alike.find"]').first.click()
    place = page.locator(".alike li", has_text="one.wav").first
    place.locator('button[data-act="alike.tag"]').first.click()
    row = page.locator("#panel-clips tr[data-key]", has_text="one.wav")
    row.locator(".chip", has_text="drum").wait_for()
    assert place.locator(".chip", has_text="drum").count() == 1
    page.click("[data-undo]")
    row.locator(".chip").wait_for(state="detached")
    page.click('[role="tab"][data-tab="few-shot"]')
    page.click('[data-act="few-shot.build"] >> visible=true')
    asked = page.locator('input[data-act="few-shot.label"]').first
    clip = asked.get_attribute("data-clip")
    asked.fill("sho")
    asked.press("Enter")
    page.locator(f'input[data-act="few-shot.label"][data-clip="{clip}"]').wait_for(state="detached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click('[role="tab"][data-tab="clips"]')
    page.locator("#panel-clips tr[data-key] .chip", has_text="sho").wait_for()


def test_what_was_said_in_one_tab_does_not_stand_over_the_next_and_what_can_be_taken_back_still_can(
    visit, tmp_path: Path
):
    page = visit()
    give(page, "clips.add", write_labelled(tmp_path, 2, 2.0))
    wait_rows(page, 2)
    page.locator('[data-act="clips.remove"] >> visible=true').first.click()
    undo = page.locator(".notice [data-undo]")
    undo.wait_for()
    page.evaluate("mirdemo.act({ act: 'page.stay' })")  # as a page does by itself while it sends files
    page.wait_for_function("!mirdemo.waits()")
    page.click('[data-tab="probe"]')
    page.wait_for_function("!mirdemo.waits()")
    assert undo.is_visible()
    undo.click()
    page.locator(".notice", has_text="Taken back").wait_for()
    page.click('[data-tab="clips"]')
    assert not page.locator(".notice:not(.ending)").count()
    wait_rows(page, 2)


@pytest.mark.parametrize("width", [1280, 390])
def test_who_waits_for_words_in_their_language_sees_the_name_where_it_will_stand(visit, width: int):
    page = visit("evidence", "ja-JP", width)
    where = page.evaluate(
        """() => {
          const { x, y } = document.querySelector(".brand").getBoundingClientRect();
          document.documentElement.classList.add("waiting");
          const { content, left, top } = getComputedStyle(document.documentElement, "::before");
          return [content, [left, top], [`${x}px`, `${y}px`]];
        }"""
    )
    assert where[0] == '"mirdemo"'
    assert where[1] == where[2]


def test_on_a_phone_rules_for_phones_hold_within_gradios_page_and_outside_it(visit):
    page = visit("evidence", "en-US", 390)
    assert page.evaluate("getComputedStyle(document.querySelector('main')).paddingLeft") == "16px"
    assert page.evaluate("getComputedStyle(document.querySelector('.head')).paddingTop") == "14px"


@pytest.mark.parametrize("language", ["en-US", "ja-JP"])
def test_who_reads_by_night_sees_nothing_bright_before_gradios_script_is_here(
    chromium, address: str, language: str
):
    context = chromium.new_context(locale=language, color_scheme="dark")
    page = context.new_page()
    page.route("**/assets/*.js", lambda route: None)  # never
    page.goto(address, wait_until="commit")
    page.wait_for_function("document.body?.classList.contains('dark')")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(19, 19, 22)"
    context.close()


def test_an_answer_is_drawn_after_gradios_work_on_it_and_not_within(visit):
    page = visit("clips")
    answer = '{"turn": 0, "views": {"head": [999999, "<header data-language=en>later</header>"]}}'
    within, waits = page.evaluate(
        """(answer) => {
          mirdemo.heard(answer);
          return [document.getElementById("view-head").textContent === "later", mirdemo.waits()];
        }""",
        answer,
    )
    assert not within
    assert waits
    page.wait_for_function("document.getElementById('view-head').textContent === 'later' && !mirdemo.waits()")
