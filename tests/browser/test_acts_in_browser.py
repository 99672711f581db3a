"""Every act of the page, answered late: its answer stands where one looks, nothing jumps, what is touched is large enough."""

from __future__ import annotations

import pytest
from walking import NARROW, WIDE, Walk

SIZES = [pytest.param("en-US", WIDE, id="1280 en"), pytest.param("ja-JP", NARROW, id="390 ja")]


@pytest.fixture
def walk(visit):
    """``walk(language, size, tab)``: a visitor whose every act is answered late."""

    def begin(language: str, size: dict[str, int], tab: str) -> Walk:
        page = visit(tab, language, size["width"])
        page.set_default_timeout(120_000)
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
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
    assert not w.wrong


WHOLE = "an empty tab gives way to what is there as a whole"
SORTED = "what is sorted trades places"
BROUGHT_BACK = "what comes back takes the place that it had, which the page no longer knows"


def at_festival(w: Walk) -> None:
    row = "#panel-clips tr[data-key]"
    w.step("clips.festival", w.click("[data-act='clips.festival']"), row, until=row, moves=WHOLE)


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_clips(walk, language: str, size: dict[str, int]):
    w = walk(language, size, "evidence")
    w.page.wait_for_selector("#evidence-overview .cell")
    at_festival(w)
    row = "#panel-clips tr[data-key]"
    if size is WIDE:
        w.step("clips.sort", w.click('[data-column="tags"]'), row, moves=SORTED)
    w.step("alike.find", w.click('[data-act="alike.find"]', 1), ".alike", until=".alike-facts")
    w.step("alike.tag", w.click('[data-act="alike.tag"]'), ".alike .chip")
    w.step("alike.close", w.click('[data-act="alike.close"]'), row)
    w.step("clips.untag", w.click('[data-act="clips.untag"]'), row)
    w.step("page.undo", w.click("[data-undo]"), row)
    w.step("clips.tag", w.type('[data-act="clips.tag"]', "loud"), ".chip")
    w.step("clips.recording", w.type('[data-act="clips.recording"]', "r9"), row)
    w.step("clips.pick", w.click('[data-act="clips.pick"]'), ".picked-fields")
    w.step("clips.tag_picked", w.type('[data-act="clips.tag_picked"]', "x"), ".picked-fields")
    w.step("clips.record_picked", w.type('[data-act="clips.record_picked"]', "r1"), ".picked-fields")
    w.step("clips.session_picked", w.type('[data-act="clips.session_picked"]', "s1"), ".picked-fields")
    w.step("clips.part_picked", w.click('[data-act="clips.part_picked"]'), ".picked-fields")
    many = '[data-act="clips.pick_many"]'
    w.step("clips.pick_many", w.click(f'{many}[data-which="all"]'), ".picked-fields")
    w.step("clips.pick_many, none", w.click(f'{many}[data-which="none"]'), ".picking")
    w.step("clips.rename", w.type('[data-act="clips.rename"]', "renamed"), '.tag-facts [data-tag="renamed"]')
    w.step("clips.remove", w.click('[data-act="clips.remove"]'), row)
    assert not w.wrong


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
    assert not w.wrong


@pytest.mark.parametrize(("language", "size"), SIZES)
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
    w.step("few-shot.judge, right", w.click(f'{judge}[data-value="right"]'), ".judge")
    w.step("few-shot.judge, wrong", w.click(f'{judge}[data-value="wrong"]'), ".correct")
    w.step("few-shot.keep", w.click('.correct [type="submit"]'), ".judge")
    honest = '[data-key="found-honest"]'
    w.step(
        "few-shot.build", w.click('[data-key="changed"] [data-act="few-shot.build"]'), honest, until=honest
    )
    w.step("few-shot.layer", w.choose('[data-act="few-shot.layer"]', index=1), ".build")
    w.step("few-shot.whiten", w.click('[data-act="few-shot.whiten"]'), ".build")
    w.step("few-shot.backbone", w.choose('[data-act="few-shot.backbone"]', value="mini-west"), ".build")
    w.step("few-shot.forget", w.click('[data-act="few-shot.forget"]'), ".ask-answer")
    w.go("fine-tune")
    takes = '[data-key="takes"]' if size is WIDE else '[data-key="takes-now"]'
    w.step("fine-tune.backbone", w.choose('[data-act="fine-tune.backbone"]', value="mini-west"), takes)
    w.step("fine-tune.blocks", w.choose('[data-act="fine-tune.blocks"]', index=0), takes)
    w.step("fine-tune.epochs", w.choose('[data-act="fine-tune.epochs"]', index=0), takes)
    assert not w.wrong
