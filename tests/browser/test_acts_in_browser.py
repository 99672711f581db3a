"""Every act of the page: its answer stands where one looks, nothing jumps when it comes, the focus stays at hand, what is
touched is large enough."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from driving import PERFORMANCES, RATE, cut_up, give, played, visiting, write_labelled
from looking import STILL
from serving import served
from test_panel_walk_in_browser import CHANCE, CLIPS, answer_all, begin
from walking import NARROW, WIDE, Walk
from wired import whole_page

SIZES = [pytest.param("en-US", WIDE, id="1280 en"), pytest.param("ja-JP", NARROW, id="390 ja")]
#: Of the longest walks, half a minute to a minute each: where things go out of sight first.
NARROWEST = SIZES[1:]

CLAP = "asks a CLAP, of which the suite has no weights; tests/web/test_probe_tab.py draws what it answers"
HUB = "goes to the Hub, where no test goes"
#: Acts that no walk here has a step of, and why.
NOT_WALKED = {
    "page.stay": "being heard of is all; test_visit_in_browser.py sees the warning go",
    "page.unsend": "no hand does it: a drop was stopped; test_sending_in_browser.py sees what is left",
    "page.look": "no hand does it: a page behind a proxy asks for news",
    "probe.vocabulary": CLAP,
    "probe.template": CLAP,
    "probe.form": CLAP,
    "probe.prompt": CLAP,
    "probe.ask": CLAP,
    "few-shot.push": HUB,
    "fine-tune.push": HUB,
    "tagger.fetch": HUB,
}


def test_every_act_is_walked_or_stands_in_the_list_with_its_reason():
    walks = "".join(one.read_text(encoding="utf-8") for one in Path(__file__).parent.glob("test_*.py"))
    steps = set(re.findall(r'w\.step\(\s*"([a-z.\-_]+)', walks))
    acts = set(whole_page()._handlers)
    assert steps | NOT_WALKED.keys() >= acts, f"no walk does {sorted(acts - steps - NOT_WALKED.keys())}"
    assert not steps & NOT_WALKED.keys()
    assert acts >= steps | NOT_WALKED.keys() - {"page.look"}


@pytest.fixture
def walk(visit):
    """``walk(language, size, tab)``: a visitor whose every act is looked at."""

    def begin(language: str, size: dict[str, int], tab: str) -> Walk:
        page = visit(tab, language, size["width"])
        page.set_default_timeout(120_000)
        page.set_viewport_size(size)
        page.evaluate(STILL)
        return Walk(page)

    return begin


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_evidence(walk, language: str, size: dict[str, int]):
    w = walk(language, size, "evidence")
    page = w.page
    page.wait_for_selector("#evidence-overview .cell")
    w.unfold(".choosing")
    metric, corpora = '[data-filter="metric"]', '[data-filter="corpora"]'
    w.step("evidence.choose", w.choose(metric, value="map"), ".in-sight")
    w.step("evidence.choose", w.choose(corpora, value="makam"), ".in-sight")
    w.step("evidence.reset", w.click('[data-act="evidence.reset"]'), ".in-sight")
    w.step("evidence.list", w.click('[data-act="evidence.list"]'), ".tag-list tbody button")
    w.step("evidence.tag", w.click(".tag-list tbody button"), ".opened h3")
    w.step("evidence.tag, another", w.click(".tag-list tbody button", 3), ".opened h3")
    w.step("evidence.tag, none", w.click('.opened [data-act="evidence.tag"]'), ".tags-listed")
    w.step("evidence.list, none", w.click('[data-act="evidence.list"]'), '[data-act="evidence.list"]')
    w.step("page.address", page.go_back, ".opened h3")
    cell = page.locator("#evidence-overview .cell").nth(40)
    cell.scroll_into_view_if_needed()
    cell.click()
    w.axe("a card", "#card")
    page.keyboard.press("Escape")
    page.locator("#evidence-overview .term >> visible=true").first.click()
    page.locator("#term-card").wait_for()
    w.axe("a term's sentence", "#term-card, .term[aria-describedby]")
    page.keyboard.press("Escape")
    w.step("page.language", w.click('[data-act="page.language"][aria-pressed="false"]'), "h1", moves=WORDS)
    w.ends()


WHOLE = "an empty tab gives way to what is there as a whole"
WORDS = "other words have other lengths"
GROWS = "the page grows at its end, where nothing but its foot stands"
ANOTHER = "what is said of another backbone has another length"
NO_PLAN = "the plan was made of the labels as they were before, and goes"
SORTED = "what is sorted trades places"
BROUGHT_BACK = "what comes back takes the place that it had, which the page no longer knows"


BESIDE = """() => { const [words, close] = [".notice p", ".notice [data-dismiss]"].map((one) => document.querySelector(one).getBoundingClientRect());
  return close.left >= words.right && close.top < words.bottom && close.bottom > words.top; }"""


def at_festival(w: Walk) -> None:
    row = "#panel-clips tr[data-key]"
    w.step("clips.festival", w.click("[data-act='clips.festival']"), row, until=row, moves=WHOLE)


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_clips(walk, language: str, size: dict[str, int]):
    w = walk(language, size, "evidence")
    w.page.wait_for_selector("#evidence-overview .cell")
    at_festival(w)
    page, row = w.page, "#panel-clips tr[data-key]"
    if size is WIDE:
        w.step("clips.sort", w.click('[data-column="tags"]'), row, moves=SORTED)
    w.step("alike.find", w.click('[data-act="alike.find"]', 1), ".alike", until=".alike-facts")
    w.step("alike.tag", w.click('button[data-act="alike.tag"]'), ".alike .chip")
    w.step("alike.close", w.click('[data-act="alike.close"]'), "")
    w.step("clips.untag", w.click('[data-act="clips.untag"]'), row)
    w.step("page.undo", w.click("[data-undo]"), row)
    w.step("clips.tag", w.type('[data-act="clips.tag"]', "loud"), ".chip")
    w.step("clips.recording", w.type('[data-act="clips.recording"]', "r9"), row)
    w.step("clips.pick", w.click('[data-act="clips.pick"]'), ".picked-fields")
    w.step("clips.tag_picked", w.type('[data-act="clips.tag_picked"]', "x"), ".picked-fields")
    w.step("clips.record_picked", w.type('[data-act="clips.record_picked"]', "r1"), ".picked-fields")
    w.step("clips.session_picked", w.type('[data-act="clips.session_picked"]', "s1"), ".picked-fields")
    w.step("clips.part_picked", w.click('[data-act="clips.part_picked"]'), ".picked-fields")
    fourth = page.locator('[data-act="clips.pick"] >> visible=true').nth(3)
    w.step("clips.pick_range", lambda: fourth.click(modifiers=["Shift"]), ".picked-fields")
    w.step("clips.remove_picked", w.click('[data-act="clips.remove_picked"]'), ".notice")
    assert page.evaluate(BESIDE), "what closes a notice stands beside its words"
    w.step("page.undo", w.click("[data-undo]"), ".notice", moves=BROUGHT_BACK)
    many = '[data-act="clips.pick_many"]'
    w.step("clips.pick_many", w.click(f'{many}[data-which="all"]'), ".picked-fields")
    w.step("clips.pick_many, none", w.click(f'{many}[data-which="none"]'), ".picking")
    w.step("clips.rename", w.type('[data-act="clips.rename"]', "renamed"), '.tag-facts [data-tag="renamed"]')
    w.step("clips.remove", w.click('[data-act="clips.remove"]'), row)
    w.ends()


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_probe_and_plan(walk, language: str, size: dict[str, int]):
    w = walk(language, size, "clips")
    at_festival(w)
    w.go("probe")
    answer = "#panel-probe [data-result] h2"
    protocol, run = '[data-act="probe.protocol"]', '[data-act="probe.run"]'
    w.step("probe.protocol", w.choose(protocol, index=1), run)
    w.step("probe.protocol", w.choose(protocol, index=0), run)
    w.step("probe.run", w.click(run), answer, until="[data-result]")
    w.step("probe.backbone", w.choose('[data-act="probe.backbone"]', value="mini-west"), run)
    w.step("probe.whiten", w.click('[data-act="probe.whiten"]'), run)
    second = '#panel-probe [data-result] [data-run^="mini-west"]'
    w.step("probe.run, second", w.click(run), answer, until=second)
    w.step("probe.metric", w.choose('[data-act="probe.metric"]', index=1), ".probe-rows")
    w.step("probe.drop", w.click('[data-act="probe.drop"]', 1), ".probe-rows")
    w.step("page.undo", w.click("[data-undo]"), ".probe-rows", moves=BROUGHT_BACK)
    w.step("probe.mistakes", w.choose('[data-act="probe.mistakes"]', index=1), ".mistake-facts")
    if size is WIDE:
        column = '[data-act="probe.sort"][data-column="figure"]'
        w.step("probe.sort", w.click(column), ".figure-table", moves=SORTED)
    else:
        w.step(
            "probe.sort_by", w.choose('[data-act="probe.sort_by"]', index=2), ".figure-table tr", moves=SORTED
        )
    w.go("plan")
    w.step("plan.assume", w.type('[data-act="plan.assume"]', "3"), ".in-sight")
    w.step("plan.currency", w.choose('[data-act="plan.currency"]', index=1), ".in-sight")
    w.step("plan.reset", w.click('[data-act="plan.reset"]'), ".in-sight")
    w.ends()


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_few_shot(walk, language: str, size: dict[str, int]):
    w = walk(language, size, "clips")
    at_festival(w)
    w.go("few-shot")
    example, judge = '[data-act="few-shot.example"]', '[data-act="few-shot.judge"]'
    w.step("few-shot.example", w.click(example, 2), "[data-answer]", until="[data-answer]")
    w.step("alike.find", w.click('[data-act="alike.find"]'), ".alike", until=".alike-facts")
    w.step("alike.close", w.click('[data-act="alike.close"]'), '[data-act="alike.find"]')
    curve, chart = '[data-act="few-shot.curve"]', '[data-key="curve"] .chart'
    w.step("few-shot.curve", w.click(curve), chart, until=chart)
    w.unfold("#few-shot-more")
    layers, chart = (
        '[data-key="found-layers"] [data-act="few-shot.layers"]',
        '[data-key="found-layers"] .chart',
    )
    w.step("few-shot.layers", w.click(layers), chart, until=chart)
    w.contrast("the map, the learning curve and the layers")
    use = '[data-act="few-shot.listen"]'
    w.step(
        "few-shot.listen",
        w.click(use),
        '[data-key="found-layers"] h2',
        until='[data-key="found-layers"]',
        moves=ANOTHER,
    )
    w.step("few-shot.example", w.click(example, 2), "[data-answer]", until=f"{judge}")
    w.step("few-shot.judge, right", w.click(f'{judge}[data-value="right"]'), ".judge")
    w.step("few-shot.judge, wrong", w.click(f'{judge}[data-value="wrong"]'), ".correct")
    w.step("few-shot.keep", w.click('.correct [type="submit"]'), ".judge")
    honest = '[data-key="found-honest"]'
    w.step(
        "few-shot.build", w.click('[data-key="changed"] [data-act="few-shot.build"]'), honest, until=honest
    )
    w.step("few-shot.layer", w.choose('[data-act="few-shot.layer"]'), ".build")
    w.step("few-shot.whiten", w.click('[data-act="few-shot.whiten"]'), ".build")
    w.step("few-shot.backbone", w.choose('[data-act="few-shot.backbone"]', value="mini-west"), ".build")
    w.step("few-shot.forget", w.click('[data-act="few-shot.forget"]'), ".ask-answer")
    w.go("fine-tune")
    takes = '[data-key="takes-now"]'
    w.step("fine-tune.backbone", w.choose('[data-act="fine-tune.backbone"]', value="mini-west"), takes)
    w.step("fine-tune.blocks", w.choose('[data-act="fine-tune.blocks"]', index=0), takes)
    w.step("fine-tune.epochs", w.choose('[data-act="fine-tune.epochs"]', index=0), takes)
    w.ends()


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_fine_tuning(walk, language: str, size: dict[str, int], tmp_path: Path):
    w = walk(language, size, "clips")
    page, row = w.page, "#panel-clips tr[data-key]"
    sheet = write_labelled(tmp_path, 4, 1.0)
    w.step("clips.add", lambda: give(page, "clips.add", sheet), row, until=row, moves=WHOLE)
    w.go("fine-tune")
    way, run = '[data-key="under-way"]', '[data-act="fine-tune.run"]'
    takes = '[data-key="takes-now"]'
    mini = w.click('button[data-act="fine-tune.backbone"][data-value="mini-west"]')
    w.step(
        "fine-tune.backbone", mini, takes, until='[data-key="takes"] .next-line'
    )  # how long it takes is found out
    w.unfold('[data-key="prices"]')
    w.step("fine-tune.price", w.type('[data-act="fine-tune.price"]', "2"), '[data-act="fine-tune.price"]')
    w.choose('[data-act="fine-tune.epochs"]', index=-1)()  # it goes on while it is looked at
    w.answered()
    w.step("fine-tune.run", w.click(run), way)
    w.axe("while a training runs")
    w.step("page.stop", w.click(f'{way} [data-act="page.stop"]'), takes, until=run)
    w.choose('[data-act="fine-tune.epochs"]', index=0)()
    w.answered()
    w.step("fine-tune.run", w.click(run), ".verdict-line", until=".tune-result")
    page.evaluate("for (const fold of document.querySelectorAll('.is-open details')) fold.open = true")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(300)
    w.axe("after fine-tuning")
    w.contrast("after fine-tuning")
    w.go("clips")
    w.step("clips.untag", w.click('[data-act="clips.untag"]'), row)
    w.step("page.undo", w.click("[data-undo]"), row)
    w.step("clips.tag", w.type('[data-act="clips.tag"]', "loud"), ".chip")
    w.go("fine-tune")
    w.step("fine-tune.again", w.click('[data-act="fine-tune.again"]'), way)
    page.evaluate(f"document.querySelector('{way} [data-act=\"page.stop\"]')?.click()")  # or it has ended
    w.ends()


def listen(page) -> None:
    """Somebody answers the whole panel on the page."""
    page.click("[data-listen]")
    frame = page.frame_locator(".listening iframe")
    begin(frame, "Aki")
    answer_all(frame, lambda tag: "wrong" if tag == "slow" else "right")
    frame.locator("[data-hand-in]").click()
    frame.locator("[data-handed]").wait_for()
    frame.locator("[data-close]").click()


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_panel(walk, language: str, size: dict[str, int], tmp_path: Path):
    w = walk(language, size, "clips")
    page, row = w.page, "#panel-clips tr[data-key]"
    give(page, "clips.add", write_labelled(tmp_path, 8, 2.0, CHANCE))
    page.locator(row).nth(7).wait_for()
    w.go("probe")
    w.step("probe.run", w.click('[data-act="probe.run"]'), "[data-result] h2", until="[data-result]")
    w.go("clips")
    w.step("clips.untag", w.click('[data-act="clips.untag"]'), row)
    w.unfold('[data-key="asked"]')
    w.step("clips.together", w.click('[data-act="clips.together"]'), "")
    w.go("probe")
    w.step("probe.again", w.click('[data-act="probe.again"]'), "[data-result] h2", until="[data-result]")
    w.go("evidence")
    w.unfold(".choosing")
    w.step("evidence.lay_over", w.click('[data-act="evidence.lay_over"]'), ".in-sight")
    w.go("plan")
    page.locator("[data-advice]").wait_for()
    w.unfold('[data-key="panel-new-fold"]')
    new = tmp_path / "new.wav"
    soundfile.write(new, played("drum", 3, 60), RATE)
    asked = '[data-key="panel-new"]'
    w.step("panel.new", lambda: give(page, "panel.new", [new]), asked, until=asked)
    w.step("panel.drop_new", w.click('[data-act="panel.drop_new"]'), '[data-key="panel-labelled"]')
    w.step("panel.choose", w.type('[data-what="most"]', str(CLIPS)), '[data-act="panel.make"]')
    made = '[data-key="panel-made"]'
    w.step("panel.make", w.click('[data-act="panel.make"]'), made, until=made)
    w.axe("a listening panel")
    w.step(
        "panel.answers",
        lambda: listen(page),
        '[data-key="panel-found"]',
        until='[data-key="panel-found"]',
        moves=GROWS,
    )
    w.step("panel.remove", w.click('[data-act="panel.remove"]'), '[data-act="panel.undo"]')
    w.step("panel.undo", w.click('[data-act="panel.undo"]'), '[data-key="panel-found"]', moves=BROUGHT_BACK)
    w.step("panel.label", w.click('[data-act="panel.label"]'), ".notice", moves=NO_PLAN)
    w.ends()


def mark(page) -> None:
    """A span by its times, with nothing above the fields in sight."""
    page.evaluate("document.querySelector('.long-span').scrollIntoView({ behavior: 'instant' })")
    for name, text in (("start", "0:40"), ("end", "0:45"), ("value", "drum")):
        page.fill(f".long-span [name={name}]", text)
    page.click(".long-span [type=submit]")


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_long_recordings_visits_and_taggers(walk, language: str, size: dict[str, int], tmp_path: Path):
    w = walk(language, size, "clips")
    page, row = w.page, "#panel-clips tr[data-key]"
    give(page, "clips.add", write_labelled(tmp_path, 4, 3.0))
    page.locator(row).nth(3).wait_for()
    parade = tmp_path / "parade.wav"
    soundfile.write(parade, np.concatenate([played("flute", 32, 8), played("drum", 35, 9)]), RATE)
    give(page, "clips.add", [parade])
    page.locator(row).nth(4).wait_for()
    w.go("few-shot")
    given = ".answer.latest"
    query = tmp_path / "drum0.wav"
    w.step("few-shot.query", lambda: give(page, "few-shot.query", [query]), given, until=given)
    w.step("few-shot.label", w.type('[data-act="few-shot.label"]', "drum"), "")
    w.go("clips")
    long = ".long[data-long]"
    w.step("long.open", w.click('[data-act="long.open"]'), long, until=long)
    page.set_viewport_size(WIDE)  # lower than a phone: the waveform goes out of sight above its fields
    w.step("long.span", lambda: mark(page), ".long-view")
    page.set_viewport_size(size)
    w.unfold(".long-cut")
    pieces = ".long-pieces"
    w.step("long.cut", w.click('[data-how="even"] [type=submit]'), pieces, until=pieces)
    w.step("long.drop_pieces", w.click('[data-act="long.drop_pieces"]'), ".long-cut")
    w.step("page.undo", w.click("[data-undo]"), pieces, moves=BROUGHT_BACK)
    w.step("long.take_pieces", w.click(f"{pieces} [type=submit]"), ".long-cut")
    w.step("page.undo", w.click("[data-undo]"), pieces, moves=BROUGHT_BACK)
    answer = ".long-answer"
    w.step("few-shot.long", w.click('[data-act="few-shot.long"]'), answer, until=answer)
    w.step("few-shot.forget_long", w.click('[data-act="few-shot.forget_long"]'), "")
    w.step("tagger.use", w.click('[data-act="tagger.use"]'), ".tagger-card", until=".tagger-card")
    files = '[data-drop="tagger.files"]'
    page.locator(files).wait_for()
    w.step("tagger.files", lambda: give(page, "tagger.files", [parade]), ".sheet-done", until=".sheet-table")
    w.step("tagger.clear", w.click('[data-act="tagger.clear"]'), files)
    w.step("tagger.forget", w.click('[data-act="tagger.forget"]'), "#own-tagger h2")
    w.go("clips")
    with page.expect_download() as saved:
        w.step("visit.save", w.click('[data-act="visit.save"]'), ".ready", until=".ready")
    saved.value.save_as(kept := tmp_path / "visit.zip")
    w.step("long.close", w.click('[data-act="long.close"]'), row)
    w.step("clips.clear", w.click('[data-act="clips.clear"]'), ".notice", moves=WHOLE)
    w.step("page.undo", w.click("[data-undo]"), row, moves=BROUGHT_BACK)
    give(page, "clips.add", [kept])
    page.locator(".long-expected").wait_for()
    w.step("long.forget", w.click('[data-act="long.forget"]'), ".notice")
    w.ends()


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_which_clips_are_of_one_recording(walk, language: str, size: dict[str, int], tmp_path: Path):
    w = walk(language, size, "clips")
    page = w.page
    cut_up(tmp_path, 3)
    for i in range(4):
        soundfile.write(tmp_path / f"{'ab'[i // 2]}-{i % 2 + 1}.wav", played("drum", 2 + i / 4, i), RATE)
    give(page, "clips.add", sorted(tmp_path.iterdir()))
    asked, named = '[data-key="asked"]', '[data-key="named"]'
    page.locator(asked).wait_for()
    part = '[data-act="clips.part"]'
    assert page.locator(part).count() == 2
    w.step("clips.part", w.click(part), named)
    w.step("page.undo", w.click("[data-undo]"), named, moves=BROUGHT_BACK)
    w.unfold(asked)
    group, no, every = f"{asked} li[data-key^=asked-]", '[data-act="clips.different"]', ".buttons.all"
    assert (groups := page.locator(group).count()) >= len(PERFORMANCES)
    w.step("clips.together", w.click('[data-act="clips.together"]'), group)
    assert page.locator(group).count() == groups - 1
    w.step("page.undo", w.click("[data-undo]"), group, moves=BROUGHT_BACK)
    w.step("clips.different", w.click(no), group)
    assert page.locator(group).count() == groups - 1
    w.step("page.undo", w.click("[data-undo]"), group, moves=BROUGHT_BACK)
    w.step("clips.different, all", w.click(f'{every} [data-all="true"]'), ".notice")
    assert not page.locator(group).count()
    w.step("page.undo", w.click("[data-undo]"), asked, moves=BROUGHT_BACK)
    w.unfold(asked)
    w.step("clips.all_together", w.click('[data-act="clips.all_together"]'), ".notice")
    w.step("page.undo", w.click("[data-undo]"), asked, moves=BROUGHT_BACK)
    w.ends()


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_parts_of_nobody_knows_what(walk, language: str, size: dict[str, int], tmp_path: Path):
    w = walk(language, size, "clips")
    page = w.page
    for i in range(4):
        soundfile.write(tmp_path / f"part{i + 1}.wav", played("drum", 2 + i / 4, i), RATE)
    give(page, "clips.add", sorted(tmp_path.iterdir()))
    pieces = '[data-key="pieces"]'
    page.locator(pieces).wait_for()
    for value in ("each", "one"):
        button = f'{pieces} [data-act="clips.pieces"][data-value="{value}"]'
        w.step("clips.pieces", w.click(button), ".notice")
        assert not page.locator(pieces).count()
        w.step("page.undo", w.click("[data-undo]"), pieces, moves=BROUGHT_BACK)
    w.ends()


@pytest.fixture
def new_server(chromium, tmp_path: Path):
    """``walk`` on a server that has never timed anything yet."""
    with served(tmp_path / "server") as page, visiting(chromium, page.address) as visit:

        def begin(language: str, size: dict[str, int]) -> Walk:
            opened = visit("clips", language, size["width"])
            opened.set_default_timeout(120_000)
            opened.set_viewport_size(size)
            return Walk(opened)

        yield begin


@pytest.mark.parametrize(("language", "size"), NARROWEST)
def test_what_was_left_for_later(new_server, language: str, size: dict[str, int], tmp_path: Path):
    w = new_server(language, size)
    page, row = w.page, "#panel-clips tr[data-key]"
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    give(page, "clips.add", write_labelled(sounds, 12, 2.0))
    page.locator(row).nth(11).wait_for()
    parade = sounds / "parade.wav"
    soundfile.write(parade, np.concatenate([played("flute", 32, 8), played("drum", 35, 9)]), RATE)
    give(page, "clips.add", [parade])
    page.locator(row).nth(12).wait_for()
    w.click('[data-act="long.open"]')()
    page.locator(".long[data-long]").wait_for()
    more = '[data-act="alike.more"]'
    w.step("alike.find", w.click('[data-act="alike.find"]'), ".alike", until=".alike-facts")
    if page.locator(more).count():  # else it is known by now to take a moment, and was heard at once
        w.step("alike.more", w.click(more), ".alike-head", until=".alike-more:not(:has(*))")
    w.step("alike.close", w.click('[data-act="alike.close"]'), "")

    w.go("few-shot")
    w.click('[data-act="few-shot.build"]')()
    w.click('[data-act="tagger.use"]')()
    page.locator('[data-drop="tagger.files"]').wait_for()
    longer = np.tile(played("drum", 20, 3), 6)
    many = [sounds / f"{i}.wav" for i in range(24)]
    for i, one in enumerate(many):
        soundfile.write(one, longer * (1 - i / 100), RATE)
    stop, waits = '#own-tagger [data-act="page.stop"]', '[data-key="tagger-waits"]'
    w.step("tagger.files", lambda: give(page, "tagger.files", many), stop, until=stop)
    w.step("page.stop", w.click(stop), waits, until=waits)
    w.step("tagger.go_on", w.click('[data-act="tagger.go_on"]'), stop, until=stop)
    page.locator(waits).wait_for(state="detached")
    w.click(stop)()

    w.go("clips")
    with page.expect_download() as saved:
        page.click('[data-act="visit.save"][data-sound="false"]')
    saved.value.save_as(kept := tmp_path / "visit.zip")
    w.step("clips.clear", w.click('[data-act="clips.clear"]'), ".notice", moves=WHOLE)
    give(page, "clips.add", [kept])
    page.locator(".waiting-visit").wait_for()
    give(page, "clips.add", sorted(sounds.glob("drum*.wav")))
    go_on = '[data-act="visit.go_on"]'
    w.step("visit.go_on", w.click(go_on), row, until=row, moves=WHOLE)
    w.ends()
