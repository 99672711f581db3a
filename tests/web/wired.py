"""The page's tabs on a wire, without a server."""

from __future__ import annotations

import gradio as gr

from mirdemo.web.frame.jobs import Jobs
from mirdemo.web.frame.session import Visitors
from mirdemo.web.frame.wire import Wire
from mirdemo.web.page import TABS


def whole_page(jobs: Jobs | None = None) -> Wire:
    """All of them. jobs: None: such as the page has"""
    wire = Wire(Visitors(), jobs or Jobs())
    with gr.Blocks():
        for tab in TABS:
            with wire.panel(tab.name):
                tab.build(wire)
    return wire
