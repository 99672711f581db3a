"""Fine-tune: what it takes is said before, it can be stopped, and the verdict is about the clips it names."""

from __future__ import annotations

import io
import json
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from html import unescape
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly_known import charts_in
from waiting import PATIENCE, until

import mirdemo
from mirdemo.backbones.registry import spec, specs
from mirdemo.base.sentences import Cancelled, MirdemoError
from mirdemo.clips import LabelledClips
from mirdemo.clips.heard import Heard
from mirdemo.clips.in_question import InQuestion
from mirdemo.planning.durations import START_SECONDS, duration_estimate, elsewhere
from mirdemo.planning.prices import PRICES
from mirdemo.sound.audio import Clip
from mirdemo.stages.finetuning import Epoch, FineTuneSettings
from mirdemo.web import gpu, zero
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.job import Job
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Visitor, Visitors
from mirdemo.web.frame.templating import render
from mirdemo.web.frame.wire import Wire
from mirdemo.web.models import Memory
from mirdemo.web.tabs.finetune import charts, child, endpoint, outlook, running, shown, worker
from mirdemo.web.tabs.finetune.desk import FineTuneDesk
from mirdemo.web.tabs.finetune.order import Broken, Order, Step
from mirdemo.web.tabs.finetune.outlook import Outlook
from mirdemo.web.tabs.finetune.running import Result, Wanted, Watched
from mirdemo.web.tabs.finetune.tab import JOB, LOOK_JOB, FineTuneTab, _kept_probes, _to_take, download_route
from mirdemo.web.tabs.finetune.taking_home import DOWNLOAD
from mirdemo.web.tabs.finetune.taking_home import made as take_home
from mirdemo.web.tabs.probe.desk import ProbeDesk
from mirdemo.words.language import speaker

RATE = 24_000
WEIGHTS = Path(mirdemo.__file__).parents[1] / "assets" / "backbones" / "mini-west" / "model.safetensors"
needs_weights = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason="no weights of mini-west in assets/backbones"
)


def made(recordings: int = 6) -> LabelledClips:
    """Low and high tones by turns; a second tag with a name that is markup."""
    clips, tags, names = [], [], []
    for r in range(recordings):
        t = np.arange(RATE // 2) / RATE
        noise = np.random.default_rng(r).standard_normal(len(t))
        wave = 0.3 * np.sin(2 * np.pi * (300 + 1500 * (r % 2) + 9 * r) * t) + 0.02 * noise
        clips.append(Clip.of(wave.astype(np.float32), RATE, f"{r}.wav"))
        tags.append(["high"] * (r % 2) + ["<b>"] * (r % 3 == 0))
        names.append(f"recording {r}")
    return LabelledClips.from_clips(clips, tags, names, limits=CLIP_LIMITS)


CLIPS = made()
WANTED = Wanted("mini-west", 1, FineTuneSettings(epochs=2, n_folds=5))


def quiet(done: int, total: int, phase: str) -> None:
    """A progress nobody watches."""


@pytest.fixture(scope="module")
def told() -> tuple[Result, Watched, list[str]]:
    """One real training in a process of its own, what it told on the way, and its phases."""
    if not WEIGHTS.is_file():
        pytest.skip("no weights of mini-west in assets/backbones")
    watched, phases = Watched(WANTED), []
    result = running.train(
        CLIPS, WANTED, (), Memory(), lambda done, total, phase: phases.append(phase), watched
    )
    return result, watched, phases


@pytest.fixture
def wire() -> Wire:
    return Wire(Visitors(), Jobs())


@pytest.fixture
def tab(wire: Wire) -> FineTuneTab:
    return FineTuneTab(wire)


@pytest.fixture
def visitor() -> Visitor:
    new = Visitor()
    new.hold(CLIPS)
    new.backbone = "mini-west"
    return new


@pytest.fixture
def after(visitor: Visitor, told: tuple) -> Visitor:
    visitor.desk(FineTuneDesk).result = told[0]
    return visitor


def drawn(tab: FineTuneTab, visitor: Visitor, language: str = "en") -> str:
    speak = speaker(language)
    return str(render("fine-tune.html", speak, tab.show(visitor, speak)))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


# ---- before the start -------------------------------------------------------------------------------------


def test_a_backbone_without_layers_says_so_and_names_those_that_have_some(tab, visitor: Visitor):
    visitor.backbone = "spectral"
    html = drawn(tab, visitor)
    assert "Spectral statistics has no layers that can be trained" in plain(html)
    assert 'data-value="mini-world"' in html
    assert 'data-act="fine-tune.run"' not in html
    with pytest.raises(PageError) as refusal:
        tab.run(visitor, Act({}))
    assert refusal.value.sentence.code == "finetune.nothing_to_train"
    assert JOB not in visitor.jobs


def test_the_menu_parts_what_can_be_trained_from_what_cannot(tab, visitor: Visitor):
    menu = re.search(r'<select data-act="fine-tune.backbone">.*?</select>', drawn(tab, visitor), re.DOTALL)[0]
    groups = re.findall(r'<optgroup label="([^"]*)">(.*?)</optgroup>', menu, re.DOTALL)
    found = {label: set(re.findall(r'value="([^"]*)"', options)) for label, options in groups}
    able = {one.name for one in specs().values() if outlook.trainable(one)}
    assert found == {"Can be trained": able, "Cannot be trained here": set(specs()) - able}
    longest = max(re.findall(r">([^<]+)</option>", menu), key=len)
    assert len(longest) < 40, "what fits in a phone's width"


@pytest.mark.parametrize(
    ("language", "named"),
    [("en", "Train that network by itself: Mini-World."), ("ja", "ネットワークである Mini-World を学習")],
)
def test_what_is_half_a_network_cannot_be_trained_as_one_and_names_its_network(
    tab, visitor: Visitor, language: str, named: str
):
    visitor.backbone = "mini-world-spectral"
    said = plain(drawn(tab, visitor, language))
    assert named in said
    assert "has no layers" not in said, "half of it has learned"
    assert "計算だけで、学習できる" not in said
    visitor.backbone = "spectral"
    assert named not in plain(drawn(tab, visitor, language))


def test_size_and_licence_of_what_has_to_be_fetched_stand_before_the_button(tab, visitor: Visitor):
    visitor.backbone = "mert-95m"
    said = plain(drawn(tab, visitor))
    assert "378 MB" in said
    assert "CC-BY-NC-4.0" in said
    assert "Fetch it, train and compare" in said
    assert "the last 2 of 12 layers" in said


def test_time_and_price_are_shown_before_and_follow_a_price_that_is_typed(tab, visitor: Visitor):
    desk = visitor.desk(FineTuneDesk)
    desk.outlooks["mini-west", 2] = Outlook(123_456, True, 0.0, 6.0, "measured", "cpu", "cpu-basic")
    n = len(CLIPS)
    assert desk.outlooks["mini-west", 2].seconds(n, FineTuneSettings()) == pytest.approx(
        (
            10
            # four fifths of the windows in five rounds: a fifth of them kept back for six epochs, then one on the whole
            # side; and one epoch on all
            + 6.0 * n * (4 * (0.8 * 6 + 1) + 1),
            10 + 6.0 * n * 20 * (4 * 1.8 + 1),
        )
    )
    assert "about 15 minutes to about 1.6 hours on this server, at most $0.02" in plain(drawn(tab, visitor))
    tab.price(visitor, Act({"hardware": "cpu-basic", "value": "2.5"}))
    assert "about 1.6 hours on this server, at most $4.11" in plain(drawn(tab, visitor))
    assert "123,456 parameters" in plain(drawn(tab, visitor))
    desk.outlooks["mini-west", 2] = replace(desk.outlooks["mini-west", 2], basis="sizes on the cpu")
    assert "right to the order of magnitude" in plain(drawn(tab, visitor))
    tab.epochs(visitor, Act({"value": "5"}))
    assert "about 13 to 25 minutes on this server" in plain(drawn(tab, visitor))
    for wrong in ("-1", "nan", "1e9", "x"):
        with pytest.raises(PageError):
            tab.price(visitor, Act({"hardware": "cpu-basic", "value": wrong}))
    assert PRICES["cpu-basic"] == 0.01, "one visitor's prices are nobody else's"


def test_times_elsewhere_grow_with_the_work_and_shrink_with_the_hardware():
    settings = FineTuneSettings()
    some = elsewhere(spec("mert-330m"), 1, 5_000, settings)
    assert some["t4"] > some["l4"] > some["a100"] > some["h200"] > START_SECONDS
    assert elsewhere(spec("mert-330m"), 1, 10_000, settings)["t4"] > 1.8 * some["t4"]
    assert elsewhere(spec("hf:owner/repository"), 1, 10, settings) == {}


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "5 seconds"), (70, "a minute"), (600, "10 minutes"), (7200, "2.0 hours")]
)
def test_an_estimate_is_told_no_finer_than_it_is(seconds: float, said: str):
    assert shown.time_words(speaker("en"), seconds) == f"about {said}"


@pytest.mark.parametrize(
    ("least", "most", "en", "ja"),
    [
        (15, 20, "about 15 to 20 seconds", "約 15〜20 秒"),
        (70, 300, "about 1 to 5 minutes", "約 1〜5 分"),
        (7200, 9000, "about 2.0 to 2.5 hours", "約 2.0〜2.5 時間"),
        (40, 180, "about 40 seconds to about 3 minutes", "約 40 秒から約 3 分"),
        (61, 62, "about a minute", "約 1 分"),
    ],
)
def test_a_range_of_one_unit_names_it_once(least: float, most: float, en: str, ja: str):
    assert shown.range_words(speaker("en"), least, most) == en
    assert shown.range_words(speaker("ja"), least, most) == ja


def test_one_recording_cannot_be_trained_on(tab, visitor: Visitor):
    visitor.hold(made(1))
    assert re.search(r'data-act="fine-tune.run" disabled', drawn(tab, visitor))
    with pytest.raises(PageError) as refusal:
        tab.run(visitor, Act({}))
    assert refusal.value.sentence.code == "finetune.one_recording"


def test_every_choice_is_one_that_was_offered(tab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tab, "look_ahead", lambda visitor: None)
    tab.blocks(visitor, Act({"value": "1"}))
    assert visitor.desk(FineTuneDesk).wanted("mini-west").blocks == 1
    assert visitor.desk(FineTuneDesk).wanted("mert-330m").blocks == 1
    for handler, value in ((tab.blocks, "4"), (tab.epochs, "400"), (tab.backbone, "../x")):
        with pytest.raises(PageError):
            handler(visitor, Act({"value": value}))
    for name, facts in specs().items():
        assert (facts.tail_blocks in outlook.choices(facts)) == (
            name not in ("spectral", "mini-world-spectral", "musicnn-msd", "musicnn-mtt")
        )


def test_opening_the_tab_looks_ahead_once_and_only_where_there_is_something_to_train(
    visitor: Visitor, monkeypatch
):
    calls = []
    monkeypatch.setattr(
        outlook,
        "look_ahead",
        lambda *key: calls.append(key[:2]) or Outlook(1, True, 1, 1, "timed", "cpu", None),
    )
    with gr.Blocks():
        wire = Wire(Visitors(), Jobs())
        with wire.panel("fine-tune"):
            tab = FineTuneTab(wire)
            wire.view("fine-tune", tab.show)
            wire.on_open("fine-tune", tab.look_ahead)
    for backbone in ("spectral", "mini-west", "mini-west"):
        visitor.backbone = backbone
        wire._do(visitor, Act({"act": "page.open", "tab": "fine-tune"}), "p")
        until(lambda: LOOK_JOB not in visitor.jobs or not visitor.jobs[LOOK_JOB].active)
    assert calls == [("mini-west", 2)]


def test_the_outlook_for_a_whole_job_is_the_estimate_of_it():
    settings = FineTuneSettings(epochs=7, patience=2, n_folds=4)
    found = outlook.look_ahead("mert-95m", 2, quiet)
    expected = duration_estimate(30, spec("mert-95m"), settings, found.device, blocks=2)
    assert found.seconds(30, settings) == pytest.approx(
        (START_SECONDS + expected.soonest, START_SECONDS + expected.total)
    )


@needs_weights
def test_parameters_are_counted_and_a_step_is_timed():
    found = outlook.look_ahead("mini-west", 1, quiet)
    assert found.exact
    assert 0 < found.parameters < spec("mini-west").parameters
    assert found.parameters < outlook.look_ahead("mini-west", 2, quiet).parameters
    assert found.prefix > 0
    assert found.step > 0


# ---- the process that trains ------------------------------------------------------------------------------


def order(backbone: str = "mini-west") -> Order:
    return Order(CLIPS, backbone, 1, FineTuneSettings(epochs=40), ())  # it probes by itself


def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    begun, popen = [], subprocess.Popen
    monkeypatch.setattr(child.subprocess, "Popen", lambda *a, **k: begun.append(popen(*a, **k)) or begun[-1])
    return begun


def test_stopped_at_any_moment_the_process_is_gone_at_once(monkeypatch: pytest.MonkeyPatch):
    begun = processes(monkeypatch)
    for heard in (1, 4):
        said = child.in_child(order())
        for _ in range(heard):
            next(said)
        assert begun[-1].poll() is None
        said.close()
        assert begun[-1].returncode == -signal.SIGKILL, "it was waited for"


def test_without_the_page_the_process_ends_too(monkeypatch: pytest.MonkeyPatch):
    begun = processes(monkeypatch)
    said = child.in_child(order())
    next(message for message in said if message is not None)
    begun[0].stdin.close()  # what the system does when the page's process is gone
    assert begun[0].wait(PATIENCE) == 1
    said.close()


def test_a_process_that_dies_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    begun = processes(monkeypatch)
    said = child.in_child(order())
    next(said)
    begun[0].kill()
    with pytest.raises(PageError) as refusal:
        list(said)
    assert refusal.value.sentence.code == "finetune.died"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        pickle.dumps("torn")[:-3],
        b"cno_such_module\nThing\n.",  # ModuleNotFoundError, as when files change under a running page
        b"\x8d" + (2**62).to_bytes(8, "little") + b"x",  # MemoryError or the like: a string of 2**62 bytes
    ],
)
def test_whatever_cannot_be_read_from_the_process_ends_the_listening(message: bytes):
    arrived = SimpleQueue()
    child._listen(io.BytesIO(message), arrived)
    assert isinstance(arrived.get_nowait(), EOFError)


def test_refusals_of_the_training_come_back_as_what_they_are():
    *_, last = worker.messages(order("spectral"))
    assert isinstance(last, MirdemoError)
    assert last.sentence.code == "backbone.no_tail"
    assert pickle.loads(pickle.dumps(last)).sentence == last.sentence


def test_closing_stops_the_training_at_its_next_step(monkeypatch: pytest.MonkeyPatch):
    ends = []

    def endless(*args, progress, **rest):
        try:
            while True:
                progress(0, 1, "training")
                time.sleep(0.01)
        except Cancelled:
            ends.append("stopped")
            raise

    monkeypatch.setattr("mirdemo.stages.finetuning.fine_tune", endless)
    said = worker.messages(order("spectral"))
    assert next(said) == Step(0, 0, "loading")
    while next(said).phase != "training":
        pass
    said.close()
    assert ends == ["stopped"]


def test_what_nobody_expected_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        gpu, "messages", lambda order: (one for one in [None, Broken("Traceback: secret path")])
    )
    kept = SimpleNamespace(report=SimpleNamespace(seconds={}), seconds=1.0)
    with pytest.raises(RuntimeError, match="secret path"):
        running.train(CLIPS, WANTED, (kept,), Memory(), quiet, Watched(WANTED))


# ---- ZeroGPU ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("ZeroGPU illegal duration", "gpu.illegal_duration"),
        ("ZeroGPU quota exceeded", "gpu.quota"),
        ("ZeroGPU pending credits exceeded", "gpu.quota"),
        ("ZeroGPU queue timeout", "gpu.queue"),
        ("ZeroGPU worker error", "gpu.worker"),
        ("ZeroGPU client error", "gpu.unreachable"),
        ("Error", "gpu.unreachable"),
    ],
)
def test_what_zerogpu_refuses_becomes_a_sentence_that_says_what_to_do(title: str, code: str):
    said = gpu.refusal(gr.Error("<a href=x>raw</a>", title=title), 90).sentence
    assert said.code == code
    assert "<a" not in speaker("ja").say(said)
    assert speaker("ja").say(said) != str(said)


def test_without_zerogpu_the_decorator_is_nothing():
    assert zero.spaces is not None or zero.on_gpu(gpu.gpu_seconds)(len) is len


def test_longer_work_asks_for_more_time(monkeypatch: pytest.MonkeyPatch):
    few, many = (gpu.asked_for(n, Wanted("mert-330m", 1, FineTuneSettings())) for n in (10, 20_000))
    assert gpu.LEAST_SECONDS <= few < many


def test_on_zerogpu_the_decorated_generator_is_asked_with_a_computed_time_and_what_passes_is_plain(
    tmp_path: Path,
):
    (tmp_path / "spaces.py").write_text(
        textwrap.dedent("""
        import pickle
        asked = []
        def GPU(duration):
            def around(task):
                def handler(*args):
                    asked.append(duration(*args))
                    for message in task(*pickle.loads(pickle.dumps(args))):
                        yield pickle.loads(pickle.dumps(message))
                return handler
            return around
        """)
    )
    code = textwrap.dedent("""
        import sys
        import spaces
        from mirdemo.web import gpu, zero
        from mirdemo.clips import LabelledClips
        from mirdemo.stages.finetuning import FineTuneSettings
        from mirdemo.web.tabs.finetune.order import Order
        order = Order(LabelledClips(), "spectral", 1, FineTuneSettings(), ())
        *_, last = gpu.messages(order)
        print(zero.ZERO, spaces.asked, last.sentence.code)
        """)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PYTHONPATH": f"{tmp_path}:{Path(mirdemo.__file__).parents[1]}",
            "SPACES_ZERO_GPU": "true",
            "PATH": "",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    zero, asked, code = re.fullmatch(r"(\w+) \[(\d+)\] ([\w.]+)\n", done.stdout).groups()
    assert (zero, code) == ("True", "scoring.no_tags")
    assert int(asked) >= gpu.LEAST_SECONDS


# ---- while it trains --------------------------------------------------------------------------------------


def epochs(runs: int = 3, held_out: bool = True) -> list[Epoch]:
    auc = 0.7 if held_out else None
    return [Epoch(run, runs, e, 5, 1 / e, auc and 1.0, auc, 1.0) for run in range(runs) for e in (1, 2)]


def test_epochs_are_drawn_as_they_end_and_time_left_is_told(tab, visitor: Visitor, monkeypatch):
    job, watched = Job(JOB, "training"), Watched(WANTED)
    job.state = "running"
    visitor.jobs[JOB], visitor.desk(FineTuneDesk).watched = job, watched
    job.progress(3, 12, "prefix")
    html = drawn(tab, visitor)
    assert "Running the frozen layers, once, 3 of 12" in plain(html)
    assert "left at most" not in html
    watched.epochs += epochs()[:4]
    watched.since = time.monotonic() - 3_000  # beside which the time of drawing is nothing
    job.progress(250, 1000, "training")
    html = drawn(tab, visitor)
    assert len(charts_in(html)) == 2
    said = plain(html)
    assert "Training, round 2 of 2, epoch 2 of at most 5" in said
    assert re.search(r"2:3\d:\d\d left at most", said)
    assert "ROC-AUC 0.70 on held-out recordings" in said
    watched.epochs += epochs()[4:]
    assert "Training on all recordings, epoch 2" in plain(drawn(tab, visitor))


def test_with_nothing_held_out_there_is_one_curve_and_a_word_why(tab, visitor: Visitor):
    job, watched = Job(JOB, "training"), Watched(WANTED)
    job.state = "running"
    visitor.jobs[JOB], visitor.desk(FineTuneDesk).watched = job, watched
    watched.epochs += epochs(held_out=False)
    html = drawn(tab, visitor)
    assert len(charts_in(html)) == 1
    assert "none can be kept aside" in plain(html)


def test_a_training_does_not_keep_the_other_tabs_waiting(visitor: Visitor):
    import threading

    jobs, go = Jobs(), threading.Event()
    training = jobs.start(
        visitor, JOB, lambda progress: go.wait(PATIENCE), lambda made: None, resource="training"
    )
    other = jobs.start(visitor, "few-shot", lambda progress: 1, lambda made: None)
    until(lambda: not other.active)
    assert other.state == "done"
    assert training.active
    second = jobs.start(Visitor(), JOB, lambda progress: 1, lambda made: None, resource="training")
    assert second.state == "waiting"
    go.set()


# ---- the answer -------------------------------------------------------------------------------------------


def test_the_training_told_its_phases_and_every_epoch(told: tuple):
    result, watched, phases = told
    assert tuple(watched.epochs) == result.report.curve
    assert {"embedding", "probing", "starting", "prefix", "training"} <= set(phases)
    assert watched.since is not None


def test_it_was_compared_with_the_probe_of_the_same_folds_and_holds_no_tensor(told: tuple):
    result = told[0]
    (fold_of,) = result.report.folds
    assert any(np.array_equal(fold_of, draw) for draw in result.run.report.folds)
    assert result.asked.is_about(CLIPS)
    assert b"_rebuild_tensor" not in pickle.dumps(result.report)
    costs = result.costs("cpu-basic", {"cpu-basic": 3600.0})
    assert costs["fine_tuned"].seconds >= result.took("fine_tuned") > 0
    assert costs["fine_tuned"].dollars == pytest.approx(costs["fine_tuned"].seconds)
    assert costs["probed"].seconds >= result.report.seconds["prefix"]


def test_the_best_of_the_probes_that_were_seen_is_the_one_to_beat_at_what_it_costs_from_nothing(told: tuple):
    """The embeddings were there for both; the cost is none the smaller for it, as near as two timings are."""

    def worth(auc: float, whitening: str | None):
        report = told[0].run.report
        figures = replace(report.macro.figures, roc_auc=replace(report.macro.figures.roc_auc, value=auc))
        macro = replace(report.macro, figures=figures)
        seen = replace(report, macro=macro, whitening=whitening)
        return replace(told[0].run, report=seen, seconds=sum(report.seconds.values()) + 0.001)

    runs = (worth(0.6, None), worth(0.7, "world"))
    again = running.train(CLIPS, WANTED, runs, Memory(), quiet, Watched(WANTED))
    assert again.run is runs[1]
    assert again.report.probe_whitening == "world"
    assert again.report.macro.figures.roc_auc.value == pytest.approx(
        told[0].report.macro.figures.roc_auc.value
    )
    through = again.report.seconds["prefix"] + again.report.seconds["start"]
    assert again.report.from_nothing["probed"] >= through + again.took("probed") - 0.01


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_verdict_stands_first_in_words_with_n_and_the_rule_below(tab, after: Visitor, language: str):
    html, say = drawn(tab, after, language), speaker(language).say
    report = after.desk(FineTuneDesk).result.report
    said = plain(html)
    assert unescape(str(say(report.sentence))) in said
    assert f'data-verdict="{report.verdict}"' in html
    assert "<b>" not in re.sub(r'data-chart="[^"]*"', "", html)
    assert "&lt;b&gt;" in html
    assert re.search(r'<details class="how" data-key="rule">', html), "closed"
    chart = charts_in(html)["paired"]
    for trace, name in ((4, "added"), (5, "gain")):
        gains = [getattr(row, name).roc_auc for row in (report.macro, *report.tags)]
        assert chart["data"][trace]["error_x"]["array"] == [
            0.0 if gain.high is None else pytest.approx(gain.high - gain.value) for gain in gains
        ]
    for words in ("figures.what", "costs.now"):
        assert (
            str(speaker(language)(f"fine-tune.{words}", n=6, probe="Mini-West", time="")).rstrip()[:8] in said
        )
    assert chart["layout"]["yaxis"]["ticktext"][1:] == ["&lt;b&gt;", "high"]
    line = str(speaker(language)("fine-tune.chart.smallest", gain="+0.02"))
    for side, notes in (("left", chart["layout"]["annotations"]), ("right", chart["narrow"]["annotations"])):
        named = [(note["x"], note["xanchor"]) for note in notes if note["text"] == line]
        assert named == [(report.smallest_gain, side)]
    scale = chart["layout"]["xaxis2"]
    assert scale["ticktext"][scale["tickvals"].index(0)] == "0"


@given(st.floats(0.055, 4.0))
def test_ticks_of_differences_are_few_balanced_in_range_and_signed(reach: float):
    ticks = charts._ticks(reach)
    assert ticks == [-tick for tick in reversed(ticks)]
    assert 3 <= len(ticks) <= 5
    assert max(ticks) <= reach
    signs = [charts._tick(tick)[0] for tick in ticks]
    assert signs == ["−"] * (len(ticks) // 2) + ["0"] + ["+"] * (len(ticks) // 2)


def test_an_answer_about_earlier_clips_is_marked_and_can_be_asked_again(tab, after: Visitor):
    assert "earlier set of clips" not in drawn(tab, after)
    assert "The answer is below" not in plain(drawn(tab, after)), "2 layers are chosen, 1 was trained"
    after.desk(FineTuneDesk).blocks["mini-west"], after.desk(FineTuneDesk).epochs = 1, 2
    assert "The answer is below" in plain(drawn(tab, after))
    after.hold(CLIPS.relabel(0, ["high"]))
    html = drawn(tab, after)
    assert "earlier set of clips" in html
    assert 'data-act="fine-tune.again"' in html


def test_a_probe_made_on_the_way_is_kept_for_the_probe_tab_and_used_next_time(
    tab, visitor: Visitor, told, monkeypatch
):
    seen = []
    monkeypatch.setattr(
        "mirdemo.web.tabs.finetune.tab.train", lambda clips, wanted, kept, *rest: seen.append(kept) or told[0]
    )
    monkeypatch.setattr(tab, "look_ahead", lambda visitor: None)
    for _ in range(2):
        tab.run(visitor, Act({}))
        until(lambda: not visitor.jobs[JOB].active)
    assert visitor.desk(ProbeDesk).result.runs == (told[0].run,)
    assert seen == [(), (told[0].run,)]
    assert _kept_probes(visitor, "mini-world") == ()
    visitor.hold(CLIPS.relabel(0, ["high"]))
    assert _kept_probes(visitor) == (), "of other labels"


def test_the_tagger_is_downloaded_by_its_visitor_only_and_works(after: Visitor):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from mirdemo.tagger import Tagger

    visitors = Visitors()
    mine = visitors.arrive(None, "p")
    client = TestClient(Starlette(routes=[download_route(visitors)]))
    address = "/" + DOWNLOAD.address(mine)
    assert client.get(address).status_code == 404, "nothing trained yet"
    mine.desk(FineTuneDesk).result = after.desk(FineTuneDesk).result
    assert client.get(address.replace(mine.sounds.key, "x" * 43)).status_code == 404
    answer = client.get(address)
    assert "no-store" in answer.headers["cache-control"]
    import zipfile

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        tagger = Tagger.of({name: archive.read(name) for name in archive.namelist()})
    assert set(tagger.tags) == {"high", "<b>"}
    assert len(tagger.tag(CLIPS.clips[1], all_tags=True)) == 2
    assert all(map(tagger.has_learned, CLIPS.clips))
    mine.let_go()
    assert client.get(address).status_code == 404, "gone with the visit"


def test_the_card_tells_of_a_question_as_long_as_it_is_open(after: Visitor):
    result, found = after.desk(FineTuneDesk).result, InQuestion(4, 1, 3, 6)
    assert _to_take(after)[1] is None
    after.desk(FineTuneDesk).result = replace(result, asked=replace(result.asked, in_question=found))
    after.hold(replace(CLIPS, heard=Heard()))
    assert _to_take(after)[1] == found, "nobody has listened to these clips since"
    told = take_home(*_to_take(after)).contents("ja")["README.md"].decode()
    assert str(speaker("ja").say(found.sentence)) in told
    after.hold(CLIPS.remove([0]))
    assert _to_take(after)[1] == found, "the figures are of other clips"
    after.hold(replace(CLIPS, heard=Heard()))
    rng = np.random.default_rng(0)
    after.clips.hear(Heard({clip.sha256: rng.normal(size=30) for clip in CLIPS.clips}))
    assert _to_take(after)[1] is None, "of these clips nothing is in question"
    assert "nobody has said" not in take_home(*_to_take(after)).contents()["README.md"].decode()


def test_a_token_is_used_once_and_kept_nowhere(tab, after: Visitor, monkeypatch: pytest.MonkeyPatch, caplog):
    token, seen = "hf_secretsecret", []
    monkeypatch.setattr(
        "mirdemo.tagger.hub.push",
        lambda contents, repository, token, private: seen.append((repository, token, private)) or "there",
    )
    tab.push(after, Act({"repository": "me/festival", "hub_token": token, "private": "true"}))
    until(lambda: after.notice is not None)
    assert seen == [("me/festival", token, True)]
    assert token not in caplog.text
    assert token not in repr(vars(after.desk(FineTuneDesk)))
    assert token not in drawn(tab, after)
    with pytest.raises(PageError):
        tab.push(after, Act({"repository": "festival", "hub_token": token}))


# ---- the endpoint -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "layers", "n_epochs"),
    [("../x", 1, 2), ("spectral", 0, 2), ("mini-west", 4, 2), ("mini-west", 1, 0), ("mini-west", 1, 1000)],
)
def test_the_endpoint_refuses_what_the_page_does_not_offer(backbone: str, layers: int, n_epochs: int):
    with pytest.raises(PageError):
        endpoint.tune_files({}, "file,tags\n", backbone, layers, n_epochs)


def test_the_endpoint_answers_with_plain_figures(
    told: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import soundfile

    monkeypatch.setattr(endpoint, "train", lambda clips, wanted, *rest: replace(told[0], wanted=wanted))
    for clip in CLIPS.clips:
        soundfile.write(tmp_path / clip.name, clip.samples, clip.sample_rate)
    rows = [
        f"{clip.name},{'; '.join(CLIPS.tags_of(i))},{CLIPS.recordings[i]}"
        for i, clip in enumerate(CLIPS.clips)
    ]
    first = tmp_path / CLIPS.clips[0].name
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) * 3 // 4])
    found = endpoint.tune_files(
        {clip.name: tmp_path / clip.name for clip in CLIPS.clips},
        "file,tags,recording\n" + "\n".join(rows),
        "mini-west",
        1,
        2,
    )
    assert found["clips"] == [clip.name for clip in CLIPS.clips]
    assert found["sentence"] == str(told[0].report.sentence)
    assert found["incomplete"] == [CLIPS.clips[0].name]
    json.dumps(found, allow_nan=False)


def test_a_worker_that_is_stopped_before_its_order_is_whole_ends_without_a_word():
    order = pickle.dumps(["an order"])
    worker = [sys.executable, "-m", "mirdemo.web.tabs.finetune.worker"]
    ended = subprocess.run(worker, input=order[:-3], capture_output=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
