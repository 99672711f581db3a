"""A page with one visitor who has a few labelled sounds; jobs run for real."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from few_shot_sounds import between, sound
from waiting import until

from mirdemo.clips import LabelledClips
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.limits import CLIP_LIMITS
from mirdemo.web.frame.session import Shown, Visitor
from mirdemo.web.frame.wire import Wire


@pytest.fixture(scope="session")
def labelled() -> LabelledClips:
    """Nine tagged clips, each a recording, and one without a tag; one tag tries to be markup."""
    clips, tags, recordings = [], [], []
    for i, kind in enumerate(("drum", "flute", "<b>buzz</b>") * 3):
        clips.append(sound(kind if kind in ("drum", "flute") else "buzz", i))
        tags.append((kind, "loud") if i == 3 else (kind,))
        recordings.append(f"recording {i}")
    clips.append(between())
    return LabelledClips.from_clips(clips, [*tags, ()], [*recordings, "recording 9"], limits=CLIP_LIMITS)


@pytest.fixture
def page() -> Wire:
    import gradio as gr

    from mirdemo.web.frame.jobs import Jobs
    from mirdemo.web.frame.session import Visitors
    from mirdemo.web.tabs.fewshot.tab import TAB

    wire = Wire(Visitors(), Jobs())
    with gr.Blocks(), wire.panel(TAB.name):
        TAB.build(wire)
    return wire


@pytest.fixture
def visitor(page: Wire, labelled: LabelledClips) -> Visitor:
    one = page.visitors.arrive(None, "page")
    one.hold(labelled)
    one.shown["page"] = Shown("few-shot")
    return one


@pytest.fixture
def do(page: Wire, visitor: Visitor) -> Callable:
    """``do("few-shot.build")`` does an act, waits for what it started, and returns the tab as HTML."""

    def act(name: str, **said: object) -> str:
        page._do(visitor, Act({"act": name, **said}), "page")
        until(lambda: not any(job.active for job in visitor.jobs.values()))
        assert all(job.state in ("done", "failed", "stopped") for job in visitor.jobs.values())
        return page.views.rendered("few-shot", visitor)

    return act
