"""The page is built without heavy libraries, and its parts keep their promises."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from wired import whole_page

from mirdemo.clips import LabelledClips
from mirdemo.sound.audio import Clip
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Shown, Visitor, Visitors
from mirdemo.web.frame.templating import duration
from mirdemo.web.frame.wire import Wire
from mirdemo.web.page import TABS, _where
from mirdemo.web.tabs.fewshot.shown import enough
from mirdemo.web.tagging import Answer, layers_of, spans, usual_layer
from mirdemo.words.language import LANGUAGES


def test_the_page_is_built_without_torch_transformers_or_plotly():
    code = (
        "import sys\n"
        "from mirdemo.web.page import build_page, files, routes\n"
        "from mirdemo.web.frame.jobs import Jobs\n"
        "from mirdemo.web.frame.session import Visitors\n"
        "visitors = Visitors(); build_page(visitors, Jobs()); files(visitors); routes(visitors, Jobs())\n"
        "print(*{'torch', 'torchaudio', 'transformers', 'sklearn', 'scipy', 'plotly'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.fixture
def page() -> Wire:
    return whole_page()


def tagged(n: int = 2) -> LabelledClips:
    noise = np.random.default_rng(0)
    clips = [Clip.of(noise.standard_normal(4000).astype(np.float32), 8000, f"{i}.wav") for i in range(n)]
    return LabelledClips.from_clips(clips, [("a", "<b>")] * n, limits=CLIP_LIMITS)


def test_only_the_open_tab_is_drawn_and_only_what_changed_is_sent(page: Wire):
    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    ((name, (first, _)),) = page.views.changed(visitor, "p").items()
    assert name == "clips"
    assert page.views.changed(visitor, "p", drawn=first) == {}
    visitor.hold(tagged())
    ((name, (second, text)),) = page.views.changed(visitor, "p", drawn=first).items()
    assert (name, second > first) == ("clips", True)
    assert "1.wav" in text


def test_what_a_page_is_not_known_to_have_drawn_is_sent_again(page: Wire):
    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    (first,) = page.views.changed(visitor, "p").values()
    visitor.shown["p"].tab = "few-shot"
    again = page.views.changed(visitor, "p", drawn=first[0] - 1)
    assert again["clips"] == first, "Gradio may have shown the page the second answer alone"
    assert set(again) >= {"clips", "few-shot"}
    assert page.views.changed(visitor, "p", drawn=max(number for number, _ in again.values())) == {}
    for nonsense in ("7", 7.5, True, None, [1]):
        assert Act({"drawn": nonsense}).drawn == 0


@pytest.mark.parametrize("tab", ["probe", "fine-tune", "few-shot", "plan"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_has_clips_without_tags_is_led_to_them_and_offered_no_others(page: Wire, tab: str, language: str):
    visitor = Visitor()
    visitor.language = language
    assert 'data-act="clips.festival"' in page.views.rendered(tab, visitor)
    visitor.hold(LabelledClips.from_clips(list(tagged(3).clips), [()] * 3, limits=CLIP_LIMITS))
    text = page.views.rendered(tab, visitor)
    assert 'data-key="untagged"' in text
    assert 'class="button primary" href="#clips"' in text
    assert 'data-act="clips.festival"' not in text


def test_a_step_that_has_nothing_to_test_on_is_not_the_next():
    clips = tagged(4)
    one = LabelledClips.from_clips(
        list(clips.clips), [("a",), ("b",)] * 2, ["evening"] * 4, limits=CLIP_LIMITS
    )
    visitor = Visitor()
    visitor.hold(one)
    assert _where(visitor, TABS)["next"].name == "clips"
    visitor.hold(one.set_recording(0, "morning"))
    assert _where(visitor, TABS)["next"].name == "probe"


def test_a_view_that_many_see_alike_is_rendered_once_and_ones_own_by_itself():
    import gradio as gr

    wire, rendered = Wire(Visitors(), Jobs()), []

    def context(visitor: Visitor, t) -> dict:
        rendered.append(visitor)
        return {"charts": []}

    with gr.Blocks(), wire.panel("clips"):
        wire.view("x", context, template="evidence-charts", of=lambda v, t: None if v.greeted else v.backbone)
    rendered.clear()
    one, other, own = Visitor(), Visitor(), Visitor()
    own.greeted = True
    for visitor in (one, other, own, own, other):
        assert wire.views.rendered("x", visitor)
    assert rendered == [one, own, own]
    other.language = "ja"
    wire.views.rendered("x", other)
    other.backbone = "mini-west"
    wire.views.rendered("x", other)
    assert rendered == [one, own, own, other, other]


def test_drawings_are_numbered_in_the_order_they_were_made(page: Wire):
    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    numbers = []
    for count in (1, 2, 3):
        visitor.hold(tagged(count))
        numbers += [number for number, _ in page.views.changed(visitor, "p").values()]
    assert len(numbers) == 3
    assert numbers == sorted(set(numbers))


def test_a_view_that_fails_says_so_and_leaves_the_others(page: Wire, caplog):
    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    visitor.clips = None  # type: ignore[assignment] - what no tab can draw
    drawn = [text for _, text in page.views.changed(visitor, "p").values()]
    assert len(drawn) == 1
    assert "could not be drawn" in drawn[0]


@pytest.mark.parametrize(
    "name", ["", "nothing", "clips.untag", "clips.tag", "few-shot.query", "few-shot.layer"]
)
def test_nonsense_is_answered_with_a_sentence(page: Wire, name: str):
    visitor = Visitor()
    visitor.hold(tagged())
    page._do(visitor, Act({"act": name, "clip": "../x", "value": 3}), "p")
    assert visitor.notice is not None
    assert visitor.notice.refusal
    assert visitor.notice.sentence.code != "page.unexpected"


def test_a_refusal_that_quotes_half_a_surrogate_pair_can_be_sent(page: Wire):
    from mirdemo.base.sentences import Sentence

    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    page._do(visitor, Act({"act": "clips.add", "files": [{"path": "x", "name": "\ud800.wav"}]}), "p")
    assert visitor.notice.sentence.code == "page.upload_lost"
    clip = Clip.of(np.zeros(4000, np.float32), 8000, "\udcff.wav")  # as an archive's directory may name it
    visitor.hold(LabelledClips.from_clips([clip], [("\ud800",)], limits=CLIP_LIMITS))
    visitor.tell(Sentence("{name} is lost.", "page.upload_lost", {"name": "\ud800"}), refusal=True)
    drawn = [text for _, text in page.views.changed(visitor, "p").values()]
    assert drawn
    for text in drawn:
        assert "could not be drawn" not in text
        text.encode()


def test_every_act_tells_that_its_page_is_open(page: Wire):
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from types import SimpleNamespace

    visitor = page.visitors.arrive(None, "p")
    page.visitors.leave("p")
    event = SimpleNamespace(_data={"act": "page.open", "tab": "clips"})
    request = SimpleNamespace(session_hash="p", headers={}, client=None)

    async def act() -> None:
        await anext(page._answer(visitor.token, event, request))

    with ThreadPoolExecutor(1) as aside:  # where no other test's event loop runs
        aside.submit(asyncio.run, act()).result()
    assert visitor.closed_at is None


def test_while_a_job_runs_only_what_changed_since_the_last_answer_is_sent(page: Wire):
    visitor = Visitor()
    visitor.shown["p"] = Shown("clips")
    page.views.changed(visitor, "p")
    (first,) = (number for number, _ in page.views.changed(visitor, "p").values())
    assert json.loads(page._news(visitor, "p")) == {"after": first, "views": {}}, (
        "a reload draws the tab once"
    )
    visitor.hold(tagged())
    news = json.loads(page._news(visitor, "p"))
    assert (news["after"], list(news["views"])) == (first, ["clips"])
    assert set(page.views.changed(visitor, "p", drawn=first)) == {"clips"}, "it may have got lost"


def test_a_closed_page_is_not_drawn_for(page: Wire):
    visitor = Visitor()
    assert json.loads(page._news(visitor, "p")) == {"views": {}}
    assert visitor.shown == {}


@pytest.mark.parametrize(
    "act", ["clips.add", "clips.track", "few-shot.query", "panel.new", "tagger.files", "no.such"]
)
def test_a_refused_act_leaves_none_of_its_files_on_the_disk(page: Wire, tmp_path, monkeypatch, act: str):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    files = [tmp_path / (who * 32) / ("a" * 64) / "one.wav" for who in "cd"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"sound")
    monkeypatch.setattr(page.jobs, "_max_waiting", 0)
    sent = {"act": act, "files": [{"path": str(file), "name": "one.wav"} for file in files]}
    visitor = Visitor()
    page._do(visitor, Act(sent), "p")
    assert visitor.notice.refusal
    assert list(tmp_path.iterdir()) == []


def test_an_unexpected_error_in_a_handler_is_told_neutrally(page: Wire, caplog):
    page.on("test.broken", lambda visitor, act: 1 / 0)
    visitor = Visitor()
    page._do(visitor, Act({"act": "test.broken"}), "p")
    assert visitor.notice.sentence.code == "page.unexpected"
    assert "ZeroDivisionError" in caplog.text


def test_tags_from_outside_are_escaped_in_every_view(page: Wire):
    visitor = Visitor()
    visitor.hold(tagged())
    for tab in ("clips", "few-shot"):
        visitor.shown["p"] = Shown(tab)
        drawn = "".join(text for _, text in page.views.changed(visitor, "p").values())
        assert "&lt;b&gt;" in drawn
        assert "<b>" not in drawn


def test_editing_changes_only_the_clip_it_names(page: Wire):
    visitor = Visitor()
    visitor.hold(tagged())
    one, two = (clip.sha256 for clip in visitor.clips.clips)
    page._do(visitor, Act({"act": "clips.untag", "clip": one, "tag": "a"}), "p")
    assert [visitor.clips.tags_of(row) for row in (0, 1)] == [("<b>",), ("<b>", "a")]
    page._do(visitor, Act({"act": "clips.tag", "clip": two, "value": "c, d"}), "p")
    assert visitor.clips.tags_of(1) == ("<b>", "a", "c", "d")
    page._do(visitor, Act({"act": "clips.recording", "clip": two, "value": "other"}), "p")
    assert visitor.clips.recordings == ("0", "other")
    page._do(visitor, Act({"act": "clips.remove", "clip": one}), "p")
    assert [clip.sha256 for clip in visitor.clips.clips] == [two]


def test_every_backbone_has_a_layer_to_begin_with():
    from mirdemo.backbones.registry import specs

    for name, spec in specs().items():
        assert usual_layer(name) in layers_of(name)
        assert set(layers_of(name)) - {"mean"} == {layer.name for layer in spec.layers}
    assert layers_of("mini-world-spectral") == ("together",), "one layer is no mean over layers"


def test_neighbouring_windows_are_joined_and_the_shifted_last_one_does_not_overlap():
    clip = Clip.of(np.zeros(25 * 8000, np.float32) + 0.1, 8000, "x.wav")
    answer = Answer(
        *(clip, None, (), (), False, None, 0.0, 0.0, None, (), ()),
        starts=np.array([0.0, 10.0, 15.0]),
        window_seconds=10.0,
        labels=np.zeros((3, 1), np.uint8),
        unknown_windows=np.zeros(3, bool),
        row=np.zeros(1),
    )
    assert spans(answer, np.array([True, True, True])) == [(0.0, 25.0)]
    assert spans(answer, np.array([True, False, True])) == [(0.0, 10.0), (20.0, 25.0)]
    assert spans(answer, np.array([False, False, False])) == []


def test_what_is_enough_depends_on_recordings():
    assert [enough(n) for n in (1, 2, 3, 10)] == ["little", "use", "check", "check"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (3.14, "3.1 s"), (9.97, "0:10"), (75.4, "1:15")]
)
def test_lengths_read_well(seconds: float, said: str):
    assert duration(seconds) == said


def test_the_look_is_there_before_anything_is_drawn_and_gradios_script_need_not_take_it_apart():
    from mirdemo.web.frame.theme import CSS, top
    from mirdemo.web.page import build_page, settings

    jobs, visitors = Jobs(), Visitors()
    given = settings(build_page(visitors, jobs), visitors, jobs)
    assert not {"css", "css_paths", "head"} & set(given), "Gradio's script puts it in"
    (guard,) = given["app_kwargs"]["middleware"]
    assert guard.kwargs["top"] == top()
    style, _ = top().split("</style>", 1)
    for sheet in CSS:
        assert style.count(sheet.read_text(encoding="utf-8")) == 2, sheet.name


def test_words_controls_and_marks_stand_out_in_either_theme():
    import re

    from mirdemo.evidence.charting import contrast
    from mirdemo.web.frame.theme import STATIC

    style = (STATIC / "page.css").read_text(encoding="utf-8")
    for selector in (r":root, body", r"body\.dark"):
        (block,) = re.findall(rf"^{selector} \{{(.*?)\}}", style, re.DOTALL | re.MULTILINE)
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for ground in (colours["ground"], colours["raised"]):
            for name in ("ink", "quiet", "accent", "warn", "refusal"):
                assert contrast(colours[name], ground) >= 4.5, (selector, name)
            for name in ("control", "mark"):
                assert contrast(colours[name], ground) >= 3, (selector, name)
        assert contrast(colours["accent-ink"], colours["accent"]) >= 4.5
        assert contrast(colours["ink"], colours["accent-ground"]) >= 4.5


def test_a_reload_keeps_the_language_that_was_chosen(page: Wire):
    visitor = page._hello(Act({"act": "page.hello"}), "first", "en-GB,en")
    page._do(visitor, Act({"act": "page.language", "language": "ja"}), "first")
    page.visitors.leave("first")
    again = page._hello(Act({"act": "page.hello", "token": visitor.token}), "second", "en-GB,en")
    assert again is visitor
    assert again.language == "ja"
    other = page._hello(Act({"act": "page.hello"}), "third", "en-GB,en")
    assert other.language == "en"
