"""Templates of the page: Jinja, everything escaped.

Never put a visitor's words into ``gr.HTML``'s own ``html_template``: Gradio evaluates that as JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mirdemo.web.language import Speaker

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment


def render(template: str, t: Speaker, values: Mapping[str, Any]) -> str:
    """A template with its values; in it, ``t("page.question")`` says words and ``t.say(sentence)`` a sentence."""
    return _environment().get_template(template).render(t=t, **values)


def duration(seconds: float) -> str:
    """``75.4`` -> ``"1:15"``; under ten seconds with a tenth, ``"3.2 s"``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
