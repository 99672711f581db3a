"""What somebody sees in a real Chromium when the server is killed, the line is cut, a proxy holds back, the browser ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import RATE, give, played, rows, until, visiting, wait_rows
from proxying import Proxy
from serving import Served, begin, end, free_port

JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Six short recordings, drum and flute by turns, and their tags."""
    import soundfile

    lines = ["file,tags,recording"]
    for i in range(6):
        kind = ("drum", "flute")[i % 2]
        soundfile.write(tmp_path / f"{kind} {i}.wav", played(kind, 2, i), RATE)
        lines.append(f"{kind} {i}.wav,{kind},r{i}")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return [*sorted(tmp_path.glob("*.wav")), tmp_path / "labels.csv"]


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Served]:
    """A page that no other test uses, for it will be hurt."""
    one = begin(tmp_path / "mine", port=free_port())
    try:
        yield one.wait()
    finally:
        end(one)


def with_clips(page, recordings: list[Path]) -> None:
    give(page, "clips.add", recordings)
    wait_rows(page, 6)


def train(page, *, long: bool = False) -> None:
    """Begin a training. long: one that goes on for a minute"""
    page.click('[data-tab="fine-tune"]')
    page.click('[data-act="fine-tune.backbone"][data-value="mini-west"]')
    page.locator('[data-act="fine-tune.run"]:not([disabled])').wait_for()
    page.select_option('[data-act="fine-tune.epochs"]', "40" if long else "5")
    page.click('[data-act="fine-tune.run"]')
    page.wait_for_selector('[data-key="under-way"] .progress')


def stop(page) -> None:
    """End the training, unless it has ended by itself meanwhile."""
    page.wait_for_selector('[data-key="under-way"], .tune-result')
    page.evaluate('document.querySelector(\'[data-key="under-way"] [data-act="page.stop"]\')?.click()')
    page.wait_for_selector('[data-key="under-way"]', state="detached")


def sees_nothing_of_gradio(page) -> None:
    """No message of Gradio's is in sight, whatever the page has to say."""
    seen = page.inner_text("body")
    assert page.locator(".toast-body:visible").count() == 0
    assert not re.search(
        r"reconnection|connection (to the server )?(was )?lost|errored|gradio", seen, re.I
    ), seen


def said(page) -> str:
    return page.locator(".notice:visible").last.inner_text()


def begun_anew(one: Served) -> Served:
    """The same page, served again where it was."""
    return begin(one.folder, port=int(one.address.rpartition(":")[2]))


RESTARTED = {"en": "The server was restarted", "ja": "サーバーが再起動しました"}
GOES_ON = "the training goes on|学習は続きます"


def test_a_server_that_is_killed_is_told_of_to_who_trains_and_to_who_has_nothing_and_a_saved_visit_goes_on(
    chromium, mine: Served, recordings, tmp_path: Path
):
    with visiting(chromium, mine.address) as visit:
        idle, acting = visit(), visit()  # who have nothing that could be lost
        pages = {"ja": visit(language="en-US"), "en": visit(language="ja-JP")}  # by what they change to
        for language, page in pages.items():
            with_clips(page, recordings)
            with page.expect_download() as kept:
                page.click('[data-act="visit.save"][data-sound="true"]')
            kept.value.save_as(tmp_path / "visit.zip")
            page.click(f'[data-act="page.language"][data-language="{language}"]')
            page.wait_for_function(f"document.documentElement.lang === '{language}'")
            train(page, long=True)
            assert re.search(GOES_ON, page.inner_text("body"))
        mine.process.kill()
        mine.process.wait(20)
        for language, page in pages.items():
            page.wait_for_selector("#line:visible")
            assert page.locator(".progress button:visible, .progress progress:visible").count() == 0, (
                "nothing says that the training goes on"
            )
            sees_nothing_of_gradio(page)
            assert page.evaluate(
                "getComputedStyle(document.querySelector('.progress'), '::before').content"
            ).strip('"')
            assert not re.search(GOES_ON, page.inner_text("body"))
            if language == "ja":
                assert JAPANESE.search(said(page))
            assert page.locator("#line").bounding_box()["width"] <= 640
        acting.click('[data-act="page.language"][data-language="ja"]')
        acting.wait_for_selector("#line:visible")
        sees_nothing_of_gradio(acting)

        again = begun_anew(mine)
        try:
            again.wait()
            acting.wait_for_selector("#view-foot .notice:not(.refusal):visible")  # some seconds long
            assert "nothing is lost" in said(acting)
            for language, page in pages.items():
                page.wait_for_selector("#view-foot .notice.refusal:visible")
                sees_nothing_of_gradio(page)
                assert RESTARTED[language] in said(page)
                page.locator('.notice a[href="#clips"]').click()
                page.wait_for_selector("#panel-clips.is-open")
                assert rows(page).count() == 0
                give(page, "clips.add", [tmp_path / "visit.zip"])
                wait_rows(page, 6)
                assert page.locator("#line").count() == 0
                page.reload()
                page.wait_for_selector("[data-answered]")
                wait_rows(page, 6)
                assert RESTARTED[language] not in page.inner_text("body"), "it is told once"
            idle.click('[data-act="page.language"][data-language="ja"]')  # nothing told it before
            idle.wait_for_selector("#view-foot .notice:not(.refusal):visible")
            assert "nothing is lost" in said(idle), "nor was what was asked for done"
            idle.click('[data-act="page.language"][data-language="ja"]')
            idle.wait_for_function("document.documentElement.lang === 'ja'")
            sees_nothing_of_gradio(idle)
        finally:
            end(again)


def test_a_line_that_is_cut_in_a_training_comes_back_to_it(chromium, server: Served, recordings):
    with Proxy(server) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit(language="ja-JP")
        with_clips(page, recordings)
        train(page)
        proxy.cut()
        page.wait_for_selector("#line:visible")
        sees_nothing_of_gradio(page)
        assert JAPANESE.search(said(page))
        tried = proxy.refused
        for _ in range(1000):
            if proxy.refused > tried:
                break
            page.wait_for_timeout(20)
        assert proxy.refused > tried, "it tries again"
        assert page.locator("#line:visible").count() == 1, "as long as there is no line"
        proxy.mend()
        page.wait_for_selector("#view-foot .notice:not(.refusal):visible")
        assert "接続が戻りました" in said(page)
        page.set_default_timeout(120_000)
        page.wait_for_selector(".tune-result")
        page.click('[data-tab="clips"]')
        wait_rows(page, 6)


def test_what_was_clicked_while_the_line_was_cut_is_seen_when_it_is_back(
    chromium, server: Served, recordings
):
    with Proxy(server) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit()
        with_clips(page, recordings)
        until(page, "!mirdemo.waits()")
        proxy.cut()
        page.locator('#panel-clips [data-act="clips.remove"]').first.click()
        page.wait_for_selector("#line:visible")
        proxy.mend()
        wait_rows(page, 5)


def test_a_line_that_is_cut_again_and_again_loads_nothing_anew_and_does_nothing_twice(
    chromium, server: Served, recordings
):
    with Proxy(server) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit()
        with_clips(page, recordings)
        page.evaluate("window.sameSinceThen = true")
        train(page, long=True)
        for left in (5, 4, 3):
            proxy.cut()  # the training's news, the heartbeat, and whatever else is open
            page.click('[data-tab="clips"]')  # meanwhile nothing arrives
            page.locator('#panel-clips [data-act="clips.remove"]').first.click()
            proxy.mend()
            wait_rows(page, left)
        sees_nothing_of_gradio(page)
        proxy.cut()
        page.locator('#panel-clips [data-act="clips.remove"]').first.click()
        page.wait_for_selector("#line:visible")
        proxy.mend()
        page.wait_for_selector("#line", state="detached")
        wait_rows(page, 2)
        page.click('[data-tab="fine-tune"]')
        stop(page)
        assert page.evaluate("window.sameSinceThen") is True, "the page was loaded anew"


#: Notes in ``looked`` when the page asks for news, and in ``arrived`` when anything comes, milliseconds since its beginning.
NOTED = """
window.looked = [];
window.arrived = [];
const { fetch } = window;
window.fetch = (where, how) => {
  if (typeof how?.body === "string" && how.body.includes('"page.look"')) looked.push(performance.now());
  return fetch(where, how);
};
const { read } = ReadableStreamDefaultReader.prototype;
ReadableStreamDefaultReader.prototype.read = async function () {
  const part = await read.call(this);
  if (part.value?.length) arrived.push(performance.now());
  return part;
};
"""


def test_a_page_that_is_told_how_far_a_step_is_does_not_take_its_line_for_silent(visit, recordings):
    """However slow the step: it asks no sooner than three seconds (line.js, SILENT) after anything came."""
    page = visit()
    page.add_init_script(NOTED)
    page.reload()
    page.wait_for_selector("[data-answered]")
    with_clips(page, recordings)
    train(page, long=True)
    page.evaluate("looked.length = 0")
    page.wait_for_selector('[data-key="live"] [data-chart]')
    page.wait_for_timeout(5000)
    assert page.locator('[data-key="under-way"]').count(), "it has ended before it could be seen"
    looked, arrived = page.evaluate("[looked, arrived]")
    stop(page)
    assert arrived
    for at in looked[:1]:  # from then on it asks as often as the server tells it to
        assert not [when for when in arrived if 20 < at - when < 2900], "something had just come"


#: The silence after which a page asks again (page.js, MOST_SILENCE) is a minute: an answer that needs it is waited for in vain.
LONG_SILENCE = """
const timed = window.setTimeout;
window.setTimeout = (what, after, ...more) => timed(what, after === 8000 ? 60000 : after, ...more);
"""


@pytest.mark.parametrize("when", ["at rest", "in a training"])
def test_a_line_that_dies_without_a_word_is_given_up_for_another_and_nothing_is_done_twice(
    chromium, server: Served, recordings, when: str
):
    """Browsers wait for such a line for minutes."""
    with Proxy(server) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit()
        page.add_init_script(LONG_SILENCE)
        page.reload()
        page.wait_for_selector("[data-answered]")
        with_clips(page, recordings)
        page.evaluate("window.sameSinceThen = true")
        if when == "in a training":
            train(page, long=True)
            page.click('[data-tab="clips"]')
        until(page, "!mirdemo.waits()")
        proxy.die()
        page.locator('#panel-clips [data-act="clips.remove"]').first.click()
        wait_rows(page, 5)
        page.locator('#panel-clips [data-act="clips.remove"]').first.click()
        wait_rows(page, 4)
        if when == "in a training":
            page.click('[data-tab="fine-tune"]')
            stop(page)
        sees_nothing_of_gradio(page)
        assert page.evaluate("window.sameSinceThen") is True, "the page was loaded anew"


def test_a_sound_that_cannot_be_played_is_told_and_hides_nothing_that_is_said_of_the_line(
    chromium, server: Served, recordings
):
    with Proxy(server) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit()
        with_clips(page, recordings)
        page.route("**/listen/**", lambda asked: asked.fulfill(status=429))
        rows(page).first.locator("[data-play]").click()
        page.locator("#line", has_text="could not be played").wait_for()
        proxy.cut()
        page.locator('#panel-clips [data-act="clips.remove"]').first.click()
        page.locator("#line", has_text="does not answer").wait_for()
        page.evaluate("""() => new Promise((done) => {
            mirdemo.sound.addEventListener("error", done, { once: true });
            document.querySelector("#panel-clips .player [data-play]").click();
        })""")
        assert "does not answer" in page.inner_text("#line")


#: Holds the end of the stream of answers back until ``letGo()``, as a busy machine may.
HELD_END = (
    LONG_SILENCE
    + """
const fetched = window.fetch;
const gone = new Promise((go) => { window.letGo = go; });
window.fetch = async (what, how) => {
  const answer = await fetched(what, how);
  if (!String(what?.url ?? what).includes("/queue/data?")) return answer;
  const held = new TransformStream({
    async transform(part, out) {
      const text = new TextDecoder("latin1").decode(part); // a sign a byte
      const end = text.indexOf("close_stream");
      if (end < 0) return out.enqueue(part);
      const from = text.lastIndexOf("\\n\\n", end) < 0 ? 0 : text.lastIndexOf("\\n\\n", end) + 2; // an answer may come in one piece with the end
      if (from) out.enqueue(part.subarray(0, from));
      window.atEnd = true;
      await gone;
      out.enqueue(part.subarray(from));
    },
  });
  return new Response(answer.body.pipeThrough(held), { headers: answer.headers });
};
"""
)


def test_an_act_that_comes_while_the_stream_of_answers_ends_or_before_any_is_answered_at_once(visit):
    page = visit()
    page.add_init_script(HELD_END)
    page.reload()
    until(page, "window.atEnd === true")
    page.wait_for_selector("[data-answered]")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data) if "/queue/join" in one.url else None)
    with page.expect_response("**/queue/join**"):
        page.click('[data-act="page.language"][data-language="ja"]')
    page.evaluate("letGo()")
    page.wait_for_function("document.documentElement.lang === 'ja'")
    assert not any('"page.look"' in one for one in sent), "it was asked for again, after a silence"
    with page.expect_request(lambda one: '"page.look"' in (one.post_data or "")):
        page.evaluate('mirdemo.heard(\'{"look": 1, "views": {}}\')')
        page.evaluate('mirdemo.heard(\'{"after": 0, "views": {}}\')')  # an earlier act's, held back until now

    held: list = []
    page.route(
        "**/queue/join**",
        lambda asked: held.append(asked) if "page.hello" in asked.request.post_data else asked.continue_(),
    )
    page.reload()
    page.wait_for_selector("#panel-clips.is-open")
    page.evaluate("window.sameSinceThen = true")
    page.click('[data-tab="plan"]')
    while not held:
        page.wait_for_timeout(20)
    page.evaluate('mirdemo.heard(\'{"look": 0.1, "views": {}}\')')  # it asks, as after a silence
    page.wait_for_timeout(500)  # for what the server would say to a page that it does not know
    held[0].continue_()
    page.evaluate("letGo()")
    page.wait_for_selector("#panel-plan.is-open h2")
    assert page.evaluate("window.sameSinceThen") is True, "the page was loaded anew"


def test_behind_a_proxy_that_holds_events_back_a_training_is_seen_and_other_acts_are_answered(
    chromium, server: Served, recordings
):
    with Proxy(server, holds=True) as proxy, visiting(chromium, proxy.address) as visit:
        page = visit()
        with_clips(page, recordings)
        train(page, long=True)
        page.set_default_timeout(120_000)
        page.wait_for_function(
            "() => { const bar = document.querySelector('.progress progress'); return bar && bar.value > 0; }"
        )
        page.click('[data-tab="clips"]')
        page.click('[data-act="page.language"][data-language="ja"]')
        page.wait_for_function("document.documentElement.lang === 'ja'")
        page.click('[data-tab="fine-tune"]')
        stop(page)
        sees_nothing_of_gradio(page)


def test_a_browser_that_ends_in_a_training_finds_its_result_when_it_is_restored(
    chromium, server: Served, recordings
):
    with visiting(chromium, server.address) as visit:
        page = visit(elsewhere=True)
        with_clips(page, recordings)
        train(page)
        token = page.evaluate("sessionStorage.getItem('mirdemo')")
        page.close()
        other = visit(elsewhere=True)
        assert rows(other).count() == 0, "another tab is another visitor"
        restored = visit(elsewhere=True)  # what browsers restore is the tab's own store
        restored.evaluate("token => sessionStorage.setItem('mirdemo', token)", token)
        restored.reload()
        restored.wait_for_selector("[data-answered]")
        wait_rows(restored, 6)
        restored.set_default_timeout(120_000)
        restored.click('[data-tab="fine-tune"]')
        restored.wait_for_selector(".tune-result")
        assert restored.locator(".notice:visible").count() == 0
