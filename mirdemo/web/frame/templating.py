"""Templates of the page: Jinja, everything escaped.

Never put a visitor's words into ``gr.HTML``'s own ``html_template``: Gradio evaluates that as JavaScript.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context

from mirdemo import __version__
from mirdemo.base.build import source
from mirdemo.words.durations import time_of
from mirdemo.words.joining import closed_up, mark_gaps
from mirdemo.words.language import Speaker

TEMPLATES = Path(__file__).parent / "templates"


class _Gaps(Extension):
    """Sentences that a template joins stand as their language wants it (``words.joining``)."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            ours = token.type == "data"
            yield Token(token.lineno, "data", mark_gaps(token.value)) if ours else token


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=[_Gaps],
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # they lie still: no look at the disk for each view of each act
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"source": source, "version": __version__}
    environment.filters["distance"] = distance
    environment.filters["duration"] = duration
    environment.filters["waiting"] = _waiting
    return environment


def compile_all() -> None:
    """Compile every template, half a second of work, so that the first visitors do not each do it at the same time."""
    for path in sorted(TEMPLATES.glob("*.html")):
        _environment().get_template(path.name)


def render(template: str, t: Speaker, values: Mapping[str, Any]) -> str:
    """A template with its values; in it, ``t("page.question")`` says words and ``t.say(sentence)`` a sentence."""
    return closed_up(_environment().get_template(template).render(t=t, **values))


@pass_context
def _waiting(context: Context, seconds: float) -> str:
    """``{{ takes | waiting }}``: how long one will wait, in words of the page's language, e.g. ``8 seconds``."""
    return context["t"].say(time_of(seconds / 60))


def distance(value: float) -> str:
    """``0.2537`` -> ``"0.254"``; a smaller one keeps two figures, ``"0.0012"``: raw states of a network lie close together."""
    if value >= 0.0995 or value < 1e-9:
        return f"{value:.3f}"
    return f"{value:.{1 - math.floor(math.log10(value))}f}"


def duration(seconds: float) -> str:
    """``75.4`` -> ``"1:15"``, ``3675`` -> ``"1:01:15"``; under ten seconds with a tenth, ``"3.2 s"``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole >= 3_600:
        return f"{whole // 3_600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"
