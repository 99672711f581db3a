"""A visitor's state: found by its token only, kept over a reload, gone after the visit."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from waiting import PATIENCE
from wired import whole_page

from mirdemo.backbones.spec import Identity
from mirdemo.base.sentences import Sentence
from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.limits import CLIP_LIMITS, WebLimits
from mirdemo.web.frame.player import Sounds, byte_range, waveform
from mirdemo.web.frame.session import FIRST_PATIENCE, Shown, Visitor, Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.models import Memory
from mirdemo.web.page import TABS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock: Clock) -> Visitors:
    return Visitors(WebLimits(idle_seconds=100, closed_seconds=10), clock)


def clip(seed: int = 0, seconds: float = 0.5, rate: int = 8000) -> Clip:
    noise = np.random.default_rng(seed).standard_normal(int(seconds * rate)) * 0.1
    return Clip.of(noise.astype(np.float32), rate, f"clip {seed}.wav")


def labelled(*clips: Clip) -> LabelledClips:
    return LabelledClips.from_clips(clips, [("a",)] * len(clips), limits=CLIP_LIMITS)


def test_a_token_finds_its_visitor_and_anything_else_a_new_one(visitors: Visitors):
    first = visitors.arrive(None, "page-1")
    assert visitors.arrive(first.token, "page-2") is first
    assert visitors.get(first.token) is first
    for stranger in (None, "", "guess", first.token[:-1], 7, ["x"]):
        assert visitors.arrive(stranger, "page-3") is not first
        with pytest.raises(PageError):
            visitors.get(stranger)


def test_tokens_and_sound_keys_are_long_and_differ(visitors: Visitors):
    everyone = [visitors.arrive(None, str(i)) for i in range(50)]
    secrets = {visitor.token for visitor in everyone} | {visitor.sounds.key for visitor in everyone}
    assert len(secrets) == 100
    assert min(map(len, secrets)) >= 40


def test_a_reload_keeps_and_a_closed_page_forgets(visitors: Visitors, clock: Clock):
    visitor = visitors.arrive(None, "page-1")
    visitor.hold(labelled(clip()))
    visitors.leave("page-1")
    clock.now = 5
    assert visitors.arrive(visitor.token, "page-2") is visitor
    clock.now = 30
    assert visitors.sweep() == 0
    visitors.leave("page-2")
    clock.now = 41
    assert visitors.sweep() == 1
    assert len(visitor.clips) == 0
    assert visitor.sounds.held_bytes() == 0
    assert visitors.by_sound_key(visitor.sounds.key) is None
    assert visitors.arrive(visitor.token, "page-3") is not visitor


def test_a_second_open_page_keeps_the_visitor(visitors: Visitors, clock: Clock):
    visitor = visitors.arrive(None, "page-1")
    visitor.hold(labelled(clip()))
    visitors.arrive(visitor.token, "page-2")
    visitors.leave("page-1")
    clock.now = 50
    assert visitors.sweep() == 0
    assert visitors.get(visitor.token) is visitor


def test_an_idle_visitor_is_forgotten(visitors: Visitors, clock: Clock):
    visitor = visitors.arrive(None, "page-1")
    visitor.hold(labelled(clip()))
    clock.now = 90
    visitors.get(visitor.token)
    clock.now = 180
    assert visitors.sweep() == 0
    clock.now = 300
    assert visitors.sweep() == 1


def test_who_opens_pages_and_leaves_nothing_there_is_forgotten_sooner(visitors: Visitors, clock: Clock):
    for number in range(30):  # by a program: no heartbeat is heard of these
        visitors.arrive(None, f"page-{number}")
    reader, working = visitors.arrive(None, "reader"), visitors.arrive(None, "working")
    working.hold(labelled(clip()))
    with visitors.beating("reader"):
        clock.now = 11
        assert visitors.sweep() == 30
        assert {visitors.get(one.token) for one in (reader, working)} == {reader, working}


@pytest.mark.parametrize(
    "act",
    [
        {"act": "plan.assume", "name": "recordings", "value": "317"},
        {"act": "fine-tune.price", "hardware": "t4", "value": 1.5},
    ],
)
def test_figures_that_were_typed_are_something_to_lose(act: dict[str, Any]):
    wire, visitor = whole_page(), Visitor()
    for tab in TABS:
        visitor.shown["p"] = Shown(tab.name)
        wire.views.changed(visitor, "p")
    assert visitor.has_nothing, "looking at every tab leaves nothing"
    wire._do(visitor, Act(act), "p")
    assert visitor.notice is None
    assert not visitor.has_nothing


def test_one_visitor_has_so_many_open_pages_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mirdemo.web.frame.wire.MOST_PAGES", 3)
    wire = whole_page()
    visitor = wire._hello(Act({"act": "page.hello"}), "page 0", None)
    for number in range(1, 6):
        wire._hello(Act({"act": "page.hello", "token": visitor.token}), f"page {number}", None)
        wire._answered(visitor, f"page {number}")
    assert list(visitor.shown) == ["page 3", "page 4", "page 5"]
    assert set(wire.visitors._by_page) == set(visitor.shown)
    assert visitor.closed_at is None
    for number in range(6, 9):  # opened by an act that says whose it is
        answer(wire, f"page {number}", act="page.stay", token=visitor.token)
    assert list(visitor.shown) == ["page 6", "page 7", "page 8"]
    visitor.shown.update({f"closed {number}": Shown("clips") for number in range(3)})
    answer(wire, "page 9", act="page.stay", token=visitor.token)
    assert list(visitor.shown) == ["closed 1", "closed 2", "page 9"]


def answer(wire: Wire, page: str, **told: object) -> dict[str, Any]:
    """The first answer to an act of a page that Gradio knows nothing of."""
    request = SimpleNamespace(session_hash=page, headers={}, client=None)

    async def first() -> list[Any]:
        return await anext(wire._answer(None, SimpleNamespace(_data=told), request))

    with ThreadPoolExecutor(1) as aside:  # where no other test's event loop runs
        return json.loads(aside.submit(asyncio.run, first()).result()[1])


@pytest.mark.parametrize("act", ["page.look", "page.hello"])
def test_that_the_line_is_back_hides_nothing_that_failed_meanwhile_or_can_be_taken_back(act: str):
    wire = whole_page()
    visitor = wire._hello(Act({"act": "page.hello"}), "page", None)
    told = {"act": act, "token": visitor.token, "cut": "yes"}
    for code, how, then in (
        ("deleted", {"undo": lambda: None}, "deleted"),
        ("full", {"refusal": True}, "full"),
        ("done", {}, "page.line_back"),
    ):
        visitor.tell(Sentence("Said before.", code), **how)
        answer(wire, "page", **told)
        assert visitor.notice.sentence.code == then
        assert (visitor.undo is not None) == ("undo" in how)


def test_an_act_after_a_lost_heartbeat_brings_the_page_back(visitors: Visitors, clock: Clock):
    visitor = visitors.arrive(None, "page-1")
    visitor.hold(labelled(clip()))
    visitors.leave("page-1")  # as when the network changes: the page is open and does not know
    clock.now = 5
    assert visitors.get(visitor.token, "page-1") is visitor
    clock.now = 60
    assert visitors.sweep() == 0
    assert len(visitor.clips) == 1
    visitors.leave("page-1")  # the page is known again, so that its closing is noticed too
    clock.now = 75
    assert visitors.sweep() == 1


def test_a_heartbeat_that_comes_again_opens_the_page_again_and_touches_no_idle_time(
    visitors: Visitors, clock: Clock
):
    visitor = visitors.arrive(None, "page-1")
    with visitors.beating("page-1"):
        pass  # a proxy cuts it
    clock.now = 5
    with visitors.beating("page-1"):
        clock.now = 60
        assert visitors.sweep() == 0, "it is open again, though nobody did anything"
        with visitors.beating("page-1"):
            pass  # the next is here before the last is missed
        clock.now = 75
        assert visitors.sweep() == 0
        assert visitors.get(visitor.token, "page-1", by_itself=True) is visitor
        clock.now = 101
        assert visitors.sweep() == 1, (
            "an open page that nobody touches is idle, however often it asks by itself"
        )


def test_the_end_of_a_heartbeat_closes_the_page(visitors: Visitors, clock: Clock):
    visitors.arrive(None, "page-1")
    with visitors.beating("page-1"), visitors.beating("page-of-nobody"):
        pass
    clock.now = 11
    assert visitors.sweep() == 1


def test_pages_that_left_are_forgotten_before_they_fill_the_memory(visitors: Visitors, monkeypatch):
    monkeypatch.setattr("mirdemo.web.frame.session.MOST_LEFT", 10)
    visitor = visitors.arrive(None, "page")
    for number in range(50):
        visitors.arrive(visitor.token, str(number))
        visitors.leave(str(number))
    assert len(visitors._left) == 10
    assert not visitors._beating


def test_an_act_that_is_sent_again_is_known(visitors: Visitors):
    visitor = visitors.arrive(None, "page-1")
    assert visitor.hears("page-1", 7)
    assert not visitor.hears("page-1", 7)
    assert visitor.hears("page-2", 7)
    assert visitor.hears("page-1", 0)
    assert visitor.hears("page-1", 0), "an act without a number is always new"
    for turn in range(8, 3000):
        visitor.hears("page-1", turn)
    assert len(visitor._heard) == 1000


def test_who_listens_or_downloads_after_a_lost_heartbeat_is_kept_a_while_longer(
    visitors: Visitors, clock: Clock
):
    visitor = visitors.arrive(None, "page-1")
    visitors.leave("page-1")
    clock.now = 9
    assert visitors.by_sound_key(visitor.sounds.key) is visitor
    clock.now = 18
    assert visitors.sweep() == 0
    clock.now = 20
    assert visitors.sweep() == 1


def test_a_running_job_keeps_its_visitor_and_what_it_made_is_kept_like_anything_else(
    visitors: Visitors, clock: Clock
):
    visitor = visitors.arrive(None, "page-1")
    job = Job("training", "training")
    job.state = "running"
    visitor.jobs["training"] = job
    visitors.leave("page-1")
    for clock.now in (50, 500, 5000):
        assert visitors.sweep() == 0
    job.state = "done"
    clock.now = 5009
    assert visitors.sweep() == 0
    assert visitors.arrive(visitor.token, "page-2") is visitor
    visitors.leave("page-2")
    clock.now = 5020
    assert visitors.sweep() == 1


def test_only_what_is_held_can_be_heard():
    sounds, one, two = Sounds(), clip(1), clip(2)
    sounds.keep([one, two])
    assert sounds.mp3(one.sha256)
    sounds.keep([two])
    assert sounds.mp3(one.sha256) is None
    assert sounds.mp3(two.sha256)
    assert sounds.mp3("../../etc/passwd") is None


def test_previews_are_bounded_and_made_again():
    sounds = Sounds(max_preview_bytes=1)
    clips = [clip(seed) for seed in range(3)]
    sounds.keep(clips)
    first = sounds.mp3(clips[0].sha256)
    sounds.mp3(clips[1].sha256)
    assert list(sounds._encoded) == [clips[1].sha256]
    assert sounds.mp3(clips[0].sha256) == first


@pytest.mark.parametrize("rate", [8000, 11_000, 44_100, 96_000])
def test_a_preview_is_the_clip(rate: int):
    import io

    import soundfile

    t = np.arange(rate) / rate
    tone = Clip.of((0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), rate, "tone.wav")
    sounds = Sounds()
    sounds.keep([tone])
    heard, at = soundfile.read(io.BytesIO(sounds.mp3(tone.sha256)))
    assert abs(len(heard) / at - 1.0) < 0.2
    spectrum = np.abs(np.fft.rfft(heard))
    assert abs(spectrum.argmax() * at / len(heard) - 440) < 3


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, (0, 99)),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=500-", (500, 99)),
        ("nonsense", (0, 99)),
        ("bytes=a-b", (0, 99)),
        ("bytes=-", (0, 99)),
        ("bytes=0-4,10-19", (0, 99)),
        ("bytes=\u0663-\u0664", (0, 99)),
        ("bytes=" + "9" * 5000 + "-", (0, 99)),
        ("bytes=0-" + "9" * 5000, (0, 99)),
        ("bytes=-" + "9" * 5000, (0, 99)),
        ("items=0-4", (0, 99)),
        ("bytes=999999999999999-", (999999999999999, 99)),
        ("bytes=9-3", (9, 3)),
    ],
)
def test_ranges_are_read_as_browsers_write_them(wanted: str | None, expected: tuple[int, int]):
    assert byte_range(wanted, 100) == expected


def test_a_waveform_has_its_bars_even_for_a_click_or_silence():
    for samples in (np.zeros(100, np.float32), np.ones(1, np.float32), np.ones(5, np.float32)):
        assert waveform(samples, 16).count("M") == 16


WHO = Identity("spectral", "1", "0" * 64, "float32", 22_050, 5.0, "mean")


def test_memory_lets_the_oldest_go():
    from mirdemo.embedding.store import ClipEmbedding

    memory = Memory(max_bytes=3000)
    entry = lambda: ClipEmbedding(np.zeros(1), {"a": np.zeros((1, 250), np.float32)})  # noqa: E731
    for name in "abcd":
        memory.put(WHO, name, entry())
    assert memory.get(WHO, "a") is None
    assert memory.get(WHO, "d") is not None


def test_memory_lets_go_what_nobody_has_asked_for_in_time(monkeypatch):
    from mirdemo.embedding.store import ClipEmbedding
    from mirdemo.web import models

    now = [100.0]
    monkeypatch.setattr(models.time, "monotonic", lambda: now[0])
    memory = Memory(seconds=60.0)
    for name in "ab":
        memory.put(WHO, name, ClipEmbedding(np.zeros(1), {"a": np.zeros((1, 250), np.float32)}))
    now[0] = 150.0
    assert memory.get(WHO, "a") is not None
    now[0] = 170.0
    memory.tidy()
    assert memory.get(WHO, "b") is None
    assert memory.get(WHO, "a") is not None
    now[0] = 300.0
    memory.tidy()
    assert memory._bytes == 0
    assert not memory._entries
    assert not memory._asked


def test_who_wants_a_loaded_backbone_does_not_wait_for_another_to_load(monkeypatch):
    import threading

    from mirdemo.web.models import Shelf

    go, begun = threading.Event(), threading.Event()

    def load(name, device, progress):
        if name == "mert-95m":
            begun.set()
            go.wait(PATIENCE)
        return name

    monkeypatch.setattr("mirdemo.backbones.load_backbone", load)
    shelf = Shelf(kept=2)
    assert shelf.take("spectral", lambda *call: None) == "spectral"
    found = []
    slow = [
        threading.Thread(target=lambda: found.append(shelf.take("mert-95m", lambda *call: None)))
        for _ in range(2)
    ]
    for thread in slow:
        thread.start()
    assert begun.wait(PATIENCE)
    assert shelf.take("spectral", lambda *call: None) == "spectral"
    assert shelf.take("mini-world", lambda *call: None) == "mini-world"
    go.set()
    for thread in slow:
        thread.join(PATIENCE)
    assert found == ["mert-95m", "mert-95m"]
    assert len(shelf._loaded) == 2


def test_a_network_in_eight_bits_is_loaded_as_the_tagger_had_it_and_stands_beside_the_plain_one(monkeypatch):
    from dataclasses import replace

    from mirdemo.backbones.spec import Identity
    from mirdemo.web.models import Shelf

    monkeypatch.setattr("mirdemo.backbones.load_backbone", lambda name, **how: (name, how))
    plain = Identity("mert-95m", "local", "0" * 64, "float32", 24_000, 5.0, "mean")
    eight = replace(plain, dtype="int8", engine="openvino 1, 8 bits on avx512_vnni")
    shelf = Shelf()

    def take(*identity):
        _, how = shelf.take("mert-95m", lambda *call: None, *identity)
        return how.get("engine"), how["device"]

    assert take(eight) == ("openvino-int8", "cpu")
    assert take() == take(plain) == (None, "auto")
    assert take(eight) == ("openvino-int8", "cpu")
    assert len(shelf._loaded) == 2


def test_a_page_behind_a_proxy_looks_and_telling_it_is_tried_more_and_more_seldom():
    shown = Shown("clips")
    looks = []
    for _ in range(3):
        shown.looked("silence")
        looks.append(0)
        while shown.looks and looks[-1] < 1000:
            shown.looked("told")
            looks[-1] += 1
    assert looks == [FIRST_PATIENCE, 2 * FIRST_PATIENCE, 4 * FIRST_PATIENCE]
    shown.looked("told")
    assert not shown.looks, "one that is told stays told"
