"""Gradio's theme, plain and without fonts from elsewhere; all else of the look is ``static/*.css``."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from mirdemo.evidence.reporting import FIGURES
from mirdemo.web.frame import chart_script

STATIC = Path(__file__).parent / "static"
#: The page's own first; a tab may bring ``static/<tab>.css``.
CSS = [STATIC / "page.css", *sorted(path for path in STATIC.glob("*.css") if path.name != "page.css")]
#: In the order in which they are read: each adds to what ``page.js`` begins, ``long.js`` to what ``sound.js`` plays,
#: and the two after it to that.
SCRIPTS = [FIGURES] + [
    STATIC / f"{name}.js"
    for name in [
        "page",
        "beside",
        "morphing",
        "focus",
        "room",
        "tabs",
        "sound",
        "plotly",
        "hands",
        "files",
        "listening",
        "theme",
        "line",
        "cards",
        "sending",
        "charts",
        "long",
        "long-drawing",
        "long-hands",
    ]
]

#: Given as plain strings, for Gradio fetches any font it is given as an object.
FONT = ["system-ui", "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "sans-serif"]


def theme() -> gr.themes.Base:
    """White or near-black ground, system fonts."""
    mono = ["ui-monospace", "monospace"]
    return gr.themes.Base(primary_hue="indigo", neutral_hue="stone", font=FONT, font_mono=mono).set(
        body_background_fill="#ffffff",
        body_background_fill_dark="#131316",
        block_border_width="0px",
        block_shadow="none",
    )


def top() -> str:
    """What the page's body begins with: the look, where charts get their script, and the page's own.

    Not given to Gradio, whose script would put it into the head piece by piece, late and in the midst of other work. Here it is
    read while that script is on its way, and weighs more than all sheets of the head.
    """
    scripts = (f"<script>{script.read_text(encoding='utf-8')}</script>" for script in SCRIPTS)
    return _look() + chart_script.link() + "".join(scripts)


def _look() -> str:
    """The sheets as they are, and once more for what stands within Gradio's page, where they weigh more than Gradio's own.

    Gradio's script does the same to the sheets that it is given, rule by rule in the browser, and blocks the first opening for it.
    """
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in CSS)
    return f"<style>{sheets}\n.gradio-container.gradio-container .contain {{\n{sheets}}}</style>"
